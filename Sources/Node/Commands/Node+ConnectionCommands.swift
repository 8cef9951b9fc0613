import Base
import Database
import RESP

/// Commands about the connection itself. They are answered at once, when everything before them is.
extension Node {
    func ping(_ connection: ClientConnection) {
        if arguments.count > 2 { return replyError(connection, "ERR wrong number of arguments for 'ping' command") }
        if arguments.count == 2 { connection.writer.bulk(arguments[1]) } else { connection.writer.simple("PONG") }
    }

    func select(_ connection: ClientConnection) {
        guard let index = parseInteger(arguments[1]) else {
            return replyError(connection, "ERR value is not an integer or out of range")
        }
        if index < 0 || index > 15 { return replyError(connection, "ERR DB index is out of range") }
        connection.database = Int(index)
        connection.writer.ok()
    }

    func hello(_ connection: ClientConnection) {
        var next = 1
        var version = connection.version
        if arguments.count > 1 {
            guard let wanted = parseInteger(arguments[1]) else {
                return replyError(connection, "ERR Protocol version is not an integer or out of range")
            }
            if wanted != 2 && wanted != 3 { return replyError(connection, "NOPROTO unsupported protocol version") }
            version = wanted == 3 ? .three : .two
            next = 2
        }
        var name: ByteView?
        while next < arguments.count {
            let option = arguments[next]
            let more = arguments.count - 1 - next
            if option.equalsIgnoringCase("auth") && more >= 2 {
                if !acceptsPassword(user: arguments[next + 1]) { return replyError(connection, Node.wrongPassword) }
                next += 3
            } else if option.equalsIgnoringCase("setname") && more >= 1 {
                name = arguments[next + 1]
                if !Node.isNameAllowed(arguments[next + 1]) { return replyError(connection, Node.nameError) }
                next += 2
            } else {
                return replyError(connection, "ERR Syntax error in HELLO option '\(option.text)'")
            }
        }
        connection.version = version
        if let name { connection.name = name.array }
        let writer = connection.writer
        writer.map(7)
        writer.bulk("server")
        writer.bulk("redis")
        writer.bulk("version")
        writer.bulk(text: Version.redis)
        writer.bulk("proto")
        writer.integer(version == .three ? 3 : 2)
        writer.bulk("id")
        writer.integer(Int64(connection.id.rawValue))
        writer.bulk("mode")
        writer.bulk("standalone")
        writer.bulk("role")
        writer.bulk("master")
        writer.bulk("modules")
        writer.array(0)
    }

    /// There are no users but `default`, which needs no password: any password is right for it, as in Redis.
    private func acceptsPassword(user: ByteView) -> Bool { user.equals(ByteView("default")) }
    static let wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."

    /// AUTH [username] password.
    func authenticate(_ connection: ClientConnection) {
        if arguments.count > 3 { return replyError(connection, "ERR syntax error") }
        if arguments.count == 2 {
            return replyError(
                connection,
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
            )
        }
        if !acceptsPassword(user: arguments[1]) { return replyError(connection, Node.wrongPassword) }
        connection.writer.ok()
    }

    func reset(_ connection: ClientConnection) {
        stopMonitoring(connection)
        connection.version = .two
        connection.database = 0
        connection.name = []
        connection.repliesAreOff = false
        connection.skipsNextReply = false
        connection.skipsReply = false
        connection.isNoEvict = false
        connection.isNoTouch = false
        connection.writer.simple("RESET")
    }

    func quit(_ connection: ClientConnection) {
        connection.writer.ok()
        closeAfterOutput(connection)
    }

    /// Connection names have no spaces, line ends or other bytes outside `!` ... `~`.
    static func isNameAllowed(_ name: ByteView) -> Bool { name.array.allSatisfy { $0 >= 0x21 && $0 <= 0x7E } }
    static let nameError = "ERR Client names cannot contain spaces, newlines or special characters."
}
