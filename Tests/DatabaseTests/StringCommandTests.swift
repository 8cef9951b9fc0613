import Base
import Database
import RESP
import Testing

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
            ])
    }
}
