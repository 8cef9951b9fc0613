// What stands behind the names of commands, in the notation that `SyntaxParsing` explains.
extension ArgumentSyntax {
    static let texts: [String: String] = {
        var all = strings
        for part in [keys, hashes, lists, sets, sortedSets, sortedSetAlgebra, streams, bits, geo, connection, server, own] {
            all.merge(part) { first, _ in first }
        }
        return all
    }()

    private static let lifetime = "EX seconds:i | PX milliseconds:i | EXAT unix-time-seconds:t | PXAT unix-time-milliseconds:t"
    private static let scan = "cursor:i [MATCH pattern:p] [COUNT count:i]"

    private static let strings = [
        "append": "key:k value", "decr": "key:k", "decrby": "key:k decrement:i", "get": "key:k", "getdel": "key:k",
        "getex": "key:k [\(lifetime) | PERSIST]", "getrange": "key:k start:i end:i", "getset": "key:k value", "incr": "key:k",
        "incrby": "key:k increment:i", "incrbyfloat": "key:k increment:d",
        "lcs": "key1:k key2:k [LEN] [IDX] [MINMATCHLEN min-match-len:i] [WITHMATCHLEN]", "mget": "key:k...",
        "mset": "(key:k value)...", "msetnx": "(key:k value)...", "psetex": "key:k milliseconds:i value",
        "set": "key:k value [NX | XX] [GET] [\(lifetime) | KEEPTTL]", "setex": "key:k seconds:i value", "setnx": "key:k value",
        "setrange": "key:k offset:i value", "strlen": "key:k", "substr": "key:k start:i end:i",
    ]

    private static let keys = [
        "copy": "source:k destination:k [DB destination-db:i] [REPLACE]", "del": "key:k...", "dump": "key:k",
        "exists": "key:k...",
        "expire": "key:k seconds:i [NX | XX | GT | LT]", "expireat": "key:k unix-time-seconds:t [NX | XX | GT | LT]",
        "expiretime": "key:k", "keys": "pattern:p", "move": "key:k db:i", "object": "", "object|encoding": "key:k",
        "object|freq": "key:k", "object|help": "", "object|idletime": "key:k", "object|refcount": "key:k", "persist": "key:k",
        "pexpire": "key:k milliseconds:i [NX | XX | GT | LT]", "pexpireat": "key:k unix-time-milliseconds:t [NX | XX | GT | LT]",
        "pexpiretime": "key:k", "pttl": "key:k", "randomkey": "", "rename": "key:k newkey:k", "renamenx": "key:k newkey:k",
        "restore": "key:k ttl:i serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:i] [FREQ frequency:i]",
        "scan": scan + " [TYPE type]",
        "sort":
            "key:k [BY by-pattern:p] [LIMIT (offset:i count:i)] [GET get-pattern:p++] [ASC | DESC] [ALPHA] [STORE destination:k]",
        "sort_ro": "key:k [BY by-pattern:p] [LIMIT (offset:i count:i)] [GET get-pattern:p++] [ASC | DESC] [ALPHA]",
        "touch": "key:k...", "ttl": "key:k", "type": "key:k", "unlink": "key:k...", "wait": "numreplicas:i timeout:i",
        "waitaof": "numlocal:i numreplicas:i timeout:i",
    ]

    private static let hashes = [
        "hdel": "key:k field...", "hexists": "key:k field", "hget": "key:k field", "hgetall": "key:k",
        "hincrby": "key:k field increment:i", "hincrbyfloat": "key:k field increment:d", "hkeys": "key:k", "hlen": "key:k",
        "hmget": "key:k field...", "hmset": "key:k (field value)...", "hrandfield": "key:k [count:i [WITHVALUES]]",
        "hscan": "key:k " + scan + " [NOVALUES]", "hset": "key:k (field value)...", "hsetnx": "key:k field value",
        "hstrlen": "key:k field",
        "hvals": "key:k", "hexpire": "key:k seconds:i [NX | XX | GT | LT] FIELDS (numfields:i field...)",
        "hpexpire": "key:k milliseconds:i [NX | XX | GT | LT] FIELDS (numfields:i field...)",
        "hexpireat": "key:k unix-time-seconds:t [NX | XX | GT | LT] FIELDS (numfields:i field...)",
        "hpexpireat": "key:k unix-time-milliseconds:t [NX | XX | GT | LT] FIELDS (numfields:i field...)",
        "httl": "key:k FIELDS (numfields:i field...)", "hpttl": "key:k FIELDS (numfields:i field...)",
        "hexpiretime": "key:k FIELDS (numfields:i field...)", "hpexpiretime": "key:k FIELDS (numfields:i field...)",
        "hpersist": "key:k FIELDS (numfields:i field...)",
    ]

    private static let lists = [
        "blmove": "source:k destination:k (LEFT | RIGHT) (LEFT | RIGHT) timeout:d",
        "blmpop": "timeout:d numkeys:i key:k... (LEFT | RIGHT) [COUNT count:i]", "blpop": "key:k... timeout:d",
        "brpop": "key:k... timeout:d", "brpoplpush": "source:k destination:k timeout:d", "lindex": "key:k index:i",
        "linsert": "key:k (BEFORE | AFTER) pivot element", "llen": "key:k",
        "lmove": "source:k destination:k (LEFT | RIGHT) (LEFT | RIGHT)",
        "lmpop": "numkeys:i key:k... (LEFT | RIGHT) [COUNT count:i]",
        "lpop": "key:k [count:i]", "lpos": "key:k element [RANK rank:i] [COUNT num-matches:i] [MAXLEN len:i]",
        "lpush": "key:k element...", "lpushx": "key:k element...", "lrange": "key:k start:i stop:i",
        "lrem": "key:k count:i element", "lset": "key:k index:i element", "ltrim": "key:k start:i stop:i",
        "rpop": "key:k [count:i]",
        "rpoplpush": "source:k destination:k", "rpush": "key:k element...", "rpushx": "key:k element...",
    ]

    private static let sets = [
        "sadd": "key:k member...", "scard": "key:k", "sdiff": "key:k...", "sdiffstore": "destination:k key:k...",
        "sinter": "key:k...",
        "sintercard": "numkeys:i key:k... [LIMIT limit:i]", "sinterstore": "destination:k key:k...", "sismember": "key:k member",
        "smembers": "key:k", "smismember": "key:k member...", "smove": "source:k destination:k member", "spop": "key:k [count:i]",
        "srandmember": "key:k [count:i]", "srem": "key:k member...", "sscan": "key:k " + scan, "sunion": "key:k...",
        "sunionstore": "destination:k key:k...",
    ]

    private static let sortedSets = [
        "bzmpop": "timeout:d numkeys:i key:k... (MIN | MAX) [COUNT count:i]", "bzpopmax": "key:k... timeout:d",
        "bzpopmin": "key:k... timeout:d", "zadd": "key:k [NX | XX] [GT | LT] [CH] [INCR] (score:d member)...", "zcard": "key:k",
        "zcount": "key:k min:d max:d", "zincrby": "key:k increment:d member", "zlexcount": "key:k min max",
        "zmpop": "numkeys:i key:k... (MIN | MAX) [COUNT count:i]", "zmscore": "key:k member...", "zpopmax": "key:k [count:i]",
        "zpopmin": "key:k [count:i]", "zrandmember": "key:k [count:i [WITHSCORES]]",
        "zrange": "key:k start stop [BYSCORE | BYLEX] [REV] [LIMIT (offset:i count:i)] [WITHSCORES]",
        "zrangebylex": "key:k min max [LIMIT (offset:i count:i)]",
        "zrangebyscore": "key:k min:d max:d [WITHSCORES] [LIMIT (offset:i count:i)]",
        "zrangestore": "dst:k src:k min max [BYSCORE | BYLEX] [REV] [LIMIT (offset:i count:i)]",
        "zrank": "key:k member [WITHSCORE]",
        "zrem": "key:k member...", "zremrangebylex": "key:k min max", "zremrangebyrank": "key:k start:i stop:i",
        "zremrangebyscore": "key:k min:d max:d", "zrevrange": "key:k start:i stop:i [WITHSCORES]",
        "zrevrangebylex": "key:k max min [LIMIT (offset:i count:i)]",
        "zrevrangebyscore": "key:k max:d min:d [WITHSCORES] [LIMIT (offset:i count:i)]", "zrevrank": "key:k member [WITHSCORE]",
        "zscan": "key:k " + scan, "zscore": "key:k member",
    ]

    private static let weighted = "numkeys:i key:k... [WEIGHTS weight:d...] [AGGREGATE (SUM | MIN | MAX)]"
    private static let sortedSetAlgebra = [
        "zdiff": "numkeys:i key:k... [WITHSCORES]", "zdiffstore": "destination:k numkeys:i key:k...",
        "zinter": weighted + " [WITHSCORES]", "zintercard": "numkeys:i key:k... [LIMIT limit:i]",
        "zinterstore": "destination:k " + weighted, "zunion": weighted + " [WITHSCORES]",
        "zunionstore": "destination:k " + weighted,
    ]

    private static let trimming = "(MAXLEN | MINID) [= | ~] threshold [LIMIT count:i]"
    private static let streams = [
        "xack": "key:k group id...", "xadd": "key:k [NOMKSTREAM] [\(trimming)] (* | id) (field value)...",
        "xautoclaim": "key:k group consumer min-idle-time start [COUNT count:i] [JUSTID]",
        "xclaim":
            "key:k group consumer min-idle-time id... [IDLE ms:i] [TIME unix-time-milliseconds:t] [RETRYCOUNT count:i] [FORCE] "
            + "[JUSTID] [LASTID lastid]",
        "xdel": "key:k id...", "xgroup": "", "xgroup|create": "key:k group (id | $) [MKSTREAM] [ENTRIESREAD entries-read:i]",
        "xgroup|createconsumer": "key:k group consumer", "xgroup|delconsumer": "key:k group consumer",
        "xgroup|destroy": "key:k group",
        "xgroup|help": "", "xgroup|setid": "key:k group (id | $) [ENTRIESREAD entries-read:i]", "xinfo": "",
        "xinfo|consumers": "key:k group", "xinfo|groups": "key:k", "xinfo|help": "",
        "xinfo|stream": "key:k [FULL [COUNT count:i]]",
        "xlen": "key:k", "xpending": "key:k group [[IDLE min-idle-time:i] start end count:i [consumer]]",
        "xrange": "key:k start end [COUNT count:i]",
        "xread": "[COUNT count:i] [BLOCK milliseconds:i] STREAMS (key:k... id...)",
        "xreadgroup": "GROUP (group consumer) [COUNT count:i] [BLOCK milliseconds:i] [NOACK] STREAMS (key:k... id...)",
        "xrevrange": "key:k end start [COUNT count:i]",
        "xsetid": "key:k last-id [ENTRIESADDED entries-added:i] [MAXDELETEDID max-deleted-id]",
        "xtrim": "key:k " + trimming,
    ]

    private static let bits = [
        "bitcount": "key:k [start:i end:i [BYTE | BIT]]",
        "bitfield": "key:k [(GET (encoding offset:i) | [OVERFLOW (WRAP | SAT | FAIL)] (SET (encoding offset:i value:i) | "
            + "INCRBY (encoding offset:i increment:i)))...]",
        "bitfield_ro": "key:k [GET (encoding offset:i)++]", "bitop": "(AND | OR | XOR | NOT) destkey:k key:k...",
        "bitpos": "key:k bit:i [start:i [end:i [BYTE | BIT]]]", "getbit": "key:k offset:i", "pfadd": "key:k [element...]",
        "pfcount": "key:k...", "pfdebug": "subcommand key:k", "pfmerge": "destkey:k [sourcekey:k...]", "pfselftest": "",
        "setbit": "key:k offset:i value:i",
    ]

    private static let unit = "(M | KM | FT | MI)"
    private static let shape = "(BYRADIUS (radius:d \(unit)) | BYBOX (width:d height:d \(unit)))"
    private static let center = "(FROMMEMBER member | FROMLONLAT (longitude:d latitude:d))"
    private static let with = "[WITHCOORD] [WITHDIST] [WITHHASH]"
    private static let geo: [String: String] = [
        "geoadd": "key:k [NX | XX] [CH] (longitude:d latitude:d member)...",
        "geodist": "key:k member1 member2 [M | KM | FT | MI]",
        "geohash": "key:k [member...]", "geopos": "key:k [member...]",
        "georadius": "key:k longitude:d latitude:d radius:d \(unit) \(with) [COUNT (count:i [ANY])] [ASC | DESC] "
            + "[STORE key:k | STOREDIST key:k]",
        "georadius_ro": "key:k longitude:d latitude:d radius:d \(unit) \(with) [COUNT (count:i [ANY])] [ASC | DESC]",
        "georadiusbymember": "key:k member radius:d \(unit) \(with) [COUNT (count:i [ANY])] [ASC | DESC] "
            + "[STORE key:k | STOREDIST key:k]",
        "georadiusbymember_ro": "key:k member radius:d \(unit) \(with) [COUNT (count:i [ANY])] [ASC | DESC]",
        "geosearch": "key:k \(center) \(shape) [ASC | DESC] [COUNT (count:i [ANY])] \(with)",
        "geosearchstore": "destination:k source:k \(center) \(shape) [ASC | DESC] [COUNT (count:i [ANY])] [STOREDIST]",
    ]

    private static let connection = [
        "auth": "[username] password", "client": "", "client|caching": "(YES | NO)", "client|getname": "", "client|getredir": "",
        "client|help": "",
        "client|id": "",
        "client|info": "", "client|kill": "(ip:port | (filter value)...)", "client|list": "[TYPE type] [ID client-id:i...]",
        "client|no-evict": "(ON | OFF)", "client|no-touch": "(ON | OFF)", "client|pause": "timeout:i [WRITE | ALL]",
        "client|reply": "(ON | OFF | SKIP)", "client|setinfo": "(LIB-NAME libname | LIB-VER libver)",
        "client|setname": "connection-name", "client|tracking": "(ON | OFF)", "client|trackinginfo": "",
        "client|unblock": "client-id:i [TIMEOUT | ERROR]", "client|unpause": "", "echo": "message",
        "hello": "[protover:i [AUTH (username password)] [SETNAME clientname]]", "ping": "[message]", "quit": "", "reset": "",
        "select": "index:i",
    ]

    private static let server = [
        "command": "", "command|count": "", "command|docs": "[command-name...]", "command|getkeys": "command [arg...]",
        "command|getkeysandflags": "command [arg...]", "command|help": "", "command|info": "[command-name...]",
        "command|list": "[FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern:p)]", "config": "",
        "config|get": "parameter...", "config|help": "", "config|resetstat": "", "config|rewrite": "",
        "config|set": "(parameter value)...", "dbsize": "", "debug": "", "debug|digest": "", "debug|digest-value": "[key:k...]",
        "debug|help": "", "debug|object": "key:k", "debug|reload": "[option...]", "debug|set-active-expire": "value:i",
        "debug|sleep": "seconds:d", "failover": "[TO (host port:i [FORCE])] [ABORT] [TIMEOUT milliseconds:i]",
        "flushall": "[ASYNC | SYNC]", "flushdb": "[ASYNC | SYNC]", "function": "",
        "function|flush": "[ASYNC | SYNC]", "info": "[section...]", "latency": "", "latency|doctor": "", "latency|graph": "event",
        "latency|help": "", "latency|histogram": "[command...]", "latency|history": "event", "latency|latest": "",
        "latency|reset": "[event...]", "lolwut": "[VERSION version:i]", "memory": "", "memory|doctor": "", "memory|help": "",
        "memory|malloc-stats": "", "memory|purge": "", "memory|stats": "", "memory|usage": "key:k [SAMPLES count:i]",
        "asking": "", "bgrewriteaof": "", "cluster": "subcommand [argument...]",
        "migrate":
            "host port:i key:k destination-db:i timeout:i [COPY] [REPLACE] [AUTH password] [AUTH2 (username password)] [KEYS key:k...]",
        "module": "", "module|help": "", "module|list": "", "module|load": "path [arg...]", "module|loadex": "path [argument...]",
        "module|unload": "name", "monitor": "", "readonly": "", "readwrite": "",
        "shutdown": "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "bgsave": "[SCHEDULE]", "lastsave": "", "save": "",
        "psync": "replicationid offset:i", "replconf": "[argument...]", "replicaof": "(host | NO) (port | ONE)", "role": "",
        "slaveof": "(host | NO) (port | ONE)", "slowlog": "", "slowlog|get": "[count:i]", "slowlog|help": "", "slowlog|len": "",
        "slowlog|reset": "",
        "swapdb": "index1:i index2:i", "sync": "", "time": "",
    ]

    private static let own = [
        "cl.throttle": "key:k max-burst:i count-per-period:i period:i [quantity:i]", "kv.set-parameter": "(parameter value)...",
        "kv.snapshot": "", "kv.snapshot|abort": "id:i", "kv.snapshot|help": "", "kv.snapshot|remove": "id:i",
        "kv.snapshot|fetch": "id:i (PART | MANIFEST) offset:i count:i", "kv.snapshot|list": "",
        "kv.snapshot|status": "id:i", "kv.snapshot|take": "[STRICT | CAUSAL] [TIMEOUT milliseconds:i] [WHOLE]",
        "kv.status": "", "kv.transfer-leader": "[node:i]",
    ]
}
