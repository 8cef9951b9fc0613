import Base

// The format of a recorded state: what a state file and a part of a distributed snapshot carry. Little-endian; "number" is LEB128, "signed" a
// zigzag number.
//
//     stream   magic (8 bytes), version (UInt32), blocks
//     block    count (UInt32), so many bytes, their hash under the block's number (UInt64)
//
// The bytes of all blocks, one behind the other, are items. An item may go on in the next block.
//
//     head     0x01, seed (UInt64), time, applied index, applied term, count of changes, whether keys expire (byte), parameters: count, each
//              its name and value; sessions: count, each node, incarnation, last number; commands of which some pieces are applied:
//              count, each node, bytes of the whole, bytes that are there, digest (two UInt64); databases: count, each the number of
//              its keys
//     piece    0x04, node, bytes: the next ones of its command, up to those that are there
//     select   0x02, database: of the entries that follow
//     entry    0x80 + type + 8 where there is a deadline + form * 16, changes since its version, (signed deadline - time in ms,) key,
//              value
//     end      0x03, number of keys, digest (two UInt64)
//
// Entries come in no order, each key once. Bytes are a count and the bytes. Elements of collections are bytes (count * 2) or integers (odd);
// see `ValueEncoder` for the values. What is in here is content and what is left of history: forms that OBJECT ENCODING shows, chunks
// of lists, nodes of streams. How the table, its segments or the trees of tables lie in memory is not, and neither are access times.
package enum StateFormat {
    static let magic: StaticString = "CORACLE\n"
    /// Counted up with every change; another one is refused.
    static let version: UInt32 = 1
    /// Bytes in front of the first block.
    package static let prefixBytes = 12
    /// Bytes of a block, about: what is encoded between two looks at the budget may go over it.
    static let blockBytes = 1 << 16
    /// In front of what a block carries: its count.
    package static let blockHeaderBytes = 4
    /// Behind it: its hash.
    package static let blockTrailerBytes = 8
    /// The longest block: no command can make a longer one, whatever its key.
    static let blockBytesMax = 1 << 30

    static let headItem: UInt8 = 0x01
    static let selectItem: UInt8 = 0x02
    static let endItem: UInt8 = 0x03
    static let pieceItem: UInt8 = 0x04
    static let entryItem: UInt8 = 0x80
    static let deadlineBit: UInt8 = 8

    /// The hash behind a block.
    package static func hash(_ block: ByteView, number: UInt64) -> UInt64 { Base.hash(block, seed: number ^ 0x53_7461_7465) }

    static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
    static func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}

/// How a value is kept; OBJECT ENCODING shows most of it. Raw values are part of the format.
enum StateForm {
    // Strings.
    static let plain: UInt8 = 0
    static let raw: UInt8 = 1
    static let integer: UInt8 = 2
    // Collections.
    static let packed: UInt8 = 0
    static let table: UInt8 = 1
    /// Sets of integers in one page.
    static let integers: UInt8 = 2
    /// Added to the form of a hash.
    static let fieldDeadlines: UInt8 = 2

    /// The form of a collection.
    static func of(_ value: CollectionValue) -> UInt8 {
        switch value {
        case let list as ListValue: return list.isPacked ? packed : table
        case let set as SetValue:
            switch set.encoding {
            case .intset: return integers
            case .listpack: return packed
            case .hashtable: return table
            }
        case let set as SortedSetValue: return set.isPacked ? packed : table
        case let hash as HashValue:
            return (hash.isPacked ? packed : table) + (hash.deadlines == nil ? 0 : fieldDeadlines)
        default: return packed
        }
    }
}

/// Why a recorded state can't be loaded, and where.
package struct StateFormatError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// It does not begin as a recorded state does.
        case foreign
        /// It is of a version that is not known here.
        case unknownVersion(UInt32)
        /// A block is not what was written: its hash or its length is wrong.
        case damaged
        /// It ends before its end.
        case truncated
        /// Something that was not written by a state machine: what is wrong with it.
        case invalid(StaticString)
        /// What was loaded is not what was recorded.
        case digestDiffers
        /// Bytes behind the end.
        case trailing

        package static func == (a: Reason, b: Reason) -> Bool { a.text == b.text }

        fileprivate var text: String {
            switch self {
            case .foreign: "it does not begin as a recorded state does"
            case .unknownVersion(let version):
                "its format has version \(version), and version \(StateFormat.version) is known here"
            case .damaged: "a block is damaged"
            case .truncated: "it ends too early"
            case .invalid(let what): "\(what)"
            case .digestDiffers: "what was loaded has another digest than what was recorded"
            case .trailing: "there are bytes behind its end"
            }
        }
    }

    package var reason: Reason
    /// Where, in bytes from the beginning: the start of the block that shows it.
    package var offset: UInt64
    /// Keys that were loaded before.
    package var keys: Int

    /// One line for the operator.
    package var text: String { "state: \(reason.text) (at byte \(offset), after \(keys) keys)" }
}
