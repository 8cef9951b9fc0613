import Base

/// The type of a value, as TYPE names it. Raw values are part of the state's formats and never change.
package enum ValueType: UInt8, Sendable {
    case string = 0
    case list = 1
    case set = 2
    case sortedSet = 3
    case hash = 4
    case stream = 5

    /// What TYPE answers.
    package var name: StaticString {
        switch self {
        case .string: "string"
        case .list: "list"
        case .set: "set"
        case .sortedSet: "zset"
        case .hash: "hash"
        case .stream: "stream"
        }
    }
}

/// 128 bits that stand for a piece of replicated state. Two states with equal digests are the same but for an accident of
/// 1 in 2^128. Sums of digests do not depend on the order in which they are added.
package struct Digest: Equatable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64 = 0, low: UInt64 = 0) {
        self.high = high
        self.low = low
    }

    /// Longer byte strings are digested piece by piece, so that it can be done in steps.
    static let pieceBytes = 1 << 16

    /// The digest of some bytes under a seed: of more than `pieceBytes` that of the digests of their pieces.
    package init(_ view: ByteView, seed: UInt64) {
        if view.count <= Digest.pieceBytes {
            self.init(
                high: hash(view, seed: seed ^ 0x6A09_E667_F3BC_C908), low: hash(view, seed: seed &+ 0xBB67_AE85_84CA_A73B))
            return
        }
        self.init()
        var offset = 0
        while offset < view.count {
            let piece = view.slice(offset, min(Digest.pieceBytes, view.count - offset))
            append(Digest(piece, seed: seed))
            offset += piece.count
        }
    }

    /// Adds a part whose place among the others does not matter.
    package mutating func add(_ part: Digest) {
        high &+= part.high
        low &+= part.low
    }

    /// Mixes in a part whose place matters.
    package mutating func append(_ value: UInt64) {
        high = fold(high ^ value ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93 ^ low)
        low = fold(low &+ value, 0xA5A5_5A5A_C3C3_3C3D) ^ (value &* 0xFF51_AFD7_ED55_8CCD) &+ high
    }

    /// Mixes in the digest of a part whose place matters.
    package mutating func append(_ part: Digest) {
        append(part.high)
        append(part.low)
    }
}
