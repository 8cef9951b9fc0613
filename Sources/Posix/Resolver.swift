import Base

/// Resolves names on a thread of its own, because a name server may take its time.
package final class Resolver {
    struct Question: Sendable {
        var number: UInt64
        var address: HostAndPort
    }

    /// An answer to question `number`.
    package struct Answer: Sendable {
        package var number: UInt64
        package var result: Result<SocketAddress, PosixError>
    }

    private let thread: WorkerThread<Question>
    private let answers: Mailbox<Answer>
    /// Questions that may wait.
    private static let capacity = 16

    /// Signalled when there is an answer.
    package var descriptor: Int32 { answers.descriptor }

    /// Starts the thread.
    ///
    /// - Throws: `system`.
    package init() throws(PosixError) {
        let answers = try Mailbox<Answer>(capacity: 64, isWatched: true)
        self.answers = answers
        thread = try WorkerThread(name: "kvd resolver", capacity: Resolver.capacity) { question in
            let result: Result<SocketAddress, PosixError>
            do throws(PosixError) {
                result = .success(try SocketAddress.resolve(question.address, numericOnly: false))
            } catch {
                result = .failure(error)
            }
            // An answer that finds no room was given up long ago by who asked.
            _ = answers.post(Answer(number: question.number, result: result))
        }
    }

    /// Asks. False when too many questions wait.
    package func ask(_ number: UInt64, _ address: HostAndPort) -> Bool {
        thread.post(Question(number: number, address: address))
    }

    /// The answers that came in.
    package func take() -> [Answer] { answers.takeAll() }

    /// Ends the thread when it has answered what it was asked. To be called once.
    package func stop() { thread.stop() }
}
