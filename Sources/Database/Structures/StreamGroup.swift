import Base

/// An entry that was delivered to a consumer and is not acknowledged yet.
package struct StreamPending: Equatable, Sendable {
    /// Number of the consumer in its group.
    package var consumer: UInt64
    /// Milliseconds since 1970.
    package var deliveryTime: Int64
    package var deliveryCount: Int64
}

/// A consumer of a group.
package struct StreamConsumer: Equatable, Sendable {
    /// Its number in its group; not visible to clients.
    package var number: UInt64
    /// When it last tried to do something, in milliseconds since 1970.
    package var seenTime: Int64
    /// When it last got something; -1 for never.
    package var activeTime: Int64
}

/// A consumer group: one page with the group's position and the roots of its four trees.
///
/// `pending` has what is delivered and not acknowledged by ID, `owned` the same by consumer (number, ID), `consumers` are found by
/// name, `names` by number. So everything costs O(log n), a copy of a group is four counts, and a record shares all of it.
///
/// A bare pointer, as `Page` is: the setters and the functions that change something ask for a page with one owner.
///
/// Layout behind the page header: 16 last delivered ID (two UInt64), 32 entries read (Int64, -1: unknown), 40 next consumer's
/// number, 48 roots of pending, owned, consumers, names, 80 length of the name (UInt32), 84 nothing, 88 bytes of consumers
/// (Int), 96 name.
package struct StreamGroup {
    let page: Page

    private static let rootsOffset = 48
    private static let nameOffset = 96

    @inline(__always) init(page: Page) { self.page = page }

    /// A group without consumers.
    init(name: ByteView, lastID: StreamID, entriesRead: Int64) {
        page = Page.allocate(.streamGroup, bytes: (StreamGroup.nameOffset + name.count + 7) / 16 * 16 + 8)
        page.count = 1
        page.start.storeBytes(of: 1, toByteOffset: 40, as: UInt64.self)
        page.start.storeBytes(of: UInt32(name.count), toByteOffset: 80, as: UInt32.self)
        page.start.storeBytes(of: 0, toByteOffset: 88, as: Int.self)
        (page.start + StreamGroup.nameOffset).copyMemory(from: name.start, byteCount: name.count)
        setRoot(.pending, KeyedLeaf(hasValues: true).page)
        setRoot(.owned, KeyedLeaf(hasValues: false).page)
        setRoot(.consumers, KeyedLeaf(hasValues: true).page)
        setRoot(.names, KeyedLeaf(hasValues: false).page)
        self.lastID = lastID
        self.entriesRead = entriesRead
    }

    /// A copy with one owner, which shares the trees.
    func copied() -> StreamGroup {
        let copy = Page.allocate(.streamGroup, bytes: page.capacity)
        (copy.start + Page.headerBytes).copyMemory(
            from: page.start + Page.headerBytes, byteCount: page.capacity - Page.headerBytes)
        copy.count = 1
        let group = StreamGroup(page: copy)
        group.forEachRoot { $0.retain() }
        return group
    }

    // MARK: Fields

    private enum Tree: Int { case pending, owned, consumers, names }

    @inline(__always)
    private func tree(_ tree: Tree) -> KeyedTree {
        let offset = StreamGroup.rootsOffset + 8 * tree.rawValue
        return KeyedTree(root: Page(start: page.start.load(fromByteOffset: offset, as: UnsafeMutableRawPointer.self)))
    }

    @inline(__always)
    private func setRoot(_ tree: Tree, _ root: Page) {
        let offset = StreamGroup.rootsOffset + 8 * tree.rawValue
        page.start.storeBytes(of: root.start, toByteOffset: offset, as: UnsafeMutableRawPointer.self)
    }

    /// Calls `body` with the roots of the trees.
    func forEachRoot(_ body: (Page) -> Void) {
        for which in [Tree.pending, .owned, .consumers, .names] { body(tree(which).root) }
    }

    /// Changes one of the trees.
    @inline(__always)
    private func change<Result>(_ which: Tree, _ body: (inout KeyedTree) -> Result) -> Result {
        check(page.isUnique, "a group is changed by its only owner")
        var tree = self.tree(which)
        let result = body(&tree)
        setRoot(which, tree.root)
        return result
    }

    /// The group's name; valid as long as the group is.
    package var name: ByteView {
        let count = Int(page.start.load(fromByteOffset: 80, as: UInt32.self))
        return ByteView(start: UnsafeRawPointer(page.start) + StreamGroup.nameOffset, count: count)
    }

    /// The first bytes of the name as a number that sorts as they do.
    var key: UInt64 { StreamGroup.key(name) }

    /// Names sort by their bytes: first by a number of the first eight, then by all of them.
    @inline(__always)
    static func key(_ name: ByteView) -> UInt64 {
        if name.count >= 8 { return UInt64(bigEndian: name.start.loadUnaligned(as: UInt64.self)) }
        var key: UInt64 = 0
        for index in 0..<name.count { key |= UInt64(name[index]) << UInt64(56 - 8 * index) }
        return key
    }

    /// The last ID that was delivered.
    package var lastID: StreamID {
        get {
            StreamID(
                milliseconds: page.start.load(fromByteOffset: 16, as: UInt64.self),
                sequence: page.start.load(fromByteOffset: 24, as: UInt64.self))
        }
        nonmutating set {
            page.start.storeBytes(of: newValue.milliseconds, toByteOffset: 16, as: UInt64.self)
            page.start.storeBytes(of: newValue.sequence, toByteOffset: 24, as: UInt64.self)
        }
    }

    /// How many entries of the stream the group has read; -1 where that is unknown.
    package var entriesRead: Int64 {
        get { page.start.load(fromByteOffset: 32, as: Int64.self) }
        nonmutating set { page.start.storeBytes(of: newValue, toByteOffset: 32, as: Int64.self) }
    }

    /// The number that the next new consumer gets.
    var nextConsumer: UInt64 {
        get { page.start.load(fromByteOffset: 40, as: UInt64.self) }
        nonmutating set { page.start.storeBytes(of: newValue, toByteOffset: 40, as: UInt64.self) }
    }

    private var consumerBytes: Int {
        get { page.start.load(fromByteOffset: 88, as: Int.self) }
        nonmutating set { page.start.storeBytes(of: newValue, toByteOffset: 88, as: Int.self) }
    }

    /// Bytes of memory, an estimate in constant time: the page, four trees, and what is in them.
    var bytes: Int { page.capacity + 4 * 128 + consumerBytes + pendingCount * StreamGroup.pendingBytes }

    /// An entry of `pending` and one of `owned`, with their slots and an eighth of room.
    private static let pendingBytes = (10 + 9 + 25 + 10 + 17) * 9 / 8

    private static func bytes(ofConsumer name: ByteView) -> Int {
        2 * KeyedLeaf.accountedBytes(name.count, inlineMax: KeyedLeaf.inlineBytesMax) + 2 * 10 + 25
    }

    // MARK: Consumers

    package var consumerCount: Int { tree(.consumers).count }

    private static func consumer(_ leaf: KeyedLeaf, _ index: Int) -> StreamConsumer {
        let value = leaf.value(index)
        return StreamConsumer(
            number: value.integer(at: 0, as: UInt64.self), seenTime: value.integer(at: 8, as: Int64.self),
            activeTime: value.integer(at: 16, as: Int64.self))
    }

    /// The consumer of a name.
    package func consumer(named name: ByteView) -> StreamConsumer? {
        tree(.consumers).find(StreamGroup.key(name), name).map { StreamGroup.consumer($0.leaf, $0.index) }
    }

    /// The name of a consumer's number; valid until the next change.
    package func consumerName(_ number: UInt64) -> ByteView {
        let names = tree(.names)
        let (leaf, index) = names.entry(at: names.countBelow(number))
        check(leaf.key(index) == number, "a consumer has a name")
        return leaf.member(index)
    }

    /// Calls `body` with the consumers in the order of their names.
    package func forEachConsumer(_ body: (_ name: ByteView, StreamConsumer) -> Void) {
        tree(.consumers).forEach { leaf, index in
            body(leaf.member(index), StreamGroup.consumer(leaf, index))
            return true
        }
    }

    /// As `forEachConsumer(_:)` from one on, until `body` answers false.
    func forEachConsumer(from rank: Int, _ body: (_ name: ByteView, StreamConsumer) -> Bool) {
        tree(.consumers).forEach(from: rank) { leaf, index in body(leaf.member(index), StreamGroup.consumer(leaf, index)) }
    }

    /// Whether a number is a consumer's.
    func hasConsumer(_ number: UInt64) -> Bool {
        let names = tree(.names)
        let rank = names.countBelow(number)
        if rank == names.count { return false }
        let (leaf, index) = names.entry(at: rank)
        return leaf.key(index) == number
    }

    /// Adds a consumer whose name and number are new.
    func add(_ consumer: StreamConsumer, named name: ByteView) {
        put(consumer, named: name)
        let put = change(.names) { $0.put(consumer.number, KeyedElement(name)) }
        check(put == .inserted, "a consumer's number is new")
        consumerBytes += StreamGroup.bytes(ofConsumer: name)
    }

    /// Adds a consumer whose name is new.
    func addConsumer(named name: ByteView, seenTime: Int64, activeTime: Int64 = -1) -> StreamConsumer {
        let consumer = StreamConsumer(number: nextConsumer, seenTime: seenTime, activeTime: activeTime)
        nextConsumer += 1
        add(consumer, named: name)
        return consumer
    }

    /// Notes the times of a consumer.
    func put(_ consumer: StreamConsumer, named name: ByteView) {
        let value = (consumer.number.littleEndian, consumer.seenTime.littleEndian, consumer.activeTime.littleEndian)
        withUnsafeBytes(of: value) { value in
            _ = change(.consumers) { $0.put(StreamGroup.key(name), KeyedElement(name), value: ByteView(value)) }
        }
    }

    /// Removes a consumer and what is pending for it; returns how many entries that were, nil where there is no such consumer.
    func removeConsumer(named name: ByteView) -> Int? {
        guard let consumer = consumer(named: name) else { return nil }
        let pending = pendingCount(of: consumer)
        forEachOwned(consumer) { id in
            let removed = change(.pending) { tree in id.withSequence { tree.remove(id.milliseconds, $0) } }
            check(removed, "what a consumer has is pending in its group")
            return true
        }
        let start = tree(.owned).countBelow(consumer.number)
        change(.owned) { $0.remove(fromRank: start, count: pending) }
        let isRemoved = change(.consumers) { $0.remove(StreamGroup.key(name), name) }
        let isForgotten = change(.names) { $0.remove(consumer.number, name) }
        check(isRemoved && isForgotten, "a consumer is found by name and by number")
        consumerBytes -= StreamGroup.bytes(ofConsumer: name)
        return pending
    }

    // MARK: Pending entries

    package var pendingCount: Int { tree(.pending).count }

    /// Entries that are pending for a consumer.
    package func pendingCount(of consumer: StreamConsumer) -> Int {
        let owned = tree(.owned)
        return owned.countBelow(consumer.number + 1) - owned.countBelow(consumer.number)
    }

    private static func pending(_ leaf: KeyedLeaf, _ index: Int) -> StreamPending {
        let value = leaf.value(index)
        return StreamPending(
            consumer: value.integer(at: 0, as: UInt64.self), deliveryTime: value.integer(at: 8, as: Int64.self),
            deliveryCount: value.integer(at: 16, as: Int64.self))
    }

    private static func pendingID(_ leaf: KeyedLeaf, _ index: Int) -> StreamID {
        let sequence = UInt64(bigEndian: leaf.member(index).start.loadUnaligned(as: UInt64.self))
        return StreamID(milliseconds: leaf.key(index), sequence: sequence)
    }

    /// What is known of a pending entry; nil where it is not pending.
    package func pending(_ id: StreamID) -> StreamPending? {
        id.withSequence { tree(.pending).find(id.milliseconds, $0) }.map { StreamGroup.pending($0.leaf, $0.index) }
    }

    /// The first pending entry with this ID or a greater one.
    func firstPending(from id: StreamID) -> (id: StreamID, pending: StreamPending)? {
        let pending = tree(.pending)
        let rank = id.withSequence { pending.rank(of: id.milliseconds, $0).rank }
        if rank == pending.count { return nil }
        let (leaf, index) = pending.entry(at: rank)
        return (StreamGroup.pendingID(leaf, index), StreamGroup.pending(leaf, index))
    }

    /// The greatest ID that is pending.
    var lastPendingID: StreamID? {
        let pending = tree(.pending)
        if pending.count == 0 { return nil }
        let (leaf, index) = pending.entry(at: pending.count - 1)
        return StreamGroup.pendingID(leaf, index)
    }

    /// Calls `body` with the pending entries from an ID on, in order, until it answers false.
    package func forEachPending(from id: StreamID = .zero, _ body: (StreamID, StreamPending) -> Bool) {
        let pending = tree(.pending)
        let rank = id.withSequence { pending.rank(of: id.milliseconds, $0).rank }
        pending.forEach(from: rank) { leaf, index in body(StreamGroup.pendingID(leaf, index), StreamGroup.pending(leaf, index)) }
    }

    /// Calls `body` with the IDs that are pending for a consumer from one on, in order, until it answers false. What is known of
    /// pending entries may be changed meanwhile, but not whose they are.
    package func forEachOwned(_ consumer: StreamConsumer, from id: StreamID = .zero, _ body: (StreamID) -> Bool) {
        let owned = tree(.owned)
        let rank = id.withBytes { owned.rank(of: consumer.number, $0).rank }
        owned.forEach(from: rank) { leaf, index in
            leaf.key(index) == consumer.number && body(StreamID(bytes: leaf.member(index)))
        }
    }

    /// Makes an entry pending, or changes what is known of it; `old` is what was known so far (`pending(_:)`).
    func put(_ id: StreamID, _ pending: StreamPending, old: StreamPending?) {
        let value = (pending.consumer.littleEndian, pending.deliveryTime.littleEndian, pending.deliveryCount.littleEndian)
        let put = withUnsafeBytes(of: value) { value in
            id.withSequence { sequence in
                change(.pending) { $0.put(id.milliseconds, KeyedElement(sequence), value: ByteView(value)) }
            }
        }
        check((put == .inserted) == (old == nil), "what is known of a pending entry is known")
        if old?.consumer == pending.consumer { return }
        if let old { disown(id, old.consumer) }
        let owned = id.withBytes { bytes in change(.owned) { $0.put(pending.consumer, KeyedElement(bytes)) } }
        check(owned == .inserted, "a pending entry has one consumer")
    }

    /// Forgets an entry; false where it is not pending.
    func removePending(_ id: StreamID) -> Bool {
        var consumer: UInt64?
        let removed = id.withSequence { sequence in
            change(.pending) { tree in
                tree.removeValue(id.milliseconds, sequence) { consumer = $0.integer(at: 0, as: UInt64.self) } != nil
            }
        }
        if let consumer { disown(id, consumer) }
        check(removed == (consumer != nil), "a pending entry has a consumer")
        return removed
    }

    /// Forgets a pending entry, of which `old` was known.
    func removePending(_ id: StreamID, _ old: StreamPending) {
        let removed = id.withSequence { sequence in change(.pending) { $0.remove(id.milliseconds, sequence) } }
        check(removed, "only what is pending is forgotten")
        disown(id, old.consumer)
    }

    private func disown(_ id: StreamID, _ consumer: UInt64) {
        let removed = id.withBytes { bytes in change(.owned) { $0.remove(consumer, bytes) } }
        check(removed, "a pending entry has a consumer")
    }

    // MARK: The whole

    /// Frees a part of a group that nobody uses any more. True when what is left can go at once.
    func discard(budget: inout Int) -> Bool {
        if !page.isUnique { return true }
        for which in [Tree.pending, .owned, .consumers, .names] {
            var root = tree(which).root
            let isDone = CountedTree.discard(&root, budget: &budget)
            setRoot(which, root)
            if !isDone { return false }
        }
        return true
    }

    /// The digest of the content.
    func digest(seed: UInt64) -> Digest {
        var digest = Digest(name, seed: seed)
        digest.append(positionOf: self)
        // Asked only, never walked through.
        var names: [UInt64: Digest] = [:]
        forEachConsumer { name, consumer in
            let part = Digest(name, seed: seed)
            names[consumer.number] = part
            digest.append(consumer, name: part)
        }
        forEachPending { id, pending in
            digest.append(id, pending, consumer: names[pending.consumer] ?? Digest())
            return true
        }
        return digest
    }

    /// Stops the process where the group is not what it must be.
    func _checkInvariants() {
        check(page.kind == .streamGroup && page.count == 1, "a group lives in a page of its kind")
        for which in [Tree.pending, .owned, .consumers, .names] { tree(which)._checkInvariants() }
        check(tree(.names).count == consumerCount, "every consumer has a name and a number")
        check(tree(.owned).count == pendingCount, "every pending entry has one consumer")
        var (bytes, owned) = (0, 0)
        forEachConsumer { name, consumer in
            check(consumer.number < nextConsumer && consumerName(consumer.number).equals(name), "a number leads to its name")
            bytes += StreamGroup.bytes(ofConsumer: name)
            forEachOwned(consumer) { id in
                check(pending(id)?.consumer == consumer.number, "what a consumer has is pending for it")
                owned += 1
                return true
            }
        }
        check(owned == pendingCount && bytes == consumerBytes, "a group counts what it has")
    }
}

extension StreamID {
    /// Calls `body` with eight bytes that sort as the sequence number does.
    @inline(__always)
    func withSequence<Result>(_ body: (ByteView) -> Result) -> Result {
        withUnsafeBytes(of: sequence.bigEndian) { body(ByteView($0)) }
    }
}
