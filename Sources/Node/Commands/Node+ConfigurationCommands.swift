import Base
import Database
import RESP

/// CONFIG. Parameters that change results are the cluster's: they are set through the log, on every node alike; the rest is
/// this node's own.
extension Node {
    func configGet(_ connection: ClientConnection) {
        var found: [(String, String)] = []
        for parameter in currentParameters {
            for name in [parameter.name, parameter.alias].compactMap({ $0 }) {
                var text = name
                let isHidden = Node.hiddenParameters.contains(name)
                let matches = text.withUTF8 { bytes in
                    let name = ByteView(UnsafeRawBufferPointer(bytes))
                    return (2..<arguments.count).contains {
                        isHidden
                            ? arguments[$0].text.lowercased().utf8.elementsEqual(bytes)
                            : globMatch(arguments[$0], name, ignoringCase: true)
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

    /// Redis shows these, which are for its own tests, only to who names them.
    private static let hiddenParameters: Set<String> = ["key-load-delay", "rdb-key-save-delay"]

    /// The parameters with the replicated ones as the state machine has them.
    private var currentParameters: [ServerConfiguration.Parameter] {
        configuration.parameters.map { parameter in
            guard parameter.isReplicated, let value = group.machine.parameter(parameter.name) else { return parameter }
            var current = parameter
            current.value = String(value)
            return current
        }
    }

    /// CONFIG SET: all or nothing. This node's own parameters are set at once; the cluster's go through the log, and then the
    /// reply comes from there.
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
        effects.clientsMax = configuration.clientsMax
        for client in clients.values { client.parser.limits = configuration.requestLimits }
        let replicated = changes.filter { configuration.parameters[$0.position].isReplicated }
        if replicated.isEmpty { return connection.writer.ok() }
        proposeParameters(replicated.map { (configuration.parameters[$0.position].name, $0.value) }, connection)
    }

    private func proposeParameters(_ parameters: [(name: String, value: String)], _ connection: ClientConnection) {
        let words = ["KV.SET-PARAMETER"] + parameters.flatMap { [$0.name, $0.value] }
        readArguments.replace(with: words.map { Array($0.utf8) })
        gatherProposal(readArguments, connection, database: connection.database)
        if connection.skipsReply { connection.skippedProposal = group.proposals.nextNumber - 1 }
    }

    func configResetStat(_ connection: ClientConnection) {
        countAnswered()
        statistics.resetCounters()
        group.machine.execution.statistics = DatabaseStatistics()
        connection.writer.ok()
    }
}
