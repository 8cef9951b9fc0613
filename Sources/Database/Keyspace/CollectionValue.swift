import Base

/// A value that is not a string: list, set, sorted set, hash, stream. The keyspace holds one reference to it.
///
/// A class hierarchy rather than a protocol: the dispatch is one indirect call, and a reference fits the entry's word.
/// A subclass is `final`, changes itself in place and never knows its key, its deadline or its database. A collection
/// without elements does not exist in the keyspace: the command that takes the last one deletes the key
/// (`Execution.changed(_:at:)` does it). Streams alone stay (`staysEmpty`).
package class CollectionValue {
    /// Bytes that the keyspace has counted for this value; kept by `Keyspace` alone.
    @exclusivity(unchecked) final var accountedBytes = 0
    /// The entry whose value this is; nil outside of the keyspace. Kept by `Keyspace` alone.
    @exclusivity(unchecked) final var entry: Entry?
    /// Whether `OpenValues` has it on its list, and with it the reference that is the entry's otherwise.
    @exclusivity(unchecked) final var isOpen = false

    package init() {}

    /// What the object itself takes of memory, about.
    static let objectBytes = 64

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

    /// Whether the value is a page and nothing else, which can stand in the entry by itself (`OpenValues`).
    var isBarePage: Bool { false }

    /// Gives the page away, with the count of owners that the value had in it. Only of a value that is a bare page.
    func giveUpPage() -> Page {
        check(false, "only a value that is a bare page gives it up")
        return .none
    }

    /// Takes over a page that was given up by a value of the same type. Only of a value without a page.
    func take(_ page: Page) { check(false, "only a value that can be a bare page takes one over") }

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

    /// Whether a copy still has all its pages in common with the value that it was made of: nothing was changed since.
    func sharesContent(with other: CollectionValue) -> Bool {
        check(false, "a collection compares its pages")
        return false
    }

    /// Frees a part of the content of a value that nobody uses any more, of up to `budget` elements, and lowers the budget by
    /// what was done. True when what is left can go at once. Values that can be large override it, so that dropping a
    /// million elements is no stall.
    package func discard(budget: inout Int) -> Bool {
        budget -= min(budget, 1 + elementsToFree)
        return true
    }
}
