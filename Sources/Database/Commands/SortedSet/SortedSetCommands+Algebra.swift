import Base
import RESP

// Unions, intersections and differences of sorted sets and sets.
extension SortedSetCommands {
    private enum Operation { case union, intersection, difference }

    private enum Aggregate { case sum, min, max }

    /// One of the keys: a sorted set, or a set, whose members count 1 each. The request holds the values, so that asking for each of
    /// many members counts no references.
    private struct Source {
        enum Content {
            case none
            case set(Unmanaged<SetValue>)
            case sortedSet(Unmanaged<SortedSetValue>)
        }
        var content: Content
        var weight = 1.0

        var count: Int {
            switch content {
            case .none: 0
            case .set(let set): set._withUnsafeGuaranteedRef { $0.count }
            case .sortedSet(let value): value._withUnsafeGuaranteedRef { $0.count }
            }
        }

        func isSame(_ other: Source) -> Bool {
            switch (content, other.content) {
            case (.set(let a), .set(let b)): a.toOpaque() == b.toOpaque()
            case (.sortedSet(let a), .sortedSet(let b)): a.toOpaque() == b.toOpaque()
            default: false
            }
        }

        func forEach(_ body: (PackedElement, Double) -> Bool) {
            switch content {
            case .none: break
            case .set(let set): set._withUnsafeGuaranteedRef { $0.forEach { body($0, 1) } }
            case .sortedSet(let value): value._withUnsafeGuaranteedRef { $0.forEach(body) }
            }
        }

        func score(of member: PackedElement, seed: UInt64) -> Double? {
            switch content {
            case .none: nil
            case .set(let set): set._withUnsafeGuaranteedRef { $0.contains(member, seed: seed) } ? 1 : nil
            case .sortedSet(let value):
                value._withUnsafeGuaranteedRef { value in member.withBytes { value.score(of: $0, seed: seed) } }
            }
        }
    }

    private struct Request {
        var sources: [Source] = []
        /// The values of the sources.
        var owners: [CollectionValue] = []
        var aggregate = Aggregate.sum
        var withScores = false
        var limit = 0
    }

    static func zunion(_ execution: Execution) { combine(execution, .union, keysAt: 1) }
    static func zinter(_ execution: Execution) { combine(execution, .intersection, keysAt: 1) }
    static func zdiff(_ execution: Execution) { combine(execution, .difference, keysAt: 1) }
    static func zunionstore(_ execution: Execution) { combine(execution, .union, keysAt: 2) }
    static func zinterstore(_ execution: Execution) { combine(execution, .intersection, keysAt: 2) }
    static func zdiffstore(_ execution: Execution) { combine(execution, .difference, keysAt: 2) }

    static func zintercard(_ execution: Execution) {
        guard let request = request(execution, .intersection, keysAt: 1, countsOnly: true) else { return }
        var count = 0
        withExtendedLifetime(request.owners) {
            forEachCommon(request, seed: execution.keyspace.seed) { _, _ in
                count += 1
                return count != request.limit
            }
        }
        execution.reply.integer(count)
    }

    private static func combine(_ execution: Execution, _ operation: Operation, keysAt index: Int) {
        guard let request = request(execution, operation, keysAt: index, countsOnly: false) else { return }
        let (seed, limits) = (execution.keyspace.seed, execution.limits)
        let result = SortedSetValue()
        let add: (PackedElement, Double) -> Bool = { member, score in
            member.withBytes { result.put($0, score: score, old: nil, seed: seed, limits: limits) }
            return true
        }
        withExtendedLifetime(request.owners) {
            switch operation {
            case .union:
                union(request, seed: seed) { members in
                    result.prepare(sizeHint: members, memberBytesMax: 0, seed: seed, limits: limits)
                } add: {
                    add($0, $1)
                }
            case .intersection: forEachCommon(request, seed: seed, add)
            case .difference: difference(request, seed: seed, add)
            }
        }
        if index == 2 { return replace(execution.arguments[1], with: result, execution) }
        beginMembers(result.count, withScores: request.withScores, execution.reply)
        result.forEach { member, score in
            replyMember(member, score, withScores: request.withScores, execution.reply)
            return true
        }
    }

    // MARK: reading the words

    private static func request(
        _ execution: Execution, _ operation: Operation, keysAt place: Int, countsOnly: Bool
    ) -> Request? {
        let arguments = execution.arguments
        guard let keys = execution.integerArgument(place) else { return nil }
        if keys < 1 {
            execution.reply.error(text: "ERR at least 1 input key is needed for '\(execution.command.fullName)' command")
            return nil
        }
        if keys > arguments.count - place - 1 {
            execution.syntaxError()
            return nil
        }
        var request = Request()
        request.sources.reserveCapacity(keys)
        for index in (place + 1)...(place + keys) {
            guard let source = source(execution, arguments[index], &request.owners) else { return nil }
            request.sources.append(source)
        }
        let allowsWeights = operation != .difference && !countsOnly
        var index = place + 1 + keys
        while index < arguments.count {
            let word = arguments[index]
            let left = arguments.count - index
            if allowsWeights && left > keys && word.equalsIgnoringCase("weights") {
                for key in 0..<keys {
                    guard let weight = parseDouble(arguments[index + 1 + key]) else {
                        execution.reply.error("ERR weight value is not a float")
                        return nil
                    }
                    request.sources[key].weight = weight
                }
                index += keys + 1
            } else if allowsWeights && left > 1 && word.equalsIgnoringCase("aggregate") {
                guard let aggregate = aggregate(arguments[index + 1]) else {
                    execution.syntaxError()
                    return nil
                }
                request.aggregate = aggregate
                index += 2
            } else if place == 1 && !countsOnly && word.equalsIgnoringCase("withscores") {
                request.withScores = true
                index += 1
            } else if countsOnly && left > 1 && word.equalsIgnoringCase("limit") {
                guard let limit = execution.integerArgument(index + 1, in: 0 ... .max, error: "ERR LIMIT can't be negative")
                else { return nil }
                request.limit = limit
                index += 2
            } else {
                execution.syntaxError()
                return nil
            }
        }
        return request
    }

    private static func aggregate(_ word: ByteView) -> Aggregate? {
        if word.equalsIgnoringCase("sum") { return .sum }
        if word.equalsIgnoringCase("min") { return .min }
        return word.equalsIgnoringCase("max") ? .max : nil
    }

    /// The value of a key; nil after a wrong type was replied.
    private static func source(_ execution: Execution, _ key: ByteView, _ owners: inout [CollectionValue]) -> Source? {
        guard let entry = execution.isRead ? execution.lookupRead(key) : execution.lookupWrite(key) else {
            return Source(content: .none)
        }
        if entry.type != .sortedSet && entry.type != .set {
            execution.wrongType()
            return nil
        }
        let value = entry.collection
        owners.append(value)
        if entry.type == .set { return Source(content: .set(.passUnretained(unsafeDowncast(value, to: SetValue.self)))) }
        return Source(content: .sortedSet(.passUnretained(unsafeDowncast(value, to: SortedSetValue.self))))
    }

    // MARK: combining

    /// A score times its weight; infinity times zero is 0.
    private static func weighted(_ score: Double, _ weight: Double) -> Double {
        let product = score * weight
        return product.isNaN ? 0 : product
    }

    private static func combined(_ a: Double, _ b: Double, _ aggregate: Aggregate) -> Double {
        switch aggregate {
        case .sum:
            // Opposite infinities make 0.
            let sum = a + b
            return sum.isNaN ? 0 : sum
        // What is not a number is neither less nor greater, and so left out.
        case .min: return b < a ? b : a
        case .max: return b > a ? b : a
        }
    }

    /// Calls `body` with the sources from the smallest to the largest, those of equal size as they came: the order of additions is part of
    /// the result. They stand in memory: asking an array for each of them would count its references at each member.
    private static func withSourcesBySize<Result>(
        _ request: Request, _ body: (UnsafeBufferPointer<Source>) -> Result
    ) -> Result {
        var sources = request.sources
        if sources.count <= 8 {
            sources.withUnsafeMutableBufferPointer { sources in
                for index in sources.indices.dropFirst() {
                    var to = index
                    while to > 0, sources[to - 1].count > sources[to].count {
                        sources.swapAt(to - 1, to)
                        to -= 1
                    }
                }
            }
        } else {
            sources = sources.indices.sorted { (sources[$0].count, $0) < (sources[$1].count, $1) }.map { sources[$0] }
        }
        return sources.withUnsafeBufferPointer(body)
    }

    /// Calls `prepare` with the number of members, then `add` with each of them.
    private static func union(
        _ request: Request, seed: UInt64, prepare: (Int) -> Void, add: (PackedElement, Double) -> Bool
    ) {
        var table = ByteStringTable(root: KeyedLeaf(hasValues: true).page, seed: seed)
        withSourcesBySize(request) { sources in
            for source in sources { merge(source, request.aggregate, into: &table) }
        }
        prepare(table.count)
        table.tree.forEach { leaf, index in
            add(PackedElement(raw: leaf.member(index)), Double(bitPattern: leaf.value(index).integer(at: 0, as: UInt64.self)))
        }
        table.root.release()
    }

    /// Adds the members of a source, or to those that are there.
    private static func merge(_ source: Source, _ aggregate: Aggregate, into table: inout ByteStringTable) {
        source.forEach { member, score in
            let weighted = weighted(score, source.weight)
            member.withBytes { bytes in
                var sum = weighted
                if let (leaf, index) = table.find(bytes) {
                    let before = Double(bitPattern: leaf.value(index).integer(at: 0, as: UInt64.self))
                    sum = combined(before, weighted, aggregate)
                }
                withUnsafeBytes(of: sum.bitPattern.littleEndian) { _ = table.put(bytes, value: ByteView($0)) }
            }
            return true
        }
    }

    @inline(__always)
    private static func forEachCommon(_ request: Request, seed: UInt64, _ body: (PackedElement, Double) -> Bool) {
        let aggregate = request.aggregate
        withSourcesBySize(request) { sources in
            guard let first = sources.first, first.count > 0 else { return }
            first.forEach { member, score in
                var sum = weighted(score, first.weight)
                for index in 1..<sources.count {
                    let other = sources[index]
                    let found = other.isSame(first) ? score : other.score(of: member, seed: seed)
                    guard let found else { return true }
                    // Infinity times zero is no number here, and takes the sum so far to 0 with it, as in Redis.
                    sum = combined(sum, found * other.weight, aggregate)
                }
                return body(member, sum)
            }
        }
    }

    @inline(__always)
    private static func difference(_ request: Request, seed: UInt64, _ body: (PackedElement, Double) -> Bool) {
        request.sources.withUnsafeBufferPointer { sources in
            guard let first = sources.first else { return }
            for other in sources.dropFirst() where other.isSame(first) { return }
            first.forEach { member, score in
                for index in 1..<sources.count where sources[index].score(of: member, seed: seed) != nil { return true }
                return body(member, score)
            }
        }
    }
}
