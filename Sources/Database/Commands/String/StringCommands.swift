import Base
import RESP

extension StringCommands {
    static func get(_ execution: Execution) {
        guard let entry = execution.lookupRead(execution.arguments[1]) else { return execution.reply.null() }
        if !entry.isString { return execution.wrongType() }
        execution.replyString(entry)
    }

    static func set(_ execution: Execution) {
        execution.setString(execution.arguments[1], execution.arguments[2])
        execution.reply.ok()
    }
}
