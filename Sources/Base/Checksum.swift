import CIntrinsics

/// CRC32C (Castagnoli), RFC 3720, appendix B.4: by the processor's instruction where it has one, else eight bytes at a step by
/// tables. Both give the same.
package enum CRC32C {
    /// See `checksumTables(_:)`; the polynomial with its bits in reverse order.
    @usableFromInline static let tables = checksumTables(UInt32(0x82F6_3B78))

    /// The checksum of `view`, or of everything so far when `continuing` is the checksum of what came before.
    package static func checksum(_ view: ByteView, continuing: UInt32 = 0) -> UInt32 {
        if hasInstruction {
            return ~coracle_crc32c(~continuing, view.start.assumingMemoryBound(to: UInt8.self), view.count)
        }
        return checksumByTables(view, continuing: continuing)
    }

    private static let hasInstruction = coracle_has_crc32c()

    /// As `checksum`, on any processor.
    static func checksumByTables(_ view: ByteView, continuing: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~continuing
            var index = 0
            while index <= view.count - 8 {
                let word = view.start.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let low = UInt32(truncatingIfNeeded: word) ^ crc
                let high = UInt32(truncatingIfNeeded: word >> 32)
                crc =
                    table[7 * 256 + Int(low & 0xFF)] ^ table[6 * 256 + Int((low >> 8) & 0xFF)]
                    ^ table[5 * 256 + Int((low >> 16) & 0xFF)] ^ table[4 * 256 + Int(low >> 24)]
                    ^ table[3 * 256 + Int(high & 0xFF)] ^ table[2 * 256 + Int((high >> 8) & 0xFF)]
                    ^ table[256 + Int((high >> 16) & 0xFF)] ^ table[Int(high >> 24)]
                index += 8
            }
            while index < view.count {
                crc = (crc >> 8) ^ table[Int((crc ^ UInt32(view[index])) & 0xFF)]
                index += 1
            }
            return ~crc
        }
    }
}
