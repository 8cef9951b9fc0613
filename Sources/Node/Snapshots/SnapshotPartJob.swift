import Base
import Database
import DistributedSnapshot
import Storage

/// A node's part of a distributed snapshot on its way to the disk: the group's facts, the database slice by slice, and when the channels have ended,
/// what was in flight on them.
final class SnapshotPartJob {
    enum Step {
        case state, database, channels
        /// Everything is given to the disk.
        case written
    }

    let id: SnapshotID
    let record: StateRecord
    /// Nil once it is encoded.
    private var state: LocalState.Encoder?
    var writer: StateFileWriter
    var step = Step.state
    /// Once the channels have ended.
    var part: SnapshotPart?
    /// The content that is written next, and how much of it is.
    var content = 0
    var offset = 0
    var headIsWritten = false
    /// Operations on their way, and the one that makes it a file.
    var underWay: [UInt64] = []
    var publication: UInt64?
    let scratch = ByteBuffer(capacity: 1 << 16)

    init(_ id: SnapshotID, _ record: StateRecord, _ state: LocalState, _ writer: StateFileWriter) {
        self.id = id
        self.record = record
        self.state = LocalState.Encoder(state)
        self.writer = writer
    }

    /// Encodes the next slice.
    func advance(budgetBytes: Int) {
        scratch.removeAll(keeping: 1 << 20)
        switch step {
        case .state:
            let isComplete = state?.encode(into: scratch, budgetBytes: budgetBytes) ?? true
            writer.append(scratch.view, to: .group)
            if isComplete {
                state = nil
                step = .database
            }
        case .database:
            let isComplete = record.encode(into: scratch, budgetBytes: budgetBytes)
            writer.append(scratch.view, to: .database)
            if isComplete { step = .channels }
        case .channels: appendContents(budgetBytes)
        case .written: break
        }
    }

    private func appendContents(_ budget: Int) {
        guard let part else { return }
        if !headIsWritten {
            part.encodeHead(into: scratch)
            headIsWritten = true
        }
        while content < part.contents.count && scratch.count < budget {
            let bytes = part.contents[content]
            if offset == 0 { scratch.append(integer: UInt64(bytes.count)) }
            let count = min(bytes.count - offset, max(1, budget - scratch.count))
            bytes.withView { scratch.append($0.slice(offset, count)) }
            offset += count
            if offset == bytes.count {
                content += 1
                offset = 0
            }
        }
        writer.append(scratch.view, to: .channels)
        if content < part.contents.count { return }
        writer.finish()
        step = .written
        self.part?.contents = []
    }

    /// Whether the next slice can be encoded.
    var canAdvance: Bool { step == .state || step == .database || (step == .channels && part != nil) }
}

/// The names of snapshots' files: the part is `part-`, the manifest `cut-`, each with the id in 16 hexadecimal digits.
package enum SnapshotFile {
    case part(SnapshotID)
    case manifest(SnapshotID)

    /// Snapshots that are over and whose files a node keeps; the oldest go first.
    package static let keptMax = 8

    package var name: FileName {
        switch self {
        case .part(let id): FileName("part-" + SnapshotFile.digits(id))
        case .manifest(let id): FileName("cut-" + SnapshotFile.digits(id))
        }
    }

    /// What a name stands for; nil for other files.
    package init?(_ name: FileName) {
        guard let dash = name.text.firstIndex(of: "-"),
            let number = UInt64(name.text[name.text.index(after: dash)...], radix: 16), number > 0
        else { return nil }
        let id = SnapshotID(number)
        if SnapshotFile.part(id).name == name {
            self = .part(id)
        } else if SnapshotFile.manifest(id).name == name {
            self = .manifest(id)
        } else {
            return nil
        }
    }

    /// Whether `name` is what is left of one that was never finished; then what it would have been.
    static func unfinished(_ name: FileName) -> FileName? {
        let suffix = FileName("").temporary.text
        guard name.text.hasSuffix(suffix) else { return nil }
        let whole = FileName(String(name.text.dropLast(suffix.utf8.count)))
        return SnapshotFile(whole) == nil ? nil : whole
    }

    private static func digits(_ id: SnapshotID) -> String {
        let text = String(id.rawValue, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
