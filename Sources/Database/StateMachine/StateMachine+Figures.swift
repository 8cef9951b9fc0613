import Base

// What INFO, DEBUG DIGEST and the comparison of replicas ask for.
extension StateMachine {
    /// Keys of a database, those that are due but not yet removed included.
    package func keyCount(_ database: Int) -> Int { execution.keyspaces[database].count }

    /// Keys of a database that have a deadline.
    package func expiringKeyCount(_ database: Int) -> Int { execution.keyspaces[database].expiringCount }

    /// Average time to live in milliseconds of a database's keys that have a deadline.
    package func averageTTL(_ database: Int) -> Int64 {
        execution.keyspaces[database].averageTTL(nowMilliseconds: time.milliseconds)
    }

    /// Bytes of memory that the data takes, tables and what is still to be freed included. An estimate.
    package var usedMemory: Int {
        let held = execution.graveyard.pendingBytes + execution.records.heldBytes + pieces.memoryBytes
        return execution.keyspaces.reduce(held) { $0 + $1.memoryBytes }
    }

    /// Changes made to keys since the state began.
    package var changes: UInt64 { execution.changes }

    /// The digest of everything that is replicated. Replicas that have applied the same entries have the same digest. Takes
    /// time in proportion to the data.
    package func digest() -> Digest {
        check(open == nil, "the state has a digest between two entries")
        var digest = headDigest
        for keyspace in execution.keyspaces { digest.append(keyspace.digest(withVersions: true)) }
        return digest
    }

    /// The digest of what is replicated besides the keys.
    var headDigest: Digest {
        var digest = sessions.digest
        digest.append(pieces.digest)
        digest.append(seed)
        digest.append(UInt64(bitPattern: time.microseconds))
        digest.append(appliedIndex.rawValue)
        digest.append(appliedTerm.rawValue)
        digest.append(execution.changes)
        for value in parameterValues { digest.append(UInt64(bitPattern: Int64(value))) }
        digest.append(execution.removesExpiredKeys ? 1 : 0)
        return digest
    }

    /// The digest of keys, values and deadlines alone.
    package func contentDigest() -> Digest {
        var digest = Digest()
        for keyspace in execution.keyspaces { digest.append(keyspace.digest(withVersions: false)) }
        return digest
    }
}

extension Keyspace {
    /// The digest of all keys, whatever their order.
    func digest(withVersions: Bool) -> Digest {
        var sum = Digest()
        let number = ByteBuffer(capacity: 32)
        forEachSegment { segment in
            for index in 0..<Segment.slots {
                guard let entry = segment.entry(at: index) else { continue }
                var digest = Digest(entry.key, seed: seed)
                digest.append(UInt64(entry.type.rawValue))
                digest.append(UInt64(bitPattern: entry.deadline ?? -1))
                if withVersions { digest.append(entry.version) }
                digest.append(content(entry, number))
                sum.add(digest)
            }
        }
        sum.append(UInt64(count))
        return sum
    }

    /// The digest of a value. A string's does not depend on how it is encoded.
    func content(_ entry: Entry, _ number: ByteBuffer) -> Digest {
        if !entry.isString { return entry.collection.digest(seed: seed) }
        guard let integer = entry.integer else { return Digest(entry.bytes, seed: seed) }
        number.removeAll()
        number.append(decimal: integer)
        return Digest(number.view, seed: seed)
    }
}
