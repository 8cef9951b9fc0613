import Base
import Database
import RESP
import Storage

/// DEBUG RELOAD: this node's log is read back from its disk and applied to a fresh state machine, piece by piece while
/// the node goes on; the digest must be the one that the living state machine had when the command came.
///
/// It is the restart of the node without the restart: what it finds is damage on disk and every way in which applying the same entries
/// twice could give two states.
final class SelfCheck {
    let connection: ConnectionID
    /// How far to apply, and what must come out.
    let target: LogIndex
    let expected: Digest
    let machine: StateMachine
    /// The read on its way; nil while the log is not durable far enough.
    var reading: UInt64?
    private let nobody = ReplyWriter(ByteBuffer(capacity: 64), version: .two, discards: true)

    /// Bytes of log read at a time.
    static let bytesAtOnce = 1 << 20

    init(connection: ConnectionID, of machine: StateMachine) {
        self.connection = connection
        target = machine.appliedIndex
        expected = machine.digest()
        self.machine = StateMachine(seed: machine.seed)
    }

    /// Applies entries up to the target; true when it is reached.
    func apply(_ entries: [LogEntry]) -> Bool {
        for entry in entries where entry.index <= target {
            switch entry.kind {
            case .command:
                entry.payload.withView { payload in
                    machine.begin(payload: payload, index: entry.index, term: entry.term)
                    while machine.nextItem() { machine.execute(reply: nobody) }
                    machine.end()
                }
            case .empty, .configuration: machine.applyEmpty(index: entry.index, term: entry.term)
            }
        }
        return machine.appliedIndex == target
    }
}

extension Node {
    func debugReload(_ connection: ClientConnection) {
        if selfCheck != nil { return replyError(connection, "ERR another DEBUG RELOAD is in progress") }
        let check = SelfCheck(connection: connection.id, of: group.machine)
        if check.target == .zero { return connection.writer.ok() }
        selfCheck = check
        // The reply comes when the log is read; until then the connection waits.
        connection.isSelfChecking = true
        continueSelfCheck()
    }

    /// Asks for the next piece of the log, when it is on disk.
    func continueSelfCheck() {
        guard let check = selfCheck, check.reading == nil else { return }
        check.reading = log.requestEntries(
            group: group.id, from: check.machine.appliedIndex.next, bytesMax: SelfCheck.bytesAtOnce, into: &effects.disk)
    }

    /// Takes the bytes of a read for the self-check; false when the read is somebody else's.
    func selfCheckRead(_ number: UInt64, _ bytes: ByteView) throws(StorageError) -> Bool {
        guard let check = selfCheck, check.reading == number else { return false }
        check.reading = nil
        if check.apply(try log.entriesRead(number: number, bytes: bytes).entries) {
            endSelfCheck(check)
        } else {
            continueSelfCheck()
        }
        return true
    }

    private func endSelfCheck(_ check: SelfCheck) {
        selfCheck = nil
        let found = check.machine.digest()
        let isEqual = found == check.expected
        if !isEqual {
            log(.error, "self-check: the log through entry \(check.target) gives another state than the one in memory")
        }
        guard let connection = clients[check.connection.rawValue] else { return }
        if isEqual {
            connection.writer.ok()
        } else {
            replyError(connection, "ERR Error trying to load the log: the state it gives differs from the one in memory")
        }
        answered(connection)
        connection.isSelfChecking = false
        resumeWhenIdle(connection)
    }
}
