import Base
import Testing

@testable import Database

/// Large sets and hashes that are built from sorted hashes, and listpacks that are taken over as they are.
@Suite struct RDBTableTests {
    private static let seed: UInt64 = 17

    private func content(_ root: Page) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        KeyedTree(root: root).forEach { leaf, index in
            entries.append(leaf.member(index).array + [0] + leaf.value(index).array)
            return true
        }
        return entries
    }

    @Test(arguments: [1, 2, 3, 60, 3000, 40_000], [false, true])
    func aTreeIsBuiltFromLeftToRight(_ count: Int, _ hasValues: Bool) {
        var random = RandomGenerator(seed: UInt64(count))
        var builder = KeyedTreeBuilder(hasValues: hasValues)
        var expected: [[UInt8]] = []
        for index in 0..<count {
            let member = Array("member-\(index)".utf8)
            let value = hasValues ? [UInt8](repeating: 7, count: index % 500 == 0 ? 300 : random.index(below: 30)) : []
            expected.append(member + [0] + value)
            member.withView { member in value.withView { builder.append(UInt64(index), KeyedElement(member), value: $0) } }
        }
        var tree = KeyedTree(root: builder.finish())
        tree._checkInvariants()
        let isSame = content(tree.root) == expected
        #expect(tree.count == count && isSame)
        // It goes on as any other tree.
        for step in 0..<2000 {
            let key = random.next(below: UInt64(count) * 2)
            Array("member-\(key)".utf8).withView { member in
                if step % 3 == 0 { _ = tree.remove(key, member) } else { _ = tree.put(key, KeyedElement(member), value: member) }
            }
        }
        tree._checkInvariants()
        tree.root.release()
    }

    /// What is given up half-way leaves nothing behind (the leak check of the test run sees it).
    @Test func whatIsGivenUpIsFreed() {
        for count in [0, 1, 5000] {
            var builder = KeyedTreeBuilder(hasValues: true)
            let long = [UInt8](repeating: 1, count: 400)
            for index in 0..<count { long.withView { builder.append(UInt64(index), KeyedElement($0), value: $0) } }
            builder.discard()
        }
    }

    @Test func placesAreSorted() {
        var random = RandomGenerator(seed: 3)
        func check(_ hashes: [UInt64], _ note: String) {
            let places = SortedPlaces(hashes.enumerated().map { SortedPlaces.Place(hash: $1, offset: $0) })
            let isSorted = (0..<places.count).map { places[$0].hash } == hashes.sorted()
            #expect(isSorted, "\(note)")
            #expect(Set((0..<places.count).map { places[$0].offset }).count == hashes.count, "\(note)")
            let isWhole = (0..<places.count).allSatisfy { hashes[places[$0].offset] == places[$0].hash }
            #expect(isWhole, "\(note)")
            #expect(places.hasEqual == (Set(hashes).count < hashes.count), "\(note)")
        }
        for count in [0, 1, 2, 3, 17, 1000, 20_000] {
            check((0..<count).map { _ in random.next() }, "spread evenly, \(count)")
            check((0..<count).map { _ in random.next(below: 100) }, "in one place, \(count)")
            check((0..<count).map { UInt64(count - $0) }, "in one place the wrong way round, \(count)")
            check([UInt64](repeating: 5, count: count), "equal, \(count)")
        }
    }

    /// The body of a hash: its number of fields, fields and values.
    private func body(_ pairs: [([UInt8], [UInt8])]) -> [UInt8] {
        let buffer = ByteBuffer()
        let writer = RDBWriter(buffer)
        for (field, value) in pairs {
            field.withView { writer.string($0) }
            value.withView { writer.string($0) }
        }
        return buffer.view.array
    }

    private func pairs(_ count: Int) -> [([UInt8], [UInt8])] {
        var random = RandomGenerator(seed: UInt64(count))
        return (0..<count).map { index in
            // Texts, integers, what is compressed, and what has a page of its own.
            let field =
                index % 3 == 0 ? "\(index)" : index % 50 == 1 ? String(repeating: "f\(index)", count: 60) : "field\(index)"
            let value = index % 4 == 0 ? "\(random.next() % 5000)" : index % 7 == 0 ? String(repeating: "y", count: 700) : "value"
            return (Array(field.utf8), Array(value.utf8))
        }
    }

    private func load(_ body: [UInt8], _ count: Int, batchMax: Int = 1 << 20) throws(RDBError) -> (root: Page, bytes: Int) {
        let copy = ByteBuffer(capacity: max(16, body.count))
        copy.append(body)
        defer { withExtendedLifetime(copy) {} }
        return try RDBTableLoader(RDBReader(copy.view), seed: RDBTableTests.seed, hasValues: true, batchMax: batchMax)
            .table(count: count)
    }

    @Test(arguments: [1, 10, 700, 5000], [1, 64, 1 << 20])
    func aTableIsWhatAddingOneByOneMakes(_ count: Int, _ batchMax: Int) throws {
        let pairs = pairs(count)
        let hash = HashValue()
        hash.prepare(forBytes: .max, seed: RDBTableTests.seed, limits: CollectionLimits())
        for (field, value) in pairs {
            field.withView { field in
                value.withView { _ = hash.set(field, to: $0, seed: RDBTableTests.seed, limits: CollectionLimits()) }
            }
        }
        let (root, bytes) = try load(body(pairs), count, batchMax: batchMax)
        let made = HashValue(table: root, bytes: bytes)
        made._checkInvariants()
        let isSame = content(root) == content(hash.page)
        #expect(isSame)
        #expect(made.digest(seed: 1) == hash.digest(seed: 1))
        // What is left of it can be changed as ever.
        for (field, _) in pairs.prefix(300) { #expect(field.withView { made.remove($0, seed: RDBTableTests.seed) }) }
        made._checkInvariants()
    }

    @Test(arguments: [1, 64, 1 << 20])
    func whatComesTwiceIsRefused(_ batchMax: Int) {
        let good = pairs(900)
        for (first, second) in [(0, 1), (0, 899), (3, 500), (898, 899), (63, 64)] {
            for hasOtherValue in [false, true] {
                var bad = good
                bad[second].0 = bad[first].0
                if !hasOtherValue { bad[second].1 = bad[first].1 }
                #expect(throws: RDBError.duplicate) { _ = try load(body(bad), 900, batchMax: batchMax) }
            }
        }
        #expect(throws: RDBError.duplicate) {
            _ = try load(body([([UInt8], [UInt8])](repeating: good[0], count: 5000)), 5000, batchMax: batchMax)
        }
    }

    @Test(arguments: [50, 1 << 20])
    func whatIsCutOffOrDamagedIsRefused(_ batchMax: Int) {
        let whole = body(pairs(300))
        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: RDBError.self) { _ = try load(Array(whole.prefix(length)), 300, batchMax: batchMax) }
        }
        var random = RandomGenerator(seed: 12)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0...random.index(below: 3) {
                bytes[random.index(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let (root, sum) = try? load(bytes, 300, batchMax: batchMax) else { continue }
            HashValue(table: root, bytes: sum)._checkInvariants()
        }
    }

    // MARK: listpacks

    private func listpack(_ entries: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            let body = entry.count
            bytes += entry + (body < 128 ? [UInt8(body)] : [UInt8(body >> 7), UInt8(body & 0x7F) | 0x80])
        }
        let total = bytes.count + 7
        let head = [UInt8(total & 255), UInt8(total >> 8 & 255), UInt8(total >> 16), 0, UInt8(entries.count & 255)]
        return head + [UInt8(entries.count >> 8)] + bytes + [0xFF]
    }

    private func word(_ text: String) -> [UInt8] { [0x80 | UInt8(text.utf8.count)] + Array(text.utf8) }

    private func restored(_ type: UInt8, _ listpack: [UInt8]) -> Result<CollectionValue, RDBError> {
        let buffer = ByteBuffer()
        buffer.append(byte: type)
        RDBWriter(buffer).length(listpack.count)
        buffer.append(listpack)
        do throws(RDBError) {
            guard case .collection(let value) = try DumpPayload.value(RDBReader(buffer.view), seed: 1, limits: CollectionLimits())
            else { return .failure(.empty) }
            return .success(value)
        } catch { return .failure(error) }
    }

    @Test func doubledElementsOfListpacksAreRefused() {
        for count in [2, 3, 60, 120] {
            let words = (0..<count).map { $0 % 5 == 0 ? [UInt8($0)] : word("m\($0)") }
            for (first, second) in [(0, 1), (0, count - 1), (count / 2, count - 1)] where first != second {
                var bad = words
                bad[second] = bad[first]
                let ones = [UInt8]([1])
                let fields = bad.flatMap { [$0, word("v")] }
                let scores = bad.enumerated().flatMap { [$1, [UInt8($0)]] }
                for (type, entries) in [(UInt8(20), bad), (16, fields), (17, scores), (17, bad.flatMap { [$0, ones] })] {
                    guard case .failure(let error) = restored(type, listpack(entries)) else {
                        Issue.record("a doubled element of \(type) is refused")
                        continue
                    }
                    #expect(error == .duplicate)
                }
            }
            for (type, entries) in [(UInt8(20), words), (16, words.flatMap { [$0, word("v")] })] {
                guard case .success(let value) = restored(type, listpack(entries)) else {
                    Issue.record("elements that differ are taken")
                    continue
                }
                #expect(value.count == count)
            }
        }
        // The same integer in two forms is the same element.
        for (first, second) in [
            ([UInt8(5)], word("5")), ([5], [0xF1, 5, 0]), ([0xC1, 0x00], word("256")), (word("-1"), [0xDF, 0xFF]),
        ] {
            for (type, entries) in [(UInt8(20), [first, second]), (16, [first, word("v"), second, word("v")])] {
                guard case .failure(.duplicate) = restored(type, listpack(entries)) else {
                    Issue.record("\(first) and \(second) are the same element")
                    continue
                }
            }
        }
    }

    /// Whatever the bytes are: where they are taken over at once, reading them element by element gives the same value, and no error.
    @Test func whatIsTakenOverIsWhatElementsMake() {
        var random = RandomGenerator(seed: 99)
        let entries: [[[UInt8]]] = [
            (0..<40).flatMap { [word("field\($0)"), $0 % 3 == 0 ? [UInt8($0)] : word("värde\($0)")] },
            (0..<30).flatMap { [word("m\($0)"), [UInt8($0 / 2)]] },
            (0..<50).map { $0 % 4 == 0 ? [0xC4, UInt8($0)] : word("w\($0)") },
            [word(""), word("x"), [0xE0, 70] + [UInt8](repeating: 0x61, count: 70), [0xF3, 0, 0, 1, 0]],
        ]
        var taken = 0
        for round in 0..<6000 {
            var bytes = listpack(entries[round % entries.count])
            if round >= entries.count * 2 {
                for _ in 0...random.index(below: 2) {
                    let at = random.chance(1, in: 4) ? random.index(below: 7) : random.index(below: bytes.count)
                    bytes[at] =
                        random.chance(1, in: 2)
                        ? bytes[at] ^ 1 << UInt8(random.index(below: 8)) : bytes[random.index(below: bytes.count)]
                }
            }
            for (meaning, type) in [(ListpackReader.Meaning.members, UInt8(20)), (.fieldsAndValues, 16), (.membersAndScores, 17)]
            {
                bytes.withView { view in
                    guard let list = ListpackReader.list(view, of: meaning, entriesMax: 128, bytesMax: 64, seed: 1) else {
                        return
                    }
                    taken += 1
                    list._checkInvariants()
                    guard var reader = try? ListpackReader(view) else {
                        Issue.record("what is taken over is sound: \(type) \(bytes)")
                        return
                    }
                    #expect(reader.remaining == list.count)
                    var (seen, position, index) = (Set<[UInt8]>(), list.first, 0)
                    while reader.remaining > 0, position < list.end {
                        let element = reader.next()
                        #expect(element.equals(list.element(at: position)), "\(type) \(bytes)")
                        if meaning == .members || index % 2 == 0 {
                            #expect(seen.insert(element.array).inserted, "\(type) \(bytes)")
                        }
                        position = list.position(after: position)
                        index += 1
                    }
                    #expect(position == list.end && reader.remaining == 0)
                    list.page.release()
                }
            }
        }
        #expect(taken > 100)
    }
}
