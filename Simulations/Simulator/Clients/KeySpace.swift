import Base

/// The keys that the clients work on. Few, so that clients meet.
struct KeySpace {
    /// What a key is used for, and with it which commands its clients send.
    enum Use: Equatable {
        /// Everything that strings can do.
        case register
        /// Increments and reads only, so that the end shows every one of them.
        case counter
        /// Appends of unique tokens only: the end shows their order.
        case ledger
        /// Unique tokens pushed and popped at both ends, so that each can be counted.
        case queue
        /// Commands of one type, with a string command here and there.
        case list, hash, set, sortedSet
    }

    /// By key number.
    private(set) var uses: [Use]
    private var names: [[UInt8]]

    /// - Parameters:
    ///   - registers: how many keys are registers.
    ///   - collections: keys of other types.
    init(registers: Int, collections: [Use]) {
        let uses = [Use](repeating: .register, count: registers) + [.counter, .counter, .ledger] + collections
        self.uses = uses
        names = uses.indices.map { Array("key:{\($0)}".utf8) }
        self.registers = registers
    }

    private let registers: Int

    func name(_ key: Int) -> [UInt8] { names[key] }

    /// Fits the uses of the keys to what they hold when the run begins, and passes over keys whose content the model does not know.
    ///
    /// - Returns: what they hold.
    mutating func fit(_ value: ([UInt8]) -> KeyValue?) -> [KeyValue] {
        uses.indices.map { key in
            while true {
                if let found = value(names[key]) {
                    uses[key] = KeySpace.fitted(uses[key], found)
                    return found
                }
                names[key].append(UInt8(ascii: "'"))
            }
        }
    }

    private static func fitted(_ use: Use, _ value: KeyValue) -> Use {
        switch value {
        case .absent: return use
        case .string(let bytes):
            switch use {
            case .counter where Int64(String(decoding: bytes, as: UTF8.self)).map { Array(String($0).utf8) == bytes } ?? false:
                return use
            case .ledger where ExactlyOnce.tokens(bytes) != nil: return use
            default: return .register
            }
        case .list(let elements): return use == .queue && Set(elements).count == elements.count ? .queue : .list
        case .hash: return .hash
        case .set: return .set
        case .sortedSet: return .sortedSet
        }
    }

    var count: Int { uses.count }

    /// Draws a key and a command for it. `token` is unique in the run.
    func draw(_ random: inout RandomGenerator, token: String) -> (key: Int, command: KeyCommand) {
        let key = random.chance(1, in: 3) ? random.index(below: registers) : random.index(below: uses.count)
        let value = Array(token.utf8)
        switch uses[key] {
        case .register: return (key, drawRegister(&random, value))
        case .counter:
            if random.chance(1, in: 5) { return (key, .get) }
            return (key, .increment(random.choice(of: [1, 1, 1, 10])))
        case .ledger:
            if random.chance(1, in: 5) { return (key, random.chance(1, in: 4) ? .get : .length) }
            return (key, .append(value + [UInt8(ascii: ";")]))
        case .queue: return (key, drawQueue(&random, value))
        case .list, .hash, .set, .sortedSet:
            if random.chance(1, in: 24) { return (key, drawStranger(&random, value)) }
            return (key, drawCollection(uses[key], &random, value))
        }
    }

    private func drawRegister(_ random: inout RandomGenerator, _ value: [UInt8]) -> KeyCommand {
        switch random.index(below: 20) {
        case 0...4: .get
        case 5...8: .set(value)
        case 9: .setIfAbsent(value)
        case 10: .setIfPresent(value)
        case 11: .setAndGet(value)
        case 12: .getSet(value)
        case 13: .getAndDelete
        case 14: .delete
        case 15: .append(value)
        case 16: .increment(random.choice(of: [1, 1, -7]))
        case 17: .exists
        case 18: .length
        default: random.chance(1, in: 2) ? .set(Array(String(random.index(below: 100)).utf8)) : .type
        }
    }

    private func drawQueue(_ random: inout RandomGenerator, _ value: [UInt8]) -> KeyCommand {
        switch random.index(below: 9) {
        case 0...1: .pushLeft(value)
        case 2...3: .pushRight(value)
        case 4...5: .popRight
        case 6...7: .popLeft
        default: .listLength
        }
    }

    /// A command of another type on a collection: an error, or the collection's end.
    private func drawStranger(_ random: inout RandomGenerator, _ value: [UInt8]) -> KeyCommand {
        random.choice(of: [.get, .append(value), .increment(1), .type, .exists, .delete, .getAndDelete])
    }

    private func drawCollection(_ use: Use, _ random: inout RandomGenerator, _ value: [UInt8]) -> KeyCommand {
        // Few names, so that commands meet.
        let name = [UInt8(ascii: "a") + UInt8(random.index(below: 4))]
        let choice = random.index(below: 12)
        switch use {
        case .list:
            return switch choice {
            case 0...1: .pushRight(value)
            case 2...3: .pushLeft(value)
            case 4...6: .popLeft
            case 7...8: .popRight
            case 9: .listLength
            default: .listRange
            }
        case .hash:
            return switch choice {
            case 0...2: .setField(name, value)
            case 3...5: .field(name)
            case 6: .deleteField(name)
            case 7...8: .incrementField([UInt8(ascii: "n")], 1)
            case 9: .fieldCount
            default: .fields
            }
        case .set:
            return switch choice {
            case 0...3: .addMember(name)
            case 4...5: .removeMember(name)
            case 6...7: .hasMember(name)
            case 8: .memberCount
            default: .members
            }
        default:
            return switch choice {
            case 0...1: .setScore(name, Int64(random.index(below: 20)) - 5)
            case 2...4: .addScore(name, Int64(random.index(below: 5)) - 1)
            case 5...6: .score(name)
            case 7: .removeScore(name)
            case 8: .popLowest
            case 9: .scoreCount
            default: .ranking
            }
        }
    }

    /// The commands that read all of a key, whatever it holds.
    func audit(_ key: Int) -> [KeyCommand] {
        switch uses[key] {
        case .queue: [.listRange]
        case .list: [.type, .listRange, .get]
        case .hash: [.type, .fields, .get]
        case .set: [.type, .members, .get]
        case .sortedSet: [.type, .ranking, .get]
        case .register, .counter, .ledger: [.type, .get]
        }
    }
}
