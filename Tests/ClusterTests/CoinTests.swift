import Base
import Database
import Node
import RESP
import Testing

extension ClusterTests {
    /// Coins move between accounts while leaders are killed and snapshots are taken: no snapshot makes or loses one.
    @Suite struct Coins {
        /// Leaders that are killed, and complete strict snapshots that there must be at least.
        private static let kills = 5
        private static let snapshotsMin = 8

        @Test func everySnapshotHasEveryCoinOnceAtAMomentWhileItWasTaken() throws {
            try TestCluster.run { cluster in
                var taken: [SnapshotTaker.Taken] = []
                let (ledger, violations) = try CoinClients.run(on: cluster) { clients in
                    taken = try SnapshotTaker.run(on: cluster) { taker in
                        for round in 0..<Coins.kills { try Coins.killLeader(round, cluster, clients, taker) }
                        try Coins.waitForSnapshots(taker, Coins.snapshotsMin)
                    }
                }
                #expect(violations.isEmpty, "\(violations)")
                var counts: [String: Int] = [:]
                for (number, one) in taken.enumerated() {
                    counts[one.outcome + (one.isStrict ? " and strict" : ""), default: 0] += 1
                    if one.manifest.isEmpty { continue }
                    let faults = try Coins.faults(of: one, cluster.clusterID, ledger)
                    #expect(faults.isEmpty, "snapshot \(number), \(one.outcome): \(faults.prefix(10))\n\(cluster.lastWords)")
                }
                #expect(taken.count(where: \.isCompleteAndStrict) >= Coins.snapshotsMin)
                // The accounts at the end.
                var accounts: [Int: [String]] = [:]
                let now = ContinuousClock.now
                let client = try cluster.nodes[0].connect()
                for account in 0..<CoinClients.accounts {
                    let coins = try client.call("LRANGE", CoinClients.key(account), "0", "-1")
                    accounts[account] = (coins.elements ?? []).compactMap(\.text)
                }
                #expect(ledger.faults(in: accounts, begin: now, end: now).isEmpty)
                print(
                    "\(ledger.origins.count) coins, \(ledger.moveCount) moves and \(ledger.unknown.count) of unknown outcome, "
                        + "\(Coins.kills) leaders killed, \(taken.count) snapshots: "
                        + counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
            }
        }

        private static func waitForSnapshots(_ taker: SnapshotTaker, _ count: Int) throws {
            try eventually("\(count) snapshots are complete and strict", within: .seconds(60), seen: { "\(taker.summary)" }) {
                taker.completeStrictCount >= count
            }
        }

        /// Kills the leader between two snapshots, or in the middle of one, and starts it again after a snapshot without it.
        private static func killLeader(
            _ round: Int, _ cluster: TestCluster, _ clients: CoinClients, _ taker: SnapshotTaker
        ) throws {
            try waitForSnapshots(taker, taker.completeStrictCount + 1)
            let leader = try cluster.waitUntilReady()
            try clients.waitForProgress()
            if round % 2 == 1 {
                let count = taker.begunCount
                try eventually("a snapshot begins", every: .milliseconds(1)) { taker.begunCount > count }
            }
            leader.kill()
            let killed = ContinuousClock.now
            try clients.waitForProgress()
            try eventually("a snapshot is taken while a node is down", seen: { "\(taker.summary)" }) {
                taker.taken.last.map { $0.begin > killed } ?? false
            }
            try leader.start()
            try cluster.waitUntilReady()
        }

        /// What is wrong with a snapshot.
        private static func faults(of one: SnapshotTaker.Taken, _ clusterID: String, _ ledger: CoinLedger) throws -> [String] {
            let (manifest, parts) = try one.read(clusterID: clusterID)
            let verification = CutVerification(manifest, parts)
            var faults = verification.checks.flatMap(\.problems)
            // A move is one command, so every node's own state has every coin, as of some moment up to the end.
            for part in parts {
                faults += ledger.faults(in: accounts(of: part.machine), begin: nil, end: one.end).map {
                    "node \(part.state.run.node): \($0)"
                }
            }
            // The log's end of a majority may never have been committed: then it is no moment, but no coin is lost in it either.
            let restored = accounts(of: try Restoration(manifest, parts, allowsMissing: !one.isCompleteAndStrict).machine)
            faults +=
                one.isCompleteAndStrict
                ? ledger.faults(in: restored, begin: one.begin, end: one.end) : ledger.countFaults(in: restored)
            return faults
        }

        /// The coins of each account.
        private static func accounts(of machine: StateMachine) -> [Int: [String]] {
            var accounts: [Int: [String]] = [:]
            for account in 0..<CoinClients.accounts {
                let words = ["LRANGE", CoinClients.key(account), "0", "-1"]
                let reply = Coins.read(words, machine)
                accounts[account] = (reply?.elements ?? []).compactMap(\.text)
            }
            return accounts
        }

        private static func read(_ words: [String], _ machine: StateMachine) -> Reply? {
            let output = ByteBuffer()
            let arguments = Arguments()
            arguments.replace(with: words.map { Array($0.utf8) })
            guard case .command(let command) = CommandTable.standard.resolve(arguments) else { return nil }
            machine.read(
                command, arguments: arguments, database: 0, readTime: machine.time, random: 0, reply: ReplyWriter(output))
            var parser = ReplyParser()
            guard case .reply(let reply, _) = parser.next(in: output.view) else { return nil }
            return reply
        }
    }

    /// The ledger sees what it is there for.
    @Suite struct PlantedCoins {
        private let zero = ContinuousClock.now
        private func at(_ seconds: Int) -> ContinuousClock.Instant { zero + .seconds(seconds) }

        /// Coins a, b, c in accounts 1, 2, 3. a moves to 2 (time 1 to 2) and to 3 (5 to 6); b to 1 (3 to 4).
        private func ledger() -> CoinLedger {
            var ledger = CoinLedger()
            ledger.origins = ["a": 1, "b": 2, "c": 3]
            ledger.add(CoinLedger.Move(coin: "a", to: 2, issued: at(1), ended: at(2)))
            ledger.add(CoinLedger.Move(coin: "b", to: 1, issued: at(3), ended: at(4)))
            ledger.add(CoinLedger.Move(coin: "a", to: 3, issued: at(5), ended: at(6)))
            return ledger
        }

        private func holds(_ accounts: [Int: [String]], _ begin: Int?, _ end: Int, _ ledger: CoinLedger? = nil) -> Bool {
            (ledger ?? self.ledger()).faults(in: accounts, begin: begin.map { at($0) }, end: at(end)).isEmpty
        }

        @Test func picturesOfAMomentHold() {
            #expect(holds([1: ["a"], 2: ["b"], 3: ["c"]], 0, 0))
            #expect(holds([1: [], 2: ["a", "b"], 3: ["c"]], 2, 2))
            #expect(holds([1: ["b"], 2: ["a"], 3: ["c"]], 4, 4))
            #expect(holds([1: ["b"], 2: [], 3: ["c", "a"]], 7, 7))
            // What was under way may be in it or not.
            for begin in 0...3 { #expect(holds([1: [], 2: ["a", "b"], 3: ["c"]], begin, 3)) }
            // Of a node that is behind.
            #expect(holds([1: ["a"], 2: ["b"], 3: ["c"]], nil, 9))
        }

        @Test func missingDoubledAndForeignCoinsAreFound() {
            #expect(!holds([1: [], 2: ["b"], 3: ["c"]], 0, 9))
            #expect(!holds([1: ["a"], 2: ["a", "b"], 3: ["c"]], 0, 9))
            #expect(!holds([1: ["a", "a"], 2: ["b"], 3: ["c"]], 0, 9))
            #expect(!holds([1: ["a"], 2: ["b"], 3: ["c", "d"]], 0, 9))
        }

        @Test func picturesThatAreTooOldOrTooNewAreFound() {
            // a had left account 1 before the begin.
            #expect(!holds([1: ["a"], 2: ["b"], 3: ["c"]], 3, 4))
            // b's move began after the end.
            #expect(!holds([1: ["b"], 2: ["a"], 3: ["c"]], 0, 2))
            #expect(!holds([1: ["b"], 2: ["a"], 3: ["c"]], nil, 2))
            // c never was elsewhere.
            #expect(!holds([1: ["a"], 2: ["b", "c"], 3: []], 0, 9))
        }

        @Test func picturesOfSeveralMomentsAreFound() {
            // a as before its first move, b as after its own, which began when a's had ended.
            #expect(!holds([1: ["a", "b"], 2: [], 3: ["c"]], 0, 9))
            #expect(!holds([1: ["a", "b"], 2: [], 3: ["c"]], nil, 9))
            // a as after its second move, b as before its only one.
            #expect(!holds([1: [], 2: ["b"], 3: ["a", "c"]], 0, 9))
        }

        @Test func aMoveOfUnknownOutcomeExplainsOneCoin() {
            var ledger = ledger()
            ledger.unknown = [CoinLedger.UnknownMove(to: 4, issued: at(3))]
            #expect(holds([1: ["b"], 2: [], 3: ["c"], 4: ["a"]], 5, 6, ledger))
            #expect(holds([1: ["b"], 2: ["a"], 3: ["c"], 4: []], 4, 4, ledger))
            #expect(!holds([1: [], 2: [], 3: ["c"], 4: ["a", "b"]], 5, 6, ledger))
            #expect(!holds([1: ["a"], 2: [], 3: ["c"], 4: ["b"]], 0, 2, ledger))
            #expect(!holds([1: ["b"], 2: [], 3: ["c"], 5: ["a"]], 5, 6, ledger))
        }
    }
}
