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
        if !current.record.encode(into: current.output, budgetBytes: budgets[random.index(below: budgets.count)]) { return }
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
        further.hasLongValues = false
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
    @Test("A record is the state at its beginning, whatever happens until it is encoded", arguments: 1...6)
    func recordsUnderRandomCommands(seed: Int) throws {
        let run = RecordedRun(seed: UInt64(seed))
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
}
