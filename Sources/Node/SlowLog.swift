import Base
import Database
import RESP

/// The commands of this node's clients that took longest to answer, newest first (Redis, SLOWLOG). Node-local, not replicated.
///
/// A node has no clock of its own: a command's time goes from the turn that took it to the turn that answered it. So it holds
/// what Redis's does not: the way through the log, and the wait for it.
struct SlowLog {
    /// One slow command.
    struct Item {
        let id: Int64
        /// Seconds since 1970 when it was answered.
        let seconds: Int64
        let microseconds: Int64
        /// Its words, shortened as Redis shortens them.
        let words: [[UInt8]]
        let address: String
        let name: [UInt8]
    }

    /// Newest last.
    private(set) var items = RingBuffer<Item>()
    private var lastID: Int64 = -1

    /// Words kept of a command, and bytes kept of a word.
    private static let wordsMax = 32
    private static let wordBytesMax = 128

    /// Notes a command without its `secrets` (indices of arguments), and forgets the oldest beyond `limit`.
    mutating func note(
        _ arguments: Arguments, secrets: [Int], time: Nanoseconds, client: ClientConnection, seconds: Int64, limit: Int64
    ) {
        lastID += 1
        items.append(
            Item(
                id: lastID, seconds: seconds, microseconds: Int64(time.rawValue / 1000),
                words: SlowLog.shortened(arguments, secrets: secrets),
                address: client.address, name: client.name))
        trim(limit)
    }

    /// Forgets the oldest beyond `limit`.
    mutating func trim(_ limit: Int64) { while items.count > limit { _ = items.popFirst() } }

    mutating func reset() { items.removeAll() }

    private static func shortened(_ arguments: Arguments, secrets: [Int]) -> [[UInt8]] {
        let isLong = arguments.count > wordsMax
        var words: [[UInt8]] = []
        for index in 0..<(isLong ? wordsMax - 1 : arguments.count) {
            let word = arguments[index]
            if secrets.contains(index) {
                words.append(Array("(redacted)".utf8))
            } else if word.count <= wordBytesMax {
                words.append(word.array)
            } else {
                words.append(
                    word.slice(0, wordBytesMax).array + Array("... (\(word.count - wordBytesMax) more bytes)".utf8))
            }
        }
        if isLong { words.append(Array("... (\(arguments.count - wordsMax + 1) more arguments)".utf8)) }
        return words
    }
}
