import Base
import RESP

// Changing elements in the middle, searching, and moving between lists.
extension ListCommands {
    static func lset(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(ListValue.self, at: arguments[1])
        guard case .value(let list) = execution.found(found, { $0.error("ERR no such key") }) else { return }
        guard let index = execution.integerArgument(2) else { return }
        let place = index < 0 ? index + list.count : index
        if place < 0 || place >= list.count { return execution.reply.error("ERR index out of range") }
        list.prepare(forElements: 1, bytes: arguments[3].count, limits: execution.limits)
        list.set(place, to: PackedElement(arguments[3]), limits: execution.limits)
        removed(list, at: arguments[1], execution)
        execution.reply.ok()
    }

    static func ltrim(_ execution: Execution) {
        guard let first = execution.integerArgument(2), let last = execution.integerArgument(3) else { return }
        let key = execution.arguments[1]
        let found = execution.write(ListValue.self, at: key)
        guard case .value(let list) = execution.found(found, { $0.ok() }) else { return }
        let range = self.range(first, last, count: list.count)
        execution.reply.ok()
        if range.count == list.count { return }
        list.remove(from: range.upperBound, count: list.count - range.upperBound, limits: execution.limits)
        list.remove(from: 0, count: range.lowerBound, limits: execution.limits)
        removed(list, at: key, execution)
    }

    static func lrem(_ execution: Execution) {
        let arguments = execution.arguments
        guard let wanted = execution.integerArgument(2) else { return }
        let limits = execution.limits
        let element = PackedElement(arguments[3])
        let most = wanted == 0 ? Int.max : Int(clamping: wanted.magnitude)
        let isThere = execution.change(ListValue.self, at: arguments[1]) { list in
            let removed: Int
            if most == 1 {
                // Where one element is wanted there is no list of places to make.
                let place = place(of: element, in: list, backwards: wanted < 0)
                if let place { list.remove(from: place, limits: limits) }
                removed = place == nil ? 0 : 1
            } else {
                let places = places(of: element, in: list, backwards: wanted < 0, most: most)
                // From the back, so that what is still to go stays where it is.
                let descending = wanted < 0 ? places : places.reversed()
                for place in descending { list.remove(from: place, limits: limits) }
                removed = places.count
            }
            execution.reply.integer(removed)
            if removed > 0 { list.shrink(limits: limits) }
            return removed > 0
        }
        if !isThere { execution.reply.integer(0) }
    }

    /// Index of the first element equal to `element`, in the order of the search.
    @inline(__always)
    private static func place(of element: PackedElement, in list: ListValue, backwards: Bool) -> Int? {
        var found: Int?
        var index = backwards ? list.count - 1 : 0
        if backwards {
            list.forEachReversed(from: index) { here in
                if here.equals(element) { found = index }
                index -= 1
                return found == nil
            }
        } else {
            list.forEach { here in
                if here.equals(element) { found = index }
                index += 1
                return found == nil
            }
        }
        return found
    }

    /// Indexes of up to `most` elements equal to `element`, in the order of the search.
    private static func places(of element: PackedElement, in list: ListValue, backwards: Bool, most: Int) -> [Int] {
        var places: [Int] = []
        if backwards {
            var index = list.count - 1
            list.forEachReversed(from: index) { here in
                if here.equals(element) { places.append(index) }
                index -= 1
                return places.count < most
            }
        } else {
            var index = 0
            list.forEach { here in
                if here.equals(element) { places.append(index) }
                index += 1
                return places.count < most
            }
        }
        return places
    }

    static func linsert(_ execution: Execution) {
        let arguments = execution.arguments
        let isAfter = arguments[2].equalsIgnoringCase("after")
        if !isAfter && !arguments[2].equalsIgnoringCase("before") { return execution.syntaxError() }
        let found = execution.write(ListValue.self, at: arguments[1])
        guard case .value(let list) = execution.found(found, { $0.integer(0) }) else { return }
        guard let pivot = place(of: PackedElement(arguments[3]), in: list, backwards: false) else {
            return execution.reply.integer(-1)
        }
        list.prepare(forElements: 1, bytes: arguments[4].count, limits: execution.limits)
        list.insert(PackedElement(arguments[4]), at: isAfter ? pivot + 1 : pivot, limits: execution.limits)
        execution.changed(list, at: arguments[1])
        execution.reply.integer(list.count)
    }

    // MARK: searching

    private struct Search {
        /// The first match that counts, from 1.
        var skip = 0
        var isBackwards = false
        /// nil: one match, not in an array. 0: all.
        var count: Int?
        /// Elements to look at; 0: all.
        var looks = 0
    }

    static func lpos(_ execution: Execution) {
        guard let search = searchOptions(execution) else { return }
        let arguments = execution.arguments
        let found = execution.read(ListValue.self, at: arguments[1])
        let isOne = search.count == nil
        guard case .value(let list) = execution.found(found, { isOne ? $0.null() : $0.array(0) }) else { return }
        let reply = execution.reply
        let array = reply.beginArray()
        var matches = Matches(PackedElement(arguments[2]), search)
        var index = search.isBackwards ? list.count - 1 : 0
        if search.isBackwards {
            list.forEachReversed(from: index) { here in
                if matches.look(here) { reply.integer(index) }
                index -= 1
                return !matches.isDone
            }
        } else {
            list.forEach { here in
                if matches.look(here) { reply.integer(index) }
                index += 1
                return !matches.isDone
            }
        }
        if !isOne { return reply.end(array, count: matches.count) }
        if matches.count == 0 { reply.null() }
    }

    /// A search on its way through a list.
    private struct Matches {
        private let element: PackedElement
        private let most: Int
        private var skip: Int
        private var looks: Int
        /// Matches that count, so far.
        private(set) var count = 0

        init(_ element: PackedElement, _ search: Search) {
            self.element = element
            most = search.count == 0 ? Int.max : search.count ?? 1
            skip = search.skip
            looks = search.looks == 0 ? Int.max : search.looks
        }

        /// Whether nothing further is looked for.
        @inline(__always) var isDone: Bool { count >= most || looks <= 0 }

        /// Whether the next element is a match that counts.
        @inline(__always)
        mutating func look(_ here: PackedElement) -> Bool {
            looks -= 1
            if !here.equals(element) { return false }
            if skip > 0 {
                skip -= 1
                return false
            }
            count += 1
            return true
        }
    }

    private static func searchOptions(_ execution: Execution) -> Search? {
        let arguments = execution.arguments
        var search = Search()
        var index = 3
        while index < arguments.count {
            let word = arguments[index]
            if index + 1 == arguments.count {
                execution.syntaxError()
                return nil
            }
            if word.equalsIgnoringCase("rank") {
                guard let rank = execution.integerArgument(index + 1, in: -Int64.max...Int64.max) else { return nil }
                if rank == 0 {
                    execution.reply.error(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
                    )
                    return nil
                }
                search.isBackwards = rank < 0
                search.skip = Int(rank.magnitude) - 1
            } else if word.equalsIgnoringCase("count") {
                guard let count = execution.integerArgument(index + 1, in: 0 ... .max, error: "ERR COUNT can't be negative")
                else { return nil }
                search.count = count
            } else if word.equalsIgnoringCase("maxlen") {
                guard let looks = execution.integerArgument(index + 1, in: 0 ... .max, error: "ERR MAXLEN can't be negative")
                else { return nil }
                search.looks = looks
            } else {
                execution.syntaxError()
                return nil
            }
            index += 2
        }
        return search
    }

    // MARK: moving

    static func rpoplpush(_ execution: Execution) { move(execution, from: .tail, to: .head) }

    static func lmove(_ execution: Execution) {
        guard let from = end(execution.arguments[3]), let to = end(execution.arguments[4]) else { return execution.syntaxError() }
        move(execution, from: from, to: to)
    }

    private static func move(_ execution: Execution, from: ListValue.End, to: ListValue.End) {
        let (source, destination) = (execution.arguments[1], execution.arguments[2])
        let limits = execution.limits
        let found = execution.write(ListValue.self, at: source)
        guard case .value(let list) = execution.found(found, { $0.null() }) else { return }
        let target: ListValue
        var isNew = false
        if source.equals(destination) {
            target = list
        } else {
            switch execution.write(ListValue.self, at: destination) {
            case .wrongType: return
            case .absent:
                target = ListValue()
                isNew = true
            case .value(let there): target = there
            }
        }
        let index = from == .head ? 0 : list.count - 1
        let element = list.element(at: index)
        // A copy: the element's bytes lie in the list that is about to change.
        let copy = execution.scratch
        copy.removeAll()
        copy.append(element.bytes)
        let moved = element.isInteger ? element : PackedElement(raw: copy.view)
        list.remove(from: index, limits: limits)
        target.prepare(forElements: 1, bytes: moved.byteCount, limits: limits)
        target.push(moved, to, limits: limits)
        removed(list, at: source, execution)
        if target !== list { store(target, isNew: isNew, at: destination, execution) }
        execution.reply.bulk(moved)
    }
}
