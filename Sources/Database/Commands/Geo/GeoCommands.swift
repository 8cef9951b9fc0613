import Base
import RESP

// Positions: added, returned, measured. They are the scores of a sorted set; GeoHash says how.
extension GeoCommands {
    /// The words in front of GEOADD's positions.
    private struct AddOptions: OptionSet {
        let rawValue: Int
        static let onlyNew = AddOptions(rawValue: 1)
        static let onlyExisting = AddOptions(rawValue: 2)
        static let countsChanges = AddOptions(rawValue: 4)

        static func named(_ word: ByteView) -> AddOptions? {
            if word.equalsIgnoringCase("nx") { return .onlyNew }
            if word.equalsIgnoringCase("xx") { return .onlyExisting }
            return word.equalsIgnoringCase("ch") ? .countsChanges : nil
        }
    }

    static func geoadd(_ execution: Execution) {
        let arguments = execution.arguments
        var options: AddOptions = []
        var first = 2
        while first < arguments.count, let option = AddOptions.named(arguments[first]) {
            options.insert(option)
            first += 1
        }
        let words = arguments.count - first
        if words % 3 != 0 || words == 0 || options.contains([.onlyNew, .onlyExisting]) { return execution.syntaxError() }
        var scores: [Double] = []
        scores.reserveCapacity(words / 3)
        for index in stride(from: first, to: arguments.count, by: 3) {
            guard let position = position(execution, at: index) else { return }
            scores.append(GeoHash(position).score)
        }
        add(execution, scores, from: first, options)
    }

    private static func add(_ execution: Execution, _ scores: [Double], from first: Int, _ options: AddOptions) {
        let arguments = execution.arguments
        let (seed, limits) = (execution.keyspace.seed, execution.limits)
        var value: SortedSetValue?
        switch execution.write(SortedSetValue.self, at: arguments[1]) {
        case .wrongType: return
        case .value(let found):
            found.prepare(sizeHint: scores.count, memberBytesMax: 0, seed: seed, limits: limits)
            value = found
        case .absent:
            if options.contains(.onlyExisting) { return execution.reply.integer(0) }
        }
        let isNew = value == nil
        let bytes = arguments[first + 2].count
        let target = value ?? SortedSetValue(sizeHint: scores.count, memberBytesMax: bytes, seed: seed, limits: limits)
        var (added, updated) = (0, 0)
        for (number, score) in scores.enumerated() {
            let member = arguments[first + 3 * number + 2]
            let old = target.score(of: member, seed: seed)
            if old == score || options.contains(old == nil ? .onlyExisting : .onlyNew) { continue }
            target.put(member, score: score, old: old, seed: seed, limits: limits)
            if old == nil { added += 1 } else { updated += 1 }
        }
        if added + updated > 0 { SortedSetCommands.store(target, isNew: isNew, at: arguments[1], execution) }
        execution.reply.integer(options.contains(.countsChanges) ? added + updated : added)
    }

    // MARK: words

    /// The longitude and latitude at two arguments. Nil after the error was replied.
    static func position(_ execution: Execution, at index: Int) -> GeoHash.Position? {
        guard let longitude = parseDouble(execution.arguments[index]),
            let latitude = parseDouble(execution.arguments[index + 1])
        else {
            execution.notFloat()
            return nil
        }
        let position = GeoHash.Position(longitude: longitude, latitude: latitude)
        if position.isValid { return position }
        let text = ByteBuffer()
        text.append("ERR invalid longitude,latitude pair ")
        appendFixed(longitude, decimals: 6, to: text)
        text.append(",")
        appendFixed(latitude, decimals: 6, to: text)
        execution.reply.error(text.view)
        return nil
    }

    /// Metres of the unit at an argument. Nil after the error was replied.
    static func unit(_ execution: Execution, at index: Int) -> Double? {
        let word = execution.arguments[index]
        if word.equalsIgnoringCase("m") { return 1 }
        if word.equalsIgnoringCase("km") { return 1000 }
        if word.equalsIgnoringCase("ft") { return 0.3048 }
        if word.equalsIgnoringCase("mi") { return 1609.34 }
        execution.reply.error("ERR unsupported unit provided. please use M, KM, FT, MI")
        return nil
    }

    // MARK: texts

    /// Replies a distance with four decimals.
    static func replyDistance(_ distance: Double, _ reply: ReplyWriter) {
        let text = ByteBuffer(capacity: 64)
        appendFixed(distance, decimals: 4, to: text)
        reply.bulk(text.view)
    }

    /// Replies longitude and latitude with 17 decimals, without zeros at the end.
    static func replyPosition(_ position: GeoHash.Position, _ reply: ReplyWriter) {
        let text = ByteBuffer(capacity: 64)
        reply.array(2)
        for degrees in [position.longitude, position.latitude] {
            text.removeAll()
            if reply.version == .three { text.append(",") }
            ExtendedFloat(degrees).appendText(to: text)
            if reply.version == .two {
                reply.bulk(text.view)
            } else {
                text.append("\r\n")
                reply.preformatted(text.view)
            }
        }
    }

    // MARK: asking about members

    static func geopos(_ execution: Execution) {
        forEachScore(execution) { score, reply in
            guard let score else { return reply.nullArray() }
            replyPosition(GeoHash(score: score).position, reply)
        }
    }

    static func geohash(_ execution: Execution) {
        forEachScore(execution) { score, reply in
            guard let score else { return reply.null() }
            let alphabet = ByteView("0123456789bcdefghjkmnpqrstuvwxyz")
            // The usual geohash counts latitudes from pole to pole.
            let hash = GeoHash(GeoHash(score: score).position, latitudes: -90...90)
            let text = ByteBuffer(capacity: 16)
            for letter in 1...10 { text.append(byte: alphabet[Int(hash.bits >> UInt64(52 - 5 * letter) & 31)]) }
            // There are bits for ten letters and two over.
            text.append("0")
            reply.bulk(text.view)
        }
    }

    /// Replies an array with what `body` replies for each member from argument 2 on.
    private static func forEachScore(_ execution: Execution, _ body: (Double?, ReplyWriter) -> Void) {
        let arguments = execution.arguments
        var value: SortedSetValue?
        switch execution.read(SortedSetValue.self, at: arguments[1]) {
        case .wrongType: return
        case .absent: break
        case .value(let found): value = found
        }
        execution.reply.array(arguments.count - 2)
        for index in 2..<max(2, arguments.count) {
            body(value?.score(of: arguments[index], seed: execution.keyspace.seed), execution.reply)
        }
    }

    static func geodist(_ execution: Execution) {
        let arguments = execution.arguments
        var unit = 1.0
        if arguments.count == 5 {
            guard let named = Self.unit(execution, at: 4) else { return }
            unit = named
        } else if arguments.count > 5 {
            return execution.syntaxError()
        }
        let found = execution.read(SortedSetValue.self, at: arguments[1])
        guard case .value(let value) = execution.found(found, { $0.null() }) else { return }
        let seed = execution.keyspace.seed
        guard let first = value.score(of: arguments[2], seed: seed), let second = value.score(of: arguments[3], seed: seed)
        else { return execution.reply.null() }
        let distance = GeoShape.distance(GeoHash(score: first).position, GeoHash(score: second).position)
        replyDistance(distance / unit, execution.reply)
    }
}
