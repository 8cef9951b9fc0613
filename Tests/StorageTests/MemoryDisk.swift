import Base
import Storage
import Testing

/// A data directory in memory. It carries out operations, whole or torn, and watches that the log keeps its promises to
/// the disk: aligned writes inside files that exist, and no block written again that was reported as durable.
final class MemoryDisk: RecoverySource {
    /// By file name. A value is the file's bytes.
    var files: [String: [UInt8]] = [:]
    /// Blocks that hold reported frames or headers, by file name.
    private var settled: [String: Set<Int>] = [:]
    var errors: [String] = []
    /// Fails reads of this file, as a bad disk does.
    var unreadable: String?

    static let blockBytes = LogOptions.blockBytes

    func list() throws(StorageError) -> [FileName] { files.keys.sorted().reversed().map { FileName($0) } }

    func size(of name: FileName) throws(StorageError) -> Int { try content(name).count }

    func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        let bytes = try content(name)
        let end = min(offset + count, bytes.count)
        guard offset < end else { return }
        bytes.withView { buffer.append($0.slice(offset, end - offset)) }
    }

    private func content(_ name: FileName) throws(StorageError) -> [UInt8] {
        guard name.text != unreadable, let bytes = files[name.text] else {
            throw .system(file: name.text, operation: "read", reason: "it can't be read")
        }
        return bytes
    }

    /// Carries `action` out entirely.
    ///
    /// - Returns: what a read yields.
    @discardableResult
    func perform(_ action: DiskOperation.Action) -> [UInt8] {
        switch action {
        case .create(let name, let byteCount):
            require(files[name.text] == nil, "\(name) is created although it exists")
            files[name.text] = [UInt8](repeating: 0, count: byteCount)
        case .write(let name, let offset, let block): write(name, offset, block) { _ in true }
        case .rename(let from, let to):
            require(files[to.text] == nil, "\(to) is overwritten by a rename")
            require(files[from.text] != nil, "\(from) is renamed although it does not exist")
            files[to.text] = files.removeValue(forKey: from.text)
            settled[from.text] = nil
        case .remove(let name):
            require(files[name.text] != nil, "\(name) is removed although it does not exist")
            files[name.text] = nil
            settled[name.text] = nil
        case .read(let name, let offset, let count):
            require(offset % MemoryDisk.blockBytes == 0 && count % MemoryDisk.blockBytes == 0, "an unaligned read")
            guard let bytes = files[name.text], offset + count <= bytes.count else {
                errors.append("a read of \(name) leads out of the file")
                return []
            }
            return Array(bytes[offset..<offset + count])
        case .extend(let name, let offset, let block):
            let view = block.buffer.view
            require(view.count > 0 && view.count % MemoryDisk.blockBytes == 0, "a file grows by whole blocks")
            require(UInt(bitPattern: view.start) % UInt(MemoryDisk.blockBytes) == 0, "unaligned memory")
            let before = offset == 0 ? [] : files[name.temporary.text] ?? []
            require(before.count == offset, "\(name) is extended where it does not end")
            files[name.temporary.text] = before + view.array
        case .publish(let name):
            require(files[name.temporary.text] != nil, "\(name) is published although it was never begun")
            files[name.text] = files.removeValue(forKey: name.temporary.text)
        case .discard(let name):
            files[name.text] = nil
            files[name.temporary.text] = nil
        }
        return []
    }

    /// Carries out what a crash leaves of `action`: of a write the sectors that `keeps` names, of a creation its temporary
    /// file, of anything else nothing.
    func tear(_ action: DiskOperation.Action, sectorBytes: Int, keeps: (Int) -> Bool) {
        switch action {
        case .write(let name, let offset, let block): write(name, offset, block, sectorBytes: sectorBytes, keeps: keeps)
        case .create(let name, let byteCount): files[name.temporary.text] = [UInt8](repeating: 0, count: byteCount / 2)
        default: break
        }
    }

    /// The write was reported as durable.
    func settle(_ action: DiskOperation.Action) {
        guard case .write(let name, let offset, let block) = action else { return }
        let bytes = block.buffer.view
        if (0..<bytes.count).allSatisfy({ bytes[$0] == 0 }) { return }
        for number in 0..<bytes.count / MemoryDisk.blockBytes {
            settled[name.text, default: []].insert(offset / MemoryDisk.blockBytes + number)
        }
    }

    private func write(
        _ name: FileName, _ offset: Int, _ block: DiskBlock, sectorBytes: Int = MemoryDisk.blockBytes, keeps: (Int) -> Bool
    ) {
        let view = block.buffer.view
        require(offset % MemoryDisk.blockBytes == 0, "an unaligned offset")
        require(view.count % MemoryDisk.blockBytes == 0 && view.count > 0, "an unaligned count")
        require(UInt(bitPattern: view.start) % UInt(MemoryDisk.blockBytes) == 0, "unaligned memory")
        guard let size = files[name.text]?.count, offset + view.count <= size else {
            errors.append("a write leads out of \(name)")
            return
        }
        for number in 0..<view.count / MemoryDisk.blockBytes {
            require(
                settled[name.text]?.contains(offset / MemoryDisk.blockBytes + number) != true,
                "block \(offset / MemoryDisk.blockBytes + number) of \(name) is written again")
        }
        for sector in 0..<view.count / sectorBytes where keeps(sector) {
            let start = sector * sectorBytes
            files[name.text]?.replaceSubrange(
                offset + start..<offset + start + sectorBytes, with: view.slice(start, sectorBytes).rawBuffer)
        }
    }

    private func require(_ condition: Bool, _ message: String) {
        if !condition { errors.append(message) }
    }
}
