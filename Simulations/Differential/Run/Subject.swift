/// Why a subject can't go on.
package struct SubjectError: Error, Equatable, Sendable {
    /// One line for the operator.
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// Something that answers Redis commands.
package protocol Subject: AnyObject {
    /// Drops all data, sets the parameters and the protocol's version, and selects database 0.
    func begin(_ sequence: CommandSequence) throws(SubjectError)
    /// Carries out commands in order and returns their replies, byte for byte.
    func run(_ steps: [Step]) throws(SubjectError) -> [[UInt8]]
    /// Lets deadlines pass that were a millisecond off.
    func pause() throws(SubjectError)
}
