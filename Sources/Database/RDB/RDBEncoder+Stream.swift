import Base

extension RDBEncoder {
    /// Appends a stream in the form of Redis 7.0, which does not say when a consumer was last active.
    func append(_ stream: StreamValue) {
        writer.buffer.append(byte: RDBType.streamListpacks2.rawValue)
        writer.length(stream.entries.nodeCount)
        stream.forEachNode { append($0) }
        writer.length(stream.count)
        let position = stream.position
        append(position.lastID)
        append(position.firstID)
        append(position.maxDeletedID)
        writer.number(position.entriesAdded)
        writer.length(stream.groups.count)
        stream.forEachGroup { append($0) }
    }

    private func append(_ id: StreamID) {
        writer.number(id.milliseconds)
        writer.number(id.sequence)
    }

    private func append(_ node: StreamNode) {
        node.base.withBytes { writer.string($0) }
        writer.listpack(front: [node.count, node.deadCount, node.fieldCount], elements: node.elements)
    }

    private func append(_ group: StreamGroup) {
        writer.string(group.name)
        append(group.lastID)
        writer.number(UInt64(bitPattern: group.entriesRead))
        writer.length(group.pendingCount)
        group.forEachPending { id, pending in
            id.withBytes { writer.buffer.append($0) }
            writer.buffer.append(integer: pending.deliveryTime)
            writer.number(UInt64(bitPattern: pending.deliveryCount))
            return true
        }
        writer.length(group.consumerCount)
        group.forEachConsumer { name, consumer in
            writer.string(name)
            writer.buffer.append(integer: consumer.seenTime)
            writer.length(group.pendingCount(of: consumer))
            group.forEachOwned(consumer) { id in
                id.withBytes { writer.buffer.append($0) }
                return true
            }
        }
    }
}
