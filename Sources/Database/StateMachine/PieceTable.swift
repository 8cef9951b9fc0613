import Base
import RESP

/// Large commands of which some pieces are applied and the last is not: part of the replicated state, one at most per node, as a node
/// numbers the pieces of a command one behind the other.
struct PieceTable {
    /// The front of a command.
    struct Partial {
        let owner: NodeID
        /// Bytes of the whole.
        let total: Int
        /// Only ever appended to, within what was reserved at once: its bytes stay where they are.
        var bytes: ByteBuffer
        /// Bytes that are there. (Whoever keeps a copy of this value has these, though `bytes` goes on.)
        var count = 0
        /// Of all pieces, each by itself.
        var digest = Digest()

        fileprivate mutating func append(_ piece: ByteView) {
            check(bytes.count == count && count + piece.count <= total, "a command's pieces are no longer than the command")
            bytes.append(piece)
            count += piece.count
            digest.append(Digest(piece, seed: 0))
        }
    }

    /// In order of the owners.
    private(set) var partials: [Partial] = []
    /// The command that was put together last; its arguments lie in it until it is executed.
    private var whole: ByteBuffer?

    /// Forgets what a run of a node has begun that is over.
    mutating func drop(_ owner: NodeID) { partials.removeAll { $0.owner == owner } }

    /// Lets go of the last whole command.
    mutating func executed() { if whole != nil { whole = nil } }

    /// Takes a piece that is applied.
    ///
    /// - Parameter arguments: the piece's; with the last one they become the command's.
    /// - Returns: the command that is whole now. Nil for a piece that is not the last, and for one that fits no command: then
    ///   what was begun is dropped, and never executed.
    mutating func take(_ kind: CommandBatch.ItemKind, of owner: NodeID, _ arguments: Arguments) -> CommandBatch.Item? {
        let bytes = arguments[arguments.count - 1]
        if kind == .firstPiece {
            drop(owner)
            guard arguments.count == 2, let total = size(arguments[0]), total > bytes.count else { return nil }
            var partial = Partial(owner: owner, total: total, bytes: ByteBuffer(capacity: total))
            partial.append(bytes)
            let place = partials.firstIndex { owner < $0.owner } ?? partials.count
            partials.insert(partial, at: place)
            return nil
        }
        guard let place = partials.firstIndex(where: { $0.owner == owner }) else { return nil }
        let left = partials[place].total - partials[place].count
        guard arguments.count == 1, kind == .piece ? bytes.count < left : bytes.count == left else {
            drop(owner)
            return nil
        }
        partials[place].append(bytes)
        if kind == .piece { return nil }
        let partial = partials.remove(at: place)
        whole = partial.bytes
        var reader = ByteReader(partial.bytes.view)
        arguments.removeAll(over: partial.bytes.view)
        guard let item = CommandBatch.item(&reader, end: partial.total, arguments: arguments), reader.remaining == 0,
            item.kind == .command
        else { return nil }
        return item
    }

    private func size(_ bytes: ByteView) -> Int? {
        var reader = ByteReader(bytes)
        guard bytes.count == 8, let total = reader.integer(UInt64.self), total <= UInt64(CommandBatch.assembledBytesMax)
        else { return nil }
        return Int(total)
    }

    // MARK: from a recorded state

    /// Begins a command as a recorded state names it; its bytes follow. False where it can't be.
    mutating func restore(of owner: NodeID, total: Int, count: Int, digest: Digest) -> Bool {
        if let last = partials.last, owner <= last.owner { return false }
        if count <= 0 || count >= total { return false }
        partials.append(Partial(owner: owner, total: total, bytes: ByteBuffer(), count: count, digest: digest))
        return true
    }

    /// Takes the next bytes of a command that was begun so.
    func restore(of owner: NodeID, _ bytes: ByteView) -> Bool {
        guard let partial = partials.first(where: { $0.owner == owner }), bytes.count <= partial.count - partial.bytes.count
        else { return false }
        partial.bytes.append(bytes)
        return true
    }

    /// Ends it; false where bytes are missing.
    mutating func completeRestore() -> Bool {
        for place in partials.indices {
            let partial = partials[place]
            if partial.bytes.count != partial.count { return false }
            partials[place].bytes = ByteBuffer(capacity: partial.total)
            partials[place].bytes.append(partial.bytes.view)
        }
        return true
    }

    /// Bytes of memory that wait for their command's last piece.
    var memoryBytes: Int { partials.reduce(0) { $0 + $1.total } }

    /// The digest of all that was begun.
    var digest: Digest {
        var digest = Digest()
        for partial in partials {
            digest.append(UInt64(partial.owner.rawValue))
            digest.append(UInt64(partial.total))
            digest.append(partial.digest)
        }
        return digest
    }
}
