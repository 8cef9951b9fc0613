import Base
import Foundation
import Glibc
import Node
import Storage
import Synchronization
import Testing

@testable import Posix

private let block = LogOptions.blockBytes

private func filled(_ byte: UInt8, blocks: Int = 1) -> DiskBlock {
    let result = DiskBlock(capacity: blocks * block)
    result.buffer.append([UInt8](repeating: byte, count: blocks * block))
    return result
}

extension BlockWriter {
    /// As the disk queue does it: the view of a block does not keep the block.
    fileprivate func write(_ name: String, offset: Int, _ block: DiskBlock) throws {
        try withExtendedLifetime(block) { try write(FileName(name), offset: offset, block.buffer.view) }
    }
}

/// A disk queue in a directory of its own.
private final class DiskHarness {
    let temporary: TemporaryDirectory
    let directory: DataDirectory
    let queue: DiskQueue
    let statistics = DriverStatistics()
    var finished: [DiskQueue.Finished] = []
    private var lastNumber: UInt64 = 0

    init(mode: DiskMode, isDirect: Bool = true, in given: TemporaryDirectory? = nil) throws {
        temporary = try given ?? TemporaryDirectory()
        directory = try DataDirectory(path: temporary.path)
        queue = try DiskQueue(
            directory: directory, mode: mode, probe: DiskProbe.Result(typical: .microseconds(100), isDirect: isDirect),
            statistics: statistics)
    }

    deinit { queue.stop() }

    func submit(_ actions: [DiskOperation.Action]) throws {
        queue.submit(
            actions.map { action in
                lastNumber += 1
                return DiskOperation(number: lastNumber, action: action)
            })
        try queue.advance()
    }

    /// Waits until everything is finished.
    func settle() throws {
        let limit = SystemClock.instant() + .milliseconds(20_000)
        while true {
            finished += try queue.takeFinished()
            try queue.advance()
            if queue.isIdle { return }
            if SystemClock.instant() > limit { throw TestError.timedOut("the disk to settle") }
            var request = pollfd(fd: queue.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, 100)
            var count: UInt64 = 0
            _ = read(queue.descriptor, &count, 8)
        }
    }

    var numbers: [UInt64] { finished.map(\.number) }
}

@Suite struct FileStepTests {
    @Test func aCreatedFileIsZeroAndSyncedOnceAndSoIsItsName() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        let before = directory.steps.directorySyncs.load(ordering: .relaxed)
        try directory.steps.create(FileName("log"), byteCount: 3 << 20)
        #expect(temporary.bytes("log") == [UInt8](repeating: 0, count: 3 << 20))
        #expect(temporary.files() == ["lock", "log"])
        #expect(directory.steps.fileSyncs.load(ordering: .relaxed) == 1)
        #expect(directory.steps.directorySyncs.load(ordering: .relaxed) - before == 1)
    }

    @Test func renameAndRemoveSyncTheDirectoryOnceEach() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        try directory.steps.create(FileName("a"), byteCount: block)
        let before = directory.steps.directorySyncs.load(ordering: .relaxed)
        try directory.steps.rename(from: FileName("a"), to: FileName("b"))
        #expect(temporary.files() == ["b", "lock"])
        #expect(directory.steps.directorySyncs.load(ordering: .relaxed) - before == 1)
        try directory.steps.remove(FileName("b"))
        #expect(temporary.files() == ["lock"])
        #expect(directory.steps.directorySyncs.load(ordering: .relaxed) - before == 2)
        #expect(throws: DiskFailure.self) { try directory.steps.remove(FileName("b")) }
    }

    @Test func replaceIsWholeAndDurable() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        for text in ["first", "", "second and longer"] {
            let buffer = ByteBuffer()
            buffer.append(text: text)
            let before = directory.steps.fileSyncs.load(ordering: .relaxed)
            try directory.steps.replace(FileName("x"), with: buffer.view)
            #expect(temporary.bytes("x") == Array(text.utf8))
            #expect(directory.steps.fileSyncs.load(ordering: .relaxed) - before == 1)
        }
        #expect(temporary.files() == ["lock", "x"])
    }

    /// A name in the directory stands for bytes that are on the disk: first the file is synced, then it is renamed, then the directory is synced.
    @Test func nothingHasItsNameBeforeItsBytesAreDurable() throws {
        let temporary = try TemporaryDirectory()
        let directory = open(temporary.path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        let noted = Mutex<[FileSteps.Step]>([])
        let steps = FileSteps(directory: directory, path: temporary.path) { step in noted.withLock { $0.append(step) } }
        func expect(_ name: String, _ what: String, before: [FileSteps.Step] = []) {
            let unfinished = FileName(name + ".unfinished")
            let wanted: [FileSteps.Step] = [.sync(unfinished), .rename(from: unfinished, to: FileName(name)), .syncDirectory]
            let found = noted.withLock { noted in
                defer { noted = [] }
                return noted
            }
            #expect(found == before + wanted, "\(what)")
        }
        try steps.create(FileName("log"), byteCount: 2 * block)
        expect("log", "a segment")
        try steps.replace(FileName("identity"), with: ByteView("text"))
        expect("identity", "a small file")
        let growing = GrowingFiles(steps: steps)
        let large = filled(1, blocks: 1 << 8)
        func write(_ name: String) throws {
            for offset in [0, 1 << 20] { #expect(growing.extend(FileName(name), offset: offset, large.buffer.view) == nil) }
            #expect(try growing.publish(FileName(name)) == nil)
        }
        try write("state-1")
        expect("state-1", "a file that grew")
        // One that is written into a file that was discarded: that one has lost its name for good before.
        growing.discard(FileName("state-1"))
        #expect(noted.withLock { $0 } == [.rename(from: FileName("state-1"), to: GrowingFiles.spare)])
        noted.withLock { $0 = [] }
        try write("state-2")
        let taken = FileSteps.Step.rename(from: GrowingFiles.spare, to: FileName("state-2.unfinished"))
        expect("state-2", "a file in the place of another", before: [taken, .syncDirectory])
    }

    @Test(arguments: [true, false]) func blocksLieWhereTheyWereWritten(isDirect: Bool) throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        for name in ["a", "b", "c", "d", "e", "f"] { try directory.steps.create(FileName(name), byteCount: 8 * block) }
        let writer = BlockWriter(steps: directory.steps, isDirect: isDirect)
        // More files than are kept open, several times.
        for round in 0..<3 as Range<UInt8> {
            for (place, name) in ["a", "b", "c", "d", "e", "f"].enumerated() {
                let bytes = filled(UInt8(place * 10) + round + 1, blocks: 2)
                try writer.write(name, offset: (Int(round) + 1) * 2 * block, bytes)
            }
        }
        for (place, name) in ["a", "b", "c", "d", "e", "f"].enumerated() {
            let expected = [0, 1, 2, 3].map { $0 == 0 ? 0 : UInt8(place * 10) + UInt8($0) }
                .flatMap { [UInt8](repeating: $0, count: 2 * block) }
            #expect(temporary.bytes(name) == expected)
        }
    }

    @Test func aFileSystemWithoutDirectWritesIsWrittenThroughThePageCache() async {
        guard getuid() == 0 else {
            print("SKIPPED: mounting a file system without O_DIRECT needs root")
            return
        }
        await #expect(processExitsWith: .success) {
            let temporary = try TemporaryDirectory()
            // In a mount namespace of this child. ramfs has no O_DIRECT.
            guard mountInOwnNamespace("ramfs", at: temporary.path) else {
                print("SKIPPED: no mount namespace can be made here")
                exit(0)
            }
            let directory = try DataDirectory(path: temporary.path)
            let probe = try DiskProbe.run(directory, wantsDirect: true)
            guard !probe.isDirect else { exit(2) }
            try directory.steps.create(FileName("a"), byteCount: 4 * block)
            let writer = BlockWriter(steps: directory.steps, isDirect: true)
            try writer.write("a", offset: block, filled(9))
            guard !writer.isDirect else { exit(3) }
            let expected = [0, 9, 0, 0].flatMap { [UInt8](repeating: $0, count: block) }
            guard temporary.bytes("a") == expected else { exit(4) }
        }
    }

    @Test func aFullDiskIsSaidInWordsThatHelp() async {
        await #expect(processExitsWith: .success) {
            _ = try SignalInbox()
            let temporary = try TemporaryDirectory()
            let directory = try DataDirectory(path: temporary.path)
            try directory.steps.create(FileName("small"), byteCount: 4 * block)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            do throws(DiskFailure) {
                try directory.steps.create(FileName("large"), byteCount: 8 << 20)
                exit(3)
            } catch {
                guard error.isOutOfSpace, error.description.hasPrefix("no space left for \(temporary.path)/large"),
                    error.description.contains("free space and start it again")
                else { exit(4) }
            }
            // Nothing is left of it, and what fits still works.
            guard temporary.files() == ["lock", "small"] else { exit(5) }
            let writer = BlockWriter(steps: directory.steps, isDirect: true)
            try writer.write("small", offset: 0, filled(1))
        }
    }

    @Test func aFullFileSystemEndsTheServer() async {
        guard getuid() == 0 else {
            print("SKIPPED: mounting a small file system needs root")
            return
        }
        await #expect(processExitsWith: .success) {
            let temporary = try TemporaryDirectory()
            guard mountInOwnNamespace("tmpfs", at: temporary.path, options: "size=1m") else {
                print("SKIPPED: no mount namespace can be made here")
                exit(0)
            }
            let disk = try DiskQueue(
                directory: DataDirectory(path: temporary.path), mode: .thread,
                probe: DiskProbe.Result(typical: .milliseconds(2), isDirect: false), statistics: DriverStatistics())
            let handler = EchoHandler()
            let statistics = DriverStatistics()
            let server = try Server(
                options: ServerOptions(), backend: EpollBackend(statistics: statistics), handler: handler, disk: disk,
                signals: nil, logger: Logger(level: .error, node: "test"), statistics: statistics)
            handler.wishes.append {
                $0.disk.append(DiskOperation(number: 1, action: .create(name: FileName("log"), byteCount: 8 << 20)))
            }
            guard case .diskFailed(let failure) = server.run(), failure.isOutOfSpace else { exit(2) }
        }
    }
}

@Suite struct GrowingFileTests {
    @Test func aFileHasItsNameWhenItIsWhole() throws {
        let disk = try DiskHarness(mode: .inline)
        let name = FileName("state-1")
        try disk.submit([
            .extend(name: name, offset: 0, block: filled(1)), .extend(name: name, offset: block, block: filled(2, blocks: 3)),
        ])
        try disk.settle()
        #expect(disk.temporary.bytes("state-1.unfinished").count == 4 * block)
        #expect(!disk.temporary.files().contains("state-1"))
        try disk.submit([.publish(name: name)])
        try disk.settle()
        #expect(disk.temporary.files() == ["lock", "state-1"])
        #expect(disk.temporary.bytes("state-1") == [1, 2, 2, 2].flatMap { [UInt8](repeating: $0, count: block) })
        // The next one of that name takes its place, at once.
        try disk.submit([.extend(name: name, offset: 0, block: filled(7)), .publish(name: name)])
        try disk.settle()
        #expect(disk.temporary.bytes("state-1") == [UInt8](repeating: 7, count: block))
        try disk.submit([
            .extend(name: name, offset: 0, block: filled(8)), .discard(name: name), .discard(name: FileName("none")),
        ])
        try disk.settle()
        #expect(disk.temporary.files() == ["lock"])
        #expect(disk.finished.allSatisfy { $0.refusal == nil } && disk.numbers.count == 8)
    }

    @Test func aLargeFileThatIsDiscardedBecomesTheNextOne() throws {
        let disk = try DiskHarness(mode: .inline)
        func write(_ name: String, _ value: UInt8, pieces: Int) throws {
            let name = FileName(name)
            try disk.submit((0..<pieces).map { .extend(name: name, offset: $0 << 18, block: filled(value, blocks: 64)) })
            try disk.submit([.publish(name: name)])
            try disk.settle()
        }
        try write("state-1", 1, pieces: 6)
        try write("state-2", 2, pieces: 1)
        try disk.submit([.discard(name: FileName("state-1")), .discard(name: FileName("state-2"))])
        try disk.settle()
        // The large one is kept, the small one is gone.
        #expect(disk.temporary.files() == ["lock", "spare.unfinished"])
        // A shorter one is as long as it was written, and nothing of the old one is in it.
        try write("state-3", 3, pieces: 3)
        #expect(disk.temporary.files() == ["lock", "state-3"])
        #expect(disk.temporary.bytes("state-3") == [UInt8](repeating: 3, count: 3 << 18))
        // One that is not finished is not taken for a whole one; a longer one grows.
        try write("state-4", 4, pieces: 5)
        try disk.submit([.discard(name: FileName("state-4"))])
        try disk.submit([.extend(name: FileName("state-5"), offset: 0, block: filled(5))])
        try disk.settle()
        #expect(disk.temporary.files() == ["lock", "state-3", "state-5.unfinished"])
        try disk.submit([.discard(name: FileName("state-5"))])
        try write("state-6", 6, pieces: 7)
        #expect(disk.temporary.files() == ["lock", "state-3", "state-6"])
        #expect(disk.temporary.bytes("state-6") == [UInt8](repeating: 6, count: 7 << 18))
        #expect(disk.finished.allSatisfy { $0.refusal == nil })
    }

    /// A segment of the log that has no room gets that of the file which is spared for the next state file.
    @Test func theSpareFileMakesRoomForTheLog() async {
        guard getuid() == 0 else {
            print("SKIPPED: mounting a small file system needs root")
            return
        }
        await #expect(processExitsWith: .success) {
            let temporary = try TemporaryDirectory()
            guard mountInOwnNamespace("tmpfs", at: temporary.path, options: "size=4m") else {
                print("SKIPPED: no mount namespace can be made here")
                exit(0)
            }
            let disk = try DiskHarness(mode: .thread, isDirect: false, in: temporary)
            let name = FileName("state-1")
            try disk.submit((0..<6).map { .extend(name: name, offset: $0 << 18, block: filled(1, blocks: 64)) })
            try disk.submit([.publish(name: name), .discard(name: name)])
            try disk.settle()
            guard disk.temporary.files() == ["lock", "spare.unfinished"] else { exit(2) }
            // What fits beside it leaves it alone.
            try disk.submit([.create(name: FileName("log-1"), byteCount: 1 << 20)])
            try disk.settle()
            guard disk.temporary.files() == ["lock", "log-1", "spare.unfinished"] else { exit(3) }
            try disk.submit([.create(name: FileName("log-2"), byteCount: 2 << 20)])
            try disk.settle()
            guard disk.temporary.files() == ["lock", "log-1", "log-2"] else { exit(4) }
            // With nothing left to give up it is an error.
            try disk.submit([.create(name: FileName("log-3"), byteCount: 2 << 20)])
            do {
                try disk.settle()
                exit(5)
            } catch let failure as DiskFailure {
                guard failure.isOutOfSpace else { exit(7) }
            }
            guard disk.temporary.files() == ["lock", "log-1", "log-2"] else { exit(6) }
        }
    }

    @Test func whatIsRefusedIsSaidAndLeavesNothing() async {
        await #expect(processExitsWith: .success) {
            _ = try SignalInbox()
            let disk = try DiskHarness(mode: .inline)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            let name = FileName("large")
            try disk.submit((0..<5).map { .extend(name: name, offset: $0 << 18, block: filled(1, blocks: 64)) })
            try disk.submit([.publish(name: name)])
            try disk.settle()
            let refused = disk.finished.filter { $0.refusal != nil }.map(\.number)
            guard refused == [5, 6], disk.temporary.files() == ["lock"] else { exit(3) }
            guard disk.finished.contains(where: { $0.refusal?.contains("large") == true }) else { exit(4) }
        }
    }
}

@Suite struct DiskQueueTests {
    @Test(arguments: [DiskMode.async, .inline, .thread]) func operationsTakeEffectInTheirOrder(mode: DiskMode) throws {
        let disk = try DiskHarness(mode: mode)
        try disk.submit([.create(name: FileName("a"), byteCount: 4 * block), .create(name: FileName("c"), byteCount: block)])
        try disk.settle()
        #expect(disk.numbers == [1, 2])
        try disk.submit([
            .write(name: FileName("a"), offset: 0, block: filled(1)),
            .write(name: FileName("a"), offset: block, block: filled(2)),
            .rename(from: FileName("a"), to: FileName("b")),
            .write(name: FileName("b"), offset: 2 * block, block: filled(3)),
            .remove(name: FileName("c")),
            .rename(from: FileName("b"), to: FileName("a")),
            .write(name: FileName("a"), offset: 3 * block, block: filled(4)),
        ])
        try disk.settle()
        #expect(disk.numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(disk.temporary.files() == ["a", "lock"])
        #expect(disk.temporary.bytes("a") == [1, 2, 3, 4].flatMap { [UInt8](repeating: $0, count: block) })
        #expect(disk.statistics.diskWrites == 4)
        #expect(disk.statistics.diskFileSteps == 5)
        #expect(disk.statistics.diskWriteTime.count == 4)
    }

    @Test func inlineWritesAreFinishedWhenAdvanceReturns() throws {
        let disk = try DiskHarness(mode: .inline)
        try disk.submit([.create(name: FileName("a"), byteCount: 2 * block)])
        try disk.settle()
        try disk.submit([.write(name: FileName("a"), offset: 0, block: filled(1))])
        #expect(disk.queue.hasFinished)
        #expect(try disk.queue.takeFinished().map(\.number) == [2])
    }

    @Test func aLongWriteDoesNotRunInline() throws {
        let disk = try DiskHarness(mode: .inline)
        let blocks = DiskQueue.inlineBytesMax / block + 1
        try disk.submit([.create(name: FileName("a"), byteCount: (blocks + 1) * block)])
        try disk.settle()
        // The short one behind it waits its turn.
        try disk.submit([
            .write(name: FileName("a"), offset: 0, block: filled(1, blocks: blocks)),
            .write(name: FileName("a"), offset: blocks * block, block: filled(2)),
        ])
        #expect(!disk.queue.hasFinished)
        try disk.settle()
        #expect(disk.numbers == [1, 2, 3])
        #expect(disk.temporary.bytes("a").last == 2)
    }

    @Test func moreThanTheThreadTakesAtOnceStaysInOrder() throws {
        let disk = try DiskHarness(mode: .thread)
        try disk.submit([.create(name: FileName("a"), byteCount: block)])
        try disk.settle()
        try disk.submit((0..<200).map { .write(name: FileName("a"), offset: 0, block: filled(UInt8($0))) })
        try disk.settle()
        #expect(disk.numbers == Array(1...201))
        #expect(disk.temporary.bytes("a") == [UInt8](repeating: 199, count: block))
    }

    @Test(arguments: [DiskMode.async, .inline, .thread]) func aReadSeesTheFileThatHadTheNameThen(mode: DiskMode) throws {
        let disk = try DiskHarness(mode: mode)
        try disk.submit([.create(name: FileName("a"), byteCount: block)])
        try disk.settle()
        try disk.submit([.write(name: FileName("a"), offset: 0, block: filled(5))])
        try disk.settle()
        try disk.submit([
            .read(name: FileName("a"), offset: 100, count: 50),
            .read(name: FileName("a"), offset: 4000, count: 1000),
            .remove(name: FileName("a")),
        ])
        try disk.settle()
        let reads = disk.finished.filter { $0.bytes != nil }
        #expect(
            reads.map { $0.bytes?.buffer.view.array } == [[UInt8](repeating: 5, count: 50), [UInt8](repeating: 5, count: 96)])
        #expect(disk.temporary.files() == ["lock"])
    }

    @Test func aFailureOnTheThreadIsThrownToTheOwner() throws {
        let disk = try DiskHarness(mode: .thread)
        try disk.submit([.write(name: FileName("missing"), offset: 0, block: filled(1))])
        let failure = #expect(throws: DiskFailure.self) { try disk.settle() }
        #expect(failure?.code == ENOENT)
        #expect(failure?.file == "\(disk.temporary.path)/missing")
        #expect(failure?.description.contains("check the disk and start it again") == true)
    }

    @Test func theServerDeliversInlineCompletionsInTheSameTurn() throws {
        let harness = try Harness(mode: .inline)
        harness.wish { $0.disk.append(DiskOperation(number: 1, action: .create(name: FileName("a"), byteCount: block))) }
        try harness.turn(until: "it is made") { harness.handler.diskFinished == [1] }
        harness.wish {
            $0.disk.append(DiskOperation(number: 2, action: .write(name: FileName("a"), offset: 0, block: filled(1))))
        }
        try harness.turns(1)
        #expect(harness.handler.diskFinished == [1, 2])
    }

    @Test func theServerDeliversReads() throws {
        let harness = try Harness(mode: .thread)
        harness.wish { $0.disk.append(DiskOperation(number: 1, action: .create(name: FileName("a"), byteCount: block))) }
        try harness.turn(until: "it is made") { harness.handler.diskFinished == [1] }
        harness.wish {
            $0.disk.append(DiskOperation(number: 2, action: .read(name: FileName("a"), offset: 0, count: 10)))
        }
        try harness.turn(until: "it is read") { harness.handler.diskFinished == [1, 2] }
        #expect(harness.handler.events == ["read 10"])
    }

    @Test func theModeFollowsTheDiskButNotItsHiccups() {
        var chooser = DiskModeChooser(mode: .auto, probed: .microseconds(120))
        #expect(chooser.isInline)
        var changes = 0
        for index in 0..<1000 { changes += chooser.note(index % 3 == 0 ? .milliseconds(40) : .microseconds(100)) ? 1 : 0 }
        #expect(changes == 0 && chooser.isInline)
        for _ in 0..<100 { changes += chooser.note(.milliseconds(5)) ? 1 : 0 }
        #expect(changes == 1 && !chooser.isInline)
        for _ in 0..<100 { changes += chooser.note(.microseconds(100)) ? 1 : 0 }
        #expect(changes == 2 && chooser.isInline)
        #expect(!DiskModeChooser(mode: .auto, probed: .milliseconds(3)).isInline)
        var fixed = DiskModeChooser(mode: .inline, probed: .milliseconds(3))
        for _ in 0..<100 { changes += fixed.note(.milliseconds(5)) ? 1 : 0 }
        #expect(changes == 2 && fixed.isInline && !DiskModeChooser(mode: .thread, probed: .microseconds(1)).isInline)
    }
}
