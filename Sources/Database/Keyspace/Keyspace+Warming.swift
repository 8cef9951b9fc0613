import Base

/// Brings what a few commands are about to look up into the processor's cache, all at once.
///
/// A lookup in a large table waits for memory twice: for the slot, and for the entry behind it. Commands of a batch come one
/// after the other, so these waits add up: they were a third of a node's time under a pipelined load of random keys. Loads
/// that do not depend on each other overlap; so the slots of a window of commands are touched first, then their entries, and then the
/// commands are executed. Nothing is decided here: without it everything is the same, but slower.
struct KeyWarmer {
    /// Commands looked ahead at.
    static let window = 16

    /// The slots where the searches begin, and their tags.
    private var slots: InlineArray<16, UInt> = .init(repeating: 0)
    private var tags: InlineArray<16, UInt64> = .init(repeating: 0)
    /// The entries found in the window.
    private var entries: InlineArray<16, UInt> = .init(repeating: 0)
    private var count = 0
    /// What was loaded, so that loading it is not for nothing in the compiler's eyes.
    private(set) var sum: UInt64 = 0

    /// Notes a key; nothing is waited for yet.
    @inline(__always)
    mutating func note(_ key: ByteView, in keyspace: Keyspace) {
        check(count < KeyWarmer.window, "a window has its size")
        let location = keyspace.locate(keyspace.hashOf(key))
        slots[count] = location.segment.slotAddress(of: location.tag)
        tags[count] = location.tag
        count += 1
    }

    /// Touches the slots of the noted keys, then the entries behind them.
    @inline(__always)
    mutating func warm() {
        for index in 0..<count { sum &+= Segment.slot(at: slots[index]) }
        for index in 0..<count {
            // The first slot is the right one as a rule, or one of the next; further ones are left to the command.
            var address = slots[index]
            entries[index] = 0
            for _ in 0..<4 {
                let slot = Segment.slot(at: address)
                if slot == 0 || slot >> 48 > tags[index] { break }
                if slot >> 48 == tags[index], let entry = UnsafeRawPointer(bitPattern: UInt(slot & 0xFFFF_FFFF_FFFF)) {
                    sum &+= UInt64(entry.load(as: UInt8.self))
                    entries[index] = UInt(bitPattern: entry)
                    break
                }
                address += 8
            }
        }
        // Then the rest of a small entry: a command that waits for it would wait at its end, when references are counted.
        for index in 0..<count {
            guard let pointer = UnsafeMutableRawPointer(bitPattern: entries[index]) else { continue }
            let last = min(Entry(pointer: pointer).byteCount, KeyWarmer.bytesMax) - 1
            var offset = KeyWarmer.lineBytes
            while offset <= last {
                sum &+= UInt64(pointer.load(fromByteOffset: offset, as: UInt8.self))
                offset += KeyWarmer.lineBytes
            }
            sum &+= UInt64(pointer.load(fromByteOffset: last, as: UInt8.self))
        }
        count = 0
    }

    private static let lineBytes = 64
    /// So much of an entry is touched.
    private static let bytesMax = 256
}
