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
    /// comes twice, is out of order, or is written as this store does not write it) or they are damaged: which of all that it is, is for
    /// the caller to find out.
    ///
    /// - Parameters:
    ///   - entriesMax: members or fields that a packed list has at most.
    ///   - bytesMax: bytes of an element at most.
    static func list(
        _ view: ByteView, of meaning: Meaning, entriesMax: Int, bytesMax: Int, seed: UInt64
    ) -> PackedList? {
        if view.count <= headerBytes || view.count > wholeBytesMax || bytesMax < integerBytesMax { return nil }
        if Int(view.integer(at: 0, as: UInt32.self)) != view.count || view[view.count - 1] != 0xFF { return nil }
        let bytes = view.slice(headerBytes, view.count - headerBytes - 1)
        let count = Int(view.integer(at: 4, as: UInt16.self))
        let entries = count / meaning.elementsEach
        // An element has two bytes at least; and the largest number stands for an unknown one.
        if count == 0 || count == 65535 || count > bytes.count / 2 { return nil }
        if entries > entriesMax || count != entries * meaning.elementsEach { return nil }
        guard let strings = plainStrings(bytes, meaning, count: count, bytesMax: bytesMax, seed: seed) else { return nil }
        if meaning == .membersAndScores, !isOrdered(bytes) { return nil }
        return PackedList(entries: bytes, count: count, isPlain: strings == highBytes(bytes))
    }

    /// How many bytes are 128 or more.
    private static func highBytes(_ bytes: ByteView) -> Int {
        let low: UInt64 = 0x0101_0101_0101_0101
        var (high, offset) = (0, 0)
        while bytes.count - offset >= 8 {
            // The highest bits of eight bytes each, added up in eight sums of eight bits.
            var (sums, left) = (UInt64(0), min(255, (bytes.count - offset) / 8))
            while left > 0 {
                sums &+= bytes.start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) >> 7 & low
                offset += 8
                left -= 1
            }
            high += Int((sums & 0x00FF_00FF_00FF_00FF &+ sums >> 8 & 0x00FF_00FF_00FF_00FF) &* 0x0001_0001_0001_0001 >> 48)
        }
        while offset < bytes.count {
            high += Int(bytes[offset] >> 7)
            offset += 1
        }
        return high
    }

    /// Looks at every entry once: whether it is sound, what this store writes for its element, and none too long, and whether no member or
    /// field comes twice; nil where it is not so. Equal ones are written alike, so their bytes are compared.
    ///
    /// The result says whether the list can be searched like a text (`PackedList` says why): where all entries are numbers from 0 to 127 and
    /// strings of up to 63 bytes it is the number of strings, which is that of bytes from 128 on where there are none in the strings; where
    /// there are others, it is -1.
    private static func plainStrings(
        _ bytes: ByteView, _ meaning: Meaning, count: Int, bytesMax: Int, seed: UInt64
    ) -> Int? {
        // Three quarters of the places stay free, so that few are taken already.
        let bits = Int.bitWidth - (4 * count / meaning.elementsEach).leadingZeroBitCount
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 << bits) { table in
            table.initialize(repeating: 0)
            let step = meaning == .members ? 0 : 1
            var (place, left, isValue, strings, isPlain) = (0, count, 0, 0, true)
            while left > 0 {
                guard let (body, back) = ownBytes(bytes, place, bytesMax: bytesMax, &strings, &isPlain) else { return nil }
                if isValue == 0, !insert(bytes, place, body, into: table, seed: seed) { return nil }
                isValue ^= step
                place += body + back
                left -= 1
            }
            return place != bytes.count ? nil : isPlain ? strings : -1
        }
    }

    /// Bytes of an entry without its backward length, and of that; nil where it is damaged, this store would write its element otherwise, or
    /// it is too long.
    @inline(__always)
    private static func ownBytes(
        _ bytes: ByteView, _ place: Int, bytesMax: Int, _ strings: inout Int, _ isPlain: inout Bool
    ) -> (body: Int, back: Int)? {
        let left = bytes.count - place
        if left < 2 { return nil }
        let entry = bytes.start + place
        let lead = entry.load(as: UInt8.self)
        if lead & 0xC0 == 0x80 {
            // The usual case: a short string, with one byte behind it.
            let count = Int(lead & 0x3F)
            if count + 1 >= left || count > bytesMax { return nil }
            if entry.load(fromByteOffset: count + 1, as: UInt8.self) != UInt8(count + 1) { return nil }
            strings += 1
            // Nothing that begins with a letter is an integer.
            if count > 0, entry.load(fromByteOffset: 1, as: UInt8.self) >= 0x3A { return (count + 1, 1) }
            if PackedElement.canonicalInteger(ByteView(start: entry + 1, count: count)) != nil { return nil }
            return (count + 1, 1)
        }
        // Small integers have one form.
        if lead & 0x80 == 0 { return entry.load(fromByteOffset: 1, as: UInt8.self) == 1 ? (1, 1) : nil }
        isPlain = false
        guard let end = entryEnd(bytes, at: place, limit: bytes.count) else { return nil }
        let (body, element) = (PackedEntry.bodyBytes(entry), PackedEntry.decode(entry))
        if PackedEntry.bodyBytes(element) != body { return nil }
        if !element.isInteger, element.bytes.count > bytesMax || PackedElement.canonicalInteger(element.bytes) != nil {
            return nil
        }
        return (body, end - place - body)
    }

    /// Notes where a member's entry is; false where an equal one was before.
    @inline(__always)
    private static func insert(
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
    private static func isOrdered(_ bytes: ByteView) -> Bool {
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
