// kvapply: applies files of commands to a state machine, in process, and says how long that took and what it takes in memory. No log, no
// network, no quorum: what stands beside the time per call that Redis measures of itself. Tests/performance/commands drives it.
//
// Reads orders from standard input, one a line, and answers each with one line:
//
//     apply PATH    applies the commands (RESP, as a client sends them): "commands errors"
//     time PATH     the same, measured: "commands errors ns-in-execute ns-in-all-of-apply"
//     memory        "bytes that the database accounts for, bytes of the process that are resident"
//     check         verifies the keyspaces' invariants: "good"
//     flush         drops everything: "keys"
//     fill N BYTES  sets N keys of 16 bytes to values of BYTES: "ns-in-all-of-apply"
//     set N BYTES   sets N of them again, at random, likewise
//     record BUDGET a record of the state, encoded in slices of BUDGET bytes, and loaded again in such pieces:
//                   "keys bytes ns-to-begin ns-to-encode ns-of-the-longest-slice ns-to-load ns-of-the-longest-piece digests-equal"
//     hold          begins a record that is not encoded: "open records"
//     drop          ends it: "bytes that it held"

import Base
import Database
import Glibc
import RESP

/// A clock in nanoseconds.
func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The content of a file, or nil.
func contents(of path: String) -> ByteBuffer? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    let buffer = ByteBuffer(capacity: 1 << 20)
    while true {
        let space = buffer.reserve(1 << 20)
        let count = fread(space.baseAddress, 1, 1 << 20, file)
        if count <= 0 { return buffer }
        buffer.commit(count)
    }
}

/// Bytes of this process that are in memory.
func residentBytes() -> Int {
    guard let file = contents(of: "/proc/self/statm") else { return 0 }
    let words = withExtendedLifetime(file) { file.view.text.split(separator: " ") }
    return words.count > 1 ? (Int(words[1]) ?? 0) * Int(getpagesize()) : 0
}

/// A state machine that commands are applied to, 16 to an entry.
final class Applier {
    static let itemsPerEntry = 16

    private var machine = StateMachine(seed: 0x5EED)
    private let output = ByteBuffer(capacity: 1 << 20)
    private let arguments = Arguments()
    private let items = ByteBuffer(capacity: 1 << 16)
    private let payload = ByteBuffer(capacity: 1 << 16)
    private var nextNumber: UInt64 = 1
    private var now = WallTime(microseconds: 1_700_000_000_000_000)
    private(set) var commands = 0
    private(set) var errors = 0
    /// Nanoseconds inside of `execute` and `read`, and in everything that applying takes.
    private(set) var inExecute: UInt64 = 0
    private(set) var inAll: UInt64 = 0

    /// Applies a file of commands. False where it is not well-formed.
    func apply(_ bytes: ByteView) -> Bool {
        (commands, errors, inExecute, inAll) = (0, 0, 0, 0)
        var parser = RequestParser()
        var rest = bytes
        var gathered = 0
        items.removeAll()
        while !rest.isEmpty {
            guard case .command(let consumed) = parser.next(in: rest, arguments: arguments) else { return false }
            rest = rest.dropFirst(consumed)
            guard case .command(let command) = CommandTable.standard.resolve(arguments) else { return false }
            commands += 1
            if command.scope == .write {
                CommandBatch.appendItem(database: 0, connection: 1, arguments: arguments, to: items)
                gathered += 1
                if gathered == Applier.itemsPerEntry { applyEntry(&gathered) }
            } else {
                if gathered > 0 { applyEntry(&gathered) }
                read(command)
            }
        }
        if gathered > 0 { applyEntry(&gathered) }
        while machine.hasDropped { machine.freeDropped() }
        return true
    }

    private func read(_ command: Command) {
        output.removeAll(keeping: 1 << 30)
        let reply = ReplyWriter(output)
        let start = nanoseconds()
        machine.read(command, arguments: arguments, database: 0, readTime: now, random: nextNumber, reply: reply)
        let time = nanoseconds() - start
        inExecute += time
        inAll += time
        noteError(at: 0)
    }

    private func applyEntry(_ gathered: inout Int) {
        payload.removeAll()
        CommandBatch.beginPayload(time: now, seed: nextNumber, to: payload)
        CommandBatch.appendSegmentHeader(
            owner: NodeID(1), incarnation: Incarnation(1), first: nextNumber, count: gathered, byteCount: items.count, to: payload
        )
        payload.append(items.view)
        nextNumber += UInt64(gathered)
        now.microseconds += 100
        gathered = 0
        items.removeAll()
        output.removeAll(keeping: 1 << 30)
        let reply = ReplyWriter(output)
        let start = nanoseconds()
        machine.begin(payload: payload.view, index: machine.appliedIndex.next, term: Term(1))
        while machine.nextItem() {
            let replied = output.count
            let before = nanoseconds()
            machine.execute(reply: reply)
            inExecute += nanoseconds() - before
            noteError(at: replied)
        }
        machine.end()
        inAll += nanoseconds() - start
    }

    private func noteError(at offset: Int) {
        if output.count > offset, output.view[offset] == UInt8(ascii: "-") { errors += 1 }
    }

    /// Sets keys from `first` on, of 16 bytes each; at random ones where `below` says of how many.
    func set(_ count: Int, bytes: Int, below: Int? = nil) {
        (commands, errors, inExecute, inAll) = (0, 0, 0, 0)
        guard case .command(let command) = resolvedSet() else { return }
        var random = RandomGenerator(seed: nextNumber)
        let words = ByteBuffer(capacity: bytes + 64)
        var gathered = 0
        for index in 0..<count {
            var number = below.map { random.index(below: $0) } ?? index
            words.removeAll()
            words.append("SETkey:")
            words.append(zeros: 12)
            for place in 0..<12 {
                words.overwrite(at: 18 - place, integer: UInt8(0x30 + number % 10))
                number /= 10
            }
            for _ in 0..<(bytes + 7) / 8 { words.append(integer: random.next()) }
            arguments.removeAll(over: words.view)
            arguments.append(offset: 0, count: 3)
            arguments.append(offset: 3, count: 16)
            arguments.append(offset: 19, count: bytes)
            check(command.scope == .write, "SET writes")
            CommandBatch.appendItem(database: 0, connection: 1, arguments: arguments, to: items)
            gathered += 1
            if gathered == Applier.itemsPerEntry { applyEntry(&gathered) }
        }
        if gathered > 0 { applyEntry(&gathered) }
    }

    private func resolvedSet() -> CommandResolution {
        withExtendedLifetime(ByteBuffer(capacity: 16)) { words in
            words.append("SETkv")
            arguments.removeAll(over: words.view)
            for (offset, count) in [(0, 3), (3, 1), (4, 1)] { arguments.append(offset: offset, count: count) }
            return CommandTable.standard.resolve(arguments)
        }
    }

    private var held: StateRecord?

    /// Begins a record that is not encoded.
    func hold() -> Int {
        held = machine.beginRecord()
        return machine.openRecords
    }

    /// Ends it.
    func drop() -> Int {
        let bytes = held?.pendingBytes ?? 0
        held?.cancel()
        held = nil
        return bytes
    }

    /// Records the state, encodes the record in slices and loads what was encoded.
    func record(budget: Int) -> String {
        let output = ByteBuffer(capacity: 1 << 20)
        let digest = machine.digest()
        var start = nanoseconds()
        guard let record = machine.beginRecord() else { return "no record" }
        let toBegin = nanoseconds() - start
        var (toEncode, longestSlice): (UInt64, UInt64) = (0, 0)
        // As a writer would take it: in a buffer of its own, which is handed on.
        let slice = ByteBuffer(capacity: budget + (1 << 17))
        var isDone = false
        while !isDone {
            start = nanoseconds()
            isDone = record.encode(into: slice, budgetBytes: budget)
            let time = nanoseconds() - start
            (toEncode, longestSlice) = (toEncode + time, max(longestSlice, time))
            output.append(slice.view)
            slice.removeAll(keeping: 1 << 30)
        }
        var (toLoad, longestPiece): (UInt64, UInt64) = (0, 0)
        let loader = StateLoader()
        var offset = 0
        do {
            while offset < output.count {
                let count = min(budget, output.count - offset)
                start = nanoseconds()
                try loader.load(output.view.slice(offset, count))
                let time = nanoseconds() - start
                (toLoad, longestPiece) = (toLoad + time, max(longestPiece, time))
                offset += count
            }
            let loaded = try loader.finish()
            let isEqual = loaded.digest() == digest && record.digest == digest
            loaded.abandon()
            while loaded.hasDropped { loaded.freeDropped() }
            return
                "\(record.keysTotal) \(output.count) \(toBegin) \(toEncode) \(longestSlice) \(toLoad) \(longestPiece) \(isEqual)"
        } catch {
            return "not loaded: \(error)"
        }
    }

    /// Bytes that the database says it takes.
    var usedMemory: Int { machine.usedMemory }

    /// Stops the process where something is not what it must be.
    func checkInvariants() { for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() } }

    /// Keys of database 0.
    var keys: Int { machine.keyCount(0) }

    /// Drops everything.
    func flush() -> Int {
        machine = StateMachine(seed: 0x5EED)
        nextNumber = 1
        return machine.keyCount(0)
    }
}

func main() -> Int32 {
    let applier = Applier()
    while let line = readLine() {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let numbers = line.split(separator: " ").dropFirst().compactMap { Int($0) }
        switch words.first {
        case "apply", "time":
            guard words.count == 2, let file = contents(of: words[1]),
                withExtendedLifetime(file, { applier.apply(file.view) })
            else {
                print("cannot apply \(line)")
                return 1
            }
            let times = words[0] == "time" ? " \(applier.inExecute) \(applier.inAll)" : ""
            print("\(applier.commands) \(applier.errors)\(times)")
        case "memory": print("\(applier.usedMemory) \(residentBytes())")
        case "check":
            applier.checkInvariants()
            print("good")
        case "fill" where numbers.count == 2:
            applier.set(numbers[0], bytes: numbers[1])
            print("\(applier.inAll)")
        case "set" where numbers.count == 2:
            applier.set(numbers[0], bytes: numbers[1], below: max(applier.keys, 1))
            print("\(applier.inAll)")
        case "record" where numbers.count == 1: print(applier.record(budget: max(numbers[0], 1)))
        case "hold": print("\(applier.hold())")
        case "drop": print("\(applier.drop())")
        case "flush": print("\(applier.flush())")
        default:
            print("unknown order \(line)")
            return 1
        }
        fflush(nil)
    }
    return 0
}

exit(main())
