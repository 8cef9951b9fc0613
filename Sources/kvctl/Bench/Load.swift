import ArgumentParsing
import Base
import RESP

/// What a load generator asks for.
enum Workload: String, CaseIterable, ArgumentValue {
    /// SET of a random key.
    case set
    /// GET of a random key.
    case get
    /// INCR of a random counter.
    case incr
    /// GET and SET, in the proportion of `--read-ratio`.
    case mixed

    /// Whether it reads keys that should be there.
    var reads: Bool { self == .get || self == .mixed }
}

/// How much of what is sent.
struct Load: Sendable {
    var workload: Workload
    /// Connections.
    var clients: Int
    /// Requests on their way on one connection.
    var pipeline: Int
    /// Size of a value in bytes.
    var valueBytes: Int
    /// Number of different keys.
    var keys: Int
    /// Share of GET in `mixed`, 0 to 1.
    var readRatio: Double
    /// Requests a second; nil for as many as are answered.
    var rate: Double?
    /// What the choice of keys is made from.
    var seed: UInt64
    /// Whether keys are taken in order, each once, as for filling a server.
    var isSequential = false
}

/// Makes requests: whole requests are copied, only the digits of the key are written.
struct RequestMaker {
    /// A request with zeros where the key's digits go.
    private struct Template {
        let bytes: [UInt8]
        /// Offset behind the last digit.
        let digitsEnd: Int
    }

    private let get: Template
    private let set: Template
    private let incr: Template
    private let load: Load
    private var random: RandomGenerator
    private var nextKey = 0

    init(_ load: Load) {
        self.load = load
        random = RandomGenerator(seed: load.seed)
        var value = [UInt8](repeating: 0, count: load.valueBytes)
        for index in value.indices { value[index] = 0x21 + UInt8(random.index(below: 94)) }
        get = RequestMaker.template("GET", "key:", nil)
        set = RequestMaker.template("SET", "key:", value)
        incr = RequestMaker.template("INCR", "cnt:", nil)
    }

    /// Keys have 16 bytes: a prefix and 12 digits.
    private static func template(_ command: String, _ prefix: String, _ value: [UInt8]?) -> Template {
        let buffer = ByteBuffer()
        CommandWriter(buffer).command([Array(command.utf8), Array((prefix + "000000000000").utf8)] + (value.map { [$0] } ?? []))
        let bytes = buffer.view.array
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? 0
        return Template(bytes: bytes, digitsEnd: colon + 13)
    }

    /// Appends `count` requests.
    mutating func append(_ count: Int, to output: ByteBuffer) {
        for _ in 0..<count {
            switch load.workload {
            case .set: append(set, to: output)
            case .get: append(get, to: output)
            case .incr: append(incr, to: output)
            case .mixed:
                let reads = Double(random.next() >> 11) * 0x1p-53 < load.readRatio
                append(reads ? get : set, to: output)
            }
        }
    }

    @inline(__always)
    private mutating func append(_ template: Template, to output: ByteBuffer) {
        let room = output.reserve(template.bytes.count)
        template.bytes.withUnsafeBytes { room.copyMemory(from: $0) }
        var key = nextKey
        if load.isSequential { nextKey += 1 } else { key = random.index(below: load.keys) }
        var position = template.digitsEnd
        while key > 0 {
            position -= 1
            let (rest, digit) = key.quotientAndRemainder(dividingBy: 10)
            room[position] = 0x30 + UInt8(truncatingIfNeeded: digit)
            key = rest
        }
        output.commit(template.bytes.count)
    }
}
