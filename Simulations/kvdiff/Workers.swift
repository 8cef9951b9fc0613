import Differential
import Glibc

/// Runs sequences in worker processes, so that a process that stops itself because an invariant does not hold is one failed
/// sequence and not the end of the run.
struct Workers {
    /// What all workers came to.
    struct Outcome {
        var sequences = 0
        var failures: [Int] = []
        /// What they counted, by name.
        var figures: [String: Int] = [:]
        /// Why a worker could not go on.
        var error: String?
    }

    private struct Running {
        var process: pid_t
        var output: Int32
        var assignment: Assignment
        var number: Int?
        var pending: [UInt8] = []
    }

    private let request: Request
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var outcome: Outcome
    private var workers: [Running] = []

    /// - Parameter outcome: of those that ran before.
    init(_ request: Request, _ outcome: Outcome) {
        self.request = request
        self.outcome = outcome
    }

    /// Runs all sequences, a worker for each assignment.
    mutating func run(_ assignments: [Assignment]) -> Outcome {
        for assignment in assignments where assignment.next < assignment.end { start(assignment) }
        while !workers.isEmpty {
            var polled = workers.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
            if poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
            for index in polled.indices.reversed() where polled[index].revents != 0 { read(index) }
        }
        if isTerminal { complain("\r\u{1B}[K") }
        return outcome
    }

    private mutating func start(_ assignment: Assignment) {
        var ends: [Int32] = [0, 0]
        guard let process = Workers.spawn(assignment, &ends) else {
            outcome.error = "can't start a worker"
            return
        }
        workers.append(Running(process: process, output: ends[0], assignment: assignment))
    }

    /// Starts this program again with an assignment; `ends[0]` is where its output comes.
    private static func spawn(_ assignment: Assignment, _ ends: inout [Int32]) -> pid_t? {
        guard pipe(&ends) == 0 else { return nil }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup(assignment.text), strdup("SWIFT_BACKTRACE=enable=no"), nil]
        var process: pid_t = 0
        let result = posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, &environment)
        for word in arguments + environment { free(word) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        if result == 0 { return process }
        close(ends[0])
        return nil
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
        switch line.first {
        case "=":
            workers[index].number = Int(line.dropFirst())
            outcome.sequences += 1
            if isTerminal, outcome.sequences % 50 == 0 {
                complain("\r\u{1B}[K\(outcome.sequences) of \(request.sequences) sequences, \(outcome.failures.count) failed")
            }
        case "F": if let number = workers[index].number { outcome.failures.append(number) }
        case "E": outcome.error = String(line.dropFirst())
        case "C":
            let words = line.dropFirst(2).split(separator: " ")
            if let count = words.last.flatMap({ Int($0) }) {
                outcome.figures[words.dropLast().joined(separator: " "), default: 0] += count
            }
        default: show(String(line.dropFirst()))
        }
    }

    /// A line of a report: to standard output, or to standard error where that is kept for JSON.
    private func show(_ line: String) {
        if isTerminal { complain("\r\u{1B}[K") }
        if request.isJSON { complain(line + "\n") } else { tell(line + "\n") }
    }

    private mutating func ended(_ index: Int) {
        let worker = workers.remove(at: index)
        close(worker.output)
        var status: Int32 = 0
        while waitpid(worker.process, &status, 0) < 0 && errno == EINTR {}
        guard status & 0x7F != 0, let number = worker.number else { return }
        outcome.failures.append(number)
        show("sequence \(number) of seed \(request.options.seed): the process stopped (signal \(status & 0x7F)), see above")
        for line in shortened(worker.assignment, number) { show("    " + line) }
        show("  again: " + request.again(number))
        var rest = worker.assignment
        rest.next = number + rest.step
        if rest.next < rest.end { start(rest) }
    }

    // MARK: sequences that stop the process

    /// The fewest commands that still stop it, found by running parts of the sequence in processes of their own.
    private func shortened(_ assignment: Assignment, _ number: Int) -> [String] {
        let steps = CommandSequence(request.options, number: number).steps
        var kept = Array(steps.indices)
        var part = kept.count / 2
        var budget = 400
        while part > 0 && budget > 0 {
            var begin = 0
            while begin < kept.count && budget > 0 {
                budget -= 1
                var candidate = kept
                candidate.removeSubrange(begin..<min(begin + part, kept.count))
                if !candidate.isEmpty && Workers.stops(assignment, number, candidate) { kept = candidate } else { begin += part }
            }
            part /= 2
        }
        return kept.map { steps[$0].line }
    }

    private static func stops(_ assignment: Assignment, _ number: Int, _ kept: [Int]) -> Bool {
        var one = assignment
        one.next = number
        one.end = number + 1
        one.kept = kept
        var ends: [Int32] = [0, 0]
        guard let process = spawn(one, &ends) else { return false }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(ends[0], &bytes, bytes.count)
            if count == 0 || (count < 0 && errno != EINTR) { break }
        }
        close(ends[0])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F != 0
    }
}
