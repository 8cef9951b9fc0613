import Base

/// Reads a ziplist, the packed form before Redis 7: total bytes (UInt32), offset of the last entry (UInt32), count (UInt16, 65535:
/// unknown), entries, 0xFF. An entry is the length of the one before it, an encoding with a length, and the data.
struct ZiplistReader: PackedReader {
    private static let headerBytes = 10
    private let view: ByteView
    private var offset = headerBytes
    private(set) var remaining = 0

    /// An entry as it lies in the bytes.
    private struct Entry {
        var encoding: UInt8
        var data: Int
        var dataBytes: Int
        var previousBytes: Int
        var end: Int { data + dataBytes }
    }

    /// Checks every entry.
    init(_ view: ByteView) throws(RDBError) {
        self.view = view
        guard view.count >= ZiplistReader.headerBytes + 1, Int(view.integer(at: 0, as: UInt32.self)) == view.count,
            view[view.count - 1] == 0xFF
        else { throw .invalidPacking }
        let end = view.count - 1
        var position = ZiplistReader.headerBytes
        var previous = 0
        var last = position
        while position < end {
            guard let entry = ZiplistReader.entry(view, at: position, limit: end), entry.previousBytes == previous else {
                throw .invalidPacking
            }
            last = position
            previous = entry.end - position
            position = entry.end
            remaining += 1
        }
        let counted = Int(view.integer(at: 8, as: UInt16.self))
        if counted != 65535 && counted != remaining { throw .invalidPacking }
        if Int(view.integer(at: 4, as: UInt32.self)) != last { throw .invalidPacking }
    }

    /// The entry at `position`; nil when it does not end before `limit` or has an unknown encoding.
    private static func entry(_ view: ByteView, at position: Int, limit: Int) -> Entry? {
        var at = position
        var previous = Int(view[at])
        at += 1
        if previous == 0xFF { return nil }
        if previous == 0xFE {
            if limit - at < 4 { return nil }
            previous = Int(view.integer(at: at, as: UInt32.self))
            at += 4
        }
        if at >= limit { return nil }
        let encoding = view[at]
        at += 1
        let bytes: Int
        switch encoding {
        case 0x00...0x3F: bytes = Int(encoding)
        case 0x40...0x7F:
            if limit - at < 1 { return nil }
            bytes = Int(encoding & 0x3F) << 8 | Int(view[at])
            at += 1
        case 0x80...0xBF:
            if limit - at < 4 { return nil }
            bytes = Int(view.integer(at: at, as: UInt32.self).byteSwapped)
            at += 4
        case 0xC0: bytes = 2
        case 0xD0: bytes = 4
        case 0xE0: bytes = 8
        case 0xF0: bytes = 3
        case 0xFE: bytes = 1
        case 0xF1...0xFD: bytes = 0
        default: return nil
        }
        return bytes <= limit - at ? Entry(encoding: encoding, data: at, dataBytes: bytes, previousBytes: previous) : nil
    }

    mutating func next() -> PackedElement {
        check(remaining > 0, "only an element that is left is read")
        guard let entry = ZiplistReader.entry(view, at: offset, limit: view.count - 1) else {
            check(false, "the entries of a checked ziplist are sound")
            return PackedElement(raw: .empty)
        }
        remaining -= 1
        offset = entry.end
        switch entry.encoding {
        case 0xC0: return PackedElement(integer: Int64(view.integer(at: entry.data, as: Int16.self)))
        case 0xD0: return PackedElement(integer: Int64(view.integer(at: entry.data, as: Int32.self)))
        case 0xE0: return PackedElement(integer: view.integer(at: entry.data, as: Int64.self))
        case 0xF0:
            let low = UInt32(view.integer(at: entry.data, as: UInt16.self))
            return PackedElement(integer: Int64(Int32(bitPattern: (low | UInt32(view[entry.data + 2]) << 16) << 8) >> 8))
        case 0xFE: return PackedElement(integer: Int64(view.integer(at: entry.data, as: Int8.self)))
        case 0xF1...0xFD: return PackedElement(integer: Int64(entry.encoding & 0x0F) - 1)
        default: return PackedElement(view.slice(entry.data, entry.dataBytes))
        }
    }
}
