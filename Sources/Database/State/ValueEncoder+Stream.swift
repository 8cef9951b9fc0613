import Base

/// Where the encoding of a stream is.
struct StreamPlace {
    /// Entries of the nodes that are done.
    var entries = 0
    /// Whether the numbers of the node at work are written.
    var isInNode = false
    /// Groups that are done.
    var groups = 0
    enum Part { case beforeGroups, name, consumers, pending }
    var part = Part.beforeGroups
    /// Of the group at work.
    var group = Digest()
    /// Consumers of the group that are done, and whether the name of the next one is.
    var consumers = 0
    /// The next ID that may be pending, and the last one that was.
    var nextPending: StreamID? = .zero
    var lastPending = StreamID.zero
}

// Streams.
//
//     ID       milliseconds, sequence
//     node     base, entries alive, tombstones, shared fields, where entries begin and where the first one alive does, elements as bytes
//     group    name, last ID, signed entries read, next consumer's number, number of consumers, each its name, number, time seen and time
//              active (Int64); number of pending entries, each its milliseconds (less those of the one before), sequence, consumer's number,
//              signed time of delivery, signed count of deliveries
extension ValueEncoder {
    mutating func stream(_ stream: StreamValue, _ output: ByteBuffer, _ limit: Int) -> Bool {
        if !hasBegun {
            hasBegun = true
            let position = stream.position
            ValueEncoder.append(position.lastID, output)
            ValueEncoder.append(position.maxDeletedID, output)
            output.append(variable: position.entriesAdded)
            output.append(variable: UInt64(stream.entries.nodeCount))
            digest = stream.positionDigest
        }
        while place.entries < stream.count {
            if output.count >= limit { return false }
            encode(StreamNode(page: stream.entries.tree.locate(place.entries).leaf), output)
        }
        if place.part == .beforeGroups {
            output.append(variable: UInt64(stream.groups.count))
            place.part = .name
        }
        while place.groups < stream.groups.count {
            if output.count >= limit { return false }
            encode(stream.groups.group(at: place.groups), output, limit)
        }
        return true
    }

    private static func append(_ id: StreamID, _ output: ByteBuffer) {
        output.append(variable: id.milliseconds)
        output.append(variable: id.sequence)
    }

    /// A step of a node.
    private mutating func encode(_ node: StreamNode, _ output: ByteBuffer) {
        if !place.isInNode {
            place.isInNode = true
            ValueEncoder.append(node.base, output)
            for number in [node.count, node.deadCount, node.fieldCount] { output.append(variable: UInt64(number)) }
        }
        let elements = node.elements
        guard let part = bytes(elements, head: UInt64(elements.count), output) else { return }
        digest.append(node, elements: part)
        place.isInNode = false
        place.entries += node.count
    }

    /// A step of a group.
    private mutating func encode(_ group: StreamGroup, _ output: ByteBuffer, _ limit: Int) {
        switch place.part {
        case .beforeGroups, .name:
            guard let name = bytes(group.name, head: UInt64(group.name.count), output) else { return }
            ValueEncoder.append(group.lastID, output)
            output.append(variable: StateFormat.zigzag(group.entriesRead))
            output.append(variable: group.nextConsumer)
            output.append(variable: UInt64(group.consumerCount))
            place.group = name
            place.group.append(positionOf: group)
            place.consumers = 0
            place.part = .consumers
        case .consumers:
            if !encodeConsumers(group, output, limit) { return }
            output.append(variable: UInt64(group.pendingCount))
            place.nextPending = .zero
            place.lastPending = .zero
            place.part = .pending
        case .pending:
            if !encodePending(group, output, limit) { return }
            digest.append(place.group)
            place.groups += 1
            place.part = .name
        }
    }

    private mutating func encodeConsumers(_ group: StreamGroup, _ output: ByteBuffer, _ limit: Int) -> Bool {
        group.forEachConsumer(from: place.consumers) { name, consumer in
            guard let part = bytes(name, head: UInt64(name.count), output) else { return false }
            output.append(variable: consumer.number)
            output.append(integer: consumer.seenTime)
            output.append(integer: consumer.activeTime)
            place.group.append(consumer, name: part)
            place.consumers += 1
            return output.count < limit
        }
        return place.consumers == group.consumerCount
    }

    private mutating func encodePending(_ group: StreamGroup, _ output: ByteBuffer, _ limit: Int) -> Bool {
        guard let start = place.nextPending else { return true }
        var isCut = false
        group.forEachPending(from: start) { id, pending in
            if output.count >= limit {
                isCut = true
                return false
            }
            output.append(variable: id.milliseconds - place.lastPending.milliseconds)
            output.append(variable: id.sequence)
            output.append(variable: pending.consumer)
            output.append(variable: StateFormat.zigzag(pending.deliveryTime))
            output.append(variable: StateFormat.zigzag(pending.deliveryCount))
            place.group.append(id, pending, consumer: Digest(group.consumerName(pending.consumer), seed: seed))
            place.lastPending = id
            place.nextPending = id.next
            return true
        }
        return !isCut
    }
}

extension Digest {
    /// Mixes in a node of a stream; `elements` is the digest of its elements.
    mutating func append(_ node: StreamNode, elements: Digest) {
        append(node.base.milliseconds)
        append(node.base.sequence)
        append(UInt64(node.count))
        append(UInt64(node.deadCount))
        append(elements)
    }

    /// Mixes in where a group is.
    mutating func append(positionOf group: StreamGroup) {
        for value in [group.lastID.milliseconds, group.lastID.sequence, UInt64(bitPattern: group.entriesRead)] { append(value) }
    }

    mutating func append(_ consumer: StreamConsumer, name: Digest) {
        append(name)
        append(UInt64(bitPattern: consumer.seenTime))
        append(UInt64(bitPattern: consumer.activeTime))
    }

    mutating func append(_ id: StreamID, _ pending: StreamPending, consumer: Digest) {
        append(id.milliseconds)
        append(id.sequence)
        append(UInt64(bitPattern: pending.deliveryTime))
        append(UInt64(bitPattern: pending.deliveryCount))
        append(consumer)
    }
}
