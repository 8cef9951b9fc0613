import Base

/// An entry of a recorded state whose value is encoded in slices.
final class RecordedValue {
    enum Content {
        /// A long string that is where it was; who changes it hands it over first.
        case reading(Entry)
        /// A long string that has left its keyspace.
        case pinned(PinnedString)
        /// A collection's pages.
        case collection(CollectionValue)
    }

    /// Its database's number in the recorded state.
    let database: Int
    /// What stands in front of the value.
    let head: ByteBuffer
    /// Of what stands in front of the value.
    var digest: Digest
    var content: Content
    /// Bytes that are kept because of it.
    var bytes: Int
    var isBegun = false
    var encoder: ValueEncoder

    init(database: Int, head: ByteBuffer, digest: Digest, content: Content, bytes: Int, seed: UInt64) {
        self.database = database
        self.head = head
        self.digest = digest
        self.content = content
        self.bytes = bytes
        encoder = ValueEncoder(seed: seed)
    }

    /// Goes on with the value until it is done (true) or `output` has `limit` bytes.
    func run(into output: ByteBuffer, limit: Int) -> Bool {
        switch content {
        case .reading(let entry): encoder.run(entry.bytes, into: output, limit: limit)
        case .pinned(let string): encoder.run(string.entry.bytes, into: output, limit: limit)
        case .collection(let value): encoder.run(value, into: output, limit: limit)
        }
    }

    /// Lets go of a large collection in steps: the pages may be nobody else's by now.
    func bury(in graveyard: Graveyard) {
        if case .collection(let value) = content { graveyard.bury(value) }
    }
}
