/// Bugs to plant, so that the comparison is not blind.
package enum Plant {
    /// Lengths above 3 are one too small.
    package static let lengths: @Sendable (Step, [UInt8]) -> [UInt8] = { step, reply in
        let wrong: Set<String> = ["hlen", "llen", "scard", "zcard", "strlen"]
        guard wrong.contains(step.name), let length = ReplyNode(reply)?.integer, length > 3 else { return reply }
        return Word(":\(length - 1)\r\n".utf8)
    }
}
