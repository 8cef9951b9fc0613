import Base
import RESP

/// A stream: entries in the order of their IDs, and consumer groups that read them.
///
/// What a state file or a dump needs is walked through in order with `forEachNode`, `forEachGroup` and the functions of
/// `StreamGroup`, and put together again with `init(position:)`, `add(node:)` and `addGroup`.
package final class StreamValue: CollectionValue {
    /// What a stream knows of itself besides its entries.
    package struct Position: Equatable, Sendable {
        /// The first entry that is there; 0-0 where there is none.
        package var firstID = StreamID.zero
        /// The last ID that was given to an entry.
        package var lastID = StreamID.zero
        /// The greatest ID that XDEL removed.
        package var maxDeletedID = StreamID.zero
        /// Entries that were ever added.
        package var entriesAdded: UInt64 = 0

        package init() {}
    }

    @exclusivity(unchecked) private(set) var entries: StreamTree
    @exclusivity(unchecked) private(set) var groups: StreamGroupTree
    @exclusivity(unchecked) package private(set) var position = Position()
    /// The state machine's count of changes when the groups last changed aside of the content: for open records. Not replicated.
    @exclusivity(unchecked) var asideVersion: UInt64 = 0

    /// An empty stream.
    package override init() {
        entries = StreamTree()
        groups = StreamGroupTree()
        super.init()
    }

    /// A stream without entries and groups that knows its position, to be filled again.
    package init(position: Position) {
        entries = StreamTree()
        groups = StreamGroupTree()
        self.position = position
        super.init()
    }

    private init(copying other: StreamValue) {
        entries = other.entries.shared()
        groups = other.groups.shared()
        position = other.position
        super.init()
    }

    /// What is left of a group that was taken out of its stream: a value to be freed in steps.
    private init(remains group: StreamGroup) {
        entries = StreamTree()
        groups = StreamGroupTree(group)
        super.init()
    }

    deinit {
        entries.release()
        groups.release()
    }

    package override class var type: ValueType { .stream }

    /// Number of entries.
    package override var count: Int { entries.count }

    package override var staysEmpty: Bool { true }

    package override var elementsToFree: Int { entries.count + groups.elements + groups.count }

    package override var memoryBytes: Int { 160 + entries.bytes + entries.nodeCount * 28 + groups.bytes }

    package override var encodingName: StaticString { "stream" }

    package override func copy() -> CollectionValue { StreamValue(copying: self) }

    package override func discard(budget: inout Int) -> Bool {
        entries.discard(budget: &budget) && groups.discard(budget: &budget)
    }

    /// Covers where nodes begin and what tombstones they have, as approximate trimming depends on it.
    package override func digest(seed: UInt64) -> Digest {
        var whole = positionDigest
        entries.forEachNode { whole.append($0, elements: Digest($0.elements, seed: seed)) }
        groups.forEach { whole.append($0.digest(seed: seed)) }
        return whole
    }

    /// The beginning of the digest: where the stream is.
    var positionDigest: Digest {
        var digest = Digest()
        for id in [position.firstID, position.lastID, position.maxDeletedID] {
            digest.append(id.milliseconds)
            digest.append(id.sequence)
        }
        digest.append(position.entriesAdded)
        return digest
    }

    override func sharesContent(with other: CollectionValue) -> Bool {
        guard let other = other as? StreamValue else { return false }
        return entries.tree.root.isSame(other.entries.tree.root) && groups.isSame(as: other.groups) && position == other.position
    }

    // MARK: Entries

    /// Appends an entry with an ID greater than the last one, of the fields and values that the arguments from `first` on are.
    @inline(__always)
    func append(_ id: StreamID, _ arguments: Arguments.Views, from first: Int, limits: CollectionLimits) {
        check(id > position.lastID, "IDs grow")
        entries.append(id, arguments, from: first, limits: limits)
        position.entriesAdded &+= 1
        position.lastID = id
        if count == 1 { position.firstID = id }
    }

    /// Removes an entry; false where it is not there.
    func remove(_ id: StreamID) -> Bool {
        if !entries.remove(id) { return false }
        position.maxDeletedID = max(position.maxDeletedID, id)
        if id == position.firstID || count == 0 { position.firstID = entries.firstID ?? .zero }
        return true
    }

    /// Removes entries from the front; see `StreamTree.trim`.
    func trim(_ goal: StreamTree.TrimGoal, isApproximate: Bool, limit: Int) -> Int {
        let removed = entries.trim(goal, isApproximate: isApproximate, limit: limit)
        if removed > 0 { position.firstID = entries.firstID ?? .zero }
        return removed
    }

    /// Says where the stream is (XSETID).
    func setPosition(lastID: StreamID, entriesAdded: UInt64?, maxDeletedID: StreamID?) {
        position.lastID = lastID
        if let entriesAdded { position.entriesAdded = entriesAdded }
        if let maxDeletedID { position.maxDeletedID = maxDeletedID }
    }

    // MARK: Groups

    /// The group of a name, to be read.
    func group(_ name: ByteView) -> StreamGroup? { groups.find(name) }

    /// Begins to change the group of a name; `finish` ends it. Nil where there is none.
    @inline(__always)
    func edit(_ name: ByteView) -> StreamGroupTree.Edit? { groups.edit(name) }

    @inline(__always)
    func finish(_ edit: StreamGroupTree.Edit) { groups.finish(edit) }

    /// Adds a group; false where the name is taken.
    @discardableResult
    package func addGroup(_ name: ByteView, lastID: StreamID, entriesRead: Int64) -> Bool {
        if groups.find(name) != nil { return false }
        groups.insert(StreamGroup(name: name, lastID: lastID, entriesRead: entriesRead))
        return true
    }

    /// Removes a group; returns a value to be freed, nil where there was no such group.
    func removeGroup(_ name: ByteView) -> StreamValue? { groups.remove(name).map { StreamValue(remains: $0) } }

    /// Whether XDEL removed `id` or an entry behind it from among those that are there, so that counting goes wrong from there.
    func hasTombstone(from id: StreamID) -> Bool {
        count > 0 && position.maxDeletedID != .zero && max(id, position.firstID) <= position.maxDeletedID
    }

    /// How many entries were added up to `id`, where that can be known.
    func entriesAdded(upTo id: StreamID) -> Int64? {
        let added = Int64(bitPattern: position.entriesAdded)
        if added == 0 { return 0 }
        if count == 0 && id <= position.lastID { return added }
        if id == position.lastID { return added }
        if id > position.lastID { return nil }
        if position.maxDeletedID == .zero || position.maxDeletedID < position.firstID {
            if id < position.firstID { return added &- Int64(count) }
            if id == position.firstID { return added &- Int64(count) &+ 1 }
        }
        return nil
    }

    /// How many entries a group has still to read, where that can be known.
    func lag(of group: StreamGroup) -> Int64? {
        let added = Int64(bitPattern: position.entriesAdded)
        if added == 0 { return 0 }
        if group.entriesRead != -1 && !hasTombstone(from: group.lastID) { return added &- group.entriesRead }
        return entriesAdded(upTo: group.lastID).map { added &- $0 }
    }

    /// Notes that a group was given the entry `id`, the next one behind its last.
    func advance(_ group: StreamGroup, to id: StreamID) {
        if group.entriesRead != -1 && !hasTombstone(from: id) {
            group.entriesRead &+= 1
        } else if position.entriesAdded != 0 {
            group.entriesRead = entriesAdded(upTo: id) ?? -1
        }
        group.lastID = id
    }

    // MARK: The whole, in order

    /// Calls `body` with every node of entries, in order.
    func forEachNode(_ body: (StreamNode) -> Void) { entries.forEachNode(body) }

    /// Calls `body` with every group in the order of their names.
    package func forEachGroup(_ body: (StreamGroup) -> Void) { groups.forEach(body) }

    /// Appends a node of entries, which moves into the stream. The position is not touched.
    func add(_ node: StreamNode) { entries.add(node) }

    /// Brings the position up to date after nodes were added.
    func findFirst() { position.firstID = entries.firstID ?? .zero }

    /// Stops the process where the stream is not what it must be.
    func _checkInvariants() {
        entries._checkInvariants()
        groups._checkInvariants()
        check(position.firstID == entries.firstID ?? .zero, "a stream knows its first entry")
        check((entries.lastID ?? .zero) <= position.lastID, "no entry is behind the last ID")
    }
}
