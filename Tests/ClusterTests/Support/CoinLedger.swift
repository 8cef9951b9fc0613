import Testing

/// Coins that clients move between accounts, and what each client knows of its moves; judges pictures of all accounts.
///
/// Every coin has a name of its own. A move takes whatever coin lies at the end of an account, so only the reply says which one it was:
/// an acknowledged move names its coin, one of unknown outcome may have moved any coin from its account, at any time after it was sent.
struct CoinLedger {
    typealias Moment = ContinuousClock.Instant

    /// An acknowledged move.
    struct Move: Sendable {
        var coin: String
        var to: Int
        var issued: Moment
        var ended: Moment
    }

    /// A move whose connection broke before the reply.
    struct UnknownMove: Sendable {
        var to: Int
        var issued: Moment
    }

    /// Where each coin began.
    var origins: [String: Int] = [:]
    var unknown: [UnknownMove] = []
    /// Of each coin, in any order.
    private var moves: [String: [Move]] = [:]

    /// Moves that were acknowledged.
    var moveCount: Int { moves.values.reduce(0) { $0 + $1.count } }

    mutating func add(_ move: Move) { moves[move.coin, default: []].append(move) }

    /// Takes over what another client knows.
    mutating func add(_ other: CoinLedger) {
        moves.merge(other.moves) { $0 + $1 }
        unknown += other.unknown
    }

    /// What is wrong with a picture of all accounts that claims to be of one moment between `begin` and `end`.
    ///
    /// - Parameters:
    ///   - accounts: of each account its coins.
    ///   - begin: when the picture was asked for: what was acknowledged before has to be in it. Nil where it may be older.
    ///   - end: when the picture was there: nothing that began later can be in it.
    func faults(in accounts: [Int: [String]], begin: Moment?, end: Moment) -> [String] {
        let faults = countFaults(in: accounts)
        if !faults.isEmpty { return faults }
        var places: [String: Int] = [:]
        for (account, coins) in accounts { for coin in coins { places[coin] = account } }
        return misplaced(places, begin: begin, end: end)
    }

    /// What is wrong with a picture of all accounts, wherever the coins lie: each has to be there once.
    func countFaults(in accounts: [Int: [String]]) -> [String] {
        var faults: [String] = []
        var places: [String: Int] = [:]
        for (account, coins) in accounts.sorted(by: { $0.key < $1.key }) {
            for coin in coins {
                if origins[coin] == nil { faults.append("\(coin) is not a coin") }
                if let other = places.updateValue(account, forKey: coin) {
                    faults.append("\(coin) is there twice, in accounts \(other) and \(account)")
                }
            }
        }
        for coin in origins.keys.sorted() where places[coin] == nil { faults.append("\(coin) is missing") }
        return faults
    }

    /// Looks for one moment at which every coin was where the picture has it.
    private func misplaced(_ places: [String: Int], begin: Moment?, end: Moment) -> [String] {
        var faults: [String] = []
        var edges: [(at: Moment, coin: String, change: Int)] = []
        // How many of the times at which a coin was at its place hold now; those with none.
        var covers: [String: Int] = [:]
        var uncovered: Set<String> = []
        let start = begin ?? moves.values.lazy.joined().map(\.issued).min() ?? end
        for (coin, place) in places {
            let stays = stays(of: coin, at: place).filter { $0.from <= end && $0.through >= start }
            if stays.isEmpty && !unknown.contains(where: { $0.to == place && $0.issued <= end }) {
                faults.append("\(coin) was not in account \(place) between the begin and the end")
            }
            var count = 0
            for stay in stays {
                if stay.from <= start { count += 1 } else { edges.append((stay.from, coin, 1)) }
                if stay.through < end { edges.append((stay.through, coin, -1)) }
            }
            covers[coin] = count
            if count == 0 { uncovered.insert(coin) }
        }
        if !faults.isEmpty { return faults.sorted() }
        if areExplained(uncovered, places, before: end) { return [] }
        // At equal times a stay begins before another ends.
        edges.sort { ($0.at, -$0.change) < ($1.at, -$1.change) }
        for edge in edges {
            let count = covers[edge.coin, default: 0] + edge.change
            covers[edge.coin] = count
            if count == 0 { uncovered.insert(edge.coin) } else { uncovered.remove(edge.coin) }
            if edge.change > 0, areExplained(uncovered, places, before: end) { return [] }
        }
        return ["each coin was at its place at some time, but never all at one moment"]
    }

    /// The times at which a coin may have been at a place by what is known: from when a move to it was sent until a later move of the coin was
    /// acknowledged.
    private func stays(of coin: String, at place: Int) -> [(from: Moment, through: Moment)] {
        let all = moves[coin] ?? []
        var stays: [(from: Moment, through: Moment)] = []
        let forever = all.map(\.ended).max().map { $0 + .seconds(3600) } ?? .now + .seconds(3600)
        let earliest = all.map(\.issued).min().map { $0 - .seconds(3600) } ?? .now - .seconds(3600)
        if origins[coin] == place { stays.append((earliest, all.map(\.ended).min() ?? forever)) }
        for move in all where move.to == place {
            let left = all.lazy.filter { $0.issued > move.ended }.map(\.ended).min()
            stays.append((move.issued, left ?? forever))
        }
        return stays
    }

    /// Whether moves of unknown outcome can have put these coins where they are, each at most one.
    private func areExplained(_ coins: Set<String>, _ places: [String: Int], before end: Moment) -> Bool {
        if coins.count > unknown.count { return false }
        var left: [Int: Int] = [:]
        for move in unknown where move.issued <= end { left[move.to, default: 0] += 1 }
        for coin in coins {
            guard let place = places[coin], let count = left[place], count > 0 else { return false }
            left[place] = count - 1
        }
        return true
    }
}
