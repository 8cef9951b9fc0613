import Base

/// Small collections between at rest and in use.
///
/// At rest a small collection is its page alone, which stands in the entry: one allocation beside the entry's, as memory counts where
/// there are a million of them. A command that looks at it needs a `CollectionValue`: the page is put into one (`open`), which takes
/// the page's place in the entry, and at the command's end (`close`) the page goes back, or the value stays an object because it has
/// grown out of its small form. The object is kept for the next one of its type.
///
/// All keyspaces of a group share one. Between two commands nothing is open.
final class OpenValues {
    /// An open value and the keyspace that accounts for its memory.
    private struct Open {
        /// The list's reference; the entry has none of its own meanwhile.
        var value: Unmanaged<CollectionValue>
        var keyspace: Unmanaged<Keyspace>
    }

    @exclusivity(unchecked) private var list: [Open] = []
    /// An object of each type without a page, where there is one.
    @exclusivity(unchecked) private var idle: InlineArray<6, CollectionValue?> = .init(repeating: nil)

    deinit { close() }

    /// An object without a page.
    static func shell(_ type: ValueType) -> CollectionValue {
        switch type {
        case .list: return ListValue(page: .none)
        case .set: return SetValue(page: .none)
        case .sortedSet: return SortedSetValue(page: .none)
        case .hash: return HashValue(page: .none)
        case .string, .stream:
            check(false, "only a collection that can be a bare page has an object around it")
            return ListValue(page: .none)
        }
    }

    /// Puts an object around the page of an entry at rest, in the entry too.
    func open(_ page: Page, of entry: Entry, in keyspace: Keyspace) -> CollectionValue {
        let type = entry.type
        let place = Int(type.rawValue)
        let value = idle[place] ?? OpenValues.shell(type)
        if idle[place] != nil { idle[place] = nil }
        value.take(page)
        value.accountedBytes = allocatedBytes(page.capacity)
        add(value, of: entry, in: keyspace)
        return value
    }

    /// Notes a value that an entry has just got, and puts it into the entry.
    func add(_ value: CollectionValue, of entry: Entry, in keyspace: Keyspace) {
        check(!value.isOpen && value.entry == nil, "a value is opened once")
        value.isOpen = true
        value.entry = entry
        let reference = Unmanaged.passRetained(value)
        entry.collectionField = reference.toOpaque()
        list.append(Open(value: reference, keyspace: Unmanaged.passUnretained(keyspace)))
    }

    /// Ends a command: what is small goes back to rest.
    @inline(__always)
    func close() { if !list.isEmpty { closeAll() } }

    private func closeAll() {
        while let last = list.popLast() { close(last) }
    }

    private func close(_ open: Open) {
        let value = open.value._withUnsafeGuaranteedRef { $0 }
        value.isOpen = false
        guard let entry = value.entry else { return open.value.release() }
        // Large, or something beside its page: it stays an object, and the list's reference becomes the entry's.
        if !value.isBarePage || entry.hasFieldDeadlines { return }
        let page = value.giveUpPage()
        let bytes = allocatedBytes(page.capacity)
        if bytes != value.accountedBytes { open.keyspace._withUnsafeGuaranteedRef { $0.account(value, bytes: bytes) } }
        value.entry = nil
        value.accountedBytes = 0
        entry.setBarePage(page)
        let place = Int(entry.type.rawValue)
        var last: CollectionValue? = open.value.takeRetainedValue()
        // Whoever still holds the object has an empty one; it is not used again.
        if isKnownUniquelyReferenced(&last), idle[place] == nil { idle[place] = last }
    }
}
