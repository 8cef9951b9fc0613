import Base
import RESP
import Testing

@testable import Database

/// What is handed to an open record, one way after the other: each case was once a mutation that no other test noticed.
@Suite struct RecordHandoverTests {
    /// Encodes the rest of a record and loads it: the state that `twin` is.
    private func expectWhole(_ record: StateRecord, _ output: ByteBuffer, is twin: TestMachine, budget: Int = 5_000) throws {
        while !record.encode(into: output, budgetBytes: budget) {}
        let machine = try StateLoaderTests.load(output.view.array).get()
        #expect(record.digest == twin.machine.digest() && machine.digest() == twin.machine.digest())
        try RecordedRun(seed: 1).expectSame(TestMachine(machine, like: twin), twin)
    }

    private func long(_ letter: Character) -> String { String(repeating: letter, count: 100_000) }

    @Test("A long string stays as it was, wherever the record has got to", arguments: [0, 1, 30])
    func longStringsAreReplacedNotChanged(slices: Int) throws {
        for change in [
            ["SET", "s0", long("b")], ["SET", "s0", long("b"), "EX", "100"], ["SETRANGE", "s0", "90000", "changed"],
            ["SETBIT", "s0", "799999", "1"], ["SETRANGE", "s0", "99999", "grown"], ["APPEND", "s0", "more"], ["GETDEL", "s0"],
            ["GETEX", "s0", "PX", "77"], ["RENAME", "s0", "s1"], ["GETSET", "s0", "short"], ["SETRANGE", "s0", "0", "begin"],
        ] {
            let machine = TestMachine()
            machine.run(["SET", "s0", long("a")])
            let twin = RecordedRun.twin(of: machine)
            let record = try #require(machine.machine.beginRecord())
            let output = ByteBuffer()
            for _ in 0..<slices { _ = record.encode(into: output, budgetBytes: 1_000) }
            machine.run(change)
            // And over again what came in its place.
            machine.run(["SET", "s0", long("c")])
            machine.run(["SETRANGE", "s0", "50000", "d"])
            try expectWhole(record, output, is: twin)
            machine.checkInvariants()
        }
    }

    @Test func whatIsKeptIsCountedAndFreed() throws {
        let machine = TestMachine()
        machine.run(["SET", "s0", long("a")])
        for number in 0..<500 { machine.run("SET k\(number) v") }
        let record = try #require(machine.machine.beginRecord())
        let before = record.pendingBytes
        machine.run("DEL s0")
        #expect(record.pendingBytes >= before + 100_000)
        machine.run("FLUSHALL")
        #expect(!machine.machine.hasDropped, "the record walks through the dropped table")
        record.cancel()
        #expect(machine.machine.hasDropped && record.pendingBytes < 1_000, "then it is freed in steps")
        while machine.machine.hasDropped { machine.machine.freeDropped() }
    }

    @Test("A set that only changes its form is recorded in the old one, once", arguments: [0, 1])
    func formsThatChangeWithoutTheContent(more: Int) throws {
        let machine = TestMachine()
        machine.run("KV.SET-PARAMETER set-max-intset-entries 4")
        machine.run("KV.SET-PARAMETER set-max-listpack-entries 4")
        for number in 0..<5 {
            machine.run("SADD t\(number) a b c")
            machine.run("SADD i\(number) 1 2 3")
        }
        let twin = RecordedRun.twin(of: machine)
        let record = try #require(machine.machine.beginRecord())
        for number in 0..<5 {
            machine.run("SADD t\(number) a b c a b c a b c")
            machine.run("SADD i\(number) 1 2 3 1 2 3 1 2 3")
            if more == 1 {
                machine.run("SADD t\(number) d")
                machine.run("SREM i\(number) 1")
                machine.run("SADD t\(number) a b c d a b c d")
            }
        }
        try expectWhole(record, ByteBuffer(), is: twin)
        machine.checkInvariants()
    }

    @Test func aDatabaseIsFlushedTwice() throws {
        let machine = TestMachine()
        for number in 0..<300 { machine.run("SET s\(number) v") }
        let twin = RecordedRun.twin(of: machine)
        let record = try #require(machine.machine.beginRecord())
        let output = ByteBuffer()
        _ = record.encode(into: output, budgetBytes: 100)
        for _ in 0..<3 {
            machine.run("FLUSHALL")
            for number in 0..<300 { machine.run("SET s\(number) w") }
        }
        machine.run("SWAPDB 0 1")
        machine.run("FLUSHALL")
        try expectWhole(record, output, is: twin)
    }

    @Test func moreIsHandedOverThanOneBufferHolds() throws {
        let machine = TestMachine()
        let value = String(repeating: "v", count: 200)
        for number in 0..<3_000 {
            machine.database = number % 2
            machine.run("SET k\(number) \(value)")
        }
        machine.database = 5
        machine.run(["SET", "s0", long("a")])
        let twin = RecordedRun.twin(of: machine)
        let record = try #require(machine.machine.beginRecord())
        // In runs of one database that are longer than a buffer, and one by one.
        for database in 0..<2 {
            machine.database = database
            for number in stride(from: database, to: 2_400, by: 2) { machine.run("SET k\(number) new") }
        }
        for number in 2_400..<3_000 {
            machine.database = number % 2
            machine.run("DEL k\(number)")
        }
        #expect(record.pendingBytes > 500_000)
        // Something of another database comes between two buffers.
        let output = ByteBuffer()
        _ = record.encode(into: output, budgetBytes: 50_000)
        machine.database = 5
        machine.run("DEL s0")
        try expectWhole(record, output, is: twin)
    }

    /// Where segments are merged between two slices, the place of the walk can lie between two keys of one tag.
    @Test func theTableShrinksWhileTheWalkIsBetweenKeysOfOneTag() throws {
        let machine = TestMachine()
        let keys = (0..<3_000).map { "k\($0)" }
        for key in keys { machine.run("SET \(key) v") }
        let keyspace = machine.machine.execution.keyspaces[0]
        func hash(_ key: String) -> UInt64 { Array(key.utf8).withView { keyspace.hashOf($0) } }
        let ordered = keys.sorted { hash($0) < hash($1) }
        // Neighbours whose hashes begin with the same 16 bits: one tag where there is one segment.
        let pairs = zip(ordered, ordered.dropFirst()).filter { hash($0) >> 48 == hash($1) >> 48 }.map(\.0)
        try #require(pairs.count > 10)
        for first in pairs.prefix(4) {
            let fresh = RecordedRun.twin(of: machine)
            let table = fresh.machine.execution.keyspaces[0]
            let depth = table.directoryDepth
            let twin = RecordedRun.twin(of: fresh)
            let record = try #require(fresh.machine.beginRecord())
            let output = ByteBuffer()
            let done = try #require(ordered.firstIndex(of: first)) + 1
            while record.keysDone < done { _ = record.encode(into: output, budgetBytes: 1) }
            // All keys go but those of the pair.
            for key in ordered where hash(key) >> 48 != hash(first) >> 48 { fresh.run("DEL \(key)") }
            #expect(table.directoryDepth < depth)
            try expectWhole(record, output, is: twin, budget: 1)
        }
    }
}
