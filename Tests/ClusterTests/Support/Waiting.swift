import Foundation
import Glibc
import Synchronization

/// What a test's own machinery fails with. The text says what was waited for and what was seen.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    /// A system call that failed.
    static func system(_ operation: String, _ code: Int32 = errno) -> TestFailure {
        TestFailure("can't \(operation): \(String(cString: strerror(code)))")
    }
}

/// Asks for `condition` again and again until it holds.
///
/// - Throws: `TestFailure` when it does not hold within `limit`; the text ends with what `seen` says then.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), every pause: Duration = .milliseconds(5),
    seen: () -> String = { "" }, _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        if ContinuousClock.now > deadline { throw TestFailure("not within \(limit): \(what). \(seen())") }
        _ = poll(nil, 0, Int32(max(1, pause.milliseconds)))
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}

/// Threads that run until their work is done. Blocking work does not belong on the test runner's few threads.
final class Workers {
    private let group = DispatchGroup()

    /// Runs `body` on a thread of its own.
    func start(_ body: @escaping @Sendable () -> Void) {
        group.enter()
        let group = group
        let thread = Thread {
            body()
            group.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Waits for all of them.
    func join(within limit: Duration = .seconds(60)) throws {
        if group.wait(timeout: .now() + .milliseconds(limit.milliseconds)) == .timedOut {
            throw TestFailure("the test's own threads did not end within \(limit)")
        }
    }
}

/// A flag that threads share.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}
