import Base
import Testing

@testable import Database

@Suite struct KeyedTreeTests {
    private struct Pair: Hashable {
        var key: UInt64
        var member: [UInt8]
        static func less(_ a: Pair, _ b: Pair) -> Bool {
            a.key != b.key ? a.key < b.key : a.member.withView { x in b.member.withView { x.compare($0) } } < 0
        }
    }

    private func content(_ tree: KeyedTree) -> [(Pair, [UInt8])] {
        var entries: [(Pair, [UInt8])] = []
        tree.forEach { leaf, index in
            entries.append((Pair(key: leaf.key(index), member: leaf.member(index).array), leaf.value(index).array))
            return true
        }
        return entries
    }

    /// `keys`: how many different keys; few of them make the members decide.
    @Test(arguments: [1, 3, 1000, Int.max], [false, true])
    func behavesAsASortedArray(_ keys: Int, _ hasValues: Bool) {
        var random = RandomGenerator(seed: UInt64(truncatingIfNeeded: keys) ^ (hasValues ? 1 : 0))
        var tree = KeyedTree(hasValues: hasValues, inlineMax: hasValues ? 31 : 254)
        var model: [Pair: [UInt8]] = [:]
        var records: [(page: Page, content: [(Pair, [UInt8])])] = []
        for step in 0..<12000 {
            let growing = step % 4000 < 2600
            let pair = Pair(key: random.next(below: UInt64(keys)), member: randomElement(&random, longMax: 400))
            let value = randomElement(&random, longMax: 400)
            if random.chance(growing ? 3 : 1, in: 4) {
                let put = pair.member.withView { member in
                    value.withView { tree.put(pair.key, KeyedElement(member), value: $0) }
                }
                let old = model.updateValue(hasValues ? value : [], forKey: pair)
                let expected = old.map { hasValues ? KeyedTree.Put.replaced(valueBytes: $0.count) : .unchanged }
                #expect(put == expected ?? .inserted)
            } else if tree.count > 0 && random.chance(1, in: 100) {
                let rank = random.index(below: tree.count)
                let count = min(tree.count - rank, random.index(below: 300))
                let before = content(tree)
                tree.remove(fromRank: rank, count: count)
                for (pair, _) in before[rank..<(rank + count)] { model[pair] = nil }
            } else if tree.count > 0 {
                let (leaf, index) = tree.entry(at: random.index(below: tree.count))
                let victim = Pair(key: leaf.key(index), member: leaf.member(index).array)
                #expect(victim.member.withView { tree.remove(victim.key, $0) })
                #expect(model.removeValue(forKey: victim) != nil)
                #expect(!victim.member.withView { tree.remove(victim.key, $0) })
            }
            #expect(tree.count == model.count)
            if step % 1000 == 999 {
                // Open records and let go of old ones: what they hold must not have changed.
                for record in records {
                    #expect(content(KeyedTree(root: record.page)).elementsEqual(record.content) { $0.0 == $1.0 && $0.1 == $1.1 })
                }
                if records.count == 2 { records.removeFirst().page.release() }
                tree.root.retain()
                records.append((tree.root, content(tree)))
            }
            if step % 500 == 0 { verify(tree, model, &random) }
        }
        for record in records { record.page.release() }
        verify(tree, model, &random)
        #expect(tree.root.isUnique)
        tree.root.release()
    }

    private func verify(_ tree: KeyedTree, _ model: [Pair: [UInt8]], _ random: inout RandomGenerator) {
        tree._checkInvariants()
        let sorted = model.sorted { Pair.less($0.key, $1.key) }
        #expect(content(tree).elementsEqual(sorted) { $0.0 == $1.key && $0.1 == $1.value })
        var backward: [Pair] = []
        if tree.count > 0 {
            tree.forEachReversed(from: tree.count - 1) { leaf, index in
                backward.append(Pair(key: leaf.key(index), member: leaf.member(index).array))
                return true
            }
        }
        #expect(backward == sorted.reversed().map(\.key))
        for _ in 0..<20 where !sorted.isEmpty {
            let rank = random.index(below: sorted.count)
            let (pair, value) = sorted[rank]
            let found = pair.member.withView { tree.rank(of: pair.key, $0) }
            #expect(found.rank == rank && found.isEqual)
            let entry = pair.member.withView { tree.find(pair.key, $0) }
            #expect(entry?.leaf.value(entry?.index ?? 0).array == value)
            #expect(tree.countBelow(pair.key) == sorted.firstIndex { $0.key.key >= pair.key })
        }
    }

    @Test func ascendingGrowthFillsItsLeaves() {
        var tree = KeyedTree(hasValues: false)
        for number in 0..<20000 {
            Array("member:\(number)".utf8).withView { _ = tree.put(UInt64(number), KeyedElement($0)) }
        }
        tree._checkInvariants()
        // 12 bytes, 1 of length, 10 of slot: leaves are nearly full.
        #expect(tree.root.totalBytes < 20000 * 23 * 5 / 4)
        tree.root.release()
    }
}

@Suite struct ChunkedListTests {
    private func content(_ list: ChunkedList) -> [[UInt8]] {
        var elements: [[UInt8]] = []
        var index = 0
        while index < list.count {
            let (chunk, start) = list.locate(index)
            var position = chunk.position(ofIndex: start)
            while position < chunk.end {
                elements.append(chunk.element(at: position).array)
                position = chunk.position(after: position)
                index += 1
            }
        }
        return elements
    }

    @Test(arguments: [-2, -1, 1, 3, 100])
    func behavesAsAnArray(_ limit: Int) {
        var random = RandomGenerator(seed: UInt64(bitPattern: Int64(limit)))
        var list = ChunkedList(chunk: PackedList(), limit: ListChunkLimit(limit))
        // A list begins with an element.
        list.insert(PackedElement(integer: 1), at: 0)
        var model: [[UInt8]] = [Array("1".utf8)]
        var record: (page: Page, content: [[UInt8]])?
        for step in 0..<6000 {
            let growing = step % 2000 < 1300
            let value = randomElement(&random, longMax: 20000)
            let index = random.index(below: model.count + 1)
            switch random.index(below: growing ? 6 : 12) {
            case 0: value.withView { list.insert(PackedElement($0), at: 0) }; model.insert(value, at: 0)
            case 1: value.withView { list.insert(PackedElement($0), at: list.count) }; model.append(value)
            case 2...4: value.withView { list.insert(PackedElement($0), at: index) }; model.insert(value, at: index)
            case 5 where index < model.count: value.withView { list.set(index, to: PackedElement($0)) }; model[index] = value
            default:
                if index == model.count { continue }
                let count = min(model.count - index, 1 + random.index(below: random.chance(1, in: 40) ? 200 : 3))
                if count == model.count { continue }
                list.remove(from: index, count: count)
                model.removeSubrange(index..<(index + count))
            }
            #expect(list.count == model.count)
            if step % 200 == 0 {
                list._checkInvariants()
                #expect(content(list) == model)
                if let record {
                    #expect(content(ChunkedList(root: record.page, limit: list.limit)) == record.content)
                    record.page.release()
                }
                list.root.retain()
                record = (list.root, model)
            }
        }
        record?.page.release()
        list.remove(from: 0, count: list.count)
        #expect(list.count == 0 && list.root.isUnique)
        list.root.release()
    }
}
