import Base
import RESP

/// A difference that is meant: its rule. What the reader is told about it stands in docs/reference/differences.md under the same
/// name; a test compares the two lists.
package struct KnownDifference: Sendable {
    /// What was replied, and what is known about it.
    package struct Case {
        package var step: Step
        package var ours: ReplyNode
        package var theirs: ReplyNode
        /// The answer to the question asked before the step, where one was.
        package var before: ReplyNode?
    }

    package var name: String
    /// The commands it is about, as COMMAND has their names. Empty: any.
    package var commands: [String]
    /// Whether it is one of versions: the peer is Redis 7.0, Coracle speaks 7.2.
    package var isOfVersions: Bool
    /// Whether the two sides may hold different data afterwards, so that the sequence ends.
    package var endsSequence: Bool
    /// Whether this is it. nil: the rules of comparison allow for it everywhere, or the generator stays away from it.
    package var applies: (@Sendable (Case) -> Bool)?

    init(
        _ name: String, _ commands: [String], isOfVersions: Bool = false, endsSequence: Bool = false,
        applies: (@Sendable (Case) -> Bool)? = nil
    ) {
        self.name = name
        self.commands = commands
        self.isOfVersions = isOfVersions
        self.endsSequence = endsSequence
        self.applies = applies
    }

    /// All of them.
    package static let all: [KnownDifference] = [
        KnownDifference("random-count-limit", ["srandmember", "hrandfield", "zrandmember"]) {
            $0.ours.isError && $0.step.words.count > 2 && ($0.step.words[2].withView { parseInteger($0) } ?? 0) < -(1 << 24)
        },
        KnownDifference("lex-mixed-scores", lexical, endsSequence: true) {
            isLexical($0.step) && $0.before.map(hasMixedScores) == true
        },
        KnownDifference("lpos-rank-minimum", ["lpos"]) {
            $0.step.words.contains { $0 == "-9223372036854775808".word }
        },
        KnownDifference("object-refcount", ["object|refcount"]) {
            let shared = Int64(Int32.max)
            return $0.ours.integer == 1 && $0.theirs.integer == shared || $0.ours.integer == shared && $0.theirs.integer == 1
        },
        KnownDifference("dbsize-expired", ["dbsize"]),
        KnownDifference("hyperloglog-cache", ["get"]) {
            let (ours, theirs) = ($0.ours.text, $0.theirs.text)
            guard ours.count == theirs.count, ours.count >= 16, ours.starts(with: "HYLL".word) else { return false }
            return ours.prefix(8) == theirs.prefix(8) && ours.dropFirst(16) == theirs.dropFirst(16)
        },
        KnownDifference("negative-zero", ["zadd", "zincrby", "zscore", "zmscore", "zrange", "zrangebyscore", "zrevrange"]),
        KnownDifference("zscan-score-text", ["zscan"]),
        KnownDifference("double-text", ["zadd", "zincrby", "zscore", "zmscore", "zrange"], isOfVersions: true),
        KnownDifference("listpack-encodings", ["object|encoding"], isOfVersions: true) {
            guard $0.ours.text == "listpack".word, let type = $0.before?.text else { return false }
            return (type == "list".word && $0.theirs.text == "quicklist".word)
                || (type == "set".word && $0.theirs.text == "hashtable".word)
        },
        KnownDifference("size-hints", ["object|encoding"], isOfVersions: true) {
            $0.before?.text == "set".word && $0.theirs.text == "intset".word
                && ["hashtable".word, "listpack".word].contains($0.ours.text)
                || $0.before?.text == "zset".word && $0.theirs.text == "listpack".word && $0.ours.text == "skiplist".word
        },
        KnownDifference("sort-converts", ["object|encoding"]) {
            $0.before?.text == "zset".word && $0.theirs.text == "skiplist".word && $0.ours.text == "listpack".word
        },
        KnownDifference("sort-stale-range-error", ["sort", "sort_ro"], endsSequence: true) {
            $0.ours.type != $0.theirs.type && $0.theirs.text == "ERR One or more scores can't be converted into double".word
        },
        KnownDifference("sort-zero-bytes", ["sort", "sort_ro"]) { found in
            let words = found.step.words.map(\.lowercasedText)
            let elements = found.ours.elements + found.theirs.elements
            return words.contains("alpha") && found.ours.elements.count == found.theirs.elements.count
                && (words.contains("get") || words.contains("limit") || elements.contains { $0.text.contains(0) })
        },
        KnownDifference("restore-deadline-overflow", ["restore"], endsSequence: true) {
            $0.ours.text == "ERR invalid expire time in 'restore' command".word
        },
        KnownDifference("geo-ties", searches) { PlacesRule.areTied($0.step, $0.ours, $0.theirs) },
        KnownDifference("geo-last-digits", []) {
            // Distances can be stored as scores, and come back from there. Other arithmetic has no such excuse.
            let rule = ShapeTable.rule(of: $0.step)
            return (rule == .scores || rule == .places || $0.step.name == "geodist") && !ReplyRule.sameNumbers($0.ours, $0.theirs)
                && PlacesRule.differInLastDigits($0.ours, $0.theirs)
        },
        KnownDifference("hyperloglog-damage", ["pfadd", "pfcount", "pfmerge", "pfdebug"]),
        KnownDifference("xread-unbalanced-text", ["xread", "xreadgroup"], isOfVersions: true) {
            $0.ours.text.starts(with: "ERR Unbalanced '".word) && $0.theirs.text.starts(with: "ERR Unbalanced XREAD".word)
        },
        KnownDifference("xsetid-below-deleted", ["xsetid"], isOfVersions: true, endsSequence: true) {
            $0.ours.text == "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id".word
        },
        KnownDifference("consumer-creation", ["xreadgroup", "xclaim", "xautoclaim"], isOfVersions: true),
        KnownDifference("consumer-times", ["xinfo|consumers", "xinfo|stream"], isOfVersions: true),
        KnownDifference("field-deadline-encoding", ["object|encoding"], isOfVersions: true) {
            $0.ours.text == "listpack".word && $0.theirs.text == "listpackex".word
        },
        KnownDifference("strict-cursors", ["scan", "hscan", "sscan", "zscan"], isOfVersions: true) {
            let place = $0.step.name == "scan" ? 1 : 2
            guard $0.theirs.text == "ERR invalid cursor".word, place < $0.step.words.count else { return false }
            // What the C library's strtoul reads as a number.
            let cursor = $0.step.words[place]
            return cursor.isEmpty || (cursor.withView { parseInteger($0) } ?? 0) < 0
        },
        KnownDifference("zrank-withscore", ["zrank", "zrevrank"], isOfVersions: true) { $0.step.words.count > 3 },
    ]

    /// The first that explains two replies.
    package static func explain(_ found: Case) -> KnownDifference? {
        all.first { $0.applies?(found) == true && ($0.commands.isEmpty || $0.commands.contains(fullName(found.step))) }
    }

    private static func fullName(_ step: Step) -> String {
        step.name == "object" && step.words.count > 1 ? "object|" + step.words[1].lowercasedText : step.name
    }

    private static let searches = [
        "geosearch", "georadius", "georadius_ro", "georadiusbymember", "georadiusbymember_ro",
    ]

    // MARK: order by name

    private static let lexical = [
        "zrange", "zrangestore", "zrangebylex", "zrevrangebylex", "zlexcount", "zremrangebylex",
    ]

    /// Whether a command orders by name.
    package static func isLexical(_ step: Step) -> Bool {
        guard lexical.contains(step.name) else { return false }
        return step.name.contains("lex") || step.words.contains { $0.lowercasedText == "bylex" }
    }

    /// Whether members with their scores don't all have the same one.
    private static func hasMixedScores(_ reply: ReplyNode) -> Bool {
        let scores = ReplyRule.pairs(reply.elements).map { $0[1] }
        return scores.contains { $0 != scores[0] }
    }
}
