// Base: what every other module stands on.
//
// Owns byte views and buffers, identifiers, the checksum (CRC32C), the seeded hash and the seeded random
// generator, and `check`, the assertion that stays on in release builds.
//
// It never does I/O, never reads a clock, never asks the system for randomness and never depends on anything
// that differs from one process to the next (`Hasher`, `Dictionary` order, pointers): two nodes that run it with
// the same input do the same thing.
//
// Start with `ByteView` (unowned, bounds-checked bytes) and `ByteBuffer` (the growing buffer that everything is
// parsed from and written to), then `Identifiers`.
//
// `@inlinable` is used here, and only here and for generic containers: without it a byte access from another
// module costs a function call (measured at 3.5x for generic containers).

/// Stops the process when `condition` is false. On in every build: an invariant that no longer holds is worse than
/// a crash, because a crash is recovered from. (`precondition` under `-O` traps without its text.)
///
/// - Parameters:
///   - condition: what must hold.
///   - message: the invariant in words, as it must hold ("a vote is given at most once in a term").
@inlinable @inline(__always)
package func check(
    _ condition: @autoclosure () -> Bool,
    _ message: @autoclosure () -> String,
    file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { checkFailed(message(), file: file, line: line) }
}

/// The cold path of `check`, kept out of line so that the hot path is one compare and one jump.
@inline(never) @usableFromInline
func checkFailed(_ message: String, file: StaticString, line: UInt) -> Never {
    fatalError("invariant does not hold: \(message)", file: file, line: line)
}
