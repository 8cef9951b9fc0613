import Base

/// A value that is not a string: list, set, sorted set, hash, stream. The keyspace holds one reference to it.
///
/// A class hierarchy rather than a protocol: the dispatch is one indirect call, and a reference fits the entry's word.
/// A subclass is `final`, changes itself in place and never knows its key, its deadline or its database. A collection
/// without elements does not exist in the keyspace: the command that takes the last one deletes the key
/// (`Execution.changed(_:at:)` does it). Streams alone stay (`staysEmpty`).
package class CollectionValue {
    /// Bytes that the keyspace has counted for this value; kept by `Keyspace` alone.
    final var accountedBytes = 0

    package init() {}

    /// The type; the same for all instances of a subclass.
    package class var type: ValueType {
        check(false, "a collection says its type")
        return .string
    }

    /// Number of elements (fields of a hash, members of a set, entries of a stream). In constant time.
    package var count: Int {
        check(false, "a collection counts its elements")
        return 0
    }

    /// Whether the key stays when the last element goes.
    package var staysEmpty: Bool { false }

    /// What there is to free, in elements: whether the value is freed in steps.
    package var elementsToFree: Int { count }

    /// Bytes of memory that the value takes, its own object included, in constant time. An estimate that goes up and
    /// down with what is really allocated.
    package var memoryBytes: Int {
        check(false, "a collection accounts for its memory")
        return 0
    }

    /// What OBJECT ENCODING answers.
    package var encodingName: StaticString {
        check(false, "a collection names its encoding")
        return "none"
    }

    /// The digest of the content, which must not depend on layout: equal content in equal order (where there is one)
    /// gives equal digests.
    package func digest(seed: UInt64) -> Digest {
        check(false, "a collection has a digest")
        return Digest()
    }

    /// An independent copy, for COPY.
    package func copy() -> CollectionValue {
        check(false, "a collection can be copied")
        return self
    }

    /// Frees a part of the content of a value that nobody uses any more, of up to `budget` elements, and lowers the budget by
    /// what was done. True when what is left can go at once. Values that can be large override it, so that dropping a
    /// million elements is no stall.
    package func discard(budget: inout Int) -> Bool {
        budget -= min(budget, 1 + elementsToFree)
        return true
    }
}
