import Base
import RESP

// Adding, removing, and asking about single members.
extension SortedSetCommands {
    /// The options of ZADD.
    private struct AddOptions: OptionSet {
        let rawValue: Int
        static let onlyNew = AddOptions(rawValue: 1)
        static let onlyExisting = AddOptions(rawValue: 2)
        static let onlyGreater = AddOptions(rawValue: 4)
        static let onlyLess = AddOptions(rawValue: 8)
        static let countsChanges = AddOptions(rawValue: 16)
        static let increments = AddOptions(rawValue: 32)
    }

    /// What adding one member did.
    private enum Added {
        case added(Double)
        case updated(Double)
        case same(Double)
        /// The options forbade it.
        case nothing
        case notANumber
    }

    /// Puts a sorted set that was changed back, or in where it is new.
    @inline(__always)
    static func store(_ value: SortedSetValue, isNew: Bool, at key: ByteView, _ execution: Execution) {
        if isNew { execution.setCollection(key, value) } else { execution.changed(value, at: key) }
    }

    static func zadd(_ execution: Execution) {
        let arguments = execution.arguments
        var options: AddOptions = []
        var index = 2
        while index < arguments.count, let option = addOption(arguments[index]) {
            options.insert(option)
            index += 1
        }
        add(execution, from: index, options)
    }

    @inline(__always)
    private static func addOption(_ word: ByteView) -> AddOptions? {
        // Scores are the usual case: none of them begins with one of the letters that options begin with.
        if word.count < 2 || word.count > 4 || word[0] < 0x41 { return nil }
        if word.equalsIgnoringCase("nx") { return .onlyNew }
        if word.equalsIgnoringCase("xx") { return .onlyExisting }
        if word.equalsIgnoringCase("gt") { return .onlyGreater }
        if word.equalsIgnoringCase("lt") { return .onlyLess }
        if word.equalsIgnoringCase("ch") { return .countsChanges }
        return word.equalsIgnoringCase("incr") ? .increments : nil
    }

    static func zincrby(_ execution: Execution) {
        // Redis reads options of ZADD here too, and then has a member too few.
        if addOption(execution.arguments[2]) != nil { return execution.syntaxError() }
        add(execution, from: 2, .increments)
    }

    private static func isConsistent(_ options: AddOptions, pairs: Int, _ execution: Execution) -> Bool {
        if options.contains([.onlyNew, .onlyExisting]) {
            execution.reply.error("ERR XX and NX options at the same time are not compatible")
        } else if options.intersection([.onlyNew, .onlyGreater, .onlyLess]).rawValue.nonzeroBitCount > 1 {
            execution.reply.error("ERR GT, LT, and/or NX options at the same time are not compatible")
        } else if options.contains(.increments) && pairs > 1 {
            execution.reply.error("ERR INCR option supports a single increment-element pair")
        } else {
            return true
        }
        return false
    }

    /// Adds the pairs of score and member from argument `first` on.
    private static func add(_ execution: Execution, from first: Int, _ options: AddOptions) {
        let arguments = execution.arguments
        let words = arguments.count - first
        if words == 0 || words % 2 == 1 { return execution.syntaxError() }
        if !isConsistent(options, pairs: words / 2, execution) { return }
        // All scores are read before anything is changed.
        for index in stride(from: first, to: arguments.count, by: 2) where parseDouble(arguments[index]) == nil {
            return execution.notFloat()
        }
        let (seed, limits) = (execution.keyspace.seed, execution.limits)
        var value: SortedSetValue?
        switch execution.write(SortedSetValue.self, at: arguments[1]) {
        case .wrongType: return
        case .value(let found):
            found.prepare(sizeHint: words / 2, memberBytesMax: 0, seed: seed, limits: limits)
            value = found
        case .absent: break
        }
        let isNew = value == nil
        if isNew && options.contains(.onlyExisting) {
            return options.contains(.increments) ? execution.reply.null() : execution.reply.integer(0)
        }
        let firstBytes = arguments[first + 1].count
        let target =
            value ?? SortedSetValue(sizeHint: words / 2, memberBytesMax: firstBytes, seed: seed, limits: limits)
        var (added, updated) = (0, 0)
        var result: Double?
        for index in stride(from: first, to: arguments.count, by: 2) {
            guard let score = parseDouble(arguments[index]) else { continue }
            switch put(target, arguments[index + 1], score, options, seed, limits) {
            case .added(let score): (added, result) = (added + 1, score)
            case .updated(let score): (updated, result) = (updated + 1, score)
            case .same(let score): result = score
            case .nothing: break
            case .notANumber: return execution.reply.error("ERR resulting score is not a number (NaN)")
            }
        }
        if added + updated > 0 { store(target, isNew: isNew, at: arguments[1], execution) }
        if options.contains(.increments) {
            if let result { execution.reply.score(result) } else { execution.reply.null() }
        } else {
            execution.reply.integer(options.contains(.countsChanges) ? added + updated : added)
        }
    }

    /// Adds one member, or changes its score, as the options allow.
    @inline(__always)
    private static func put(
        _ value: SortedSetValue, _ member: ByteView, _ given: Double, _ options: AddOptions, _ seed: UInt64,
        _ limits: CollectionLimits
    ) -> Added {
        guard let old = value.score(of: member, seed: seed) else {
            if options.contains(.onlyExisting) { return .nothing }
            value.put(member, score: given, old: nil, seed: seed, limits: limits)
            return .added(given)
        }
        if options.contains(.onlyNew) { return .nothing }
        let score = options.contains(.increments) ? old + given : given
        if score.isNaN { return .notANumber }
        if options.contains(.onlyLess) && score >= old || options.contains(.onlyGreater) && score <= old { return .nothing }
        if score == old { return .same(score) }
        value.put(member, score: score, old: old, seed: seed, limits: limits)
        return .updated(score)
    }

    static func zrem(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.write(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        var removed = 0
        for index in 2..<arguments.count where value.remove(arguments[index], seed: execution.keyspace.seed) { removed += 1 }
        if removed > 0 { execution.changed(value, at: arguments[1]) }
        execution.reply.integer(removed)
    }

    // MARK: reading

    static func zcard(_ execution: Execution) {
        let found = execution.readCount(.sortedSet, at: execution.arguments[1])
        guard case .value(let count) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(count)
    }

    static func zscore(_ execution: Execution) {
        let arguments = execution.arguments
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.null() }) else { return }
        guard let score = value.score(of: arguments[2], seed: execution.keyspace.seed) else { return execution.reply.null() }
        execution.reply.score(score)
    }

    static func zmscore(_ execution: Execution) {
        let arguments = execution.arguments
        var value: SortedSetValue?
        switch execution.read(SortedSetValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent: break
        case .value(let found): value = found
        }
        execution.reply.array(arguments.count - 2)
        for index in 2..<arguments.count {
            if let score = value?.score(of: arguments[index], seed: execution.keyspace.seed) {
                execution.reply.score(score)
            } else {
                execution.reply.null()
            }
        }
    }

    static func zrank(_ execution: Execution) { rank(execution, isReversed: false) }
    static func zrevrank(_ execution: Execution) { rank(execution, isReversed: true) }

    private static func rank(_ execution: Execution, isReversed: Bool) {
        let arguments = execution.arguments
        if arguments.count > 4 { return execution.wrongArgumentCount() }
        let withScore = arguments.count == 4
        if withScore && !arguments[3].equalsIgnoringCase("withscore") { return execution.syntaxError() }
        let reply = execution.reply
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { withScore ? $0.nullArray() : $0.null() }) else { return }
        guard let (rank, score) = value.rank(of: arguments[2], seed: execution.keyspace.seed) else {
            return withScore ? reply.nullArray() : reply.null()
        }
        if withScore { reply.array(2) }
        reply.integer(isReversed ? value.count - 1 - rank : rank)
        if withScore { reply.score(score) }
    }

    static func zcount(_ execution: Execution) {
        let arguments = execution.arguments
        guard let range = ScoreRange(arguments[2], arguments[3]) else {
            return execution.reply.error("ERR min or max is not a float")
        }
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(range.ranks(in: value).count)
    }

    static func zlexcount(_ execution: Execution) {
        let arguments = execution.arguments
        guard let range = MemberRange(arguments[2], arguments[3]) else {
            return execution.reply.error("ERR min or max not valid string range item")
        }
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.integer(0) }) else { return }
        execution.reply.integer(range.ranks(in: value).count)
    }

    // MARK: random members and scanning

    static func zrandmember(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 2 { return randomMembers(execution) }
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.null() }) else { return }
        execution.reply.bulk(value.entry(at: execution.random.index(below: value.count)).member)
    }

    private static func randomMembers(_ execution: Execution) {
        let arguments = execution.arguments
        guard let wanted = execution.integerArgument(2, in: -Int64.max...Int64.max) else { return }
        let withScores = arguments.count > 3
        if arguments.count > 4 || withScores && !arguments[3].equalsIgnoringCase("withscores") {
            return execution.syntaxError()
        }
        if withScores && wanted.magnitude > UInt(Int.max / 2) {
            return execution.reply.error("ERR value is out of range")
        }
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.array(0) }) else { return }
        let reply = execution.reply
        let size = value.count
        if wanted < 0 && !execution.allowsRandomElements(-wanted) { return }
        let count = wanted >= 0 ? min(wanted, size) : -wanted
        beginMembers(count, withScores: withScores, reply)
        if wanted >= size {
            value.forEach { member, score in
                replyMember(member, score, withScores: withScores, reply)
                return true
            }
        } else if wanted >= 0 {
            for rank in execution.distinctRanks(count, below: size) {
                let entry = value.entry(at: rank)
                replyMember(entry.member, entry.score, withScores: withScores, reply)
            }
        } else {
            for _ in 0..<count {
                let entry = value.entry(at: execution.random.index(below: size))
                replyMember(entry.member, entry.score, withScores: withScores, reply)
            }
        }
    }

    /// Begins a list of members, with scores as one of its elements each, or as pairs in RESP3.
    @inline(__always)
    static func beginMembers(_ count: Int, withScores: Bool, _ reply: ReplyWriter) {
        reply.array(withScores && reply.version == .two ? count * 2 : count)
    }

    @inline(__always)
    static func replyMember(_ member: PackedElement, _ score: Double, withScores: Bool, _ reply: ReplyWriter) {
        if withScores && reply.version == .three { reply.array(2) }
        reply.bulk(member)
        if withScores { reply.score(score) }
    }

    static func zscan(_ execution: Execution) {
        guard let cursor = execution.scanCursor() else { return }
        let value: SortedSetValue
        switch execution.read(SortedSetValue.self, at: execution.arguments[1]) {
        case .wrongType: return
        case .absent: return execution.replyEmptyScan()
        case .value(let found): value = found
        }
        guard let scan = execution.scanOptions(cursor: cursor) else { return }
        execution.replyScan { writer in
            var written = 0
            let next = value.scan(from: scan.cursor, count: scan.count, seed: execution.keyspace.seed) { member, score in
                if let pattern = scan.pattern, !member.withBytes({ globMatch(pattern, $0) }) { return }
                writer.bulk(member)
                writer.bulk(text: formatDouble(score))
                written += 2
            }
            return (written, next)
        }
    }
}
