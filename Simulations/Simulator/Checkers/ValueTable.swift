import Base

/// The values that the commands of a history must have found, numbered.
///
/// A command whose reply was the key's content must have found just that. And where a content that somebody saw can have come from
/// one append alone, that append must have found the content without its own part: so what is known of long strings goes back, part
/// by part, to where they began.
struct ValueTable {
    /// Number of each value that some command must have found.
    private(set) var numbers: [[UInt8]: Int] = [:]
    /// By operation: the number of the value that it writes blindly, and of the one that it must find; -1 for none.
    private(set) var written: [Int]
    private(set) var needed: [Int]
    /// How many commands must find each value.
    private(set) var demand: [Int] = []
    /// Whether only one command can bring a value about, so that it never comes back.
    private(set) var isUnique: [Bool] = []
    private var values: [[UInt8]] = []

    /// - Parameter initial: what the key holds before all commands.
    init(_ operations: [Operation], initial: KeyValue = .absent) {
        written = [Int](repeating: -1, count: operations.count)
        needed = written
        for (index, operation) in operations.enumerated() {
            switch (operation.command, operation.outcome) {
            case (.get, .reply(.bulk(let bytes))), (.getSet, .reply(.bulk(let bytes))), (.setAndGet, .reply(.bulk(let bytes))),
                (.getAndDelete, .reply(.bulk(let bytes))):
                need(bytes, by: index)
            case (.holds(.string(let bytes)), .reply): need(bytes, by: index)
            default: break
            }
        }
        findProducers(operations, initial)
    }

    private mutating func need(_ bytes: [UInt8], by operation: Int) {
        let number = numbers[bytes] ?? values.count
        if number == values.count {
            numbers[bytes] = number
            values.append(bytes)
            demand.append(0)
        }
        needed[operation] = number
        demand[number] += 1
    }

    private mutating func findProducers(_ operations: [Operation], _ initial: KeyValue) {
        var writers: [[UInt8]: [Int]] = [:]
        var appends: [[UInt8]: [Int]] = [:]
        var lengths: Set<Int> = []
        for (index, operation) in operations.enumerated() {
            switch operation.command {
            case .set(let bytes), .setIfAbsent(let bytes), .setIfPresent(let bytes), .setAndGet(let bytes), .getSet(let bytes):
                writers[bytes, default: []].append(index)
            case .append(let token):
                appends[token, default: []].append(index)
                lengths.insert(token.count)
            default: break
            }
        }
        let sortedLengths = lengths.sorted()
        var number = 0
        // Needs that are found on the way are values to look at, too.
        while number < values.count {
            let value = values[number]
            var appenders: [Int] = []
            for length in sortedLengths where length <= value.count { appenders += appends[Array(value.suffix(length))] ?? [] }
            let setters = writers[value] ?? []
            // What looks like a number can come from increments.
            let isNumber = Int64(String(decoding: value, as: UTF8.self)) != nil
            let isInitial = initial == .string(value)
            isUnique.append(setters.count + appenders.count + (isInitial ? 1 : 0) <= 1 && !isNumber)
            if setters.isEmpty, !isInitial, appenders.count == 1, !isNumber, needed[appenders[0]] < 0,
                case .append(let token) = operations[appenders[0]].command, token.count < value.count
            {
                need(Array(value.dropLast(token.count)), by: appenders[0])
            }
            number += 1
        }
        for (index, operation) in operations.enumerated() {
            if case .set(let bytes) = operation.command { written[index] = numbers[bytes] ?? -1 }
        }
    }
}
