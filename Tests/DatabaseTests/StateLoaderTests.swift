import Base
import Database
import Testing

struct StateLoaderTests {
    /// A small state with every type and form, recorded.
    static func recorded() throws -> (bytes: [UInt8], machine: TestMachine) {
        let machine = TestMachine(seed: 5)
        for command in [
            "SET a 1", "SET b text PX 100000", "APPEND c raw", "RPUSH l a 1 b", "SADD i 1 2 70000", "SADD t a b",
            "ZADD z 1 a 2.5 b",
            "HSET h f v g 2", "HPEXPIRE h 5000 FIELDS 1 f", "XADD x 1-1 f v", "XADD x 1-2 f v", "XDEL x 1-1",
            "XGROUP CREATE x g 0",
            "XREADGROUP GROUP g c STREAMS x >", "KV.SET-PARAMETER list-max-listpack-size 1 set-max-listpack-entries 1",
            "RPUSH chunks a b c", "SADD table a b c", "KV.SET-PARAMETER zset-max-listpack-entries 1 hash-max-listpack-entries 1",
            "ZADD ztable 1 a 2 b 3 c", "HSET htable a b c d", "HPEXPIRE htable 5000 FIELDS 1 a",
        ] {
            machine.run(command)
        }
        return (try encoded(machine.machine), machine)
    }

    static func encoded(_ machine: StateMachine) throws -> [UInt8] {
        let record = try #require(machine.beginRecord())
        let output = ByteBuffer()
        while !record.encode(into: output, budgetBytes: 1 << 20) {}
        return output.view.array
    }

    /// What loading bytes in pieces of a size leads to.
    static func load(_ bytes: [UInt8], piece: Int = .max) -> Result<StateMachine, StateFormatError> {
        bytes.withView { view in
            let loader = StateLoader()
            var offset = 0
            do throws(StateFormatError) {
                while offset < view.count {
                    let count = min(piece, view.count - offset)
                    try loader.load(view.slice(offset, count))
                    offset += count
                }
                return .success(try loader.finish())
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func everySizeOfPiecesWillDo() throws {
        let (bytes, machine) = try StateLoaderTests.recorded()
        for piece in [1, 2, 3, 7, 64, 1000] {
            let loaded = try StateLoaderTests.load(bytes, piece: piece).get()
            #expect(loaded.digest() == machine.machine.digest())
            #expect(try StateLoaderTests.encoded(loaded) == bytes, "a loaded state is recorded as the one before")
        }
    }

    @Test func anEmptyStateIsAState() throws {
        let machine = StateMachine(seed: 77)
        let loaded = try StateLoaderTests.load(try StateLoaderTests.encoded(machine)).get()
        #expect(loaded.digest() == machine.digest())
        #expect(loaded.seed == 77)
    }

    @Test func everyFlippedByteIsFound() throws {
        let (bytes, _) = try StateLoaderTests.recorded()
        for index in bytes.indices {
            for bit in [0, 3, 7] {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                guard case .failure(let error) = StateLoaderTests.load(damaged) else {
                    Issue.record("byte \(index) with bit \(bit) flipped is loaded")
                    continue
                }
                #expect(error.offset <= UInt64(index), "\(error.text)")
            }
        }
    }

    @Test func everyCutIsFound() throws {
        let (bytes, _) = try StateLoaderTests.recorded()
        for count in 0..<bytes.count {
            guard case .failure(let error) = StateLoaderTests.load(Array(bytes[..<count])) else {
                Issue.record("\(count) bytes of \(bytes.count) are loaded")
                continue
            }
            #expect(error.reason == .truncated)
        }
        guard case .failure(let error) = StateLoaderTests.load(bytes + [0]) else {
            Issue.record("more is loaded")
            return
        }
        #expect(error.reason == .trailing)
    }

    @Test func otherVersionsAndOtherFilesAreRefused() throws {
        var (bytes, _) = try StateLoaderTests.recorded()
        bytes[8] = 2
        guard case .failure(let newer) = StateLoaderTests.load(bytes) else {
            Issue.record("version 2 is loaded")
            return
        }
        #expect(newer.reason == .unknownVersion(2))
        #expect(newer.text == "state: its format has version 2, and version 1 is known here (at byte 0, after 0 keys)")
        guard case .failure(let foreign) = StateLoaderTests.load(Array("REDIS0010".utf8)) else {
            Issue.record("loaded")
            return
        }
        #expect(foreign.reason == .foreign)
    }

    @Test("Bytes that are wrong, in blocks that are right, are an error or make the recorded state", arguments: 1...4)
    func hostileItems(seed: Int) throws {
        let (bytes, machine) = try StateLoaderTests.recorded()
        var random = RandomGenerator(seed: UInt64(seed))
        let digest = machine.machine.digest()
        for _ in 0..<800 {
            let mutated = StateMutation.mutated(bytes, &random)
            guard case .success(let loaded) = StateLoaderTests.load(mutated, piece: 1 + random.index(below: 400)) else {
                continue
            }
            #expect(loaded.digest() == digest)
        }
    }

    @Test func hostileItemsWithTheirDigestMakeSoundStates() throws {
        // Whoever can reckon the digest of what he made up gets a machine that works, or an error.
        let (bytes, _) = try StateLoaderTests.recorded()
        var random = RandomGenerator(seed: 8)
        for _ in 0..<2_000 {
            let mutated = StateMutation.mutated(bytes, &random)
            mutated.withView { view in
                let loader = StateLoader(checksDigest: false)
                guard (try? loader.load(view)) != nil, let machine = try? loader.finish() else { return }
                for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() }
                var commands = RandomCommands(seed: random.next())
                commands.longEvery = 0
                let driver = TestMachine(machine, like: TestMachine())
                for _ in 0..<5 { driver.run(commands.next().words) }
            }
        }
    }
}

/// Damage that a checksum does not show.
enum StateMutation {
    /// Recorded bytes with some changes in what the blocks carry, and right hashes behind the blocks.
    static func mutated(_ bytes: [UInt8], _ random: inout RandomGenerator) -> [UInt8] {
        let output = ByteBuffer()
        bytes.withView { view in
            output.append(view.slice(0, 12))
            var (offset, number) = (12, UInt64(0))
            while offset < view.count {
                let count = Int(view.integer(at: offset, as: UInt32.self))
                var block = view.slice(offset + 4, count).array
                offset += count + 12
                for _ in 0...random.index(below: 3) { change(&block, &random) }
                output.append(integer: UInt32(block.count))
                output.append(block)
                let check = block.withView { StateFormat.hash($0, number: number) }
                output.append(integer: check)
                number += 1
            }
        }
        return output.view.array
    }

    private static func change(_ block: inout [UInt8], _ random: inout RandomGenerator) {
        if block.count < 2 { return }
        let place = random.index(below: block.count)
        switch random.index(below: 6) {
        case 0: block[place] ^= 1 << UInt8(random.index(below: 8))
        case 1: block[place] = UInt8(random.index(below: 256))
        case 2: block[place] = [0, 1, 2, 0x7F, 0x80, 0xFF][random.index(below: 6)]
        case 3: block.remove(at: place)
        case 4: block.insert(UInt8(random.index(below: 256)), at: place)
        default:
            let end = min(block.count, place + 1 + random.index(below: 30))
            block.insert(contentsOf: block[place..<end], at: random.index(below: block.count))
        }
    }
}
