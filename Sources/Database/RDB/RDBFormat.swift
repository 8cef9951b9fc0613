import Base

// The RDB format: how Redis writes values in its files and in what DUMP returns.
//
// `RDBReader` takes numbers and strings from bytes that nobody vouches for; `ListpackReader`, `ZiplistReader`, `IntsetReader` and
// `ZipmapReader` take elements from the packed forms; `RDBDecoder` makes values of them and `RDBEncoder` writes values.
// `DumpPayload` is the frame of DUMP and RESTORE, `RDBFileReader` and `RDBFileWriter` are for whole files. All of it is pure: bytes in,
// bytes out. Nothing here traps on damaged input, reads past its end or takes much more memory than the input has.
//
// Sources: the documentation of the RDB file format, rdb.h of Valkey 7.2 for the numbers, and what redis-server 7.0.15 writes.

/// Numbers of the format.
package enum RDBFormat {
    /// The version that is written: the one of Redis 7.0, which 7.0, 7.2 and Valkey read.
    package static let versionWritten: UInt16 = 10
    /// The version of a value that has deadlines of fields: the one of Redis 7.4. Older servers refuse it, and lose nothing silently.
    package static let versionWithFieldDeadlines: UInt16 = 12
    /// The newest version of a value that is read: that of Redis 7.4.
    package static let versionMax: UInt16 = 12
    /// The versions of files that are read: those of Redis 5 to 7.2.
    package static let fileVersionMin: UInt16 = 9
    package static let fileVersionMax: UInt16 = 11
    /// The longest string, compressed or not, in bytes (`proto-max-bulk-len`).
    package static let stringBytesMax = 512 << 20
    /// What all compressed strings of one value may unfold to together, in bytes.
    package static let expandedBytesMax = 512 << 20
}

/// The types of values in the format. Raw values are the format's.
package enum RDBType: UInt8, Sendable, CaseIterable {
    case string = 0
    case list = 1
    case set = 2
    /// Scores as text.
    case sortedSet = 3
    case hash = 4
    /// Scores as doubles.
    case sortedSet2 = 5
    case modulePreRelease = 6
    case module2 = 7
    case hashZipmap = 9
    case listZiplist = 10
    case setIntset = 11
    case sortedSetZiplist = 12
    case hashZiplist = 13
    /// Ziplists one behind the other.
    case listQuicklist = 14
    case streamListpacks = 15
    case hashListpack = 16
    case sortedSetListpack = 17
    /// Listpacks and bare elements one behind the other.
    case listQuicklist2 = 18
    case streamListpacks2 = 19
    case setListpack = 20
    case streamListpacks3 = 21
    /// With deadlines of fields, from Redis 7.4 on: the soonest; then for each field what its own is later, field and value.
    case hashDeadlines = 24
    /// The soonest deadline; then a listpack of field, value and deadline in turn.
    case hashListpackDeadlines = 25

    /// Whether it is one of the three forms of streams.
    package var isStream: Bool { self == .streamListpacks || self == .streamListpacks2 || self == .streamListpacks3 }

    /// Whether it is the value of a module.
    package var isModule: Bool { self == .modulePreRelease || self == .module2 }

    /// The type in the keyspace; nil for the values of modules.
    package var valueType: ValueType? {
        switch self {
        case .string: .string
        case .list, .listZiplist, .listQuicklist, .listQuicklist2: .list
        case .set, .setIntset, .setListpack: .set
        case .sortedSet, .sortedSet2, .sortedSetZiplist, .sortedSetListpack: .sortedSet
        case .hash, .hashZipmap, .hashZiplist, .hashListpack, .hashDeadlines, .hashListpackDeadlines: .hash
        case .streamListpacks, .streamListpacks2, .streamListpacks3: .stream
        case .modulePreRelease, .module2: nil
        }
    }
}

/// Why bytes are not what the format allows.
package enum RDBError: Error, Equatable, Sendable {
    /// The bytes end in the middle of something.
    case truncated
    /// A length stands where none can, or is larger than what follows.
    case invalidLength
    /// A string's encoding is unknown, or its compressed bytes do not unfold to the length they promise.
    case invalidString
    /// A listpack, ziplist, intset or zipmap is damaged.
    case invalidPacking
    /// A member or field comes twice.
    case duplicate
    /// A score is no number.
    case invalidScore
    /// A collection without elements.
    case empty
    /// Bytes behind the value.
    case trailingBytes
    /// A type that is not known, or whose values can't be taken.
    case unsupportedType(UInt8)
    /// Above one of the limits of `RDBFormat`.
    case tooLarge
    /// A stream's parts contradict one another.
    case invalidStream
    /// The deadline of a field is none that can be.
    case invalidDeadline

    /// One line for the operator.
    package var text: String {
        switch self {
        case .truncated: "it ends in the middle of a value"
        case .invalidLength: "a length is out of place or larger than what follows"
        case .invalidString: "a string is damaged"
        case .invalidPacking: "a packed collection is damaged"
        case .duplicate: "a member comes twice"
        case .invalidScore: "a score is not a number"
        case .empty: "a collection has no elements"
        case .trailingBytes: "there are bytes behind the value"
        case .unsupportedType(let type): "values of type \(type) are not known here"
        case .tooLarge: "a string is longer than 512 MiB, or compressed strings unfold to more"
        case .invalidStream: "the parts of a stream contradict one another"
        case .invalidDeadline: "the deadline of a field is out of range"
        }
    }
}
