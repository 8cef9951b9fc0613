@testable import Base
import Testing

@Suite struct ByteViewTests {
    @Test func firstIndexFindsEveryPosition() {
        for length in 0..<40 {
            for position in 0..<length {
                var bytes = [UInt8](repeating: 7, count: length)
                bytes[position] = 9
                #expect(bytes.withView { $0.firstIndex(of: 9) } == position)
                #expect(bytes.withView { $0.firstIndex(of: 8) } == nil)
            }
        }
    }

    /// Every place of every text, with near misses on both sides of it.
    @Test func aByteFollowedByOthersIsFoundAtEveryPosition() {
        var random = RandomGenerator(seed: 5)
        for length in 2..<200 {
            for rest in 1..<min(length, 20) {
                var bytes = (0..<length).map { _ in UInt8(random.index(below: 2)) }
                let wanted = (0..<rest).map { _ in UInt8(random.index(below: 2)) }
                if random.chance(1, in: 2) {
                    bytes.replaceSubrange((length - rest - 1)..<length, with: [1] + wanted)
                }
                let expected = (0..<(length - rest)).first { bytes[$0] == 1 && Array(bytes[($0 + 1)...($0 + rest)]) == wanted }
                for wide in ByteView.hasAVX2 ? [false, true] : [false] {
                    let found = bytes.withView { bytes in wanted.withView { bytes.firstIndex(of: 1, followedBy: $0, wide: wide) }
                    }
                    #expect(found == expected)
                }
            }
        }
        let short = [UInt8](repeating: 1, count: 3)
        #expect(short.withView { $0.firstIndex(of: 1, followedBy: $0) } == nil)
    }

    @Test func asciiEndsAt127() {
        for length in 0..<20 {
            var bytes = [UInt8](repeating: 127, count: length)
            #expect(bytes.withView { $0.isASCII })
            for index in 0..<length {
                bytes[index] = 128
                #expect(!bytes.withView { $0.isASCII })
                bytes[index] = 0
            }
        }
    }

    @Test func compareIsLexicographic() {
        let words: [[UInt8]] = [
            [], [0], [0, 0], [1], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8, 0], [1, 2, 3, 4, 5, 6, 7, 9], [255],
        ]
        for (i, a) in words.enumerated() {
            for (j, b) in words.enumerated() {
                let order = a.withView { x in b.withView { y in x.compare(y).signum() } }
                #expect(order == (i - j).signum())
                #expect(a.withView { x in b.withView { y in x.equals(y) } } == (i == j))
            }
        }
    }

    @Test func crc32cKnownAnswers() {
        // RFC 3720, B.4.
        #expect([UInt8](repeating: 0, count: 32).withView { CRC32C.checksum($0) } == 0x8A91_36AA)
        #expect([UInt8](repeating: 0xFF, count: 32).withView { CRC32C.checksum($0) } == 0x62A8_AB43)
        #expect([UInt8](0..<32).withView { CRC32C.checksum($0) } == 0x46DD_794E)
        #expect(Array("123456789".utf8).withView { CRC32C.checksum($0) } == 0xE306_9283)
        let bytes = [UInt8]((0..<100).map { UInt8($0) })
        let parts = bytes.withView { CRC32C.checksum($0.dropFirst(37), continuing: CRC32C.checksum($0.slice(0, 37))) }
        #expect(parts == bytes.withView { CRC32C.checksum($0) })
    }

    /// The processor's instruction and the tables give the same, from any address, of any length, continued or not.
    @Test func bothWaysToTheChecksumAgree() {
        var random = RandomGenerator(seed: 32)
        let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        bytes.withView { view in
            for start in 0..<9 {
                for count in 0...(300 - start) {
                    let piece = view.slice(start, count)
                    let before = UInt32(truncatingIfNeeded: random.next())
                    #expect(
                        CRC32C.checksum(piece, continuing: before) == CRC32C.checksumByTables(piece, continuing: before))
                }
            }
        }
    }
}

@Suite struct ByteBufferTests {
    /// What is written through an end is what is appended, also when the buffer grows under it.
    @Test func anEndWritesAtTheEnd() {
        let buffer = ByteBuffer(capacity: 16)
        let end = buffer.end
        for round in 0..<10 {
            buffer.append(byte: UInt8(round))
            Array("abcdefg".utf8).withView { end.append($0) }
            let room = end.reserve(2)
            room.storeBytes(of: 0x58, toByteOffset: 0, as: UInt8.self)
            end.commit(1)
            buffer.consume(3)
            #expect(end.count == buffer.count && end.view.array == buffer.view.array)
        }
        end.truncate(to: 5)
        #expect(buffer.count == 5 && end.isSame(buffer.end) && !end.isSame(ByteBuffer().end))
    }

    @Test func digitsAreCounted() {
        var bound: UInt64 = 1
        for digits in 1...20 {
            #expect(decimalDigitCount(bound) == digits && (digits == 1 || decimalDigitCount(bound - 1) == digits - 1))
            if digits < 20 { bound *= 10 }
        }
        #expect(decimalDigitCount(.max) == 20 && decimalDigitCount(0) == 1)
    }

    @Test func decimalMatchesStringForEdges() {
        for value in [0, 1, -1, 9, 10, 99, 100, -100, Int64.max, Int64.min, 1_000_000_000_000] as [Int64] {
            let buffer = ByteBuffer(capacity: 16)
            buffer.append(decimal: value)
            #expect(buffer.view.text == String(value))
        }
    }

    @Test func bytesComeOutInOrderAcrossGrowth() {
        let buffer = ByteBuffer(capacity: 16)
        var random = RandomGenerator(seed: 1)
        var model: [UInt8] = []
        for _ in 0..<5000 {
            if random.chance(1, in: 2) {
                let piece = (0..<random.index(below: 50)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                buffer.append(piece)
                model += piece
            } else {
                let count = random.index(below: model.count + 1)
                buffer.consume(count)
                model.removeFirst(count)
            }
            #expect(buffer.view.array == model)
        }
    }

    @Test func variableIntegersRoundTrip() {
        let buffer = ByteBuffer()
        let values: [UInt64] = [0, 1, 127, 128, 300, 1 << 35, .max]
        for value in values { buffer.append(variable: value) }
        var reader = ByteReader(buffer.view)
        for value in values { #expect(reader.variable() == value) }
        #expect(reader.variable() == nil)
        #expect(
            [UInt8](repeating: 0xFF, count: 10).withView {
                var r = ByteReader($0); return r.variable()
            } == nil)
    }

    @Test func askingForMemoryReadsNothing() {
        let bytes = [UInt8](repeating: 7, count: 300)
        bytes.withView { prefetch($0.start, lines: 5) }
        // Nobody's memory, and none at all.
        prefetch(ByteView.empty.start, lines: 100)
        prefetch(ByteView.empty.start, lines: 0)
        #expect(bytes.allSatisfy { $0 == 7 })
    }
}
