import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct StreamGroupCommandTests {
    private func machine(entries: Int) -> TestMachine {
        let machine = TestMachine()
        for number in 1...entries { machine.run("xadd s \(number) n \(number)") }
        return machine
    }

    @Test func readingTellsWhatIsNew() {
        let machine = machine(entries: 3)
        expect(
            machine,
            [
                ("xread streams s 1", "*1|*2|$1|s|*2|*2|$3|2-0|*2|$1|n|$1|2|*2|$3|3-0|*2|$1|n|$1|3"),
                ("xread count 1 streams s nope 0 0", "*1|*2|$1|s|*1|*2|$3|1-0|*2|$1|n|$1|1"),
                ("xread count 0 streams s 2-0", "*1|*2|$1|s|*1|*2|$3|3-0|*2|$1|n|$1|3"),
                ("xread streams s 3", "*-1"),
                ("xread streams s $", "*-1"),
                ("xread streams nope $", "*-1"),
                ("xread block 10 streams s 2", "*1|*2|$1|s|*1|*2|$3|3-0|*2|$1|n|$1|3"),
                ("xread block 0 streams s $", "-ERR BLOCK is not supported yet"),
                ("xread block -1 streams s $", "-ERR timeout is negative"),
                ("xread block x streams s $", "-ERR timeout is not an integer or out of range"),
                ("xread block 9223372036854775807 streams s $", "-ERR timeout is out of range"),
                (
                    "xread streams s >",
                    "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
                ),
                (
                    "xread streams s s 1",
                    "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
                ),
                (
                    "xread group g c streams s 1",
                    "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
                ),
                ("xread noack streams s 1", "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."),
                ("xread count x streams s 1", "-ERR value is not an integer or out of range"),
                ("xread nope streams s 1", "-ERR syntax error"),
                ("xread count 1 count 1", "-ERR syntax error"),
                ("xread streams s +", "-ERR Invalid stream ID specified as stream command argument"),
                ("set str v", "+OK"),
                ("xread streams s str 0 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ])
        machine.version = .three
        expect(
            machine,
            [
                ("xread count 1 streams s 0", "%1|$1|s|*1|*2|$3|1-0|*2|$1|n|$1|1"),
                ("xread streams s 3", "_"),
            ])
    }

    @Test func groupsAreMadeMovedAndRemoved() {
        let machine = machine(entries: 2)
        let needsKey =
            "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to "
            + "create an empty stream automatically."
        let wrong = "-ERR unknown subcommand or wrong number of arguments for"
        expect(
            machine,
            [
                ("xgroup create s g $", "+OK"),
                ("xgroup create s g $", "-BUSYGROUP Consumer Group name already exists"),
                ("xgroup create nope g $", needsKey),
                ("xgroup create new g $ mkstream entriesread 5", "+OK"),
                ("xlen new", ":0"),
                (
                    "xinfo groups new",
                    "*1|*12|$4|name|$1|g|$9|consumers|:0|$7|pending|:0|$17|last-delivered-id|$3|0-0|$12|entries-read|:5|$3|lag|:0"
                ),
                ("xgroup create s h x", "-ERR Invalid stream ID specified as stream command argument"),
                ("xgroup create s h - mkstream", "-ERR Invalid stream ID specified as stream command argument"),
                ("xgroup create s h 0 nope", wrong + " 'create'. Try XGROUP HELP."),
                ("xgroup create s h 0 entriesread x", "-ERR value is not an integer or out of range"),
                ("xgroup create s h 0 entriesread -2", "-ERR value for ENTRIESREAD must be positive or -1"),
                ("xgroup setid s g 1", "+OK"),
                ("xgroup setid s g - entriesread 3", "+OK"),
                ("xgroup setid s nope 1", "-NOGROUP No such consumer group 'nope' for key name 's'"),
                ("xgroup setid nope g 1", needsKey),
                ("xgroup setid s g 1 mkstream", wrong + " 'setid'. Try XGROUP HELP."),
                ("xgroup createconsumer s g c", ":1"),
                ("xgroup createconsumer s g c", ":0"),
                ("xgroup createconsumer s nope c", "-NOGROUP No such consumer group 'nope' for key name 's'"),
                ("xgroup delconsumer s g c", ":0"),
                ("xgroup delconsumer s g c", ":0"),
                ("xgroup destroy s g", ":1"),
                ("xgroup destroy s g", ":0"),
                ("xgroup destroy nope g", needsKey),
                ("xgroup create s", "-ERR wrong number of arguments for 'xgroup|create' command"),
                ("xgroup nope s", "-ERR unknown subcommand 'nope'. Try XGROUP HELP."),
                ("set str v", "+OK"),
                ("xgroup create str g $", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ])
        #expect(machine.run("xgroup help").hasPrefix("*13\r\n+XGROUP <subcommand>"))
        #expect(machine.run("xinfo help").hasPrefix("*9\r\n+XINFO <subcommand>"))
    }

    @Test func aGroupSharesOutEntriesAndRemembersThem() {
        let machine = machine(entries: 4)
        expect(
            machine,
            [
                ("xgroup create s g 0", "+OK"),
                ("xreadgroup group g a count 2 streams s >", "*1|*2|$1|s|*2|*2|$3|1-0|*2|$1|n|$1|1|*2|$3|2-0|*2|$1|n|$1|2"),
                ("xreadgroup group g b count 1 streams s >", "*1|*2|$1|s|*1|*2|$3|3-0|*2|$1|n|$1|3"),
                ("xreadgroup group g b noack streams s >", "*1|*2|$1|s|*1|*2|$3|4-0|*2|$1|n|$1|4"),
                ("xreadgroup group g b streams s >", "*-1"),
                ("xreadgroup group g b block 5 streams s >", "-ERR BLOCK is not supported yet"),
                ("xpending s g", "*4|:3|$3|1-0|$3|3-0|*2|*2|$1|a|$1|2|*2|$1|b|$1|1"),
                ("xreadgroup group g a streams s 0", "*1|*2|$1|s|*2|*2|$3|1-0|*2|$1|n|$1|1|*2|$3|2-0|*2|$1|n|$1|2"),
                ("xreadgroup group g a streams s 1", "*1|*2|$1|s|*1|*2|$3|2-0|*2|$1|n|$1|2"),
                ("xdel s 2", ":1"),
                ("xreadgroup group g a streams s 1", "*1|*2|$1|s|*1|*2|$3|2-0|*-1"),
                ("xreadgroup group g new streams s 0", "*1|*2|$1|s|*0"),
                ("xpending s g - + 10", "*3|*4|$3|1-0|$1|a|:0|:2|*4|$3|2-0|$1|a|:0|:3|*4|$3|3-0|$1|b|:0|:1"),
                ("xpending s g - + 10 b", "*1|*4|$3|3-0|$1|b|:0|:1"),
                ("xpending s g (1 2 10 a", "*1|*4|$3|2-0|$1|a|:0|:3"),
                ("xpending s g - + 0", "*0"),
                ("xpending s g - + -1", "*0"),
                ("xpending s g - + 10 nope", "*0"),
                ("xack s g 1 9 1", ":1"),
                ("xack s nope x", ":0"),
                ("xack s g x", "-ERR Invalid stream ID specified as stream command argument"),
                ("xack nope g 1", ":0"),
                ("xgroup delconsumer s g a", ":1"),
                ("xpending s g", "*4|:1|$3|3-0|$3|3-0|*1|*2|$1|b|$1|1"),
                (
                    "xreadgroup group nope a streams s >",
                    "-NOGROUP No such key 's' or consumer group 'nope' in XREADGROUP with GROUP option"
                ),
                (
                    "xreadgroup group g a streams s nope > >",
                    "-NOGROUP No such key 'nope' or consumer group 'g' in XREADGROUP with GROUP option"
                ),
                ("xreadgroup group g a streams s", "-ERR wrong number of arguments for 'xreadgroup' command"),
                (
                    "xreadgroup count 1 noack streams s s >",
                    "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
                ),
                ("xreadgroup count 1 noack noack streams s >", "-ERR Missing GROUP option for XREADGROUP"),
                (
                    "xreadgroup group g a streams s $",
                    "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
                        + "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
                ),
            ])
    }

    @Test func whatIsDeliveredTwiceBelongsToTheLast() {
        let machine = machine(entries: 2)
        expect(
            machine,
            [
                ("xgroup create s g 0", "+OK"),
                ("xreadgroup group g a streams s >", "*1|*2|$1|s|*2|*2|$3|1-0|*2|$1|n|$1|1|*2|$3|2-0|*2|$1|n|$1|2"),
                ("xgroup setid s g 0", "+OK"),
                ("xreadgroup group g b count 1 streams s >", "*1|*2|$1|s|*1|*2|$3|1-0|*2|$1|n|$1|1"),
                ("xpending s g", "*4|:2|$3|1-0|$3|2-0|*2|*2|$1|a|$1|1|*2|$1|b|$1|1"),
            ])
    }

    @Test func claimsTakeOverWhatIsPending() {
        let machine = machine(entries: 4)
        machine.run("xgroup create s g 0")
        machine.run("xreadgroup group g a count 3 streams s >")
        machine.advance(milliseconds: 100)
        expect(
            machine,
            [
                ("xclaim s g b 200 1", "*0"),
                ("xclaim s g b 100 1", "*1|*2|$3|1-0|*2|$1|n|$1|1"),
                ("xclaim s g b 0 2 9 justid", "*1|$3|2-0"),
                ("xpending s g - + 10", "*3|*4|$3|1-0|$1|b|:0|:2|*4|$3|2-0|$1|b|:0|:1|*4|$3|3-0|$1|a|:100|:1"),
                ("xclaim s g c 0 4", "*0"),
                ("xclaim s g c 0 4 force", "*1|*2|$3|4-0|*2|$1|n|$1|4"),
                ("xclaim s g c 0 3 idle 1000 retrycount 7 justid", "*1|$3|3-0"),
                ("xclaim s g c 0 2 time 1699999999000", "*1|*2|$3|2-0|*2|$1|n|$1|2"),
                ("xclaim s g c 0 1 time 9999999999999 retrycount 3", "*1|*2|$3|1-0|*2|$1|n|$1|1"),
                (
                    "xpending s g - + 10",
                    "*4|*4|$3|1-0|$1|c|:0|:3|*4|$3|2-0|$1|c|:1100|:2|*4|$3|3-0|$1|c|:1000|:7|*4|$3|4-0|$1|c|:0|:2"
                ),
                ("xpending s g idle 1000 - + 10", "*2|*4|$3|2-0|$1|c|:1100|:2|*4|$3|3-0|$1|c|:1000|:7"),
                ("xpending s g idle 1000 - + 1 c", "*1|*4|$3|2-0|$1|c|:1100|:2"),
                ("xdel s 3", ":1"),
                ("xclaim s g d 0 3", "*0"),
                ("xpending s g", "*4|:3|$3|1-0|$3|4-0|*1|*2|$1|c|$1|3"),
                ("xclaim s g d 0 1 lastid 9-9 justid", "*1|$3|1-0"),
                ("xclaim s g d x 1", "-ERR Invalid min-idle-time argument for XCLAIM"),
                ("xclaim s g d 0 1 nope", "-ERR Unrecognized XCLAIM option 'nope'"),
                ("xclaim s g d 0 1 idle x", "-ERR Invalid IDLE option argument for XCLAIM"),
                ("xclaim s g d 0 1 time x", "-ERR Invalid TIME option argument for XCLAIM"),
                ("xclaim s g d 0 1 retrycount x", "-ERR Invalid RETRYCOUNT option argument for XCLAIM"),
                ("xclaim s g d 0 1 lastid x", "-ERR Invalid stream ID specified as stream command argument"),
                ("xclaim s nope d 0 1", "-NOGROUP No such key 's' or consumer group 'nope'"),
                ("xclaim nope g d x 1", "-NOGROUP No such key 'nope' or consumer group 'g'"),
                ("xpending s g idle x - + 1", "-ERR value is not an integer or out of range"),
                ("xpending s g idle 1 - +", "-ERR syntax error"),
                ("xpending s g - +", "-ERR syntax error"),
                ("xpending s g - + x", "-ERR value is not an integer or out of range"),
                ("xpending s g x + 1", "-ERR Invalid stream ID specified as stream command argument"),
                ("xpending s nope", "-NOGROUP No such key 's' or consumer group 'nope'"),
                ("xpending nope g", "-NOGROUP No such key 'nope' or consumer group 'g'"),
            ])
    }

    @Test func automaticClaimsWalkThroughWhatIsPending() {
        let machine = machine(entries: 5)
        machine.run("xgroup create s g 0")
        machine.run("xreadgroup group g a streams s >")
        machine.advance(milliseconds: 50)
        expect(
            machine,
            [
                ("xautoclaim s g b 100 -", "*3|$3|0-0|*0|*0"),
                ("xdel s 2", ":1"),
                ("xautoclaim s g b 50 - count 3 justid", "*3|$3|4-0|*2|$3|1-0|$3|3-0|*1|$3|2-0"),
                ("xautoclaim s g b 50 4 count 1", "*3|$3|5-0|*1|*2|$3|4-0|*2|$1|n|$1|4|*0"),
                ("xautoclaim s g b 50 (5-0", "*3|$3|0-0|*0|*0"),
                ("xpending s g", "*4|:4|$3|1-0|$3|5-0|*2|*2|$1|a|$1|1|*2|$1|b|$1|3"),
                ("xautoclaim s g b x -", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"),
                ("xautoclaim s g b 0 x", "-ERR Invalid stream ID specified as stream command argument"),
                ("xautoclaim s g b 0 - count 0", "-ERR COUNT must be > 0"),
                ("xautoclaim s g b 0 - count x", "-ERR COUNT must be > 0"),
                ("xautoclaim s g b 0 - nope", "-ERR syntax error"),
                ("xautoclaim s nope b 0 -", "-NOGROUP No such key 's' or consumer group 'nope'"),
                ("xautoclaim nope g b 0 -", "-NOGROUP No such key 'nope' or consumer group 'g'"),
            ])
    }

    @Test func informationAboutStreams() {
        let machine = machine(entries: 3)
        machine.run("xgroup create s g 0")
        machine.run("xreadgroup group g a count 2 streams s >")
        machine.run("xack s g 1")
        machine.run("xgroup createconsumer s g b")
        machine.advance(milliseconds: 7)
        let facts =
            "$6|length|:3|$15|radix-tree-keys|:1|$16|radix-tree-nodes|:2|$17|last-generated-id|$3|3-0|$20|max-deleted-entry-id|$3|0-0"
            + "|$13|entries-added|:3|$23|recorded-first-entry-id|$3|1-0"
        let group = "$4|name|$1|g|$17|last-delivered-id|$3|2-0|$12|entries-read|:2|$3|lag|:1"
        expect(
            machine,
            [
                (
                    "xinfo stream s",
                    "*20|" + facts + "|$6|groups|:1|$11|first-entry|*2|$3|1-0|*2|$1|n|$1|1|$10|last-entry|*2|$3|3-0|*2|$1|n|$1|3"
                ),
                (
                    "xinfo stream s full count 1",
                    "*18|" + facts + "|$7|entries|*1|*2|$3|1-0|*2|$1|n|$1|1|$6|groups|*1|*14|" + group
                        + "|$9|pel-count|:1|$7|pending|*1|*4|$3|2-0|$1|a|:1700000000000|:1|$9|consumers|*2"
                        + "|*10|$4|name|$1|a|$9|seen-time|:1700000000000|$11|active-time|:1700000000000|$9|pel-count|:1"
                        + "|$7|pending|*1|*3|$3|2-0|:1700000000000|:1"
                        + "|*10|$4|name|$1|b|$9|seen-time|:1700000000000|$11|active-time|:-1|$9|pel-count|:0|$7|pending|*0"
                ),
                (
                    "xinfo groups s",
                    "*1|*12|$4|name|$1|g|$9|consumers|:2|$7|pending|:1|$17|last-delivered-id|$3|2-0|$12|entries-read|:2|$3|lag|:1"
                ),
                (
                    "xinfo consumers s g",
                    "*2|*8|$4|name|$1|a|$7|pending|:1|$4|idle|:7|$8|inactive|:7|*8|$4|name|$1|b|$7|pending|:0|$4|idle|:7|$8|inactive|:-1"
                ),
                ("xinfo stream s full count x", "-ERR value is not an integer or out of range"),
                ("xinfo stream s full 1", "-ERR unknown subcommand or wrong number of arguments for 'stream'. Try XINFO HELP."),
                ("xinfo stream s nope", "-ERR unknown subcommand or wrong number of arguments for 'stream'. Try XINFO HELP."),
                ("xinfo stream nope", "-ERR no such key"),
                ("xinfo groups nope", "-ERR no such key"),
                ("xinfo consumers s nope", "-NOGROUP No such consumer group 'nope' for key name 's'"),
                ("xinfo consumers s", "-ERR wrong number of arguments for 'xinfo|consumers' command"),
            ])
        machine.version = .three
        #expect(machine.run("xinfo stream s").hasPrefix("%10\r\n"))
        #expect(machine.run("xinfo groups s").hasPrefix("*1\r\n%6\r\n"))
    }

    @Test func theLagIsKnownWhereCountingIsPossible() {
        let machine = TestMachine()
        func progress() -> String {
            let lines = machine.run("xinfo groups s").split(separator: "\r\n").map(String.init)
            return lines[(lines.firstIndex(of: "entries-read") ?? 0) + 1] + lines[(lines.firstIndex(of: "lag") ?? 0) + 1]
        }
        machine.run("xgroup create s g $ mkstream")
        #expect(progress() == "$-1:0")
        for number in 1...5 { machine.run("xadd s \(number) n 1") }
        #expect(progress() == "$-1:5")
        machine.run("xreadgroup group g c count 1 streams s >")
        #expect(progress() == ":1:4")
        machine.run("xdel s 3")
        // What is deleted lies ahead.
        #expect(progress() == ":1$-1")
        machine.run("xreadgroup group g c count 1 streams s >")
        #expect(progress() == "$-1$-1")
        machine.run("xreadgroup group g c streams s >")
        #expect(progress() == ":5:0")
        machine.run("xadd s 6 n 1")
        #expect(progress() == ":5:1")
    }

    @Test func positionsAreSet() {
        let machine = machine(entries: 3)
        expect(
            machine,
            [
                ("xsetid s 2", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
                (
                    "xsetid s 9 entriesadded 2",
                    "-ERR The entries_added specified in XSETID is smaller than the target stream length"
                ),
                ("xsetid s 9 entriesadded -1", "-ERR entries_added must be positive"),
                (
                    "xsetid s 9 maxdeletedid 10",
                    "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
                ),
                ("xsetid s 9 entriesadded 100 maxdeletedid 8", "+OK"),
                ("xsetid s 7", "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
                ("xsetid s x", "-ERR Invalid stream ID specified as stream command argument"),
                ("xsetid s 9 nope", "-ERR syntax error"),
                ("xsetid nope 9", "-ERR no such key"),
                ("xadd s 9 a 1", "-ERR The ID specified in XADD is equal or smaller than the target stream top item"),
                ("xadd s 9-* a 1", "$3|9-1"),
            ])
    }

    @Test func keysAreFoundBehindTheirWord() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("command getkeys xread count 2 streams a b 0 0", "*2|$1|a|$1|b"),
                ("command getkeys xreadgroup group g c streams a b > >", "*2|$1|a|$1|b"),
                ("command getkeys xgroup create k g $", "*1|$1|k"),
                ("command getkeys xinfo stream k", "*1|$1|k"),
                ("command getkeysandflags xadd k * a 1", "*1|*2|$1|k|*2|+RW|+update"),
            ])
    }
}
