import Base

/// The bytes of one file on a simulated disk: what would be there after a power loss, nothing else (there is no cache to
/// lose: a write is in this file only once it is durable).
final class SimulatedFile {
    private(set) var bytes: [UInt8]

    /// A file of `count` zero bytes.
    init(zeros count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    /// A file with this content.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Puts `count` bytes of `view`, from `from` on, at the same distance from `offset`.
    func write(_ view: ByteView, from: Int, count: Int, at offset: Int) {
        check(offset >= 0 && offset + from + count <= bytes.count, "a write does not make a file grow")
        let source = view.slice(from, count)
        bytes.withUnsafeMutableBytes { target in
            target.baseAddress?.advanced(by: offset + from).copyMemory(from: source.start, byteCount: count)
        }
    }

    /// Makes the file longer.
    func append(_ view: ByteView) { bytes.append(contentsOf: view.rawBuffer) }

    /// Cuts the file to its first `count` bytes.
    func truncate(to count: Int) {
        check(count <= bytes.count, "a file is only cut shorter")
        bytes.removeLast(bytes.count - count)
    }

    /// Forgets `count` bytes from `offset` on.
    func zero(_ offset: Int, _ count: Int) {
        for position in offset..<offset + count { bytes[position] = 0 }
    }

    /// Turns one bit over, as a disk that loses data silently does.
    func flip(bit: Int) {
        check(bit >= 0 && bit < bytes.count * 8, "a bit of this file")
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
}
