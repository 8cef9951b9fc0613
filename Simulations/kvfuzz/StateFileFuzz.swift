import Base
import Consensus
import Database
import Simulator
import Storage

/// State files that are damaged, cut, mixed or forged: the reader and the loader behind it say what is wrong, or what comes out is
/// what was written; nothing else.
struct StateFileFuzz: FuzzTarget {
    private static let cluster = ClusterID(high: 3, low: 4)
    private static let node = NodeID(2)

    init() {}

    mutating func run(_ random: inout RandomGenerator) -> FuzzVerdict {
        let (file, machine) = StateFileFuzz.written(&random)
        let expected = machine.digest()
        var damaged = file
        let isWhole = random.chance(1, in: 8)
        if !isWhole { StateFileFuzz.damage(&damaged, file, &random) }
        guard let found = StateFileFuzz.load(damaged, &random) else {
            return damaged == file ? .bad("a whole state file is refused", input: damaged) : .good
        }
        if damaged != file { return .bad("a damaged state file is taken", input: damaged) }
        return found == expected ? .good : .bad("another state comes out of a state file", input: damaged)
    }

    private static func written(_ random: inout RandomGenerator) -> (file: [UInt8], machine: StateMachine) {
        let drawn = DrawnCommands(seed: random.next())
        for _ in 0..<random.index(below: 60) { _ = drawn.next() }
        let machine = drawn.machine
        let header = StateFileHeader(
            clusterID: cluster, nodeID: node, group: .first, fileID: random.next(), index: machine.appliedIndex,
            term: machine.appliedTerm, time: machine.time, configuration: Configuration(voters: [NodeID(1), node, NodeID(3)]))
        var writer = StateFileWriter(
            name: FileName("state"), header: header, chunkBytes: 4096 << random.index(below: 2))
        let buffer = ByteBuffer()
        if let record = machine.beginRecord() {
            while !record.encode(into: buffer, budgetBytes: 1 + random.index(below: 4000)) {}
        }
        buffer.view.withPieces(&random) { writer.append($0, to: .database) }
        // A section that the loader is not given.
        if random.chance(1, in: 4) { [1, 2, 3].withView { writer.append($0, to: .manifest) } }
        writer.finish()
        var file: [UInt8] = []
        for case .extend(_, _, let block) in writer.takeOperations() { file += block.buffer.view.array }
        return (file, machine)
    }

    private static func damage(_ bytes: inout [UInt8], _ file: [UInt8], _ random: inout RandomGenerator) {
        for _ in 0...random.index(below: 3) where !bytes.isEmpty {
            let position = random.index(below: bytes.count)
            switch random.index(below: 6) {
            case 0: bytes[position] ^= 1 << UInt8(random.index(below: 8))
            case 1: bytes.removeLast(bytes.count - position)
            case 2: bytes += (0...random.index(below: 5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            case 3:
                // A block in the place of another.
                let (from, to) = (random.index(below: bytes.count) & ~4095, position & ~4095)
                if from + 4096 <= bytes.count && to + 4096 <= bytes.count {
                    bytes.replaceSubrange(to..<to + 4096, with: bytes[from..<from + 4096])
                }
            case 4:
                // A length, a number, a section.
                let at = (position & ~4095) + [0, 4, 8, 12, 16, 24][random.index(below: 6)]
                if at + 4 <= bytes.count {
                    let values: [UInt32] = [0, 1, 24, 4064, 1 << 20, .max, UInt32(truncatingIfNeeded: random.next())]
                    let value = values[random.index(below: values.count)]
                    for byte in 0..<4 { bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
                }
            default:
                let end = min(bytes.count, position + random.index(below: 6000))
                bytes.removeSubrange(position..<end)
            }
        }
    }

    private static func load(_ file: [UInt8], _ random: inout RandomGenerator) -> Digest? {
        var reader = StateFileReader(file: "state", clusterID: cluster, nodeID: node)
        let loader = StateLoader()
        var offset = 0
        do {
            while offset < file.count {
                let end = min(file.count, offset + 1 + random.index(below: 9000))
                Array(file[offset..<end]).withView { reader.append($0) }
                offset = end
                while let item = try reader.next() {
                    if case .chunk(.database, let bytes) = item { try loader.load(bytes) }
                }
            }
            try reader.finish()
            return try loader.finish().digest()
        } catch {
            return nil
        }
    }
}

extension ByteView {
    /// Hands out the bytes in pieces of any size.
    fileprivate func withPieces(_ random: inout RandomGenerator, _ body: (ByteView) -> Void) {
        var rest = self
        while !rest.isEmpty {
            let count = min(rest.count, 1 + random.index(below: 3000))
            body(rest.slice(0, count))
            rest = rest.dropFirst(count)
        }
    }
}
