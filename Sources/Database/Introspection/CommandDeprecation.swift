/// What COMMAND DOCS says of commands that have a better one by now, or that are not meant for users (Redis, COMMAND DOCS:
/// `deprecated_since`, `replaced_by`, `doc_flags`).
struct CommandDeprecation {
    let since: String
    let replacement: String

    /// What is known of a command, by its full name.
    static func of(_ fullName: String) -> CommandDeprecation? {
        table[fullName].map { CommandDeprecation(since: $0.0, replacement: $0.1) }
    }

    /// Commands for tests and for the servers among themselves.
    static let system: Set<String> = ["debug", "pfdebug", "pfselftest", "replconf"]

    private static let table: [String: (String, String)] = [
        "georadius": ("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
        "georadius_ro": ("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument"),
        "georadiusbymember": ("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
        "georadiusbymember_ro": ("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
        "getset": ("6.2.0", "`SET` with the `GET` argument"),
        "hmset": ("4.0.0", "`HSET` with multiple field-value pairs"),
        "quit": ("7.2.0", "just closing the connection"),
        "rpoplpush": ("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
        "slaveof": ("5.0.0", "`REPLICAOF`"),
        "substr": ("2.0.0", "`GETRANGE`"),
        "zrangebylex": ("6.2.0", "`ZRANGE` with the `BYLEX` argument"),
        "zrangebyscore": ("6.2.0", "`ZRANGE` with the `BYSCORE` argument"),
        "zrevrange": ("6.2.0", "`ZRANGE` with the `REV` argument"),
        "zrevrangebylex": ("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
        "zrevrangebyscore": ("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
    ]
}
