import Base
import RESP

/// What the words of a search ask for.
struct GeoSearch {
    /// Which of the commands it is.
    enum Form { case radius, radiusByMember, search, searchAndStore }

    enum Order { case none, ascending, descending }

    let form: Form
    /// The arguments of the source and of the first option.
    let sourceAt: Int
    let optionsAt: Int
    let mayStore: Bool

    /// Where to look; nil where the source is absent.
    private(set) var shape: GeoShape?
    private(set) var order = Order.none
    /// The most members that are wanted; 0: all.
    private(set) var count = 0
    private(set) var takesAny = false
    private(set) var withDistance = false
    private(set) var withHash = false
    private(set) var withPosition = false
    /// The key that the result is stored at.
    private(set) var target: ByteView?
    private(set) var storesDistance = false

    private var center: GeoHash.Position?
    private var kind: GeoShape.Kind?
    private var unit = 1.0
    private var isFromMember = false

    init(_ form: Form, sourceAt: Int, optionsAt: Int, mayStore: Bool = true) {
        self.form = form
        self.sourceAt = sourceAt
        self.optionsAt = optionsAt
        self.mayStore = mayStore
    }

    private var isSearch: Bool { form == .search || form == .searchAndStore }

    /// Reads all words. False after the error was replied.
    mutating func parse(_ execution: Execution, _ source: SortedSetValue?) -> Bool {
        if !parseRadius(execution, source) { return false }
        if form == .searchAndStore { target = execution.arguments[1] }
        var index = optionsAt
        while index < execution.arguments.count {
            guard let words = parseOption(execution, at: index, source) else { return false }
            index += words
        }
        if !isConsistent(execution) { return false }
        if source != nil, let center, let kind { shape = GeoShape(center: center, kind: kind, unit: unit) }
        check(source == nil || shape != nil, "a search in something has a shape")
        return true
    }

    /// The words of GEORADIUS and GEORADIUSBYMEMBER that have their place.
    private mutating func parseRadius(_ execution: Execution, _ source: SortedSetValue?) -> Bool {
        switch form {
        case .search, .searchAndStore:
            return true
        case .radius:
            center = GeoCommands.position(execution, at: 2)
            return center != nil && parseCircle(execution, at: 4)
        case .radiusByMember:
            // Without a source Redis does not look at them.
            guard let source else { return true }
            return findCenter(execution, at: 2, source) && parseCircle(execution, at: 3)
        }
    }

    private mutating func findCenter(_ execution: Execution, at index: Int, _ source: SortedSetValue) -> Bool {
        guard let score = source.score(of: execution.arguments[index], seed: execution.keyspace.seed) else {
            execution.reply.error("ERR could not decode requested zset member")
            return false
        }
        center = GeoHash(score: score).position
        return true
    }

    private mutating func parseCircle(_ execution: Execution, at index: Int) -> Bool {
        guard let radius = parseDouble(execution.arguments[index]) else {
            execution.reply.error("ERR need numeric radius")
            return false
        }
        if radius < 0 {
            execution.reply.error("ERR radius cannot be negative")
            return false
        }
        guard let unit = GeoCommands.unit(execution, at: index + 1) else { return false }
        self.unit = unit
        kind = .circle(radius: radius)
        return true
    }

    private mutating func parseBox(_ execution: Execution, at index: Int) -> Bool {
        guard let width = parseDouble(execution.arguments[index]) else {
            execution.reply.error("ERR need numeric width")
            return false
        }
        guard let height = parseDouble(execution.arguments[index + 1]) else {
            execution.reply.error("ERR need numeric height")
            return false
        }
        if width < 0 || height < 0 {
            execution.reply.error("ERR height or width cannot be negative")
            return false
        }
        guard let unit = GeoCommands.unit(execution, at: index + 2) else { return false }
        self.unit = unit
        kind = .box(width: width, height: height)
        return true
    }

    /// Reads the option at `index`; how many words it has, nil after the error was replied.
    private mutating func parseOption(_ execution: Execution, at index: Int, _ source: SortedSetValue?) -> Int? {
        let word = execution.arguments[index]
        let left = execution.arguments.count - index - 1
        if parseFlag(word) { return 1 }
        if left >= 1, word.equalsIgnoringCase("count") { return parseCount(execution, at: index + 1) ? 2 : nil }
        let isStore = word.equalsIgnoringCase("store")
        if isStore || word.equalsIgnoringCase("storedist") {
            if left >= 1, mayStore, !isSearch {
                target = execution.arguments[index + 1]
                storesDistance = !isStore
                return 2
            }
            if form == .searchAndStore, !isStore {
                storesDistance = true
                return 1
            }
        }
        if isSearch {
            if let words = parsePlace(execution, at: index, left: left, source) { return words > 0 ? words : nil }
        }
        execution.syntaxError()
        return nil
    }

    private mutating func parseFlag(_ word: ByteView) -> Bool {
        if word.equalsIgnoringCase("withdist") {
            withDistance = true
        } else if word.equalsIgnoringCase("withhash") {
            withHash = true
        } else if word.equalsIgnoringCase("withcoord") {
            withPosition = true
        } else if word.equalsIgnoringCase("any") {
            takesAny = true
        } else if word.equalsIgnoringCase("asc") {
            order = .ascending
        } else if word.equalsIgnoringCase("desc") {
            order = .descending
        } else {
            return false
        }
        return true
    }

    private mutating func parseCount(_ execution: Execution, at index: Int) -> Bool {
        guard let number = parseInteger(execution.arguments[index]) else {
            execution.notInteger()
            return false
        }
        if number <= 0 {
            execution.reply.error("ERR COUNT must be > 0")
            return false
        }
        count = Int(number)
        return true
    }

    /// Reads FROMMEMBER, FROMLONLAT, BYRADIUS and BYBOX: how many words there are, 0 after an error was replied, nil where it is none
    /// of them or does not fit what was before.
    private mutating func parsePlace(_ execution: Execution, at index: Int, left: Int, _ source: SortedSetValue?) -> Int? {
        let word = execution.arguments[index]
        var hasBox = false
        var hasCircle = false
        switch kind {
        case .box: hasBox = true
        case .circle: hasCircle = true
        case nil: break
        }
        if left >= 1, isFromMember || center == nil, word.equalsIgnoringCase("frommember") {
            isFromMember = true
            guard let source else { return 2 }
            return findCenter(execution, at: index + 1, source) ? 2 : 0
        }
        if left >= 2, !isFromMember, word.equalsIgnoringCase("fromlonlat") {
            center = GeoCommands.position(execution, at: index + 1)
            return center == nil ? 0 : 3
        }
        if left >= 2, !hasBox, word.equalsIgnoringCase("byradius") { return parseCircle(execution, at: index + 1) ? 3 : 0 }
        if left >= 3, !hasCircle, word.equalsIgnoringCase("bybox") { return parseBox(execution, at: index + 1) ? 4 : 0 }
        return nil
    }

    /// Checks that all words fit together. False after the error was replied.
    private func isConsistent(_ execution: Execution) -> Bool {
        if target != nil, withDistance || withHash || withPosition {
            let option = form == .searchAndStore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS"
            execution.reply.error(text: "ERR \(option) is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
        } else if isSearch, !isFromMember, center == nil {
            replyMissing("FROMMEMBER or FROMLONLAT", execution)
        } else if isSearch, kind == nil {
            replyMissing("BYRADIUS and BYBOX", execution)
        } else if takesAny, count == 0 {
            execution.reply.error("ERR the ANY argument requires COUNT argument")
        } else {
            return true
        }
        return false
    }

    private func replyMissing(_ words: String, _ execution: Execution) {
        execution.reply.error(text: "ERR exactly one of \(words) can be specified for \(execution.arguments[0].text)")
    }
}
