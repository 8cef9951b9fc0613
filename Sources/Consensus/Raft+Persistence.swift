import Base

/// What is durable, and what had to wait for it (DESIGN section 4, rules 1 and 2).
///
/// Writes form one ordered stream, numbered from 1: when one is durable, all before it are. So a completion is a number,
/// and what it means is kept here: which entries of the *present* log it covers. A log that is cut back while a write is
/// on its way shows why that can't be told from term and index alone:
///
/// 1. Entry 5 of term 2 is written as write 1.
/// 2. A leader of term 3 replaces it: entry 5 of term 3 is write 2.
/// 3. A leader of term 4, which has entry 5 of term 2, replaces it again: write 3 holds what write 1 held.
/// 4. Write 1 completes. Its term and index fit the log, but write 2 is next on the disk: after a crash entry 5 may be
///    the one of term 3.
///
/// So a cut at 5 clamps every write on its way to 4 at most, and only write 3 makes entry 5 durable.
extension Raft {
    /// A write handed out, and the last entry of the present log that is on disk when it is durable.
    struct Write: Sendable {
        var sequence: UInt64
        var lastIndex: LogIndex
    }

    /// A message that waits for a write.
    struct Promise: Sendable {
        var sequence: UInt64
        var message: Message
    }

    /// The write `sequence` and all before it are durable.
    package mutating func persisted(_ sequence: UInt64, now: Now) {
        advance(now)
        check(sequence <= lastSequence, "only a write that was handed out completes")
        completeWrites(through: sequence)
    }

    /// What would be written for `term` and `vote`.
    private var hardStateToSave: HardState {
        HardState(term: term, vote: options.faults.contains(.skipVotePersistence) ? nil : vote)
    }

    /// The write that must be durable before this member may speak of its term and vote, and of its log up to
    /// `index`; 0 when nothing is missing.
    private func sequenceNeeded(through index: LogIndex) -> UInt64 {
        if hardStateToSave != savedHardState || index > writtenIndex { return lastSequence + 1 }
        var needed = hardStateSequence
        if index > durableIndex {
            for write in writes where write.lastIndex >= index {
                needed = max(needed, write.sequence)
                break
            }
        }
        return needed > durableSequence ? needed : 0
    }

    /// Sends a message once term, vote and the log up to `index` are durable; at once when they are. A message to this
    /// member itself is received then.
    mutating func promise(_ body: Message.Body, to peer: NodeID, through index: LogIndex) {
        let message = Message(from: options.id, to: peer, term: term, body: body)
        let sequence = sequenceNeeded(through: index)
        if sequence == 0 {
            keep(message)
        } else {
            // In the order in which they were made, so none waits for less than the one before it.
            let latest = promises.last?.sequence ?? 0
            promises.append(Promise(sequence: max(sequence, latest), message: message))
        }
    }

    /// Whether a promise about the log up to `index` has to wait.
    func mustWait(through index: LogIndex) -> Bool { sequenceNeeded(through: index) != 0 }

    /// A promise can be given now.
    private mutating func keep(_ message: Message) {
        if message.to == options.id {
            check(message.body == .voteResponse(granted: true), "a member promises itself its vote only")
            selfVoteIsDurable()
        } else {
            pending.messages.append(message)
        }
    }

    /// Collects what is new into one write.
    mutating func emitWrite() {
        let hardState = hardStateToSave
        let isHardStateNew = hardState != savedHardState
        guard isHardStateNew || writtenIndex < log.lastIndex else { return }
        check(pending.persist == nil, "a drain has one write")
        var entries: [Entry] = []
        if writtenIndex < log.lastIndex { entries = log.slice(from: writtenIndex.next, bytesMax: .max) }
        check(entries.last.map { $0.index == log.lastIndex } ?? true, "a write reaches the end of the log")
        lastSequence += 1
        pending.persist = RaftEffects.Persist(
            sequence: lastSequence, hardState: isHardStateNew ? hardState : nil, entries: entries,
            commitHint: commitIndex)
        writes.append(Write(sequence: lastSequence, lastIndex: log.lastIndex))
        if isHardStateNew {
            savedHardState = hardState
            hardStateSequence = lastSequence
        }
        writtenIndex = log.lastIndex
        if options.faults.contains(.acknowledgeBeforeSync) { completeWrites(through: lastSequence) }
    }

    /// Takes writes as durable and gives the promises that waited for them. Those of an older term are dropped: whoever
    /// asked for them asks again.
    private mutating func completeWrites(through sequence: UInt64) {
        guard sequence > durableSequence else { return }
        durableSequence = sequence
        var completed = 0
        while completed < writes.count, writes[completed].sequence <= sequence { completed += 1 }
        check(completed > 0, "a write that completes was on its way")
        let before = durableIndex
        durableIndex = max(durableIndex, writes[completed - 1].lastIndex)
        check(durableIndex <= writtenIndex, "what is durable was written")
        writes.removeFirst(completed)

        var kept = 0
        while kept < promises.count, promises[kept].sequence <= sequence { kept += 1 }
        if kept > 0 {
            let due = promises[..<kept]
            promises.removeFirst(kept)
            for promise in due where promise.message.term == term { keep(promise.message) }
        }
        if role == .leader, durableIndex > before { advanceCommit() }
    }

    /// Cuts the log back, and with it what the writes on their way count for (the story above).
    mutating func cutLog(from index: LogIndex) {
        hold(index > commitIndex, "a committed entry is never removed")
        log.truncate(from: index)
        let last = log.lastIndex
        writtenIndex = min(writtenIndex, last)
        durableIndex = min(durableIndex, last)
        for position in writes.indices { writes[position].lastIndex = min(writes[position].lastIndex, last) }
        // Changes nothing but where a bug is planted.
        commitIndex = min(commitIndex, last)
    }
}
