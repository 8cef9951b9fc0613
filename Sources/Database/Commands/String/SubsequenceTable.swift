import Base

/// The lengths of the longest common subsequences of all prefixes of two texts, as differences: one bit for each pair of prefixes.
///
/// Along a row (a prefix of the first text) the length grows by 0 or 1 with each byte of the second. Sixty-four of these bits are worked
/// out at a time, by an addition whose carry runs along the row (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004):
/// a clear bit says that the length grows there.
struct SubsequenceTable {
    /// Words of a row.
    private let width: Int
    /// The rows behind 1, 2, … bytes of the first text; only the last one when they are not kept.
    private var rows: [UInt64]
    /// Length of the longest common subsequence of the whole texts.
    let length: Int

    /// Takes a.count · b.count / 64 steps, and as many words for the rows when they are kept.
    init(_ a: [UInt8], _ b: [UInt8], keepsRows: Bool) {
        width = (b.count + 63) / 64
        rows = []
        if a.isEmpty || b.isEmpty {
            length = 0
            return
        }
        let (masks, places) = SubsequenceTable.masks(a, b, width: width)
        rows = [UInt64](repeating: .max, count: keepsRows ? a.count * width : width)
        let width = width
        var row = [UInt64](repeating: .max, count: width)
        rows.withUnsafeMutableBufferPointer { rows in
            row.withUnsafeMutableBufferPointer { row in
                masks.withUnsafeBufferPointer { masks in
                    for index in 0..<a.count {
                        SubsequenceTable.step(row, masks, at: places[Int(a[index])] * width)
                        if keepsRows { for word in 0..<width { rows[index * width + word] = row[word] } }
                    }
                }
            }
        }
        if !keepsRows { rows = row }
        var grown = 0
        for word in 0..<width {
            let bits = min(64, b.count - word * 64)
            let used = bits == 64 ? UInt64.max : (1 << UInt64(bits)) - 1
            grown += (~row[word] & used).nonzeroBitCount
        }
        length = grown
        check(length <= min(a.count, b.count), "a common subsequence is in both texts")
    }

    /// For each byte that the first text has: where the second one has it, a bit for each place; and which of these masks is whose.
    private static func masks(_ a: [UInt8], _ b: [UInt8], width: Int) -> (masks: [UInt64], places: [Int]) {
        var places = [Int](repeating: -1, count: 256)
        var count = 0
        for byte in a where places[Int(byte)] < 0 {
            places[Int(byte)] = count
            count += 1
        }
        var masks = [UInt64](repeating: 0, count: count * width)
        for index in 0..<b.count where places[Int(b[index])] >= 0 {
            masks[places[Int(b[index])] * width + index / 64] |= 1 << UInt64(index % 64)
        }
        return (masks, places)
    }

    /// Makes of the row of a prefix the row of the prefix that is longer by the byte of the mask at `offset`.
    private static func step(
        _ row: UnsafeMutableBufferPointer<UInt64>, _ masks: UnsafeBufferPointer<UInt64>, at offset: Int
    ) {
        check(offset >= 0 && offset + row.count <= masks.count, "each byte of the first text has a mask of the row's length")
        var carry: UInt64 = 0
        for word in 0..<row.count {
            let old = row[word]
            let mask = masks[offset + word]
            let (sum, first) = old.addingReportingOverflow(old & mask)
            let (total, second) = sum.addingReportingOverflow(carry)
            carry = first || second ? 1 : 0
            row[word] = total | (old & ~mask)
        }
    }

    /// Whether the length grows with the last byte of the prefix of the second text: the way back then goes along the first text,
    /// where the last bytes of the prefixes (of `i` and `j` bytes, 1 and up) differ.
    func goesBackInFirst(_ i: Int, _ j: Int) -> Bool { rows[(i - 1) * width + (j - 1) / 64] >> UInt64((j - 1) % 64) & 1 == 0 }

    /// The subsequence itself. Needs the rows.
    func subsequence(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var i = a.count
        var j = b.count
        while i > 0, j > 0 {
            if a[i - 1] == b[j - 1] {
                result.append(a[i - 1])
                i -= 1
                j -= 1
            } else if goesBackInFirst(i, j) {
                i -= 1
            } else {
                j -= 1
            }
        }
        check(result.count == length, "the way back passes every match")
        result.reverse()
        return result
    }
}
