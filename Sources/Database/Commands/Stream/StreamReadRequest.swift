import Base
import RESP

/// What the words of XREAD and XREADGROUP say.
struct StreamReadRequest {
    /// From where a stream is read.
    enum Start {
        /// Behind this ID: of the stream, or of what is pending for the consumer.
        case behind(StreamID)
        /// `>`: what was never delivered to the group.
        case undelivered
    }

    /// Entries of each stream at most.
    var count = Int.max
    /// Whether the command would wait for entries where there are none.
    var blocks = false
    /// Whether what is delivered is not pending.
    var needsNoAcknowledgement = false
    /// Index of the group's name (the consumer's is behind it); nil for XREAD.
    var group: Int?
    /// Index of the first key.
    var keys = 0
    /// Streams that are read.
    var streams = 0
    /// From where the first is read, and from where each one is, where there are several: one alone needs no array.
    private var first = Start.undelivered
    private var starts: [Start] = []

    /// From where a stream is read.
    func start(_ index: Int) -> Start { streams == 1 ? first : starts[index] }

    /// Reads the words and looks up the streams and their groups. Nil after the error was replied.
    static func parse(_ execution: Execution, inGroup: Bool) -> StreamReadRequest? {
        var request = StreamReadRequest()
        guard request.parseOptions(execution, inGroup: inGroup) else { return nil }
        if request.keys == 0 {
            execution.syntaxError()
            return nil
        }
        if inGroup && request.group == nil {
            execution.reply.error("ERR Missing GROUP option for XREADGROUP")
            return nil
        }
        let streams = (execution.arguments.count - request.keys) / 2
        request.streams = streams
        for index in 0..<streams {
            guard let start = request.start(execution, keyAt: request.keys + index, idAt: request.keys + streams + index) else {
                return nil
            }
            if streams == 1 { request.first = start } else { request.starts.append(start) }
        }
        return request
    }

    private mutating func parseOptions(_ execution: Execution, inGroup: Bool) -> Bool {
        let (arguments, reply) = (execution.arguments, execution.reply)
        var index = 1
        while index < arguments.count {
            let word = arguments[index]
            let more = arguments.count - 1 - index
            if more > 0 && word.equalsIgnoringCase("block") {
                guard parseTimeout(execution, index + 1) else { return false }
                index += 1
            } else if more > 0 && word.equalsIgnoringCase("count") {
                guard let given = execution.streamInteger(index + 1) else { return false }
                count = given <= 0 ? .max : Int(given)
                index += 1
            } else if more > 0 && word.equalsIgnoringCase("streams") {
                if more % 2 == 0 {
                    keys = index + 1
                    return true
                }
                let sign = inGroup ? ">" : "$"
                reply.error(
                    text: "ERR Unbalanced '\(execution.command.fullName)' list of streams: "
                        + "for each stream key an ID or '\(sign)' must be specified.")
                return false
            } else if more > 1 && word.equalsIgnoringCase("group") {
                if !inGroup {
                    reply.error("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.")
                    return false
                }
                group = index + 1
                index += 2
            } else if word.equalsIgnoringCase("noack") {
                if !inGroup {
                    reply.error("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.")
                    return false
                }
                needsNoAcknowledgement = true
            } else {
                execution.syntaxError()
                return false
            }
            index += 1
        }
        return true
    }

    private mutating func parseTimeout(_ execution: Execution, _ index: Int) -> Bool {
        guard
            let timeout = execution.streamInteger(index, error: "ERR timeout is not an integer or out of range")
        else { return false }
        if timeout < 0 {
            execution.reply.error("ERR timeout is negative")
            return false
        }
        if timeout > Int64.max - execution.observedTime.milliseconds {
            execution.reply.error("ERR timeout is out of range")
            return false
        }
        blocks = true
        return true
    }

    /// From where one stream is read. Nil after the error was replied.
    private func start(_ execution: Execution, keyAt key: Int, idAt index: Int) -> Start? {
        let (arguments, reply) = (execution.arguments, execution.reply)
        var value: StreamValue?
        switch execution.isRead
            ? execution.read(StreamValue.self, at: arguments[key]) : execution.write(StreamValue.self, at: arguments[key])
        {
        case .wrongType: return nil
        case .absent: break
        case .value(let found): value = found
        }
        if let group, value?.group(arguments[group]) == nil {
            let text = ByteBuffer()
            text.append("NOGROUP No such key '")
            CommandTable.append(arguments[key], max: .max, to: text)
            text.append("' or consumer group '")
            CommandTable.append(arguments[group], max: .max, to: text)
            text.append("' in XREADGROUP with GROUP option")
            reply.error(text.view)
            return nil
        }
        let word = arguments[index]
        if word.count == 1 && word[0] == UInt8(ascii: "$") {
            if group == nil { return .behind(value?.position.lastID ?? .zero) }
            reply.error(
                """
                ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
                specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
                """)
            return nil
        }
        if word.count == 1 && word[0] == UInt8(ascii: ">") {
            if group != nil { return .undelivered }
            reply.error(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.")
            return nil
        }
        guard let id = execution.streamID(index) else { return nil }
        // Redis's mark for `>`.
        if group != nil && id == .last { return .undelivered }
        return .behind(id)
    }
}
