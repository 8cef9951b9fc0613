import Base
import Storage
import Testing

@testable import Simulator

@Suite struct SimulatedDiskTests {
    private let name = FileName("log")
    private let speed = SimulatedDisk.Speed(
        write: .microseconds(10)...Nanoseconds.microseconds(90), create: .microseconds(200)...Nanoseconds.microseconds(300),
        read: .microseconds(1)...Nanoseconds.microseconds(5))
    private let start = Instant(nanoseconds: 1000)

    private func disk(seed: UInt64 = 1, blocks: Int = 8) -> SimulatedDisk {
        let disk = SimulatedDisk(speed: speed, random: RandomGenerator(seed: seed))
        disk.install(name, bytes: [UInt8](repeating: 0, count: blocks * 4096))
        return disk
    }

    private func write(_ number: UInt64, block first: Int, count: Int = 1, fill: UInt8) -> DiskOperation {
        let block = DiskBlock(capacity: count * 4096)
        block.buffer.append([UInt8](repeating: fill, count: count * 4096))
        return DiskOperation(number: number, action: .write(name: name, offset: first * 4096, block: block))
    }

    /// The first byte of each block of the file.
    private func fills(_ disk: SimulatedDisk) throws -> [UInt8] {
        let buffer = ByteBuffer()
        try disk.read(name, offset: 0, count: try disk.size(of: name), into: buffer)
        return stride(from: 0, to: buffer.count, by: 4096).map { buffer.view[$0] }
    }

    @Test func operationsCompleteInOrder() throws {
        let disk = disk()
        var times: [Instant] = []
        for number in 1...5 {
            guard case .completes(let time) = try disk.submit(write(UInt64(number), block: number, fill: 7), at: start) else {
                return
            }
            times.append(time)
        }
        #expect(times == times.sorted())
        for number in 1...5 { _ = try disk.complete(number: UInt64(number)) }
        #expect(try fills(disk) == [0, 7, 7, 7, 7, 7, 0, 0])
        #expect(!disk.isBusy)
    }

    @Test func aCrashLosesNothingThatCompleted() throws {
        for seed in 0..<50 {
            let disk = disk(seed: UInt64(seed))
            _ = try disk.submit(write(1, block: 0, count: 2, fill: 1), at: start)
            _ = try disk.submit(write(2, block: 2, count: 3, fill: 2), at: start)
            _ = try disk.submit(write(3, block: 5, fill: 3), at: start)
            _ = try disk.complete(number: 1)
            try disk.crash(.any)
            let fills = try fills(disk)
            #expect(fills.prefix(2) == [1, 1])
            #expect(fills[2..<5].allSatisfy { $0 == 0 || $0 == 2 })
            // The third had not begun.
            #expect(fills.suffix(3) == [0, 0, 0])
            #expect(!disk.isBusy)
        }
    }

    @Test func theWriteInFlightIsLostWholeOrTorn() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 0..<200 {
            let disk = disk(seed: UInt64(seed), blocks: 3)
            _ = try disk.submit(write(1, block: 0, count: 3, fill: 1), at: start)
            try disk.crash(.any)
            outcomes.insert(try fills(disk))
        }
        #expect(outcomes.count == 8)
    }

    @Test func aFileIsThereOnceItsCreationCompleted() throws {
        let disk = disk()
        let fresh = FileName("fresh")
        _ = try disk.submit(DiskOperation(number: 1, action: .create(name: fresh, byteCount: 8192)), at: start)
        #expect(throws: StorageError.self) { _ = try disk.size(of: fresh) }
        _ = try disk.complete(number: 1)
        #expect(try disk.size(of: fresh) == 8192)
    }

    @Test func aCreationThatACrashInterruptsLeavesAllNothingOrATemporaryFile() throws {
        var outcomes: Set<[String]> = []
        for seed in 0..<50 {
            let disk = disk(seed: UInt64(seed))
            _ = try disk.submit(DiskOperation(number: 1, action: .create(name: FileName("fresh"), byteCount: 8192)), at: start)
            try disk.crash(.any)
            outcomes.insert(try disk.list().map(\.text).sorted())
        }
        #expect(outcomes == [["log"], ["fresh", "log"], ["fresh.new", "log"]])
    }

    @Test func aFullDiskRefusesToCreate() throws {
        let disk = disk()
        disk.capacity = 9 * 4096
        let operation = DiskOperation(number: 1, action: .create(name: FileName("fresh"), byteCount: 8192))
        #expect(try disk.submit(operation, at: start) == .full)
    }

    @Test func operationsAgainstTheContractAreFound() {
        func kind(_ operation: DiskOperation, completing: Bool = false) -> Violation.Kind? {
            violation { () throws(Violation) in
                let disk = disk()
                _ = try disk.submit(operation, at: start)
                if completing { _ = try disk.complete(number: 1) }
            }
        }
        let short = DiskBlock(capacity: 4096)
        short.buffer.append([1, 2, 3])
        #expect(kind(DiskOperation(number: 1, action: .write(name: name, offset: 0, block: short))) == .diskContract)
        #expect(kind(write(1, block: 8, fill: 1), completing: true) == .diskContract)
        let missing = FileName("missing")
        #expect(kind(DiskOperation(number: 1, action: .remove(name: missing)), completing: true) == .diskContract)
        #expect(kind(DiskOperation(number: 1, action: .read(name: missing, offset: 0, count: 4096))) == .diskContract)
    }

    @Test func aBlockThatIsTouchedWhileItIsWrittenIsFound() {
        let operation = write(1, block: 0, fill: 1)
        let found = violation { () throws(Violation) in
            let disk = disk()
            _ = try disk.submit(operation, at: start)
            if case .write(_, _, let block) = operation.action { block.buffer.overwrite(at: 9, integer: UInt8(2)) }
            _ = try disk.complete(number: 1)
        }
        #expect(found == .diskContract)
    }

    @Test func rotSparesTheNewestWrites() throws {
        let disk = disk()
        for number in 1...4 {
            _ = try disk.submit(write(UInt64(number), block: number, fill: 0), at: start)
            _ = try disk.complete(number: UInt64(number))
        }
        #expect(disk.rot(sparing: 4) == nil)
        #expect(disk.rot(sparing: 3) != nil)
        let buffer = ByteBuffer()
        try disk.read(name, offset: 0, count: 8 * 4096, into: buffer)
        let spoiled = buffer.view.array.indices.filter { buffer.view[$0] != 0 }
        #expect(spoiled.count == 1 && spoiled.allSatisfy { $0 / 4096 == 1 })
    }
}
