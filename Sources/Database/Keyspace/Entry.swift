import Base

/// One key with its value: a reference to a single allocation that the keyspace owns.
///
///     offset  0  UInt32  bits 0-3 type, 4-7 flags, 8-31 time of the last access in seconds (this node's own)
///             4  UInt32  bytes of the key
///             8  UInt64  version: the state machine's count of changes when this key last changed (WATCH)
///            16  string: UInt32 length, UInt32 capacity; integer string: Int64; collection: a retained reference, or its page + 1
///            24  only with `hasDeadline`: Int64 deadline in ms since 1970, UInt64 place in the keyspace's expiry heap
///                the key's bytes, then the capacity for the string's bytes
///
/// Valid until the keyspace next adds, removes or resizes a key: look it up again after that. Only `Keyspace` changes
/// entries, so that there is one place where open records are told of it first (`OpenRecords`).
package struct Entry {
    /// The allocation.
    let pointer: UnsafeMutableRawPointer

    static let headerBytes = 24
    static let deadlineBytes = 16
    /// Longest string that OBJECT ENCODING calls "embstr".
    static let embeddedBytesMax = 44

    /// What an entry's flag bits say.
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The entry has the deadline's 16 bytes.
        static let hasDeadline = Flags(rawValue: 1)
        /// A string that is the decimal text of the Int64 at offset 16.
        static let integer = Flags(rawValue: 2)
        /// A string that OBJECT ENCODING calls "raw" however short it is.
        static let raw = Flags(rawValue: 4)
        /// A hash with deadlines on fields, which the keyspace has in their order.
        static let fieldDeadlines = Flags(rawValue: 8)
    }

    private var word: UInt32 {
        get { pointer.load(as: UInt32.self) }
        nonmutating set { pointer.storeBytes(of: newValue, as: UInt32.self) }
    }

    /// The value's type.
    package var type: ValueType {
        guard let type = ValueType(rawValue: UInt8(truncatingIfNeeded: word & 0xF)) else {
            check(false, "an entry has a known type")
            return .string
        }
        return type
    }

    /// Whether the value is a string, without the cost of naming the other types.
    @inline(__always)
    package var isString: Bool { word & 0xF == 0 }

    /// Whether the value is of a type.
    @inline(__always)
    func holds(_ type: ValueType) -> Bool { word & 0xF == UInt32(type.rawValue) }

    @inline(__always)
    var flags: Flags {
        get { Flags(rawValue: UInt8(truncatingIfNeeded: word >> 4) & 0xF) }
        nonmutating set { word = word & 0xFFFF_FF0F | UInt32(newValue.rawValue) << 4 }
    }

    /// When this node last looked at the key, in seconds, modulo 2^24. Not replicated.
    var accessSeconds: UInt32 {
        get { word >> 8 }
        nonmutating set { word = word & 0xFF | newValue << 8 }
    }

    @inline(__always)
    var keyCount: Int { Int(pointer.load(fromByteOffset: 4, as: UInt32.self)) }

    @inline(__always)
    var hasDeadline: Bool { flags.contains(.hasDeadline) }

    @inline(__always)
    var hasFieldDeadlines: Bool { flags.contains(.fieldDeadlines) }

    /// Whether the key, or anything in it, has a deadline.
    @inline(__always)
    var mayExpire: Bool { !flags.isDisjoint(with: [.hasDeadline, .fieldDeadlines]) }

    @inline(__always)
    private var keyOffset: Int { hasDeadline ? Entry.headerBytes + Entry.deadlineBytes : Entry.headerBytes }

    /// The key.
    @inline(__always)
    package var key: ByteView { ByteView(start: UnsafeRawPointer(pointer) + keyOffset, count: keyCount) }

    /// The count of changes at which this key last changed.
    package var version: UInt64 {
        get { pointer.load(fromByteOffset: 8, as: UInt64.self) }
        nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 8, as: UInt64.self) }
    }

    /// When the key expires, in milliseconds since 1970; nil when it does not.
    @inline(__always)
    package var deadline: Int64? {
        hasDeadline ? pointer.load(fromByteOffset: Entry.headerBytes, as: Int64.self) : nil
    }

    /// The deadline's field, of an entry that has one.
    var deadlineField: Int64 {
        get {
            check(hasDeadline, "only an entry with a deadline has the field")
            return pointer.load(fromByteOffset: Entry.headerBytes, as: Int64.self)
        }
        nonmutating set {
            check(hasDeadline, "only an entry with a deadline has the field")
            pointer.storeBytes(of: newValue, toByteOffset: Entry.headerBytes, as: Int64.self)
        }
    }

    /// The entry's place in the expiry heap, of an entry that has a deadline.
    var heapIndex: Int {
        get { pointer.load(fromByteOffset: Entry.headerBytes + 8, as: Int.self) }
        nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: Entry.headerBytes + 8, as: Int.self) }
    }

    // MARK: strings

    /// The number of an integer-encoded string; nil for every other value.
    @inline(__always)
    package var integer: Int64? {
        word & 0xF == 0 && flags.contains(.integer) ? pointer.load(fromByteOffset: 16, as: Int64.self) : nil
    }

    var integerField: Int64 {
        get { pointer.load(fromByteOffset: 16, as: Int64.self) }
        nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 16, as: Int64.self) }
    }

    var lengthField: Int {
        get { Int(pointer.load(fromByteOffset: 16, as: UInt32.self)) }
        nonmutating set { pointer.storeBytes(of: UInt32(newValue), toByteOffset: 16, as: UInt32.self) }
    }

    var capacityField: Int {
        get { Int(pointer.load(fromByteOffset: 20, as: UInt32.self)) }
        nonmutating set { pointer.storeBytes(of: UInt32(newValue), toByteOffset: 20, as: UInt32.self) }
    }

    /// Where the bytes of a string that is not an integer begin.
    @inline(__always)
    var bytesStart: UnsafeMutableRawPointer { pointer + keyOffset + keyCount }

    /// The bytes of a string that is not integer-encoded.
    @inline(__always)
    package var bytes: ByteView {
        check(word & 0xF == 0 && !flags.contains(.integer), "only a plain string has bytes of its own")
        return ByteView(start: UnsafeRawPointer(bytesStart), count: lengthField)
    }

    /// Length of a string's text in bytes, integers included.
    package var stringCount: Int {
        if let integer { return decimalDigitCount(integer.magnitude) + (integer < 0 ? 1 : 0) }
        return bytes.count
    }

    // MARK: collections

    /// The word of a collection: a retained `CollectionValue`; or, with the lowest bit set, the page that is all of the value.
    @inline(__always)
    private var collectionWord: UInt {
        get { pointer.load(fromByteOffset: 16, as: UInt.self) }
        nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 16, as: UInt.self) }
    }

    /// The page of a small collection at rest (see `OpenValues`); nil where there is an object.
    @inline(__always)
    var barePage: Page? {
        let word = collectionWord
        if word & 1 == 0 { return nil }
        return UnsafeMutableRawPointer(bitPattern: word & ~1).map { Page(start: $0) }
    }

    /// Puts a page in the place of the object that had it.
    @inline(__always)
    func setBarePage(_ page: Page) { collectionWord = UInt(bitPattern: page.start) | 1 }

    @inline(__always)
    var collectionField: UnsafeMutableRawPointer {
        get { pointer.load(fromByteOffset: 16, as: UnsafeMutableRawPointer.self) }
        nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 16, as: UnsafeMutableRawPointer.self) }
    }

    /// Whether the value is this collection, open or at rest as an object.
    @inline(__always)
    func isOf(_ collection: CollectionValue) -> Bool {
        !isString && collectionWord == UInt(bitPattern: Unmanaged.passUnretained(collection).toOpaque())
    }

    /// The collection of an entry that holds one, to be read: of a small one at rest it is a copy, which shares the page. Who
    /// changes a collection opens it (`Keyspace.open`).
    package var collection: CollectionValue {
        check(word & 0xF != 0, "only a value that is not a string is a collection")
        guard let page = barePage else { return Unmanaged<CollectionValue>.fromOpaque(collectionField).takeUnretainedValue() }
        let value = OpenValues.shell(type)
        page.retain()
        value.take(page)
        return value
    }

    /// Number of elements of an entry that holds a collection, which need not be opened for it.
    var elementCount: Int {
        check(!isString, "only a collection has elements")
        guard let page = barePage else {
            return Unmanaged<CollectionValue>.fromOpaque(collectionField)._withUnsafeGuaranteedRef { $0.count }
        }
        // Fields and values, members and scores come in pairs.
        return holds(.hash) || holds(.sortedSet) ? page.count / 2 : page.count
    }

    /// Bytes that the keyspace has counted for the collection.
    var collectionBytes: Int {
        if let page = barePage { return Entry.allocatedBytes(page.capacity) }
        return Unmanaged<CollectionValue>.fromOpaque(collectionField).takeUnretainedValue().accountedBytes
    }

    // MARK: what is asked of every value

    /// What OBJECT ENCODING answers.
    package var encodingName: StaticString {
        if !isString { return collection.encodingName }
        if flags.contains(.integer) { return "int" }
        return flags.contains(.raw) || lengthField > Entry.embeddedBytesMax ? "raw" : "embstr"
    }

    /// Bytes of the allocation as asked for.
    var byteCount: Int {
        let fixed = keyOffset + keyCount
        return isString && !flags.contains(.integer) ? fixed + capacityField : fixed
    }

    // MARK: making and freeing

    /// Allocates an entry without a value; the caller fills the word at 16.
    static func allocate(
        key: ByteView, type: ValueType, flags: Flags, capacity: Int, accessSeconds: UInt32
    ) -> Entry {
        check(key.count <= UInt32.max && capacity <= UInt32.max, "key and value are within their limits")
        let prefix = headerBytes + (flags.contains(.hasDeadline) ? deadlineBytes : 0)
        let entry = Entry(pointer: .allocate(byteCount: prefix + key.count + capacity, alignment: 8))
        entry.pointer.storeBytes(of: UInt32(type.rawValue) | UInt32(flags.rawValue) << 4 | accessSeconds << 8, as: UInt32.self)
        entry.pointer.storeBytes(of: UInt32(key.count), toByteOffset: 4, as: UInt32.self)
        entry.version = 0
        entry.pointer.storeBytes(of: 0, toByteOffset: 16, as: UInt64.self)
        if flags.contains(.hasDeadline) {
            entry.deadlineField = 0
            entry.heapIndex = -1
        }
        (entry.pointer + prefix).copyMemory(from: key.start, byteCount: key.count)
        return entry
    }

    /// What the allocator really takes for `count` bytes (a word of its own, steps of 16): for the account of memory, and to
    /// use all of it.
    @inline(__always)
    static func allocatedBytes(_ count: Int) -> Int { max(32, (count + 8 + 15) & ~15) }

    /// The smallest capacity for a string of `count` bytes that wastes nothing of the allocation.
    @inline(__always)
    static func capacity(for count: Int, fixed: Int) -> Int { allocatedBytes(fixed + count) - 8 - fixed }
}
