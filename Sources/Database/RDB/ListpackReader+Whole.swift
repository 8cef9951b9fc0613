import Base

// Taking a listpack over as it lies in memory. What Redis writes for a small hash, set or sorted set is what a packed list here has too, so
// its entries need not be added one by one, each with a search for its like among those before: they are looked at once.
extension ListpackReader {
    /// What the elements are, and so what must hold of them besides that none comes twice.
    enum Meaning {
        case members
        case fieldsAndValues
        /// Members with scores, in the order of the scores.
        case membersAndScores

        fileprivate var elementsEach: Int { self == .members ? 1 : 2 }
    }

    /// The longest listpack that is taken over.
    private static let wholeBytesMax = 1 << 20
    /// Digits of an integer, with its sign.
    private static let integerBytesMax = 20

    /// All elements as a packed list; nil where adding them one by one would make something else of them (one is too long or too much,
    /// comes twice, is out of order, or is written as this store does not write it), which is for the caller to find out.
    ///
    /// - Parameters:
    ///   - entriesMax: members or fields that a packed list has at most.
    ///   - bytesMax: bytes of an element at most.
    func list(of meaning: Meaning, entriesMax: Int, bytesMax: Int, seed: UInt64) -> PackedList? {
        let entries = remaining / meaning.elementsEach
        let bytes = view.slice(ListpackReader.headerBytes, view.count - ListpackReader.headerBytes - 1)
        if offset != ListpackReader.headerBytes || entries == 0 || entries > entriesMax || remaining % meaning.elementsEach != 0
            || bytes.count > ListpackReader.wholeBytesMax || bytesMax < ListpackReader.integerBytesMax
        {
            return nil
        }
        if !isOwnWriting(bytes, meaning, entries: entries, bytesMax: bytesMax, seed: seed) { return nil }
        if meaning == .membersAndScores, !isOrdered(bytes) { return nil }
        return PackedList(entries: bytes, count: remaining, isPlain: isPlain(bytes))
    }

    /// Whether all entries are numbers from 0 to 127 and strings of up to 63 bytes below 128 (`PackedList` says why): whether no byte from
    /// 128 on is anything but the first one of such a string.
    private func isPlain(_ bytes: ByteView) -> Bool {
        var strings = 0
        var place = bytes.start
        let end = place + bytes.count
        while place < end {
            let lead = place.load(as: UInt8.self)
            if lead >= 0xC0 { return false }
            strings += Int(lead >> 7)
            // One byte, or what its lower bits say; and the length behind it.
            place += 2 + Int(lead & 0x3F & (0 &- (lead >> 7)))
        }
        var high: UInt64 = 0
        var offset = 0
        while offset <= bytes.count - 8 {
            // A product adds up the bits of the eight bytes in its highest byte.
            let marks = bytes.integer(at: offset, as: UInt64.self) >> 7 & 0x0101_0101_0101_0101
            high &+= marks &* 0x0101_0101_0101_0101 >> 56
            offset += 8
        }
        while offset < bytes.count {
            high += UInt64(bytes[offset] >> 7)
            offset += 1
        }
        return high == UInt64(strings)
    }

    /// Whether every entry is what this store writes for its element, none is too long, and no member or field comes twice. Equal ones are
    /// written alike, so their bytes are compared.
    private func isOwnWriting(_ bytes: ByteView, _ meaning: Meaning, entries: Int, bytesMax: Int, seed: UInt64) -> Bool {
        // Half of the places stay free.
        let bits = Int.bitWidth - (2 * entries).leadingZeroBitCount
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 << bits) { table in
            table.initialize(repeating: 0)
            var place = 0
            var isMember = true
            while place < bytes.count {
                guard let body = ListpackReader.ownBytes(bytes.start + place, bytesMax: bytesMax) else { return false }
                if isMember, !insert(bytes, place, body, into: table, seed: seed) { return false }
                if meaning != .members { isMember.toggle() }
                place += body + PackedEntry.backBytes(body)
            }
            check(place == bytes.count, "the last entry ends where the entries end")
            return true
        }
    }

    /// Bytes of an entry without its backward length; nil where this store would write its element otherwise, or it is too long.
    @inline(__always)
    private static func ownBytes(_ entry: UnsafeRawPointer, bytesMax: Int) -> Int? {
        let lead = entry.load(as: UInt8.self)
        // Small integers have one form.
        if lead & 0x80 == 0 { return 1 }
        if lead & 0xC0 == 0x80 {
            let count = Int(lead & 0x3F)
            if count > bytesMax { return nil }
            // Nothing that begins with a letter is an integer.
            if count > 0, entry.load(fromByteOffset: 1, as: UInt8.self) >= 0x3A { return 1 + count }
            let isInteger = PackedElement.canonicalInteger(ByteView(start: entry + 1, count: count)) != nil
            return isInteger ? nil : 1 + count
        }
        let body = PackedEntry.bodyBytes(entry)
        let element = PackedEntry.decode(entry)
        if PackedEntry.bodyBytes(element) != body { return nil }
        if element.isInteger { return body }
        return element.bytes.count > bytesMax || PackedElement.canonicalInteger(element.bytes) != nil ? nil : body
    }

    /// Notes where a member's entry is; false where an equal one was before.
    @inline(__always)
    private func insert(
        _ bytes: ByteView, _ place: Int, _ body: Int, into table: UnsafeMutableBufferPointer<UInt32>, seed: UInt64
    ) -> Bool {
        let mask = table.count - 1
        let element = bytes.slice(place, body)
        var slot = Int(truncatingIfNeeded: hash(element, seed: seed) >> 32) & mask
        // Places are kept plus one: 0 is free.
        while table[slot] != 0 {
            let other = Int(table[slot]) - 1
            if bytes.slice(other, PackedEntry.bodyBytes(bytes.start + other)).equals(element) { return false }
            slot = (slot + 1) & mask
        }
        table[slot] = UInt32(place + 1)
        return true
    }

    /// Whether members ascend by score, then by bytes, and scores are integers, which stand alike in Redis and here.
    private func isOrdered(_ bytes: ByteView) -> Bool {
        var place = bytes.start
        let end = place + bytes.count
        var last: (score: Int64, member: PackedElement)?
        while place < end {
            let member = PackedEntry.decode(place)
            let body = PackedEntry.bodyBytes(place)
            place += body + PackedEntry.backBytes(body)
            let score = PackedEntry.decode(place)
            if !score.isInteger || score.integer.magnitude >= 9_007_199_254_740_992 { return false }
            if let last {
                if last.score > score.integer { return false }
                if last.score == score.integer {
                    if last.member.withBytes({ before in member.withBytes { before.compare($0) } }) >= 0 { return false }
                }
            }
            last = (score.integer, member)
            let scoreBody = PackedEntry.bodyBytes(place)
            place += scoreBody + PackedEntry.backBytes(scoreBody)
        }
        return true
    }
}

extension PackedList {
    /// A list of `count` entries that lie in memory as this store writes them; `isPlain` where they may be searched like a text.
    init(entries: ByteView, count: Int, isPlain: Bool) {
        self.init(room: entries.count)
        (page.start + head).copyMemory(from: entries.start, byteCount: entries.count)
        tail = head + entries.count
        self.count = count
        if !isPlain { page.blobs = 1 }
    }
}
