import Base

/// Reads a zipmap, the packed form of hashes before Redis 2.6: count of pairs (one byte, 254 and more: unknown), then field and value in
/// turn, each behind its length; a value's length is followed by the count of unused bytes behind it. At the end 0xFF.
struct ZipmapReader: PackedReader {
    private let view: ByteView
    private var offset = 1
    private var isField = true
    private(set) var remaining = 0

    /// Checks every pair.
    init(_ view: ByteView) throws(RDBError) {
        self.view = view
        guard view.count >= 2, view[view.count - 1] == 0xFF else { throw .invalidPacking }
        var position = 1
        while position < view.count - 1 {
            guard let field = ZipmapReader.item(view, at: position, isField: true), field.next < view.count - 1,
                let value = ZipmapReader.item(view, at: field.next, isField: false)
            else { throw .invalidPacking }
            position = value.next
            remaining += 2
        }
        if view[0] < 254 && Int(view[0]) != remaining / 2 { throw .invalidPacking }
    }

    /// The bytes of the item at `position` and where the next one begins; nil when it does not end before the last byte.
    private static func item(_ view: ByteView, at position: Int, isField: Bool) -> (bytes: ByteView, next: Int)? {
        let end = view.count - 1
        var at = position
        var count = Int(view[at])
        at += 1
        if count == 255 { return nil }
        if count == 254 {
            if end - at < 4 { return nil }
            count = Int(view.integer(at: at, as: UInt32.self))
            at += 4
        }
        var unused = 0
        if !isField {
            if at >= end { return nil }
            unused = Int(view[at])
            at += 1
        }
        if count > end - at || unused > end - at - count { return nil }
        return (view.slice(at, count), at + count + unused)
    }

    mutating func next() -> PackedElement {
        check(remaining > 0, "only an element that is left is read")
        guard let item = ZipmapReader.item(view, at: offset, isField: isField) else {
            check(false, "the pairs of a checked zipmap are sound")
            return PackedElement(raw: .empty)
        }
        remaining -= 1
        offset = item.next
        isField.toggle()
        return PackedElement(item.bytes)
    }
}
