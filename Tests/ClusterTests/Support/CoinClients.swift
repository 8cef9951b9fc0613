import Base
import Glibc
import RESP
import Synchronization

/// Clients that move coins between random accounts, as fast as they are answered, and remember what they were told.
final class CoinClients: Sendable {
    static let accounts = 100
    static let coinsPerAccount = 3

    let cluster: TestCluster
    private let stopping = Flag()
    private let acknowledged = Atomic<Int>(0)
    private let notes = Mutex(Notes())

    /// What all clients know.
    private struct Notes {
        var ledger = CoinLedger()
        var violations: [String] = []
    }

    /// Moves acknowledged so far, of all clients.
    var acknowledgedCount: Int { acknowledged.load(ordering: .relaxed) }

    static func key(_ account: Int) -> String { "acct:\(account)" }

    private init(_ cluster: TestCluster) { self.cluster = cluster }

    /// Hands out the coins, runs `body` while `clients` clients on each node move them, and waits for the clients' end.
    ///
    /// - Returns: what the clients know, and what was done to them that no node may do.
    static func run(
        on cluster: TestCluster, clients: Int = 2, _ body: (CoinClients) throws -> Void
    ) throws -> (ledger: CoinLedger, violations: [String]) {
        let all = CoinClients(cluster)
        try all.handOutCoins()
        let workers = Workers()
        for node in cluster.nodes {
            for number in 0..<clients {
                workers.start { all.move(on: node, number: number) }
            }
        }
        let outcome = Result {
            try all.waitForProgress()
            try body(all)
        }
        all.stopping.raise()
        try workers.join()
        try outcome.get()
        return all.notes.withLock { ($0.ledger, $0.violations) }
    }

    private func handOutCoins() throws {
        let client = try cluster.nodes[0].connect()
        for account in 0..<CoinClients.accounts {
            for number in 0..<CoinClients.coinsPerAccount {
                let coin = "coin-\(account)-\(number)"
                notes.withLock { $0.ledger.origins[coin] = account }
                guard try client.call("RPUSH", CoinClients.key(account), coin).integer == number + 1 else {
                    throw TestFailure("the accounts were not empty")
                }
            }
        }
    }

    /// Waits until more moves are acknowledged.
    func waitForProgress(_ count: Int = 100) throws {
        let goal = acknowledgedCount + count
        try eventually("\(count) more moves are acknowledged", seen: { "\(self.acknowledgedCount) of \(goal)" }) {
            acknowledgedCount >= goal
        }
    }

    private func move(on node: TestNode, number: Int) {
        var random = RandomGenerator(seed: UInt64(node.id) << 32 | UInt64(number))
        var ledger = CoinLedger()
        var violations: [String] = []
        while !stopping.isRaised {
            var phase = node.phase
            var pending: CoinLedger.UnknownMove?
            do throws(ClientError) {
                let client = try node.connect()
                _ = try client.call("PING")
                while !stopping.isRaised {
                    phase = node.phase
                    let from = random.index(below: CoinClients.accounts)
                    let to = (from + 1 + random.index(below: CoinClients.accounts - 1)) % CoinClients.accounts
                    let issued = ContinuousClock.now
                    pending = CoinLedger.UnknownMove(to: to, issued: issued)
                    let reply = try client.call([
                        "LMOVE", CoinClients.key(from), CoinClients.key(to), random.chance(1, in: 2) ? "LEFT" : "RIGHT",
                        random.chance(1, in: 2) ? "LEFT" : "RIGHT",
                    ])
                    pending = nil
                    if case .bulk(let coin) = reply {
                        let coin = String(decoding: coin, as: UTF8.self)
                        ledger.add(CoinLedger.Move(coin: coin, to: to, issued: issued, ended: ContinuousClock.now))
                        acknowledged.add(1, ordering: .relaxed)
                    } else if reply != .null {
                        violations.append("node \(node.id): LMOVE answered \(reply)")
                    }
                }
            } catch {
                if let pending { ledger.unknown.append(pending) }
                // As in `Load`: only a node that the test ends may break a connection, and none may be silent.
                if error == .timedOut || (phase % 2 == 1 && node.phase == phase) {
                    violations.append("LMOVE on node \(node.id), which lives: \(error)")
                }
                _ = poll(nil, 0, 2)
            }
        }
        notes.withLock {
            $0.ledger.add(ledger)
            $0.violations += violations
        }
    }
}
