import Base
import RESP

/// The score that a text stands for.
func score(fromText text: ByteView) throws(RDBError) -> Double {
    guard let score = parseDouble(text) else { throw .invalidScore }
    return score
}

/// The elements of a packed form, front to back. The whole form is checked before the first element is given out.
protocol PackedReader {
    /// Elements that are left.
    var remaining: Int { get }
    /// The next element; valid as long as the bytes that it was read from. Call it only while some are left.
    mutating func next() -> PackedElement
}

extension PackedReader {
    /// The next element as a score.
    mutating func nextScore() throws(RDBError) -> Double {
        let element = next()
        return element.isInteger ? Double(element.integer) : try score(fromText: element.bytes)
    }
}

/// Reads a listpack: total bytes (UInt32), count (UInt16, 65535: unknown), entries, 0xFF.
struct ListpackReader: PackedReader {
    static let headerBytes = 6
    let view: ByteView
    private(set) var offset = headerBytes
    private(set) var remaining = 0

    /// Checks every entry.
    init(_ view: ByteView) throws(RDBError) {
        self.view = view
        guard view.count >= ListpackReader.headerBytes + 1, Int(view.integer(at: 0, as: UInt32.self)) == view.count,
            view[view.count - 1] == 0xFF
        else { throw .invalidPacking }
        let end = view.count - 1
        var position = ListpackReader.headerBytes
        while position < end {
            // The usual case: a short string, with one byte behind it.
            let lead = view.start.load(fromByteOffset: position, as: UInt8.self)
            if lead & 0xC0 == 0x80 {
                let body = 1 + Int(lead & 0x3F)
                if body >= end - position || view.start.load(fromByteOffset: position + body, as: UInt8.self) != UInt8(body) {
                    throw .invalidPacking
                }
                position += body + 1
                remaining += 1
                continue
            }
            guard let next = ListpackReader.entryEnd(view, at: position, limit: end) else { throw .invalidPacking }
            position = next
            remaining += 1
        }
        let counted = Int(view.integer(at: 4, as: UInt16.self))
        if counted != 65535 && counted != remaining { throw .invalidPacking }
    }

    /// Where the entry at `position` ends, when it is sound.
    static func entryEnd(_ view: ByteView, at position: Int, limit: Int) -> Int? {
        guard let body = bodyBytes(view, at: position, limit: limit) else { return nil }
        let back = PackedEntry.backBytes(body)
        if body > limit - position - back { return nil }
        // The length behind the entry: seven bits a byte, the low ones last, marks on all but the first.
        var value = 0
        for index in 0..<back {
            let byte = view[position + body + index]
            if (byte & 0x80 == 0) != (index == 0) { return nil }
            value = value << 7 | Int(byte & 0x7F)
        }
        return value == body ? position + body + back : nil
    }

    /// Bytes of the entry at `position` without its backward length; nil when it is no entry or its head is cut off.
    private static func bodyBytes(_ view: ByteView, at position: Int, limit: Int) -> Int? {
        let lead = view[position]
        if lead & 0x80 == 0 { return 1 }
        if lead & 0xC0 == 0x80 { return 1 + Int(lead & 0x3F) }
        if lead & 0xE0 == 0xC0 { return 2 }
        switch lead {
        case 0xE0...0xEF:
            if limit - position < 2 { return nil }
            return 2 + (Int(lead & 0x0F) << 8 | Int(view[position + 1]))
        case 0xF0:
            if limit - position < 5 { return nil }
            return 5 + Int(view.integer(at: position + 1, as: UInt32.self))
        case 0xF1: return 3
        case 0xF2: return 4
        case 0xF3: return 5
        case 0xF4: return 9
        default: return nil
        }
    }

    mutating func next() -> PackedElement {
        check(remaining > 0 && offset < view.count - 1, "only an element that is left is read")
        remaining -= 1
        let entry = view.start + offset
        let body = PackedEntry.bodyBytes(entry)
        offset += body + PackedEntry.backBytes(body)
        let element = PackedEntry.decode(entry)
        return element.isInteger ? element : PackedElement(element.bytes)
    }
}
