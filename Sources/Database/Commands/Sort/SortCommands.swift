import Base
import RESP

// SORT. Elements with equal keys go by their bytes, and after that by the order in which they stood: the result depends on the data
// alone. Texts are compared byte by byte, whatever the locale.
extension SortCommands {
    static func sort(_ execution: Execution) { run(execution, isReadOnly: false) }

    static func sortReadOnly(_ execution: Execution) { run(execution, isReadOnly: true) }

    /// The words of the command.
    private struct Options {
        var isDescending = false
        var isAlphabetic = false
        /// Elements to leave out at the front.
        var start: Int64 = 0
        /// Elements to return at most; negative: all.
        var limit: Int64 = -1
        var destination: ByteView?
        var by: ByteView?
        /// A BY without a star: no sorting.
        var keepsOrder = false
        var gets: [SortPattern] = []
    }

    /// Values that one SORT returns at most.
    static let resultMax = 1 << 26

    private static func options(_ execution: Execution, isReadOnly: Bool) -> Options? {
        let arguments = execution.arguments
        var options = Options()
        var index = 2
        while index < arguments.count {
            let word = arguments[index]
            let left = arguments.count - index - 1
            if word.equalsIgnoringCase("asc") {
                options.isDescending = false
            } else if word.equalsIgnoringCase("desc") {
                options.isDescending = true
            } else if word.equalsIgnoringCase("alpha") {
                options.isAlphabetic = true
            } else if left >= 2, word.equalsIgnoringCase("limit") {
                guard let start = execution.integerArgument(index + 1), let limit = execution.integerArgument(index + 2) else {
                    return nil
                }
                options.start = Int64(start)
                options.limit = Int64(limit)
                index += 2
            } else if left >= 1, !isReadOnly, word.equalsIgnoringCase("store") {
                options.destination = arguments[index + 1]
                index += 1
            } else if left >= 1, word.equalsIgnoringCase("by") {
                options.by = arguments[index + 1]
                if !SortPattern.hasStar(arguments[index + 1]) { options.keepsOrder = true }
                index += 1
            } else if left >= 1, word.equalsIgnoringCase("get") {
                options.gets.append(SortPattern(arguments[index + 1]))
                index += 1
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        return options
    }

    private static func run(_ execution: Execution, isReadOnly: Bool) {
        guard var options = options(execution, isReadOnly: isReadOnly) else { return }
        let key = execution.arguments[1]
        let entry = options.destination == nil ? execution.lookupRead(key) : execution.lookupWrite(key)
        let type = entry?.type
        if let type, type != .list, type != .set, type != .sortedSet { return execution.wrongType() }
        let count = type == nil ? 0 : entry?.collection.count ?? 0
        if options.keepsOrder, type == .set, options.destination != nil {
            // The order of a set is nobody's business, so what is stored is sorted all the same.
            options.keepsOrder = false
            options.isAlphabetic = true
            options.by = nil
        }
        let range = range(options, count: count)
        if range.count.multipliedReportingOverflow(by: max(1, options.gets.count)).partialValue > resultMax {
            return execution.reply.error("ERR SORT returns at most 67108864 values at once")
        }
        let result: [PackedElement]
        if let entry, !range.isEmpty {
            if options.keepsOrder {
                result = ordered(entry, range, isDescending: options.isDescending)
            } else {
                let elements = ordered(entry, 0..<count, isDescending: false)
                guard let sorted = sorted(elements, options, execution) else {
                    return execution.reply.error("ERR One or more scores can't be converted into double")
                }
                result = range.map { elements[sorted[$0]] }
            }
        } else {
            // Redis looks at the numbers even where none is returned.
            if let entry, !options.keepsOrder, sorted(ordered(entry, 0..<count, isDescending: false), options, execution) == nil {
                return execution.reply.error("ERR One or more scores can't be converted into double")
            }
            result = []
        }
        if let destination = options.destination {
            store(result, options, destination, execution)
        } else {
            answer(result, options, execution)
        }
    }

    /// The places of the sorted elements that are returned.
    private static func range(_ options: Options, count: Int) -> Range<Int> {
        let start = Int(min(max(options.start, 0), Int64(count)))
        if options.limit < 0 { return start..<count }
        return start..<(start + Int(min(options.limit, Int64(count - start))))
    }

    /// Some of the elements as they stand in the value: of lists and sorted sets from either end.
    private static func ordered(_ entry: Entry, _ range: Range<Int>, isDescending: Bool) -> [PackedElement] {
        var elements: [PackedElement] = []
        elements.reserveCapacity(range.count)
        let last = entry.collection.count - 1 - range.lowerBound
        switch entry.collection {
        case let list as ListValue where isDescending:
            list.forEachReversed(from: last) { element in
                elements.append(element)
                return elements.count < range.count
            }
        case let list as ListValue:
            list.forEach(from: range.lowerBound, limit: range.count) { element in
                elements.append(element)
                return true
            }
        case let set as SortedSetValue where isDescending:
            set.forEachReversed(from: last, limit: range.count) { member, _ in
                elements.append(member)
                return true
            }
        case let set as SortedSetValue:
            set.forEach(from: range.lowerBound, limit: range.count) { member, _ in
                elements.append(member)
                return true
            }
        case let set as SetValue:
            var place = 0
            set.forEach { member in
                if range.contains(place) { elements.append(member) }
                place += 1
                return place < range.upperBound
            }
        default:
            check(false, "only lists, sets and sorted sets are sorted")
        }
        return elements
    }

    // MARK: sorting

    /// An element's place and what it goes by.
    private struct Weighted {
        var score: Double
        var index: Int
    }

    /// The indexes of the elements in sorted order; nil where one has no number to go by.
    private static func sorted(_ elements: [PackedElement], _ options: Options, _ execution: Execution) -> [Int]? {
        let pattern = options.by.map { SortPattern($0) }
        let name = ByteBuffer(capacity: 64)
        if options.isAlphabetic {
            guard let pattern else { return sorted(elements.count, options) { compare(elements[$0], elements[$1]) } }
            let weights = elements.map { pattern.value(for: $0, execution, name) }
            return sorted(elements.count, options) { compare(weights[$0], weights[$1]) }
        }
        var order: [Weighted] = []
        order.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let weight = pattern.map({ $0.value(for: element, execution, name) }) ?? element else {
                order.append(Weighted(score: 0, index: index))
                continue
            }
            guard let score = score(weight) else { return nil }
            order.append(Weighted(score: score, index: index))
        }
        let isDescending = options.isDescending
        order.sort { first, second in
            if first.score != second.score { return (first.score < second.score) != isDescending }
            let order = compare(elements[first.index], elements[second.index])
            return order != 0 ? (order < 0) != isDescending : first.index < second.index
        }
        return order.map { $0.index }
    }

    @inline(__always)
    private static func sorted(_ count: Int, _ options: Options, by compare: (Int, Int) -> Int) -> [Int] {
        var order = Array(0..<count)
        let sign = options.isDescending ? -1 : 1
        order.sort { first, second in
            let order = compare(first, second)
            return order != 0 ? order * sign < 0 : first < second
        }
        return order
    }

    /// Order of the bytes.
    private static func compare(_ first: PackedElement, _ second: PackedElement) -> Int {
        if !first.isInteger, !second.isInteger { return first.bytes.compare(second.bytes) }
        let order = first.withBytes { bytes in second.withBytes { bytes.compare($0) } }
        return order == 0 ? 0 : order < 0 ? -1 : 1
    }

    /// As above; what is not there comes first.
    private static func compare(_ first: PackedElement?, _ second: PackedElement?) -> Int {
        guard let first else { return second == nil ? 0 : -1 }
        guard let second else { return 1 }
        return compare(first, second)
    }

    /// The number that C's `strtod` reads from a whole string: blanks in front are allowed, nothing is 0, and a zero byte ends it.
    private static func score(_ element: PackedElement) -> Double? {
        if element.isInteger { return Double(element.integer) }
        let text = element.bytes.slice(0, element.bytes.firstIndex(of: 0) ?? element.bytes.count)
        if text.isEmpty { return 0 }
        var start = 0
        while start < text.count, text[start] == 0x20 || (0x09...0x0D).contains(text[start]) { start += 1 }
        return parseDouble(text.dropFirst(start))
    }

    // MARK: results

    private static func answer(_ result: [PackedElement], _ options: Options, _ execution: Execution) {
        let reply = execution.reply
        reply.array(result.count * max(1, options.gets.count))
        let name = ByteBuffer(capacity: 64)
        for element in result {
            if options.gets.isEmpty { reply.bulk(element) }
            for get in options.gets {
                if let value = get.value(for: element, execution, name) { reply.bulk(value) } else { reply.null() }
            }
        }
    }

    private static func store(
        _ result: [PackedElement], _ options: Options, _ destination: ByteView, _ execution: Execution
    ) {
        let list = ListValue()
        func append(_ element: PackedElement) {
            let element = element.isInteger ? element : PackedElement(element.bytes)
            list.prepare(forElements: 1, bytes: PackedEntry.totalBytes(element), limits: execution.limits)
            list.push(element, .tail, limits: execution.limits)
        }
        let name = ByteBuffer(capacity: 64)
        for element in result {
            if options.gets.isEmpty { append(element) }
            for get in options.gets { append(get.value(for: element, execution, name) ?? PackedElement(raw: .empty)) }
        }
        let count = list.count
        if count == 0 { execution.delete(destination) } else { execution.setCollection(destination, list) }
        execution.reply.integer(count)
    }
}
