import Base

/// The frame of what DUMP returns and RESTORE takes: type and value, then the format's version (UInt16) and the checksum of everything before
/// it (CRC64), both little-endian.
package enum DumpPayload {
    /// Bytes behind the value.
    package static let footerBytes = 10

    /// Ends a payload whose type and value are all that `buffer` holds from `start` on.
    package static func appendFooter(to buffer: ByteBuffer, from start: Int = 0, version: UInt16 = RDBFormat.versionWritten) {
        buffer.append(integer: version)
        buffer.append(integer: CRC64.checksum(buffer.view.dropFirst(start)))
    }

    /// The type and value of a payload, and its version; nil when the checksum is wrong or the version is not known.
    package static func open(_ payload: ByteView) -> (body: ByteView, version: UInt16)? {
        guard payload.count >= footerBytes else { return nil }
        let end = payload.count - footerBytes
        let version = payload.integer(at: end, as: UInt16.self)
        guard version <= RDBFormat.versionMax,
            payload.integer(at: end + 2, as: UInt64.self) == CRC64.checksum(payload.slice(0, end + 2))
        else { return nil }
        return (payload.slice(0, end), version)
    }

    /// Reads the one value that all of the reader's bytes are. A string may be the reader's own: keep the reader alive.
    package static func value(_ reader: RDBReader, seed: UInt64, limits: CollectionLimits) throws(RDBError) -> RDBValue {
        let byte = try reader.byte()
        guard let type = RDBType(rawValue: byte) else { throw .unsupportedType(byte) }
        let value = try RDBDecoder(reader, seed: seed, limits: limits).value(type)
        if reader.remaining > 0 { throw .trailingBytes }
        return value
    }
}
