/// What COMMAND INFO says about a command, by Redis's names. `movableKeys` is derived from the key specifications.
package struct CommandFlags: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// May change data.
    package static let write = CommandFlags(rawValue: 1 << 0)
    /// Only reads data.
    package static let readonly = CommandFlags(rawValue: 1 << 1)
    /// Refused when memory is short.
    package static let denyOOM = CommandFlags(rawValue: 1 << 2)
    /// Administrative.
    package static let admin = CommandFlags(rawValue: 1 << 3)
    /// Publish and subscribe.
    package static let pubsub = CommandFlags(rawValue: 1 << 4)
    /// Not allowed in scripts.
    package static let noScript = CommandFlags(rawValue: 1 << 5)
    /// May block its client.
    package static let blocking = CommandFlags(rawValue: 1 << 6)
    /// Allowed while data is being loaded.
    package static let loading = CommandFlags(rawValue: 1 << 7)
    /// Allowed on a node with stale data.
    package static let stale = CommandFlags(rawValue: 1 << 8)
    /// Not shown by MONITOR.
    package static let skipMonitor = CommandFlags(rawValue: 1 << 9)
    /// Not in the slow log.
    package static let skipSlowLog = CommandFlags(rawValue: 1 << 10)
    /// For cluster redirection.
    package static let asking = CommandFlags(rawValue: 1 << 11)
    /// Takes constant or logarithmic time.
    package static let fast = CommandFlags(rawValue: 1 << 12)
    /// Allowed before authentication.
    package static let noAuth = CommandFlags(rawValue: 1 << 13)
    /// May replicate though it only reads.
    package static let mayReplicate = CommandFlags(rawValue: 1 << 14)
    /// The keys can't be found from first, last and step alone.
    package static let movableKeys = CommandFlags(rawValue: 1 << 15)
    /// Not allowed inside a transaction.
    package static let noMulti = CommandFlags(rawValue: 1 << 16)
    /// Allowed while the server is busy with a script.
    package static let allowBusy = CommandFlags(rawValue: 1 << 17)
    /// Keys are optional, and not checked for the slot.
    package static let noMandatoryKeys = CommandFlags(rawValue: 1 << 18)
    /// Does not queue when the client is in asynchronous loading.
    package static let noAsyncLoading = CommandFlags(rawValue: 1 << 19)

    /// The names, in the order in which Redis replies them.
    static let names: [(CommandFlags, StaticString)] = [
        (.write, "write"), (.readonly, "readonly"), (.denyOOM, "denyoom"), (.admin, "admin"), (.pubsub, "pubsub"),
        (.noScript, "noscript"), (.blocking, "blocking"), (.loading, "loading"), (.stale, "stale"),
        (.skipMonitor, "skip_monitor"), (.skipSlowLog, "skip_slowlog"), (.asking, "asking"), (.fast, "fast"),
        (.noAuth, "no_auth"), (.mayReplicate, "may_replicate"), (.movableKeys, "movablekeys"), (.noMulti, "no_multi"),
        (.allowBusy, "allow_busy"), (.noMandatoryKeys, "no_mandatory_keys"), (.noAsyncLoading, "no_async_loading"),
    ]
}

/// The categories of access control, by Redis's names.
package struct CommandCategories: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let keyspace = CommandCategories(rawValue: 1 << 0)
    package static let read = CommandCategories(rawValue: 1 << 1)
    package static let write = CommandCategories(rawValue: 1 << 2)
    package static let set = CommandCategories(rawValue: 1 << 3)
    package static let sortedSet = CommandCategories(rawValue: 1 << 4)
    package static let list = CommandCategories(rawValue: 1 << 5)
    package static let hash = CommandCategories(rawValue: 1 << 6)
    package static let string = CommandCategories(rawValue: 1 << 7)
    package static let bitmap = CommandCategories(rawValue: 1 << 8)
    package static let hyperloglog = CommandCategories(rawValue: 1 << 9)
    package static let geo = CommandCategories(rawValue: 1 << 10)
    package static let stream = CommandCategories(rawValue: 1 << 11)
    package static let pubsub = CommandCategories(rawValue: 1 << 12)
    package static let admin = CommandCategories(rawValue: 1 << 13)
    package static let fast = CommandCategories(rawValue: 1 << 14)
    package static let slow = CommandCategories(rawValue: 1 << 15)
    package static let blocking = CommandCategories(rawValue: 1 << 16)
    package static let dangerous = CommandCategories(rawValue: 1 << 17)
    package static let connection = CommandCategories(rawValue: 1 << 18)
    package static let transaction = CommandCategories(rawValue: 1 << 19)
    package static let scripting = CommandCategories(rawValue: 1 << 20)

    /// The names, in the order in which Redis replies them.
    static let names: [(CommandCategories, StaticString)] = [
        (.keyspace, "keyspace"), (.read, "read"), (.write, "write"), (.set, "set"), (.sortedSet, "sortedset"), (.list, "list"),
        (.hash, "hash"), (.string, "string"), (.bitmap, "bitmap"), (.hyperloglog, "hyperloglog"), (.geo, "geo"),
        (.stream, "stream"), (.pubsub, "pubsub"), (.admin, "admin"), (.fast, "fast"), (.slow, "slow"),
        (.blocking, "blocking"), (.dangerous, "dangerous"), (.connection, "connection"), (.transaction, "transaction"),
        (.scripting, "scripting"),
    ]

    /// A category by its name.
    package static func named(_ name: String) -> CommandCategories? {
        for (category, own) in names where own.description == name { return category }
        return nil
    }
}

/// The groups of commands, by the names of COMMAND DOCS.
package enum CommandGroup: String, Sendable {
    case string, list, set, hash, stream, bitmap, hyperloglog, geo, generic, connection, server, transactions, pubsub
    case scripting, cluster
    case sortedSet = "sorted-set"
    /// Commands that Redis does not have.
    case coracle
}
