import Base
import Testing

@testable import Database

/// Byte strings of all the sizes that encodings distinguish, integers among them.
func randomElement(_ random: inout RandomGenerator, longMax: Int = 5000) -> [UInt8] {
    switch random.index(below: 12) {
    case 0...3:
        let width = random.index(below: 64)
        return Array("\(Int64(bitPattern: random.next()) >> Int64(width))".utf8)
    case 4: return []
    case 5: return Array("00\(random.index(below: 10))".utf8)
    case 6: return (0..<random.index(below: 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    case 7 where random.chance(1, in: 4):
        return (0..<random.index(below: longMax)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    default: return (0..<random.index(below: 12)).map { _ in UInt8(97 + random.index(below: 4)) }
    }
}

@Suite struct PackedListTests {
    private func content(_ list: PackedList) -> [[UInt8]] {
        var elements: [[UInt8]] = []
        var position = list.first
        while position < list.end {
            elements.append(list.element(at: position).array)
            position = list.position(after: position)
        }
        return elements
    }

    @Test func integersPrintAsTheyCame() {
        for text in [
            "0", "-1", "127", "128", "-4096", "4095", "4096", "-32768", "32767", "8388607", "-8388608", "8388608",
            "2147483647", "-2147483648", "2147483648", "9223372036854775807", "-9223372036854775808",
        ] {
            let element = Array(text.utf8).withView { PackedElement($0) }
            #expect(element.isInteger)
            var list = PackedList()
            defer { list.page.release() }
            list.append(element)
            #expect(list.element(at: list.first).array == Array(text.utf8))
            list._checkInvariants()
        }
    }

    @Test(arguments: ["", "-", "-0", "00", "01", "+1", "1 ", " 1", "1.0", "9223372036854775808", "-9223372036854775809", "1e3"])
    func otherTextsStayBytes(_ text: String) {
        #expect(Array(text.utf8).withView { PackedElement.canonicalInteger($0) } == nil)
    }

    @Test(arguments: 1...8) func behavesAsAnArray(_ seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var list = PackedList()
        defer { list.page.release() }
        var model: [[UInt8]] = []
        for step in 0..<1500 {
            let value = randomElement(&random)
            let index = random.index(below: model.count + 1)
            switch random.index(below: model.count > 120 ? 10 : 7) {
            case 0...1:
                value.withView { _ = list.insert(PackedElement($0), at: list.first) }
                model.insert(value, at: 0)
            case 2...3:
                value.withView { list.append(PackedElement($0)) }
                model.append(value)
            case 4:
                value.withView { _ = list.insert(PackedElement($0), at: list.position(ofIndex: index)) }
                model.insert(value, at: index)
            case 5 where index < model.count:
                value.withView { _ = list.replace(at: list.position(ofIndex: index), with: PackedElement($0)) }
                model[index] = value
            case 6 where index < model.count && seed > 4 && random.chance(1, in: 3):
                var rest = list.split(atIndex: index)
                #expect(content(list) == Array(model[..<index]) && content(rest) == Array(model[index...]))
                rest._checkInvariants()
                list.append(contentsOf: rest)
                rest.page.release()
                rest = list
            default:
                if index == model.count { continue }
                let count = min(model.count - index, 1 + random.index(below: random.chance(1, in: 5) ? 60 : 3))
                list.remove(fromIndex: index, count: count)
                model.removeSubrange(index..<(index + count))
            }
            list._checkInvariants()
            #expect(list.count == model.count)
            if step % 10 == 0 { #expect(content(list) == model) }
            if let probe = model.last {
                let found = probe.withView { list.find(PackedElement($0), from: list.first) }
                let expected = model.firstIndex(of: probe)
                #expect(found == expected.map { list.position(ofIndex: $0) })
            }
        }
    }

    /// An element is found where it is, and only there: also where others contain what looks like the entry of one, and where a
    /// list is plain (it is searched like a text) and ceases to be.
    @Test(arguments: 1...6) func onlyWholeElementsAreFound(_ seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        func word() -> [UInt8] { (0..<(1 + random.index(below: 3))).map { _ in UInt8(97 + random.index(below: 3)) } }
        var list = PackedList()
        defer { list.page.release() }
        var model: [[UInt8]] = []
        for step in 0..<600 {
            var value = word()
            if random.chance(1, in: 3) { value = Array("\(random.index(below: 200))".utf8) }
            if random.chance(1, in: 20) { value = (0..<random.index(below: 80)).map { _ in UInt8(97 + random.index(below: 3)) } }
            // An entry within an element: its first byte, its bytes, its length.
            if step > 300, seed > 3, random.chance(1, in: 10) {
                let inner = word()
                value = [0x61, 0x80 | UInt8(inner.count)] + inner + [UInt8(inner.count + 1)]
            }
            let index = random.index(below: model.count + 1)
            if model.count > 150 || index < model.count && random.chance(1, in: 3) {
                list.remove(at: list.position(ofIndex: index % model.count))
                model.remove(at: index % model.count)
            } else {
                value.withView { _ = list.insert(PackedElement($0), at: list.position(ofIndex: index)) }
                model.insert(value, at: index)
            }
            if step % 50 == 0 {
                let copy = list.copied()
                list.page.release()
                list = copy
            }
            list._checkInvariants()
            for probe in [
                word(), model.isEmpty ? [] : model[random.index(below: model.count)], Array("\(random.index(below: 200))".utf8),
            ] {
                let start = random.index(below: max(1, model.count))
                let from = list.position(ofIndex: min(start, model.count))
                let found = probe.withView { list.find(PackedElement($0), from: from) }
                #expect(found == model[min(start, model.count)...].firstIndex(of: probe).map { list.position(ofIndex: $0) })
            }
        }
    }

    @Test func aRecordStaysWhatItWas() {
        var list = PackedList()
        list.append(PackedElement(integer: 7))
        let record = PackedList(page: list.page)
        record.page.retain()
        list.makeUnique()
        list.append(PackedElement(integer: 8))
        #expect(record.count == 1 && list.count == 2)
        record.page.release()
        list.page.release()
    }
}

@Suite struct IntegerSetTests {
    @Test(arguments: 1...6) func behavesAsASortedSet(_ seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var set = IntegerSet()
        defer { set.page.release() }
        var model = Set<Int64>()
        for step in 0..<3000 {
            let bits = [8, 15, 16, 31, 33, 63][random.index(below: step < 500 ? 2 : step < 1000 ? 4 : 6)]
            let value = Int64(bitPattern: random.next()) >> Int64(63 - bits)
            if random.chance(step % 600 < 400 ? 2 : 1, in: 3) {
                #expect(set.insert(value) == model.insert(value).inserted)
            } else {
                let victim = model.min { abs($0 &- value) < abs($1 &- value) } ?? value
                #expect(set.remove(victim) == (model.remove(victim) != nil))
            }
            #expect(set.contains(value) == model.contains(value))
            if step % 100 == 0 {
                set._checkInvariants()
                #expect((0..<set.count).map { set[$0] } == model.sorted())
            }
        }
    }
}
