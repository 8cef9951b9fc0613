import Base

/// Why reading an item stopped.
enum StateHalt: Error {
    /// More bytes must come: so many from the item's beginning, at least.
    case starved(Int)
    case bad(StaticString)
}

/// Reads the parts of a recorded state from bytes that may end anywhere and that nobody vouches for.
struct StateReader {
    private(set) var reader: ByteReader
    /// Offset of the item that is being read.
    private(set) var start = 0

    init(_ view: ByteView) { reader = ByteReader(view) }

    /// Ends an item: what was read of it is not read again.
    mutating func commit() { start = reader.offset }

    /// Whether everything is read.
    var isAtEnd: Bool { start == reader.view.count }

    private func starved(_ bytes: Int) -> StateHalt { .starved(reader.offset - start + bytes) }

    @inline(__always)
    mutating func byte() throws(StateHalt) -> UInt8 {
        guard let byte = reader.integer(UInt8.self) else { throw starved(1) }
        return byte
    }

    @inline(__always)
    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws(StateHalt) -> Value {
        guard let value = reader.integer(type) else { throw starved(MemoryLayout<Value>.size) }
        return value
    }

    @inline(__always)
    mutating func number() throws(StateHalt) -> UInt64 {
        let offset = reader.offset
        if let value = reader.variable() { return value }
        reader.offset = offset
        if reader.remaining >= 10 { throw .bad("a number has more than 64 bits") }
        throw starved(reader.remaining + 1)
    }

    mutating func signed() throws(StateHalt) -> Int64 { StateFormat.unzigzag(try number()) }

    /// A number of things of which there are at most `max`.
    @inline(__always)
    mutating func count(max: Int = Int(UInt32.max)) throws(StateHalt) -> Int {
        let value = try number()
        if value > UInt64(max) { throw .bad("a count is larger than anything can have") }
        return Int(value)
    }

    /// So many bytes.
    @inline(__always)
    mutating func bytes(_ count: Int) throws(StateHalt) -> ByteView {
        guard let bytes = reader.bytes(count) else { throw starved(count) }
        return bytes
    }

    /// A count and so many bytes.
    @inline(__always)
    mutating func bytes() throws(StateHalt) -> ByteView { try bytes(try count()) }

    mutating func id() throws(StateHalt) -> StreamID { StreamID(milliseconds: try number(), sequence: try number()) }

    /// An element of a collection.
    @inline(__always)
    mutating func element() throws(StateHalt) -> PackedElement {
        let head = try number()
        if head & 1 == 1 {
            if head == 1 { return PackedElement(integer: try integer(Int64.self)) }
            return PackedElement(integer: StateFormat.unzigzag((head >> 1) - 1))
        }
        if head >> 1 > UInt64(UInt32.max) { throw .bad("a count is larger than anything can have") }
        return PackedElement(raw: try bytes(Int(head >> 1)))
    }
}
