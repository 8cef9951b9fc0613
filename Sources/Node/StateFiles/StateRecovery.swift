import Base
import Consensus
import Database
import Storage

/// Finds a group's newest state file that is whole, and loads it. A damaged one is passed over, as long as the log reaches
/// back to the one before; whether it does, is known when the log is read (`requireReach`).
struct StateRecovery {
    private let source: any RecoverySource
    private let identity: NodeIdentity
    private let group: GroupID
    private let report: (Int, Int) -> Void
    /// The state after `file`, or nil without one.
    private(set) var machine: StateMachine?
    /// The changes that its file holds, before the log adds to them.
    private(set) var changes: UInt64 = 0
    /// The files that can be used, ascending by index; the last one is loaded, of the others the headers are right.
    private(set) var files: [StateFile] = []
    /// When the newest one's state was as it is.
    private(set) var time = WallTime(microseconds: 0)
    /// The files that can't, the newest first.
    private(set) var unusable: [(name: FileName, error: StorageError)] = []
    /// What is left of files that were never finished.
    private(set) var unfinished: [FileName] = []

    init(_ source: any RecoverySource, identity: NodeIdentity, group: GroupID, progress: @escaping (Int, Int) -> Void) {
        self.source = source
        self.identity = identity
        self.group = group
        report = progress
    }

    /// - Throws: what `source` throws, and for files of other nodes, clusters or versions. Damage is not thrown here.
    mutating func run() throws(StorageError) {
        var names: [(name: FileName, index: LogIndex)] = []
        for name in try source.list() {
            if let found = StateFileFormat.stateFile(name), found.group == group {
                names.append((name, found.index))
            } else if StateFileFormat.isUnfinished(name) {
                unfinished.append(name)
            }
        }
        names.sort { $0.index > $1.index }
        unfinished.sort { $0.text < $1.text }
        for (name, index) in names {
            do throws(StorageError) {
                files.insert(try machine == nil ? load(name, index) : readHeader(name, index), at: 0)
            } catch {
                guard case .damaged = error else { throw error }
                unusable.append((name, error))
            }
        }
    }

    private func header(_ reader: inout StateFileReader, _ name: FileName, _ index: LogIndex) throws(StorageError)
        -> StateFileHeader
    {
        let buffer = ByteBuffer(capacity: StateFileFormat.headerBytes)
        try source.read(name, offset: 0, count: StateFileFormat.headerBytes, into: buffer)
        reader.append(buffer.view)
        guard case .header(let header) = try reader.next() else {
            throw .damaged(file: name.text, offset: buffer.count, reason: "it ends inside its header")
        }
        guard header.group == group, header.index == index else {
            throw .damaged(
                file: name.text, offset: 0,
                reason: "it is the state file of group \(header.group) through entry \(header.index), under another name")
        }
        return header
    }

    private func file(_ name: FileName, _ header: StateFileHeader) throws(StorageError) -> StateFile {
        StateFile(
            name: name, fileID: header.fileID, index: header.index, term: header.term, byteCount: try source.size(of: name))
    }

    private func readHeader(_ name: FileName, _ index: LogIndex) throws(StorageError) -> StateFile {
        var reader = StateFileReader(file: name.text, clusterID: identity.clusterID, nodeID: identity.nodeID)
        return try file(name, try header(&reader, name, index))
    }

    private static let pieceBytes = 1 << 20

    private mutating func load(_ name: FileName, _ index: LogIndex) throws(StorageError) -> StateFile {
        var reader = StateFileReader(file: name.text, clusterID: identity.clusterID, nodeID: identity.nodeID)
        let header = try header(&reader, name, index)
        let found = try file(name, header)
        let loader = StateLoader()
        let buffer = ByteBuffer(capacity: StateRecovery.pieceBytes)
        var offset = StateFileFormat.headerBytes
        while offset < found.byteCount {
            buffer.removeAll(keeping: StateRecovery.pieceBytes)
            try source.read(name, offset: offset, count: min(StateRecovery.pieceBytes, found.byteCount - offset), into: buffer)
            if buffer.isEmpty { break }
            offset += buffer.count
            reader.append(buffer.view)
            while let item = try reader.next() { try StateRecovery.take(item, into: loader, reader) }
            report(offset, found.byteCount)
        }
        try reader.finish()
        let loaded = try StateRecovery.finish(loader, header, reader)
        machine = loaded
        changes = loaded.changes
        time = header.time
        return found
    }

    /// Hands what a reader found to a loader.
    static func take(_ item: StateFileReader.Item, into loader: StateLoader, _ reader: StateFileReader) throws(StorageError) {
        guard case .chunk(let section, let bytes) = item else { return }
        guard section == .database else {
            throw .damaged(file: reader.file, offset: reader.offset, reason: "a section \(section) is in it, which is not for it")
        }
        do throws(StateFormatError) {
            try loader.load(bytes)
        } catch {
            throw .damaged(file: reader.file, offset: reader.offset, reason: "\(error)")
        }
    }

    /// The state machine that a loader has put together, which must be the one that the header promised.
    static func finish(
        _ loader: StateLoader, _ header: StateFileHeader, _ reader: StateFileReader
    ) throws(StorageError) -> StateMachine {
        let machine: StateMachine
        do throws(StateFormatError) {
            machine = try loader.finish()
        } catch {
            throw .damaged(file: reader.file, offset: reader.offset, reason: "\(error)")
        }
        guard machine.appliedIndex == header.index, machine.appliedTerm == header.term else {
            throw .damaged(
                file: reader.file, offset: reader.offset,
                reason: "its state is the one after entry \(machine.appliedIndex), its header says \(header.index)")
        }
        return machine
    }

    /// Refuses a log that begins behind all state files that can be used.
    func requireReach(base: LogIndex) throws(StorageError) {
        let reached = files.last?.index ?? .zero
        if base <= reached { return }
        let lack = "the log begins behind entry \(base), and no other state file reaches it"
        for (_, error) in unusable {
            if case .damaged(let file, let offset, let reason) = error {
                throw .damaged(file: file, offset: offset, reason: "\(reason); \(lack)")
            }
        }
        throw .damaged(
            file: StateFileFormat.fileName(group: group, index: base).text, offset: 0,
            reason: "a state file through entry \(base) or later is missing: the log begins behind it"
                + (reached > .zero ? ", and the newest one here ends with entry \(reached)" : ""))
    }
}
