import Base
import Database

/// Values and files in the RDB format, sound ones, damaged ones and forged ones.
///
/// What must hold: nothing crashes or reads past the end; a sound value is taken; what is taken is written again to something that gives
/// the same value; a value takes no more memory than its bytes allow.
struct RDBFuzz: FuzzTarget {
    /// Whether values are made with the mistakes that random damage hardly ever hits: members that come twice, a field without a value,
    /// counts that are one off, everything else being sound.
    private var isForged = false
    /// When values leave their small forms: often soon, so that few bytes make a large form.
    private var limits = CollectionLimits()

    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        isForged = false
        if random.chance(1, in: 4) { return runFile(&random) }
        isForged = random.chance(1, in: 4)
        limits = CollectionLimits()
        if random.chance(1, in: 3) {
            (limits.hashEntries, limits.setEntries, limits.setIntegers, limits.sortedSetEntries) = (2, 2, 2, 2)
        }
        var body = value(&random)
        let isDamaged = random.chance(3, in: 4)
        if isDamaged { mutate(&body, &random) }
        let (problem, isTaken) = check(body)
        if let problem { return .bad(problem, input: body) }
        if !isDamaged && !isForged && !isTaken { return .bad("a sound value is refused", input: body) }
        return .good
    }

    /// Reads a type and value; says what does not hold, and whether it was taken.
    private func check(_ body: [UInt8]) -> (problem: String?, isTaken: Bool) {
        body.withView { view in
            let reader = RDBReader(view)
            return withExtendedLifetime(reader) {
                guard let value = try? DumpPayload.value(reader, seed: 7, limits: limits) else { return (nil, false) }
                guard case .collection(let collection) = value else { return (nil, true) }
                if collection.count == 0 && !collection.staysEmpty { return ("an empty collection is taken", true) }
                if collection.memoryBytes > 1024 + 100 * (view.count + collection.count) {
                    return ("\(view.count) bytes take \(collection.memoryBytes)", true)
                }
                return (checkAgain(collection), true)
            }
        }
    }

    /// Whether a value that was taken is the same after it was written and read.
    private func checkAgain(_ collection: CollectionValue) -> String? {
        let again = ByteBuffer()
        RDBEncoder(again).append(collection)
        let reader = RDBReader(again.view)
        guard case .collection(let second)? = try? DumpPayload.value(reader, seed: 7, limits: limits) else {
            return "what was written is not read again"
        }
        // Of streams, the time when a consumer was last active is not written.
        if collection.staysEmpty {
            let third = ByteBuffer()
            RDBEncoder(third).append(second)
            return third.view.equals(again.view) ? nil : "the same stream is written differently"
        }
        if second.digest(seed: 1) != collection.digest(seed: 1) { return "what was written is read as something else" }
        let third = ByteBuffer()
        RDBEncoder(third).append(second)
        // A packed set is written member by member, as Redis 7.0 does not know it, and its integers come back in order.
        let keepsOrder = Swift.type(of: collection).type != .set || collection.encodingName.description != "listpack"
        if keepsOrder && second.encodingName.description == collection.encodingName.description && !third.view.equals(again.view)
        {
            return "the same value is written differently"
        }
        return nil
    }

    /// A file of some keys, mostly damaged. Walking through it ends, and never outside.
    private func runFile(_ random: inout RandomGenerator) -> FuzzVerdict {
        var writer = RDBFileWriter(facts: [("redis-ver", "7.0.15"), ("redis-bits", "64")])
        let count = random.index(below: 5)
        for index in 0..<count {
            let body = value(&random)
            Array("key\(index)".utf8).withView { name in
                body.withView {
                    writer.append(
                        name, value: $0, deadline: random.chance(1, in: 3) ? 1_700_000_000_000 : nil,
                        database: random.index(below: 3))
                }
            }
        }
        var file: [UInt8] = []
        writer.finish { file = $0.array }
        let isDamaged = random.chance(3, in: 4)
        if isDamaged { mutate(&file, &random) }
        let keys = file.withView { view -> Int? in
            guard var reader = try? RDBFileReader(view, comparesChecksum: !isDamaged) else { return nil }
            var keys = 0
            while let record = try? reader.next() {
                switch record {
                case .end: return keys
                case .key: keys += 1
                default: break
                }
            }
            return nil
        }
        if !isDamaged && keys != count { return .bad("a sound file has \(count) keys, and \(keys ?? -1) are read", input: file) }
        return .good
    }

    // MARK: making values

    private func value(_ random: inout RandomGenerator) -> [UInt8] {
        let count = 1 + random.index(below: random.chance(1, in: 20) ? 200 : 8)
        switch random.index(below: 19) {
        case 17, 18: return RDBForms.hashWithDeadlines(&random, count, isForged: isForged)
        case 15, 16: return RDBForms.stream(&random, nodes: random.index(below: 4), isForged: isForged)
        case 0:
            let text = RDBForms.elements(&random, 1, distinct: false)[0]
            return [0] + RDBForms.string(text, &random)
        case 1: return [1] + strings(RDBForms.elements(&random, count, distinct: false), per: 1, &random)
        case 2: return [2] + strings(RDBForms.elements(&random, count, distinct: !isForged), per: 1, &random)
        case 3: return sortedSet(&random, count, isBinary: false)
        case 4: return [4] + strings(RDBForms.elements(&random, pairs(count, &random), distinct: !isForged), per: 2, &random)
        case 5: return sortedSet(&random, count, isBinary: true)
        case 6:
            return [9] + wrapped(RDBForms.zipmap(RDBForms.elements(&random, pairs(count, &random), distinct: !isForged)), &random)
        case 7: return [10] + wrapped(RDBForms.ziplist(RDBForms.elements(&random, count, distinct: false)), &random)
        case 8:
            let values = (0..<count).map { _ in Int64(bitPattern: random.next()) >> Int64(random.index(below: 60)) }
            return [11] + wrapped(RDBForms.intset(Array(Set(values)).sorted()), &random)
        case 9: return [12] + wrapped(RDBForms.ziplist(scored(&random, count)), &random)
        case 10:
            return [13]
                + wrapped(RDBForms.ziplist(RDBForms.elements(&random, pairs(count, &random), distinct: !isForged)), &random)
        case 11:
            return [14]
                + nodes(&random) { random in
                    wrapped(RDBForms.ziplist(RDBForms.elements(&random, 1 + random.index(below: 8), distinct: false)), &random)
                }
        case 12:
            return [16]
                + wrapped(RDBForms.listpack(RDBForms.elements(&random, pairs(count, &random), distinct: !isForged)), &random)
        case 13: return [17] + wrapped(RDBForms.listpack(scored(&random, count)), &random)
        default:
            if random.chance(1, in: 3) {
                return [20] + wrapped(RDBForms.listpack(RDBForms.elements(&random, count, distinct: !isForged)), &random)
            }
            return [18]
                + nodes(&random) { random in
                    let elements = RDBForms.elements(&random, 1 + random.index(below: 8), distinct: false)
                    if random.chance(1, in: 3) { return [1] + RDBForms.string(elements[0], &random) }
                    return [2] + wrapped(RDBForms.listpack(elements), &random)
                }
        }
    }

    /// Elements of so many pairs.
    private func pairs(_ count: Int, _ random: inout RandomGenerator) -> Int {
        2 * count - (isForged && random.chance(1, in: 2) ? 1 : 0)
    }

    private func wrapped(_ bytes: [UInt8], _ random: inout RandomGenerator) -> [UInt8] { RDBForms.string(bytes, &random) }

    private func strings(_ elements: [[UInt8]], per: Int, _ random: inout RandomGenerator) -> [UInt8] {
        var out = RDBForms.length(elements.count / per, &random)
        for element in elements { out += RDBForms.string(element, &random) }
        return out
    }

    private func nodes(_ random: inout RandomGenerator, _ node: (inout RandomGenerator) -> [UInt8]) -> [UInt8] {
        let count = 1 + random.index(below: 4)
        var out = RDBForms.length(count, &random)
        for _ in 0..<count { out += node(&random) }
        return out
    }

    private func score(_ random: inout RandomGenerator) -> String {
        switch random.index(below: 5) {
        case 0: "inf"
        case 1: "-inf"
        case 2: "\(Double(Int64(bitPattern: random.next())) / 1024)"
        default: "\(random.index(below: 10))"
        }
    }

    private func scored(_ random: inout RandomGenerator, _ count: Int) -> [[UInt8]] {
        RDBForms.elements(&random, count, distinct: !isForged).flatMap { [$0, Array(score(&random).utf8)] }
    }

    private func sortedSet(_ random: inout RandomGenerator, _ count: Int, isBinary: Bool) -> [UInt8] {
        var out: [UInt8] = [isBinary ? 5 : 3] + RDBForms.length(count, &random)
        for member in RDBForms.elements(&random, count, distinct: !isForged) {
            out += RDBForms.string(member, &random)
            let score = score(&random)
            if isBinary {
                out += RDBForms.littleEndian((Double(score) ?? 0).bitPattern, 8)
            } else if score.hasSuffix("inf") {
                out.append(score.hasPrefix("-") ? 255 : 254)
            } else {
                out += [UInt8(score.utf8.count)] + Array(score.utf8)
            }
        }
        return out
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout RandomGenerator) {
        for _ in 0...random.index(below: 4) where !bytes.isEmpty {
            let at = random.index(below: bytes.count)
            switch random.index(below: 6) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
            case 3: bytes[at] = [0, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC3, 0xF0, 0xFE, 0xFF][random.index(below: 10)]
            case 4: bytes.removeSubrange(at...)
            default: bytes[at] ^= 1 << UInt8(random.index(below: 8))
            }
        }
    }
}
