/// A type whose values can be written on a command line.
package protocol ArgumentValue: Sendable {
    /// Reads one word; nil when it is not such a value.
    init?(argument: String)
    /// What the word must be, to end the sentence "expected …".
    static var expectation: String { get }
    /// How a default is shown in help.
    var argumentText: String { get }
}

extension ArgumentValue {
    package var argumentText: String { "\(self)" }
}

extension String: ArgumentValue {
    package init?(argument: String) { self = argument }
    package static var expectation: String { "a text" }
}

extension Int: ArgumentValue {
    package init?(argument: String) { self.init(argument) }
    package static var expectation: String { "a whole number" }
}

extension UInt64: ArgumentValue {
    package init?(argument: String) { self.init(argument) }
    package static var expectation: String { "a whole number that is not negative" }
}

extension UInt16: ArgumentValue {
    package init?(argument: String) { self.init(argument) }
    package static var expectation: String { "a whole number from 0 to 65535" }
}

extension Double: ArgumentValue {
    package init?(argument: String) {
        guard let value = Double(argument), value.isFinite else { return nil }
        self = value
    }
    package static var expectation: String { "a number" }
}

/// Enumerations of words come for free: declare `enum Mode: String, CaseIterable, ArgumentValue`.
extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
    package init?(argument: String) { self.init(rawValue: argument) }
    package static var expectation: String { "one of " + allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ") }
    package var argumentText: String { rawValue }
}

/// Something that a command declares. Only the types of this file conform.
package protocol Declaration: Sendable {
    /// What parsing and help need to know.
    var description: DeclarationDescription { get }
}

/// The untyped side of a declaration.
package struct DeclarationDescription: Sendable {
    enum Kind { case option, flag, argument, rest }
    var kind: Kind
    var name: String
    var short: Character?
    var placeholder: String
    var help: String
    var defaultText: String?
    var isRequired: Bool
    /// nil when the word is acceptable, else what was expected.
    var judge: @Sendable (String) -> String?

    /// Whether it is given by name, not by place.
    var isNamed: Bool { kind == .option || kind == .flag }

    /// As it is written in messages: "--port <port>", "<node>".
    var title: String {
        switch kind {
        case .option: "--\(name) <\(placeholder)>"
        case .flag: "--\(name)"
        case .argument: "<\(name)>"
        case .rest: "<\(name)> ..."
        }
    }
}

/// A named value: `--name value` or `--name=value`. When given twice, the last one counts.
package struct Option<Value: ArgumentValue>: Declaration {
    package let description: DeclarationDescription
    let fallback: Value?

    /// Declares an option.
    ///
    /// - Parameters:
    ///   - name: without the dashes.
    ///   - short: one letter that does the same.
    ///   - fallback: the value when the option is not given. Without one, read it with `values[ifGiven:]`.
    ///   - isRequired: whether it is an error to leave it out.
    ///   - placeholder: the value's name in help; the option's name unless given.
    ///   - help: one sentence.
    ///   - problem: says what is expected when a value that was read is not acceptable ("a port above 1023").
    package init(
        _ name: String, short: Character? = nil, default fallback: Value? = nil, isRequired: Bool = false,
        placeholder: String? = nil, help: String, problem: (@Sendable (Value) -> String?)? = nil
    ) {
        self.fallback = fallback
        description = DeclarationDescription(
            kind: .option, name: name, short: short, placeholder: placeholder ?? name, help: help,
            defaultText: fallback?.argumentText, isRequired: isRequired,
            judge: { word in
                guard let value = Value(argument: word) else { return Value.expectation }
                return problem?(value)
            })
    }
}

/// A switch: `--name`.
package struct Flag: Declaration {
    package let description: DeclarationDescription

    /// Declares a flag.
    ///
    /// - Parameters:
    ///   - name: without the dashes.
    ///   - short: one letter that does the same.
    ///   - help: one sentence.
    package init(_ name: String, short: Character? = nil, help: String) {
        description = DeclarationDescription(
            kind: .flag, name: name, short: short, placeholder: "", help: help, defaultText: nil, isRequired: false,
            judge: { _ in nil })
    }
}

/// A value by its place.
package struct Argument<Value: ArgumentValue>: Declaration {
    package let description: DeclarationDescription

    /// Declares an argument.
    ///
    /// - Parameters:
    ///   - name: as shown in help.
    ///   - isRequired: whether it is an error to leave it out.
    ///   - help: one sentence.
    ///   - problem: says what is expected when a value that was read is not acceptable.
    package init(
        _ name: String, isRequired: Bool = true, help: String, problem: (@Sendable (Value) -> String?)? = nil
    ) {
        description = DeclarationDescription(
            kind: .argument, name: name, short: nil, placeholder: name, help: help, defaultText: nil, isRequired: isRequired,
            judge: { word in
                guard let value = Value(argument: word) else { return Value.expectation }
                return problem?(value)
            })
    }
}

/// All words from the first one that no other argument takes, as they are, dashes included.
package struct RestOfLine: Declaration {
    package let description: DeclarationDescription

    /// Declares what takes the rest of the line.
    package init(_ name: String, isRequired: Bool = false, help: String) {
        description = DeclarationDescription(
            kind: .rest, name: name, short: nil, placeholder: name, help: help, defaultText: nil, isRequired: isRequired,
            judge: { _ in nil })
    }
}

/// The values of one invocation, read by what declared them.
package struct Values: Sendable {
    var words: [String: [String]] = [:]

    /// The option's value, or its default. The option has a default or is required.
    package subscript<Value>(option: Option<Value>) -> Value {
        guard let value = self[ifGiven: option] ?? option.fallback else {
            fatalError("option --\(option.description.name) is read without a default: it must be declared and required")
        }
        return value
    }

    /// The option's value if it was given (its default does not count).
    package subscript<Value>(ifGiven option: Option<Value>) -> Value? {
        words["--" + option.description.name]?.last.flatMap { Value(argument: $0) }
    }

    /// Whether the flag was given.
    package subscript(flag: Flag) -> Bool { words["--" + flag.description.name] != nil }

    /// The value of a required argument.
    package subscript<Value>(argument: Argument<Value>) -> Value {
        guard let value = self[ifGiven: argument] else {
            fatalError("argument <\(argument.description.name)> is read without a value: it must be declared and required")
        }
        return value
    }

    /// The argument's value if it was given.
    package subscript<Value>(ifGiven argument: Argument<Value>) -> Value? {
        words[argument.description.name]?.last.flatMap { Value(argument: $0) }
    }

    /// The rest of the line.
    package subscript(rest: RestOfLine) -> [String] { words[rest.description.name] ?? [] }
}
