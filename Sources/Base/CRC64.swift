import CIntrinsics

/// The 64-bit checksum of Redis's files and payloads: the polynomial of D. T. Jones (0xAD93D23594C935A9), reflected, without initial
/// and final inversion. By carry-less products where the processor has them, else eight bytes at a step by tables. Both give the same.
package enum CRC64 {
    /// The polynomial with its bits in reverse order.
    private static let polynomial: UInt64 = 0x95AC_9329_AC4B_C9B5

    private static let tables = checksumTables(polynomial)

    /// The checksum of `view`, or of everything so far when `continuing` is the checksum of what came before.
    package static func checksum(_ view: ByteView, continuing: UInt64 = 0) -> UInt64 {
        let whole = view.count & ~(blockBytes - 1)
        if whole == 0 || !hasProducts { return checksumByTables(view, continuing: continuing) }
        let folded = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { result in
            guard let bytes = result.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return UInt64(0) }
            coracle_crc64_fold(continuing, view.start.assumingMemoryBound(to: UInt8.self), whole, bytes)
            return checksumByTables(ByteView(UnsafeRawBufferPointer(result)))
        }
        return checksumByTables(view.dropFirst(whole), continuing: folded)
    }

    /// Bytes of a step by products.
    private static let blockBytes = 64

    private static let hasProducts = coracle_has_crc64_fold()

    /// As `checksum`, on any processor.
    static func checksumByTables(_ view: ByteView, continuing: UInt64 = 0) -> UInt64 {
        tables.withUnsafeBufferPointer { table in
            var crc = continuing
            var index = 0
            while index <= view.count - 8 {
                let word = view.start.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ crc
                // In pairs, so that no one waits for all before it.
                let first = table[0x700 + Int(word & 0xFF)] ^ table[0x600 + Int(word >> 8 & 0xFF)]
                let second = table[0x500 + Int(word >> 16 & 0xFF)] ^ table[0x400 + Int(word >> 24 & 0xFF)]
                let third = table[0x300 + Int(word >> 32 & 0xFF)] ^ table[0x200 + Int(word >> 40 & 0xFF)]
                let fourth = table[0x100 + Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
                crc = (first ^ second) ^ (third ^ fourth)
                index += 8
            }
            while index < view.count {
                crc = (crc >> 8) ^ table[Int((crc ^ UInt64(view[index])) & 0xFF)]
                index += 1
            }
            return crc
        }
    }
}
