import Base
import Database
import Simulator

/// Records of a state machine while commands of all families change it, and what is loaded of them, damaged or not.
///
/// What must hold: a record has the digest of the state at its beginning, and so has what is loaded of it; damage that the blocks' hashes
/// do not show is an error or makes a state that is sound; nothing crashes.
struct StateFuzz: FuzzTarget {
    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let drawn = DrawnCommands(seed: random.next())
        for _ in 0...random.index(below: 300) { _ = drawn.next() }
        let digest = drawn.machine.digest()
        guard let record = drawn.machine.beginRecord() else { return .bad("no record is open, and none can be begun", input: []) }
        let output = ByteBuffer()
        let budget = 1 + random.index(below: 3000)
        while !record.encode(into: output, budgetBytes: budget) {
            for _ in 0..<random.index(below: 5) { _ = drawn.next() }
        }
        if record.digest != digest { return .bad("the record has another digest than the state had", input: []) }
        if let problem = StateFuzz.load(output.view, digest, &random) { return .bad(problem, input: []) }
        for _ in 0..<20 {
            let damaged = StateFuzz.damaged(output.view, &random)
            if let problem = damaged.withView({ StateFuzz.load($0, nil, &random) }) { return .bad(problem, input: damaged) }
        }
        return .good
    }

    /// Loads in pieces; what is wrong with the result. Where no digest is known, an error is as good as a sound state.
    private static func load(_ bytes: ByteView, _ digest: Digest?, _ random: inout RandomGenerator) -> String? {
        let loader = StateLoader(checksDigest: digest != nil)
        let longest = random.chance(1, in: 4) ? 20 : 4000
        var offset = 0
        do {
            while offset < bytes.count {
                let count = min(1 + random.index(below: longest), bytes.count - offset)
                try loader.load(bytes.slice(offset, count))
                offset += count
            }
            let machine = try loader.finish()
            for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() }
            return digest == nil || machine.digest() == digest ? nil : "what is loaded has another digest"
        } catch {
            return digest == nil ? nil : "a record can't be loaded: \(error)"
        }
    }

    /// The bytes with some changes in what the blocks carry, under right hashes.
    private static func damaged(_ view: ByteView, _ random: inout RandomGenerator) -> [UInt8] {
        let output = ByteBuffer()
        output.append(view.slice(0, StateFormat.prefixBytes))
        var (offset, number) = (StateFormat.prefixBytes, UInt64(0))
        while offset < view.count {
            let count = Int(view.integer(at: offset, as: UInt32.self))
            var block = view.slice(offset + StateFormat.blockHeaderBytes, count).array
            offset += StateFormat.blockHeaderBytes + count + StateFormat.blockTrailerBytes
            if random.chance(1, in: 2) { change(&block, &random) }
            output.append(integer: UInt32(block.count))
            output.append(block)
            output.append(integer: block.withView { StateFormat.hash($0, number: number) })
            number += 1
        }
        return output.view.array
    }

    private static func change(_ block: inout [UInt8], _ random: inout RandomGenerator) {
        for _ in 0...random.index(below: 3) where block.count > 1 {
            let place = random.index(below: block.count)
            switch random.index(below: 5) {
            case 0: block[place] ^= 1 << UInt8(random.index(below: 8))
            case 1: block[place] = [0, 1, 2, 0x7F, 0x80, 0xFF][random.index(below: 6)]
            case 2: block.remove(at: place)
            case 3: block.insert(UInt8(random.index(below: 256)), at: place)
            default:
                let end = min(block.count, place + 1 + random.index(below: 40))
                block.insert(contentsOf: block[place..<end], at: random.index(below: block.count))
            }
        }
    }
}
