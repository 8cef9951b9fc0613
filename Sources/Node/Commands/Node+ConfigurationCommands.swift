import Base
import Database
import RESP

/// CONFIG. Parameters that change results are the cluster's: they are set through the log, on every node alike; the rest is
/// this node's own.
extension Node {
    func configGet(_ connection: ClientConnection) {
        var found: [(String, String)] = []
        for parameter in configuration.parameters {
            for name in [parameter.name, parameter.alias].compactMap({ $0 }) {
                var text = name
                let matches = text.withUTF8 { bytes in
                    (2..<arguments.count).contains {
                        globMatch(arguments[$0], ByteView(UnsafeRawBufferPointer(bytes)), ignoringCase: true)
                    }
                }
                if matches { found.append((name, parameter.value)) }
            }
        }
        let writer = connection.writer
        writer.map(found.count)
        for (name, value) in found {
            writer.bulk(text: name)
            writer.bulk(text: value)
        }
    }

    /// Whether the command in `arguments` is a CONFIG SET that has to go through the log. One with errors does not: it is
    /// refused here, before anything is set.
    func isReplicatedConfiguration(_ command: Command) -> Bool {
        guard command.fullName == "config|set", arguments.count % 2 == 0 else { return false }
        var replicated = false
        for index in stride(from: 2, to: arguments.count, by: 2) {
            guard let position = configuration.position(arguments[index].text) else { return false }
            var normalized = ""
            if configuration.objection(to: arguments[index + 1].text, at: position, normalized: &normalized) != nil {
                return false
            }
            if configuration.parameters[position].isReplicated { replicated = true }
        }
        return replicated
    }

    func configSet(_ connection: ClientConnection) {
        if arguments.count % 2 != 0 { return replyError(connection, "ERR wrong number of arguments for 'config|set' command") }
        var changes: [(position: Int, value: String)] = []
        for index in stride(from: 2, to: arguments.count, by: 2) {
            let name = arguments[index].text
            guard let position = configuration.position(name) else {
                return replyError(connection, "ERR Unknown option or number of arguments for CONFIG SET - '\(name)'")
            }
            if changes.contains(where: { $0.position == position }) {
                return replyError(
                    connection, "ERR CONFIG SET failed (possibly related to argument '\(name)') - duplicate parameter")
            }
            var normalized = ""
            if let objection = configuration.objection(to: arguments[index + 1].text, at: position, normalized: &normalized) {
                return replyError(connection, "ERR CONFIG SET failed (possibly related to argument '\(name)') - \(objection)")
            }
            changes.append((position, normalized))
        }
        for change in changes { configuration.set(change.value, at: change.position) }
        for client in clients.values { client.parser.limits = configuration.requestLimits }
        connection.writer.ok()
    }

    func configResetStat(_ connection: ClientConnection) {
        statistics.resetCounters()
        group.machine.execution.statistics = DatabaseStatistics()
        connection.writer.ok()
    }
}
