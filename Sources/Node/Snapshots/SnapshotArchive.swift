import Base
import DistributedSnapshot

/// What a node keeps of distributed snapshots: its own parts, the manifests of those that it began, and how the others ended. In memory,
/// within limits; a new run begins with nothing.
struct SnapshotArchive {
    /// One snapshot as this node knows it.
    struct Item {
        let id: SnapshotID
        /// When this node heard of it, by its clocks.
        let since: Instant
        let wall: WallTime
        /// Nil where the node has no part, or the part is dropped.
        var state: LocalState?
        /// Size of the encoded state, once it is known.
        var stateBytes = 0
        var part: SnapshotPart?
        /// On the initiator.
        var manifest: SnapshotManifest?
        /// Nil: open.
        var outcome: SnapshotOutcome?

        /// What the item holds in memory, about.
        var bytes: Int { stateBytes + (part?.contents.reduce(0) { $0 + $1.count } ?? 0) }
    }

    /// Snapshots that are remembered; the participant's limit on open ones is 64.
    static let itemsMax = 128
    /// Snapshots that are over and whose parts are kept, and the bytes of those parts; the oldest part goes first.
    static let partsMax = 8
    static let partBytesMax = 256 << 20

    /// Oldest first.
    private(set) var items: [Item] = []
    /// Recorded and not written.
    private(set) var toWrite: [SnapshotID] = []

    subscript(id: SnapshotID) -> Item? { items.first { $0.id == id } }

    mutating func record(_ id: SnapshotID, _ state: LocalState, now: Now) {
        check(self[id] == nil, "a snapshot is recorded once")
        items.append(Item(id: id, since: now.instant, wall: now.wall, state: state))
        toWrite.append(id)
        trim()
    }

    /// The oldest state that is recorded and not written.
    mutating func takeUnwritten() -> (id: SnapshotID, state: LocalState)? {
        while !toWrite.isEmpty {
            let id = toWrite.removeFirst()
            if let state = self[id]?.state { return (id, state) }
        }
        return nil
    }

    mutating func written(_ id: SnapshotID, bytes: Int) { change(id) { $0.stateBytes = bytes } }

    mutating func add(_ part: SnapshotPart) {
        check(self[part.id]?.state != nil, "a part belongs to a recorded state")
        change(part.id) { $0.part = part }
    }

    /// The initiator has begun one that it has no part in, or concludes one.
    mutating func conclude(_ manifest: SnapshotManifest, now: Now) {
        addIfNew(manifest.id, now)
        change(manifest.id) { $0.manifest = manifest }
    }

    /// A snapshot is over. Without an outcome that counts the part has no use.
    mutating func end(_ id: SnapshotID, _ outcome: SnapshotOutcome, now: Now) {
        addIfNew(id, now)
        change(id) { item in
            item.outcome = outcome
            if outcome == .aborted || outcome == .unknown {
                item.state = nil
                item.stateBytes = 0
                item.part = nil
            }
        }
        trim()
    }

    private mutating func addIfNew(_ id: SnapshotID, _ now: Now) {
        if self[id] == nil { items.append(Item(id: id, since: now.instant, wall: now.wall)) }
    }

    private mutating func change(_ id: SnapshotID, _ body: (inout Item) -> Void) {
        guard let index = items.firstIndex(where: { $0.id == id }) else { return }
        body(&items[index])
    }

    /// Keeps to the limits: forgets the oldest snapshots that are over, then drops the parts of old ones.
    private mutating func trim() {
        while items.count > SnapshotArchive.itemsMax, let oldest = items.firstIndex(where: { $0.outcome != nil }) {
            items.remove(at: oldest)
        }
        var kept = 0
        var bytes = 0
        for index in items.indices.reversed() where items[index].outcome != nil && items[index].state != nil {
            kept += 1
            bytes += items[index].bytes
            if kept <= SnapshotArchive.partsMax && bytes <= SnapshotArchive.partBytesMax { continue }
            items[index].state = nil
            items[index].stateBytes = 0
            items[index].part = nil
        }
        check(items.count <= SnapshotArchive.itemsMax, "open snapshots are fewer than those that are remembered")
    }
}
