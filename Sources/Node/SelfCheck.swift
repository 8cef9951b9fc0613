import Base
import Database
import RESP
import Storage

/// DEBUG RELOAD: this node's newest state file and the log behind it are read back from its disk and applied to a fresh state
/// machine, piece by piece while the node goes on; the digest must be the one that the living state machine had when the
/// command came.
///
/// It is the restart of the node without the restart: what it finds is damage on disk and every way in which applying the same entries
/// twice could give two states.
final class SelfCheck {
    let connection: ConnectionID
    /// How far to apply, and what must come out.
    let target: LogIndex
    let expected: Digest
    /// The state file that it begins with; not removed before it is read.
    let file: StateFile?
    /// Nil until the state file is loaded.
    private(set) var machine: StateMachine?
    /// The read on its way; nil while the log is not durable far enough.
    var reading: UInt64?
    private let nobody = ReplyWriter(ByteBuffer(capacity: 64), version: .two, discards: true)
    private let loader = StateLoader()
    private var reader: StateFileReader

    /// Bytes read at a time.
    static let bytesAtOnce = 1 << 20

    init(connection: ConnectionID, of machine: StateMachine, from file: StateFile?, clusterID: ClusterID, nodeID: NodeID) {
        self.connection = connection
        self.file = file
        target = machine.appliedIndex
        expected = machine.digest()
        self.machine = file == nil ? StateMachine(seed: machine.seed) : nil
        reader = StateFileReader(file: file?.name.text ?? "", clusterID: clusterID, nodeID: nodeID)
    }

    /// Where in the state file the next piece begins, and how long it is; nil when there is none to be read.
    var nextPiece: (offset: Int, count: Int)? {
        guard let file, machine == nil else { return nil }
        return (reader.received, min(SelfCheck.bytesAtOnce, file.byteCount - reader.received))
    }

    /// Takes the next piece of the state file.
    func load(_ bytes: ByteView) throws(StorageError) {
        guard let file else { return check(false, "a state file is read") }
        reader.append(bytes)
        while let item = try reader.next() { try StateRecovery.take(item, into: loader, reader) }
        if reader.received < file.byteCount { return }
        try reader.finish()
        guard let header = reader.header else { return check(false, "a file has a header") }
        machine = try StateRecovery.finish(loader, header, reader)
    }

    /// Whether everything is applied.
    var isAtTarget: Bool { machine?.appliedIndex == target }

    /// Applies entries up to the target.
    func apply(_ entries: [LogEntry]) {
        guard let machine else { return check(false, "entries are applied to a state") }
        for entry in entries where entry.index <= target { machine.apply(entry, replies: nobody) }
    }
}

extension Node {
    func debugReload(_ connection: ClientConnection) {
        if selfCheck != nil { return replyError(connection, "ERR another DEBUG RELOAD is in progress") }
        let check = SelfCheck(
            connection: connection.id, of: group.machine, from: files.newest, clusterID: options.clusterID, nodeID: id)
        if check.target == .zero { return connection.writer.ok() }
        selfCheck = check
        // The reply comes when everything is read; until then the connection waits.
        connection.isSelfChecking = true
        continueSelfCheck()
    }

    /// Asks for the next piece of the state file, or of the log when it is on disk.
    func continueSelfCheck() {
        guard let check = selfCheck, check.reading == nil else { return }
        if let file = check.file, let piece = check.nextPiece {
            check.reading = log.emit(.read(name: file.name, offset: piece.offset, count: piece.count), into: &effects.disk)
        } else if check.isAtTarget {
            endSelfCheck(check)
        } else if let machine = check.machine {
            check.reading = log.requestEntries(
                group: group.id, from: machine.appliedIndex.next, bytesMax: SelfCheck.bytesAtOnce, into: &effects.disk)
        }
    }

    /// Takes the bytes of a read for the self-check; false when the read is somebody else's.
    func selfCheckRead(_ number: UInt64, _ bytes: ByteView) throws(StorageError) -> Bool {
        guard let check = selfCheck, check.reading == number else { return false }
        check.reading = nil
        if let file = check.file, check.machine == nil {
            do throws(StorageError) {
                try check.load(bytes)
            } catch {
                log(.error, "self-check: \(error)")
                answerSelfCheck(check, "ERR Error trying to load the state file: \(error)")
                noteDamage(to: file)
                return true
            }
        } else {
            check.apply(try log.entriesRead(number: number, bytes: bytes).entries)
        }
        continueSelfCheck()
        return true
    }

    private func endSelfCheck(_ check: SelfCheck) {
        let isEqual = check.machine?.digest() == check.expected
        if !isEqual {
            log(.error, "self-check: the log through entry \(check.target) gives another state than the one in memory")
        }
        answerSelfCheck(
            check, isEqual ? nil : "ERR Error trying to load the log: the state it gives differs from the one in memory")
    }

    /// The state that is checked is no longer this node's.
    func endSelfCheckForInstall() {
        guard let check = selfCheck else { return }
        answerSelfCheck(check, "ERR a state file of the leader took the place of the state; try again")
    }

    private func answerSelfCheck(_ check: SelfCheck, _ error: String?) {
        selfCheck = nil
        guard let connection = clients[check.connection.rawValue] else { return }
        if let error { replyError(connection, error) } else { connection.writer.ok() }
        answered(connection)
        connection.isSelfChecking = false
        noteOwed(connection)
        resumeWhenIdle(connection)
    }
}
