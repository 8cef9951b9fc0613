import Base
import Database

/// Makes values in every form of the RDB format, sound ones and nearly sound ones, byte by byte: not with the code under test.
struct RDBForms {
    /// Elements of a collection, few of them, so that inputs stay short; some are much alike.
    static func elements(_ random: inout RandomGenerator, _ count: Int, distinct: Bool) -> [[UInt8]] {
        var elements: [[UInt8]] = []
        var number = Int64(random.index(below: 200)) - 100
        for index in 0..<count {
            var element: [UInt8]
            switch random.index(below: 8) {
            case 0, 1, 2:
                number += 1 + Int64(random.index(below: 1 << (1 + random.index(below: 40))))
                element = Array(String(number).utf8)
            case 3: element = Array(String(Int64(bitPattern: random.next())).utf8)
            case 4: element = Array("0\(random.index(below: 100))".utf8)
            case 5: element = [UInt8](repeating: UInt8(0x61 + random.index(below: 3)), count: random.index(below: 300))
            default: element = (0..<random.index(below: 12)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            if distinct { element += Array("/\(index)".utf8) }
            elements.append(element)
        }
        return elements
    }

    static func littleEndian(_ value: UInt64, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    static func bigEndian(_ value: UInt64, _ bytes: Int) -> [UInt8] { littleEndian(value, bytes).reversed() }

    /// A length in one of the encodings that fit it.
    static func length(_ value: Int, _ random: inout RandomGenerator) -> [UInt8] {
        let value = UInt64(value)
        let wide = random.index(below: 12)
        if value < 64 && wide > 2 { return [UInt8(value)] }
        if value < 16384 && wide > 1 { return [0x40 | UInt8(value >> 8), UInt8(value & 0xFF)] }
        return wide == 0 ? [0x81] + bigEndian(value, 8) : [0x80] + bigEndian(value, 4)
    }

    /// A string as it is, as an integer where it can be, or compressed.
    static func string(_ bytes: [UInt8], _ random: inout RandomGenerator) -> [UInt8] {
        if let value = Int32(String(decoding: bytes, as: UTF8.self)), Array("\(value)".utf8) == bytes, random.chance(3, in: 4) {
            if let small = Int8(exactly: value) { return [0xC0, UInt8(bitPattern: small)] }
            if let small = Int16(exactly: value) { return [0xC1] + littleEndian(UInt64(UInt16(bitPattern: small)), 2) }
            return [0xC2] + littleEndian(UInt64(UInt32(bitPattern: value)), 4)
        }
        if bytes.count > 4, random.chance(1, in: 2) {
            let packed = compressed(bytes)
            return [0xC3] + length(packed.count, &random) + length(bytes.count, &random) + packed
        }
        return length(bytes.count, &random) + bytes
    }

    /// LZF: repetitions of the byte before as references, everything else as it is.
    static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            var run = 0
            while index > 0, index + run < bytes.count, run < 264, bytes[index + run] == bytes[index - 1] { run += 1 }
            if run >= 3 {
                out += run - 2 < 7 ? [UInt8(run - 2) << 5, 0] : [7 << 5, UInt8(run - 9), 0]
                index += run
            } else {
                let end = min(index + 20, bytes.count)
                var stop = index + 1
                while stop < end, bytes[stop] != bytes[stop - 1] { stop += 1 }
                out.append(UInt8(stop - index - 1))
                out += bytes[index..<stop]
                index = stop
            }
        }
        return out
    }

    private static func integer(_ bytes: [UInt8]) -> Int64? {
        guard let value = Int64(String(decoding: bytes, as: UTF8.self)), Array("\(value)".utf8) == bytes else { return nil }
        return value
    }

    static func listpack(_ elements: [[UInt8]]) -> [UInt8] {
        var entries: [UInt8] = []
        for element in elements {
            var entry: [UInt8]
            if let value = integer(element) {
                let raw = UInt64(bitPattern: value)
                switch value {
                case 0...127: entry = [UInt8(value)]
                case -4096...4095: entry = [0xC0 | UInt8(raw >> 8 & 0x1F), UInt8(raw & 0xFF)]
                case -32768...32767: entry = [0xF1] + littleEndian(raw, 2)
                case -8_388_608...8_388_607: entry = [0xF2] + littleEndian(raw, 3)
                case Int64(Int32.min)...Int64(Int32.max): entry = [0xF3] + littleEndian(raw, 4)
                default: entry = [0xF4] + littleEndian(raw, 8)
                }
            } else if element.count < 64 {
                entry = [0x80 | UInt8(element.count)] + element
            } else if element.count < 4096 {
                entry = [0xE0 | UInt8(element.count >> 8), UInt8(element.count & 0xFF)] + element
            } else {
                entry = [0xF0] + littleEndian(UInt64(element.count), 4) + element
            }
            let body = entry.count
            if body <= 127 {
                entry.append(UInt8(body))
            } else {
                entry += [UInt8(body >> 7), UInt8(body & 0x7F) | 0x80]
            }
            entries += entry
        }
        return littleEndian(UInt64(entries.count + 7), 4) + littleEndian(UInt64(elements.count), 2) + entries + [0xFF]
    }

    static func ziplist(_ elements: [[UInt8]]) -> [UInt8] {
        var entries: [UInt8] = []
        var previous = 0
        var last = 10
        for element in elements {
            var entry = previous < 254 ? [UInt8(previous)] : [0xFE] + littleEndian(UInt64(previous), 4)
            if let value = integer(element) {
                let raw = UInt64(bitPattern: value)
                switch value {
                case 0...12: entry += [0xF1 + UInt8(value)]
                case -128...127: entry += [0xFE] + littleEndian(raw, 1)
                case -32768...32767: entry += [0xC0] + littleEndian(raw, 2)
                case -8_388_608...8_388_607: entry += [0xF0] + littleEndian(raw, 3)
                case Int64(Int32.min)...Int64(Int32.max): entry += [0xD0] + littleEndian(raw, 4)
                default: entry += [0xE0] + littleEndian(raw, 8)
                }
            } else if element.count < 64 {
                entry += [UInt8(element.count)] + element
            } else {
                entry += [0x40 | UInt8(element.count >> 8), UInt8(element.count & 0xFF)] + element
            }
            last = 10 + entries.count
            previous = entry.count
            entries += entry
        }
        return littleEndian(UInt64(entries.count + 11), 4) + littleEndian(UInt64(last), 4)
            + littleEndian(UInt64(elements.count), 2) + entries + [0xFF]
    }

    static func intset(_ values: [Int64]) -> [UInt8] {
        let width = values.allSatisfy { Int16(exactly: $0) != nil } ? 2 : values.allSatisfy { Int32(exactly: $0) != nil } ? 4 : 8
        return littleEndian(UInt64(width), 4) + littleEndian(UInt64(values.count), 4)
            + values.flatMap { littleEndian(UInt64(bitPattern: $0), width) }
    }

    static func zipmap(_ elements: [[UInt8]]) -> [UInt8] {
        var out = [UInt8(min(elements.count / 2, 254))]
        for (index, element) in elements.enumerated() {
            out += element.count < 254 ? [UInt8(element.count)] : [0xFE] + littleEndian(UInt64(element.count), 4)
            if index % 2 == 1 { out.append(0) }
            out += element
        }
        return out + [0xFF]
    }

    /// A hash in one of the two forms that have deadlines of fields.
    static func hashWithDeadlines(_ random: inout RandomGenerator, _ count: Int, isForged: Bool) -> [UInt8] {
        let elements = elements(&random, 2 * count, distinct: !isForged)
        let soonest = 1 + random.next(below: 1 << 42)
        let first = random.index(below: count)
        let later = (0..<count).map { index -> UInt64? in
            index == first ? 0 : random.chance(1, in: 2) ? nil : random.next(below: 1 << UInt64(1 + random.index(below: 40)))
        }
        if random.chance(1, in: 2) {
            var triples: [[UInt8]] = []
            for index in 0..<count {
                let deadline = later[index].map { soonest + $0 } ?? 0
                triples += [elements[2 * index], elements[2 * index + 1], Array("\(deadline)".utf8)]
            }
            if isForged, random.chance(1, in: 2) { triples.removeLast() }
            return [25] + littleEndian(soonest, 8) + string(listpack(triples), &random)
        }
        var out = [24] + littleEndian(soonest, 8) + length(count, &random)
        for index in 0..<count {
            let number = later[index].map { $0 + 1 } ?? 0
            out += number < 1 << 32 ? length(Int(number), &random) : [0x81] + bigEndian(number, 8)
            out += string(elements[2 * index], &random) + string(elements[2 * index + 1], &random)
        }
        return out
    }

    /// A stream in one of its three forms, with groups.
    static func stream(_ random: inout RandomGenerator, nodes: Int, isForged: Bool) -> [UInt8] {
        let form = random.index(below: 3)
        // A number, or in a forged stream now and then a neighbour of it.
        func near(_ value: Int, _ random: inout RandomGenerator) -> Int {
            isForged && random.chance(1, in: 12) ? max(0, value + random.index(below: 3) - 1) : value
        }
        var out: [UInt8] = [[15, 19, 21][form]] + length(nodes, &random)
        var time: UInt64 = 1
        var alive = 0
        for _ in 0..<nodes {
            time += 1 + random.next(below: 1000)
            out += string(bigEndian(time, 8) + bigEndian(7, 8), &random)
            let count = 1 + random.index(below: 5)
            let dead = random.index(below: count)
            var elements = ["\(near(count - dead, &random))", "\(near(dead, &random))", "\(near(1, &random))", "field", "0"]
            for index in 0..<count {
                let isShared = random.chance(1, in: 2)
                elements += [
                    "\((isShared ? 2 : 0) + (index < dead ? 1 : 0))", "\(index)", "\(index == 0 ? 0 : random.index(below: 9))",
                ]
                elements +=
                    isShared
                    ? ["value", "\(near(4, &random))"]
                    : ["\(near(2, &random))", "a", "1", "b", "\(random.index(below: 100_000))", "8"]
            }
            out += string(listpack(elements.map { Array($0.utf8) }), &random)
            time += UInt64(count)
            alive += count - dead
        }
        let numbers: [UInt64] = [UInt64(near(alive, &random)), time, 9] + (form == 0 ? [] : [0, 0, 0, 0, UInt64(alive + 3)])
        for number in numbers { out += length(Int(number), &random) }
        let groups = random.index(below: 3)
        out += length(groups, &random)
        for group in 0..<groups {
            out += string(Array("group\(group)".utf8), &random) + length(1, &random) + length(0, &random)
            if form > 0 { out += random.chance(1, in: 2) ? length(3, &random) : [0x81] + bigEndian(.max, 8) }
            let pending = random.index(below: 4)
            out += length(pending, &random)
            for index in 0..<pending {
                out +=
                    bigEndian(UInt64(index + 1), 8) + bigEndian(0, 8) + littleEndian(1_700_000_000_000, 8)
                    + length(index, &random)
            }
            out += length(2, &random)
            for consumer in 0..<2 {
                out += string(Array("consumer\(consumer)".utf8), &random) + littleEndian(5, 8)
                if form == 2 { out += littleEndian(6, 8) }
                let mine = (0..<pending).filter { $0 % 2 == consumer }
                out += length(mine.count, &random)
                for index in mine { out += bigEndian(UInt64(index + 1), 8) + bigEndian(0, 8) }
            }
        }
        return out
    }
}
