import Base
import Database
import RESP

/// CLIENT and its subcommands, about this node's own connections.
extension Node {
    func clientSetName(_ connection: ClientConnection) {
        if !Node.isNameAllowed(arguments[2]) { return replyError(connection, Node.nameError) }
        connection.name = arguments[2].array
        connection.writer.ok()
    }

    func clientGetName(_ connection: ClientConnection) {
        if connection.name.isEmpty { return connection.writer.null() }
        connection.name.withView { connection.writer.bulk($0) }
    }

    func clientSetInfo(_ connection: ClientConnection) {
        let value = arguments[3]
        let isLibraryName = arguments[2].equalsIgnoringCase("lib-name")
        if !isLibraryName && !arguments[2].equalsIgnoringCase("lib-ver") {
            return replyError(connection, "ERR Unrecognized option '\(arguments[2].text)'")
        }
        if !Node.isNameAllowed(value) {
            return replyError(
                connection, "ERR \(arguments[2].text) cannot contain spaces, newlines or special characters.")
        }
        if isLibraryName { connection.libraryName = value.array } else { connection.libraryVersion = value.array }
        connection.writer.ok()
    }

    func clientReply(_ connection: ClientConnection) {
        let mode = arguments[2]
        if mode.equalsIgnoringCase("on") {
            connection.repliesAreOff = false
            connection.skipsReply = false
            connection.writer.ok()
        } else if mode.equalsIgnoringCase("off") {
            connection.repliesAreOff = true
        } else if mode.equalsIgnoringCase("skip") {
            if !connection.repliesAreOff { connection.skipsNextReply = true }
        } else {
            replyError(connection, "ERR syntax error")
        }
    }

    func clientSwitch(_ connection: ClientConnection, _ path: ReferenceWritableKeyPath<ClientConnection, Bool>) {
        if arguments[2].equalsIgnoringCase("on") {
            connection[keyPath: path] = true
        } else if arguments[2].equalsIgnoringCase("off") {
            connection[keyPath: path] = false
        } else {
            return replyError(connection, "ERR syntax error")
        }
        connection.writer.ok()
    }

    // MARK: lists

    /// One connection as CLIENT LIST shows it.
    func describe(_ connection: ClientConnection) -> String {
        let age = (now.instant - connection.openedAt).rawValue / 1_000_000_000
        let idle = (now.instant - connection.lastCommandAt).rawValue / 1_000_000_000
        let name = String(decoding: connection.name, as: UTF8.self)
        let marks = (connection.isMonitor ? "O" : "") + (connection.isNoEvict ? "e" : "") + (connection.isNoTouch ? "T" : "")
        let flags = marks.isEmpty || marks == "T" ? "N" + marks : marks
        return "id=\(connection.id.rawValue) addr=\(connection.address) laddr=\(connection.localAddress) fd=-1 name=\(name)"
            + " age=\(age) idle=\(idle) flags=\(flags) db=\(connection.database) sub=0 psub=0 ssub=0"
            + " multi=-1 qbuf=\(connection.input.count) qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0"
            + " omem=\(connection.output.count) tot-mem=\(connection.input.capacity + connection.output.capacity) events=r"
            + " cmd=\(connection.lastCommandName) user=default redir=-1 resp=\(connection.version == .three ? 3 : 2)"
            + " lib-name=\(String(decoding: connection.libraryName, as: UTF8.self))"
            + " lib-ver=\(String(decoding: connection.libraryVersion, as: UTF8.self))"
    }

    func clientList(_ connection: ClientConnection) {
        var wanted = clients.values.sorted { $0.id < $1.id }
        if arguments.count >= 4 && arguments[2].equalsIgnoringCase("id") {
            var ids: [UInt64] = []
            for index in 3..<arguments.count {
                guard let id = parseInteger(arguments[index]), id > 0 else {
                    return replyError(connection, "ERR Invalid client ID")
                }
                ids.append(UInt64(id))
            }
            wanted = wanted.filter { ids.contains($0.id.rawValue) }
        } else if arguments.count == 4 && arguments[2].equalsIgnoringCase("type") {
            guard let isNormal = clientType(arguments[3]) else {
                return replyError(connection, "ERR Unknown client type '\(arguments[3].text)'")
            }
            if !isNormal { wanted = [] }
        } else if arguments.count != 2 {
            return replyError(connection, "ERR syntax error")
        }
        let text = wanted.map { describe($0) + "\n" }.joined()
        var copy = text
        copy.withUTF8 { connection.writer.verbatim(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// Whether a client type is `normal`, the only kind there is; nil when it is not a type.
    private func clientType(_ type: ByteView) -> Bool? {
        if type.equalsIgnoringCase("normal") { return true }
        let others: [StaticString] = ["master", "replica", "slave", "pubsub"]
        return others.contains { type.equalsIgnoringCase($0) } ? false : nil
    }

    func clientInfo(_ connection: ClientConnection) {
        var text = describe(connection) + "\n"
        text.withUTF8 { connection.writer.verbatim(ByteView(UnsafeRawBufferPointer($0))) }
    }

    // MARK: kill

    func clientKill(_ connection: ClientConnection) {
        if arguments.count == 3 {
            let address = arguments[2].text
            guard let victim = clients.values.first(where: { $0.address == address && !$0.isClosing }) else {
                return replyError(connection, "ERR No such client")
            }
            kill(victim, by: connection)
            return connection.writer.ok()
        }
        var filter = KillFilter()
        if let objection = filter.read(arguments) { return replyError(connection, objection) }
        var killed = 0
        for victim in clients.values.sorted(by: { $0.id < $1.id }) where !victim.isClosing {
            if filter.skipsCaller && victim === connection { continue }
            if !filter.matches(victim) { continue }
            kill(victim, by: connection)
            killed += 1
        }
        connection.writer.integer(killed)
        if connection.isClosing { answered(connection) }
    }

    private func kill(_ victim: ClientConnection, by caller: ClientConnection) {
        victim.isClosing = true
        effects.closeClients.append((victim.id, afterOutput: victim === caller))
    }
}

/// The conditions of CLIENT KILL; all that are given must hold.
private struct KillFilter {
    var id: UInt64?
    var address: String?
    var localAddress: String?
    var matchesNothing = false
    var skipsCaller = true

    /// Reads the options from argument 2 on; returns the error to reply, or nil.
    mutating func read(_ arguments: Arguments) -> String? {
        if arguments.count % 2 != 0 { return "ERR syntax error" }
        for index in stride(from: 2, to: arguments.count, by: 2) {
            let option = arguments[index]
            let value = arguments[index + 1]
            if option.equalsIgnoringCase("id") {
                guard let number = parseInteger(value), number > 0 else { return "ERR client-id should be greater than 0" }
                id = UInt64(number)
            } else if option.equalsIgnoringCase("addr") {
                address = value.text
            } else if option.equalsIgnoringCase("laddr") {
                localAddress = value.text
            } else if option.equalsIgnoringCase("type") {
                let other: [StaticString] = ["master", "replica", "slave", "pubsub"]
                if other.contains(where: { value.equalsIgnoringCase($0) }) {
                    matchesNothing = true
                } else if !value.equalsIgnoringCase("normal") {
                    return "ERR Unknown client type '\(value.text)'"
                }
            } else if option.equalsIgnoringCase("user") {
                if !value.equals(ByteView("default")) { return "ERR No such user '\(value.text)'" }
            } else if option.equalsIgnoringCase("skipme") {
                if value.equalsIgnoringCase("yes") {
                    skipsCaller = true
                } else if value.equalsIgnoringCase("no") {
                    skipsCaller = false
                } else {
                    return "ERR syntax error"
                }
            } else {
                return "ERR syntax error"
            }
        }
        return nil
    }

    func matches(_ connection: ClientConnection) -> Bool {
        if matchesNothing { return false }
        if let id, connection.id.rawValue != id { return false }
        if let address, connection.address != address { return false }
        if let localAddress, connection.localAddress != localAddress { return false }
        return true
    }
}
