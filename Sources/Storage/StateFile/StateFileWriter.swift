import Base

/// Writes a state file (or a snapshot's part) as disk operations: a temporary file that grows by whole blocks, and at the end a
/// name. Until `publish` has completed there is no file of that name, so none is ever half there.
///
/// The owner appends as it likes, takes the operations that are ready, numbers and emits them in order, and holds
/// back when too many are on their way: `StateFileWriter` itself bounds nothing but the chunk in hand.
package struct StateFileWriter {
    package let name: FileName
    package let header: StateFileHeader
    /// Bytes of the file so far, those included that wait for their chunk to be full.
    package var byteCount: Int { offset + (chunk?.buffer.count ?? 0) }
    /// Bytes appended by the owner.
    package private(set) var payloadBytes: UInt64 = 0
    /// The trailer is written: nothing more can be appended.
    package private(set) var isFinished = false

    private let chunkBytes: Int
    private var chunk: DiskBlock?
    private var section = StateFileSection.trailer
    /// Where in the file the next chunk begins.
    private var offset = 0
    private var chunks: UInt64 = 0
    private var digest: UInt64
    private var ready: [DiskOperation.Action] = []

    /// Begins a file.
    ///
    /// - Parameter chunkBytes: size of a full chunk on disk, a multiple of the block size.
    package init(name: FileName, header: StateFileHeader, chunkBytes: Int = StateFileFormat.chunkBytes) {
        check(chunkBytes >= LogOptions.blockBytes && chunkBytes % LogOptions.blockBytes == 0, "a chunk is whole blocks")
        check(chunkBytes <= StateFileFormat.chunkBytesMax, "a chunk is no larger than a reader believes")
        self.name = name
        self.header = header
        self.chunkBytes = chunkBytes
        let block = DiskBlock(capacity: StateFileFormat.headerBytes)
        header.encode(into: block.buffer)
        digest = hash(block.buffer.view, seed: 0)
        ready.append(.extend(name: name, offset: 0, block: block))
        offset = StateFileFormat.headerBytes
    }

    /// Appends bytes to a section. Sections come one after the other, in any order; one that comes again goes on.
    package mutating func append(_ bytes: ByteView, to section: StateFileSection) {
        check(section != .trailer, "the trailer is the writer's own")
        check(!isFinished, "nothing is appended to a finished file")
        if section != self.section { closeChunk() }
        self.section = section
        var rest = bytes
        while !rest.isEmpty {
            let block = chunk ?? begunChunk()
            chunk = block
            let count = min(rest.count, chunkBytes - block.buffer.count)
            block.buffer.append(rest.slice(0, count))
            rest = rest.dropFirst(count)
            if block.buffer.count == chunkBytes { closeChunk() }
        }
        payloadBytes += UInt64(bytes.count)
    }

    /// Appends the trailer: what `takeOperations` gives then is the rest of the file, and `publish` may follow it.
    package mutating func finish() {
        check(!isFinished, "a file is finished once")
        closeChunk()
        let block = begunChunk()
        block.buffer.append(integer: chunks)
        block.buffer.append(integer: payloadBytes)
        block.buffer.append(integer: digest)
        chunk = block
        section = .trailer
        closeChunk()
        isFinished = true
    }

    /// What is to be written next, in order.
    package mutating func takeOperations() -> [DiskOperation.Action] {
        if ready.isEmpty { return [] }
        let result = ready
        ready.removeAll(keepingCapacity: true)
        return result
    }

    /// Makes the file durable under its name. To be emitted behind everything else.
    package var publish: DiskOperation.Action {
        check(isFinished && ready.isEmpty, "a file is published whole")
        return .publish(name: name)
    }

    private func begunChunk() -> DiskBlock {
        let block = DiskBlock(capacity: chunkBytes)
        block.buffer.append(zeros: StateFileFormat.chunkHeaderBytes)
        return block
    }

    private mutating func closeChunk() {
        guard let block = chunk else { return }
        chunks += 1
        ChunkHeader.close(block.buffer, section: section, number: chunks, offset: offset, seed: header.checksumSeed)
        digest = hash(block.buffer.view, seed: digest)
        ready.append(.extend(name: name, offset: offset, block: block))
        offset += block.buffer.count
        chunk = nil
    }
}
