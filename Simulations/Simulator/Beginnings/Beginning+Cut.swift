import Base
import Consensus
import Database
import DistributedSnapshot
import Node
import Storage

/// Why a run can't begin with a cut.
package enum BeginningError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Each node's state is needed: one that forgot its vote and its log is not what Raft allows for.
    case partsMissing([NodeID])
    case notOneCut(String)
    /// The simulator numbers nodes from 1.
    case numbering([NodeID])
    case damaged(StorageError)

    package var description: String {
        switch self {
        case .partsMissing(let nodes):
            "every node's part is needed, and these are missing: " + nodes.map { "node \($0)" }.joined(separator: ", ")
        case .notOneCut(let problem): "the parts are not of one cut: \(problem)"
        case .numbering(let nodes):
            "the nodes are numbered \(nodes.map { "\($0)" }.joined(separator: ", ")), and not from 1 without gaps"
        case .damaged(let error): "\(error)"
        }
    }
}

extension Beginning {
    /// The cluster of a cut, each node as if its process had ended at its record; what was in flight comes first
    /// (docs/internals/distributed-snapshots.md, "Running on from a cut").
    ///
    /// - Parameters:
    ///   - log: of the run's nodes.
    ///   - random: for what identities and files need.
    package init(
        _ manifest: SnapshotManifest, _ parts: [SnapshotPartFile], log: LogOptions, random: inout RandomGenerator
    ) throws(BeginningError) {
        let parts = parts.sorted { $0.part.run.node < $1.part.run.node }
        let absent = manifest.parts.map(\.run.node).filter { node in !parts.contains { $0.part.run.node == node } }
        let missing = (manifest.missing.map(\.node) + absent).sorted()
        if !missing.isEmpty || parts.isEmpty { throw .partsMissing(missing) }
        for check in CutVerification(manifest, parts).checks {
            if let problem = check.problems.first { throw .notOneCut("\(problem) (\(check.name))") }
        }
        let nodes = parts.map(\.part.run.node)
        if nodes != (1...parts.count).map({ NodeID(UInt32($0)) }) { throw .numbering(nodes) }
        identities = parts.map {
            NodeIdentity(clusterID: $0.header.clusterID, nodeID: $0.state.run.node, salt: random.next())
        }
        files = []
        for (part, identity) in zip(parts, identities) {
            files.append(try Beginning.directory(of: part, identity, log, fileID: max(1, random.next())))
        }
        let times = parts.flatMap { [$0.state.recordedAt, $0.state.time] }
        wall = times.max() ?? WallTime(microseconds: 0)
        frames = parts.flatMap(Beginning.frames)
        entryTerm = parts.reduce(.zero) { max($0, $1.state.termRuns.last?.term ?? $1.state.appliedTerm) }
        for frame in frames {
            guard let message = frame.payload.withView({ MessageCodec.decode($0, from: frame.from, to: frame.to) }),
                case .append(let append) = message.body
            else { continue }
            entryTerm = max(entryTerm, append.entries.last?.term ?? .zero)
        }
        states = parts.map {
            State(node: $0.state.run.node, appliedIndex: $0.state.appliedIndex, digest: $0.part.summary.stateDigest)
        }
        leaders = parts.filter { $0.state.role == .leader }.map { ($0.state.run.node, $0.state.term) }
        (committedFrom, committedTerms) = Beginning.committed(parts)
        let best = parts.max { $0.state.commitIndex < $1.state.commitIndex }
        (knownBy, knownIn) = (best?.state.run.node ?? nodes[0], best?.state.term ?? .zero)
    }

    /// The terms of what is known to be committed, as far back as some log tells without a gap.
    private static func committed(_ parts: [SnapshotPartFile]) -> (from: LogIndex, terms: [Term]) {
        var index = parts.map(\.state.commitIndex).max() ?? .zero
        var terms: [Term] = []
        while index > .zero {
            let term = parts.lazy.filter { $0.state.commitIndex >= index }.compactMap { $0.state.logTerm(at: index) }.first
            guard let term else { break }
            terms.append(term)
            index = index.previous
        }
        return (terms.isEmpty ? .zero : index.next, terms.reversed())
    }

    // MARK: frames

    /// What was in flight to a node and still means something there.
    ///
    /// Messages of Raft may come at any time later, and the terms say what they are worth: votes, appends, installs and their answers
    /// are sent again. Everything else belongs to a run that is over: questions for a read index and their answers are numbered by the run
    /// that asked, an answer could be taken for another one's; commands and pieces of state files are their sender's run's.
    private static func frames(to receiver: SnapshotPartFile) -> [Frame] {
        var frames: [Frame] = []
        let to = receiver.part.run.node
        for (channel, content) in zip(receiver.part.summary.incoming, receiver.part.contents) {
            for bytes in SnapshotPart.frames(of: content) {
                guard let message = CutVerification.message(bytes, from: channel.from.node, to: to) else { continue }
                switch message.body {
                case .readIndexRequest, .readIndexResponse: continue
                default: break
                }
                let payload = Array(bytes.dropFirst(PeerFrame.headerBytes))
                frames.append(Frame(from: channel.from.node, to: to, type: .raft, payload: payload))
            }
        }
        return frames
    }

    // MARK: files

    /// Nothing was there before.
    private struct NoRecords: RecoveryVisitor {
        mutating func entry(group: GroupID, index: LogIndex, term: Term, kind: Consensus.Entry.Kind, payload: ByteView) {}
        mutating func hardState(group: GroupID, _ state: HardState) {}
        mutating func commitHint(group: GroupID, index: LogIndex) {}
        mutating func base(group: GroupID, index: LogIndex, term: Term) {}
        mutating func restart(group: GroupID, index: LogIndex, term: Term) {}
        mutating func incarnation(_ incarnation: Incarnation) {}
        mutating func progress(bytesDone: Int, bytesTotal: Int) {}
    }

    /// What a node finds at its next start: the state file of what it had applied, the rest of its log, its term and vote, its run.
    private static func directory(
        of part: SnapshotPartFile, _ identity: NodeIdentity, _ options: LogOptions, fileID: UInt64
    ) throws(BeginningError) -> [FileName: [UInt8]] {
        let directory = MemoryDirectory()
        directory.install(NodeIdentity.fileName, identity.encode())
        let state = part.state
        if state.appliedIndex > .zero {
            var header = part.header
            (header.kind, header.snapshot, header.fileID) = (.state, 0, fileID)
            let name = StateFileFormat.fileName(group: .first, index: state.appliedIndex)
            var stream = StateFileStream(part.machine, name: name, header: header)
            check(stream != nil, "nobody else records a part's state")
            while let actions = stream?.next(), !actions.isEmpty {
                for action in actions { directory.perform(action) }
            }
        }
        let log: WriteAheadLog
        do throws(StorageError) {
            var nobody = NoRecords()
            log = try WriteAheadLog.recover(from: directory, identity: identity, options: options, visitor: &nobody).log
        } catch { throw .damaged(error) }
        log.append(incarnation: state.run.incarnation)
        if state.appliedIndex > .zero { log.restart(group: .first, behind: state.appliedIndex, term: state.appliedTerm) }
        let hardState = HardState(term: state.term, vote: state.vote)
        log.append(
            RaftEffects.Persist(sequence: 1, hardState: hardState, entries: state.tail, commitHint: state.commitIndex),
            group: .first)
        log.seal()
        write(log, to: directory)
        return directory.files
    }

    private static func write(_ log: WriteAheadLog, to directory: MemoryDirectory) {
        var durable: [WriteAheadLog.Durable] = []
        while true {
            var operations: [DiskOperation] = []
            _ = log.flush(into: &operations)
            if operations.isEmpty { break }
            for operation in operations {
                directory.perform(operation.action)
                log.completed(number: operation.number, durable: &durable)
            }
        }
        check(log.isIdle, "a log in memory is written at once")
    }
}
