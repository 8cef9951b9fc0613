import Foundation
import Glibc
import Testing

/// A cluster that `kvctl` makes in a directory of the test's own.
final class ToolCluster {
    let place: TemporaryDirectory
    let data: String
    let clientPort: UInt16
    let peerPort: UInt16
    private let ports: Ports
    /// What `kvctl` left running, for the watchdog.
    private var known: Set<Int> = []

    /// - Parameter data: where it is; a directory of its own unless given.
    init(data: String? = nil) throws {
        place = try TemporaryDirectory()
        self.data = data ?? "\(place.path)/data"
        ports = try Ports.inARow(6)
        clientPort = ports.numbers[0]
        peerPort = ports.numbers[3]
    }

    deinit {
        for id in known where isOurs(id) { kill(pid_t(id), SIGKILL) }
        for id in known { Watchdog.shared.remove(pid_t(id)) }
    }

    /// Whether a process is one of this cluster still: the number may have been given to another since.
    private func isOurs(_ id: Int) -> Bool {
        guard let words = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
        return String(decoding: words, as: UTF8.self).contains(data)
    }

    func run(_ words: String...) throws -> Run { try run(words) }

    func run(_ words: [String]) throws -> Run { try Run([Programs.tool, "--data", data] + words) }

    /// Runs a command that has to succeed; what it printed.
    @discardableResult
    func expect(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let result = try Run([Programs.tool, "--data", data] + words)
        #expect(result.ending == .exited(0), "\(result)", sourceLocation: sourceLocation)
        return result.output
    }

    var upOptions: [String] {
        ["cluster", "up", "--client-port", "\(clientPort)", "--peer-port", "\(peerPort)"]
    }
    let serverOptions = ["--", "--segment-bytes", "1048576"]

    @discardableResult
    func up() throws -> Run {
        let result = try Run([Programs.tool, "--data", data] + upOptions + ["--detach"] + serverOptions)
        _ = try nodes()
        return result
    }

    /// `status --json`, by node.
    func nodes() throws -> [Int: [String: Any]] {
        let output = try Run([Programs.tool, "--data", data, "status", "--json"]).output
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        let list = try #require(object?["nodes"] as? [[String: Any]], "\(output)")
        var nodes: [Int: [String: Any]] = [:]
        for node in list {
            nodes[try #require(node["id"] as? Int)] = node
            if let id = node["pid"] as? Int, id > 1, known.insert(id).inserted { Watchdog.shared.add(pid_t(id)) }
        }
        return nodes
    }

    func state(_ id: Int) throws -> String { try nodes()[id]?["state"] as? String ?? "" }

    /// Waits until all that run name the same leader; its number.
    func leader(besides dead: Int? = nil) throws -> Int {
        var leader = 0
        try eventually("the nodes that run agree on a leader", seen: { (try? run("status").output) ?? "" }) {
            let running = try nodes().values.filter { $0["state"] as? String == "running" }
            let leaders = Set(running.compactMap { $0["leader"] as? Int })
            leader = leaders.first ?? 0
            return leaders.count == 1 && leader != 0 && leader != dead
                && running.contains { $0["id"] as? Int == leader && $0["role"] as? String == "leader" }
        }
        return leader
    }
}
