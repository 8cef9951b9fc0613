import Base
import RESP

// Searching around a position. All six commands and GEOSEARCHSTORE are one search with different words.
extension GeoCommands {
    static func georadius(_ execution: Execution) { search(execution, GeoSearch(.radius, sourceAt: 1, optionsAt: 6)) }
    static func georadiusRo(_ execution: Execution) {
        search(execution, GeoSearch(.radius, sourceAt: 1, optionsAt: 6, mayStore: false))
    }
    static func georadiusbymember(_ execution: Execution) {
        search(execution, GeoSearch(.radiusByMember, sourceAt: 1, optionsAt: 5))
    }
    static func georadiusbymemberRo(_ execution: Execution) {
        search(execution, GeoSearch(.radiusByMember, sourceAt: 1, optionsAt: 5, mayStore: false))
    }
    static func geosearch(_ execution: Execution) { search(execution, GeoSearch(.search, sourceAt: 1, optionsAt: 2)) }
    static func geosearchstore(_ execution: Execution) {
        search(execution, GeoSearch(.searchAndStore, sourceAt: 2, optionsAt: 3))
    }

    /// A member that was found. The member is valid until its sorted set changes.
    private struct Point {
        var member: PackedElement
        var score: Double
        var position: GeoHash.Position
        /// In metres.
        var distance: Double
        /// Its place among all that were found.
        var number: Int
    }

    private static func search(_ execution: Execution, _ form: GeoSearch) {
        var search = form
        let key = execution.arguments[form.sourceAt]
        var source: SortedSetValue?
        switch execution.isRead
            ? execution.read(SortedSetValue.self, at: key) : execution.write(SortedSetValue.self, at: key)
        {
        case .wrongType: return
        case .absent: break
        case .value(let found): source = found
        }
        if !search.parse(execution, source) { return }
        guard let source, let shape = search.shape else {
            if let target = search.target {
                execution.delete(target)
                execution.reply.integer(0)
            } else {
                execution.reply.array(0)
            }
            return
        }
        var points = points(of: source, in: shape, limit: search.takesAny ? search.count : 0)
        if search.order != .none || (search.count > 0 && !search.takesAny) {
            let isDescending = search.order == .descending
            points.sort {
                if $0.distance != $1.distance { return ($0.distance < $1.distance) != isDescending }
                return $0.number < $1.number
            }
        }
        let count = search.count > 0 ? min(search.count, points.count) : points.count
        if let target = search.target {
            store(points.prefix(count), at: target, unit: shape.unit, search, execution)
        } else {
            reply(points.prefix(count), unit: shape.unit, search, execution.reply)
        }
    }

    /// All members inside the shape, or the first `limit` of them (0: no limit).
    private static func points(of value: SortedSetValue, in shape: GeoShape, limit: Int) -> [Point] {
        var points: [Point] = []
        let cells = shape.cells
        for index in 0..<cells.count {
            let (from, to) = cells[index].scores
            value.forEach(fromScore: from, below: to) { member, score in
                let position = GeoHash(score: score).position
                if let distance = shape.distance(to: position) {
                    points.append(
                        Point(member: member, score: score, position: position, distance: distance, number: points.count))
                }
                return limit == 0 || points.count < limit
            }
            if limit > 0, points.count >= limit { break }
        }
        return points
    }

    private static func reply(_ points: ArraySlice<Point>, unit: Double, _ search: GeoSearch, _ reply: ReplyWriter) {
        let extras = [search.withDistance, search.withHash, search.withPosition].count { $0 }
        reply.array(points.count)
        for point in points {
            if extras > 0 { reply.array(extras + 1) }
            reply.bulk(point.member)
            if search.withDistance { replyDistance(point.distance / unit, reply) }
            if search.withHash { reply.integer(Int64(bitPattern: GeoHash.truncated(point.score))) }
            if search.withPosition { replyPosition(point.position, reply) }
        }
    }

    private static func store(
        _ points: ArraySlice<Point>, at target: ByteView, unit: Double, _ search: GeoSearch, _ execution: Execution
    ) {
        let (seed, limits) = (execution.keyspace.seed, execution.limits)
        let result = SortedSetValue()
        for point in points {
            let score = search.storesDistance ? point.distance / unit : point.score
            point.member.withBytes { result.put($0, score: score, old: nil, seed: seed, limits: limits) }
        }
        SortedSetCommands.replace(target, with: result, execution)
    }
}
