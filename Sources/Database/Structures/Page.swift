import Base
import Synchronization

/// What a page holds; decides what its release has to release.
enum PageKind: UInt8 {
    /// Elements one behind the other (`PackedList`).
    case packedList
    /// Sorted integers of one width (`IntegerSet`).
    case integerSet
    /// Entries sorted by (key, member) (`KeyedLeaf`).
    case keyedLeaf
    /// Children with their counts (`CountedNode`).
    case inner
    /// One long byte string that lives outside of the leaf that names it.
    case blob
    /// Entries of a stream one behind the other (`StreamNode`).
    case streamNode
    /// One consumer group with the roots of its trees (`StreamGroup`).
    case streamGroup
}

/// A reference-counted allocation: the one building block of all collections.
///
/// A page is written in place only while the writer is its only owner (`isUnique`, and every page above it too). To
/// record a collection is to `retain` its root: from then on writers replace what they would have changed, from the
/// root down to one leaf, and the record stays what it was. The count is atomic, although nothing shares pages with another thread
/// today; everything else of a page belongs to the thread that owns it.
///
/// This is a bare pointer: copies of the value are not counted. Who stores one owns one count and releases it.
///
/// Layout (bytes): 0 owners (UInt32), 4 capacity (UInt32, all bytes of the allocation), 8 kind, 9 level (0 for leaves)
/// or width, 10 blobs in a leaf, whether a packed list is not plain (UInt16), 12 count of elements or children (UInt32), 16 on: by kind.
struct Page {
    let start: UnsafeMutableRawPointer

    /// Bytes that every kind of page has at its front.
    static let headerBytes = 16
    /// The longest page: what its 32-bit fields can say.
    static let bytesMax = Int(UInt32.max)

    /// What a value refers to that has given its page away: no page.
    @inline(__always) static var none: Page { Page(start: UnsafeMutableRawPointer(mutating: ByteView.empty.start)) }
    /// Pages begin at multiples of this, so that the low bits of their addresses are free.
    static let alignment = 16

    /// A new page with one owner.
    static func allocate(_ kind: PageKind, level: UInt8 = 0, bytes: Int) -> Page {
        check(bytes >= headerBytes && bytes <= bytesMax, "a page has room for its header and fits 32-bit offsets")
        let start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
        start.initializeMemory(as: Atomic<UInt32>.self, to: Atomic(1))
        start.storeBytes(of: UInt32(bytes), toByteOffset: 4, as: UInt32.self)
        start.storeBytes(of: kind.rawValue, toByteOffset: 8, as: UInt8.self)
        start.storeBytes(of: level, toByteOffset: 9, as: UInt8.self)
        start.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
        start.storeBytes(of: 0, toByteOffset: 12, as: UInt32.self)
        return Page(start: start)
    }

    private var owners: UnsafeMutablePointer<Atomic<UInt32>> { start.assumingMemoryBound(to: Atomic<UInt32>.self) }

    /// Bytes of the allocation.
    @inline(__always) var capacity: Int { Int(start.load(fromByteOffset: 4, as: UInt32.self)) }

    @inline(__always) var kind: PageKind {
        switch start.load(fromByteOffset: 8, as: UInt8.self) {
        case PageKind.packedList.rawValue: .packedList
        case PageKind.integerSet.rawValue: .integerSet
        case PageKind.keyedLeaf.rawValue: .keyedLeaf
        case PageKind.inner.rawValue: .inner
        case PageKind.streamNode.rawValue: .streamNode
        case PageKind.streamGroup.rawValue: .streamGroup
        default: .blob
        }
    }

    /// Whether it is an inner page of a tree, which is asked on the way down.
    @inline(__always) var isInner: Bool { start.load(fromByteOffset: 8, as: UInt8.self) == PageKind.inner.rawValue }

    /// Height above the leaves, or the bytes of one integer in an integer set.
    @inline(__always) var level: UInt8 {
        get { start.load(fromByteOffset: 9, as: UInt8.self) }
        nonmutating set { start.storeBytes(of: newValue, toByteOffset: 9, as: UInt8.self) }
    }

    /// Number of long elements of a leaf that live in blobs. Of a packed list: 0 where it is plain, else 1.
    @inline(__always) var blobs: Int {
        get { Int(start.load(fromByteOffset: 10, as: UInt16.self)) }
        nonmutating set { start.storeBytes(of: UInt16(newValue), toByteOffset: 10, as: UInt16.self) }
    }

    /// Number of elements, entries, children or (in a blob) bytes.
    @inline(__always) var count: Int {
        get { Int(start.load(fromByteOffset: 12, as: UInt32.self)) }
        nonmutating set { start.storeBytes(of: UInt32(newValue), toByteOffset: 12, as: UInt32.self) }
    }

    /// Whether the caller's is the only count. Acquires, so that what another owner read before it let go happened before
    /// what the caller writes now.
    @inline(__always) var isUnique: Bool { owners.pointee.load(ordering: .acquiring) == 1 }

    /// One owner more.
    @inline(__always) func retain() {
        let before = owners.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
        check(before > 0 && before < UInt32.max, "a page that is retained has an owner already")
    }

    /// One owner less; the last one frees the page and lets go of what it refers to.
    func release() {
        let before = owners.pointee.wrappingSubtract(1, ordering: .acquiringAndReleasing).oldValue
        check(before > 0, "a page is released once per owner")
        if before > 1 { return }
        switch kind {
        case .inner:
            let node = CountedNode(page: self)
            for index in 0..<count { node.child(index).release() }
        case .keyedLeaf:
            if blobs > 0 { KeyedLeaf(page: self).forEachBlob { $0.release() } }
        case .streamGroup:
            StreamGroup(page: self).forEachRoot { $0.release() }
        case .packedList, .integerSet, .blob, .streamNode:
            break
        }
        start.deallocate()
    }

    /// Frees the memory alone, after everything that the page referred to has moved to another one.
    func deallocateMoved() {
        check(isUnique, "only the one owner moves a page's content")
        start.deallocate()
    }

    /// Whether this stands for no page.
    @inline(__always) var isNone: Bool { start == Page.none.start }

    /// Whether both are the same allocation.
    @inline(__always) func isSame(_ other: Page) -> Bool { start == other.start }

    // MARK: Blobs

    /// A page with a copy of long `bytes`.
    static func blob(_ bytes: ByteView) -> Page {
        let page = allocate(.blob, bytes: headerBytes + bytes.count)
        (page.start + headerBytes).copyMemory(from: bytes.start, byteCount: bytes.count)
        page.count = bytes.count
        return page
    }

    /// The bytes of a blob.
    var blobBytes: ByteView { ByteView(start: UnsafeRawPointer(start) + Page.headerBytes, count: count) }

    /// Bytes of this page and all that it refers to, shared or not.
    var totalBytes: Int {
        var bytes = capacity
        switch kind {
        case .inner:
            let node = CountedNode(page: self)
            for index in 0..<count { bytes += node.child(index).totalBytes }
        case .keyedLeaf:
            if blobs > 0 { KeyedLeaf(page: self).forEachBlob { bytes += $0.capacity } }
        case .streamGroup:
            StreamGroup(page: self).forEachRoot { bytes += $0.totalBytes }
        case .packedList, .integerSet, .blob, .streamNode:
            break
        }
        return bytes
    }
}
