import Base
import Testing

@Suite struct HashTests {
    /// These values are part of the replicated state: they never change.
    @Test func valuesAreWrittenDown() {
        let bytes = (0..<100).map { UInt8($0) }
        let golden: [(count: Int, seed: UInt64, hash: UInt64)] = [
            (0, 0, 0xE7A6_D1FB_8A13_66F8),
            (0, 1, 0x1469_C0AB_7D85_6357),
            (1, 1, 0xC4C2_4AE0_1728_2D6A),
            (3, 1, 0x4A36_6C85_2CF0_CF0B),
            (4, 1, 0x3F0C_BF2A_E4E5_5528),
            (7, 1, 0x1235_3F48_1230_4D9C),
            (8, 1, 0x49F6_9B3E_4F4B_4053),
            (15, 1, 0xD89B_95E7_294B_4F51),
            (16, 1, 0xA544_D29D_086E_B560),
            (16, 42, 0xAE72_45B0_6459_D305),
            (17, 1, 0x0925_4327_C2F9_BF3D),
            (32, 1, 0x43C2_7ADD_2D0C_9BC7),
            (33, 1, 0x42FC_22DF_91AA_3788),
            (64, 1, 0xEDDC_9BE5_3449_3684),
            (65, 1, 0x57F2_C445_EA9A_2F85),
            (100, 1, 0x6041_F97B_4321_E107),
            (100, 18446744073709551615, 0x98F3_E3CF_BC67_D720),
        ]
        for row in golden {
            #expect(Array(bytes[..<row.count]).withView { hash($0, seed: row.seed) } == row.hash, "\(row.count) \(row.seed)")
        }
    }

    /// The word that makes a factor zero depends on the seed, so no fixed word makes the rest of a key irrelevant.
    @Test func noWordSilencesTheOthers() {
        let constants: [UInt64] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3]
        for seed in 1...20 as ClosedRange<UInt64> {
            for first in constants + constants.map({ $0 ^ seed }) {
                for length in [16, 24, 40] {
                    var hashes: Set<UInt64> = []
                    for number in 0..<50 as Range<UInt64> {
                        var key = withUnsafeBytes(of: first.littleEndian) { Array($0) }
                        key += withUnsafeBytes(of: number.littleEndian) { Array($0) }
                        key += [UInt8](repeating: 7, count: length - 16)
                        hashes.insert(key.withView { hash($0, seed: seed) })
                    }
                    #expect(hashes.count == 50)
                }
            }
        }
    }

    @Test func everyBitSpreads() {
        var counts = [Int](repeating: 0, count: 64)
        let rounds = 4000
        for number in 0..<rounds as Range<Int> {
            let a = Array("key:\(number)".utf8).withView { hash($0, seed: 1) }
            let b = Array("key:\(number + 1)".utf8).withView { hash($0, seed: 1) }
            for bit in 0..<64 where (a ^ b) >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
        }
        for count in counts { #expect(count > rounds * 45 / 100 && count < rounds * 55 / 100) }
    }
}
