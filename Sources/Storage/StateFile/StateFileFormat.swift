import Base
import Consensus

// The bytes of a state file and of a snapshot's part. docs/internals/state-files.md is the reference; integers are
// little-endian.

/// What a file of this format holds.
package enum StateFileKind: UInt32, Sendable {
    /// A group's state, for recovery and for nodes that are far behind.
    case state = 1
    /// One node's part of a distributed snapshot.
    case snapshotPart = 2
}

/// What a chunk's bytes belong to. The bytes of a section, chunk after chunk, are one stream.
package struct StateFileSection: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package var description: String { "\(rawValue)" }

    /// A group as consensus sees it: term, vote, role, log range, progress.
    package static let group = StateFileSection(rawValue: 1)
    /// The database with its sessions, as `StateRecord` encodes it.
    package static let database = StateFileSection(rawValue: 2)
    /// The state of the channels between nodes.
    package static let channels = StateFileSection(rawValue: 3)
    /// What the snapshot consists of.
    package static let manifest = StateFileSection(rawValue: 4)
    /// The chunk that ends a file. Nobody else's.
    static let trailer = StateFileSection(rawValue: .max)
}

/// Constants of the format.
package enum StateFileFormat {
    /// The version that this code writes, and the only one that it reads.
    static let version: UInt32 = 1
    /// "CORACLSF", the first bytes of a file.
    static let magic: UInt64 = 0x4653_4C43_4152_4F43
    /// Size of the header in bytes; the last four are its checksum.
    package static let headerBytes = LogOptions.blockBytes
    static let chunkHeaderBytes = 32
    /// Bytes of a trailer's payload: chunks, payload bytes, digest.
    static let trailerBytes = 24
    /// A chunk's size on disk, as written.
    package static let chunkBytes = 256 << 10
    /// A reader believes no longer chunk than this.
    static let chunkBytesMax = 4 << 20
    /// Size of the smallest file: a header and a trailer.
    static let fileBytesMin = headerBytes + LogOptions.blockBytes

    private static let prefix = "state-"

    /// The state file of a group at an index: `state-`, 8 hexadecimal digits of the group, `-`, 16 of the index.
    package static func fileName(group: GroupID, index: LogIndex) -> FileName {
        FileName(prefix + hex(UInt64(group.rawValue), digits: 8) + "-" + hex(index.rawValue, digits: 16))
    }

    /// Group and index in the name of a state file; nil for other files.
    package static func stateFile(_ name: FileName) -> (group: GroupID, index: LogIndex)? {
        guard name.text.hasPrefix(prefix) else { return nil }
        let parts = name.text.dropFirst(prefix.utf8.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let group = UInt32(parts[0], radix: 16), let index = UInt64(parts[1], radix: 16),
            index <= LogFormat.numberMax, fileName(group: GroupID(group), index: LogIndex(index)) == name
        else { return nil }
        return (GroupID(group), LogIndex(index))
    }

    /// Whether `name` is what is left of a state file that was never finished.
    package static func isUnfinished(_ name: FileName) -> Bool {
        let suffix = FileName("").temporary.text
        guard name.text.hasSuffix(suffix) else { return false }
        return stateFile(FileName(String(name.text.dropLast(suffix.utf8.count)))) != nil
    }

    private static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

/// The first block of a file: whose it is and what it covers.
package struct StateFileHeader: Equatable, Sendable {
    package var kind: StateFileKind
    package var clusterID: ClusterID
    package var nodeID: NodeID
    package var group: GroupID
    /// Drawn when the file is begun: two files of the same node and index are told apart by it, and every chunk's checksum
    /// begins with it.
    package var fileID: UInt64
    /// The state is the one after this entry …
    package var index: LogIndex
    /// … which has this term.
    package var term: Term
    /// The log's time there: when the state was as it is.
    package var time: WallTime
    /// The distributed snapshot that a part belongs to; 0 in a state file.
    package var snapshot: UInt64
    /// Who was in the group.
    package var configuration: Configuration

    package init(
        kind: StateFileKind = .state, clusterID: ClusterID, nodeID: NodeID, group: GroupID, fileID: UInt64, index: LogIndex,
        term: Term, time: WallTime, snapshot: UInt64 = 0, configuration: Configuration
    ) {
        self.kind = kind
        self.clusterID = clusterID
        self.nodeID = nodeID
        self.group = group
        self.fileID = fileID
        self.index = index
        self.term = term
        self.time = time
        self.snapshot = snapshot
        self.configuration = configuration
    }

    /// What the checksum of each chunk begins with.
    var checksumSeed: UInt32 { UInt32(truncatingIfNeeded: fileID ^ fileID >> 32) }

    /// Appends the header, padded to its size.
    func encode(into buffer: ByteBuffer) {
        let start = buffer.count
        buffer.append(integer: StateFileFormat.magic)
        buffer.append(integer: StateFileFormat.version)
        buffer.append(integer: kind.rawValue)
        buffer.append(integer: clusterID.high)
        buffer.append(integer: clusterID.low)
        buffer.append(integer: nodeID.rawValue)
        buffer.append(integer: group.rawValue)
        buffer.append(integer: fileID)
        buffer.append(integer: index.rawValue)
        buffer.append(integer: term.rawValue)
        buffer.append(integer: time.microseconds)
        buffer.append(integer: snapshot)
        for set in [configuration.voters, configuration.outgoing, configuration.learners] {
            buffer.append(byte: UInt8(set.count))
            for node in set { buffer.append(integer: node.rawValue) }
        }
        let written = buffer.count - start
        check(written <= StateFileFormat.headerBytes - 4, "a header fits in its block")
        buffer.append(zeros: StateFileFormat.headerBytes - 4 - written)
        buffer.append(integer: CRC32C.checksum(buffer.view.dropFirst(start)))
    }

    /// Reads the header at the front of `view`.
    ///
    /// - Throws: `damaged` or `unsupportedVersion`, naming `file`.
    static func decode(_ view: ByteView, file: String) throws(StorageError) -> StateFileHeader {
        check(view.count == StateFileFormat.headerBytes, "a header is a block")
        guard view.integer(at: 0, as: UInt64.self) == StateFileFormat.magic else {
            throw .damaged(file: file, offset: 0, reason: "it does not begin as a state file")
        }
        let version = view.integer(at: 8, as: UInt32.self)
        guard version == StateFileFormat.version else { throw .unsupportedVersion(file: file, version: version) }
        let end = StateFileFormat.headerBytes - 4
        guard CRC32C.checksum(view.slice(0, end)) == view.integer(at: end, as: UInt32.self) else {
            throw .damaged(file: file, offset: 0, reason: "the header's checksum is wrong")
        }
        guard let header = StateFileHeader(fields: view) else {
            throw .damaged(file: file, offset: 0, reason: "the header's fields are out of range")
        }
        return header
    }

    private init?(fields view: ByteView) {
        guard let kind = StateFileKind(rawValue: view.integer(at: 12, as: UInt32.self)) else { return nil }
        let index = view.integer(at: 48, as: UInt64.self)
        let term = view.integer(at: 56, as: UInt64.self)
        guard index <= LogFormat.numberMax, term <= LogFormat.numberMax else { return nil }
        var reader = ByteReader(view)
        reader.offset = 80
        var sets: [[NodeID]] = []
        var members = 0
        for _ in 0..<3 {
            guard let count = reader.integer(UInt8.self) else { return nil }
            members += Int(count)
            guard members <= Configuration.membersMax else { return nil }
            var set: [NodeID] = []
            for _ in 0..<count {
                guard let node = reader.integer(UInt32.self), node > 0, set.last.map({ $0 < NodeID(node) }) ?? true else {
                    return nil
                }
                set.append(NodeID(node))
            }
            sets.append(set)
        }
        if sets[0].isEmpty || sets[2].contains(where: { sets[0].contains($0) || sets[1].contains($0) }) { return nil }
        self.init(
            kind: kind,
            clusterID: ClusterID(high: view.integer(at: 16, as: UInt64.self), low: view.integer(at: 24, as: UInt64.self)),
            nodeID: NodeID(view.integer(at: 32, as: UInt32.self)), group: GroupID(view.integer(at: 36, as: UInt32.self)),
            fileID: view.integer(at: 40, as: UInt64.self), index: LogIndex(index), term: Term(term),
            time: WallTime(microseconds: view.integer(at: 64, as: Int64.self)), snapshot: view.integer(at: 72, as: UInt64.self),
            configuration: Configuration(voters: sets[0], outgoing: sets[1], learners: sets[2]))
    }
}

/// What stands before a chunk's bytes.
struct ChunkHeader: Equatable {
    var payloadBytes: Int
    var section: StateFileSection
    /// From 1, dense.
    var number: UInt64
    /// Where in the file the chunk begins, in bytes.
    var offset: Int

    /// Bytes on disk: whole blocks.
    var totalBytes: Int { LogFormat.blocks(StateFileFormat.chunkHeaderBytes + payloadBytes) }

    /// Fills in the header of a chunk whose payload stands behind room for it in `buffer`, and pads it.
    static func close(_ buffer: ByteBuffer, section: StateFileSection, number: UInt64, offset: Int, seed: UInt32) {
        let payloadBytes = buffer.count - StateFileFormat.chunkHeaderBytes
        buffer.overwrite(at: 4, integer: UInt32(payloadBytes))
        buffer.overwrite(at: 8, integer: section.rawValue)
        buffer.overwrite(at: 12, integer: UInt32(0))
        buffer.overwrite(at: 16, integer: number)
        buffer.overwrite(at: 24, integer: UInt64(offset))
        buffer.overwrite(at: 0, integer: CRC32C.checksum(buffer.view.dropFirst(4), continuing: seed))
        buffer.append(zeros: LogFormat.blocks(buffer.count) - buffer.count)
    }

    /// The header at the front of `view`, not verified.
    init(_ view: ByteView) {
        payloadBytes = Int(view.integer(at: 4, as: UInt32.self))
        section = StateFileSection(rawValue: view.integer(at: 8, as: UInt32.self))
        number = view.integer(at: 16, as: UInt64.self)
        offset = Int(truncatingIfNeeded: view.integer(at: 24, as: UInt64.self))
    }
}
