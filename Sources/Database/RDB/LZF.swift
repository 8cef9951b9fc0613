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
        let source = input.start
        let count = input.count
        var read = 0
        var written = 0
        while read < count {
            let control = Int(source.load(fromByteOffset: read, as: UInt8.self))
            read += 1
            if control < 32 {
                let run = control + 1
                if run > count - read || run > expected - written { return false }
                if run <= 8 && count - read >= 8 && expected - written >= 8 {
                    let word = source.loadUnaligned(fromByteOffset: read, as: UInt64.self)
                    base.storeBytes(of: word, toByteOffset: written, as: UInt64.self)
                } else {
                    (base + written).copyMemory(from: source + read, byteCount: run)
                }
                read += run
                written += run
                continue
            }
            var run = control >> 5 + 2
            if run == 9 {
                if read >= count { return false }
                run += Int(source.load(fromByteOffset: read, as: UInt8.self))
                read += 1
            }
            if read >= count { return false }
            let distance = (control & 0x1F) << 8 | Int(source.load(fromByteOffset: read, as: UInt8.self)) + 1
            read += 1
            if distance > written || run > expected - written { return false }
            copy(base + (written - distance), base + written, run, distance: distance, room: expected - written)
            written += run
        }
        if written != expected { return false }
        output.commit(written)
        return true
    }

    /// Copies a run of bytes that were written to where the next are. Exactly as many where they are few: what is read next may be what is
    /// written now, and is there sooner where one store wrote all of it.
    @inline(__always)
    private static func copy(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ run: Int, distance: Int, room: Int
    ) {
        if distance < run || run > 16 { return repeated(source, target, run, room: room) }
        if run >= 8 {
            ends(source, target, run, as: UInt64.self)
        } else if run >= 4 {
            ends(source, target, run, as: UInt32.self)
        } else {
            ends(source, target, run, as: UInt16.self)
        }
    }

    /// Copies the first and the last bytes of a run, which are all of them.
    @inline(__always)
    private static func ends<Word: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ run: Int, as type: Word.Type
    ) {
        let last = run - MemoryLayout<Word>.size
        let (front, back) = (source.loadUnaligned(as: type), source.loadUnaligned(fromByteOffset: last, as: type))
        target.storeBytes(of: front, as: type)
        target.storeBytes(of: back, toByteOffset: last, as: type)
    }

    /// Copies bytes that were written to where the next are. They may overlap, and then the bytes just written are repeated.
    @inline(__always)
    private static func repeated(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int, room: Int) {
        var index = 0
        // Eight at a time where what is read lies before what is written, and what is too much is written again.
        if UnsafeRawPointer(target) - source >= 8, count + 8 <= room {
            while index < count {
                target.storeBytes(
                    of: source.loadUnaligned(fromByteOffset: index, as: UInt64.self), toByteOffset: index, as: UInt64.self)
                index += 8
            }
            return
        }
        while index < count {
            target.storeBytes(of: source.load(fromByteOffset: index, as: UInt8.self), toByteOffset: index, as: UInt8.self)
            index += 1
        }
    }
}
