import Foundation
import Glibc
import Synchronization

/// A process that a test started. It does not outlive the test: `deinit` ends it, and the watchdog does when the test run itself
/// is ended.
final class ChildProcess: Sendable {
    /// How a process ended.
    enum Ending: Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let number): "signal \(number) (\(String(cString: strsignal(number))))"
            }
        }
    }

    let id: pid_t
    private let ended = Mutex<Ending?>(nil)

    /// Starts `words[0]`, looked for on PATH when it has no slash, with standard output and error appended to files.
    init(_ words: [String], output: String = "/dev/null", errors: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        id = try ChildProcess.spawn(words, &actions)
        Watchdog.shared.add(id)
    }

    deinit { kill() }

    /// Starts a program with no signal blocked and every signal as it is by default.
    fileprivate static func spawn(
        _ words: [String], _ actions: inout posix_spawn_file_actions_t, flags: Int16 = 0
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | flags)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var id: pid_t = 0
        let code = posix_spawnp(&id, words[0], &actions, &attributes, &arguments, Glibc.environ)
        if code != 0 { throw TestFailure.system("start \(words.joined(separator: " "))", code) }
        return id
    }

    /// How it ended; nil while it runs.
    var ending: Ending? {
        ended.withLock { ended in
            if ended == nil { ended = reap(WNOHANG) }
            return ended
        }
    }

    private func reap(_ options: Int32) -> Ending? {
        var status: Int32 = 0
        while true {
            let found = waitpid(id, &status, options)
            if found == 0 { return nil }
            if found == id { break }
            if errno != EINTR { return .exited(-1) }
        }
        Watchdog.shared.remove(id)
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }

    /// Sends a signal, if it has not ended.
    func signal(_ number: Int32) {
        ended.withLock { ended in
            if ended == nil { _ = Glibc.kill(id, number) }
        }
    }

    /// SIGKILL, and waits until it is gone.
    func kill() {
        ended.withLock { ended in
            if ended != nil { return }
            _ = Glibc.kill(id, SIGKILL)
            ended = reap(0)
        }
    }

    /// Waits for its end.
    func wait(within limit: Duration = .seconds(30)) throws -> Ending {
        try eventually("process \(id) ends", within: limit) { ending != nil }
        return ending ?? .exited(-1)
    }
}

/// Ends the processes of a test run that was itself ended: a shell that holds their numbers and reads from a socket whose other
/// end only this process has. When that closes, for whatever reason, it kills them.
final class Watchdog: Sendable {
    static let shared = Watchdog()
    private let descriptor: Int32

    private static let script = """
        trap '' INT HUP TERM QUIT
        all=' '
        while read -r word id; do
          case $word in
            add) all="$all$id " ;;
            remove) all="${all%% $id *} ${all#* $id }" ;;
          esac
        done
        for id in $all; do kill -9 "$id" 2>/dev/null; done
        """

    private init() {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            descriptor = -1
            return
        }
        descriptor = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // POSIX_SPAWN_SETSID, which the importer does not see: Ctrl-C must not reach it.
        _ = try? ChildProcess.spawn(["/bin/sh", "-c", Watchdog.script], &actions, flags: 0x80)
        close(ends[1])
    }

    func add(_ id: pid_t) { say("add \(id)\n") }
    func remove(_ id: pid_t) { say("remove \(id)\n") }

    private func say(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
