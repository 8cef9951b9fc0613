import Base
import Database
import RESP
import Testing

/// A machine under random commands, with records of it that are encoded between them.
final class RecordedRun {
    /// A record, and the machine as it was when it began.
    struct Open {
        let record: StateRecord
        let twin: TestMachine
        let digest: Digest
        let output = ByteBuffer()
    }

    let subject: TestMachine
    var commands: RandomCommands
    var random: RandomGenerator
    var open: [Open] = []
    /// Recorded states that were loaded and found good.
    var loaded = 0

    init(seed: UInt64) {
        subject = TestMachine(seed: seed)
        commands = RandomCommands(seed: seed)
        random = RandomGenerator(seed: seed ^ 0xABCD)
    }

    /// Another machine with the same log applied.
    static func twin(of subject: TestMachine) -> TestMachine {
        let twin = TestMachine(seed: subject.machine.seed)
        for payload in subject.log { twin.apply(payload) }
        twin.continue(from: subject)
        return twin
    }

    func begin() throws {
        let record = try #require(subject.machine.beginRecord())
        let twin = RecordedRun.twin(of: subject)
        #expect(record.keysTotal == (0..<16).reduce(0) { $0 + subject.machine.keyCount($1) })
        open.append(Open(record: record, twin: twin, digest: twin.machine.digest()))
    }

    /// One command, and now and then a slice of a record.
    func step() throws {
        let (database, words) = commands.next()
        subject.database = database
        subject.run(words)
        if random.index(below: 3) == 0 { subject.advance(milliseconds: Int64(random.next(below: 40))) }
        for index in open.indices.reversed() where random.index(below: 3) == 0 { try encode(index) }
    }

    private func encode(_ index: Int) throws {
        let budgets = [1, 30, 200, 1_000, 5_000, 70_000]
        let current = open[index]
        let (before, budget) = (current.output.count, budgets[random.index(below: budgets.count)])
        let isComplete = current.record.encode(into: current.output, budgetBytes: budget)
        // A piece of a value, a small entry, and what frames them.
        #expect(current.output.count - before < budget + 100_000, "a slice goes little over its budget")
        if !isComplete { return }
        open.remove(at: index)
        #expect(current.record.digest == current.digest, "the record's digest is the state's")
        #expect(current.record.keysDone == current.record.keysTotal)
        #expect(current.record.pendingBytes == 0)
        let machine = try RecordedRun.load(current.output.view, random: &random)
        let copy = TestMachine(machine, like: current.twin)
        try expectSame(copy, current.twin)
        loaded += 1
    }

    func finish() throws {
        while !open.isEmpty { try encode(open.count - 1) }
    }

    /// The same commands to both: the same replies and states.
    func expectSame(_ copy: TestMachine, _ twin: TestMachine) throws {
        #expect(copy.machine.digest() == twin.machine.digest(), "the loaded state's digest is the recorded one's")
        copy.checkInvariants()
        for database in 0..<3 {
            (copy.database, twin.database) = (database, database)
            for query in RecordedRun.queries(twin) {
                let (ours, theirs) = (copy.run(bytes: query), twin.run(bytes: query))
                if ours != theirs {
                    Issue.record(
                        "\(query.map { String(decoding: $0, as: UTF8.self) }): \(RecordedRun.text(ours)), not \(RecordedRun.text(theirs))"
                    )
                    throw Different()
                }
            }
        }
        var further = RandomCommands(seed: random.next())
        further.longEvery = 0
        for _ in 0..<60 {
            let (database, words) = further.next()
            (copy.database, twin.database) = (database, database)
            let (ours, theirs) = (copy.run(words), twin.run(words))
            if ours != theirs {
                Issue.record("\(words.prefix(6)): \(ours.prefix(300)), not \(theirs.prefix(300))")
                throw Different()
            }
        }
        #expect(copy.machine.digest() == twin.machine.digest(), "the same commands lead to the same state")
        #expect(copy.machine.nextDeadline == twin.machine.nextDeadline)
        copy.checkInvariants()
    }

    struct Different: Error {}

    private static func text(_ reply: [UInt8]) -> String { String(String(decoding: reply, as: UTF8.self).prefix(300)) }

    /// Everything that can be asked of the keys of a database.
    private static func queries(_ machine: TestMachine) -> [[[UInt8]]] {
        var queries: [[String]] = [
            ["SCAN", "0", "COUNT", "7"], ["SCAN", "0", "COUNT", "1000"], ["DBSIZE"], ["RANDOMKEY"], ["KEYS", "*"],
            ["DEBUG", "DIGEST"],
        ]
        for family in ["s", "l", "t", "z", "h", "x"] {
            for number in 0..<12 {
                let key = "\(family)\(number)"
                if machine.run(["EXISTS", key]) == ":0\r\n" { continue }
                queries += [["TYPE", key], ["OBJECT", "ENCODING", key], ["PEXPIRETIME", key], ["DUMP", key]]
                queries += [["SSCAN", key, "0", "COUNT", "20"], ["HSCAN", key, "0", "COUNT", "20"], ["SRANDMEMBER", key, "5"]]
                queries += [["XINFO", "STREAM", key, "FULL", "COUNT", "0"], ["ZRANGE", key, "0", "-1", "WITHSCORES"]]
                queries += [["LRANGE", key, "0", "-1"], ["HGETALL", key], ["HRANDFIELD", key, "4"]]
                queries += [["HPEXPIRETIME", key, "FIELDS", "3", "m1", "m2", "element-3"], ["GET", key]]
            }
        }
        return queries.map { $0.map { Array($0.utf8) } }
    }

    /// Loads a recorded state in pieces of random sizes.
    static func load(_ view: ByteView, random: inout RandomGenerator) throws -> StateMachine {
        let loader = StateLoader()
        var offset = 0
        let longest = [3, 100, 5_000, 1_000_000][random.index(below: 4)]
        while offset < view.count {
            let count = min(1 + random.index(below: longest), view.count - offset)
            try loader.load(view.slice(offset, count))
            offset += count
        }
        return try loader.finish()
    }
}

struct RecordTests {
    /// More of them take long in a debug build.
    static let seeds = 6

    @Test("A record is the state at its beginning, whatever happens until it is encoded", arguments: 1...seeds)
    func recordsUnderRandomCommands(seed: Int) throws {
        let run = RecordedRun(seed: UInt64(seed))
        // Long values, few keys, or neither.
        if seed % 3 == 1 { run.commands.longEvery = 3 }
        if seed % 3 == 2 { (run.commands.keys, run.commands.longEvery) = (3, 200) }
        for _ in 0..<300 { try run.step() }
        for _ in 0..<500 {
            if run.open.count < 3 && run.random.index(below: 60) == 0 { try run.begin() }
            try run.step()
        }
        try run.finish()
        #expect(run.loaded > 1)
        run.subject.checkInvariants()
        #expect(run.subject.machine.openRecords == 0)
    }

    /// A machine with one large value of each kind: trees of several levels, elements that are encoded in pieces.
    static func large() -> TestMachine {
        let machine = TestMachine(seed: 9)
        machine.run("KV.SET-PARAMETER list-max-listpack-size 3 stream-node-max-entries 5")
        let long = String(repeating: "x", count: 150_000)
        machine.run(["SET", "s", String(repeating: "s", count: 400_000)])
        machine.run(["SET", "deadline", String(repeating: "d", count: 100_000), "PX", "1000000"])
        for part in 0..<12 {
            let numbers = (0..<150).map { "\(part * 150 + $0)" }
            machine.run(["RPUSH", "l"] + numbers)
            machine.run(["SADD", "t"] + numbers.map { "member-\($0)" })
            machine.run(["SADD", "i"] + numbers)
            machine.run(["ZADD", "z"] + numbers.flatMap { [$0, "member-\($0)"] })
            machine.run(["HSET", "h"] + numbers.flatMap { ["field-\($0)", "value-\($0)"] })
            machine.run(["HPEXPIRE", "h", "90000", "FIELDS", "2", "field-\(part)", "field-\(part + 20)"])
            for _ in 0..<20 { machine.run(["XADD", "x", "*", "f", "\(part)"]) }
        }
        machine.run(["RPUSH", "l", long, "behind"])
        machine.run(["SADD", "t", long])
        machine.run(["ZADD", "z", "5", long])
        machine.run(["HSET", "h", long, long])
        machine.run(["XADD", "x", "*", long, long])
        machine.run(["XGROUP", "CREATE", "x", "g", "0"])
        for number in 0..<200 { machine.run(["XREADGROUP", "GROUP", "g", "c\(number)", "COUNT", "1", "STREAMS", "x", ">"]) }
        machine.run(["KV.SET-PARAMETER", "list-max-listpack-size", "-2"])
        return machine
    }

    @Test(
        "Large values are encoded in slices, while they are changed, moved and dropped",
        arguments: [(1_000, 0), (1_000, 4), (100_000, 1)])
    func largeValues(budget: Int, moment: Int) throws {
        let ways: [[String]] = [
            [], ["DEL s l t i z h x deadline"], ["FLUSHALL"], ["SWAPDB 0 1", "FLUSHDB"],
            [
                "SETRANGE s 5 changed", "APPEND deadline more", "LPUSH l new", "SREM t member-5", "ZADD z 7 member-9",
                "HDEL h field-3",
            ],
            [
                "PEXPIRE deadline 5", "PEXPIRE s 7", "RENAME l l2", "MOVE t 1", "XGROUP DESTROY x g",
                "HPEXPIRE h 1 FIELDS 1 field-7",
            ],
            ["SETBIT s 7 1", "COPY z z2", "ZREMRANGEBYRANK z 0 2000", "SPOP t 900", "LTRIM l 5 9", "XTRIM x MAXLEN 3"],
        ]
        var random = RandomGenerator(seed: 3)
        for way in ways {
            let machine = RecordTests.large()
            let twin = RecordedRun.twin(of: machine)
            let record = try #require(machine.machine.beginRecord())
            let output = ByteBuffer()
            var slices = 0
            var left = way[...]
            while true {
                // The changes come one by one, from different moments on.
                if slices >= moment * moment, let command = left.popFirst() { machine.run(command) }
                machine.advance(milliseconds: 3)
                machine.tick()
                slices += 1
                let before = output.count
                let isComplete = record.encode(into: output, budgetBytes: budget)
                #expect(output.count - before < budget + 80_000, "a slice goes little over its budget")
                if isComplete { break }
            }
            #expect(slices > 2)
            let loaded = TestMachine(try RecordedRun.load(output.view, random: &random), like: twin)
            try RecordedRun(seed: 1).expectSame(loaded, twin)
            machine.checkInvariants()
        }
    }

    @Test func recordsAreBoundedInNumberAndCanBeGivenUp() throws {
        let machine = RecordTests.large()
        var records: [StateRecord] = []
        while let record = machine.machine.beginRecord() { records.append(record) }
        #expect(records.count == StateMachine.recordsMax)
        let used = machine.machine.usedMemory
        machine.run("FLUSHALL")
        machine.run("SET s new")
        #expect(machine.machine.usedMemory > 1_000_000, "what records keep is counted")
        // In the middle of something, or before anything; by a call, or by forgetting it.
        _ = records[0].encode(into: ByteBuffer(), budgetBytes: 50_000)
        records[0].cancel()
        records[1].cancel()
        #expect(machine.machine.openRecords == 6)
        records = []
        #expect(machine.machine.openRecords == 0)
        while machine.machine.hasDropped { machine.machine.freeDropped() }
        #expect(machine.machine.usedMemory < used / 10, "nothing is kept when all records have ended")
        machine.checkInvariants()
    }

    @Test func aRecordOutlivesItsMachine() throws {
        var machine: TestMachine? = RecordTests.large()
        let digest = machine?.machine.digest()
        let record = try #require(machine?.machine.beginRecord())
        machine?.run("DEL s")
        machine = nil
        let output = ByteBuffer()
        while !record.encode(into: output, budgetBytes: 10_000) {}
        #expect(record.digest == digest)
    }

    @Test("Without the handing over of what changes, the record's own count of keys stops the process")
    func aForgottenHookIsFound() async {
        await #expect(processExitsWith: .failure) {
            let machine = TestMachine()
            for number in 0..<50 { machine.run("SET k\(number) v") }
            let record = machine.machine.beginRecord()
            machine.machine.execution.keyspaces[0].forgetRecords()
            machine.run("SET k7 changed")
            while record?.encode(into: ByteBuffer(), budgetBytes: 100) == false {}
        }
    }
}
