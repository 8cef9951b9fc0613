import Base
import Database
import Storage

/// A state machine on its way into a state file, in slices of about the bytes that the owner asks for and one piece of a value. For tools
/// and simulations; a running node writes its own in turns (`Node+StateFiles`).
package struct StateFileStream {
    /// Bytes of the file that were handed out.
    package private(set) var byteCount = 0
    private let record: StateRecord
    private var writer: StateFileWriter
    private var isOver = false
    private let scratch = ByteBuffer(capacity: 1 << 16)

    /// Begins a file with the state as it is, which may go on meanwhile. Nil where it is being recorded too often already.
    package init?(_ machine: StateMachine, name: FileName, header: StateFileHeader) {
        check(
            header.index == machine.appliedIndex && header.term == machine.appliedTerm, "a state file says of which state it is")
        guard let record = machine.beginRecord() else { return nil }
        self.record = record
        writer = StateFileWriter(name: name, header: header)
    }

    /// What is to be done next, in order: `extend`s, and at the end the `publish`. Empty when all was handed out.
    package mutating func next(budgetBytes: Int = 1 << 20) -> [DiskOperation.Action] {
        if isOver { return [] }
        var actions: [DiskOperation.Action] = []
        while actions.isEmpty, !writer.isFinished {
            scratch.removeAll(keeping: 1 << 20)
            let isComplete = record.encode(into: scratch, budgetBytes: budgetBytes)
            writer.append(scratch.view, to: .database)
            if isComplete { writer.finish() }
            actions += writer.takeOperations()
        }
        byteCount = writer.byteCount
        if writer.isFinished {
            actions.append(writer.publish)
            isOver = true
        }
        return actions
    }
}
