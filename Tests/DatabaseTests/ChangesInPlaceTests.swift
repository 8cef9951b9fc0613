import Base
import RESP
import Testing

@testable import Database

/// Most changes touch one leaf and the counts above it, or the end of one list: they must leave what the long way would, and must not
/// touch what somebody else has.
@Suite struct ChangesInPlaceTests {
    private let seed: UInt64 = 7

    private func text(_ number: Int) -> [UInt8] { Array("member:\(number)".utf8) }

    private func members(_ tree: KeyedTree) -> [[UInt8]] {
        var members: [[UInt8]] = []
        tree.forEach { leaf, index in
            members.append(leaf.member(index).array + leaf.value(index).array)
            return true
        }
        return members
    }

    private func tree(of count: Int) -> KeyedTree {
        var tree = KeyedTree(hasValues: true)
        for number in 0..<count {
            text(number).withView { _ = tree.put(hash($0, seed: seed), KeyedElement($0), value: $0) }
        }
        return tree
    }

    /// One other owner, of the root, of a node or of a leaf: what it holds stays.
    @Test(arguments: [0, 1, 2]) func aSharedPageOfTheWayIsReplaced(level: Int) throws {
        var tree = tree(of: 6_000)
        #expect(tree.root.level == 2, "a root, nodes and leaves")
        for number in stride(from: 0, to: 6_000, by: 97) {
            let (key, bytes) = text(number).withView { (hash($0, seed: seed), $0.array) }
            var page = tree.root
            for _ in 0..<level {
                let node = CountedNode(page: page)
                page = node.child(max(node.childrenBelow(key + 1) - 1, 0))
            }
            try #require(bytes.withView { KeyedTree(root: page).find(key, $0) } != nil)
            page.retain()
            let before = members(KeyedTree(root: page))
            switch number % 3 {
            case 0: #expect(bytes.withView { tree.remove(key, $0) })
            case 1:
                let put = bytes.withView { tree.put(key, KeyedElement($0), value: .empty) }
                #expect(put == .replaced(valueBytes: bytes.count))
            default:
                // The next key, which has its place beside it.
                let put = [UInt8(1)].withView { tree.put(key + 1, KeyedElement($0), value: $0) }
                #expect(put == .inserted)
            }
            tree._checkInvariants()
            #expect(members(KeyedTree(root: page)) == before)
            page.release()
        }
        tree._checkInvariants()
        tree.root.release()
    }

    /// Every way of emptying a tree: the first entry of a leaf, the last one, leaves and nodes that become small.
    @Test(arguments: [0, 1, 2]) func treesAreEmptied(order: Int) {
        var tree = tree(of: 4_500)
        let highest = tree.root.level
        #expect(highest == 2)
        var random = RandomGenerator(seed: 3)
        while tree.count > 0 {
            let rank = order == 0 ? 0 : order == 1 ? tree.count - 1 : random.index(below: tree.count)
            let (leaf, index) = tree.entry(at: rank)
            let (key, member) = (leaf.key(index), leaf.member(index).array)
            let count = tree.count
            #expect(member.withView { tree.remove(key, $0) })
            #expect(tree.count == count - 1 && member.withView { tree.find(key, $0) } == nil)
            if count % 50 == 0 || count < 60 { tree._checkInvariants() }
        }
        #expect(tree.root.isUnique && !tree.root.isInner)
        tree.root.release()
    }

    /// A leaf that is filled to its last byte, by inserting and by longer values.
    @Test func leavesAreFilledToTheirEnd() {
        for valueBytes in [0, 1, 100, 254, 255, 1_000] {
            var tree = KeyedTree(hasValues: true)
            let value = [UInt8](repeating: 9, count: valueBytes)
            for number in 0..<400 {
                text(number).withView { member in
                    let key = hash(member, seed: seed)
                    #expect(tree.put(key, KeyedElement(member), value: .empty) == .inserted)
                    #expect(value.withView { tree.put(key, KeyedElement(member), value: $0) } == .replaced(valueBytes: 0))
                    #expect(tree.put(key, KeyedElement(member), value: .empty, replacing: false) == .unchanged)
                }
                if number % 20 == 0 { tree._checkInvariants() }
            }
            tree._checkInvariants()
            #expect(tree.count == 400)
            tree.root.release()
        }
    }

    /// Pushing at both ends of both forms, over the boundary between them and over those of chunks, with copies that stay what they were.
    @Test(arguments: [-2, -1, 1, 3, 100], [UInt64(1), 2]) func listsArePushed(limit: Int, seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var limits = CollectionLimits()
        limits.listSize = limit
        let list = ListValue()
        var model: [[UInt8]] = []
        var copies: [(list: ListValue, content: [[UInt8]])] = []
        func content(_ list: ListValue) -> [[UInt8]] {
            var elements: [[UInt8]] = []
            list.forEach { element in
                elements.append(element.array)
                return true
            }
            return elements
        }
        for step in 0..<3_000 {
            let bytes = randomElement(&random, longMax: random.chance(1, in: 30) ? 9_000 : 60)
            let atHead = random.chance(1, in: 2)
            bytes.withView { element in
                list.prepare(forElements: 1, bytes: element.count, limits: limits)
                list.push(PackedElement(element), atHead ? .head : .tail, limits: limits)
            }
            model.insert(bytes, at: atHead ? 0 : model.count)
            if random.chance(1, in: 40), let copy = list.copy() as? ListValue { copies.append((copy, model)) }
            if random.chance(1, in: 60) {
                // Room at an end, and the way back to the small form.
                let count = random.index(below: random.chance(1, in: 4) ? model.count : min(model.count, 30))
                let index = random.chance(1, in: 2) ? 0 : model.count - count
                list.remove(from: index, count: count, limits: limits)
                list.shrink(limits: limits)
                model.removeSubrange(index..<(index + count))
            }
            #expect(list.count == model.count)
            if step % 100 == 0 {
                list._checkInvariants(limits: limits)
                #expect(content(list) == model)
                for copy in copies { #expect(content(copy.list) == copy.content) }
                copies.removeAll()
            }
        }
        list._checkInvariants(limits: limits)
        #expect(content(list) == model)
    }

    private static let forms = [
        "sadd k 1 2 3", "sadd k a b 3", "sadd k \((0..<200).map { "m\($0)" }.joined(separator: " ")) a 3",
    ]

    /// What is read where it lies is found in every form of a set, and nothing is opened for it.
    @Test(arguments: forms) func membersAreFoundAtRest(make: String) {
        let machine = TestMachine()
        machine.run(make)
        let isBare = machine.run("object encoding k") != "$9\r\nhashtable\r\n"
        let entry = Array("k".utf8).withView { machine.machine.execution.keyspaces[0].find($0) }
        #expect((entry?.barePage != nil) == isBare)
        for word in ["1", "2", "3", "03", "a", "b", "m7", "m200", "4"] {
            let isMember = machine.run("smembers k").split(separator: "\r\n").contains(Substring(word))
            let reply = isMember ? ":1\r\n" : ":0\r\n"
            #expect(machine.run("sismember k \(word)") == reply)
            #expect(machine.run("smismember k \(word) nothing \(word)") == "*3\r\n\(reply):0\r\n\(reply)")
        }
        machine.run("expire k 10")
        machine.advance(milliseconds: 10_001)
        // The log's time decides.
        machine.run("set other v")
        #expect(machine.run("sismember k 3") == ":0\r\n" && machine.run("smismember k 3 3") == "*2\r\n:0\r\n:0\r\n")
        machine.run("set k v")
        #expect(machine.run("sismember k v").hasPrefix("-WRONGTYPE") && machine.run("smismember k v").hasPrefix("-WRONGTYPE"))
        #expect(machine.run("sadd k v").hasPrefix("-WRONGTYPE") && machine.run("srem k v").hasPrefix("-WRONGTYPE"))
        #expect(machine.run("hdel k v").hasPrefix("-WRONGTYPE") && machine.run("rpushx k v").hasPrefix("-WRONGTYPE"))
        #expect(machine.run("lrem k 1 v").hasPrefix("-WRONGTYPE") && machine.run("get k") == "$1\r\nv\r\n")
    }

    /// SDIFF, which makes no set of its answer, and SDIFFSTORE, which does, over sets of all forms and sizes.
    @Test(arguments: [UInt64(1), 2, 3]) func differencesAgree(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        for _ in 0..<60 {
            let machine = TestMachine()
            var sets: [Set<String>] = []
            for key in 0..<4 {
                var members: Set<String> = []
                let (range, isText) = (1 + random.index(below: random.chance(1, in: 2) ? 20 : 900), random.chance(1, in: 2))
                for _ in 0..<random.index(below: range) { members.insert((isText ? "m" : "") + "\(random.index(below: range))") }
                if !members.isEmpty { machine.run(["sadd", "k\(key)"] + members.sorted()) }
                sets.append(members)
            }
            for words in ["0 1", "1 0", "0 1 2 3", "3 2 1 0", "2", "1 1", "2 3 2", "0 9 1", "9 0"] {
                let numbers = words.split(separator: " ").compactMap { Int($0) }
                var expected = numbers.first.map { $0 < 4 ? sets[$0] : [] } ?? []
                for number in numbers.dropFirst() where number < 4 { expected.subtract(sets[number]) }
                let keys = numbers.map { "k\($0)" }
                for reply in [
                    machine.run(["sdiff"] + keys),
                    machine.run(["sdiffstore", "d"] + keys).isEmpty ? "" : machine.run("smembers d"),
                ] {
                    let lines = reply.split(separator: "\r\n")
                    #expect(lines.first == "*\(expected.count)")
                    #expect(Set(lines.dropFirst().filter { !$0.hasPrefix("$") }.map(String.init)) == expected)
                }
            }
        }
    }

    /// The last element that goes takes the key along, whichever way; and the record of the state has it.
    @Test func theLastElementGoesUnderARecord() throws {
        for (make, take, large) in [
            ("sadd k a", "srem k a", "sadd k"), ("hset k a 1", "hdel k a", "hset k"), ("rpush k a", "lrem k 1 a", "rpush k"),
            ("rpush k a", "lrem k -1 a", "rpush k"), ("rpush k a a", "lrem k 0 a", "lpush k"), ("sadd k 5", "srem k 5", "sadd k"),
        ] {
            let machine = TestMachine()
            machine.run(make)
            machine.run(large.split(separator: " ").map { $0 == "k" ? "big" : String($0) } + (0..<3_000).map { "x\($0)" })
            let twin = RecordedRun.twin(of: machine)
            let record = try #require(machine.machine.beginRecord())
            machine.run(take)
            #expect(machine.run("exists k") == ":0\r\n", "\(take)")
            for number in 0..<40 {
                machine.run(take.replacing(" k ", with: " big ").replacing(" a", with: " x\(number * 2)"))
                machine.run("\(large.replacing(" k", with: " big")) y\(number) z\(number)")
            }
            machine.run(make)
            machine.run(take)
            let output = ByteBuffer()
            while !record.encode(into: output, budgetBytes: 1_000) {}
            let loaded = try StateLoaderTests.load(output.view.array).get()
            #expect(record.digest == twin.machine.digest() && loaded.digest() == twin.machine.digest(), "\(take)")
            machine.checkInvariants()
        }
    }
}
