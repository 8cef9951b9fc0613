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

    /// The value that was opened first, and the others: most commands open one.
    @exclusivity(unchecked) private var first: Open?
    @exclusivity(unchecked) private var others: [Open] = []
    /// An object of each type without a page, where there is one. This has a reference to it.
    @exclusivity(unchecked) private var idle: InlineArray<6, Unmanaged<CollectionValue>?> = .init(repeating: nil)

    deinit {
        close()
        for place in idle.indices { idle[place]?.release() }
    }

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
    func open(_ page: Page, of entry: Entry, in keyspace: Keyspace) -> Unmanaged<CollectionValue> {
        let type = entry.type
        let place = Int(type.rawValue)
        let reference = idle[place] ?? Unmanaged.passRetained(OpenValues.shell(type))
        idle[place] = nil
        reference._withUnsafeGuaranteedRef { value in
            value.take(page)
            value.accountedBytes = allocatedBytes(page.capacity)
        }
        note(reference, of: entry, in: keyspace)
        return reference
    }

    /// Notes a value that an entry has just got, and puts it into the entry.
    @inline(__always)
    func add(_ value: CollectionValue, of entry: Entry, in keyspace: Keyspace) {
        note(Unmanaged.passRetained(value), of: entry, in: keyspace)
    }

    /// Puts a value on the list, whose reference it is, and into the entry.
    @inline(__always)
    private func note(_ reference: Unmanaged<CollectionValue>, of entry: Entry, in keyspace: Keyspace) {
        reference._withUnsafeGuaranteedRef { value in
            check(!value.isOpen && value.entry == nil, "a value is opened once")
            value.isOpen = true
            value.entry = entry
        }
        entry.collectionField = reference.toOpaque()
        let open = Open(value: reference, keyspace: Unmanaged.passUnretained(keyspace))
        if first == nil { first = open } else { others.append(open) }
    }

    /// Ends a command: what is small goes back to rest.
    @inline(__always)
    func close() { if first != nil { closeAll() } }

    @inline(never)
    private func closeAll() {
        while let last = others.popLast() { close(last) }
        if let only = first { close(only) }
        first = nil
    }

    @inline(__always)
    private func close(_ open: Open) {
        // The list's reference is taken over here: it goes to the entry, to `idle`, or away.
        var last: CollectionValue? = open.value.takeRetainedValue()
        let (entry, isAtRest) = open.value._withUnsafeGuaranteedRef { value in
            value.isOpen = false
            guard let entry = value.entry else { return (nil as Entry?, false) }
            // Large, or something beside its page: it stays an object, and the list's reference becomes the entry's.
            if !value.isBarePage || entry.hasFieldDeadlines { return (entry, false) }
            let page = value.giveUpPage()
            let bytes = allocatedBytes(page.capacity)
            if bytes != value.accountedBytes { open.keyspace._withUnsafeGuaranteedRef { $0.account(value, bytes: bytes) } }
            value.entry = nil
            value.accountedBytes = 0
            entry.setBarePage(page)
            return (entry, true)
        }
        guard let entry else { return }
        if !isAtRest {
            if let last { _ = Unmanaged.passRetained(last) }
            return
        }
        // Whoever still holds the object has an empty one; it is not used again.
        let place = Int(entry.type.rawValue)
        if isKnownUniquelyReferenced(&last), idle[place] == nil, let last { idle[place] = Unmanaged.passRetained(last) }
    }
}
