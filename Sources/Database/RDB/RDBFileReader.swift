import Base

/// Why a file is not an RDB file that can be read.
package enum RDBFileError: Error, Equatable, Sendable {
    /// It does not begin with the format's mark.
    case notAnRDBFile
    /// A version outside of what `RDBFormat` says.
    case unsupportedVersion(Int)
    /// A value or what stands around it is damaged, at this offset.
    case damaged(RDBError, offset: Int)
    /// A kind of record that is not known, at this offset.
    case unknownRecord(UInt8, offset: Int)
    /// The checksum at the end is not that of the bytes.
    case wrongChecksum

    /// One line for the operator.
    package var text: String {
        switch self {
        case .notAnRDBFile: "it is not an RDB file"
        case .unsupportedVersion(let version):
            "it has RDB version \(version), and versions \(RDBFormat.fileVersionMin) to \(RDBFormat.fileVersionMax) are read"
        case .damaged(let error, let offset): "it is damaged at byte \(offset): \(error.text)"
        case .unknownRecord(let byte, let offset): "it has a record of unknown kind \(byte) at byte \(offset)"
        case .wrongChecksum: "it is damaged: its checksum is wrong"
        }
    }
}

/// Walks through an RDB file. Values are passed on as they stand there, to be sent to whoever makes them; only their lengths are checked.
package struct RDBFileReader {
    /// A key with what is known of it.
    package struct Key {
        /// Valid until the next record is read.
        package var name: ByteView
        package var type: RDBType
        /// The value without its type.
        package var value: ByteView
        package var database: Int
        /// Milliseconds since 1970.
        package var deadline: Int64?
        /// Seconds since it was last used.
        package var idleSeconds: UInt64?
        /// How often it was used, on Redis's logarithmic scale.
        package var frequency: UInt8?
    }

    /// What stands in a file.
    package enum Record {
        /// A fact about the file. Valid until the next record is read.
        case auxiliary(name: ByteView, value: ByteView)
        case key(Key)
        /// A library of functions.
        case function
        /// What a module wrote besides its values.
        case moduleData(name: String)
        /// The file's end, with its checksum compared.
        case end
    }

    /// Bytes of mark and version.
    private static let headerBytes = 9

    /// The version in the file's head.
    package let version: Int
    private let view: ByteView
    private let reader: RDBReader
    private var database = 0
    private let comparesChecksum: Bool

    /// Reads the head of a file.
    ///
    /// - Parameter comparesChecksum: false on a second walk.
    package init(_ view: ByteView, comparesChecksum: Bool = true) throws(RDBFileError) {
        guard view.count >= RDBFileReader.headerBytes, view.slice(0, 5).equals(ByteView("REDIS")) else { throw .notAnRDBFile }
        var version = 0
        for index in 5..<RDBFileReader.headerBytes {
            let digit = Int(view[index]) - 0x30
            guard digit >= 0 && digit <= 9 else { throw .notAnRDBFile }
            version = version * 10 + digit
        }
        guard version >= Int(RDBFormat.fileVersionMin) && version <= Int(RDBFormat.fileVersionMax) else {
            throw .unsupportedVersion(version)
        }
        self.version = version
        self.view = view
        self.comparesChecksum = comparesChecksum
        reader = RDBReader(view)
        _ = try? reader.bytes(RDBFileReader.headerBytes)
    }

    /// Bytes of the file that are read.
    package var offset: Int { reader.offset }

    /// The next record.
    package mutating func next() throws(RDBFileError) -> Record {
        let start = reader.offset
        do throws(RDBError) {
            var key = Key(name: .empty, type: .string, value: .empty, database: database)
            while true {
                let at = reader.offset
                let byte = try reader.byte()
                switch byte {
                case 245:
                    try reader.skipString()
                    return .function
                case 247: return try moduleData()
                case 248: key.idleSeconds = try reader.number()
                case 249: key.frequency = try reader.byte()
                case 250: return .auxiliary(name: try reader.string(), value: try reader.string())
                case 251:
                    _ = try reader.number()
                    _ = try reader.number()
                case 252: key.deadline = try reader.integer(Int64.self)
                case 253: key.deadline = Int64(try reader.integer(Int32.self)) * 1000
                case 254:
                    let number = try reader.number()
                    guard number <= UInt64(Int32.max) else { throw .invalidLength }
                    database = Int(number)
                    key.database = database
                case 255:
                    try end(at)
                    return .end
                default:
                    guard let type = RDBType(rawValue: byte) else { throw RDBError.unsupportedType(byte) }
                    key.type = type
                    key.name = try reader.string()
                    let value = reader.offset
                    try reader.skipValue(type)
                    key.value = reader.slice(from: value, to: reader.offset)
                    return .key(key)
                }
            }
        } catch {
            if case .unsupportedType(let byte) = error { throw .unknownRecord(byte, offset: start) }
            if error == .trailingBytes { throw .wrongChecksum }
            throw .damaged(error, offset: reader.offset)
        }
    }

    private func moduleData() throws(RDBError) -> Record {
        let name = RDBFileReader.moduleName(try reader.number())
        // When it was written: a mark for a number, and the number. Then its parts.
        _ = try reader.number()
        _ = try reader.number()
        try reader.skipModuleParts()
        return .moduleData(name: name)
    }

    /// Compares the checksum at the end; 0 stands for none.
    private func end(_ offset: Int) throws(RDBError) {
        let sum = try reader.integer(UInt64.self)
        if sum == 0 || !comparesChecksum { return }
        // Told apart from damage by the caller.
        if sum != CRC64.checksum(view.slice(0, offset + 1)) { throw .trailingBytes }
    }

    /// The name of a module's type: nine characters of six bits each, above ten bits of a version.
    package static func moduleName(_ id: UInt64) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return String((0..<9).map { letters[Int(id >> UInt64(58 - 6 * $0) & 0x3F)] })
    }

    /// The name of the module whose value `value` is; nil where it is not one.
    package static func moduleName(of value: ByteView) -> String? {
        guard let id = try? RDBReader(value).number() else { return nil }
        return moduleName(id)
    }
}
