import Base
import Storage

/// Files that grow under a temporary name until they are published.
extension SimulatedDisk {
    /// Whether a step on a growing file is refused: there is no room, or an earlier step was refused and there is no file any more.
    func isRefused(_ pending: Pending) throws(Violation) -> Bool {
        switch pending.operation.action {
        case .extend(let name, let offset, let block):
            if offset > 0 && files[name.temporary] == nil { return true }
            let grows = block.buffer.count - (offset == 0 ? files[name.temporary]?.bytes.count ?? 0 : 0)
            if usedBytes + grows <= capacity { return false }
            files[name.temporary] = nil
            return true
        case .publish(let name): return files[name.temporary] == nil
        default: return false
        }
    }

    func carryOutGrowing(_ pending: Pending) throws(Violation) {
        switch pending.operation.action {
        case .extend(let name, let offset, let block):
            let view = block.buffer.view
            try demand(hash(view, seed: 1) == pending.digest, "a block is left alone while it is written to \(name)")
            if offset == 0 { files[name.temporary] = SimulatedFile(zeros: 0) }
            guard let file = files[name.temporary] else { throw missing(name.temporary) }
            try demand(file.bytes.count == offset, "\(name) grows at its end")
            file.append(view)
            trace.add(pending.digest)
        case .publish(let name):
            guard let file = files.removeValue(forKey: name.temporary) else { throw missing(name.temporary) }
            files[name] = file
        case .discard(let name):
            files[name] = nil
            files[name.temporary] = nil
        default: break
        }
    }

    /// What a power loss leaves of them. The first step in hand is done or not; content that was never synced is any part of what
    /// was written, but it has no name that anybody believes.
    func crashGrowing(_ mode: CrashMode) throws(Violation) {
        if let first = growing.first, mode != .lost, random.chance(1, in: 2), try !isRefused(first) { try carryOutGrowing(first) }
        let names = files.keys.filter { StateFileFormat.isUnfinished($0) }
        for name in names.sorted(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }) {
            guard let file = files[name], !file.bytes.isEmpty else { continue }
            let blocks = file.bytes.count / SimulatedDisk.blockBytes
            file.truncate(to: random.index(below: blocks + 1) * SimulatedDisk.blockBytes)
            for block in 0..<file.bytes.count / SimulatedDisk.blockBytes where random.chance(1, in: 4) {
                file.zero(block * SimulatedDisk.blockBytes, SimulatedDisk.blockBytes)
            }
        }
    }

    /// The state files that are whole, oldest first.
    package var stateFiles: [FileName] {
        files.keys.filter { StateFileFormat.stateFile($0) != nil }
            .sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    }

    /// Loses the ends of state files that have their names, as if they had never been synced: planted.
    package func tearStateFiles() {
        for name in stateFiles where random.chance(1, in: 2) {
            guard let file = files[name] else { continue }
            file.truncate(to: random.index(below: file.bytes.count / SimulatedDisk.blockBytes + 1) * SimulatedDisk.blockBytes)
        }
    }

    /// Turns one bit over in a state file that is whole. Says where, or nil when there is none.
    package func rotStateFile() -> String? {
        let names = stateFiles
        if names.isEmpty { return nil }
        let name = names[random.index(below: names.count)]
        guard let file = files[name], !file.bytes.isEmpty else { return nil }
        let bit = random.index(below: file.bytes.count * 8)
        file.flip(bit: bit)
        return "\(name), byte \(bit / 8)"
    }
}
