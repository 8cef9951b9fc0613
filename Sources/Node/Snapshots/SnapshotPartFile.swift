import Base
import Database
import DistributedSnapshot
import Storage

/// A node's part of a distributed snapshot, read from its file: for checkers and tools. The file is verified to its last byte while it is read;
/// what the sections say of each other is verified at its end.
package struct SnapshotPartFile {
    package let header: StateFileHeader
    package internal(set) var state: LocalState
    /// The database, as it was at the record.
    package let machine: StateMachine
    package internal(set) var part: SnapshotPart

    /// Takes the bytes of a file in pieces.
    package struct Loader {
        private var reader: StateFileReader
        private let state = ByteBuffer()
        private let channels = ByteBuffer()
        private let database = StateLoader()

        /// - Parameter file: what messages call it.
        package init(file: String, clusterID: ClusterID, nodeID: NodeID?) {
            reader = StateFileReader(file: file, kind: .snapshotPart, clusterID: clusterID, nodeID: nodeID)
        }

        /// Takes the next bytes.
        ///
        /// - Throws: `damaged`, `wrongIdentity`, `unsupportedVersion`, naming the file.
        package mutating func append(_ bytes: ByteView) throws(StorageError) {
            reader.append(bytes)
            while let item = try reader.next() {
                guard case .chunk(let section, let content) = item else { continue }
                switch section {
                case .group: state.append(content)
                case .channels: channels.append(content)
                case .database:
                    do throws(StateFormatError) { try database.load(content) } catch { throw damaged("\(error)") }
                default: throw damaged("a section \(section) is in it, which is not for it")
                }
            }
        }

        /// When all bytes are there.
        ///
        /// - Throws: as `append`; also where the sections contradict each other.
        package func finish() throws(StorageError) -> SnapshotPartFile {
            try reader.finish()
            if let version = unknownVersion(state.view, magic: LocalState.magic, known: LocalState.version...LocalState.version)
                ?? SnapshotPart.unknownVersion(of: channels.view)
            {
                throw .unsupportedVersion(file: reader.file, version: version)
            }
            guard let header = reader.header, let state = LocalState(decoding: state.view) else {
                throw damaged("its section of the group can't be read")
            }
            guard let part = SnapshotPart(decoding: channels.view) else {
                throw damaged("its section of the channels can't be read, or a channel is not what its checksum says")
            }
            let machine: StateMachine
            do throws(StateFormatError) { machine = try database.finish() } catch { throw damaged("\(error)") }
            let digest = machine.digest()
            guard digest.high ^ digest.low == part.summary.stateDigest else {
                throw damaged("its database is not the one that its summary names")
            }
            guard state.appliedIndex == machine.appliedIndex, header.index == machine.appliedIndex,
                header.term == machine.appliedTerm, header.snapshot == part.id.rawValue, state.run == part.run,
                header.nodeID == part.run.node
            else { throw damaged("its sections are not of one moment, or not of one node") }
            return SnapshotPartFile(header: header, state: state, machine: machine, part: part)
        }

        private func damaged(_ reason: String) -> StorageError {
            .damaged(file: reader.file, offset: reader.offset, reason: reason)
        }
    }
}
