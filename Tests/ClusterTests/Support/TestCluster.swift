import Foundation
import RESP
import Testing

/// A cluster of real `kvd` processes in a directory of its own.
final class TestCluster: Sendable {
    let nodes: [TestNode]
    let directory: TemporaryDirectory
    let clusterID: String
    private let ports: Ports

    /// What a test may change.
    struct Options {
        var nodes = 3
        /// More of `kvd`'s options, for all nodes.
        var arguments: [String] = []
        /// What stands before `kvd` on the command line of a node, and where its data is, when that is not the cluster's directory.
        var wrappers: [Int: [String]] = [:]
        var dataPaths: [Int: String] = [:]
    }

    /// Prepares nodes; starts none.
    init(_ options: Options = Options()) throws {
        directory = try TemporaryDirectory()
        let ports = try Ports(2 * options.nodes)
        self.ports = ports
        clusterID = (0..<32).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
        var nodes: [TestNode] = []
        let peers = (0..<options.nodes).map { "\($0 + 1)=127.0.0.1:\(ports.numbers[options.nodes + $0])" }
        for index in 0..<options.nodes {
            let id = index + 1
            let data = options.dataPaths[id] ?? "\(directory.path)/node-\(id)"
            let words = [
                Programs.server, "--id", "\(id)", "--cluster-id", clusterID, "--data", data,
                "--listen", "127.0.0.1:\(ports.numbers[index])",
                "--peer-listen", "127.0.0.1:\(ports.numbers[options.nodes + index])", "--peers", peers.joined(separator: ","),
                // Small segments: the log goes from one to the next within a test, and a new cluster writes few zeros.
                "--segment-bytes", "\(4 << 20)",
            ]
            nodes.append(
                TestNode(
                    id: id, clientPort: ports.numbers[index], peerPort: ports.numbers[options.nodes + index], dataPath: data,
                    logPath: "\(directory.path)/node-\(id).log",
                    words: (options.wrappers[id] ?? []) + words + options.arguments))
        }
        self.nodes = nodes
    }

    deinit { end() }

    /// Starts a cluster, waits until it works, runs `body` and ends it, whatever happens. What fails is reported with the end of
    /// every node's log.
    static func run<Result>(
        _ options: Options = Options(), _ body: (TestCluster) throws -> Result
    ) throws -> Result {
        let cluster = try TestCluster(options)
        defer { cluster.end() }
        do {
            for node in cluster.nodes { try node.start() }
            try cluster.waitUntilReady()
            let result = try body(cluster)
            cluster.expectNoCrash()
            return result
        } catch {
            throw TestFailure("\(error)\n\(cluster.lastWords)")
        }
    }

    /// Ends every process.
    func end() {
        for node in nodes { node.kill() }
    }

    /// The node with this id.
    subscript(id: Int) -> TestNode { nodes[id - 1] }

    /// The ends of all logs, for messages.
    var lastWords: String {
        nodes.map { node in
            let state = node.process.map { $0.ending.map { "\($0)" } ?? "runs, pid \($0.id)" } ?? "was never started"
            return "--- node \(node.id) (\(state)):\n\(node.lastWords)\(node.figures)"
        }.joined(separator: "\n")
    }

    /// No node has said that one of its own checks failed, or ended when the test did not end it.
    func expectNoCrash() {
        for node in nodes {
            let log = (try? String(contentsOfFile: node.logPath, encoding: .utf8)) ?? ""
            for sign in ["Fatal error", "check failed", "Thread 0 crashed", "*** Signal"] {
                #expect(!log.contains(sign), "node \(node.id): \(sign)\n\(node.lastWords)")
            }
            if node.endedByItself, let ending = node.process?.ending {
                Issue.record("node \(node.id) ended by itself: \(ending)\n\(node.lastWords)")
            }
        }
    }

    // MARK: waiting

    /// Waits until every node that runs knows the same leader, which runs, and has applied all that was committed when it was
    /// asked first.
    @discardableResult
    func waitUntilReady(within limit: Duration = .seconds(30)) throws -> TestNode {
        var leader: TestNode?
        var seen: [Int: NodeStatus] = [:]
        var goal: Int?
        try eventually("all nodes that run agree on a leader and have caught up", within: limit, seen: { "\(seen)" }) {
            seen = [:]
            if let dead = nodes.first(where: \.endedByItself) {
                throw TestFailure("node \(dead.id) ended by itself: \(dead.process?.ending.map { "\($0)" } ?? "")")
            }
            let running = nodes.filter(\.isRunning)
            for node in running { seen[node.id] = node.status() }
            guard seen.count == running.count, let leading = seen.first(where: { $0.value.role == "leader" }),
                seen.values.allSatisfy({ $0.leader == leading.key && $0.term == leading.value.term })
            else { return false }
            let wanted = goal ?? leading.value.commitIndex
            goal = wanted
            leader = self[leading.key]
            return seen.values.allSatisfy { $0.appliedIndex >= wanted }
        }
        guard let leader else { throw TestFailure("no leader") }
        for node in nodes where node.isRunning { node.promise() }
        return leader
    }

    /// Every node that runs takes a write and reads it back.
    func expectHealthy(_ note: String = "") throws {
        for node in nodes where node.isRunning {
            let client = try node.connect()
            let value = "\(note) \(node.id) \(UInt64.random(in: 0...UInt64.max))"
            #expect(try client.call("SET", "healthy", value) == .ok, "\(note), node \(node.id)")
            #expect(try client.call("GET", "healthy") == .text(value), "\(note), node \(node.id)")
        }
    }
}
