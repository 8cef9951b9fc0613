import Base

// Expiry is an event in the log (rule 7 of DESIGN section 4): the entry's time decides, and the end of every entry removes
// some of what is due, in an order that is the same on all nodes.
extension StateMachine {
    /// The soonest deadline of all keys, also when it has passed and keys are still to be removed. The leader proposes an
    /// entry when it is due and nothing else carries the time forward. Nil when no key has one, or none is to be removed.
    package var nextDeadline: WallTime? {
        guard execution.removesExpiredKeys, let soonest else { return nil }
        let (microseconds, overflow) = soonest.deadline.multipliedReportingOverflow(by: 1000)
        return WallTime(microseconds: overflow ? Int64.max : microseconds)
    }

    /// Whether keys are due that the last entry's end left over: an entry is worth proposing at once.
    package var hasExpiredKeys: Bool {
        execution.removesExpiredKeys && soonest.map { $0.deadline <= time.milliseconds } ?? false
    }

    /// Whether dropped data is still to be freed; `freeDropped` does some of it.
    package var hasDropped: Bool { !execution.graveyard.isEmpty }

    /// Frees a bounded part of dropped data. Not part of the replicated state: a node may do it whenever it is idle.
    package func freeDropped(budget: Int = StateMachine.freedPerEntry) {
        var budget = budget
        execution.graveyard.free(budget: &budget)
    }

    private var soonest: (deadline: Int64, keyspace: Keyspace)? {
        var soonest: (deadline: Int64, keyspace: Keyspace)?
        for keyspace in execution.keyspaces {
            guard let deadline = keyspace.nextDeadline else { continue }
            if let known = soonest, known.deadline <= deadline { continue }
            soonest = (deadline, keyspace)
        }
        return soonest
    }

    /// Fields of a hash that one step removes.
    private static let expiredFieldsPerStep = 8

    /// Removes keys and fields of hashes that are due, the soonest first, in at most `expiredKeysPerEntry` steps.
    func removeExpired() {
        if !execution.removesExpiredKeys { return }
        let now = time.milliseconds
        for _ in 0..<StateMachine.expiredKeysPerEntry {
            guard let (deadline, keyspace) = soonest, deadline <= now else { return }
            if let first = keyspace.heap.first, first.deadline == deadline {
                execution.expire(first.entry.key, in: keyspace)
            } else if let key = keyspace.nextFieldKey {
                key.withView { execution.expireFields($0, in: keyspace, limit: StateMachine.expiredFieldsPerStep) }
            }
        }
    }
}
