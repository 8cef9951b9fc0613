import Base
import Database
import RESP

/// COMMAND and its subcommands, from the command table.
extension Node {
    func runCommandCommand(_ local: LocalCommand, _ connection: ClientConnection) {
        check(false, "COMMAND is answered when the table has it")
    }
}
