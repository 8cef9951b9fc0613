import Base
import RESP

/// What the words of XADD before its fields say, and those of XTRIM.
struct StreamAddOptions {
    /// The ID that XADD asks for.
    enum WantedID: Equatable {
        /// `*`
        case automatic
        /// `milliseconds-*`
        case inMillisecond(UInt64)
        case given(StreamID)
    }

    var id = WantedID.automatic
    var makesNoStream = false
    /// Nil: nothing is trimmed.
    var goal: StreamTree.TrimGoal?
    /// Whether whole nodes alone go.
    var isApproximate = false
    /// Entries that go at most; 0 for any number.
    var limit = 0
    /// Index of the ID (XADD).
    var end = 0

    private var hasLimit = false

    /// Reads the words from argument 2 on. Nil after the error was replied.
    static func parse(_ execution: Execution, adds: Bool) -> StreamAddOptions? {
        let arguments = execution.arguments
        var options = StreamAddOptions()
        var index = 2
        while index < arguments.count {
            let word = arguments[index]
            let more = arguments.count - 1 - index
            if adds && word.count == 1 && word[0] == UInt8(ascii: "*") { break }
            if more > 0 && word.equalsIgnoringCase("maxlen") || more > 0 && word.equalsIgnoringCase("minid") {
                guard options.parseGoal(execution, &index, more: more) else { return nil }
            } else if more > 0 && word.equalsIgnoringCase("limit") {
                guard let limit = execution.streamInteger(index + 1) else { return nil }
                if limit < 0 {
                    execution.reply.error("ERR The LIMIT argument must be >= 0.")
                    return nil
                }
                options.limit = Int(limit)
                options.hasLimit = true
                index += 1
            } else if adds && word.equalsIgnoringCase("nomkstream") {
                options.makesNoStream = true
            } else if adds {
                guard let parsed = StreamID.parse(word, allowsStar: true) else {
                    execution.invalidStreamID()
                    return nil
                }
                options.id = parsed.lacksSequence ? .inMillisecond(parsed.id.milliseconds) : .given(parsed.id)
                break
            } else {
                execution.syntaxError()
                return nil
            }
            index += 1
        }
        options.end = index
        return options.isConsistent(execution, adds: adds) ? options : nil
    }

    /// Reads `MAXLEN [=|~] count` or `MINID [=|~] id`, and leaves `index` at its last word. False after the error was replied.
    private mutating func parseGoal(_ execution: Execution, _ index: inout Int, more: Int) -> Bool {
        let arguments = execution.arguments
        if goal != nil {
            execution.reply.error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
            return false
        }
        let isCount = arguments[index].equalsIgnoringCase("maxlen")
        let sign = arguments[index + 1]
        if more >= 2 && sign.count == 1 && (sign[0] == UInt8(ascii: "~") || sign[0] == UInt8(ascii: "=")) {
            isApproximate = sign[0] == UInt8(ascii: "~")
            index += 1
        }
        index += 1
        if !isCount {
            guard let id = execution.streamID(index) else { return false }
            goal = .from(id)
            return true
        }
        guard let count = execution.streamInteger(index) else { return false }
        if count < 0 {
            execution.reply.error("ERR The MAXLEN argument must be >= 0.")
            return false
        }
        goal = .count(Int(count))
        return true
    }

    /// Whether the options go together, and sets the limit where none was given. False after the error was replied.
    private mutating func isConsistent(_ execution: Execution, adds: Bool) -> Bool {
        if limit > 0 && goal == nil {
            execution.reply.error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
            return false
        }
        if !adds && goal == nil {
            execution.reply.error("ERR syntax error, XTRIM must be called with a trimming strategy")
            return false
        }
        if hasLimit && !isApproximate {
            execution.reply.error("ERR syntax error, LIMIT cannot be used without the special ~ option")
            return false
        }
        if !hasLimit && isApproximate {
            let entries = execution.limits.streamNodeEntries
            limit = entries <= 0 ? 10_000 : min(100 * entries, 1_000_000)
        }
        return true
    }
}
