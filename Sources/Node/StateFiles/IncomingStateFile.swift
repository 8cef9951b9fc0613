import Base
import Consensus
import Database
import Storage

/// A state file of another node on its way here. Its bytes are verified and loaded as they come, and written to a file of this
/// node's own. It outlives the link: on the next one it goes on where it was.
final class IncomingStateFile {
    let from: NodeID
    /// What the leader said that it covers at least.
    let index: LogIndex
    /// The file, once its first piece has come.
    private(set) var fileID: UInt64 = 0
    private(set) var byteCount = 0
    /// Bytes that came, in order.
    private(set) var received = 0
    /// Bytes asked for on `link`.
    var requested = 0
    /// Where it was asked for last.
    var link: PeerLinkID?
    private(set) var writer: StateFileWriter?
    /// The state, when all of it has come.
    private(set) var machine: StateMachine?
    /// Operations on their way.
    var underWay: [UInt64] = []
    var publication: UInt64?
    let began: Instant
    private var reader: StateFileReader
    private let loader = StateLoader()

    init(from: NodeID, index: LogIndex, clusterID: ClusterID, began: Instant) {
        self.from = from
        self.index = index
        self.began = began
        reader = StateFileReader(file: "the state file of node \(from)", clusterID: clusterID, nodeID: nil)
    }

    /// Everything has come.
    var isWhole: Bool { machine != nil }
    /// The last entry in it; nil until its first piece has come.
    var coveredIndex: LogIndex? { writer?.header.index }

    /// Takes the next piece.
    ///
    /// - Parameter begin: makes the writer for the file's header, or says that the file is not wanted, with the reason.
    func take(
        _ piece: StateFilePiece, _ bytes: ByteView,
        begin: (StateFileHeader) throws(StorageError) -> StateFileWriter
    ) throws(StorageError) {
        check(piece.offset == received && !isWhole, "pieces are taken in order")
        if fileID == 0 { (fileID, byteCount) = (piece.fileID, piece.byteCount) }
        received += bytes.count
        reader.append(bytes)
        while let item = try reader.next() {
            switch item {
            case .header(let header): writer = try begin(header)
            case .chunk(let section, let content):
                try StateRecovery.take(item, into: loader, reader)
                writer?.append(content, to: section)
            case .end:
                guard let header = reader.header else { return check(false, "a file has a header") }
                machine = try StateRecovery.finish(loader, header, reader)
                writer?.finish()
            }
        }
        if received == byteCount && !isWhole { try reader.finish() }
    }

    /// What is to be written next.
    func takeOperations() -> [DiskOperation.Action] { writer?.takeOperations() ?? [] }

    /// The file as it is on this node's disk.
    var file: StateFile? { writer.map { StateFile($0) } }
}
