import Base
import RESP
import Testing

@testable import Database

/// Small collections stand in their entries as bare pages; commands see objects.
@Suite struct OpenValuesTests {
    private func entry(_ machine: TestMachine, _ key: String) -> Entry? {
        Array(key.utf8).withView { machine.machine.execution.keyspaces[0].find($0) }
    }

    private static let small: [(make: String, more: String, read: String)] = [
        ("rpush k a 1", "lpush k b", "lrange k 0 -1"),
        ("sadd k 1 2", "sadd k 3", "smembers k"),
        ("sadd k a 2", "sadd k c", "smembers k"),
        ("zadd k 1 a", "zadd k 1.5 b", "zrange k 0 -1 withscores"),
        ("hset k f v", "hset k g 7", "hgetall k"),
    ]

    /// A small collection is a bare page after the command that made it, one that changed it and one that read it.
    @Test func smallCollectionsAreBareAtRest() {
        for row in OpenValuesTests.small {
            let machine = TestMachine()
            for command in [row.make, row.more, row.read, "object encoding k", "expire k 100", "persist k", "rename k k"] {
                machine.run(command)
                #expect(entry(machine, "k")?.barePage != nil, "\(command)")
                machine.checkInvariants()
            }
        }
    }

    /// What has grown out of the small form is an object that knows its entry, whatever becomes of that.
    @Test func largeCollectionsKnowTheirEntry() {
        let large = [
            ("rpush k", 3000), ("sadd k x", 200), ("sadd k", 600), ("zadd k", 400), ("hset k", 1200),
        ]
        for (command, words) in large {
            let machine = TestMachine()
            machine.run(command.split(separator: " ").map(String.init) + (0..<words).map(String.init))
            for next in ["exists k", "expire k 100", "persist k", "rename k other", "rename other k", "move k 0", "copy k c"] {
                machine.run(next)
                guard let entry = entry(machine, "k") ?? entry(machine, "other") else {
                    Issue.record("the key is gone after \(next)")
                    continue
                }
                #expect(entry.barePage == nil && entry.collection.entry?.pointer == entry.pointer, "\(command), \(next)")
                machine.checkInvariants()
            }
            machine.run("del k c")
            machine.checkInvariants()
        }
    }

    /// A copy shares the page until one of the two changes, in whichever order.
    @Test func copiesAreIndependent() {
        for row in OpenValuesTests.small {
            for changed in ["k", "copy"] {
                let machine = TestMachine()
                machine.run(row.make)
                let before = machine.run(row.read)
                machine.run("copy k copy")
                let shared = entry(machine, "k")?.barePage?.start == entry(machine, "copy")?.barePage?.start
                #expect(shared)
                machine.run(row.more.replacing(" k ", with: " \(changed) "))
                let untouched = changed == "k" ? "copy" : "k"
                #expect(machine.run(row.read.replacing(" k", with: " \(untouched)")) == before, "\(row.more)")
                #expect(machine.run(row.read.replacing(" k", with: " \(changed)")) != before, "\(row.more)")
                machine.checkInvariants()
            }
        }
    }

    /// Whoever holds an object beyond its command has an empty one, and nobody else is given it.
    @Test func anObjectThatIsHeldIsNotUsedAgain() {
        let machine = TestMachine()
        machine.run("hset a f v")
        machine.run("hset b f w")
        let keyspace = machine.machine.execution.keyspaces[0]
        guard let first = entry(machine, "a"), let second = entry(machine, "b") else { return }
        let held = keyspace.open(first)
        #expect(held === keyspace.open(first), "an open value is opened once")
        machine.machine.execution.open.close()
        #expect(first.barePage != nil && held.entry == nil && !held.isOpen)
        #expect(keyspace.open(second) !== held)
        machine.machine.execution.open.close()
        machine.checkInvariants()
    }

    /// Many commands on few keys: a machine whose collections are large from the start gives the same answers, and the account of
    /// memory comes down to nothing.
    @Test(arguments: [UInt64(1), 2, 3]) func anythingGoes(seed: UInt64) {
        let small = TestMachine(seed: 5)
        let large = TestMachine(seed: 5)
        for name in ["hash-max-listpack-entries", "zset-max-listpack-entries", "list-max-listpack-size"] {
            large.run("kv.set-parameter \(name) 3")
        }
        var random = RandomGenerator(seed: seed)
        for step in 0..<4000 {
            let words = OpenValuesTests.command(&random)
            #expect(small.run(words) == large.run(words), "\(words)")
            if step % 400 == 0 {
                small.checkInvariants()
                large.checkInvariants()
                #expect(small.machine.contentDigest() == large.machine.contentDigest())
            }
        }
        for machine in [small, large] {
            for database in 0..<2 {
                machine.database = database
                for key in machine.run("keys *").split(separator: "\r\n") where !key.hasPrefix("$") && !key.hasPrefix("*") {
                    machine.run(["del", String(key)])
                }
            }
            machine.checkInvariants()
            while machine.machine.hasDropped { machine.machine.freeDropped() }
        }
        #expect(small.machine.execution.keyspaces.allSatisfy { $0.entryBytes == 0 })
    }

    private static func command(_ random: inout RandomGenerator) -> [String] {
        let kind = ["h", "l", "s", "z"][random.index(below: 4)]
        let key = "\(kind)\(random.index(below: 3))"
        let other = "\(kind)\(random.index(below: 3))"
        let word = random.index(below: 2) == 0 ? "\(random.index(below: 9))" : "w\(random.index(below: 9))"
        let number = "\(random.index(below: 5))"
        switch random.index(below: 12) {
        case 0: return ["copy", key, other, "replace"]
        case 1: return ["rename", key, other]
        case 2: return ["del", key]
        case 3: return ["move", key, "1"]
        case 4: return ["expire", key, "1000"]
        case 5: return ["set", key, word, "get"]
        default: break
        }
        switch kind {
        case "h":
            return [["hset", key, word, number], ["hdel", key, word], ["hincrby", key, "n", number]][random.index(below: 3)]
        case "l":
            return [
                ["lpush", key, word, number], ["lpop", key], ["rpoplpush", key, other], ["linsert", key, "before", number, word],
                ["ltrim", key, "0", "5"],
            ][random.index(below: 5)]
        case "s":
            return [
                ["sadd", key, word], ["srem", key, word], ["smove", key, other, word], ["sunionstore", key, key, other],
                ["sdiffstore", key, key, other],
            ][random.index(below: 5)]
        default:
            return [
                ["zadd", key, number, word], ["zrem", key, word], ["zincrby", key, number, word], ["zpopmin", key],
                ["zunionstore", key, "2", key, other],
            ][random.index(below: 5)]
        }
    }
}
