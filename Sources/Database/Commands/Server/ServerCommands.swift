import Base
import RESP

// Server commands that work on the data.
extension ServerCommands {
    static func dbsize(_ execution: Execution) { execution.reply.integer(execution.countOfLiving()) }

    static func flushdb(_ execution: Execution) {
        if !flushModeIsValid(execution) { return }
        execution.flush(execution.keyspace)
        execution.reply.ok()
    }

    static func flushall(_ execution: Execution) {
        if !flushModeIsValid(execution) { return }
        for keyspace in execution.keyspaces { execution.flush(keyspace) }
        execution.reply.ok()
    }

    /// ASYNC and SYNC are the same here: the keys are gone at once, their memory in steps.
    private static func flushModeIsValid(_ execution: Execution) -> Bool {
        let arguments = execution.arguments
        if arguments.count == 1 { return true }
        if arguments.count == 2, isFlushMode(arguments[1]) { return true }
        execution.syntaxError()
        return false
    }

    static func isFlushMode(_ word: ByteView) -> Bool { word.equalsIgnoringCase("async") || word.equalsIgnoringCase("sync") }

    static func swapdb(_ execution: Execution) {
        guard let first = execution.intArgument(1, error: "ERR invalid first DB index"),
            let second = execution.intArgument(2, error: "ERR invalid second DB index")
        else { return }
        guard execution.keyspace(at: first) != nil, execution.keyspace(at: second) != nil else {
            return execution.reply.error("ERR DB index is out of range")
        }
        execution.swapDatabases(Int(first), Int(second))
        execution.reply.ok()
    }

    static func time(_ execution: Execution) {
        let now = execution.observedTime.microseconds
        execution.reply.array(2)
        execution.reply.bulk(decimal: now / 1_000_000)
        execution.reply.bulk(decimal: now % 1_000_000)
    }
}

extension ClusterCommands {
    /// There are no functions yet: after it there are none, as asked.
    static func functionFlush(_ execution: Execution) {
        let arguments = execution.arguments
        if arguments.count > 3 {
            return CommandTable.subcommandSyntaxError(container: "FUNCTION", arguments[1], execution.reply)
        }
        if arguments.count == 3, !ServerCommands.isFlushMode(arguments[2]) {
            return execution.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
        }
        execution.reply.ok()
    }
}
