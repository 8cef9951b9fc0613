import Base
import Database
import RESP

/// MONITOR: a connection that is shown every command which this node takes from its clients (Redis, MONITOR). What other nodes take
/// is shown by their monitors.
extension Node {
    /// Bytes shown of an argument; the rest is counted. A monitor does not have to copy values of 512 MiB.
    private static let monitoredBytesMax = 4096

    func monitor(_ connection: ClientConnection) {
        if !connection.isMonitor {
            connection.isMonitor = true
            monitors.append(connection.id)
        }
        connection.writer.ok()
    }

    func stopMonitoring(_ connection: ClientConnection) {
        if !connection.isMonitor { return }
        connection.isMonitor = false
        monitors.removeAll { $0 == connection.id }
    }

    /// Shows the command in `arguments` to the monitors. Administrative commands are not shown, nor passwords.
    func feedMonitors(_ command: Command, from connection: ClientConnection) {
        if command.flags.contains(.admin) || command.flags.contains(.skipMonitor) { return }
        let line = ByteBuffer(capacity: 128)
        let microseconds = String(now.wall.microseconds % 1_000_000)
        line.append(text: "\(now.wall.microseconds / 1_000_000).")
        line.append(text: String(repeating: "0", count: 6 - microseconds.utf8.count) + microseconds)
        line.append(text: " [\(connection.database) \(connection.address)]")
        let secrets = secretArguments(command.index, arguments)
        for index in 0..<arguments.count {
            line.append(byte: 0x20)
            let word = secrets.contains(index) ? ByteView("(redacted)") : arguments[index]
            line.append(quoted: word.slice(0, min(word.count, Node.monitoredBytesMax)))
            if word.count > Node.monitoredBytesMax {
                line.append(text: "... (\(word.count - Node.monitoredBytesMax) more bytes)")
            }
        }
        for id in monitors {
            guard let monitor = clients[id.rawValue], !monitor.isClosing else { continue }
            monitor.writer.simple(line.view)
            answered(monitor)
        }
    }

    /// Indices of the arguments that are names and passwords of users, in their order. They are shown and kept nowhere.
    func secretArguments(_ index: Int, _ arguments: Arguments) -> [Int] {
        switch localCommands[index] {
        case .auth: return Array(1..<arguments.count)
        case .hello:
            for index in 2..<max(2, arguments.count) where arguments[index].equalsIgnoringCase("auth") {
                return [index + 1, index + 2].filter { $0 < arguments.count }
            }
            return []
        case .configSet:
            let names: [StaticString] = ["requirepass", "masterauth", "masteruser"]
            return stride(from: 3, to: arguments.count, by: 2).filter { index in
                names.contains { arguments[index - 1].equalsIgnoringCase($0) }
            }
        default: return []
        }
    }
}
