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

    /// Bytes that the database says it takes.
    var usedMemory: Int { machine.usedMemory }

    /// Stops the process where something is not what it must be.
    func checkInvariants() { for keyspace in machine.execution.keyspaces { keyspace.checkInvariants() } }

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
