import ArgumentParsing
import Base
import Database
import Glibc
import RESP

/// `kvctl export FILE.rdb`: writes the keys of a cluster to a file that redis-server loads.
///
/// Keys are read one after the other while clients go on writing: the file is not a picture of one moment. A key that is there
/// throughout is in it, with a value that it had at some moment meanwhile.
enum ExportCommand {
    /// Keys that a step of the walk asks for.
    static let scanCount = 512
    /// Bytes of the file that are gathered before they are written.
    static let writeBytes = 1 << 20
    /// How long a reply may take.
    static let patience = Nanoseconds.milliseconds(60_000)

    static func run(_ values: Values) throws(Failure) -> Int32 {
        let isJSON = values[Tool.json]
        let connection = try Servers.connect(values)
        let started = monotonicNow()
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let file = try NewFile(values[Tool.rdbFile], replaces: values[Tool.replace])
        let writer = RDBFileWriter(facts: [
            ("redis-ver", "7.2.4"), ("redis-bits", "64"), ("ctime", "\(time.tv_sec)"), ("coracle-tool", Tool.version),
        ])
        var run = ExportRun(
            connection: connection, file: file, writer: writer, bar: ProgressBar("exporting", isWanted: !isJSON))
        defer { run.bar.clear() }
        if let database = values[ifGiven: Tool.database] {
            guard try run.export(database) else { throw Failure("there is no database \(database)") }
        } else {
            var database = 0
            while database < ImportCommand.databases, try run.export(database) { database += 1 }
        }
        try run.finish()
        run.bar.clear()
        let seconds = Double((monotonicNow() - started).rawValue) / 1e9
        Console.output(isJSON ? run.json(seconds) : run.text(seconds))
        return 0
    }
}

/// The walk of an export.
struct ExportRun {
    let connection: Connection
    let file: NewFile
    var writer: RDBFileWriter
    var bar: ProgressBar
    private var keys = 0
    private var databases: [Int] = []
    /// Hashes whose fields have deadlines, for which files of the version that is written have no place.
    private var withoutDeadlines = 0
    private let commands = ByteBuffer(capacity: 64 << 10)
    /// Keys whose values are asked for at once; follows their size.
    private var batch = 16

    /// Bytes of replies at once: with fewer the next batch is larger, with more it is smaller.
    private static let batchBytes = 1 << 20

    init(connection: Connection, file: NewFile, writer: RDBFileWriter, bar: ProgressBar) {
        self.connection = connection
        self.file = file
        self.writer = writer
        self.bar = bar
    }

    private func ask(_ words: [String]) throws(Failure) -> Reply {
        let reply = try connection.ask(words, deadline: monotonicNow() + ExportCommand.patience)
        if reply.isError { throw Failure("\(words[0]): \(reply.text ?? "error")") }
        return reply
    }

    /// Writes all keys of a database; false when there is none of this number.
    mutating func export(_ database: Int) throws(Failure) -> Bool {
        let selected = try connection.ask(["SELECT", "\(database)"], deadline: monotonicNow() + ExportCommand.patience)
        if selected.isError { return false }
        guard case .integer(let total) = try ask(["DBSIZE"]) else { throw Failure("DBSIZE: not a number") }
        if total == 0 { return true }
        databases.append(database)
        let before = keys
        var cursor = "0"
        repeat {
            let reply = try ask(["SCAN", cursor, "COUNT", "\(ExportCommand.scanCount)"])
            guard let parts = reply.elements, parts.count == 2, let next = parts[0].text, let names = parts[1].elements else {
                throw Failure("SCAN: not a cursor and keys")
            }
            cursor = next
            var first = 0
            while first < names.count {
                let last = min(first + batch, names.count)
                try export(names[first..<last], database)
                first = last
                bar.show(keys - before, of: Int(total), keys: keys)
            }
        } while cursor != "0"
        return true
    }

    /// Writes some keys.
    private mutating func export(_ names: ArraySlice<Reply>, _ database: Int) throws(Failure) {
        let requests = CommandWriter(commands)
        for name in names {
            guard case .bulk(let name) = name else { throw Failure("SCAN: a key is not a string") }
            requests.command([Array("DUMP".utf8), name])
            requests.command([Array("PEXPIRETIME".utf8), name])
        }
        let deadline = monotonicNow() + ExportCommand.patience
        try connection.send(commands, deadline: deadline)
        var bytes = 0
        for name in names {
            let value = try connection.reply(deadline: deadline)
            let expiry = try connection.reply(deadline: deadline)
            guard case .bulk(let name) = name else { continue }
            if let error = [value, expiry].first(where: { $0.isError }) {
                throw Failure("can't read key '\(String(decoding: name, as: UTF8.self))': \(error.text ?? "error")")
            }
            // Deleted or expired since the walk came by.
            guard case .bulk(let payload) = value, case .integer(let time) = expiry, time != -2 else { continue }
            bytes += payload.count
            try append(name, payload, deadline: time < 0 ? nil : time, database)
        }
        if bytes > ExportRun.batchBytes { batch = max(1, batch / 2) } else { batch = min(256, batch * 2) }
    }

    private mutating func append(_ name: [UInt8], _ payload: [UInt8], deadline: Int64?, _ database: Int) throws(Failure) {
        var problem: String?
        payload.withView { payload in
            guard let (body, version) = DumpPayload.open(payload), !body.isEmpty else {
                problem = "its payload is damaged, or of an unknown version"
                return
            }
            if version == RDBFormat.versionWithFieldDeadlines, let value = ExportRun.withoutDeadlines(body) {
                withoutDeadlines += 1
                name.withView { writer.append($0, value: value.view, deadline: deadline, database: database) }
                return
            }
            if version > RDBFormat.versionWritten {
                problem = "its payload has RDB version \(version), and files of version \(RDBFormat.versionWritten) are written"
                return
            }
            name.withView { writer.append($0, value: body, deadline: deadline, database: database) }
        }
        if let problem { throw Failure("can't export key '\(String(decoding: name, as: UTF8.self))': \(problem)") }
        keys += 1
        if writer.pendingBytes >= ExportCommand.writeBytes {
            let file = file
            try writer.take { (view) throws(Failure) in try file.write(view) }
        }
    }

    /// A value as older versions of the format have it: the fields stay, their deadlines don't.
    private static func withoutDeadlines(_ body: ByteView) -> ByteBuffer? {
        let reader = RDBReader(body)
        return withExtendedLifetime(reader) {
            guard case .collection(let value)? = try? DumpPayload.value(reader, seed: 0, limits: CollectionLimits()) else {
                return nil
            }
            let buffer = ByteBuffer(capacity: body.count)
            RDBEncoder(buffer, keepsFieldDeadlines: false).append(value)
            return buffer
        }
    }

    /// Makes the file appear.
    mutating func finish() throws(Failure) {
        let file = file
        try writer.finish { (view) throws(Failure) in try file.write(view) }
        try file.finish()
    }

    func text(_ seconds: Double) -> String {
        "exported \(BenchText.grouped(Double(keys))) keys to '\(file.path)' (\(BenchText.grouped(Double(file.bytesWritten))) bytes, "
            + "RDB version \(RDBFormat.versionWritten)) in \(fixed(seconds, 1)) s\n"
            + (withoutDeadlines == 0
                ? "" : "\(withoutDeadlines) hashes had fields with deadlines; the file has the fields, and not their deadlines\n")
    }

    func json(_ seconds: Double) -> String {
        JSON.object([
            ("file", JSON.string(file.path)), ("version", "\(RDBFormat.versionWritten)"), ("keys", "\(keys)"),
            ("withoutFieldDeadlines", "\(withoutDeadlines)"),
            ("databases", "[" + databases.map { "\($0)" }.joined(separator: ",") + "]"), ("bytes", "\(file.bytesWritten)"),
            ("seconds", fixed(seconds, 3)),
        ]) + "\n"
    }
}
