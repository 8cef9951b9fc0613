import Base

// Records of the state.
extension StateMachine {
    /// Records of a state that may be open at once.
    package static let recordsMax = OpenRecords.recordsMax

    /// Records that are open.
    package var openRecords: Int { execution.records.count }

    /// Begins a record of the state as it is, between two entries of the log. Takes the same short time whatever the state. Nil where
    /// `recordsMax` are open.
    package func beginRecord() -> StateRecord? {
        check(open == nil, "a record begins between two entries")
        return openRecords < StateMachine.recordsMax ? StateRecord(self) : nil
    }

    /// Forgets the runs of all nodes: how far their commands are applied, and what they had begun to hand in piece by piece. For a state that
    /// becomes another cluster's, whose nodes count their runs from 1 again and would be taken for what is long over.
    package func forgetRuns() {
        check(open == nil && openRecords == 0, "runs are forgotten between two entries, and of no state that is being recorded")
        sessions = SessionTable()
        pieces = PieceTable()
    }

    /// Drops the whole state, of which nothing may be asked any more; `freeDropped` frees it in steps, until nothing `hasDropped`.
    package func abandon() {
        check(open == nil, "a state is abandoned between two entries")
        for keyspace in execution.keyspaces { keyspace.removeAll() }
    }
}

extension StateRecord {
    /// Appends the item with everything that is replicated besides the keys.
    static func append(headOf machine: StateMachine, to output: ByteBuffer) {
        output.append(byte: StateFormat.headItem)
        output.append(integer: machine.seed)
        output.append(integer: machine.time.microseconds)
        output.append(integer: machine.appliedIndex.rawValue)
        output.append(integer: machine.appliedTerm.rawValue)
        output.append(integer: machine.execution.changes)
        output.append(byte: machine.execution.removesExpiredKeys ? 1 : 0)
        output.append(variable: UInt64(ServerCommands.parameters.count))
        for (parameter, value) in zip(ServerCommands.parameters, machine.parameterValues) {
            let name = ByteView(parameter.name)
            output.append(variable: UInt64(name.count))
            output.append(name)
            output.append(variable: StateFormat.zigzag(Int64(value)))
        }
        output.append(variable: UInt64(machine.sessions.sessions.count))
        for session in machine.sessions.sessions {
            output.append(variable: UInt64(session.node.rawValue))
            output.append(variable: session.incarnation.rawValue)
            output.append(variable: session.lastApplied)
        }
        output.append(variable: UInt64(machine.pieces.partials.count))
        for partial in machine.pieces.partials {
            output.append(variable: UInt64(partial.owner.rawValue))
            output.append(variable: UInt64(partial.total))
            output.append(variable: UInt64(partial.count))
            output.append(integer: partial.digest.high)
            output.append(integer: partial.digest.low)
        }
        output.append(variable: UInt64(machine.execution.keyspaces.count))
        for keyspace in machine.execution.keyspaces { output.append(variable: UInt64(keyspace.count)) }
    }
}
