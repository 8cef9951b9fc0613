import Base
import Foundation
import Testing

@testable import Database

/// The project's own functions against the C library's, whose errors are about half a unit in the last place too.
@Suite struct TrigonometryTests {
    /// Distance in units in the last place.
    private func units(_ a: Double, _ b: Double) -> Int64 {
        abs(Int64(bitPattern: a.magnitude.bitPattern) - Int64(bitPattern: b.magnitude.bitPattern))
    }

    private func angles(_ seed: UInt64) -> [Double] {
        var random = RandomGenerator(seed: seed)
        func fraction() -> Double { Double(random.next() >> 11) * 0x1p-53 }
        var angles: [Double] = (0..<40_000).map { _ in (fraction() * 2 - 1) * 3.2 }
        angles += (0..<5000).map { _ in (fraction() * 2 - 1) * 1000 }
        angles += (0..<5000).map { _ in fraction() * pow(2, -Double(random.index(below: 60))) }
        // Next to multiples of a quarter turn, where digits cancel.
        for quarters in 1...600 {
            let near = Double(quarters) * Double.pi / 2
            angles += [near, near.nextUp, near.nextDown, -near]
        }
        return angles + [0, 0.5, 1, .pi / 4, -.pi / 4]
    }

    @Test func sineAndCosineAgreeWithTheLibrary() {
        var same = 0
        var all = 0
        for angle in angles(1) {
            for (own, theirs) in [(Trigonometry.sine(angle), sin(angle)), (Trigonometry.cosine(angle), cos(angle))] {
                #expect(units(own, theirs) <= 1 && (own < 0) == (theirs < 0), "\(angle): \(own) and \(theirs)")
                all += 1
                same += own == theirs ? 1 : 0
            }
        }
        #expect(Double(same) / Double(all) > 0.995, "nearly all results are the same bits: \(same) of \(all)")
    }

    @Test func arcsineAgreesWithTheLibrary() {
        var random = RandomGenerator(seed: 2)
        var values: [Double] = (0..<50_000).map { _ in Double(random.next() >> 11) * 0x1p-53 }
        values += (1...1000).map { 1 - pow(2, -Double($0) / 20) }
        values += (1...1000).map { pow(2, -Double($0) / 10) }
        values += [0, 0.5, Double(0.5).nextUp, Double(0.5).nextDown, Double(1).nextDown, 1, 0x1p-27, 1e-300]
        var same = 0
        for value in values {
            let (own, theirs) = (Trigonometry.arcsine(value), asin(value))
            #expect(units(own, theirs) <= 1, "\(value): \(own) and \(theirs)")
            same += own == theirs ? 1 : 0
        }
        #expect(Double(same) / Double(values.count) > 0.995, "nearly all results are the same bits: \(same)")
    }

    /// The bits are part of the replicated state: these may never change. (Correctly rounded, worked out with 60 digits.)
    @Test func theBitsAreFixed() {
        #expect(Trigonometry.sine(0.1) == 0x1.98EAECB8BCB2CP-4)
        #expect(Trigonometry.sine(3) == 0x1.210386DB6D55BP-3)
        #expect(Trigonometry.sine(.pi) == 0x1.1A62633145C07P-53)
        #expect(Trigonometry.cosine(0.1) == 0x1.FD712F9A817C1P-1)
        #expect(Trigonometry.cosine(1.4844222297453322) == 0x1.61593B3E09A43P-4)
        #expect(Trigonometry.cosine(.pi / 2) == 0x1.1A62633145C07P-54)
        #expect(Trigonometry.arcsine(0.1) == 0x1.9A49276037884P-4)
        #expect(Trigonometry.arcsine(0.75) == 0x1.B235315C680DCP-1)
        #expect(Trigonometry.arcsine(0.9999999) == 0x1.920266447A7FAP+0)
    }

    @Test func endsAndNonsense() {
        #expect(Trigonometry.sine(0) == 0 && Trigonometry.sine(-0.0).sign == .minus && Trigonometry.cosine(0) == 1)
        #expect(Trigonometry.sine(.infinity).isNaN && Trigonometry.cosine(.nan).isNaN && Trigonometry.arcsine(.nan).isNaN)
        #expect(Trigonometry.sine(1e300) == 0 && Trigonometry.cosine(1e300) == 1)
        #expect(Trigonometry.arcsine(1) == .pi / 2 && Trigonometry.arcsine(1.0000000000000002) == .pi / 2)
        #expect(Trigonometry.arcsine(0) == 0)
    }

    @Test func fixedDecimalsAreThoseOfTheLibrary() {
        var random = RandomGenerator(seed: 3)
        func text(_ value: Double, _ decimals: Int) -> String {
            let buffer = ByteBuffer()
            appendFixed(value, decimals: decimals, to: buffer)
            return buffer.view.text
        }
        for _ in 0..<5000 {
            var value = Double(bitPattern: random.next())
            if random.index(below: 4) > 0 { value = Double(random.next() >> 11) * pow(2, -Double(random.index(below: 110))) }
            if !value.isFinite { continue }
            #expect(text(value, 4) == String(format: "%.4f", value))
            #expect(text(value, 6) == String(format: "%.6f", value))
        }
        for value in [0, -0.0, 0.5, 0.00005, 0.00015, 0.03125, 2.5, 1e22, 1e300, -1.00005, 4_503_599_627_370_497.5] {
            #expect(text(value, 4) == String(format: "%.4f", value))
        }
        #expect(text(.infinity, 4) == "inf" && text(-.infinity, 6) == "-inf" && text(.nan, 4) == "nan")
    }
}
