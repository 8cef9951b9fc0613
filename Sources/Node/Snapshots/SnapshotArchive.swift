import Base
import DistributedSnapshot
import Storage

/// What a node knows of distributed snapshots: its own parts and the manifests of those that it began, in files, and how the others ended.
struct SnapshotArchive {
    /// One snapshot as this node knows it.
    struct Item {
        let id: SnapshotID
        /// When this node heard of it, by its wall clock.
        let wall: WallTime
        /// Of this node's part, when it is whole.
        var summary: PartSummary?
        /// Sizes of the files that are on the disk, in bytes; nil where there is none.
        var partBytes: Int?
        var manifestBytes: Int?
        /// On the initiator.
        var manifest: SnapshotManifest?
        /// Nil: open, or of an earlier run of a node that did not begin it.
        var outcome: SnapshotOutcome?
        /// Found on the disk.
        var isOfEarlierRun = false

        var isOver: Bool { outcome != nil || isOfEarlierRun }
    }

    /// Snapshots that are remembered; the participant's limit on open ones is 64.
    static let itemsMax = 128

    /// Oldest first.
    private(set) var items: [Item] = []
    /// Files that nobody wants any more.
    private(set) var toDiscard: [FileName] = []

    subscript(id: SnapshotID) -> Item? { items.first { $0.id == id } }

    /// What is on the disk at the start of a run. Files are not opened but manifests, which are small.
    mutating func recover(_ names: [FileName], size: (FileName) -> Int?, manifest: (FileName) -> SnapshotManifest?, now: Now) {
        for name in names.sorted(by: { $0.text < $1.text }) {
            if let unfinished = SnapshotFile.unfinished(name) { toDiscard.append(unfinished) }
            guard let file = SnapshotFile(name) else { continue }
            switch file {
            case .part(let id):
                addIfNew(id, now)
                change(id) { $0.partBytes = size(name) }
            case .manifest(let id):
                guard let found = manifest(name), found.id == id else { continue }
                addIfNew(id, now)
                change(id) {
                    $0.manifestBytes = size(name)
                    $0.manifest = found
                    $0.outcome = found.outcome
                }
            }
        }
        for index in items.indices { items[index].isOfEarlierRun = true }
        items.sort { $0.id < $1.id }
        trim()
    }

    mutating func record(_ id: SnapshotID, now: Now) {
        check(self[id] == nil, "a snapshot is recorded once")
        addIfNew(id, now)
        trim()
    }

    mutating func made(_ part: SnapshotPart) { change(part.id) { $0.summary = part.summary } }

    mutating func stored(part id: SnapshotID, bytes: Int) {
        change(id) { $0.partBytes = bytes }
        trim()
    }

    mutating func stored(manifest id: SnapshotID, bytes: Int) {
        change(id) { $0.manifestBytes = bytes }
        trim()
    }

    /// The initiator concludes one.
    mutating func conclude(_ manifest: SnapshotManifest, now: Now) {
        addIfNew(manifest.id, now)
        change(manifest.id) { $0.manifest = manifest }
    }

    /// A snapshot is over. Without an outcome that counts the part has no use. Where the outcome is unknown it may have one: it was reported, and the
    /// initiator's manifest may count on it.
    mutating func end(_ id: SnapshotID, _ outcome: SnapshotOutcome, now: Now) {
        addIfNew(id, now)
        change(id) { $0.outcome = outcome }
        if outcome == .aborted { dropFiles(id) }
        trim()
    }

    /// Forgets a snapshot that is over, with its files.
    mutating func remove(_ id: SnapshotID) {
        dropFiles(id)
        items.removeAll { $0.id == id }
    }

    mutating func takeDiscarded() -> [FileName] {
        if toDiscard.isEmpty { return [] }
        defer { toDiscard.removeAll() }
        return toDiscard
    }

    private mutating func dropFiles(_ id: SnapshotID) {
        guard let item = self[id] else { return }
        if item.partBytes != nil { toDiscard.append(SnapshotFile.part(id).name) }
        if item.manifestBytes != nil { toDiscard.append(SnapshotFile.manifest(id).name) }
        change(id) {
            $0.partBytes = nil
            $0.manifestBytes = nil
        }
    }

    private mutating func addIfNew(_ id: SnapshotID, _ now: Now) {
        if self[id] == nil { items.append(Item(id: id, wall: now.wall)) }
    }

    private mutating func change(_ id: SnapshotID, _ body: (inout Item) -> Void) {
        guard let index = items.firstIndex(where: { $0.id == id }) else { return }
        body(&items[index])
    }

    /// Keeps to the limits: drops the files of old ones that are over, then forgets the oldest that are over.
    private mutating func trim() {
        var kept = 0
        for item in items.reversed() where item.isOver && (item.partBytes != nil || item.manifestBytes != nil) {
            kept += 1
            if kept > SnapshotFile.keptMax { dropFiles(item.id) }
        }
        while items.count > SnapshotArchive.itemsMax, let oldest = items.first(where: \.isOver) { remove(oldest.id) }
        check(items.count <= SnapshotArchive.itemsMax, "open snapshots are fewer than those that are remembered")
    }
}
