import Base
import Consensus
import Database
import DistributedSnapshot
import Node
import Storage

/// What a run begins with that does not begin with empty disks: the files of each node, and what the checkers are to take for known.
package struct Beginning: Sendable {
    /// A frame that is sent again, before anything else on the first link between two nodes.
    struct Frame: Sendable {
        var from: NodeID
        var to: NodeID
        var type: PeerFrameType
        var payload: [UInt8]
    }

    /// What a node is known to have.
    struct State: Sendable {
        var node: NodeID
        var appliedIndex: LogIndex
        var digest: UInt64
    }

    /// By node, which are numbered from 1.
    package internal(set) var identities: [NodeIdentity]
    var files: [[FileName: [UInt8]]]
    /// No clock shows less: the log's time does not go back.
    var wall: WallTime
    /// The terms of the entries that are known to be committed, from `committedFrom` on; and by whom, in which term.
    var committedFrom: LogIndex
    var committedTerms: [Term]
    var knownBy: NodeID
    var knownIn: Term
    /// No entry of any log, or on its way, is of a later term.
    var entryTerm: Term
    var states: [State]
    /// Who led which term.
    var leaders: [(node: NodeID, term: Term)] = []
    var frames: [Frame] = []

    package var nodeCount: Int { identities.count }
}

/// A directory in memory, which does at once what it is told.
final class MemoryDirectory: RecoverySource {
    private(set) var files: [FileName: [UInt8]] = [:]

    func install(_ name: FileName, _ bytes: [UInt8]) { files[name] = bytes }

    func perform(_ action: DiskOperation.Action) {
        switch action {
        case .create(let name, let byteCount): files[name] = [UInt8](repeating: 0, count: byteCount)
        case .write(let name, let offset, let block):
            let bytes = block.buffer.view
            check(files[name].map { offset + bytes.count <= $0.count } ?? false, "what is written lies in a file")
            files[name]?.replaceSubrange(offset..<offset + bytes.count, with: bytes.array)
        case .rename(let from, let to): files[to] = files.removeValue(forKey: from)
        case .remove(let name): files[name] = nil
        case .read: check(false, "a directory that is being made is not read")
        case .extend(let name, let offset, let block):
            if offset == 0 { files[name.temporary] = [] }
            files[name.temporary]?.append(contentsOf: block.buffer.view.rawBuffer)
        case .publish(let name): files[name] = files.removeValue(forKey: name.temporary)
        case .discard(let name):
            files[name] = nil
            files[name.temporary] = nil
        }
    }

    func list() throws(StorageError) -> [FileName] { files.keys.sorted { $0.text < $1.text } }
    func size(of name: FileName) throws(StorageError) -> Int { files[name]?.count ?? 0 }
    func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        guard let bytes = files[name], offset < bytes.count else { return }
        bytes.withView { buffer.append($0.slice(offset, min(count, bytes.count - offset))) }
    }
}
