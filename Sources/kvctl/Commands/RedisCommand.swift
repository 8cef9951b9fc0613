import ArgumentParsing
import Base
import Glibc
import RESP

/// `kvctl <any Redis command>`: one command, one reply, in the words of redis-cli.
enum RedisCommand {
    /// Sends the words and prints the reply; an error reply goes to standard error and gives exit code 1.
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let words = values[Tool.line]
        let connection = try Servers.connect(values)
        if values[Tool.three] {
            let greeting = try connection.ask(["HELLO", "3"])
            if greeting.isError { throw Failure(greeting.text ?? "HELLO 3 failed") }
        }
        try connection.send(words)
        let bare = values[Tool.raw] || (!values[Tool.formatted] && !Console.isTerminal) || ReplyText.isText(words)
        let first = try connection.reply()
        show(first, bare: bare)
        // After these the server goes on talking by itself, until the operator has seen enough.
        if ["subscribe", "psubscribe", "ssubscribe", "monitor"].contains(words[0].lowercased()) && !first.isError {
            while true { show(try connection.reply(), bare: bare) }
        }
        return first.isError ? 1 : 0
    }

    private static func show(_ reply: Reply, bare: Bool) {
        if reply.isError {
            Console.error(bare ? (reply.text ?? "") + "\n" : ReplyText.formatted(reply))
        } else if bare {
            Console.output(ReplyText.raw(reply))
        } else {
            Console.output(ReplyText.formatted(reply))
        }
    }
}

/// Which server a command is for.
enum Servers {
    /// Connects to `--server`, or to the first node of the cluster in `--data` that answers.
    static func connect(_ values: Values) throws(Failure) -> Connection {
        if let server = values[ifGiven: Tool.server] { return try Connection(to: server) }
        return try firstAnswering(try ClusterDirectory(values[Tool.data]).file(), values[Tool.data]).connection
    }

    /// The first node of a cluster that answers.
    ///
    /// - Parameter path: of the cluster's directory, for messages.
    static func firstAnswering(
        _ cluster: ClusterFile, _ path: String
    ) throws(Failure) -> (node: ClusterFile.Node, connection: Connection) {
        var reasons: [String] = []
        for node in cluster.nodes {
            do throws(Failure) {
                let connection = try Connection(to: node.client, timeout: .milliseconds(500))
                // A paused process still accepts connections; only an answer shows that it lives.
                _ = try connection.ask(["PING"], deadline: monotonicNow() + .milliseconds(500))
                return (node, connection)
            } catch {
                reasons.append("node \(node.id): \(error.message)")
            }
        }
        throw Failure("no node of the cluster in \(path) answers\n  " + reasons.joined(separator: "\n  "))
    }
}
