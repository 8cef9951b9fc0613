import Base
import RESP

/// What a command does with a key, by the names of COMMAND GETKEYSANDFLAGS.
package struct KeyFlags: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Reads and changes the value.
    package static let readWrite = KeyFlags(rawValue: 1 << 0)
    /// Reads the value.
    package static let readOnly = KeyFlags(rawValue: 1 << 1)
    /// Overwrites the value.
    package static let overwrite = KeyFlags(rawValue: 1 << 2)
    /// Removes the key.
    package static let removes = KeyFlags(rawValue: 1 << 3)
    /// Returns, copies or uses the content.
    package static let access = KeyFlags(rawValue: 1 << 4)
    /// Changes the content.
    package static let update = KeyFlags(rawValue: 1 << 5)
    /// Adds content.
    package static let insert = KeyFlags(rawValue: 1 << 6)
    /// Deletes content.
    package static let delete = KeyFlags(rawValue: 1 << 7)
    /// Not a key, but treated as one.
    package static let notKey = KeyFlags(rawValue: 1 << 8)
    /// The specification may miss keys.
    package static let incomplete = KeyFlags(rawValue: 1 << 9)
    /// What is done depends on the arguments.
    package static let variableFlags = KeyFlags(rawValue: 1 << 10)

    /// The names, in the order in which Redis replies them.
    static let names: [(KeyFlags, StaticString)] = [
        (.readWrite, "RW"), (.readOnly, "RO"), (.overwrite, "OW"), (.removes, "RM"), (.access, "access"),
        (.update, "update"), (.insert, "insert"), (.delete, "delete"), (.notKey, "not_key"), (.incomplete, "incomplete"),
        (.variableFlags, "variable_flags"),
    ]
}

/// Where some of a command's keys are (key specifications of Redis 7).
package struct KeySpecification: Sendable {
    /// How the first argument of interest is found.
    package enum Begin: Sendable, Equatable {
        /// At an index; the command's name is at 0.
        case index(Int)
        /// Behind a word, searched from an index (negative: from the end, backwards).
        case keyword(String, from: Int)
        /// Where no simpler form can say it. The key behind the last appearance of an option, looked for from index 2 on without
        /// the values of other options (their names in small letters, and how many they have); nil when the keys come from the data.
        case unknown(option: String?, values: [String: Int])
    }
    /// How keys are found from there.
    package enum Find: Sendable, Equatable {
        /// From the first to `last` (relative; negative counts from the end of the arguments) in steps. A limit of n takes
        /// the first nth part of what follows.
        case range(last: Int, step: Int, limit: Int)
        /// The count stands at one place, the keys start at another, both relative.
        case count(at: Int, first: Int, step: Int)
    }
    package var flags: KeyFlags
    package var begin: Begin
    package var find: Find

    package init(_ flags: KeyFlags, begin: Begin, find: Find) {
        self.flags = flags
        self.begin = begin
        self.find = find
    }

    /// One key at an index.
    package static func key(_ index: Int, _ flags: KeyFlags) -> KeySpecification {
        KeySpecification(flags, begin: .index(index), find: .range(last: 0, step: 1, limit: 0))
    }

    /// Keys from an index to `last`, which counts from the end of the arguments when it is negative (-1 is the last one).
    package static func keys(from index: Int, to last: Int = -1, step: Int = 1, _ flags: KeyFlags) -> KeySpecification {
        let relative = last < 0 ? last : last - index
        return KeySpecification(flags, begin: .index(index), find: .range(last: relative, step: step, limit: 0))
    }

    /// A count at an index, and so many keys behind it.
    package static func counted(_ index: Int, _ flags: KeyFlags) -> KeySpecification {
        KeySpecification(flags, begin: .index(index), find: .count(at: 0, first: 1, step: 1))
    }

    /// Appends the indexes of this specification's keys. False when the arguments don't fit it.
    func appendKeys(of arguments: Arguments, to indexes: inout [(index: Int, flags: KeyFlags)]) -> Bool {
        if case .unknown(let option, let values) = begin {
            if let option, let index = lastValue(of: option, values, arguments) { indexes.append((index, flags)) }
            return true
        }
        guard let first = firstIndex(arguments) else { return true }
        switch find {
        case .range(let last, let step, let limit):
            var end = last >= 0 ? first + last : arguments.count + last
            if last < 0, limit > 1 { end = first + ((arguments.count - first) / limit + last) }
            if end >= arguments.count || end < first { return false }
            var index = first
            while index <= end {
                indexes.append((index, flags))
                index += step
            }
        case .count(let place, let start, let step):
            guard first + place < arguments.count, let count = parseInteger(arguments[first + place]), count > 0,
                count <= Int64(arguments.count)
            else { return false }
            let begin = first + start
            if begin + (Int(count) - 1) * step >= arguments.count { return false }
            for number in 0..<Int(count) { indexes.append((begin + number * step, flags)) }
        }
        return true
    }

    private func firstIndex(_ arguments: Arguments) -> Int? {
        switch begin {
        case .index(let index):
            return index
        case .keyword(let word, let from):
            var index = from > 0 ? from : arguments.count + from
            let step = from > 0 ? 1 : -1
            while index > 0, index < arguments.count {
                if sameWord(arguments[index], word), index + 1 < arguments.count { return index + 1 }
                index += step
            }
            return nil
        case .unknown: return nil
        }
    }

    private func lastValue(of option: String, _ values: [String: Int], _ arguments: Arguments) -> Int? {
        var found: Int?
        var index = 2
        while index < arguments.count {
            if let skipped = values[arguments[index].text.lowercased()] {
                index += skipped
            } else if sameWord(arguments[index], option), index + 1 < arguments.count {
                found = index + 1
            }
            index += 1
        }
        return found
    }

    private func sameWord(_ view: ByteView, _ word: String) -> Bool {
        let bytes = word.utf8
        if bytes.count != view.count { return false }
        var index = 0
        for byte in bytes {
            if lowercased(byte) != lowercased(view[index]) { return false }
            index += 1
        }
        return true
    }
}
