import Base
import Database

/// What differs between the data of two states: keys that came, went, or hold something else. Counts of all, names of the first by name.
package struct KeyspaceDifference: Equatable, Sendable {
    /// What a key held.
    package struct Value: Equatable, Sendable {
        /// As TYPE names it.
        package var type: String
        /// Bytes of a string; elements, fields or members of a collection.
        package var size: Int
        /// The count of changes of its cluster at which it last changed.
        package var version: UInt64
        /// In milliseconds since 1970.
        package var deadline: Int64?

        package init(type: String, size: Int, version: UInt64, deadline: Int64? = nil) {
            self.type = type
            self.size = size
            self.version = version
            self.deadline = deadline
        }
    }

    /// A key that differs; nil where it is not there.
    package struct Key: Equatable, Sendable {
        package var database: Int
        package var name: [UInt8]
        package var before: Value?
        package var after: Value?

        package init(database: Int, name: [UInt8], before: Value?, after: Value?) {
            self.database = database
            self.name = name
            self.before = before
            self.after = after
        }

        /// By database, then by name.
        fileprivate static func precedes(_ a: Key, _ b: Key) -> Bool {
            a.database != b.database ? a.database < b.database : a.name.lexicographicallyPrecedes(b.name)
        }
    }

    /// Keys of one kind.
    package struct Group: Equatable, Sendable {
        package private(set) var count = 0
        /// The first by database and name, at most as many as are wanted.
        package private(set) var first: [Key] = []

        package init() {}

        /// Counts a key, and keeps it when it is among the first `limit`. `key` is asked for only then.
        package mutating func add(_ key: Key, limit: Int) {
            count += 1
            if first.count == limit {
                guard let last = first.last, Key.precedes(key, last) else { return }
                first.removeLast()
            }
            var (low, high) = (0, first.count)
            while low < high {
                let middle = (low + high) / 2
                if Key.precedes(first[middle], key) { low = middle + 1 } else { high = middle }
            }
            first.insert(key, at: low)
        }
    }

    package var added = Group()
    package var removed = Group()
    package var changed = Group()
    /// Keys that are alike in both.
    package var equal = 0

    package init() {}

    /// Compares two states, key by key; by digests of what the keys hold, not by versions, which other clusters count otherwise.
    ///
    /// - Parameter limit: names that are kept of each kind.
    package init(from before: StateMachine, to after: StateMachine, limit: Int) {
        // Any seed does, as long as it is the same for both.
        let seed = before.seed
        for database in 0..<Execution.databases {
            before.forEachEntry(database) { old in
                guard let new = after.entry(of: old.key, database) else {
                    removed.add(KeyspaceDifference.key(database, old, nil), limit: limit)
                    return
                }
                if before.digest(of: old, seed: seed) == after.digest(of: new, seed: seed) {
                    equal += 1
                } else {
                    changed.add(KeyspaceDifference.key(database, old, new), limit: limit)
                }
            }
            after.forEachEntry(database) { new in
                if before.entry(of: new.key, database) == nil {
                    added.add(KeyspaceDifference.key(database, nil, new), limit: limit)
                }
            }
        }
    }

    /// Whether both hold the same.
    package var isEmpty: Bool { added.count + removed.count + changed.count == 0 }

    private static func key(_ database: Int, _ old: Entry?, _ new: Entry?) -> Key {
        let name = (old ?? new)?.key.array ?? []
        return Key(database: database, name: name, before: old.map(value), after: new.map(value))
    }

    private static func value(_ entry: Entry) -> Value {
        Value(
            type: "\(entry.type.name)", size: entry.isString ? entry.stringCount : entry.collection.count, version: entry.version,
            deadline: entry.deadline)
    }
}

// MARK: text

extension KeyspaceDifference {
    /// Lines for people: the counts, then the first keys of each kind.
    ///
    /// - Parameter comparesVersions: whether both are of one cluster, so that versions say something.
    package func text(comparesVersions: Bool) -> String {
        func number(_ count: Int) -> String { BenchText.grouped(Double(count)) }
        var text = "  \(counted(added.count, "key")) added, \(number(removed.count)) removed, "
        text += "\(number(changed.count)) changed, \(number(equal)) alike\n"
        for (title, group) in [("added", added), ("removed", removed), ("changed", changed)] where !group.first.isEmpty {
            text += "  \(title):\n"
            for key in group.first {
                text += "    " + (key.database == 0 ? "" : "database \(key.database) ") + ReplyText.quoted(key.name) + ": "
                let values = [key.before, key.after].compactMap { $0 }.map { describe($0, comparesVersions: comparesVersions) }
                text += values.joined(separator: " -> ") + "\n"
            }
            if group.count > group.first.count {
                text += "    … and \(BenchText.grouped(Double(group.count - group.first.count))) more (--keys)\n"
            }
        }
        return text
    }

    private func describe(_ value: Value, comparesVersions: Bool) -> String {
        let unit =
            switch value.type {
            case "string": value.size == 1 ? "byte" : "bytes"
            case "hash": value.size == 1 ? "field" : "fields"
            case "set", "zset": value.size == 1 ? "member" : "members"
            case "stream": value.size == 1 ? "entry" : "entries"
            default: value.size == 1 ? "element" : "elements"
            }
        var text = "\(value.type), \(value.size) \(unit)"
        if comparesVersions { text += ", version \(value.version)" }
        if let deadline = value.deadline { text += ", expires \(UTC.text(milliseconds: deadline))" }
        return text
    }

    /// `{"added":{"count":…,"keys":[…]},…}`.
    package var json: String {
        func group(_ group: Group) -> String {
            let keys = group.first.map { key in
                JSON.object([
                    ("database", "\(key.database)"), ("name", JSON.string(String(decoding: key.name, as: UTF8.self))),
                    ("before", key.before.map(KeyspaceDifference.json) ?? "null"),
                    ("after", key.after.map(KeyspaceDifference.json) ?? "null"),
                ])
            }
            return JSON.object([("count", "\(group.count)"), ("keys", "[" + keys.joined(separator: ",") + "]")])
        }
        return JSON.object([
            ("added", group(added)), ("removed", group(removed)), ("changed", group(changed)), ("equal", "\(equal)"),
        ])
    }

    private static func json(_ value: Value) -> String {
        JSON.object([
            ("type", JSON.string(value.type)), ("size", "\(value.size)"), ("version", "\(value.version)"),
            ("deadline", value.deadline.map { "\($0)" } ?? "null"),
        ])
    }
}
