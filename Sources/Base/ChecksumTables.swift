/// Eight tables of 256 for a reflected checksum, one behind the other: number `k * 256 + b` is the effect of byte `b` followed by `k` zero
/// bytes (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators", 2005).
///
/// - Parameter polynomial: with its bits in reverse order.
func checksumTables<Checksum: FixedWidthInteger & UnsignedInteger>(_ polynomial: Checksum) -> [Checksum] {
    var tables = [Checksum](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
        var crc = Checksum(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ polynomial : crc >> 1 }
        tables[byte] = crc
    }
    for byte in 0..<256 {
        for k in 1..<8 {
            let before = tables[(k - 1) * 256 + byte]
            tables[k * 256 + byte] = (before >> 8) ^ tables[Int(before & 0xFF)]
        }
    }
    return tables
}
