import Base
import Consensus
import Database
import RESP

extension StateMachine {
    /// Applies a committed entry where nobody waits for replies: at a start, in a check, for a restoration.
    ///
    /// - Parameter nobody: a writer that discards.
    func apply(_ entry: LogEntry, replies nobody: ReplyWriter) {
        switch entry.kind {
        case .command:
            entry.payload.withView { payload in
                begin(payload: payload, index: entry.index, term: entry.term)
                while nextItem() { execute(reply: nobody) }
                end()
            }
        case .empty, .configuration: applyEmpty(index: entry.index, term: entry.term)
        }
    }
}
