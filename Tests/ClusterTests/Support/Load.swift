import Foundation
import Glibc
import RESP
import Synchronization

/// Clients that write as fast as they are answered, and remember what was acknowledged.
///
/// Each runs on a thread and stays with one node. When the test ends that node, the one command that was under way has an unknown
/// outcome: it may have happened or not. On a node that lives there is no excuse: a broken connection, an error reply or a reply
/// that contradicts what was acknowledged before is a violation, and so is a reply that never comes.
final class Load: Sendable {
    let cluster: TestCluster
    private let stopping = Flag()
    private let journals = Mutex<[Journal]>([])
    private let acknowledged = Atomic<Int>(0)

    /// Writes acknowledged so far, of all clients.
    var acknowledgedCount: Int { acknowledged.load(ordering: .relaxed) }

    private init(_ cluster: TestCluster) { self.cluster = cluster }

    /// Runs `body` while clients write, `clients` on each node, and waits until each of them has begun; their journals.
    static func run(
        on cluster: TestCluster, clients: Int = 2, nodes: [TestNode]? = nil, _ body: (Load) throws -> Void
    ) throws -> [Journal] {
        let load = Load(cluster)
        let workers = Workers()
        for node in nodes ?? cluster.nodes {
            for number in 0..<clients {
                workers.start { load.write(to: node, number: number) }
            }
        }
        let outcome = Result {
            try load.waitForProgress()
            try body(load)
        }
        load.stopping.raise()
        try workers.join()
        try outcome.get()
        return load.journals.withLock { $0 }.sorted { $0.name < $1.name }
    }

    /// Waits until more writes are acknowledged.
    func waitForProgress(_ count: Int = 100) throws {
        let goal = acknowledgedCount + count
        try eventually("\(count) more writes are acknowledged", seen: { "\(self.acknowledgedCount) of \(goal)" }) {
            acknowledgedCount >= goal
        }
    }

    private func write(to node: TestNode, number: Int) {
        var journal = Journal(node: node.id, number: number)
        while !stopping.isRaised {
            var phase = node.phase
            do throws(ClientError) {
                let client = try node.connect()
                // While a killed process is taken apart its port still accepts connections, which then break. A client that knew
                // its node to be alive loses one command to a kill, and no more.
                _ = try client.call("PING")
                while !stopping.isRaised {
                    phase = node.phase
                    let begin = ContinuousClock.now
                    try journal.step(client)
                    journal.longestStall = max(journal.longestStall, ContinuousClock.now - begin)
                    acknowledged.add(1, ordering: .relaxed)
                }
            } catch {
                // A node that dies ends its connections, and one that comes up answers: silence has no excuse.
                journal.failed(error, isExcused: error != .timedOut && (phase % 2 == 0 || node.phase != phase))
                // A node that is down refuses at once.
                _ = poll(nil, 0, 2)
            }
        }
        journals.withLock { $0.append(journal) }
    }
}

/// What one client knows: what was acknowledged to it, and what has an unknown outcome.
struct Journal: Sendable {
    /// The keys of this client start with it.
    let name: String
    let node: Int
    var violations: [String] = []
    /// The longest time that a command took.
    var longestStall = Duration.zero
    var counter = Count()
    var shared = Count()
    var list = Sequence()
    var text = Sequence()
    var unique = Sequence()
    private(set) var commandName = ""
    private var turn = 0
    private var pending: Command?

    /// The counter that all clients increment.
    static let sharedCounter = "counter:shared"
    /// Value of the unique key `number`.
    func value(_ number: Int) -> String { "\(name)-\(number)-" + String(repeating: "x", count: 40) }

    /// Increments.
    struct Count: Sendable {
        var acknowledged = 0
        var unknown = 0
        /// The highest value seen.
        var seen = 0
        var range: ClosedRange<Int> { acknowledged...(acknowledged + unknown) }
    }

    /// Numbers written once each, in order.
    struct Sequence: Sendable {
        /// The next number.
        var next = 0
        var unknown: Set<Int> = []
        var range: ClosedRange<Int> { (next - unknown.count)...next }
    }

    private enum Command: Int, CaseIterable { case count, set, push, countShared, append, read }

    init(node: Int, number: Int) {
        name = "client-\(node)-\(number)"
        self.node = node
    }

    /// Sends the next command, takes its reply and notes what it means.
    mutating func step(_ client: Client) throws(ClientError) {
        guard let command = Command(rawValue: turn % Command.allCases.count) else { return }
        turn += 1
        let words: [String] =
            switch command {
            case .count: ["INCR", "counter:\(name)"]
            case .countShared: ["INCR", Journal.sharedCounter]
            case .set: ["SET", "unique:\(name):\(unique.next)", value(unique.next)]
            case .push: ["RPUSH", "list:\(name)", "\(list.next)"]
            case .append: ["APPEND", "text:\(name)", "\(text.next),"]
            case .read: ["GET", "counter:\(name)"]
            }
        commandName = words[0]
        pending = command
        let reply = try client.call(words)
        pending = nil
        take(reply, of: command)
    }

    private mutating func take(_ reply: Reply, of command: Command) {
        switch command {
        case .count:
            counter.acknowledged += 1
            let value = reply.integer ?? -1
            if !counter.range.contains(value) || value <= counter.seen {
                violate(reply, "\(counter.range), above \(counter.seen)")
            }
            counter.seen = value
        case .countShared:
            shared.acknowledged += 1
            let value = reply.integer ?? -1
            if value < shared.acknowledged || value <= shared.seen { violate(reply, "above \(shared.seen)") }
            shared.seen = value
        case .set:
            unique.next += 1
            if reply != .ok { violate(reply, "OK") }
        case .push:
            list.next += 1
            if !list.range.contains(reply.integer ?? -1) { violate(reply, "\(list.range)") }
        case .append:
            text.next += 1
            if reply.integer == nil { violate(reply, "a length") }
        case .read:
            let value = reply.text.flatMap { Int($0) } ?? (reply == .null ? 0 : -1)
            if !counter.range.contains(value) || value < counter.seen {
                violate(reply, "\(counter.range), at least \(counter.seen)")
            }
        }
    }

    private mutating func violate(_ reply: Reply, _ expected: String) {
        violations.append("\(name): \(commandName) answered \(reply.text ?? "\(reply)"), expected \(expected)")
    }

    /// The connection ended before the reply.
    mutating func failed(_ error: ClientError, isExcused: Bool) {
        if !isExcused { violations.append("\(name): \(commandName) on a node that lives: \(error)") }
        switch pending {
        case .count: counter.unknown += 1
        case .countShared: shared.unknown += 1
        case .set:
            unique.unknown.insert(unique.next)
            unique.next += 1
        case .push:
            list.unknown.insert(list.next)
            list.next += 1
        case .append:
            text.unknown.insert(text.next)
            text.next += 1
        case .read, nil: break
        }
        pending = nil
    }

    /// Commands whose outcome is not known.
    var unknownCount: Int {
        counter.unknown + shared.unknown + list.unknown.count + text.unknown.count + unique.unknown.count
    }

    /// Writes that were acknowledged.
    var acknowledgedCount: Int {
        counter.acknowledged + shared.acknowledged + list.range.lowerBound + text.range.lowerBound + unique.range.lowerBound
    }
}
