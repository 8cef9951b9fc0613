import Base

/// A piece of a keyspace's table: the entries whose hashes begin with the same `depth` bits.
///
/// A reference to one raw allocation: a header, then slots of 8 bytes. A slot is 0 or an entry's address (48 bits) under a
/// tag: the 16 bits of the hash behind the segment's prefix. The tag's top bits are the slot's home, and slots are
/// filled by linear probing in order of tag, never past the end. So the slots are sorted, a search for an absent key stops early,
/// a removal closes its gap without looking at entries, and SCAN walks in order of the hash.
///
/// Raw memory instead of a class: one dependent memory access less on every lookup. All writes of slots are in this file.
struct Segment {
    /// Slots in which a search may begin.
    static let homes = 512
    /// Homes plus the room behind the last one.
    static let slots = 576
    /// More entries than this split the segment.
    static let entriesMax = 410
    /// Two halves with no more entries than this together become one.
    static let mergedEntriesMax = 160
    static let headerBytes = 16
    static let byteCount = headerBytes + slots * 8

    let pointer: UnsafeMutableRawPointer

    /// An empty segment.
    static func allocate(depth: Int) -> Segment {
        let segment = Segment(pointer: .allocate(byteCount: byteCount, alignment: 16))
        segment.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        segment.depth = depth
        return segment
    }

    /// Entries in the segment.
    var count: Int {
        get { Int(pointer.load(as: UInt32.self)) }
        nonmutating set { pointer.storeBytes(of: UInt32(newValue), as: UInt32.self) }
    }

    /// Bits of the hash that all entries share.
    var depth: Int {
        get { Int(pointer.load(fromByteOffset: 4, as: UInt32.self)) }
        nonmutating set { pointer.storeBytes(of: UInt32(newValue), toByteOffset: 4, as: UInt32.self) }
    }

    @inline(__always)
    private var base: UnsafeMutablePointer<UInt64> {
        (pointer + Segment.headerBytes).assumingMemoryBound(to: UInt64.self)
    }

    /// The tag of a hash in a segment of this depth.
    @inline(__always)
    static func tag(_ hash: UInt64, depth: Int) -> UInt64 { (hash << UInt64(depth)) >> 48 }

    /// The slot where a tag's search begins.
    @inline(__always)
    static func home(_ tag: UInt64) -> Int { Int(tag >> 7) }

    /// The entry in slot `index`, or nil.
    @inline(__always)
    func entry(at index: Int) -> Entry? {
        check(index >= 0 && index < Segment.slots, "a slot's index lies inside its segment")
        guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(base[index] & 0xFFFF_FFFF_FFFF)) else { return nil }
        return Entry(pointer: pointer)
    }

    /// The tag in slot `index`, which must be filled.
    @inline(__always)
    func tag(at index: Int) -> UInt64 {
        check(index >= 0 && index < Segment.slots && base[index] != 0, "only a filled slot has a tag")
        return base[index] >> 48
    }

    /// The address of the slot where a tag's search begins. Behind it there are always some more (see `slots`).
    @inline(__always)
    func slotAddress(of tag: UInt64) -> UInt { UInt(bitPattern: base + Segment.home(tag)) }

    /// What stands in the slot at an address from `slotAddress(of:)`, or up to three slots behind it.
    @inline(__always)
    static func slot(at address: UInt) -> UInt64 {
        guard let pointer = UnsafePointer<UInt64>(bitPattern: address) else { return 0 }
        return pointer.pointee
    }

    /// The slot that holds `key`, or -1.
    @inline(__always)
    func find(_ key: ByteView, tag: UInt64) -> Int {
        var index = Segment.home(tag)
        while index < Segment.slots {
            let slot = base[index]
            if slot == 0 || slot >> 48 > tag { return -1 }
            if slot >> 48 == tag, let pointer = UnsafeMutableRawPointer(bitPattern: UInt(slot & 0xFFFF_FFFF_FFFF)),
                Entry(pointer: pointer).key.equals(key)
            {
                return index
            }
            index += 1
        }
        return -1
    }

    /// Adds an entry that is not there yet, behind those with the same tag. False when the end is reached: the segment must
    /// be split first.
    func insert(_ entry: Entry, tag: UInt64) -> Bool {
        let address = UInt64(UInt(bitPattern: entry.pointer))
        check(address >> 48 == 0 && tag < 1 << 16, "an address has 48 bits, a tag 16")
        var index = Segment.home(tag)
        while index < Segment.slots, base[index] != 0, base[index] >> 48 <= tag { index += 1 }
        var free = index
        while free < Segment.slots, base[free] != 0 { free += 1 }
        if free >= Segment.slots { return false }
        while free > index {
            base[free] = base[free - 1]
            free -= 1
        }
        base[index] = tag << 48 | address
        count += 1
        return true
    }

    /// Puts another allocation in the place of the entry in slot `index` (the same key).
    @inline(__always)
    func replace(at index: Int, with entry: Entry) {
        check(index >= 0 && index < Segment.slots && base[index] != 0, "only a filled slot is replaced")
        base[index] = base[index] & 0xFFFF_0000_0000_0000 | UInt64(UInt(bitPattern: entry.pointer))
    }

    /// Empties slot `index` and closes the gap.
    func remove(at index: Int) {
        check(index >= 0 && index < Segment.slots && base[index] != 0, "only a filled slot is emptied")
        check(count > 0, "a segment with a filled slot counts it")
        var hole = index
        var next = index + 1
        while next < Segment.slots, base[next] != 0, Segment.home(base[next] >> 48) < next {
            base[hole] = base[next]
            hole = next
            next += 1
        }
        base[hole] = 0
        count -= 1
    }
}
