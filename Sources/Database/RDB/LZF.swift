import Base

/// The LZF format, which Redis uses for strings: runs of bytes as they are, and references to bytes that came up to 8 KiB
/// before.
enum LZF {
    /// The most that one byte of input can stand for: three bytes make 264.
    static let expansionMax = 88

    /// Appends what `input` stands for to `output`, which is empty. False when the input is damaged or is not exactly `expected`
    /// bytes long; then the output is of no use.
    static func decompress(_ input: ByteView, expected: Int, into output: ByteBuffer) -> Bool {
        check(output.isEmpty, "a string is unfolded into an empty buffer")
        if expected <= 0 || expected > input.count.multipliedReportingOverflow(by: expansionMax).partialValue { return false }
        let room = output.reserve(expected)
        guard let base = room.baseAddress else { return false }
        var read = 0
        var written = 0
        while read < input.count {
            let control = Int(input[read])
            read += 1
            if control < 32 {
                let count = control + 1
                if count > input.count - read || count > expected - written { return false }
                (base + written).copyMemory(from: input.start + read, byteCount: count)
                read += count
                written += count
                continue
            }
            var count = control >> 5
            if count == 7 {
                if read >= input.count { return false }
                count += Int(input[read])
                read += 1
            }
            if read >= input.count { return false }
            let distance = (control & 0x1F) << 8 | Int(input[read])
            read += 1
            count += 2
            let source = written - distance - 1
            if source < 0 || count > expected - written { return false }
            // Byte by byte: source and destination may overlap, and then the bytes just written are repeated.
            for index in 0..<count {
                base.storeBytes(
                    of: base.load(fromByteOffset: source + index, as: UInt8.self), toByteOffset: written + index, as: UInt8.self)
            }
            written += count
        }
        if written != expected { return false }
        output.commit(written)
        return true
    }
}
