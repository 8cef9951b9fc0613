import Base
import Database
import RESP
import Testing

// The replies in these tables are those of redis-server 7.0.15.
@Suite struct KeyCommandTests {
    @Test func keysAreDeletedAndCounted() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("MSET a 1 b 2 c 3", "+OK"),
                ("EXISTS a a none", ":2"),
                ("DEL a none", ":1"),
                ("UNLINK b", ":1"),
                ("TOUCH c c none", ":2"),
                ("DBSIZE", ":1"),
                ("TYPE c", "+string"),
                ("TYPE none", "+none"),
                ("DEL", "-ERR wrong number of arguments for 'del' command"),
            ])
    }

    @Test func keysAreRenamed() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 1 EX 100", "+OK"),
                ("RENAME a b", "+OK"),
                ("TTL b", ":100"),
                ("GET a", "$-1"),
                ("RENAME a b", "-ERR no such key"),
                ("RENAME b b", "+OK"),
                ("SET c 2", "+OK"),
                ("RENAMENX b c", ":0"),
                ("RENAMENX b d", ":1"),
                ("RENAMENX none d", "-ERR no such key"),
                ("RENAMENX d d", ":0"),
                ("RENAME d c", "+OK"),
                ("GET c", "$1|1"),
                ("TTL c", ":100"),
            ])
    }

    @Test func keysAreCopied() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a text EX 100", "+OK"),
                ("COPY a b", ":1"),
                ("TTL b", ":100"),
                ("COPY a b", ":0"),
                ("COPY a b REPLACE", ":1"),
                ("COPY a a", "-ERR source and destination objects are the same"),
                ("COPY none x", ":0"),
                ("COPY a b DB 1", ":1"),
                ("COPY a b DB 16", "-ERR DB index is out of range"),
                ("COPY a b DB x", "-ERR value is not an integer or out of range"),
                ("COPY a b DB", "-ERR syntax error"),
                ("COPY a b FOO", "-ERR syntax error"),
                ("COPY a b DB 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
            ])
    }

    @Test func keysAreMoved() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 1 EX 100", "+OK"),
                ("MOVE a 1", ":1"),
                ("MOVE a 1", ":0"),
                ("SET a 2", "+OK"),
                ("MOVE a 1", ":0"),
                ("MOVE a 0", "-ERR source and destination objects are the same"),
                ("MOVE a 16", "-ERR DB index is out of range"),
                ("MOVE a x", "-ERR value is not an integer or out of range"),
                ("MOVE a 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
            ])
    }

    @Test func databasesAreSwappedAndFlushed() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 1", "+OK"),
                ("SWAPDB 0 1", "+OK"),
                ("GET a", "$-1"),
                ("SWAPDB 1 0", "+OK"),
                ("GET a", "$1|1"),
                ("SWAPDB 0 16", "-ERR DB index is out of range"),
                ("SWAPDB x 0", "-ERR invalid first DB index"),
                ("SWAPDB 0 x", "-ERR invalid second DB index"),
                ("SWAPDB 0 0", "+OK"),
                ("FLUSHDB FOO", "-ERR syntax error"),
                ("FLUSHDB ASYNC SYNC", "-ERR syntax error"),
                ("FLUSHDB ASYNC", "+OK"),
                ("DBSIZE", ":0"),
                ("SET a 1", "+OK"),
                ("FLUSHALL SYNC", "+OK"),
                ("DBSIZE", ":0"),
                ("FUNCTION FLUSH", "+OK"),
                ("FUNCTION FLUSH ASYNC", "+OK"),
                ("FUNCTION FLUSH FOO", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
                (
                    "FUNCTION FLUSH ASYNC ASYNC",
                    "-ERR unknown subcommand or wrong number of arguments for 'FLUSH'. Try FUNCTION HELP."
                ),
            ])
    }

    @Test func patternsSelectKeys() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET foo 1", "+OK"),
                ("KEYS f?o", "*1|$3|foo"),
                ("KEYS f*", "*1|$3|foo"),
                ("KEYS [a-f]oo", "*1|$3|foo"),
                ("KEYS [^a-f]oo", "*0"),
                ("KEYS f\\\\oo", "*0"),
                ("KEYS *x*", "*0"),
                ("KEYS [f", "*0"),
                ("KEYS fo[o", "*1|$3|foo"),
            ])
    }

    @Test func errorsNameTheCommand() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("FOO", "-ERR unknown command 'FOO', with args beginning with: "),
                ("FOO a b", "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' "),
                ("GET", "-ERR wrong number of arguments for 'get' command"),
                ("get a b", "-ERR wrong number of arguments for 'get' command"),
                ("OBJECT", "-ERR wrong number of arguments for 'object' command"),
                ("OBJECT FOO", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
                ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
                ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
                ("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP."),
                ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"),
                ("COMMAND FOO", "-ERR unknown subcommand 'FOO'. Try COMMAND HELP."),
                ("DEBUG FOO", "-ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP."),
                ("FUNCTION FLUSH a b", "-ERR unknown subcommand or wrong number of arguments for 'FLUSH'. Try FUNCTION HELP."),
            ])
    }

    @Test func deadlinesAreSetUnderConditions() {
        let machine = TestMachine()
        expect(
            machine,
            [
                ("SET a 1", "+OK"),
                ("EXPIRE a 100 GT", ":0"),
                ("EXPIRE a 100 XX", ":0"),
                ("EXPIRE a 100 LT", ":1"),
                ("TTL a", ":100"),
                ("EXPIRE a 200 NX", ":0"),
                ("EXPIRE a 200 GT", ":1"),
                ("EXPIRE a 150 GT", ":0"),
                ("EXPIRE a 150 LT", ":1"),
                ("TTL a", ":150"),
                ("EXPIRE a 100 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
                ("EXPIRE a 100 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
                ("EXPIRE a 100 GT LT", "-ERR GT and LT options at the same time are not compatible"),
                ("EXPIRE a 100 FOO", "-ERR Unsupported option FOO"),
                ("EXPIRE a x", "-ERR value is not an integer or out of range"),
                ("EXPIRE a 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
                ("PEXPIRE a 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
                ("EXPIREAT a 9223372036854775807", "-ERR invalid expire time in 'expireat' command"),
                ("EXPIRE a -9223372036854775808", "-ERR invalid expire time in 'expire' command"),
                ("EXPIRE none 100", ":0"),
                ("PEXPIREAT a 2000000000000", ":1"),
                ("PEXPIRETIME a", ":2000000000000"),
                ("EXPIRETIME a", ":2000000000"),
                ("EXPIREAT a 2000000001", ":1"),
                ("PEXPIRETIME a", ":2000000001000"),
                ("PERSIST a", ":1"),
                ("PERSIST a", ":0"),
                ("PERSIST none", ":0"),
                ("TTL a", ":-1"),
                ("PTTL none", ":-2"),
                ("EXPIRETIME a", ":-1"),
                ("PEXPIRETIME none", ":-2"),
                ("EXPIRE a 0", ":1"),
                ("EXISTS a", ":0"),
                ("SET a 1", "+OK"),
                ("EXPIREAT a 1", ":1"),
                ("EXISTS a", ":0"),
                ("SET a 1", "+OK"),
                ("PEXPIRE a -1", ":1"),
                ("EXISTS a", ":0"),
            ])
    }

    @Test func lookingAtAKeyIsNoUseOfIt() {
        let machine = TestMachine()
        machine.run("SET a 1")
        machine.advance(milliseconds: 5000)
        for command in ["EXISTS a", "TYPE a", "TTL a", "PTTL a", "EXPIRETIME a", "PEXPIRETIME a", "OBJECT ENCODING a"] {
            machine.run(command)
            #expect(machine.run("OBJECT IDLETIME a") == ":5\r\n", "\(command)")
        }
        for command in ["GET a", "TOUCH a"] {
            machine.run(command)
            #expect(machine.run("OBJECT IDLETIME a") == ":0\r\n", "\(command)")
            machine.advance(milliseconds: 5000)
        }
    }
}
