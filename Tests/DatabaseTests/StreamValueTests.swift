import Base
import RESP
import Testing

@testable import Database

/// A stream as plainly as it can be written down.
private struct StreamModel {
    struct Group {
        var last: UInt64 = 0
        var pending: [UInt64: (consumer: String, count: Int)] = [:]
    }
    var entries: [(id: UInt64, fields: [String])] = []
    var last: UInt64 = 0
    var groups: [String: Group] = [:]

    mutating func deliver(_ name: String, _ consumer: String, _ count: Int) -> [UInt64] {
        guard var group = groups[name] else { return [] }
        let ids = entries.map(\.id).filter { $0 > group.last }.prefix(count)
        for id in ids { group.pending[id] = (consumer, 1) }
        if let id = ids.last { group.last = id }
        groups[name] = group
        return Array(ids)
    }
}

@Suite struct StreamValueTests {
    private func value(_ machine: TestMachine, _ key: String = "s") -> StreamValue? {
        Array(key.utf8).withView { machine.machine.execution.keyspaces[0].find($0)?.collection as? StreamValue }
    }

    /// The texts of IDs `n-0` in a reply, as numbers.
    private func ids(_ reply: String) -> [UInt64] {
        reply.split(separator: "\r\n").compactMap { $0.hasSuffix("-0") ? UInt64($0.dropLast(2)) : nil }
    }

    @Test(arguments: [1, 2, 3, 4]) func randomChangesGiveWhatAPlainModelGives(seed: Int) {
        let machine = TestMachine()
        // Small nodes, so that many begin and end.
        machine.run("kv.set-parameter stream-node-max-entries \([3, 10, 100, 0][seed - 1])")
        var random = RandomGenerator(seed: UInt64(seed))
        var model = StreamModel()
        for name in ["g", "h"] {
            machine.run("xgroup create s \(name) 0 mkstream")
            model.groups[name] = StreamModel.Group()
        }
        for step in 0..<2500 {
            change(machine, &model, &random)
            if step % 40 == 0 { compare(machine, model, &random) }
        }
        compare(machine, model, &random)
    }

    private func change(_ machine: TestMachine, _ model: inout StreamModel, _ random: inout RandomGenerator) {
        let group = ["g", "h"][random.index(below: 2)]
        let consumer = "c\(random.index(below: 3))"
        let near = UInt64(random.index(below: Int(model.last) + 3))
        switch random.index(below: 20) {
        case 0..<9:
            model.last += UInt64(1 + random.index(below: 3))
            var fields: [String] = []
            for field in 0...random.index(below: 3) { fields += ["f\(field)", "\(random.index(below: 1000))"] }
            #expect(machine.run("xadd s \(model.last) " + fields.joined(separator: " ")).contains("\(model.last)-0"))
            model.entries.append((model.last, fields))
        case 9..<12:
            let isThere = model.entries.contains { $0.id == near }
            #expect(machine.run("xdel s \(near)") == ":\(isThere ? 1 : 0)\r\n")
            model.entries.removeAll { $0.id == near }
        case 12:
            let kept = max(0, model.entries.count - random.index(below: 20))
            #expect(machine.run("xtrim s maxlen \(kept)") == ":\(model.entries.count - kept)\r\n")
            model.entries.removeFirst(model.entries.count - kept)
        case 13:
            let least = (model.entries.first?.id ?? 0) + UInt64(random.index(below: 20))
            let gone = model.entries.prefix { $0.id < least }.count
            #expect(machine.run("xtrim s minid \(least)") == ":\(gone)\r\n")
            model.entries.removeFirst(gone)
        case 14..<16:
            let count = 1 + random.index(below: 8)
            let reply = machine.run("xreadgroup group \(group) \(consumer) count \(count) streams s >")
            #expect(ids(reply) == model.deliver(group, consumer, count))
        case 16..<18:
            let pending = model.groups[group]?.pending.keys.sorted() ?? []
            let id = pending.isEmpty ? near : pending[random.index(below: pending.count)]
            let isPending = model.groups[group]?.pending.removeValue(forKey: id) != nil
            #expect(machine.run("xack s \(group) \(id)") == ":\(isPending ? 1 : 0)\r\n")
        default:
            claim(machine, &model, group, consumer, random.index(below: 5) == 0, near)
        }
    }

    private func claim(
        _ machine: TestMachine, _ model: inout StreamModel, _ group: String, _ consumer: String, _ forces: Bool, _ id: UInt64
    ) {
        let reply = machine.run("xclaim s \(group) \(consumer) 0 \(id) justid" + (forces ? " force" : ""))
        guard var changed = model.groups[group] else { return }
        let old = changed.pending[id]
        let isThere = model.entries.contains { $0.id == id }
        if !isThere { changed.pending[id] = nil }
        let isClaimed = isThere && (old != nil || forces)
        if isClaimed { changed.pending[id] = (consumer, old?.count ?? 1) }
        #expect(ids(reply) == (isClaimed ? [id] : []))
        model.groups[group] = changed
    }

    private func compare(_ machine: TestMachine, _ model: StreamModel, _ random: inout RandomGenerator) {
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        value._checkInvariants()
        machine.checkInvariants()
        var seen: [(UInt64, [String])] = []
        value.entries.forEach { entry in
            var fields: [String] = []
            entry.forEachField { fields += [$0, $1].map { $0.withBytes { $0.text } } }
            seen.append((entry.id.milliseconds, fields))
            return true
        }
        #expect(seen.map(\.0) == model.entries.map(\.id))
        #expect(seen.map(\.1) == model.entries.map(\.fields))
        let (a, b) = (UInt64(random.index(below: Int(model.last) + 2)), UInt64(random.index(below: Int(model.last) + 2)))
        let between = model.entries.map(\.id).filter { $0 >= a && $0 <= b }
        #expect(ids(machine.run("xrange s \(a) \(b)")) == between)
        #expect(ids(machine.run("xrevrange s \(b) \(a)")) == between.reversed())
        for (name, group) in model.groups {
            var pending: [UInt64] = []
            value.group(Array(name.utf8))?.forEachPending { id, pendingEntry in
                pending.append(id.milliseconds)
                #expect(Int(pendingEntry.deliveryCount) == group.pending[id.milliseconds]?.count)
                return true
            }
            #expect(pending == group.pending.keys.sorted())
            for consumer in ["c0", "c1", "c2"] {
                let own = group.pending.filter { $0.value.consumer == consumer }.keys.sorted()
                #expect(ids(machine.run("xpending s \(name) - + 10000 \(consumer)")) == own)
            }
        }
    }

    // MARK: copies, digests, freeing

    /// A stream of many nodes with two groups.
    private func filled(_ entries: Int, groups: Int = 2) -> TestMachine {
        let machine = TestMachine()
        for number in 1...entries { machine.run("xadd s \(number) field value:\(number) other \(number)") }
        for group in 0..<groups {
            machine.run("xgroup create s group:\(group) 0")
            machine.run("xreadgroup group group:\(group) alice count \(entries / 2) streams s >")
            machine.run("xreadgroup group group:\(group) bob count \(entries / 4) streams s >")
        }
        return machine
    }

    @Test func copiesStayWhatTheyWere() {
        let machine = filled(1000)
        guard let value = value(machine), let copy = value.copy() as? StreamValue else {
            Issue.record("a stream is copied")
            return
        }
        let before = copy.digest(seed: 1)
        let changes = [
            "xadd s 2000 a 1", "xdel s 5 100 900", "xtrim s maxlen 700", "xack s group:0 400 1 2", "xclaim s group:1 carol 0 400",
            "xgroup create s group:2 0", "xgroup destroy s group:0", "xgroup delconsumer s group:1 alice",
            "xreadgroup group group:2 dave count 300 streams s >", "xautoclaim s group:1 eve 0 -", "xsetid s 3000",
        ]
        for change in changes {
            let now = value.digest(seed: 1)
            #expect(!machine.run(change).hasPrefix("-"), "\(change)")
            #expect(value.digest(seed: 1) != now, "\(change)")
            #expect(copy.digest(seed: 1) == before, "\(change)")
            value._checkInvariants()
            copy._checkInvariants()
        }
        machine.checkInvariants()
    }

    @Test func aChangedCopyLeavesTheOriginalAlone() {
        let machine = filled(500)
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        machine.run("copy s t")
        let before = value.digest(seed: 1)
        for change in [
            "xadd t 2000 a 1", "xdel t 5", "xtrim t maxlen 300", "xack t group:0 200", "xgroup destroy t group:1", "del t",
        ] {
            machine.run(change)
            #expect(value.digest(seed: 1) == before, "\(change)")
        }
        value._checkInvariants()
        machine.checkInvariants()
    }

    @Test func theSameLogGivesTheSameDigest() {
        let machine = filled(700)
        machine.advance(milliseconds: 50)
        for words in [
            "xadd s * a 1", "xadd s maxlen ~ 300 * a 1", "xtrim s minid ~ 650", "xautoclaim s group:1 carol 20 - count 30",
            "xgroup delconsumer s group:0 bob",
        ] { machine.run(words) }
        let other = StateMachine(seed: 1)
        for payload in machine.log {
            payload.withView { view in
                other.begin(payload: view, index: other.appliedIndex.next, term: Term(1))
                while other.nextItem() { other.execute(reply: ReplyWriter(ByteBuffer(), discards: true)) }
                other.end()
            }
        }
        #expect(other.digest() == machine.machine.digest())
    }

    @Test func digestsTellStreamsApart() {
        let base = filled(10, groups: 1)
        for change in ["xdel s 3", "xsetid s 50", "xack s group:0 2", "xgroup setid s group:0 0", "xclaim s group:0 bob 0 1"] {
            let other = filled(10, groups: 1)
            #expect(other.machine.contentDigest() == base.machine.contentDigest())
            other.run(change)
            #expect(other.machine.contentDigest() != base.machine.contentDigest(), "\(change)")
        }
    }

    @Test func largeStreamsAreFreedInSteps() {
        let machine = filled(8000)
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        #expect(value.elementsToFree > 20000)
        var steps = 0
        var budget = 0
        repeat {
            budget = 1500
            steps += 1
        } while !value.discard(budget: &budget)
        #expect(steps > 10 && steps < 100)
    }

    @Test func aDestroyedGroupIsFreedInSteps() {
        let machine = filled(5000, groups: 1)
        machine.run("xgroup destroy s group:0")
        #expect(machine.run("xinfo groups s") == "*0\r\n")
        for _ in 0..<10 { machine.tick() }
        #expect(machine.machine.execution.graveyard.isEmpty)
        machine.checkInvariants()
    }

    @Test func memoryFollowsWhatIsThere() {
        let machine = filled(3000)
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        let full = value.memoryBytes
        #expect(full > 3000 * 20)
        machine.run("xtrim s maxlen 10")
        let trimmed = value.memoryBytes
        #expect(trimmed < full)
        machine.run("xgroup destroy s group:0")
        machine.run("xgroup destroy s group:1")
        #expect(value.memoryBytes < 8192)
        value._checkInvariants()
    }

    @Test func groupsAndConsumersAreFoundByAnyName() {
        let machine = TestMachine()
        var random = RandomGenerator(seed: 7)
        var names: Set<[UInt8]> = []
        // Names that share their first bytes, zero bytes among them, and long ones.
        for _ in 0..<300 {
            let count = random.index(below: 12)
            var name = (0..<count).map { _ in UInt8([0, 97, 98, 255][random.index(below: 4)]) }
            if random.index(below: 10) == 0 { name += [UInt8](repeating: 97, count: 300) }
            names.insert(name)
        }
        let sorted = names.sorted { a, b in a.withView { a in b.withView { a.compare($0) < 0 } } }
        for name in names.sorted(by: { $0.count > $1.count }) {
            let words = [
                Array("xgroup".utf8), Array("create".utf8), Array("s".utf8), name, Array("0".utf8), Array("mkstream".utf8),
            ]
            #expect(machine.run(bytes: words) == Array("+OK\r\n".utf8))
            let consumer = [Array("xgroup".utf8), Array("createconsumer".utf8), Array("s".utf8), sorted[0], name]
            if name != sorted[0] { _ = machine.run(bytes: consumer) }
        }
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        var seen: [[UInt8]] = []
        value.forEachGroup { seen.append($0.name.array) }
        #expect(seen == sorted)
        value._checkInvariants()
        for name in names {
            #expect(name.withView { value.group($0) != nil })
            let words = [Array("xgroup".utf8), Array("destroy".utf8), Array("s".utf8), name]
            #expect(machine.run(bytes: words) == Array(":1\r\n".utf8))
        }
        value._checkInvariants()
        machine.checkInvariants()
    }

    @Test func theWholeIsWalkedInOrderAndPutTogetherAgain() {
        let machine = filled(350)
        machine.run("xdel s 7 8 200")
        guard let value = value(machine) else {
            Issue.record("the stream is there")
            return
        }
        let other = StreamValue(position: value.position)
        value.forEachNode { other.add($0.copied()) }
        value.forEachGroup { group in
            other.addGroup(group.name, lastID: group.lastID, entriesRead: group.entriesRead)
            guard let edit = other.edit(group.name) else { return }
            group.forEachConsumer { name, consumer in
                let added = edit.group.addConsumer(
                    named: name, seenTime: consumer.seenTime, activeTime: consumer.activeTime)
                group.forEachOwned(consumer) { id in
                    guard var pending = group.pending(id) else { return true }
                    pending.consumer = added.number
                    edit.group.put(id, pending, old: nil)
                    return true
                }
            }
            other.finish(edit)
        }
        other._checkInvariants()
        #expect(other.digest(seed: 3) == value.digest(seed: 3))
    }

    @Test func idsAreReadAsRedisReadsThem() {
        func parse(_ text: String) -> StreamID? { Array(text.utf8).withView { StreamID.parse($0)?.id } }
        let id = { (a: UInt64, b: UInt64) in StreamID(milliseconds: a, sequence: b) }
        #expect(parse("5") == id(5, 0) && parse("5-6") == id(5, 6) && parse("0-0") == .zero)
        #expect(parse("18446744073709551615-18446744073709551615") == .last)
        #expect(parse("007-+8") == id(7, 8) && parse(" 1-\t2") == id(1, 2))
        #expect(parse("1--2") == nil && parse("1--02") == id(1, .max - 1))
        for text in ["", "-", "+", "-1", "1-", "1-2-3", "a", "1-a", "18446744073709551616", "1-18446744073709551616", "1 "] {
            #expect(parse(text) == nil, "\(text)")
        }
        #expect(parse(String(repeating: "0", count: 126) + "7") == id(7, 0))
        #expect(parse(String(repeating: "0", count: 127) + "7") == nil)
        #expect(id(1, .max).next == id(2, 0) && StreamID.last.next == nil)
        #expect(id(1, 0).previous == id(0, .max) && StreamID.zero.previous == nil)
    }

    // MARK: planted damage

    @Test func theCheckersSeeDamage() async {
        await #expect(processExitsWith: .failure) {
            let machine = TestMachine()
            machine.run("xadd s 1 a 1")
            machine.run("xadd s 2 a 1")
            let value = Array("s".utf8).withView { machine.machine.execution.keyspaces[0].find($0)?.collection as? StreamValue }
            // One entry more than there are.
            value?.forEachNode { $0.page.count += 1 }
            value?._checkInvariants()
        }
        await #expect(processExitsWith: .failure) {
            let machine = TestMachine()
            machine.run("xadd s 1 a 1")
            machine.run("xgroup create s g 0")
            machine.run("xreadgroup group g c streams s >")
            let value = Array("s".utf8).withView { machine.machine.execution.keyspaces[0].find($0)?.collection as? StreamValue }
            // The entry is pending for nobody.
            let nobody = StreamPending(consumer: 99, deliveryTime: 0, deliveryCount: 1)
            let old = StreamPending(consumer: 99, deliveryTime: 0, deliveryCount: 1)
            value?.forEachGroup { $0.put(StreamID(milliseconds: 1, sequence: 0), nobody, old: old) }
            value?._checkInvariants()
        }
    }
}

extension StreamValue {
    fileprivate func group(_ name: [UInt8]) -> StreamGroup? { name.withView { group($0) } }
}
