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
        /// List commands, with a string command here and there.
        case list
    }

    /// By key number.
    let uses: [Use]
    private let names: [[UInt8]]

    init(registers: Int) {
        let uses = [Use](repeating: .register, count: registers) + [.counter, .counter, .ledger]
        self.uses = uses
        names = uses.indices.map { Array("key:{\($0)}".utf8) }
    }

    func name(_ key: Int) -> [UInt8] { names[key] }

    var count: Int { uses.count }

    /// Draws a key and a command for it. `token` is unique in the run.
    func draw(_ random: inout RandomGenerator, token: String) -> (key: Int, command: KeyCommand) {
        let key = drawKey(&random)
        let value = Array(token.utf8)
        switch uses[key] {
        case .register: return (key, drawRegister(&random, value))
        case .counter:
            if random.chance(1, in: 5) { return (key, .get) }
            return (key, .increment(random.choice(of: [1, 1, 1, 10])))
        case .ledger:
            if random.chance(1, in: 5) { return (key, random.chance(1, in: 4) ? .get : .length) }
            return (key, .append(value + [UInt8(ascii: ";")]))
        case .list: return (key, drawList(&random, value))
        }
    }

    private func drawKey(_ random: inout RandomGenerator) -> Int {
        let registers = uses.count - 3
        return random.chance(1, in: 2) ? random.index(below: registers) : random.index(below: uses.count)
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

    private func drawList(_ random: inout RandomGenerator, _ value: [UInt8]) -> KeyCommand {
        switch random.index(below: 12) {
        case 0...3: .pushRight(value)
        case 4...6: .popLeft
        case 7: .listLength
        case 8: .listRange
        case 9: .type
        case 10: random.chance(1, in: 4) ? .delete : .exists
        default: random.choice(of: [.get, .append(value), .increment(1)])
        }
    }

    /// The commands that read all of a key, whatever it holds.
    func audit(_ key: Int) -> [KeyCommand] {
        uses[key] == .list ? [.type, .listRange, .get] : [.type, .get]
    }
}
