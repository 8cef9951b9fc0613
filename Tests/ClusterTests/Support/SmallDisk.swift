import Foundation

/// A file system of a few megabytes that only the processes of one test see: a tmpfs in a mount namespace, which lasts as long as
/// the process that holds the namespace.
final class SmallDisk: Sendable {
    let path: String
    private let holder: ChildProcess
    private let place: TemporaryDirectory

    /// What stands before a command that is to see it.
    var wrapper: [String] { ["nsenter", "--target", "\(holder.id)", "--mount"] }

    init(megabytes: Int) throws {
        place = try TemporaryDirectory()
        path = "\(place.path)/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let output = "\(place.path)/output"
        let script = "mount -t tmpfs -o size=\(megabytes)m none '\(path)' && echo ready && exec sleep 3600"
        let holder = try ChildProcess(["unshare", "-m", "sh", "-c", script], output: output, errors: output)
        self.holder = holder
        try eventually("the file system is mounted", seen: { TemporaryDirectory.tail(output) }) {
            if holder.ending != nil { throw TestFailure("can't mount: \(TemporaryDirectory.tail(output))") }
            return TemporaryDirectory.tail(output).contains("ready")
        }
    }

    deinit { holder.kill() }

    /// Runs a shell command that sees it.
    func run(_ command: String) throws {
        let result = try Run(wrapper + ["sh", "-c", command])
        if result.ending != .exited(0) { throw TestFailure("\(result)") }
    }

    /// Takes space away.
    func occupy(megabytes: Int) throws { try run("head -c \(megabytes << 20) /dev/zero > '\(path)/filler'") }
    /// Gives it back.
    func free() throws { try run("rm '\(path)/filler'") }
}
