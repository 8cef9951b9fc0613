import Base

/// Encodes one value in steps, and reckons the digest of its content meanwhile.
///
///     string           bytes (integers: signed)
///     list, packed     count, bytes of the packed form, elements
///     list, chunked    level of the root; then the tree in preorder: a node as its number of children (byte), a chunk as a packed list
///     set              packed as lists; integers: width (byte), count, elements; table: count, elements
///     sorted set       count, bytes of the packed form where packed, members with scores (UInt64, the double's bits)
///     hash             count, bytes of the packed form where packed, fields with values, each with deadline + 1 or 0 where fields have
///                      deadlines
///     stream           last ID, greatest ID deleted, entries added, number of nodes, nodes, number of groups, groups
///
/// The shape of a list's tree is kept because it decides which chunks will be merged, which DUMP and OBJECT ENCODING show.
/// An element longer than `Digest.pieceBytes` is encoded piece by piece.
struct ValueEncoder {
    let seed: UInt64
    /// Of what is encoded; the content's when all of it is.
    var digest = Digest()
    /// Elements, members or fields that are done.
    var rank = 0
    /// Whether the value's own numbers are written.
    var hasBegun = false
    /// Whether the first of a pair of elements is done, and the pair's digest so far.
    var isInPair = false
    var pair = Digest()
    /// Elements of a list's chunk that are to come.
    private var chunkLeft = 0
    /// What is done of a long element.
    private var longBytes = 0
    private var longDigest = Digest()
    /// Where a stream is.
    var place = StreamPlace()

    init(seed: UInt64) { self.seed = seed }

    /// Goes on with a collection until it is done (true) or `output` has `limit` bytes.
    mutating func run(_ value: CollectionValue, into output: ByteBuffer, limit: Int) -> Bool {
        switch value {
        case let list as ListValue: return self.list(list, output, limit)
        case let set as SetValue: return self.set(set, output, limit)
        case let set as SortedSetValue: return sortedSet(set, output, limit)
        case let hash as HashValue: return self.hash(hash, output, limit)
        case let stream as StreamValue: return self.stream(stream, output, limit)
        default:
            check(false, "every kind of collection can be encoded")
            return true
        }
    }

    /// Goes on with the bytes of a string.
    mutating func run(_ bytes: ByteView, into output: ByteBuffer, limit: Int) -> Bool {
        repeat {
            if let done = self.bytes(bytes, head: UInt64(bytes.count), output) {
                digest = done
                return true
            }
        } while output.count < limit
        return false
    }

    // MARK: elements

    /// Encodes an element, of a long one a piece. The digest of its bytes when it is done.
    @inline(__always)
    mutating func element(_ element: PackedElement, _ output: ByteBuffer) -> Digest? {
        if !element.isInteger { return bytes(element.bytes, head: UInt64(element.bytes.count) << 1, output) }
        ValueEncoder.append(integer: element.integer, output)
        return element.withBytes { Digest($0, seed: seed) }
    }

    /// Integers are odd: 1 and eight bytes, or twice the zigzag number and three.
    private static func append(integer: Int64, _ output: ByteBuffer) {
        let zigzag = StateFormat.zigzag(integer)
        if zigzag < 1 << 62 {
            output.append(variable: (zigzag + 1) << 1 | 1)
        } else {
            output.append(byte: 1)
            output.append(integer: integer)
        }
    }

    @inline(__always)
    mutating func bytes(_ bytes: ByteView, head: UInt64, _ output: ByteBuffer) -> Digest? {
        if bytes.count > Digest.pieceBytes { return longBytes(bytes, head: head, output) }
        output.append(variable: head)
        output.append(bytes)
        return Digest(bytes, seed: seed)
    }

    private mutating func longBytes(_ bytes: ByteView, head: UInt64, _ output: ByteBuffer) -> Digest? {
        if longBytes == 0 { output.append(variable: head) }
        let piece = bytes.slice(longBytes, min(Digest.pieceBytes, bytes.count - longBytes))
        output.append(piece)
        longDigest.append(Digest(piece, seed: seed))
        longBytes += piece.count
        if longBytes < bytes.count { return nil }
        defer {
            longBytes = 0
            longDigest = Digest()
        }
        return longDigest
    }

    // MARK: lists

    private mutating func list(_ list: ListValue, _ output: ByteBuffer, _ limit: Int) -> Bool {
        if !hasBegun {
            hasBegun = true
            if list.isPacked {
                begin(PackedList(page: list.page), output)
                chunkLeft = list.count
            } else {
                output.append(byte: list.page.level)
            }
        }
        while rank < list.count {
            if output.count >= limit { return false }
            if chunkLeft == 0 { beginChunk(of: list, output) }
            list.forEach(from: rank, limit: chunkLeft) { element in
                guard let part = self.element(element, output) else { return false }
                digest.append(part)
                rank += 1
                chunkLeft -= 1
                return output.count < limit
            }
        }
        return true
    }

    private func begin(_ packed: PackedList, _ output: ByteBuffer) {
        output.append(variable: UInt64(packed.count))
        output.append(variable: UInt64(packed.byteCount))
    }

    /// Writes the nodes that begin with the next chunk, and the chunk's numbers.
    private mutating func beginChunk(of list: ListValue, _ output: ByteBuffer) {
        let (path, inside) = CountedTree(root: list.page).path(to: rank)
        check(inside == 0, "a step from chunk to chunk meets the first element")
        var level = path.depth
        while level > 0, path[level - 1].index == 0 { level -= 1 }
        // All nodes below the last one that does not go to its first child; the root with the first chunk.
        for begun in level..<path.depth { output.append(byte: UInt8(path[begun].node.count)) }
        begin(PackedList(page: path.leaf), output)
        chunkLeft = path.leaf.count
    }

    // MARK: sets, sorted sets and hashes

    private mutating func set(_ set: SetValue, _ output: ByteBuffer, _ limit: Int) -> Bool {
        if !hasBegun {
            hasBegun = true
            switch set.encoding {
            case .intset:
                output.append(byte: set.page.level)
                output.append(variable: UInt64(set.count))
            case .listpack: begin(PackedList(page: set.page), output)
            case .hashtable: output.append(variable: UInt64(set.count))
            }
        }
        while rank < set.count {
            if output.count >= limit { return false }
            set.forEach(from: rank) { member in
                guard let part = element(member, output) else { return false }
                digest.add(part)
                rank += 1
                return output.count < limit
            }
        }
        return true
    }

    private mutating func sortedSet(_ set: SortedSetValue, _ output: ByteBuffer, _ limit: Int) -> Bool {
        if !hasBegun {
            hasBegun = true
            if set.isPacked { begin(set.list, output) }
            if !set.isPacked { output.append(variable: UInt64(set.count)) }
        }
        while rank < set.count {
            if output.count >= limit { return false }
            set.forEach(from: rank) { member, score in
                guard var pair = element(member, output) else { return false }
                output.append(integer: score.bitPattern)
                pair.append(score.bitPattern)
                digest.add(pair)
                rank += 1
                return output.count < limit
            }
        }
        return true
    }

    private mutating func hash(_ hash: HashValue, _ output: ByteBuffer, _ limit: Int) -> Bool {
        if !hasBegun {
            hasBegun = true
            if hash.isPacked { begin(PackedList(page: hash.page), output) }
            if !hash.isPacked { output.append(variable: UInt64(hash.storedCount)) }
        }
        let deadlines = hash.deadlines
        while rank < hash.storedCount {
            if output.count >= limit { return false }
            hash.forEachStored(from: rank) { field, value in
                if !isInPair {
                    guard let part = element(field, output) else { return false }
                    pair = part
                    isInPair = true
                    if output.count >= limit { return false }
                }
                guard let part = element(value, output) else { return false }
                isInPair = false
                pair.append(part)
                if let deadlines {
                    let deadline = field.withBytes { deadlines.deadline(of: $0) }
                    output.append(variable: UInt64(bitPattern: (deadline ?? -1) &+ 1))
                    if let deadline { pair.append(UInt64(bitPattern: deadline)) }
                }
                digest.add(pair)
                rank += 1
                return output.count < limit
            }
        }
        return true
    }
}
