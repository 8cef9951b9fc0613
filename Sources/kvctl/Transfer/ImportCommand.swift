import ArgumentParsing
import Base
import Database
import Glibc
import RESP

/// `kvctl import FILE.rdb`: brings the keys of a Redis file into a cluster.
///
/// Two walks: the first looks at the whole file, so that a damaged one changes nothing; the second sends the keys with RESTORE.
enum ImportCommand {
    /// Bytes of a value from which on it is made piece by piece: a larger RESTORE would hold up everybody else.
    static let restoreBytesMax = 16 << 20

    /// Databases of a cluster.
    static let databases = 16

    static func run(_ values: Values) throws(Failure) -> Int32 {
        let file = try MappedFile(values[Tool.rdbFile])
        let isJSON = values[Tool.json]
        let chosen = values[ifGiven: Tool.database]
        let started = monotonicNow()
        var report = try survey(file, chosen)
        var run = ImportRun(
            file: file, connection: try Servers.connect(values), replaces: values[Tool.replace], chosen: chosen, report: report,
            bar: ProgressBar("importing", isWanted: !isJSON))
        defer { run.bar.clear() }
        try run.send()
        run.bar.clear()
        report = run.report
        report.seconds = Double((monotonicNow() - started).rawValue) / 1e9
        Console.output(isJSON ? report.json : report.text)
        return report.exitCode(skipsUnsupported: values[Tool.skipUnsupported])
    }

    /// The first walk: counts what there is and what can't be taken.
    static func survey(_ file: MappedFile, _ chosen: Int?) throws(Failure) -> ImportReport {
        var report = ImportReport(path: file.path)
        do throws(RDBFileError) {
            try survey(file.view, chosen, &report)
        } catch {
            throw Failure("can't import '\(file.path)': \(error.text)")
        }
        if let database = report.databases.first(where: { $0 >= databases }) {
            throw Failure(
                "'\(file.path)' has keys in database \(database), and a cluster has 0 to \(databases - 1); "
                    + "choose one with --database")
        }
        return report
    }

    private static func survey(_ view: ByteView, _ chosen: Int?, _ report: inout ImportReport) throws(RDBFileError) {
        var reader = try RDBFileReader(view)
        report.version = reader.version
        while true {
            switch try reader.next() {
            case .end: return
            case .auxiliary(let name, let value): report.facts.append((name.text, value.text))
            case .function: report.skip("libraries of functions")
            case .moduleData(let name): report.skip("data of module \(name)")
            case .key(let key):
                if let chosen, chosen != key.database { continue }
                report.keys += 1
                if report.databases.last != key.database && !report.databases.contains(key.database) {
                    report.databases.append(key.database)
                }
                if key.type.isModule { report.skip("values of module \(RDBFileReader.moduleName(of: key.value) ?? "?")") }
            }
        }
    }
}

/// The second walk of an import.
struct ImportRun {
    /// Which command a reply belongs to.
    private enum Step {
        /// The only command of a key, or its last one.
        case key([UInt8])
        /// One of several.
        case part([UInt8])
    }

    /// What the replies said; shared with the pipeline, which hands them over.
    private final class Outcome {
        var report: ImportReport
        /// The key whose parts are being refused, so that it counts once.
        var failedParts: [UInt8]?

        init(_ report: ImportReport) { self.report = report }

        func handle(_ step: Step, _ reply: Reply) {
            let error = reply.isError ? reply.text ?? "error" : nil
            switch step {
            case .part(let key):
                if let error, failedParts != key {
                    failedParts = key
                    key.withView { report.note(refusal: error, key: $0) }
                }
            case .key(let key):
                if failedParts == key {
                    failedParts = nil
                } else if let error {
                    key.withView { report.note(refusal: error, key: $0) }
                } else {
                    report.imported += 1
                }
            }
        }
    }

    let file: MappedFile
    let connection: Connection
    let replaces: Bool
    let chosen: Int?
    var bar: ProgressBar
    private let outcome: Outcome
    private let pipeline: Pipeline<Step>
    private var database = 0
    private let nowMilliseconds: Int64

    var report: ImportReport { outcome.report }

    init(file: MappedFile, connection: Connection, replaces: Bool, chosen: Int?, report: ImportReport, bar: ProgressBar) {
        self.file = file
        self.connection = connection
        self.replaces = replaces
        self.chosen = chosen
        self.bar = bar
        let outcome = Outcome(report)
        self.outcome = outcome
        pipeline = Pipeline(connection) { outcome.handle($0, $1) }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        nowMilliseconds = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Sends all keys.
    mutating func send() throws(Failure) {
        var reader: RDBFileReader
        do throws(RDBFileError) {
            reader = try RDBFileReader(file.view, comparesChecksum: false)
        } catch {
            throw Failure("can't import '\(file.path)': \(error.text)")
        }
        while let key = try next(&reader) {
            do throws(Failure) {
                try send(key)
            } catch {
                bar.clear()
                throw Failure(
                    "\(error.message); \(report.imported) of \(report.keys) keys were imported. Import again with --replace")
            }
            bar.show(reader.offset, of: file.view.count, keys: report.imported)
        }
        try pipeline.drain()
    }

    private func next(_ reader: inout RDBFileReader) throws(Failure) -> RDBFileReader.Key? {
        do throws(RDBFileError) {
            while true {
                switch try reader.next() {
                case .end: return nil
                case .key(let key):
                    if chosen.map({ $0 == key.database }) ?? true { return key }
                default: break
                }
            }
        } catch {
            throw Failure("'\(file.path)' has changed while it was imported: \(error.text)")
        }
    }

    private mutating func send(_ key: RDBFileReader.Key) throws(Failure) {
        if key.type.isModule { return }
        if let deadline = key.deadline, deadline <= nowMilliseconds {
            outcome.report.expired += 1
            return
        }
        if key.database != database {
            try pipeline.drain()
            let reply = try connection.ask(["SELECT", "\(key.database)"])
            if reply.isError { throw Failure("SELECT \(key.database): \(reply.text ?? "error")") }
            database = key.database
        }
        if key.value.count > ImportCommand.restoreBytesMax && RDBRebuild.canRebuild(key.type) { return try rebuild(key) }
        let payload = ByteBuffer(capacity: key.value.count + 16)
        payload.append(byte: key.type.rawValue)
        payload.append(key.value)
        DumpPayload.appendFooter(to: payload)
        let writer = pipeline.writer
        let hasUse = key.idleSeconds != nil || key.frequency != nil
        writer.begin(5 + (replaces ? 1 : 0) + (hasUse ? 2 : 0))
        writer.argument("RESTORE")
        writer.argument(key.name)
        writer.argument(text: "\(key.deadline ?? 0)")
        writer.argument(payload.view)
        writer.argument("ABSTTL")
        if replaces { writer.argument("REPLACE") }
        if let idle = key.idleSeconds {
            writer.argument("IDLETIME")
            writer.argument(text: "\(min(idle, 1 << 40))")
        } else if let frequency = key.frequency {
            writer.argument("FREQ")
            writer.argument(text: "\(frequency)")
        }
        try pipeline.written(.key(key.name.array))
    }

    /// Makes a large value piece by piece. Not in one step for those who look on, which an import is not anyway.
    private mutating func rebuild(_ key: RDBFileReader.Key) throws(Failure) {
        let name = key.name.array
        let writer = pipeline.writer
        if replaces {
            writer.command([Array("DEL".utf8), name])
            try pipeline.written(.part(name))
        } else if try isThere(name) {
            outcome.report.kept += 1
            return
        }
        let reader = RDBReader(key.value)
        let value: RDBValue
        do throws(RDBError) {
            value = try RDBDecoder(reader, seed: 1).value(key.type)
        } catch {
            outcome.report.note(refusal: "its value can't be read: \(error.text)", key: key.name)
            return
        }
        // The reader owns the bytes of a string that had to be unfolded.
        var failure: Failure?
        withExtendedLifetime(reader) {
            RDBRebuild.write(value, key: key.name, to: writer) {
                if failure != nil { return }
                do throws(Failure) { try pipeline.written(.part(name)) } catch { failure = error }
            }
        }
        if let failure { throw failure }
        if let deadline = key.deadline {
            writer.command([Array("PEXPIREAT".utf8), name, Array("\(deadline)".utf8)])
        } else {
            writer.command([Array("PERSIST".utf8), name])
        }
        try pipeline.written(.key(name))
    }

    private func isThere(_ name: [UInt8]) throws(Failure) -> Bool {
        try pipeline.drain()
        pipeline.writer.command([Array("EXISTS".utf8), name])
        let reply = try pipeline.ask()
        if reply.isError { throw Failure("EXISTS: \(reply.text ?? "error")") }
        return reply != .integer(0)
    }
}
