import Base
import Consensus
import Database
import DistributedSnapshot
import Storage
import Testing

@testable import Node

/// Cuts made into new clusters.
@Suite struct RestorationTests {
    typealias Cut = (manifest: SnapshotManifest, parts: [SnapshotPartFile])

    // MARK: the old cluster

    private func call(_ text: String, _ cluster: MiniCluster, _ index: Int, _ client: ConnectionID) -> String {
        cluster.send(text + "\r\n", client, cluster.machines[index])
        cluster.settle()
        return cluster.take(client, cluster.machines[index])
    }

    private func oldCluster(_ nodes: UInt32 = 3) throws -> (MiniCluster, leader: Int, client: ConnectionID) {
        let cluster = try MiniCluster(nodes)
        let leader = cluster.elect()
        try #require(leader >= 0)
        let client = cluster.connect(cluster.machines[leader])
        for number in 0..<30 { _ = call("SET key\(number) \(number)", cluster, leader, client) }
        _ = call("RPUSH list a b c", cluster, leader, client)
        _ = call("SET gone soon PX 100000", cluster, leader, client)
        return (cluster, leader, client)
    }

    /// The parts of a snapshot, from the disks of the machines that have one.
    private func parts(_ id: SnapshotID, _ cluster: MiniCluster) throws -> [SnapshotPartFile] {
        try cluster.machines.compactMap { machine in
            guard let bytes = machine.disk.files[SnapshotFile.part(id).name] else { return nil }
            var loader = SnapshotPartFile.Loader(
                file: "node-\(machine.id).part", clusterID: cluster.clusterID, nodeID: machine.id)
            var problem: StorageError?
            bytes.withView { view in
                do throws(StorageError) { try loader.append(view) } catch { problem = error }
            }
            if let problem { throw problem }
            return try loader.finish()
        }
    }

    private func cut(_ cluster: MiniCluster, from index: Int, _ options: String = "TIMEOUT 100") throws -> Cut {
        let machine = cluster.machines[index]
        let client = cluster.connect(machine)
        cluster.send("KV.SNAPSHOT TAKE \(options)\r\n", client, machine)
        cluster.run(milliseconds: 120)
        let item = try #require(machine.node?.archive.items.last)
        return (try #require(item.manifest), try parts(item.id, cluster))
    }

    // MARK: the new one

    private let newID = ClusterID(high: 77, low: 78)

    /// The files of one node, as a driver writes them.
    private func files(_ restoration: Restoration, node: UInt32, of count: Int, budget: Int = 1 << 20) -> [FileName: [UInt8]] {
        let identity = NodeIdentity(clusterID: newID, nodeID: NodeID(node), salt: 7)
        var directory = RestoredDirectory(restoration, identity: identity, nodeCount: count, fileID: UInt64(node) * 31)
        var files: [FileName: [UInt8]] = [NodeIdentity.fileName: identity.encode()]
        while true {
            let actions = directory.next(budgetBytes: budget)
            if actions.isEmpty { break }
            for action in actions {
                switch action {
                case .extend(let name, let offset, let block):
                    let before = offset == 0 ? [] : files[name.temporary] ?? []
                    #expect(before.count == offset)
                    files[name.temporary] = before + block.buffer.view.array
                case .publish(let name): files[name] = files.removeValue(forKey: name.temporary)
                default: Issue.record("a directory is written by extend and publish")
                }
            }
        }
        #expect(directory.stateFile.map { files[$0]?.count == directory.byteCount } ?? true)
        return files
    }

    private func start(_ restoration: Restoration, nodes: UInt32) throws -> (MiniCluster, leader: Int) {
        let files = (1...nodes).map { self.files(restoration, node: $0, of: Int(nodes)) }
        let cluster = try MiniCluster(nodes, clusterID: newID, files: files)
        for machine in cluster.machines {
            let raft = try #require(machine.node?.raft)
            #expect(raft.appliedIndex == restoration.index && raft.lastIndex == restoration.index)
            #expect(raft.term >= restoration.term && machine.node?.incarnation == Incarnation(1))
            #expect(machine.node?.machine.digest() == restoration.machine.digest())
        }
        let leader = cluster.elect()
        try #require(leader >= 0)
        cluster.run(milliseconds: 20)
        return (cluster, leader)
    }

    // MARK: what holds

    @Test(arguments: [1, 2, 3, 5] as [UInt32]) func aNewClusterHasTheDataAndGoesOn(nodes: UInt32) throws {
        let (old, leader, _) = try oldCluster()
        let (manifest, parts) = try cut(old, from: (leader + 1) % 3)
        let restoration = try Restoration(manifest, parts)
        #expect(restoration.reach == .everything && restoration.missing == [])
        let expected = try #require(old.machines[leader].node?.machine.contentDigest())
        #expect(restoration.machine.contentDigest() == expected)
        let (cluster, _) = try start(restoration, nodes: nodes)
        for (index, machine) in cluster.machines.enumerated() {
            let client = cluster.connect(machine)
            #expect(call("GET key7", cluster, index, client) == "$1\r\n7\r\n")
            #expect(call("LLEN list", cluster, index, client) == ":3\r\n")
            #expect(call("INCR n", cluster, index, client) == ":\(index + 1)\r\n")
            #expect(call("DEBUG RELOAD", cluster, index, client) == "+OK\r\n")
        }
        cluster.run(milliseconds: 50)
        let digests = cluster.machines.map { $0.node?.machine.digest() }
        #expect(digests.allSatisfy { $0 == digests[0] })
        // It survives a second start, which finds the state file and a log behind it.
        for index in cluster.machines.indices { cluster.crash(index) }
        for machine in cluster.machines { try cluster.start(machine) }
        let again = cluster.elect()
        try #require(again >= 0)
        #expect(call("GET n", cluster, again, cluster.connect(cluster.machines[again])) == "$1\r\n\(nodes)\r\n")
    }

    @Test func aNodeWithoutFilesCatchesUp() throws {
        let (old, leader, _) = try oldCluster()
        let (manifest, parts) = try cut(old, from: leader)
        let restoration = try Restoration(manifest, parts)
        let files = (1...2).map { self.files(restoration, node: $0, of: 3) }
        let cluster = try MiniCluster(3, clusterID: newID, files: files)
        try #require(cluster.elect() >= 0)
        cluster.run(milliseconds: 2_000)
        #expect(cluster.machines[2].node?.stateFilesInstalled == 1)
        let digests = cluster.machines.map { $0.node?.machine.digest() }
        #expect(digests[0] != nil && digests.allSatisfy { $0 == digests[0] })
    }

    @Test func whatIsCommittedAndNotAppliedIsInIt() throws {
        let (old, leader, client) = try oldCluster()
        let manifest: SnapshotManifest
        var parts: [SnapshotPartFile]
        (manifest, parts) = try cut(old, from: leader)
        // As if all had recorded when their logs held three more entries: the databases are older, the entries are there.
        for number in 0..<3 { _ = call("SET late\(number) x", old, leader, client) }
        let node = try #require(old.machines[leader].node)
        let last = node.raft.lastIndex
        for index in parts.indices {
            let applied = parts[index].state.appliedIndex
            parts[index].state.tail = try #require(node.raft.entries(from: applied.next, through: last))
            parts[index].state.lastIndex = last
        }
        // Two of them are committed, and one node knows it. But the third may have been acknowledged by a run that is over.
        let other = (leader + 1) % 3
        parts[other].state.commitIndex = last.previous
        let applied = parts.map(\.state.appliedIndex).max() ?? .zero
        let restoration = try Restoration(manifest, parts)
        #expect(restoration.index == last && restoration.entriesApplied == Int(last.rawValue - applied.rawValue))
        let (cluster, newLeader) = try start(restoration, nodes: 3)
        let reader = cluster.connect(cluster.machines[newLeader])
        #expect(call("MGET late0 late1 late2", cluster, newLeader, reader) == "*3\r\n$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n")
    }

    @Test func whatNobodyKnowsToBeCommittedAnyMoreIsInIt() throws {
        let (old, leader, client) = try oldCluster(1)
        for number in 0..<5 { #expect(call("SET last\(number) x", old, leader, client) == "+OK\r\n") }
        old.crash(0)
        try old.start(old.machines[0])
        old.settle()
        // Before the election: the new run has not heard from anybody what is committed.
        let (manifest, parts) = try cut(old, from: 0, "TIMEOUT 20")
        try #require(parts[0].state.commitIndex < parts[0].state.lastIndex)
        let restoration = try Restoration(manifest, parts)
        #expect(restoration.index == parts[0].state.lastIndex)
        let (cluster, _) = try start(restoration, nodes: 1)
        #expect(call("GET last4", cluster, 0, cluster.connect(cluster.machines[0])) == "$1\r\nx\r\n")
    }

    @Test func newRunsAreNotTakenForOldOnes() throws {
        let (old, _, _) = try oldCluster()
        for index in old.machines.indices { old.crash(index) }
        for machine in old.machines { try old.start(machine) }
        let again = old.elect()
        try #require(again >= 0)
        for index in old.machines.indices {
            #expect(call("INCR n", old, index, old.connect(old.machines[index])) == ":\(index + 1)\r\n")
        }
        let (manifest, parts) = try cut(old, from: again)
        #expect(parts.contains { $0.state.sessions.contains { $0.run.incarnation >= Incarnation(2) } })
        let restoration = try Restoration(manifest, parts)
        for node in old.machines.map(\.id) { #expect(restoration.machine.lastApplied(of: node) == nil) }
        let (cluster, _) = try start(restoration, nodes: 3)
        for (index, machine) in cluster.machines.enumerated() {
            #expect(call("INCR fresh", cluster, index, cluster.connect(machine)) == ":\(index + 1)\r\n")
        }
    }

    @Test func aCommandInPiecesThatNeverEndedIsGone() throws {
        let machine = StateMachine(seed: 3)
        func apply(_ index: UInt64, _ words: [[UInt8]], kind: UInt8, first: UInt64) {
            let payload = ByteBuffer()
            CommandBatch.beginPayload(time: WallTime(microseconds: 5), seed: 1, to: payload)
            let item = ByteBuffer()
            item.append(byte: kind << 4)
            item.append(variable: 1)
            item.append(variable: UInt64(words.count))
            for word in words { item.append(variable: UInt64(word.count)) }
            for word in words { item.append(word) }
            CommandBatch.appendSegmentHeader(
                owner: NodeID(1), incarnation: Incarnation(1), first: first, count: 1, byteCount: item.count, to: payload)
            payload.append(item.view)
            #expect(CommandBatch.validatePayload(payload.view))
            #expect(!CommandBatch.validatePayload(payload.view.slice(0, payload.count - 1)))
            machine.apply(
                LogEntry(term: Term(1), index: LogIndex(index), kind: .command, payload: payload.view.array),
                replies: .init(ByteBuffer(), version: .two, discards: true))
        }
        let size = ByteBuffer()
        size.append(integer: UInt64(100))
        apply(1, [size.view.array, Array("front".utf8)], kind: 1, first: 1)
        let withPiece = machine.digest()
        #expect(machine.lastApplied(of: NodeID(1))?.number == 1)
        machine.forgetRuns()
        #expect(machine.lastApplied(of: NodeID(1)) == nil && machine.digest() != withPiece)
        // The rest of it, from the new run of the same number, is no command.
        apply(2, [Array("back".utf8)], kind: 3, first: 1)
        #expect(machine.keyCount(0) == 0 && machine.lastApplied(of: NodeID(1))?.number == 1)
    }

    @Test func aClusterThatNeverCommittedGivesAnEmptyOne() throws {
        let old = try MiniCluster(3)
        old.settle()
        let (manifest, parts) = try cut(old, from: 0, "TIMEOUT 20")
        try #require(parts.allSatisfy { $0.state.commitIndex == .zero })
        let restoration = try Restoration(manifest, parts)
        #expect(restoration.index == .zero && files(restoration, node: 1, of: 3).count == 1)
        _ = try start(restoration, nodes: 3)
    }

    @Test func slicesAreBounded() throws {
        let (old, leader, client) = try oldCluster()
        for number in 0..<200 { _ = call("SET big\(number) \(String(repeating: "v", count: 2000))", old, leader, client) }
        let (manifest, parts) = try cut(old, from: leader)
        let restoration = try Restoration(manifest, parts)
        let files = files(restoration, node: 1, of: 1, budget: 1000)
        #expect(files.values.contains { $0.count > 400_000 })
        let cluster = try MiniCluster(1, clusterID: newID, files: [files])
        #expect(cluster.machines[0].node?.machine.digest() == restoration.machine.digest())
    }

    // MARK: partial cuts

    /// A cut of a cluster whose leader acknowledged `SET last x` and is gone before the other nodes know that it is committed.
    private func cutWithoutTheLeader() throws -> (cut: Cut, leader: NodeID) {
        let (old, leader, client) = try oldCluster()
        old.send("SET last x\r\n", client, old.machines[leader])
        // Step by step, until the client has its answer.
        var answered = false
        for _ in 0..<50 where !answered {
            old.settle(rounds: 1)
            answered = old.take(client, old.machines[leader]).contains("+OK")
        }
        try #require(answered)
        old.crash(leader)
        return (try cut(old, from: (leader + 1) % 3), old.machines[leader].id)
    }

    @Test func aMajorityHoldsWhatTheMissingNodeAcknowledged() throws {
        let (cut, leader) = try cutWithoutTheLeader()
        let committed = cut.parts.map(\.state.commitIndex).max() ?? .zero
        let last = cut.parts.map(\.state.lastIndex).max() ?? .zero
        try #require(committed < last, "nobody who is left knows that the last command is committed")
        #expect(throws: RestorationError.partsMissing([leader])) { try Restoration(cut.manifest, cut.parts) }
        let restoration = try Restoration(cut.manifest, cut.parts, allowsMissing: true)
        #expect(restoration.reach == .majority && restoration.missing == [leader] && restoration.index == last)
        let (cluster, newLeader) = try start(restoration, nodes: 3)
        #expect(call("GET last", cluster, newLeader, cluster.connect(cluster.machines[newLeader])) == "$1\r\nx\r\n")
    }

    @Test func fewerThanAMajorityGiveWhatTheyKnowToBeCommitted() throws {
        let (cut, _) = try cutWithoutTheLeader()
        let one = [cut.parts[0]]
        let restoration = try Restoration(cut.manifest, one, allowsMissing: true)
        #expect(restoration.reach == .minority && restoration.missing.count == 2)
        #expect(restoration.index == one[0].state.commitIndex)
    }

    @Test func theBestLogIsTheOneOfTheLaterTerm() throws {
        var (cut, _) = try cutWithoutTheLeader()
        // A longer log of an earlier term, which nobody committed, against a shorter one of a later term.
        let last = cut.parts[1].state.lastIndex
        let term = try #require(cut.parts[1].state.logTerm(at: last))
        func extend(_ part: Int, by count: Int, term: Term) {
            var state = cut.parts[part].state
            for _ in 0..<count {
                let index = state.lastIndex.next
                if state.logTerm(at: state.lastIndex) != term { state.termRuns.append(TermRun(first: index, term: term)) }
                state.tail.append(LogEntry(term: term, index: index, kind: .empty, payload: []))
                state.lastIndex = index
            }
            cut.parts[part].state = state
        }
        extend(0, by: 3, term: Term(term.rawValue + 1))
        extend(1, by: 1, term: Term(term.rawValue + 2))
        let restoration = try Restoration(cut.manifest, cut.parts, allowsMissing: true)
        #expect(restoration.source == cut.parts[1].state.run.node && restoration.index == last.next)
        #expect(restoration.term == Term(term.rawValue + 2))
    }

    // MARK: refusals

    private func refusal(_ cut: Cut, allowsMissing: Bool = false, _ edit: (inout Cut) -> Void) -> RestorationError? {
        var cut = cut
        edit(&cut)
        do throws(RestorationError) {
            _ = try Restoration(cut.manifest, cut.parts, allowsMissing: allowsMissing)
            return nil
        } catch { return error }
    }

    @Test func whatIsNoCutIsRefusedByTheNameOfThePart() throws {
        let (old, leader, client) = try oldCluster()
        let first = try cut(old, from: leader)
        _ = call("SET more x", old, leader, client)
        let second = try cut(old, from: leader)
        #expect(refusal(first) { $0.parts = [] } == .noParts)
        #expect(refusal(first) { $0.manifest.outcome = .aborted } == .worthless(first.manifest.id, .aborted))
        let node = first.parts[1].state.run.node
        #expect(refusal(first) { $0.parts.remove(at: 1) } == .partsMissing([node]))
        let foreign = refusal(first) { $0.parts[1] = second.parts[1] }
        #expect(foreign.map { "\($0)" }?.contains("node \(node): its part is of snapshot \(second.manifest.id)") == true)
        #expect(refusal(first) { $0.parts.append($0.parts[1]) } == .notOneCut("node \(node) has two parts"))
        // Missing parts excuse nothing about those that are there.
        let other = refusal(first, allowsMissing: true) {
            $0.parts[1] = second.parts[1]
            $0.parts.remove(at: 0)
        }
        #expect(other.map { "\($0)" }?.contains("node \(node)") == true)
        let leaders = refusal(first) { cut in
            for index in cut.parts.indices { cut.parts[index].state.role = .leader }
        }
        #expect(leaders.map { "\($0)" }?.contains("a term has one leader") == true)
    }

    @Test func entriesThatCanNotBeAppliedAreRefused() throws {
        let (cut, _) = try cutWithoutTheLeader()
        let best = try #require(cut.parts.max { $0.state.lastIndex < $1.state.lastIndex })
        let node = best.state.run.node
        func broken(_ edit: (inout LocalState) -> Void) -> RestorationError? {
            refusal(cut, allowsMissing: true) { cut in
                for index in cut.parts.indices where cut.parts[index].state.run.node == node { edit(&cut.parts[index].state) }
            }
        }
        try #require(best.state.tail.count == 1)
        let index = best.state.lastIndex
        #expect(
            broken { $0.tail[0].payload.removeLast() } == .notApplicable(node, "entry \(index) can't be read"))
        #expect(
            broken { $0.tail[0].payload[0] = 99 } == .notApplicable(node, "entry \(index) can't be read"))
        #expect(
            broken { $0.tail = [] } == .notApplicable(node, "its entries do not reach from its database to entry \(index)"))
        #expect(
            broken { $0.tail[0].term = Term(900) }
                == .notApplicable(node, "entry \(index) is not of the term that its log says"))
    }
}
