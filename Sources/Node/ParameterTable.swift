/// The parameters of Redis 7.2 that clients and test suites read or set, with Redis's defaults unless another value is the
/// truth here.
enum ParameterTable {
    private typealias Parameter = ServerConfiguration.Parameter
    private typealias Kind = ServerConfiguration.Kind

    static var all: [ServerConfiguration.Parameter] { limits + encodings + persistence + memory + behaviour + process }

    private static func parameter(
        _ name: String, _ kind: Kind, _ value: String, replicated: Bool = false, alias: String? = nil
    ) -> Parameter {
        Parameter(name: name, kind: kind, value: value, isReplicated: replicated, alias: alias)
    }

    private static let anyCount = Kind.integer(0...Int64(Int32.max))

    private static var limits: [Parameter] {
        [
            parameter("maxclients", .integer(1...100_000), "10000"),
            parameter("timeout", anyCount, "0"),
            parameter("tcp-keepalive", anyCount, "300"),
            parameter("tcp-backlog", .immutable, "511"),
            parameter("proto-max-bulk-len", .memory(1 << 20...512 << 20), String(512 << 20)),
            parameter("client-query-buffer-limit", .memory(1 << 20...Int64.max), String(1 << 30)),
            parameter(
                "client-output-buffer-limit", .text, "normal 268435456 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
            ),
        ]
    }

    private static var encodings: [Parameter] {
        [
            parameter("hash-max-listpack-entries", anyCount, "512", replicated: true, alias: "hash-max-ziplist-entries"),
            parameter("hash-max-listpack-value", anyCount, "64", replicated: true, alias: "hash-max-ziplist-value"),
            parameter(
                "list-max-listpack-size", .integer(Int64(Int32.min)...Int64(Int32.max)), "-2", replicated: true,
                alias: "list-max-ziplist-size"),
            parameter("list-compress-depth", anyCount, "0"),
            parameter("set-max-intset-entries", anyCount, "512", replicated: true),
            parameter("set-max-listpack-entries", anyCount, "128", replicated: true),
            parameter("set-max-listpack-value", anyCount, "64", replicated: true),
            parameter("zset-max-listpack-entries", anyCount, "128", replicated: true, alias: "zset-max-ziplist-entries"),
            parameter("zset-max-listpack-value", anyCount, "64", replicated: true, alias: "zset-max-ziplist-value"),
            parameter("hll-sparse-max-bytes", anyCount, "3000", replicated: true),
            parameter("stream-node-max-bytes", anyCount, "4096", replicated: true),
            parameter("stream-node-max-entries", anyCount, "100", replicated: true),
            parameter("activerehashing", .boolean, "yes"),
        ]
    }

    private static var persistence: [Parameter] {
        [
            parameter("save", .text, ""),
            parameter("appendonly", .boolean, "yes"),
            parameter("appendfsync", .choice(["everysec", "always", "no"]), "always"),
            parameter("no-appendfsync-on-rewrite", .boolean, "no"),
            parameter("auto-aof-rewrite-percentage", anyCount, "100"),
            parameter("auto-aof-rewrite-min-size", .memory(0...Int64.max), String(64 << 20)),
            parameter("aof-use-rdb-preamble", .boolean, "yes"),
            parameter("aof-timestamp-enabled", .boolean, "no"),
            parameter("rdbcompression", .boolean, "yes"),
            parameter("rdbchecksum", .boolean, "yes"),
            parameter("rdb-save-incremental-fsync", .boolean, "yes"),
            parameter("sanitize-dump-payload", .choice(["yes", "no", "clients"]), "yes"),
            parameter("rdb-key-save-delay", .integer(Int64(Int32.min)...Int64(Int32.max)), "0"),
            parameter("key-load-delay", .integer(Int64(Int32.min)...Int64(Int32.max)), "0"),
            parameter("stop-writes-on-bgsave-error", .boolean, "yes"),
            parameter("dir", .immutable, ""),
            parameter("dbfilename", .text, "dump.rdb"),
        ]
    }

    private static var memory: [Parameter] {
        [
            parameter("maxmemory", .memory(0...0), "0"),
            parameter("maxmemory-policy", .choice(["noeviction"]), "noeviction"),
            parameter("maxmemory-samples", anyCount, "5"),
            parameter("lfu-log-factor", anyCount, "10"),
            parameter("lfu-decay-time", anyCount, "1"),
            parameter("active-expire-effort", .integer(1...10), "1"),
            parameter("activedefrag", .choice(["no"]), "no"),
            parameter("lazyfree-lazy-eviction", .boolean, "no"),
            parameter("lazyfree-lazy-expire", .boolean, "no"),
            parameter("lazyfree-lazy-server-del", .boolean, "no"),
            parameter("lazyfree-lazy-user-del", .boolean, "no"),
            parameter("lazyfree-lazy-user-flush", .boolean, "no"),
        ]
    }

    private static var behaviour: [Parameter] {
        [
            parameter("databases", .immutable, "16"),
            parameter("hz", .integer(1...500), "10"),
            parameter("dynamic-hz", .boolean, "yes"),
            parameter("slowlog-log-slower-than", .integer(-1...Int64.max), "10000"),
            parameter("slowlog-max-len", .integer(0...Int64.max), "128"),
            parameter("latency-monitor-threshold", .integer(0...Int64.max), "0"),
            parameter("latency-tracking", .boolean, "yes"),
            parameter("notify-keyspace-events", .text, ""),
            parameter("lua-time-limit", anyCount, "5000", alias: "busy-reply-threshold"),
            parameter("proto-inline-max-len", .immutable, "65536"),
            parameter("replica-read-only", .boolean, "yes", alias: "slave-read-only"),
            parameter("repl-timeout", anyCount, "60"),
            parameter("replicaof", .immutable, "", alias: "slaveof"),
            parameter("min-replicas-to-write", anyCount, "0", alias: "min-slaves-to-write"),
            parameter("tracking-table-max-keys", .integer(0...Int64.max), "1000000"),
            parameter("close-on-oom", .boolean, "no"),
            parameter("cluster-enabled", .immutable, "no"),
            parameter("enable-debug-command", .immutable, "yes"),
            parameter("protected-mode", .choice(["no"]), "no"),
        ]
    }

    private static var process: [Parameter] {
        [
            parameter("port", .immutable, "0"),
            parameter("bind", .immutable, ""),
            parameter("daemonize", .immutable, "no"),
            parameter("supervised", .immutable, "no"),
            parameter("loglevel", .choice(["debug", "verbose", "notice", "warning"]), "notice"),
            parameter("logfile", .immutable, ""),
            parameter("pidfile", .immutable, ""),
            parameter("io-threads", .immutable, "1"),
            parameter("maxmemory-clients", .memory(0...0), "0"),
            parameter("requirepass", .choice([""]), ""),
        ]
    }
}
