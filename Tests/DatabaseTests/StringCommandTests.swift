import Base
import Database
import RESP
import Testing

// The replies in these tables are those of redis-server 7.0.15.
@Suite struct StringCommandTests {
    @Test func setObeysItsOptions() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 1", "+OK"),
                ("SET a 2 NX", "$-1"),
                ("SET b 2 XX", "$-1"),
                ("SET a 3 XX", "+OK"),
                ("SET a 4 GET", "$1|3"),
                ("SET a 5 NX GET", "$1|4"),
                ("SET c 5 XX GET", "$-1"),
                ("GET c", "$-1"),
                ("SET a 6 nx xx", "-ERR syntax error"),
                ("SET a 6 EX 10 PX 10", "-ERR syntax error"),
                ("SET a 6 EX", "-ERR syntax error"),
                ("SET a 6 EX 0", "-ERR invalid expire time in 'set' command"),
                ("SET a 6 PX -1", "-ERR invalid expire time in 'set' command"),
                ("SET a 6 EX x", "-ERR value is not an integer or out of range"),
                ("SET a 6 EX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
                ("SET a 6 PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
                ("SET a 6 EX 10 KEEPTTL", "-ERR syntax error"),
                ("SET a 6 foo", "-ERR syntax error"),
                ("SET a", "-ERR wrong number of arguments for 'set' command"),
                ("GET a", "$1|4"),
                ("SET a 7 EX 100 EX 200", "+OK"),
                ("TTL a", ":200"),
                ("SET a 8 KEEPTTL", "+OK"),
                ("TTL a", ":200"),
                ("SET a 9", "+OK"),
                ("TTL a", ":-1"),
                ("SET n nil EXAT 1", "+OK"),
                ("GET n", "$-1"),
                ("SETNX a 1", ":0"),
                ("SETNX fresh 1", ":1"),
                ("SETEX s 0 v", "-ERR invalid expire time in 'setex' command"),
                ("SETEX s x v", "-ERR value is not an integer or out of range"),
                ("PSETEX s -1 v", "-ERR invalid expire time in 'psetex' command"),
                ("SETEX s 100 v", "+OK"),
                ("TTL s", ":100"),
            ])
    }

    @Test func missingIsNullInEitherVersion() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("GET none", "_"),
                ("MGET none none", "*2|_|_"),
                ("GETDEL none", "_"),
                ("SET a 1 XX", "_"),
                ("GETEX none", "_"),
                ("SET b 1 GET", "_"),
            ])
    }

    @Test func severalKeysAtOnce() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("MSET a 1 b 2", "+OK"),
                ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
                ("MSETNX b 3 c 4", ":0"),
                ("EXISTS c", ":0"),
                ("MSETNX c 3 d 4", ":1"),
                ("MSETNX c", "-ERR wrong number of arguments for 'msetnx' command"),
                ("MGET a b c d none", "*5|$1|1|$1|2|$1|3|$1|4|$-1"),
                ("GETSET a 9", "$1|1"),
                ("GETSET none 1", "$-1"),
                ("GETDEL a", "$1|9"),
                ("GETDEL a", "$-1"),
                ("STRLEN b", ":1"),
                ("STRLEN none", ":1"),
            ])
    }

    @Test func getexChangesDeadlines() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a v EX 100", "+OK"),
                ("GETEX a", "$1|v"),
                ("TTL a", ":100"),
                ("GETEX a PERSIST", "$1|v"),
                ("TTL a", ":-1"),
                ("GETEX a EX 50", "$1|v"),
                ("TTL a", ":50"),
                ("GETEX a KEEPTTL", "-ERR syntax error"),
                ("GETEX a EX 0", "-ERR invalid expire time in 'getex' command"),
                ("GETEX a EX 10 PERSIST", "-ERR syntax error"),
                ("GETEX a PXAT 1", "$1|v"),
                ("EXISTS a", ":0"),
                ("GETEX none EX x", "$-1"),
            ])
    }

    @Test func partsOfStrings() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("APPEND a hello", ":5"),
                ("APPEND a world", ":10"),
                ("GETRANGE a 0 4", "$5|hello"),
                ("GETRANGE a -5 -1", "$5|world"),
                ("GETRANGE a -1 -5", "$0|"),
                ("GETRANGE a 5 100", "$5|world"),
                ("GETRANGE a 20 30", "$0|"),
                ("GETRANGE a x 1", "-ERR value is not an integer or out of range"),
                ("GETRANGE none 0 -1", "$0|"),
                ("SUBSTR a 1 3", "$3|ell"),
                ("SETRANGE a 5 WORLD", ":10"),
                ("GET a", "$10|helloWORLD"),
                ("SETRANGE a -1 x", "-ERR offset is out of range"),
                ("SETRANGE a 600000000 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
                ("SETRANGE none 5 \"\"", ":0"),
                ("EXISTS none", ":0"),
                ("SETRANGE gap 3 x", ":4"),
                ("STRLEN gap", ":4"),
                ("OBJECT ENCODING gap", "$3|raw"),
                ("SETRANGE a 0 \"\"", ":10"),
                ("SET n 100", "+OK"),
                ("APPEND n 5", ":4"),
                ("OBJECT ENCODING n", "$3|raw"),
                ("GETRANGE n 1 2", "$2|00"),
                ("INCR n", ":1006"),
                ("OBJECT ENCODING n", "$3|int"),
            ])
    }

    @Test func integersCount() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("INCR n", ":1"),
                ("INCRBY n 41", ":42"),
                ("DECR n", ":41"),
                ("DECRBY n 40", ":1"),
                ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
                ("INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow"),
                ("INCRBY n x", "-ERR value is not an integer or out of range"),
                ("SET m 9223372036854775807", "+OK"),
                ("INCR m", "-ERR increment or decrement would overflow"),
                ("SET m -9223372036854775808", "+OK"),
                ("DECR m", "-ERR increment or decrement would overflow"),
                ("SET t 1.5", "+OK"),
                ("INCR t", "-ERR value is not an integer or out of range"),
                ("SET t 01", "+OK"),
                ("INCR t", "-ERR value is not an integer or out of range"),
                ("SET t -0", "+OK"),
                ("INCR t", "-ERR value is not an integer or out of range"),
                ("SET e 10 EX 100", "+OK"),
                ("INCR e", ":11"),
                ("TTL e", ":100"),
            ])
    }

    @Test func encodingsAreNamed() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 12345678901234567890", "+OK"),
                ("OBJECT ENCODING a", "$6|embstr"),
                ("SET a 1234567890123456789", "+OK"),
                ("OBJECT ENCODING a", "$3|int"),
                ("SET a xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "+OK"),
                ("OBJECT ENCODING a", "$6|embstr"),
                ("SET a xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "+OK"),
                ("OBJECT ENCODING a", "$3|raw"),
                ("OBJECT ENCODING none", "$-1"),
                ("OBJECT REFCOUNT a", ":1"),
                ("SET a 5", "+OK"),
                ("OBJECT REFCOUNT a", ":2147483647"),
                (
                    "OBJECT FREQ a",
                    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
                ),
                ("OBJECT FOO a", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
                ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
            ])
    }

    @Test func longestCommonSubsequence() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("MSET a ohmytext b mynewtext", "+OK"),
                ("LCS a b", "$6|mytext"),
                ("LCS a b LEN", ":6"),
                ("LCS a b IDX", "*4|$7|matches|*2|*2|*2|:4|:7|*2|:5|:8|*2|*2|:2|:3|*2|:0|:1|$3|len|:6"),
                ("LCS a b IDX MINMATCHLEN 4", "*4|$7|matches|*1|*2|*2|:4|:7|*2|:5|:8|$3|len|:6"),
                ("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "*4|$7|matches|*1|*3|*2|:4|:7|*2|:5|:8|:4|$3|len|:6"),
                ("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."),
                ("LCS a b FOO", "-ERR syntax error"),
                ("LCS a b MINMATCHLEN", "-ERR syntax error"),
                ("LCS a none", "$0|"),
                ("LCS a none IDX", "*4|$7|matches|*0|$3|len|:0"),
                ("LCS a none LEN", ":0"),
            ])
    }

    /// Held against the table of all prefixes' lengths, at lengths around the words of 64 places.
    @Test func longestCommonSubsequencesAreThoseOfTheWholeTable() {
        let machine = TestMachine()
        var random = RandomGenerator(seed: 11)
        for (m, n) in [
            (1, 1), (1, 64), (64, 1), (63, 65), (65, 63), (64, 64), (128, 127), (30, 200), (200, 30), (129, 191), (100, 320),
        ] {
            for letters in [1, 2, 4, 26, 256] {
                let a = (0..<m).map { _ in UInt8(random.index(below: letters)) }
                let b = (0..<n).map { _ in UInt8(random.index(below: letters)) }
                let expected = reference(a, b)
                machine.run(bytes: [Array("SET".utf8), Array("a".utf8), a])
                machine.run(bytes: [Array("SET".utf8), Array("b".utf8), b])
                #expect(machine.run("LCS a b LEN") == ":\(expected.count)\r\n")
                let found = machine.run(bytes: ["LCS", "a", "b"].map { Array($0.utf8) })
                #expect(found == Array("$\(expected.count)\r\n".utf8) + expected + Array("\r\n".utf8), "\(a) and \(b)")
                #expect(machine.run("LCS a b IDX").hasSuffix("$3\r\nlen\r\n:\(expected.count)\r\n"))
            }
        }
    }

    private func reference(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 1...a.count {
            for j in 1...b.count {
                table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : max(table[i - 1][j], table[i][j - 1])
            }
        }
        var (i, j) = (a.count, b.count)
        var result: [UInt8] = []
        while i > 0, j > 0 {
            if a[i - 1] == b[j - 1] {
                result.insert(a[i - 1], at: 0)
                i -= 1
                j -= 1
            } else if table[i - 1][j] > table[i][j - 1] {
                i -= 1
            } else {
                j -= 1
            }
        }
        return result
    }

    @Test func longestCommonSubsequencesHaveALimit() {
        let machine = TestMachine()
        let error = "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n"
        machine.run("SETRANGE a 8190 x")
        machine.run("SETRANGE b 16383 x")
        // 8192 times 16385 pairs are over 2^27; 8191 times 16385 are not.
        #expect(machine.run("LCS a b LEN") == error)
        #expect(machine.run("LCS a b") == error)
        machine.run("SETRANGE b 0 y")
        machine.run("SET a z")
        machine.run("SETRANGE a 8189 x")
        #expect(machine.run("LCS a b LEN") == ":8189\r\n")
    }

    @Test func longestCommonSubsequenceAsAMap() {
        let machine = TestMachine()
        machine.version = .three
        expect(
            machine,
            [
                ("MSET a ohmytext b mynewtext", "+OK"),
                ("LCS a b IDX WITHMATCHLEN", "%2|$7|matches|*2|*3|*2|:4|:7|*2|:5|:8|:4|*3|*2|:2|:3|*2|:0|:1|:2|$3|len|:6"),
            ])
    }

    /// Writing into a string is one change, whether its allocation has room or is replaced.
    @Test func writingIntoAStringIsOneChange() {
        let machine = TestMachine()
        machine.run("set s x")
        machine.run("set n 12")
        for command in [
            "append s y", "append s \(String(repeating: "z", count: 5000))", "setrange s 3 abc", "append n 3", "setbit new 7 1",
        ] {
            let before = machine.machine.changes
            machine.run(command)
            #expect(machine.machine.changes == before + 1, "\(command)")
        }
        machine.checkInvariants()
    }
}
