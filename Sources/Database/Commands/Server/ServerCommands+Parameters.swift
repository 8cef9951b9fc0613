import Base
import RESP

// Parameters of CONFIG SET that change what commands answer: they are replicated, so that every node answers alike. A
// node turns CONFIG SET of such parameters into KV.SET-PARAMETER, which goes through the log.
extension ServerCommands {
    /// The replicated parameters by their name in Redis's configuration.
    static let parameters: [(name: StaticString, path: @Sendable (inout CollectionLimits, Int?) -> Int)] = [
        ("hash-max-listpack-entries", { access(&$0.hashEntries, $1) }),
        ("hash-max-listpack-value", { access(&$0.hashValueBytes, $1) }),
        ("list-max-listpack-size", { access(&$0.listSize, $1) }),
        ("set-max-intset-entries", { access(&$0.setIntegers, $1) }),
        ("set-max-listpack-entries", { access(&$0.setEntries, $1) }),
        ("set-max-listpack-value", { access(&$0.setValueBytes, $1) }),
        ("zset-max-listpack-entries", { access(&$0.sortedSetEntries, $1) }),
        ("zset-max-listpack-value", { access(&$0.sortedSetValueBytes, $1) }),
        ("stream-node-max-bytes", { access(&$0.streamNodeBytes, $1) }),
        ("stream-node-max-entries", { access(&$0.streamNodeEntries, $1) }),
        ("hll-sparse-max-bytes", { access(&$0.hyperLogLogSparseBytes, $1) }),
    ]

    /// What a parameter may be at all: Redis's integers. What makes no difference there (a list size below -5) makes none here.
    static let parameterRange = Int64(Int32.min)...Int64(Int32.max)

    /// Sets the field when there is a value, and returns what it is.
    private static func access(_ field: inout Int, _ value: Int?) -> Int {
        if let value { field = value }
        return field
    }

    /// KV.SET-PARAMETER name value [name value …]
    static func setParameter(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count % 2 != 1 { return CommandTable.wrongArgumentCount("kv.set-parameter", execution.reply) }
        var changed = execution.limits
        for index in stride(from: 1, to: arguments.count, by: 2) {
            guard let parameter = parameters.first(where: { arguments[index].equalsIgnoringCase($0.name) }) else {
                return execution.reply.error(text: "ERR '\(arguments[index].text)' is not a parameter of the cluster")
            }
            guard let value = parseInteger(arguments[index + 1]), parameterRange.contains(value) else {
                return execution.reply.error("ERR value is not an integer or out of range")
            }
            _ = parameter.path(&changed, Int(value))
        }
        execution.limits = changed
        execution.reply.ok()
    }
}

extension StateMachine {
    /// The value of a replicated parameter; nil for another name.
    package func parameter(_ name: String) -> Int? {
        var limits = execution.limits
        return Array(name.utf8).withView { name in
            ServerCommands.parameters.first { name.equalsIgnoringCase($0.name) }.map { $0.path(&limits, nil) }
        }
    }

    /// All replicated parameters, in a fixed order, for the digest.
    var parameterValues: [Int] {
        var limits = execution.limits
        return ServerCommands.parameters.map { $0.path(&limits, nil) }
    }
}
