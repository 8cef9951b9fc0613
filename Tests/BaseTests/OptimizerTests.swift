import Base
import Testing

/// Holds the compiler to what `Package.swift` has to switch off for it (docs/decisions/0003-code-motion.md). Says something only at
/// `-O`: `swift test -c release -Xswiftc -enable-testing`.
@Suite struct OptimizerTests {
    private struct Options {
        enum Unit { case seconds, milliseconds }
        var onlyIfAbsent = false
        var onlyIfPresent = false
        var returnsOld = false
        var keeps = false
        var persists = false
        var unit: Unit?
        var index = 0

        @inline(never)
        static func parse(_ words: [[UInt8]]) -> Options? {
            var options = Options()
            var index = 0
            while index < words.count {
                let word = words[index]
                if equals(word, "nx") {
                    options.onlyIfAbsent = true
                } else if equals(word, "get") {
                    options.returnsOld = true
                } else if let found = Options.unit(word), index + 1 < words.count {
                    options.unit = found
                    options.index = index + 1
                    index += 1
                } else {
                    return nil
                }
                index += 1
            }
            return options
        }

        private static func unit(_ word: [UInt8]) -> Unit? {
            if equals(word, "ex") { return .seconds }
            if equals(word, "px") { return .milliseconds }
            return nil
        }

        private static func equals(_ word: [UInt8], _ literal: StaticString) -> Bool {
            word.withView { $0.equalsIgnoringCase(literal) }
        }
    }

    @Test func assignmentsInALoopAreKept() {
        #expect(Options.parse([Array("NX".utf8)])?.onlyIfAbsent == true)
        #expect(Options.parse([Array("GET".utf8)])?.returnsOld == true)
        #expect(Options.parse([Array("EX".utf8), Array("5".utf8)])?.index == 1)
        #expect(Options.parse([Array("EX".utf8)]) == nil)
    }
}
