import Base

/// What a set holds, to be read where it lies: an integer set, a packed list, or the root of a table. Nothing is opened and no reference
/// counted for it: it is valid until the set's next change, and as long as somebody has the set.
struct SetContent {
    let page: Page

    @inline(__always) init(page: Page) { self.page = page }

    /// Of an entry that holds a set.
    @inline(__always)
    init(of entry: Entry) {
        check(entry.holds(.set), "only a set has a set's page")
        self.page =
            entry.barePage
            ?? Unmanaged<CollectionValue>.fromOpaque(entry.collectionField)
            ._withUnsafeGuaranteedRef { unsafeDowncast($0, to: SetValue.self).page }
    }

    @inline(__always) var encoding: SetValue.Encoding {
        switch page.kind {
        case .integerSet: .intset
        case .packedList: .listpack
        default: .hashtable
        }
    }

    /// Number of members.
    @inline(__always) var count: Int { CountedTree.total(page) }

    /// Whether both are the same set's, or share all that they hold.
    @inline(__always) func isSame(_ other: SetContent) -> Bool { page.isSame(other.page) }

    /// Whether a member is there.
    @inline(__always)
    func contains(_ member: PackedElement, seed: UInt64) -> Bool {
        switch encoding {
        case .intset:
            return SetContent.integer(of: member).map { IntegerSet(page: page).contains($0) } ?? false
        case .listpack:
            let list = PackedList(page: page)
            let wanted = member.isInteger ? member : PackedElement(member.bytes)
            return list.find(wanted, from: list.first) != nil
        case .hashtable:
            return member.withBytes { ByteStringTable(root: page, seed: seed).contains($0) }
        }
    }

    /// The number that a member stands for, if it does.
    @inline(__always)
    static func integer(of member: PackedElement) -> Int64? {
        member.isInteger ? member.integer : PackedElement.canonicalInteger(member.bytes)
    }

    /// Calls `body` with the members in the set's order, until it answers false.
    @inline(__always)
    func forEach(_ body: (PackedElement) -> Bool) {
        switch encoding {
        case .intset:
            let set = IntegerSet(page: page)
            for index in 0..<set.count where !body(PackedElement(integer: set[index])) { return }
        case .listpack:
            let list = PackedList(page: page)
            var position = list.first
            while position < list.end {
                if !body(list.element(at: position)) { return }
                position = list.position(after: position)
            }
        case .hashtable:
            KeyedTree(root: page).forEach { leaf, index in body(PackedElement(raw: leaf.member(index))) }
        }
    }
}
