import Base

/// Random commands of all families on few keys, for tests in which much must happen to the same keys.
struct RandomCommands {
    var random: RandomGenerator
    /// How often a database is flushed or swapped, in so many commands.
    var flushes = 300
    /// One value of so many has tens or hundreds of kilobytes; 0 for none.
    var longEvery = 25
    /// Keys of each type.
    var keys = 12

    init(seed: UInt64) { random = RandomGenerator(seed: seed) }

    private mutating func below(_ count: Int) -> Int { random.index(below: count) }
    private mutating func chance(_ count: Int) -> Bool { random.index(below: count) == 0 }
    private mutating func pick(_ words: [String]) -> String { words[below(words.count)] }

    private mutating func key(_ family: String) -> String {
        chance(12) ? "\(pick(["s", "l", "t", "z", "h", "x"]))\(below(keys))" : "\(family)\(below(keys))"
    }

    private mutating func value() -> String {
        if longEvery > 0, chance(longEvery) { return longValue() }
        switch below(38) {
        case 0..<14: return "\(below(300) - 100)"
        case 14..<18: return "\(Int64(bitPattern: random.next()) >> Int64(below(60)))"
        case 18..<36: return String(repeating: pick(["a", "b", "yz"]), count: 1 + below(30)) + "\(below(50))"
        default: return chance(4) ? "" : String(repeating: "w", count: 50 + below(300))
        }
    }

    private mutating func longValue() -> String {
        String(repeating: pick(["L", "M"]), count: chance(5) ? 60_000 + below(200_000) : 4_000 + below(30_000))
    }

    private mutating func element() -> String { chance(150) ? value() : "\(pick(["", "m", "element-"]))\(below(600))" }

    private mutating func elements() -> [String] {
        let count = chance(15) ? 150 + below(300) : 1 + below(4)
        return (0..<count).map { _ in element() }
    }

    private mutating func score() -> String {
        pick(["\(below(100))", "\(below(40)).5", "-\(below(9))", "1e\(below(30))", "inf", "-0"])
    }
    private mutating func id() -> String { "\(below(400))-\(below(3))" }
    private mutating func milliseconds() -> String { pick(["1", "20", "500", "100000", "\(1 + below(3000))"]) }

    /// A command, and the database that it is for.
    mutating func next() -> (database: Int, words: [String]) {
        let database = chance(4) ? 1 + below(2) : 0
        if chance(flushes) { return (database, [pick(["FLUSHDB", "FLUSHALL"])]) }
        if chance(flushes) { return (database, ["SWAPDB", "\(below(3))", "\(below(3))"]) }
        if chance(60) { return (database, parameter()) }
        switch below(13) {
        case 0, 1: return (database, string())
        case 2, 3: return (database, ofAnyType())
        case 4, 5: return (database, list())
        case 6: return (database, set())
        case 7, 8: return (database, sortedSet())
        case 9, 10: return (database, hash())
        case 11: return (database, stream())
        default: return (database, group())
        }
    }

    private mutating func parameter() -> [String] {
        let (name, values): (String, [String]) =
            [
                ("list-max-listpack-size", ["-2", "-1", "4", "1", "50"]), ("hash-max-listpack-entries", ["512", "4", "64"]),
                ("hash-max-listpack-value", ["64", "20", "5000"]), ("set-max-intset-entries", ["512", "5"]),
                ("set-max-listpack-entries", ["128", "3", "1000"]), ("zset-max-listpack-entries", ["128", "5"]),
                ("stream-node-max-entries", ["100", "3"]),
            ][below(7)]
        return ["KV.SET-PARAMETER", name, pick(values)]
    }

    private mutating func string() -> [String] {
        let key = self.key("s")
        switch below(14) {
        case 0, 1, 2: return ["SET", key, value()]
        case 3: return ["SET", key, value(), "PX", milliseconds()]
        case 4: return ["SET", key, value(), "KEEPTTL"]
        case 5: return ["APPEND", key, value()]
        case 6: return ["SETRANGE", key, "\(below(chance(9) ? 40_000 : 50))", value()]
        case 7: return [pick(["INCR", "DECR", "GETDEL"]), key]
        case 8: return ["INCRBYFLOAT", key, "0.25"]
        case 9: return ["GETEX", key, "PX", milliseconds()]
        case 10: return ["SETBIT", key, "\(below(5000))", "\(below(2))"]
        case 11: return ["MSET", key, value(), self.key("s"), value()]
        case 12: return ["BITFIELD", key, "SET", "u8", "\(below(300))", "\(below(256))"]
        default: return chance(2) ? ["PFADD", "s\(below(3))p"] + elements() : ["PFMERGE", "s\(below(3))p", "s\(below(3))p"]
        }
    }

    private mutating func ofAnyType() -> [String] {
        let family = pick(["s", "l", "t", "z", "h", "x"])
        let key = self.key(family)
        switch below(11) {
        case 0: return [pick(["DEL", "UNLINK"]), key, self.key(family)]
        case 1: return ["RENAME", key, self.key(family)]
        case 2: return ["RENAMENX", key, self.key(family)]
        case 3: return ["COPY", key, self.key(family), "DB", "\(below(3))"] + (chance(2) ? ["REPLACE"] : [])
        case 4: return ["MOVE", key, "\(below(3))"]
        case 5, 6: return ["PEXPIRE", key, milliseconds()]
        case 7: return ["PERSIST", key]
        case 8: return ["SORT", self.key(pick(["l", "t", "z"])), "ALPHA", "LIMIT", "0", "40", "STORE", self.key("l")]
        case 9: return ["BITOP", "OR", self.key("s"), self.key("s"), self.key("s")]
        default: return ["TOUCH", key]
        }
    }

    private mutating func list() -> [String] {
        let key = self.key("l")
        switch below(13) {
        case 0, 1, 2: return [pick(["RPUSH", "LPUSH", "RPUSHX"]), key] + elements()
        case 3: return [pick(["LPOP", "RPOP"]), key, "\(1 + below(chance(4) ? 60 : 3))"]
        case 4: return ["LINSERT", key, pick(["BEFORE", "AFTER"]), element(), element()]
        case 5: return ["LSET", key, "\(below(20) - 10)", value()]
        case 6: return ["LREM", key, "\(below(3) - 1)", element()]
        case 7: return ["LTRIM", key, "\(below(6))", "-\(1 + below(6))"]
        case 8, 9: return ["LMOVE", key, self.key("l"), pick(["LEFT", "RIGHT"]), pick(["LEFT", "RIGHT"])]
        case 10: return ["LMPOP", "2", key, self.key("l"), "LEFT", "COUNT", "3"]
        case 11: return ["LINSERT", key, "BEFORE", "element-\(below(600))", value()]
        default: return ["RPOPLPUSH", key, self.key("l")]
        }
    }

    private mutating func set() -> [String] {
        let key = self.key("t")
        switch below(8) {
        case 0, 1: return ["SADD", key] + elements()
        case 2: return ["SADD", key] + (0...below(5)).map { _ in "\(below(1 << (1 + below(40))))" }
        case 3: return ["SREM", key] + elements()
        case 4: return ["SPOP", key] + (chance(2) ? ["\(1 + below(10))"] : [])
        case 5: return ["SMOVE", key, self.key("t"), element()]
        case 6: return [pick(["SUNIONSTORE", "SDIFFSTORE", "SINTERSTORE"]), self.key("t"), key, self.key("t")]
        // Converted, but nothing is added.
        default: return ["SADD", key] + [String](repeating: element(), count: 140)
        }
    }

    private mutating func sortedSet() -> [String] {
        let key = self.key("z")
        switch below(11) {
        case 0, 1, 2: return ["ZADD", key] + elements().flatMap { [score(), $0] }
        case 3: return ["ZADD", key, pick(["XX", "NX", "GT"])] + elements().flatMap { [score(), $0] }
        case 4: return ["ZINCRBY", key, "\(below(10))", element()]
        case 5: return ["ZREM", key] + elements()
        case 6: return [pick(["ZPOPMIN", "ZPOPMAX"]), key, "\(1 + below(4))"]
        case 7: return ["ZUNIONSTORE", self.key("z"), "2", key, self.key("t")]
        case 8: return ["ZREMRANGEBYRANK", key, "\(below(5))", "\(5 + below(5))"]
        case 9: return ["ZRANGESTORE", self.key("z"), key, "0", "\(below(60))"]
        default: return ["GEOADD", key, "\(below(100)).\(below(10))", "\(below(60))", element()]
        }
    }

    private mutating func hash() -> [String] {
        let key = self.key("h")
        switch below(11) {
        case 0, 1: return ["HSET", key] + elements().flatMap { [$0, value()] }
        case 2: return ["HSETNX", key, element(), value()]
        case 3: return ["HDEL", key] + elements()
        case 4: return ["HINCRBY", key, element(), "\(below(10))"]
        case 5, 6: return ["HPEXPIRE", key, milliseconds(), "FIELDS", "2", element(), element()]
        case 7:
            let fields = elements()
            return ["HSET", key] + fields.flatMap { [$0, "v"] }
        case 8:
            let fields = elements()
            return ["HPEXPIRE", key, milliseconds(), "FIELDS", "\(fields.count)"] + fields
        case 9: return ["HPERSIST", key, "FIELDS", "1", element()]
        default: return ["HINCRBYFLOAT", key, element(), "1.5"]
        }
    }

    private mutating func stream() -> [String] {
        let key = self.key("x")
        switch below(8) {
        case 0, 1, 2: return ["XADD", key, "*", "a", value(), pick(["b", "c"]), value()]
        case 3: return ["XADD", key, "MAXLEN", pick(["~", "="]), "\(below(60))", "*", "a", value()]
        case 4: return ["XDEL", key, id(), id()]
        case 5: return ["XTRIM", key, "MAXLEN", "\(below(40))"]
        case 6: return ["XADD", key, "\(below(500))-\(below(9))", "a", value()]
        default: return ["XSETID", key, "9999999999999999-\(below(9))"]
        }
    }

    private mutating func group() -> [String] {
        let (key, group, consumer) = (self.key("x"), "g\(below(3))", "c\(below(4))")
        switch below(10) {
        case 0: return ["XGROUP", "CREATE", key, group, pick(["0", "$"]), "MKSTREAM"]
        case 1, 2, 3: return ["XREADGROUP", "GROUP", group, consumer, "COUNT", "\(1 + below(20))", "STREAMS", key, ">"]
        case 4: return ["XACK", key, group, id(), id()]
        case 5: return ["XAUTOCLAIM", key, group, consumer, "0", "0", "COUNT", "\(1 + below(9))"]
        case 6: return ["XGROUP", pick(["CREATECONSUMER", "DELCONSUMER"]), key, group, consumer]
        case 7: return chance(3) ? ["XGROUP", "DESTROY", key, group] : ["XGROUP", "SETID", key, group, "0"]
        case 8: return ["XCLAIM", key, group, consumer, "0", id()]
        default: return ["XREADGROUP", "GROUP", group, consumer, "STREAMS", key, "0"]
        }
    }
}
