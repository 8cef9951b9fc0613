import Base

/// Finds where replies end without building them: for load generators and proxies. Understands what `ReplyParser` does, checks
/// less, and keeps two numbers between pieces of input.
package struct ReplyScanner {
    /// Values still to come of the reply that has begun; 0 between replies.
    private var pending = 0
    /// Whether the reply that has begun is an error.
    private var beganAsError = false

    /// What was found at the front of the input.
    package enum Outcome: Equatable, Sendable {
        /// The end of a reply; `isError` says whether it is an error itself (not whether one is inside).
        case reply(consumed: Int, isError: Bool)
        /// The reply goes on; the caller drops `consumed` bytes and asks again with more.
        case incomplete(consumed: Int)
        /// Not a reply.
        case failure(ReplyError)
    }

    /// A scanner at the start of a connection.
    package init() {}

    /// Reads to the end of the reply that is at the front of `input`.
    package mutating func next(in input: ByteView) -> Outcome {
        var position = 0
        while true {
            if input.count - position < 3 { return .incomplete(consumed: position) }
            let type = input[position]
            guard let end = input.firstIndex(of: ASCII.carriageReturn, from: position + 1), end + 2 <= input.count else {
                return .incomplete(consumed: position)
            }
            if pending == 0 {
                pending = 1
                beganAsError = type == UInt8(ascii: "-") || type == UInt8(ascii: "!")
            }
            var behind = end + 2
            switch type {
            case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
                guard let count = parseInteger(input.slice(position + 1, end - position - 1)), count <= Int64(Int32.max) else {
                    return .failure(.invalidLength)
                }
                if count >= 0 { behind += Int(count) + 2 }
                if behind > input.count { return .incomplete(consumed: position) }
            case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"):
                guard let count = parseInteger(input.slice(position + 1, end - position - 1)), count <= Int64(Int32.max) else {
                    return .failure(.invalidLength)
                }
                let pairs = type == UInt8(ascii: "%") || type == UInt8(ascii: "|")
                if count > 0 { pending += pairs ? Int(count) * 2 : Int(count) }
                // Attributes stand before a value and are none.
                if type == UInt8(ascii: "|") { pending += 1 }
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: ","),
                UInt8(ascii: "#"), UInt8(ascii: "("):
                break
            default: return .failure(.unknownType(type))
            }
            position = behind
            pending -= 1
            if pending == 0 { return .reply(consumed: position, isError: beganAsError) }
        }
    }
}
