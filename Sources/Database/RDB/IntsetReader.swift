import Base

/// Reads an intset: bytes of an integer (UInt32: 2, 4 or 8), count (UInt32), the integers, ascending.
struct IntsetReader: PackedReader {
    private static let headerBytes = 8
    private let view: ByteView
    private let width: Int
    private var index = 0
    private(set) var remaining: Int

    /// Checks size and order.
    init(_ view: ByteView) throws(RDBError) {
        self.view = view
        guard view.count >= IntsetReader.headerBytes else { throw .invalidPacking }
        width = Int(view.integer(at: 0, as: UInt32.self))
        remaining = Int(view.integer(at: 4, as: UInt32.self))
        guard width == 2 || width == 4 || width == 8, view.count - IntsetReader.headerBytes == remaining * width else {
            throw .invalidPacking
        }
        if remaining == 0 { return }
        for place in 1..<remaining where value(place - 1) >= value(place) { throw .invalidPacking }
    }

    private func value(_ place: Int) -> Int64 {
        let offset = IntsetReader.headerBytes + place * width
        switch width {
        case 2: return Int64(view.integer(at: offset, as: Int16.self))
        case 4: return Int64(view.integer(at: offset, as: Int32.self))
        default: return view.integer(at: offset, as: Int64.self)
        }
    }

    mutating func next() -> PackedElement {
        check(remaining > 0, "only an element that is left is read")
        remaining -= 1
        index += 1
        return PackedElement(integer: value(index - 1))
    }
}
