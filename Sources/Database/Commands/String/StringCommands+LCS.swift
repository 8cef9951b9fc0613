import Base
import RESP

// The longest common subsequence. Where several are equally long, the same one as Redis: ties go back along the second string first.
extension StringCommands {
    /// Pairs of prefixes: as many as Redis's table, of 4 bytes for each, has room for within proto-max-bulk-len.
    private static let pairsMax = 1 << 27

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
        let (pairs, overflow) = (a.count + 1).multipliedReportingOverflow(by: b.count + 1)
        if overflow || pairs > pairsMax {
            return execution.reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
        }
        let table = SubsequenceTable(a, b, keepsRows: !options.wantsLength)
        if options.wantsLength {
            execution.reply.integer(table.length)
        } else if options.wantsIndexes {
            replyIndexes(execution, table, a, b, options)
        } else {
            table.subsequence(a, b).withView { execution.reply.bulk($0) }
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

    /// Replies the matching stretches, from the back to the front, and the length.
    private static func replyIndexes(
        _ execution: Execution, _ table: SubsequenceTable, _ a: [UInt8], _ b: [UInt8], _ options: Options
    ) {
        let reply = execution.reply
        reply.map(2)
        reply.bulk("matches")
        let list = reply.beginArray()
        var matches = 0
        var i = a.count
        var j = b.count
        while i > 0, j > 0 {
            if a[i - 1] != b[j - 1] {
                if table.goesBackInFirst(i, j) { i -= 1 } else { j -= 1 }
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
        reply.integer(table.length)
    }
}
