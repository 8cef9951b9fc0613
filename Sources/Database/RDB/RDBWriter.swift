import Base

/// Writes lengths, strings and numbers of the RDB format at the end of a buffer.
package struct RDBWriter {
    /// Where the bytes go.
    package let buffer: ByteBuffer

    /// A writer at the end of `buffer`.
    package init(_ buffer: ByteBuffer) { self.buffer = buffer }

    /// A length, or a number in its encoding.
    package func length(_ value: Int) {
        check(value >= 0, "a length is not negative")
        number(UInt64(value))
    }

    /// A number in the encoding of lengths.
    package func number(_ value: UInt64) {
        if value < 1 << 6 {
            buffer.append(byte: UInt8(value))
        } else if value < 1 << 14 {
            buffer.append(byte: 0x40 | UInt8(value >> 8))
            buffer.append(byte: UInt8(value & 0xFF))
        } else if value <= UInt64(UInt32.max) {
            buffer.append(byte: 0x80)
            buffer.append(integer: UInt32(value).byteSwapped)
        } else {
            buffer.append(byte: 0x81)
            buffer.append(integer: value.byteSwapped)
        }
    }

    /// A string: as an integer where it is the text of one that fits 32 bits, else as it is.
    package func string(_ bytes: ByteView) {
        if bytes.count <= 11, let value = PackedElement.canonicalInteger(bytes), integer(value) { return }
        blob(bytes)
    }

    /// Strings of more bytes than this are compressed where that makes them shorter.
    private static let plainBytesMax = 20

    /// A string without looking for a number in it.
    private func blob(_ bytes: ByteView) {
        if bytes.count > RDBWriter.plainBytesMax {
            let packed = ByteBuffer(capacity: bytes.count + bytes.count / 32 + 16)
            if LZF.compress(bytes, to: packed) {
                buffer.append(byte: 0xC3)
                length(packed.count)
                length(bytes.count)
                buffer.append(packed.view)
                return
            }
        }
        length(bytes.count)
        buffer.append(bytes)
    }

    /// A string of literal text.
    package func string(_ text: String) { Array(text.utf8).withView { string($0) } }

    /// An integer's text as a string.
    func string(decimal value: Int64) {
        if integer(value) { return }
        withDecimal(value) { string($0) }
    }

    /// An element as a string.
    func string(_ element: PackedElement) {
        if element.isInteger { string(decimal: element.integer) } else { string(element.bytes) }
    }

    /// A string's special encoding for small integers; false where it does not fit.
    private func integer(_ value: Int64) -> Bool {
        if let small = Int8(exactly: value) {
            buffer.append(byte: 0xC0)
            buffer.append(integer: small)
        } else if let small = Int16(exactly: value) {
            buffer.append(byte: 0xC1)
            buffer.append(integer: small)
        } else if let small = Int32(exactly: value) {
            buffer.append(byte: 0xC2)
            buffer.append(integer: small)
        } else {
            return false
        }
        return true
    }

    /// A string that is a listpack of entries that exist.
    func listpack(_ list: PackedList) { listpack(list.entries, count: list.count) }

    /// A string that is a listpack of some integers and behind them entries that exist.
    func listpack(front: [Int], elements: ByteView) {
        let entries = ByteBuffer(capacity: 64)
        for value in front { RDBWriter.append(PackedElement(integer: Int64(value)), to: entries) }
        entries.append(elements)
        var count = front.count
        var offset = 0
        while offset < elements.count {
            let body = PackedEntry.bodyBytes(elements.start + offset)
            offset += body + PackedEntry.backBytes(body)
            count += 1
        }
        check(offset == elements.count, "the last entry ends where the entries end")
        listpack(entries.view, count: count)
    }

    private static func append(_ element: PackedElement, to entries: ByteBuffer) {
        let body = PackedEntry.bodyBytes(element)
        let total = body + PackedEntry.backBytes(body)
        guard let start = entries.reserve(total).baseAddress else { return }
        PackedEntry.encode(element, bodyBytes: body, to: start)
        entries.commit(total)
    }

    /// A string that is a listpack of the elements that `body` hands to the function that it gets.
    func listpack(_ body: (_ append: (PackedElement) -> Void) -> Void) {
        let entries = ByteBuffer(capacity: 256)
        var count = 0
        body { element in
            RDBWriter.append(element, to: entries)
            count += 1
        }
        listpack(entries.view, count: count)
    }

    private func listpack(_ entries: ByteView, count: Int) {
        let bytes = entries.count + PackedList.frameBytes
        check(bytes <= Int(UInt32.max), "a listpack's size fits 32 bits")
        let whole = ByteBuffer(capacity: bytes)
        whole.append(integer: UInt32(bytes))
        whole.append(integer: UInt16(min(count, 65535)))
        whole.append(entries)
        whole.append(byte: 0xFF)
        blob(whole.view)
    }

    /// A string that is an intset.
    func intset(_ set: IntegerSet) {
        let whole = ByteBuffer(capacity: 8 + set.bytes.count)
        whole.append(integer: UInt32(set.width))
        whole.append(integer: UInt32(set.count))
        whole.append(set.bytes)
        blob(whole.view)
    }
}
