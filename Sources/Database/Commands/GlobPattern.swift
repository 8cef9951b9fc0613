import Base

/// Whether `text` matches `pattern` as Redis's KEYS understands it: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` that takes the next
/// byte as it is. Bytes, not characters.
///
/// When what follows a star can't be found anywhere in the rest, no earlier star can help either: the search ends, so
/// that `a*a*a*b` takes no exponential time.
package func globMatch(_ pattern: ByteView, _ text: ByteView, ignoringCase: Bool = false) -> Bool {
    var matcher = GlobMatcher(pattern: pattern, text: text, ignoringCase: ignoringCase)
    return matcher.matches(0, 0, depth: 0)
}

private struct GlobMatcher {
    let pattern: ByteView
    let text: ByteView
    let ignoringCase: Bool
    /// A star's rest was not found: longer matches of the stars before it are of no use.
    var isHopeless = false

    /// Stars in one pattern that are followed; a pattern with more matches nothing.
    static let depthMax = 1000

    private func fold(_ byte: UInt8) -> UInt8 { ignoringCase ? lowercased(byte) : byte }

    /// Whether the pattern from `p` matches the text from `t`.
    mutating func matches(_ patternStart: Int, _ textStart: Int, depth: Int) -> Bool {
        if depth > GlobMatcher.depthMax { return false }
        var p = patternStart
        var t = textStart
        while p < pattern.count, t < text.count {
            switch pattern[p] {
            case UInt8(ascii: "*"):
                return star(p, t, depth)
            case UInt8(ascii: "?"):
                break
            case UInt8(ascii: "["):
                if !set(&p, fold(text[t])) { return false }
            default:
                if pattern[p] == UInt8(ascii: "\\"), p + 1 < pattern.count { p += 1 }
                if fold(pattern[p]) != fold(text[t]) { return false }
            }
            t += 1
            p += 1
            if t == text.count {
                while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
            }
        }
        return p == pattern.count && t == text.count
    }

    private mutating func star(_ patternStart: Int, _ textStart: Int, _ depth: Int) -> Bool {
        var p = patternStart
        while p + 1 < pattern.count, pattern[p + 1] == UInt8(ascii: "*") { p += 1 }
        if p + 1 == pattern.count { return true }
        var t = textStart
        while t < text.count {
            if matches(p + 1, t, depth: depth + 1) { return true }
            if isHopeless { return false }
            t += 1
        }
        isHopeless = true
        return false
    }

    /// Whether the set that opens at `p` holds `byte`; moves `p` to its last byte.
    private func set(_ p: inout Int, _ byte: UInt8) -> Bool {
        p += 1
        let inverted = p < pattern.count && pattern[p] == UInt8(ascii: "^")
        if inverted { p += 1 }
        var found = false
        while true {
            if p + 1 < pattern.count, pattern[p] == UInt8(ascii: "\\") {
                p += 1
                // Redis compares an escaped byte without regard to folding.
                if pattern[p] == byte { found = true }
            } else if p >= pattern.count {
                p -= 1
                break
            } else if pattern[p] == UInt8(ascii: "]") {
                break
            } else if p + 2 < pattern.count, pattern[p + 1] == UInt8(ascii: "-") {
                let a = fold(pattern[p])
                let b = fold(pattern[p + 2])
                p += 2
                if byte >= min(a, b), byte <= max(a, b) { found = true }
            } else if fold(pattern[p]) == byte {
                found = true
            }
            p += 1
        }
        return found != inverted
    }
}
