import Base

/// The encoding of one entry of a `PackedList`, after the listpack specification that Redis publishes: an encoding byte
/// with as much of the value as fits, the data, and the length of both, written so that it can be read backwards.
enum PackedEntry {
    /// Bytes of the entry at `pointer` without its backward length.
    @inline(__always)
    static func bodyBytes(_ pointer: UnsafeRawPointer) -> Int {
        let lead = pointer.load(as: UInt8.self)
        if lead & 0x80 == 0 { return 1 }
        if lead & 0xC0 == 0x80 { return 1 + Int(lead & 0x3F) }
        if lead & 0xE0 == 0xC0 { return 2 }
        switch lead {
        case 0xE0...0xEF: return 2 + (Int(lead & 0x0F) << 8 | Int(pointer.load(fromByteOffset: 1, as: UInt8.self)))
        case 0xF0: return 5 + Int(UInt32(littleEndian: pointer.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        case 0xF1: return 3
        case 0xF2: return 4
        case 0xF3: return 5
        case 0xF4: return 9
        default:
            check(false, "an entry begins with a known encoding")
            return 0
        }
    }

    /// Bytes of the backward length of an entry of `body` bytes.
    @inline(__always)
    static func backBytes(_ body: Int) -> Int {
        if body <= 127 { return 1 }
        if body < 16383 { return 2 }
        if body < 2_097_151 { return 3 }
        return body < 268_435_455 ? 4 : 5
    }

    /// Bytes of the entry that ends just before `pointer`, without its backward length.
    @inline(__always)
    static func bodyBytesBackward(_ pointer: UnsafeRawPointer) -> Int {
        var value = 0
        var shift = 0
        var offset = -1
        while true {
            let byte = pointer.load(fromByteOffset: offset, as: UInt8.self)
            value |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
            offset -= 1
            check(shift <= 28, "a backward length has at most five bytes")
        }
    }

    /// The element of the entry at `pointer`.
    @inline(__always)
    static func decode(_ pointer: UnsafeRawPointer) -> PackedElement {
        let lead = pointer.load(as: UInt8.self)
        if lead & 0x80 == 0 { return PackedElement(integer: Int64(lead)) }
        if lead & 0xC0 == 0x80 { return PackedElement(raw: ByteView(start: pointer + 1, count: Int(lead & 0x3F))) }
        if lead & 0xE0 == 0xC0 {
            let raw = Int64(lead & 0x1F) << 8 | Int64(pointer.load(fromByteOffset: 1, as: UInt8.self))
            return PackedElement(integer: raw >= 1 << 12 ? raw - (1 << 13) : raw)
        }
        return decodeLong(pointer, lead: lead)
    }

    private static func decodeLong(_ pointer: UnsafeRawPointer, lead: UInt8) -> PackedElement {
        switch lead {
        case 0xE0...0xEF:
            let count = Int(lead & 0x0F) << 8 | Int(pointer.load(fromByteOffset: 1, as: UInt8.self))
            return PackedElement(raw: ByteView(start: pointer + 2, count: count))
        case 0xF0:
            let count = Int(UInt32(littleEndian: pointer.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
            return PackedElement(raw: ByteView(start: pointer + 5, count: count))
        case 0xF1:
            return PackedElement(
                integer: Int64(Int16(littleEndian: pointer.loadUnaligned(fromByteOffset: 1, as: Int16.self))))
        case 0xF2:
            let low = UInt32(pointer.load(fromByteOffset: 1, as: UInt8.self))
            let middle = UInt32(pointer.load(fromByteOffset: 2, as: UInt8.self))
            let high = UInt32(pointer.load(fromByteOffset: 3, as: UInt8.self))
            return PackedElement(integer: Int64(Int32(bitPattern: (low | middle << 8 | high << 16) << 8) >> 8))
        case 0xF3:
            return PackedElement(
                integer: Int64(Int32(littleEndian: pointer.loadUnaligned(fromByteOffset: 1, as: Int32.self))))
        default:
            check(lead == 0xF4, "an entry begins with a known encoding")
            return PackedElement(integer: Int64(littleEndian: pointer.loadUnaligned(fromByteOffset: 1, as: Int64.self)))
        }
    }

    /// Whether the entry at `pointer` is `element`.
    @inline(__always)
    static func equals(_ pointer: UnsafeRawPointer, _ element: PackedElement) -> Bool {
        let lead = pointer.load(as: UInt8.self)
        // The usual case without decoding: a short string against a string of another length.
        if lead & 0xC0 == 0x80 {
            if element.isInteger || element.bytes.count != Int(lead & 0x3F) { return false }
            return ByteView(start: pointer + 1, count: Int(lead & 0x3F)).equals(element.bytes)
        }
        return decode(pointer).equals(element)
    }

    /// Bytes that `element` takes without its backward length.
    @inline(__always)
    static func bodyBytes(_ element: PackedElement) -> Int {
        if element.isInteger { return integerBytes(element.integer) }
        let count = element.bytes.count
        return count < 64 ? 1 + count : count < 4096 ? 2 + count : 5 + count
    }

    private static func integerBytes(_ value: Int64) -> Int {
        if value >= 0 && value <= 127 { return 1 }
        if value >= -4096 && value <= 4095 { return 2 }
        if value >= -32768 && value <= 32767 { return 3 }
        if value >= -8_388_608 && value <= 8_388_607 { return 4 }
        return value >= Int64(Int32.min) && value <= Int64(Int32.max) ? 5 : 9
    }

    /// Bytes that `element` takes in a list.
    static func totalBytes(_ element: PackedElement) -> Int {
        let body = bodyBytes(element)
        return body + backBytes(body)
    }

    /// Writes the entry of `element`, `bodyBytes` and its backward length.
    @inline(__always)
    static func encode(_ element: PackedElement, bodyBytes body: Int, to pointer: UnsafeMutableRawPointer) {
        if element.isInteger {
            encode(integer: element.integer, bodyBytes: body, to: pointer)
        } else {
            let count = element.bytes.count
            if count < 64 {
                pointer.storeBytes(of: 0x80 | UInt8(count), as: UInt8.self)
            } else if count < 4096 {
                pointer.storeBytes(of: 0xE0 | UInt8(count >> 8), as: UInt8.self)
                pointer.storeBytes(of: UInt8(count & 0xFF), toByteOffset: 1, as: UInt8.self)
            } else {
                pointer.storeBytes(of: 0xF0, as: UInt8.self)
                pointer.storeBytes(of: UInt32(count).littleEndian, toByteOffset: 1, as: UInt32.self)
            }
            (pointer + (body - count)).copyMemory(from: element.bytes.start, byteCount: count)
        }
        encodeBack(body, to: pointer + body)
    }

    private static func encode(integer value: Int64, bodyBytes body: Int, to pointer: UnsafeMutableRawPointer) {
        switch body {
        case 1:
            pointer.storeBytes(of: UInt8(value), as: UInt8.self)
        case 2:
            let raw = UInt16(truncatingIfNeeded: value) & 0x1FFF
            pointer.storeBytes(of: 0xC0 | UInt8(raw >> 8), as: UInt8.self)
            pointer.storeBytes(of: UInt8(raw & 0xFF), toByteOffset: 1, as: UInt8.self)
        case 3:
            pointer.storeBytes(of: 0xF1, as: UInt8.self)
            pointer.storeBytes(of: Int16(value).littleEndian, toByteOffset: 1, as: Int16.self)
        case 4:
            pointer.storeBytes(of: 0xF2, as: UInt8.self)
            for index in 0..<3 {
                pointer.storeBytes(
                    of: UInt8(truncatingIfNeeded: value >> Int64(8 * index)), toByteOffset: 1 + index, as: UInt8.self)
            }
        case 5:
            pointer.storeBytes(of: 0xF3, as: UInt8.self)
            pointer.storeBytes(of: Int32(value).littleEndian, toByteOffset: 1, as: Int32.self)
        default:
            pointer.storeBytes(of: 0xF4, as: UInt8.self)
            pointer.storeBytes(of: value.littleEndian, toByteOffset: 1, as: Int64.self)
        }
    }

    @inline(__always)
    private static func encodeBack(_ body: Int, to pointer: UnsafeMutableRawPointer) {
        if body <= 127 {
            pointer.storeBytes(of: UInt8(body), as: UInt8.self)
            return
        }
        // Seven bits a byte, the low ones last; all but the first byte are marked as having one before them.
        let bytes = backBytes(body)
        var rest = body
        for index in stride(from: bytes - 1, through: 0, by: -1) {
            let mark: UInt8 = index == 0 ? 0 : 0x80
            pointer.storeBytes(of: UInt8(rest & 0x7F) | mark, toByteOffset: index, as: UInt8.self)
            rest >>= 7
        }
    }
}
