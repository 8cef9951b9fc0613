import Base
import Consensus

/// Reads a state file (or a snapshot's part) front to back, from bytes that come in pieces of any size: from a disk, or
/// from another node. Everything that it hands out is verified, chunk by chunk; that the file is whole is known only at `.end`.
package struct StateFileReader {
    /// What comes next in a file.
    package enum Item {
        /// First, once.
        case header(StateFileHeader)
        /// Bytes of a section, valid until the next call.
        case chunk(StateFileSection, ByteView)
        /// The trailer fits everything before it: the file is whole.
        case end
    }

    /// For messages.
    package let file: String
    /// Bytes of the file that were taken and verified.
    package private(set) var offset = 0
    package private(set) var header: StateFileHeader?
    package private(set) var isComplete = false
    private let kind: StateFileKind
    private let clusterID: ClusterID
    /// Nil where a file of any node is read: one that another node sends.
    private let nodeID: NodeID?
    /// Bytes that are not verified yet.
    private let input = ByteBuffer(capacity: 1 << 16)
    /// Bytes in front of `input` that were handed out last.
    private var handedOut = 0
    private var chunks: UInt64 = 0
    private var payloadBytes: UInt64 = 0
    private var digest: UInt64 = 0

    /// - Parameters:
    ///   - file: what messages call it.
    ///   - nodeID: whose it must be; nil for anybody's of the cluster.
    package init(file: String, kind: StateFileKind = .state, clusterID: ClusterID, nodeID: NodeID?) {
        self.file = file
        self.kind = kind
        self.clusterID = clusterID
        self.nodeID = nodeID
    }

    /// Bytes of the file that came in so far.
    package var received: Int { offset + input.count - handedOut }

    /// Takes the next bytes of the file.
    package mutating func append(_ bytes: ByteView) {
        release()
        input.append(bytes)
    }

    /// The next item; nil when more bytes are needed.
    ///
    /// - Throws: `damaged`, `wrongIdentity`, `unsupportedVersion`: the file is not to be used, nor anything that came before.
    package mutating func next() throws(StorageError) -> Item? {
        release()
        if isComplete {
            if input.isEmpty { return nil }
            throw .damaged(file: file, offset: offset, reason: "bytes follow its trailer")
        }
        guard let header else { return try readHeader() }
        guard input.count >= StateFileFormat.chunkHeaderBytes else { return nil }
        let chunk = ChunkHeader(input.view)
        guard chunk.payloadBytes <= StateFileFormat.chunkBytesMax else {
            throw .damaged(file: file, offset: offset, reason: "a chunk claims \(chunk.payloadBytes) bytes")
        }
        guard input.count >= chunk.totalBytes else { return nil }
        return try verify(chunk, input.view.slice(0, chunk.totalBytes), header)
    }

    /// To be called when no more bytes come.
    ///
    /// - Throws: `damaged` when the file is not whole.
    package func finish() throws(StorageError) {
        if isComplete && input.count == handedOut { return }
        throw .damaged(file: file, offset: received, reason: "it ends there and is not complete")
    }

    private mutating func release() {
        input.consume(handedOut)
        handedOut = 0
    }

    private mutating func handOut(_ count: Int) {
        handedOut = count
        offset += count
    }

    private mutating func readHeader() throws(StorageError) -> Item? {
        guard input.count >= StateFileFormat.headerBytes else { return nil }
        let view = input.view.slice(0, StateFileFormat.headerBytes)
        let found = try StateFileHeader.decode(view, file: file)
        guard found.kind == kind else {
            throw .wrongIdentity(file: file, reason: "it is a \(Self.name(found.kind)), not a \(Self.name(kind))")
        }
        guard found.clusterID == clusterID else {
            throw .wrongIdentity(file: file, reason: "it belongs to cluster \(found.clusterID), this is cluster \(clusterID)")
        }
        if let nodeID, found.nodeID != nodeID {
            throw .wrongIdentity(file: file, reason: "it belongs to node \(found.nodeID), this is node \(nodeID)")
        }
        digest = hash(view, seed: 0)
        header = found
        handOut(StateFileFormat.headerBytes)
        return .header(found)
    }

    private static func name(_ kind: StateFileKind) -> String {
        switch kind {
        case .state: "state file"
        case .snapshotPart: "part of a snapshot"
        }
    }

    private mutating func verify(
        _ chunk: ChunkHeader, _ view: ByteView, _ header: StateFileHeader
    ) throws(StorageError) -> Item {
        let end = StateFileFormat.chunkHeaderBytes + chunk.payloadBytes
        guard
            CRC32C.checksum(view.slice(4, end - 4), continuing: header.checksumSeed) == view.integer(at: 0, as: UInt32.self)
        else { throw .damaged(file: file, offset: offset, reason: "a chunk's checksum is wrong") }
        guard chunk.number == chunks + 1, chunk.offset == offset, view.integer(at: 12, as: UInt32.self) == 0 else {
            throw .damaged(file: file, offset: offset, reason: "chunk \(chunk.number) of offset \(chunk.offset) stands there")
        }
        for position in end..<view.count where view[position] != 0 {
            throw .damaged(file: file, offset: offset + position, reason: "the end of a chunk's last block is not empty")
        }
        let payload = view.slice(StateFileFormat.chunkHeaderBytes, chunk.payloadBytes)
        if chunk.section == .trailer {
            guard chunk.payloadBytes == StateFileFormat.trailerBytes, payload.integer(at: 0, as: UInt64.self) == chunks,
                payload.integer(at: 8, as: UInt64.self) == payloadBytes,
                payload.integer(at: 16, as: UInt64.self) == digest
            else { throw .damaged(file: file, offset: offset, reason: "its trailer does not fit what is before it") }
            isComplete = true
            handOut(view.count)
            return .end
        }
        chunks += 1
        payloadBytes += UInt64(chunk.payloadBytes)
        digest = hash(view, seed: digest)
        handOut(view.count)
        return .chunk(chunk.section, payload)
    }
}
