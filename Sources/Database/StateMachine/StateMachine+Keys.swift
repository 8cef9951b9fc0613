import Base

// Keys one by one, for tools that compare states.
extension StateMachine {
    /// Calls `body` with every entry of a database, in order of the keys' hashes; those that are due but not yet removed included. An entry is valid
    /// until the state changes.
    package func forEachEntry(_ database: Int, _ body: (Entry) -> Void) {
        check(open == nil, "nobody reads in the middle of an entry")
        execution.keyspaces[database].forEachSegment { segment in
            for index in 0..<Segment.slots { if let entry = segment.entry(at: index) { body(entry) } }
        }
    }

    /// The entry of a key; nil where there is none.
    package func entry(of key: ByteView, _ database: Int) -> Entry? { execution.keyspaces[database].find(key) }

    /// The digest of an entry's type, value and deadline under a seed of the caller's choice, so that entries of clusters with different seeds can be
    /// compared.
    package func digest(of entry: Entry, seed: UInt64) -> Digest {
        var digest = Digest()
        digest.append(UInt64(entry.type.rawValue))
        digest.append(UInt64(bitPattern: entry.deadline ?? -1))
        if !entry.isString {
            digest.append(entry.collection.digest(seed: seed))
        } else if let integer = entry.integer {
            digest.append(withDecimal(integer) { Digest($0, seed: seed) })
        } else {
            digest.append(Digest(entry.bytes, seed: seed))
        }
        return digest
    }
}
