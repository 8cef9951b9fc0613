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
        let bytes: ByteBuffer
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
            let partial = Partial(owner: owner, total: total, bytes: ByteBuffer(capacity: total))
            partial.bytes.append(bytes)
            let place = partials.firstIndex { owner < $0.owner } ?? partials.count
            partials.insert(partial, at: place)
            return nil
        }
        guard let place = partials.firstIndex(where: { $0.owner == owner }) else { return nil }
        let partial = partials[place]
        let left = partial.total - partial.bytes.count
        guard arguments.count == 1, kind == .piece ? bytes.count < left : bytes.count == left else {
            drop(owner)
            return nil
        }
        partial.bytes.append(bytes)
        if kind == .piece { return nil }
        partials.remove(at: place)
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

    /// Bytes of memory that wait for their command's last piece.
    var memoryBytes: Int { partials.reduce(0) { $0 + $1.total } }

    /// The digest of all that was begun.
    var digest: Digest {
        var digest = Digest()
        for partial in partials {
            digest.append(UInt64(partial.owner.rawValue))
            digest.append(UInt64(partial.total))
            digest.append(Digest(partial.bytes.view, seed: 0))
        }
        return digest
    }
}
