import Base
import Storage

extension SimulatedDisk {
    /// What may happen to the write in flight when the machine goes down.
    package enum CrashMode: Sendable {
        /// Lost, whole, or torn, as the seed draws.
        case any
        /// Lost entirely: what shows soonest that somebody spoke before the disk did.
        case lost
    }

    /// The machine goes down: nothing that completed is lost. Of the ordered operations only the first has begun; of a write
    /// any part of its blocks may have reached the disk, other operations are done or not. Files that were being created are
    /// there, or not, or still under their temporary name with any part of their size.
    package func crash(_ mode: CrashMode) throws(Violation) {
        if let first = ordered.first { try tear(first, mode: mode) }
        for pending in beside {
            guard case .create(let name, let byteCount) = pending.operation.action else { continue }
            switch mode == .lost ? 0 : random.index(below: 3) {
            case 0: break
            case 1: try carryOut(pending)
            default:
                let blocks = byteCount / SimulatedDisk.blockBytes
                files[name.temporary] = SimulatedFile(zeros: random.index(below: blocks + 1) * SimulatedDisk.blockBytes)
            }
        }
        try crashGrowing(mode)
        forgetPending()
    }

    private func tear(_ pending: Pending, mode: CrashMode) throws(Violation) {
        let outcome = mode == .lost ? 0 : random.index(below: 3)
        if outcome == 0 { return }
        guard outcome == 2, case .write(let name, let offset, let block) = pending.operation.action else {
            return try carryOut(pending)
        }
        guard let file = files[name] else { throw Violation(.diskContract, "there is no file \(name)") }
        let size = SimulatedDisk.blockBytes
        let view = block.buffer.view
        for first in stride(from: 0, to: view.count, by: size) where random.chance(1, in: 2) {
            file.write(view, from: first, count: size, at: offset)
            trace.add(UInt64(first))
        }
    }

    /// Loses the last writes although they had been reported as durable: a disk that lies, planted to see who finds it.
    package func forgetWrites(_ count: Int) {
        for write in completedWrites.suffix(count) {
            let zeros = DiskBlock(capacity: write.count)
            zeros.buffer.append(zeros: write.count)
            write.file.write(zeros.buffer.view, from: 0, count: write.count, at: write.offset)
        }
    }

    /// Turns one bit over in something that was completely written, and that at least `newer` completed writes came after (the
    /// last frame of a log can't be told from a torn one). Says where, or nil when there is nothing to spoil.
    package func rot(sparing newer: Int) -> String? {
        let candidates = completedWrites.count - newer
        if candidates <= 0 { return nil }
        let write = completedWrites[random.index(below: candidates)]
        guard
            let name = files.keys.sorted(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) })
                .first(where: { files[$0] === write.file })
        else { return nil }
        let bit = write.offset * 8 + random.index(below: write.count * 8)
        write.file.flip(bit: bit)
        return "\(name), byte \(bit / 8)"
    }
}

extension SimulatedDisk: RecoverySource {
    /// The names in an order drawn from the seed: nobody may rely on one.
    package func list() throws(StorageError) -> [FileName] {
        var names = files.keys.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
        random.permute(&names)
        return names
    }

    package func size(of name: FileName) throws(StorageError) -> Int {
        guard let file = files[name] else { throw .system(file: name.text, operation: "open", reason: "no such file") }
        return file.bytes.count
    }

    package func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
        guard let file = files[name] else { throw .system(file: name.text, operation: "open", reason: "no such file") }
        let from = min(max(offset, 0), file.bytes.count)
        let through = min(from + max(count, 0), file.bytes.count)
        file.bytes.withView { buffer.append($0.slice(from, through - from)) }
    }
}
