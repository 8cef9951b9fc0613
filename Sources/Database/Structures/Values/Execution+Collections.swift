import Base
import RESP

// What the commands on collections share.
extension ReplyWriter {
    /// An element as a bulk string.
    @inline(__always)
    func bulk(_ element: PackedElement) {
        if element.isInteger { bulk(decimal: element.integer) } else { bulk(element.bytes) }
    }

    /// A score: a double, or its text in RESP2. The usual scores, integers, without making a text first.
    func score(_ score: Double) {
        if version == .two && score.magnitude < 9_007_199_254_740_992 && score == Double(Int64(score)) {
            bulk(decimal: Int64(score))
        } else {
            double(score)
        }
    }
}

extension Execution {
    /// Replies what stands for an absent key; passes on what was found.
    @inline(__always)
    func found<Value>(_ found: __owned Found<Value>, _ replyAbsent: (ReplyWriter) -> Void) -> Found<Value> {
        if case .absent = found { replyAbsent(reply) }
        return found
    }

    /// The argument at `index` as an integer of a range. Nil after the error was replied: `error` for everything, or Redis's general
    /// ones.
    func integerArgument(_ index: Int, in range: ClosedRange<Int64> = .min ... .max, error: StaticString? = nil) -> Int? {
        if let value = parseInteger(arguments[index]) {
            if range.contains(value) { return Int(value) }
            if error == nil {
                let bounds = "\(range.lowerBound) and \(range.upperBound)"
                reply.error(text: "ERR value is out of range, value must between \(bounds)")
                return nil
            }
        }
        if let error { reply.error(error) } else { notInteger() }
        return nil
    }

    /// The argument at `index` as a number that is not negative. Nil after the error was replied.
    func countArgument(_ index: Int) -> Int? {
        integerArgument(index, in: 0 ... .max, error: "ERR value is out of range, must be positive")
    }

    /// What the words behind a key and a cursor say (HSCAN, SSCAN, ZSCAN).
    struct CollectionScan {
        var cursor: UInt64
        var count = 10
        var pattern: ByteView?
    }

    /// The cursor at argument 2. Nil after the error was replied.
    func scanCursor() -> UInt64? {
        if let cursor = KeyCommands.parseCursor(arguments[2]) { return cursor }
        reply.error("ERR invalid cursor")
        return nil
    }

    /// The options of a scan from argument 3 on. Nil after the error was replied.
    func scanOptions(cursor: UInt64) -> CollectionScan? {
        var scan = CollectionScan(cursor: cursor)
        var index = 3
        while index < arguments.count {
            let word = arguments[index]
            if index + 1 < arguments.count && word.equalsIgnoringCase("count") {
                guard let count = integerArgument(index + 1) else { return nil }
                if count < 1 {
                    syntaxError()
                    return nil
                }
                scan.count = count
            } else if index + 1 < arguments.count && word.equalsIgnoringCase("match") {
                // A star alone matches the empty element too, which a pattern does not.
                let pattern = arguments[index + 1]
                scan.pattern = pattern.count == 1 && pattern[0] == UInt8(ascii: "*") ? nil : pattern
            } else {
                syntaxError()
                return nil
            }
            index += 2
        }
        return scan
    }

    /// Replies a scan of a key that is absent.
    func replyEmptyScan() {
        reply.array(2)
        reply.bulk("0")
        reply.array(0)
    }

    /// Replies a step of a scan. `step` writes the elements that it visits to the writer and returns how many it wrote and the
    /// next cursor.
    func replyScan(_ step: (ReplyWriter) -> (written: Int, cursor: UInt64)) {
        let elements = ByteBuffer(capacity: 512)
        let (written, cursor) = step(ReplyWriter(elements, version: reply.version, discards: reply.discards))
        reply.array(2)
        reply.bulk(text: String(cursor))
        reply.array(written)
        reply.preformatted(elements.view)
    }

    /// Random elements that one command returns at most, where they may repeat.
    static let randomElementsMax = 1 << 24

    /// Whether so many random elements may be asked for; replies the error where not.
    func allowsRandomElements(_ count: Int) -> Bool {
        if count <= Execution.randomElementsMax { return true }
        reply.error("ERR count is out of range: at most 16777216 random elements are returned at once")
        return false
    }

    /// Different numbers below `size`, `count` of them, all choices equally likely.
    func distinctRanks(_ count: Int, below size: Int) -> [Int] {
        check(count >= 0 && count <= size, "only what is there can be chosen")
        var chosen: [Int] = []
        chosen.reserveCapacity(count)
        if count > size / 4 {
            // Go through all, taking each with the chance that fills the rest (Knuth, volume 2, algorithm S).
            for rank in 0..<size where random.next(below: UInt64(size - rank)) < UInt64(count - chosen.count) {
                chosen.append(rank)
            }
            return chosen
        }
        // Floyd's algorithm: a number that comes twice stands for the new end of the range. (Bentley, 1987.) The set is
        // only asked, never walked through, so its order does not matter.
        var seen = Set<Int>(minimumCapacity: count)
        for end in (size - count)..<size {
            let pick = random.index(below: end + 1)
            let rank = seen.insert(pick).inserted ? pick : end
            if rank != pick { seen.insert(rank) }
            chosen.append(rank)
        }
        return chosen
    }
}
