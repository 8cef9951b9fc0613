import Base
import RESP

/// Turns a value into commands that make it piece by piece: for values too large for one RESTORE.
package enum RDBRebuild {
    /// Bytes of one command's arguments, about.
    private static let commandBytes = 4 << 20
    /// Arguments of one command.
    private static let commandArguments = 8192

    /// Gathers the arguments of one command and writes it when it is full.
    private struct Batch {
        let name: StaticString
        let key: ByteView
        let writer: CommandWriter
        var words: [[UInt8]] = []
        var bytes = 0

        mutating func append(_ element: PackedElement) {
            words.append(element.array)
            bytes += words[words.count - 1].count + 16
        }

        mutating func append(score: Double) {
            words.append(Array(formatDouble(score).utf8))
            bytes += 32
        }

        /// Writes what has gathered when that is enough.
        mutating func flush(atEnd: Bool = false, _ commandWritten: () -> Void) {
            if words.isEmpty || !atEnd && bytes < commandBytes && words.count < commandArguments { return }
            writer.begin(2 + words.count)
            writer.argument(name)
            writer.argument(key)
            for word in words { word.withView { writer.argument($0) } }
            words.removeAll(keepingCapacity: true)
            bytes = 0
            commandWritten()
        }
    }

    /// Whether values of this type can be made piece by piece.
    package static func canRebuild(_ type: RDBType) -> Bool { !type.isModule && !type.isStream }

    /// Writes the commands.
    ///
    /// - Parameter commandWritten: called after each command, to send it.
    package static func write(
        _ value: RDBValue, key: ByteView, to writer: CommandWriter, commandWritten: () -> Void
    ) {
        switch value {
        case .string(let bytes): write(bytes, key: key, to: writer, commandWritten)
        case .collection(let collection):
            switch collection {
            case let list as ListValue:
                var batch = Batch(name: "RPUSH", key: key, writer: writer)
                list.forEach { element in
                    batch.append(element)
                    batch.flush(commandWritten)
                    return true
                }
                batch.flush(atEnd: true, commandWritten)
            case let set as SetValue:
                var batch = Batch(name: "SADD", key: key, writer: writer)
                set.forEach { member in
                    batch.append(member)
                    batch.flush(commandWritten)
                    return true
                }
                batch.flush(atEnd: true, commandWritten)
            case let set as SortedSetValue:
                var batch = Batch(name: "ZADD", key: key, writer: writer)
                set.forEach { member, score in
                    batch.append(score: score)
                    batch.append(member)
                    batch.flush(commandWritten)
                    return true
                }
                batch.flush(atEnd: true, commandWritten)
            case let hash as HashValue:
                var batch = Batch(name: "HSET", key: key, writer: writer)
                hash.forEach { field, value in
                    batch.append(field)
                    batch.append(value)
                    batch.flush(commandWritten)
                }
                batch.flush(atEnd: true, commandWritten)
                writeDeadlines(hash, key: key, to: writer, commandWritten)
            default:
                check(false, "only values that can be rebuilt are")
            }
        }
    }

    private static func writeDeadlines(
        _ hash: HashValue, key: ByteView, to writer: CommandWriter, _ commandWritten: () -> Void
    ) {
        if hash.soonestFieldDeadline == nil { return }
        hash.forEach { field, _ in
            field.withBytes { field in
                guard let deadline = hash.deadline(ofField: field) else { return }
                writer.begin(6)
                writer.argument("HPEXPIREAT")
                writer.argument(key)
                writer.argument(text: "\(deadline)")
                writer.argument("FIELDS")
                writer.argument("1")
                writer.argument(field)
                commandWritten()
            }
        }
    }

    private static func write(
        _ bytes: ByteView, key: ByteView, to writer: CommandWriter, _ commandWritten: () -> Void
    ) {
        var offset = 0
        repeat {
            let piece = bytes.slice(offset, min(commandBytes, bytes.count - offset))
            writer.begin(3)
            writer.argument(offset == 0 ? "SET" : "APPEND")
            writer.argument(key)
            writer.argument(piece)
            commandWritten()
            offset += piece.count
        } while offset < bytes.count
    }
}
