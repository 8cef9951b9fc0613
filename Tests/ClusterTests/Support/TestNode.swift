import Foundation
import Glibc
import RESP
import Synchronization

/// One `kvd`, which comes and goes.
final class TestNode: Sendable {
    let id: Int
    let clientPort: UInt16
    let peerPort: UInt16
    let dataPath: String
    let logPath: String
    private let words: [String]
    private let current = Mutex<ChildProcess?>(nil)
    private let phases = Atomic<Int>(0)
    private let isToEnd = Atomic<Bool>(false)

    /// - Parameter words: the command line, `kvd` and what may stand before it.
    init(id: Int, clientPort: UInt16, peerPort: UInt16, dataPath: String, logPath: String, words: [String]) {
        self.id = id
        self.clientPort = clientPort
        self.peerPort = peerPort
        self.dataPath = dataPath
        self.logPath = logPath
        self.words = words
    }

    /// The process that runs or ran last.
    var process: ChildProcess? { current.withLock { $0 } }
    /// Whether the process runs.
    var isRunning: Bool { process.map { $0.ending == nil } ?? false }
    /// Odd while the test promises that this node serves: it was seen to work and nobody has ended it since. What breaks within
    /// one odd phase was broken by the node.
    var phase: Int { phases.load(ordering: .acquiring) }

    /// From now on this node has to serve.
    func promise() {
        if phase % 2 == 0 { phases.add(1, ordering: .acquiringAndReleasing) }
    }

    /// From now on connections to this node may break.
    func withdrawPromise() {
        if phase % 2 == 1 { phases.add(1, ordering: .acquiringAndReleasing) }
    }

    /// Starts the process; does not wait for anything.
    func start(_ more: [String] = []) throws {
        try current.withLock { current in
            if let current, current.ending == nil { throw TestFailure("node \(id) runs already") }
            isToEnd.store(false, ordering: .releasing)
            current = try ChildProcess(words + more, errors: logPath)
        }
    }

    /// SIGKILL.
    func kill() {
        expectEnd()
        process?.kill()
    }

    /// SIGTERM, and waits for the end.
    func terminate(within limit: Duration = .seconds(20)) throws -> ChildProcess.Ending {
        expectEnd()
        process?.signal(SIGTERM)
        guard let process else { throw TestFailure("node \(id) was never started") }
        return try process.wait(within: limit)
    }

    /// Stops the process in the middle of what it does, and waits until the kernel has done so.
    func pause() throws {
        process?.signal(SIGSTOP)
        try eventually("node \(id) is stopped") { state == "T" }
    }

    /// Lets it go on.
    func resume() { process?.signal(SIGCONT) }

    /// The state letter of the process in /proc: R, S, D, T, Z; nil when it is gone.
    private var state: Character? {
        guard let process, let text = try? String(contentsOfFile: "/proc/\(process.id)/stat", encoding: .utf8),
            let close = text.lastIndex(of: ")")
        else { return nil }
        return text[close...].dropFirst(2).first
    }

    /// Whether the process ended although the test did not end it and did not expect it.
    var endedByItself: Bool { process?.ending != nil && !isToEnd.load(ordering: .acquiring) }

    /// Says that this run is going to end: the test ends it, or makes it end.
    func expectEnd() {
        isToEnd.store(true, ordering: .releasing)
        withdrawPromise()
    }

    /// A connection to its client port.
    func connect(timeout: Duration = .seconds(20), receiveBufferBytes: Int32? = nil) throws(ClientError) -> Client {
        try Client(port: clientPort, timeout: timeout, receiveBufferBytes: receiveBufferBytes)
    }

    /// What KV.STATUS says; nil when the node does not answer at once.
    func status(timeout: Duration = .milliseconds(500)) -> NodeStatus? {
        guard let client = try? connect(timeout: timeout), let reply = try? client.call("KV.STATUS") else { return nil }
        return NodeStatus(reply)
    }

    /// Its own figures, in one line, if it answers: how long turns and disk writes took, and what it waits for.
    var figures: String {
        guard let client = try? connect(timeout: .milliseconds(500)), let reply = try? client.call("INFO", "coracle") else {
            return "(no answer)"
        }
        return (reply.text ?? "").split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
    }

    /// The end of what it wrote to standard error, in all its runs.
    var lastWords: String { TemporaryDirectory.tail(logPath) }
}

/// The part of KV.STATUS that tests look at.
struct NodeStatus: Equatable {
    var role: String
    var term: Int
    /// 0 when it knows none.
    var leader: Int
    var commitIndex: Int
    var appliedIndex: Int

    init?(_ reply: Reply) {
        guard let elements = reply.elements, elements.count % 2 == 0 else { return nil }
        var values: [String: Reply] = [:]
        for index in stride(from: 0, to: elements.count, by: 2) { values[elements[index].text ?? ""] = elements[index + 1] }
        guard let role = values["role"]?.text, let term = values["term"]?.integer, let leader = values["leader"]?.integer,
            let commit = values["commit-index"]?.integer, let applied = values["applied-index"]?.integer
        else { return nil }
        self.role = role
        self.term = term
        self.leader = leader
        commitIndex = commit
        appliedIndex = applied
    }
}
