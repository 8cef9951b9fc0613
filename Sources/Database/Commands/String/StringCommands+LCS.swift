import Base
import RESP

// The longest common subsequence, by the table of all prefixes' lengths (Wagner and Fischer, 1974). Where several are equally
// long, the same one as Redis: ties go back along the second string first.
extension StringCommands {
    /// Cells of the table, 4 bytes each.
    private static let cellsMax = 1 << 28
    /// Steps of one command when only the length is asked for.
    private static let stepsMax = 1 << 34

    private struct Options {
        var wantsLength = false
        var wantsIndexes = false
        var wantsMatchLengths = false
        var matchLengthMin: Int64 = 0
    }

    static func lcs(_ execution: Execution) {
        let arguments = execution.arguments
        let first = execution.lookupRead(arguments[1])
        let a = first.map { $0.isString ? execution.text(of: $0).array : [] } ?? []
        let second = execution.lookupRead(arguments[2])
        if first?.isString == false || second?.isString == false {
            return execution.reply.error("ERR The specified keys must contain string values")
        }
        let b = second.map { execution.text(of: $0).array } ?? []
        guard let options = options(execution) else { return }
        if options.wantsLength, options.wantsIndexes {
            return execution.reply.error("ERR If you want both the length and indexes, please just use IDX.")
        }
        let (cells, overflow) = (a.count + 1).multipliedReportingOverflow(by: b.count + 1)
        if overflow || cells > (options.wantsLength ? stepsMax : cellsMax) {
            return execution.reply.error("ERR Insufficient memory, failed allocating transient memory for LCS")
        }
        if options.wantsLength { return execution.reply.integer(length(a, b)) }
        var table = [UInt32](repeating: 0, count: cells)
        fill(&table, a, b)
        if options.wantsIndexes {
            replyIndexes(execution, table, a, b, options)
        } else {
            subsequence(table, a, b).withView { execution.reply.bulk($0) }
        }
    }

    private static func options(_ execution: Execution) -> Options? {
        let arguments = execution.arguments
        var options = Options()
        var index = 3
        while index < arguments.count {
            let word = arguments[index]
            if word.equalsIgnoringCase("idx") {
                options.wantsIndexes = true
            } else if word.equalsIgnoringCase("len") {
                options.wantsLength = true
            } else if word.equalsIgnoringCase("withmatchlen") {
                options.wantsMatchLengths = true
            } else if word.equalsIgnoringCase("minmatchlen"), index + 1 < arguments.count {
                guard let least = parseInteger(arguments[index + 1]) else {
                    execution.notInteger()
                    return nil
                }
                options.matchLengthMin = max(0, least)
                index += 1
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        return options
    }

    /// The length alone needs one row.
    private static func length(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = [UInt32](repeating: 0, count: b.count + 1)
        row.withUnsafeMutableBufferPointer { row in
            b.withUnsafeBufferPointer { b in
                for x in a { step(x, b, above: UnsafeBufferPointer(row), into: row) }
            }
        }
        return Int(row[b.count])
    }

    private static func fill(_ table: inout [UInt32], _ a: [UInt8], _ b: [UInt8]) {
        let width = b.count + 1
        table.withUnsafeMutableBufferPointer { table in
            b.withUnsafeBufferPointer { b in
                for i in 1..<a.count + 1 {
                    let above = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(table)[((i - 1) * width)..<(i * width)])
                    let row = UnsafeMutableBufferPointer(rebasing: table[(i * width)..<((i + 1) * width)])
                    step(a[i - 1], b, above: above, into: row)
                }
            }
        }
    }

    /// One row of the table from the row above it, which may be the same memory; both have one place more than `b` has bytes.
    @inline(__always)
    private static func step(
        _ x: UInt8, _ b: UnsafeBufferPointer<UInt8>, above: UnsafeBufferPointer<UInt32>,
        into row: UnsafeMutableBufferPointer<UInt32>
    ) {
        check(above.count == b.count + 1 && row.count == b.count + 1, "a row has a place for every beginning of the text")
        var (diagonal, left): (UInt32, UInt32) = (0, 0)
        for j in 0..<b.count {
            let up = above[j + 1]
            let longest = max(up, left)
            left = x == b[j] ? diagonal &+ 1 : longest
            row[j + 1] = left
            diagonal = up
        }
    }

    private static func subsequence(_ table: [UInt32], _ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        let width = b.count + 1
        var result: [UInt8] = []
        var i = a.count
        var j = b.count
        while i > 0, j > 0 {
            if a[i - 1] == b[j - 1] {
                result.append(a[i - 1])
                i -= 1
                j -= 1
            } else if table[(i - 1) * width + j] > table[i * width + j - 1] {
                i -= 1
            } else {
                j -= 1
            }
        }
        result.reverse()
        return result
    }

    /// Replies the matching stretches, from the back to the front, and the length.
    private static func replyIndexes(
        _ execution: Execution, _ table: [UInt32], _ a: [UInt8], _ b: [UInt8], _ options: Options
    ) {
        let width = b.count + 1
        let reply = execution.reply
        reply.map(2)
        reply.bulk("matches")
        let list = reply.beginArray()
        var matches = 0
        var i = a.count
        var j = b.count
        while i > 0, j > 0 {
            if a[i - 1] != b[j - 1] {
                if table[(i - 1) * width + j] > table[i * width + j - 1] { i -= 1 } else { j -= 1 }
                continue
            }
            let endA = i - 1
            let endB = j - 1
            while i > 0, j > 0, a[i - 1] == b[j - 1] {
                i -= 1
                j -= 1
            }
            let count = endA - i + 1
            if Int64(count) < options.matchLengthMin { continue }
            matches += 1
            reply.array(options.wantsMatchLengths ? 3 : 2)
            reply.array(2)
            reply.integer(i)
            reply.integer(endA)
            reply.array(2)
            reply.integer(j)
            reply.integer(endB)
            if options.wantsMatchLengths { reply.integer(count) }
        }
        reply.end(list, count: matches)
        reply.bulk("len")
        reply.integer(Int(table[a.count * width + b.count]))
    }
}
