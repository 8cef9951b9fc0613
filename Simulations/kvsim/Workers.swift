import Base
import Glibc
import Simulator

/// Which seeds a worker process runs: every `step`th from `next` on, below `end`. Handed over in the environment.
struct WorkerStride {
    static let variable = "KVSIM_WORKER"
    var next: UInt64
    var step: UInt64
    var end: UInt64

    static func fromEnvironment() -> WorkerStride? {
        guard let text = getenv(variable) else { return nil }
        let parts = String(cString: text).split(separator: ",").compactMap { UInt64($0) }
        return parts.count == 3 ? WorkerStride(next: parts[0], step: max(parts[1], 1), end: parts[2]) : nil
    }

    var text: String { "\(WorkerStride.variable)=\(next),\(step),\(end)" }
}

/// A worker's main: runs its seeds, and marks each line for the parent. "=N" says that seed N begins, "!K" that it broke
/// promise K.
func work(_ request: Request, _ stride: WorkerStride) throws(BeginningError) -> Int32 {
    var seed = stride.next
    while seed < stride.end {
        // Without a buffer: a seed may stop the process.
        tell("=\(seed)\n")
        let report = try request.simulation(seed: seed).run()
        tell((request.isJSON ? report.json : report.summary) + "\n")
        if let violation = report.violation { tell("!\(violation.kind.rawValue)\n") }
        seed += stride.step
    }
    return 0
}

/// Writes to standard output at once.
func tell(_ text: String) {
    var copy = text
    copy.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// A seed that broke a promise.
struct Failure {
    var seed: UInt64
    /// Which one; nil when a node stopped itself, and the process with it, because an invariant did not hold.
    var kind: Violation.Kind?
}

/// Runs a request's seeds in worker processes and prints their lines as they come.
struct Workers {
    struct Outcome {
        var seeds: UInt64 = 0
        var failures: [Failure] = []
    }

    private struct Worker {
        var process: pid_t
        var output: Int32
        var stride: WorkerStride
        var seed: UInt64?
        var pending: [UInt8] = []
    }

    private let request: Request
    private var outcome = Outcome()
    private var workers: [Worker] = []

    init(_ request: Request) { self.request = request }

    /// Runs everything. Every worker that dies is replaced by one that goes on behind the seed it died of.
    func run() -> Outcome {
        var copy = self
        return copy.runAll()
    }

    private mutating func runAll() -> Outcome {
        let end = request.first + request.count
        let jobs = UInt64(min(UInt64(request.jobs), request.count))
        for job in 0..<jobs { start(WorkerStride(next: request.first + job, step: jobs, end: end)) }
        while !workers.isEmpty {
            var polled = workers.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
            if poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
            for index in polled.indices.reversed() where polled[index].revents != 0 { read(index) }
        }
        return outcome
    }

    private mutating func start(_ stride: WorkerStride) {
        if stride.next >= stride.end { return }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return fail("pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
        // The backtracer would add minutes to a seed that stops itself; `--trace` runs without workers and has it.
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup(stride.text), strdup("SWIFT_BACKTRACE=enable=no"), nil]
        var process: pid_t = 0
        let result = posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, &environment)
        for word in arguments + environment { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        if result != 0 { return fail("posix_spawn") }
        workers.append(Worker(process: process, output: ends[0], stride: stride))
    }

    private mutating func fail(_ what: String) {
        complain("kvsim: can't start a worker: \(what) failed\n")
        exit(71)
    }

    /// Takes what a worker has written; nothing means that it is gone.
    private mutating func read(_ index: Int) {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(workers[index].output, &bytes, bytes.count)
        if count < 0 && errno == EINTR { return }
        if count <= 0 { return ended(index) }
        workers[index].pending += bytes[..<count]
        while let newline = workers[index].pending.firstIndex(of: 0x0A) {
            let line = String(decoding: workers[index].pending[..<newline], as: UTF8.self)
            workers[index].pending.removeSubrange(...newline)
            take(line, index)
        }
    }

    private mutating func take(_ line: String, _ index: Int) {
        if line.hasPrefix("=") {
            workers[index].seed = UInt64(line.dropFirst())
            outcome.seeds += 1
        } else if line.hasPrefix("!") {
            let kind = Violation.Kind(rawValue: String(line.dropFirst()))
            if let seed = workers[index].seed { outcome.failures.append(Failure(seed: seed, kind: kind)) }
        } else {
            tell(line + "\n")
        }
    }

    private mutating func ended(_ index: Int) {
        let worker = workers.remove(at: index)
        close(worker.output)
        var status: Int32 = 0
        while waitpid(worker.process, &status, 0) < 0 && errno == EINTR {}
        guard status != 0, let seed = worker.seed else { return }
        tell("seed \(seed): FAILED the process stopped (status \(status)): an invariant does not hold, see above\n")
        outcome.failures.append(Failure(seed: seed, kind: nil))
        start(WorkerStride(next: seed + worker.stride.step, step: worker.stride.step, end: worker.stride.end))
    }
}
