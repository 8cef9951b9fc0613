import Base

/// Puts a stream together: its position, nodes, and groups with consumers and pending entries.
final class StreamBuilder: ValueBuilder {
    private enum Part { case position, node, groups, group, consumer, pendings, pending }
    private var part = Part.position
    private var stream = StreamValue()
    /// Things of the part at work that are to come.
    private var left = 0
    private var groupsLeft = 0
    private var lastNode: StreamID?
    /// The group at work.
    private var edit: StreamGroupTree.Edit?
    private var groupDigest = Digest()
    private var lastConsumer: [UInt8]?
    private var lastPending = StreamID.zero

    override func step(_ reader: inout StateReader) throws(StateHalt) -> Bool {
        switch part {
        case .position: try position(&reader)
        case .node: try node(&reader)
        case .groups:
            groupsLeft = try reader.count()
            part = .group
            return groupsLeft == 0
        case .group: try group(&reader)
        case .consumer: try consumer(&reader)
        case .pendings:
            left = try reader.count()
            lastPending = .zero
            part = .pending
            return left == 0 && endGroup()
        case .pending:
            try pending(&reader)
            return left == 0 && endGroup()
        }
        return false
    }

    private func position(_ reader: inout StateReader) throws(StateHalt) {
        var position = StreamValue.Position()
        position.lastID = try reader.id()
        position.maxDeletedID = try reader.id()
        position.entriesAdded = try reader.number()
        left = try reader.count()
        stream = StreamValue(position: position)
        if left > 0 {
            part = .node
            return
        }
        endNodes()
    }

    private func endNodes() {
        stream.findFirst()
        // The first ID stands at the front of the digest, and is known only now.
        var whole = stream.positionDigest
        stream.forEachNode {
            whole.append($0, elements: nodeDigests[digested]); digested += 1
        }
        nodeDigests = []
        digest = whole
        part = .groups
    }

    /// Digests of the nodes' elements, until the first ID is known.
    private var nodeDigests: [Digest] = []
    private var digested = 0

    private func node(_ reader: inout StateReader) throws(StateHalt) {
        let base = try reader.id()
        let (alive, dead, fields) = (try reader.count(), try reader.count(), try reader.count())
        let elements = try reader.bytes()
        let framed = ByteBuffer(capacity: elements.count + 64)
        framed.append(integer: UInt32(0))
        framed.append(integer: UInt16(65535))
        for number in [alive, dead, fields] {
            let element = PackedElement(integer: Int64(number))
            let body = PackedEntry.bodyBytes(element)
            let total = body + PackedEntry.backBytes(body)
            if let start = framed.reserve(total).baseAddress { PackedEntry.encode(element, bodyBytes: body, to: start) }
            framed.commit(total)
        }
        framed.append(elements)
        framed.append(byte: 0xFF)
        if framed.count > Int(Int32.max) { throw .bad("a node of a stream is too long") }
        framed.overwrite(at: 0, integer: UInt32(framed.count))
        var made: StreamNode?
        do throws(RDBError) {
            var source = try StreamNodeReader(framed.view, base: base, after: lastNode)
            made = try source.node()
        } catch {
            throw .bad("a node of a stream is damaged")
        }
        guard let made else { throw .bad("a node of a stream has entries") }
        if made.lastID > stream.position.lastID {
            made.page.release()
            throw .bad("no entry of a stream is behind its last ID")
        }
        nodeDigests.append(Digest(made.elements, seed: seed))
        lastNode = made.lastID
        stream.add(made)
        left -= 1
        if left == 0 { endNodes() }
    }

    // MARK: groups

    private func group(_ reader: inout StateReader) throws(StateHalt) {
        let name = try reader.bytes()
        let lastID = try reader.id()
        let entriesRead = try reader.signed()
        let nextConsumer = try reader.number()
        left = try reader.count()
        if entriesRead < -1 { throw .bad("a group has read a number of entries, or an unknown one") }
        if !stream.addGroup(name, lastID: lastID, entriesRead: entriesRead) { throw .bad("a group comes twice") }
        guard let edit = stream.edit(name) else { throw .bad("a group that was added is there") }
        self.edit = edit
        edit.group.nextConsumer = nextConsumer
        groupDigest = Digest(name, seed: seed)
        groupDigest.append(positionOf: edit.group)
        lastConsumer = nil
        part = left == 0 ? .pendings : .consumer
    }

    private func consumer(_ reader: inout StateReader) throws(StateHalt) {
        let name = try reader.bytes()
        let consumer = StreamConsumer(
            number: try reader.number(), seenTime: try reader.integer(Int64.self), activeTime: try reader.integer(Int64.self))
        guard let group = edit?.group else { throw .bad("a consumer has a group") }
        if let lastConsumer, lastConsumer.withView({ $0.compare(name) }) >= 0 { throw .bad("a group's consumers ascend by name") }
        lastConsumer = name.array
        if consumer.number >= group.nextConsumer || group.hasConsumer(consumer.number) {
            throw .bad("a consumer's number is its own, and below the next one's")
        }
        group.add(consumer, named: name)
        groupDigest.append(consumer, name: Digest(name, seed: seed))
        left -= 1
        if left == 0 { part = .pendings }
    }

    private func pending(_ reader: inout StateReader) throws(StateHalt) {
        let milliseconds = lastPending.milliseconds &+ (try reader.number())
        let id = StreamID(milliseconds: milliseconds, sequence: try reader.number())
        let pending = StreamPending(
            consumer: try reader.number(), deliveryTime: try reader.signed(), deliveryCount: try reader.signed())
        guard let group = edit?.group, group.hasConsumer(pending.consumer) else { throw .bad("a pending entry has a consumer") }
        if group.pendingCount > 0 && id <= lastPending { throw .bad("a group's pending entries ascend") }
        lastPending = id
        group.put(id, pending, old: nil)
        groupDigest.append(id, pending, consumer: Digest(group.consumerName(pending.consumer), seed: seed))
        left -= 1
    }

    /// Puts the group back into its stream; whether it was the last one.
    private func endGroup() -> Bool {
        if let edit { stream.finish(edit) }
        edit = nil
        digest.append(groupDigest)
        groupsLeft -= 1
        part = .group
        return groupsLeft == 0
    }

    override func finish() -> CollectionValue { stream }
}
