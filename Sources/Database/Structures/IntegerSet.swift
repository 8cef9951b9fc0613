import Base

/// A sorted set of integers in one page, each in as few bytes (2, 4 or 8) as the widest of them needs: the small form of
/// sets whose members all are integers.
///
/// Layout behind the page header (level = bytes of one integer): 16 on, the integers, ascending, little-endian.
struct IntegerSet {
    var page: Page

    private static let dataOffset = Page.headerBytes

    @inline(__always) init(page: Page) { self.page = page }

    /// An empty set.
    init() {
        page = Page.allocate(.integerSet, level: 2, bytes: IntegerSet.capacity(for: 8))
    }

    /// An empty set whose integers take `width` bytes each, for integers up to that width.
    init(width: Int) {
        check(width == 2 || width == 4 || width == 8, "integers have two, four or eight bytes")
        page = Page.allocate(.integerSet, level: UInt8(width), bytes: IntegerSet.capacity(for: 4 * width))
    }

    /// Size of the allocation for `bytes` of integers, as the system's allocator would round it.
    private static func capacity(for bytes: Int) -> Int { (dataOffset + bytes + 7) / 16 * 16 + 8 }

    /// Number of integers.
    @inline(__always) var count: Int { page.count }

    /// Bytes of one integer.
    @inline(__always) var width: Int { Int(page.level) }

    /// The integers as they lie in memory (the body of Redis's intset format).
    var bytes: ByteView { ByteView(start: UnsafeRawPointer(page.start) + IntegerSet.dataOffset, count: count * width) }

    /// The integer with this index in ascending order.
    @inline(__always)
    subscript(index: Int) -> Int64 {
        check(index >= 0 && index < count, "an index lies inside its set")
        return load(index, width: width)
    }

    @inline(__always)
    private func load(_ index: Int, width: Int) -> Int64 {
        let pointer = page.start + IntegerSet.dataOffset + index * width
        switch width {
        case 2: return Int64(Int16(littleEndian: pointer.load(as: Int16.self)))
        case 4: return Int64(Int32(littleEndian: pointer.load(as: Int32.self)))
        default: return Int64(littleEndian: pointer.load(as: Int64.self))
        }
    }

    private func store(_ value: Int64, at index: Int, width: Int) {
        let pointer = page.start + IntegerSet.dataOffset + index * width
        switch width {
        case 2: pointer.storeBytes(of: Int16(value).littleEndian, as: Int16.self)
        case 4: pointer.storeBytes(of: Int32(value).littleEndian, as: Int32.self)
        default: pointer.storeBytes(of: value.littleEndian, as: Int64.self)
        }
    }

    static func width(of value: Int64) -> Int {
        if value >= Int64(Int16.min) && value <= Int64(Int16.max) { return 2 }
        return value >= Int64(Int32.min) && value <= Int64(Int32.max) ? 4 : 8
    }

    /// Index of the first integer that is not less than `value`.
    private func lowerBound(_ value: Int64) -> Int {
        var low = 0
        var high = count
        let width = self.width
        while low < high {
            let middle = (low + high) / 2
            if load(middle, width: width) < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether `value` is a member.
    func contains(_ value: Int64) -> Bool {
        if IntegerSet.width(of: value) > width { return false }
        let index = lowerBound(value)
        return index < count && self[index] == value
    }

    /// Makes this the only owner of the page: copies it where a record holds it too.
    mutating func makeUnique() {
        if page.isUnique { return }
        let old = page
        page = reallocated(width: width, room: count)
        old.release()
    }

    /// A new page with the same integers in `width` bytes each and room for `room` of them.
    private func reallocated(width newWidth: Int, room: Int) -> Page {
        let copy = IntegerSet(
            page: Page.allocate(.integerSet, level: UInt8(newWidth), bytes: IntegerSet.capacity(for: room * newWidth)))
        copy.page.count = count
        if newWidth == width {
            (copy.page.start + IntegerSet.dataOffset)
                .copyMemory(from: page.start + IntegerSet.dataOffset, byteCount: count * newWidth)
        } else {
            for index in 0..<count { copy.store(load(index, width: width), at: index, width: newWidth) }
        }
        return copy.page
    }

    /// Adds `value`; false when it was a member already. The page must have one owner.
    mutating func insert(_ value: Int64) -> Bool {
        let needed = max(width, IntegerSet.width(of: value))
        let index = lowerBound(value)
        if needed == width && index < count && self[index] == value { return false }
        check(page.isUnique, "a set is changed by its only owner")
        if needed > width || IntegerSet.dataOffset + (count + 1) * width > page.capacity {
            let room = count + 1 + (count >= 64 ? count / 8 : 0)
            let larger = reallocated(width: needed, room: room)
            page.deallocateMoved()
            page = larger
        }
        let from = page.start + IntegerSet.dataOffset + index * needed
        (from + needed).copyMemory(from: from, byteCount: (count - index) * needed)
        store(value, at: index, width: needed)
        page.count += 1
        return true
    }

    /// Removes `value`; false when it was no member. The page must have one owner.
    mutating func remove(_ value: Int64) -> Bool {
        if IntegerSet.width(of: value) > width { return false }
        let index = lowerBound(value)
        if index == count || self[index] != value { return false }
        check(page.isUnique, "a set is changed by its only owner")
        let from = page.start + IntegerSet.dataOffset + index * width
        from.copyMemory(from: from + width, byteCount: (count - index - 1) * width)
        page.count -= 1
        if page.capacity > 256 && count * width * 4 < page.capacity {
            let smaller = reallocated(width: width, room: count + count / 8)
            page.deallocateMoved()
            page = smaller
        }
        return true
    }

    /// Stops the process where the set is not what it must be.
    func _checkInvariants() {
        check(page.kind == .integerSet, "an integer set lives in a page of its kind")
        check(width == 2 || width == 4 || width == 8, "integers have two, four or eight bytes")
        check(IntegerSet.dataOffset + count * width <= page.capacity, "integers lie inside the page")
        for index in 1..<max(count, 1) { check(self[index - 1] < self[index], "integers ascend without repetition") }
    }
}
