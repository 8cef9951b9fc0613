import Base
import Testing

@testable import Database

@Suite struct CollectionValueTests {
    private let seed: UInt64 = 99

    private func text(_ number: Int) -> [UInt8] { Array("member:\(number)".utf8) }

    @Test func scanSeesWhatStaysExactlyOnceWhileTheTableGrowsAndShrinks() {
        var table = ByteStringTable(root: KeyedLeaf(hasValues: false).page, seed: seed)
        defer { table.root.release() }
        // Even members stay throughout; odd ones come and go between the steps.
        for number in stride(from: 0, to: 4000, by: 2) { _ = text(number).withView { table.put($0) } }
        var random = RandomGenerator(seed: 1)
        var seen: [[UInt8]: Int] = [:]
        var cursor: UInt64 = 0
        var steps = 0
        repeat {
            cursor = table.scan(from: cursor, count: 7) { leaf, index in seen[leaf.member(index).array, default: 0] += 1 }
            let isGrowing = steps / 40 % 2 == 0
            for _ in 0..<60 {
                let odd = text(2 * random.index(below: 8000) + 1)
                odd.withView { if isGrowing { _ = table.put($0) } else { _ = table.remove($0) } }
            }
            steps += 1
        } while cursor != 0
        for number in stride(from: 0, to: 4000, by: 2) { #expect(seen[text(number)] == 1) }
        table.tree._checkInvariants()
    }

    @Test func orderAndCursorsDependOnContentAndSeedAlone() {
        var up = ByteStringTable(root: KeyedLeaf(hasValues: false).page, seed: seed)
        var down = ByteStringTable(root: KeyedLeaf(hasValues: false).page, seed: seed)
        defer {
            up.root.release()
            down.root.release()
        }
        for number in 0..<3000 { _ = text(number).withView { up.put($0) } }
        for number in stride(from: 5999, through: 0, by: -1) { _ = text(number).withView { down.put($0) } }
        for number in 3000..<6000 { #expect(text(number).withView { down.remove($0) }) }
        var cursor: UInt64 = 0
        repeat {
            var (first, second): ([[UInt8]], [[UInt8]]) = ([], [])
            let next = up.scan(from: cursor, count: 100) { first.append($0.member($1).array) }
            let other = down.scan(from: cursor, count: 100) { second.append($0.member($1).array) }
            #expect(next == other && first == second)
            cursor = next
        } while cursor != 0
    }

    /// Members by score and by bytes are found in both forms as a walk through all finds them.
    @Test(arguments: [0, 1, 2, 60, 128, 3000]) func rangesOfScoresAreFound(count: Int) {
        var random = RandomGenerator(seed: UInt64(count) + 1)
        let limits = CollectionLimits()
        let (value, equal) = (SortedSetValue(), SortedSetValue())
        for number in 0..<count {
            text(number).withView { member in
                let score = Double(random.index(below: 40)) - 20
                value.put(member, score: score, old: nil, seed: seed, limits: limits)
                // And somewhere else: in front, behind, in the same place.
                let other = random.chance(1, in: 4) ? score : Double(random.index(below: 40)) - 20
                value.put(member, score: other, old: score, seed: seed, limits: limits)
                equal.put(member, score: 7, old: nil, seed: seed, limits: limits)
            }
        }
        value._checkInvariants(seed: seed)
        var all: [(member: [UInt8], score: Double)] = []
        value.forEach { member, score in
            all.append((member.array, score))
            return true
        }
        for low in stride(from: -22.5, through: 22, by: 1.5) {
            #expect(value.count(below: low, orEqual: false) == all.count { $0.score < low })
            #expect(value.count(below: low, orEqual: true) == all.count { $0.score <= low })
            for high in [low, low + 1, low + 7.5, 30] {
                var found: [[UInt8]] = []
                value.forEach(fromScore: low, below: high) { member, _ in
                    found.append(member.array)
                    return true
                }
                #expect(found == all.filter { $0.score >= low && $0.score < high }.map(\.member))
                var first: [[UInt8]] = []
                value.forEach(fromScore: low, below: high) { member, _ in
                    first.append(member.array)
                    return false
                }
                #expect(first == Array(found.prefix(1)))
            }
        }
        for number in stride(from: 0, to: count + 2, by: 1 + count / 50) {
            let (rank, isEqual) = text(number).withView { equal.rank(amongEqual: $0) }
            #expect(isEqual == (number < count))
            if isEqual { #expect(equal.entry(at: rank).member.array == text(number)) }
        }
    }

    /// Values of every type with the same content in the small and the large form.
    private func pairs() -> [(small: CollectionValue, large: CollectionValue)] {
        var small = CollectionLimits()
        (small.hashEntries, small.setEntries, small.sortedSetEntries, small.listSize) = (1000, 1000, 1000, -5)
        var large = CollectionLimits()
        (large.hashEntries, large.setEntries, large.sortedSetEntries, large.setIntegers, large.listSize) = (0, 0, 0, 0, 4)
        let (hashes, lists) = ((HashValue(), HashValue()), (ListValue(), ListValue()))
        let (sets, sorted) = ((SetValue(.listpack), SetValue(.listpack)), (SortedSetValue(), SortedSetValue()))
        for number in 0..<300 {
            text(number * 7 % 300).withView { bytes in
                for (hash, limits) in [(hashes.0, small), (hashes.1, large)] {
                    _ = hash.set(bytes, to: bytes, seed: seed, limits: limits)
                }
                for (list, limits) in [(lists.0, small), (lists.1, large)] {
                    list.prepare(forElements: 1, bytes: bytes.count, limits: limits)
                    list.push(PackedElement(bytes), .tail, limits: limits)
                }
                for (set, limits) in [(sets.0, small), (sets.1, large)] {
                    _ = set.add(PackedElement(raw: bytes), seed: seed, limits: limits)
                }
                for (value, limits) in [(sorted.0, small), (sorted.1, large)] {
                    value.put(bytes, score: Double(number) / 3, old: nil, seed: seed, limits: limits)
                }
            }
        }
        return [(hashes.0, hashes.1), (lists.0, lists.1), (sets.0, sets.1), (sorted.0, sorted.1)]
    }

    @Test func digestsDoNotDependOnTheForm() {
        for (small, large) in pairs() {
            #expect(small.encodingName.description == "listpack" && large.encodingName.description != "listpack")
            #expect(small.count == large.count && small.digest(seed: 5) == large.digest(seed: 5))
        }
    }

    @Test func copiesStayWhatTheyWere() {
        for (small, large) in pairs() {
            for value in [small, large] {
                let copy = value.copy()
                let before = copy.digest(seed: 1)
                change(value)
                #expect(copy.digest(seed: 1) == before && copy.count == 300)
                #expect(value.digest(seed: 1) != before)
                change(copy)
                #expect(copy.digest(seed: 1) == value.digest(seed: 1))
            }
        }
    }

    private func change(_ value: CollectionValue) {
        let limits = CollectionLimits()
        Array("new".utf8).withView { bytes in
            switch value {
            case let hash as HashValue:
                _ = hash.set(bytes, to: bytes, seed: seed, limits: limits)
                #expect(text(3).withView { hash.remove($0, seed: seed) })
                hash._checkInvariants()
            case let list as ListValue:
                list.insert(PackedElement(bytes), at: 100, limits: limits)
                list.remove(from: 5, count: 20, limits: limits)
                list._checkInvariants(limits: limits)
            case let set as SetValue:
                _ = set.add(PackedElement(raw: bytes), seed: seed, limits: limits)
                #expect(text(3).withView { set.remove(PackedElement(raw: $0), seed: seed) })
                set._checkInvariants()
            case let sorted as SortedSetValue:
                sorted.put(bytes, score: 1, old: nil, seed: seed, limits: limits)
                sorted.remove(fromRank: 10, count: 5, seed: seed)
                sorted._checkInvariants(seed: seed)
            default: Issue.record("a type without a test")
            }
        }
    }

    @Test func largeValuesAreFreedInSteps() {
        let set = SetValue(.hashtable)
        for number in 0..<50000 {
            text(number).withView { _ = set.add(PackedElement(raw: $0), seed: seed, limits: CollectionLimits()) }
        }
        let copy = set.copy()
        var budget = 1000
        // A copy shares everything, so there is nothing to free yet.
        #expect(set.discard(budget: &budget))
        let other = SetValue(.hashtable)
        for number in 0..<50000 {
            text(number).withView { _ = other.add(PackedElement(raw: $0), seed: seed, limits: CollectionLimits()) }
        }
        var steps = 0
        repeat {
            budget = 5000
            steps += 1
        } while !other.discard(budget: &budget)
        #expect(steps > 3 && steps < 30)
        #expect(copy.count == 50000)
    }

    // MARK: planted damage

    @Test func theCheckersSeeDamage() async {
        await #expect(processExitsWith: .failure) {
            var list = PackedList()
            list.append(PackedElement(integer: 7))
            list.count = 2
            list._checkInvariants()
        }
        await #expect(processExitsWith: .failure) {
            var set = IntegerSet()
            _ = set.insert(1)
            _ = set.insert(2)
            set.page.start.storeBytes(of: 5, toByteOffset: Page.headerBytes, as: Int16.self)
            set._checkInvariants()
        }
        await #expect(processExitsWith: .failure) {
            var tree = KeyedTree(hasValues: false)
            for number in 0..<1000 {
                withUnsafeBytes(of: number) { _ = tree.put(UInt64(number), KeyedElement(ByteView($0))) }
            }
            CountedNode(page: tree.root).total += 1
            tree._checkInvariants()
        }
        await #expect(processExitsWith: .failure) {
            let leaf = KeyedLeaf(hasValues: false)
            var tree = KeyedTree(root: leaf.page)
            for number in 0..<5 {
                withUnsafeBytes(of: number) { _ = tree.put(UInt64(number), KeyedElement(ByteView($0))) }
            }
            // The second key becomes larger than the third.
            tree.root.start.storeBytes(of: 200, toByteOffset: 24 + 10, as: UInt8.self)
            tree._checkInvariants()
        }
    }
}
