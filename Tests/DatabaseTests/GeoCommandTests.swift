import Base
import RESP
import Testing

@testable import Database

/// Replies as Redis gives them, `|` for line ends.
@Suite struct GeoCommandTests {
    private func sicily() -> TestMachine {
        let machine = TestMachine()
        machine.run("geoadd s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania")
        return machine
    }

    @Test func positionsAreKept() {
        let machine = sicily()
        expect(
            machine,
            [
                ("zscore s Palermo", "$16|3479099956230698"), ("geodist s Palermo Catania", "$11|166274.1516"),
                ("geodist s Palermo Catania km", "$8|166.2742"), ("geodist s Palermo Catania mi", "$8|103.3182"),
                ("geodist s Palermo Catania ft", "$11|545518.8700"), ("geodist s Palermo nope", "$-1"),
                ("geodist nope a b", "$-1"), ("geodist s Palermo Palermo", "$6|0.0000"),
                ("geohash s Palermo nope Catania", "*3|$11|sqc8b49rny0|$-1|$11|sqdtr74hyu0"),
                (
                    "geopos s Palermo nope",
                    "*2|*2|$20|13.36138933897018433|$20|38.11555639549629859|*-1"
                ),
                ("geopos nope a", "*1|*-1"), ("geohash nope a", "*1|$-1"), ("geopos s", "*0"), ("type s", "+zset"),
                ("geoadd s nx 1 1 Palermo 2 2 new", ":1"), ("geoadd s xx ch 1 1 Palermo 3 3 none", ":1"), ("zcard s", ":3"),
                ("geoadd none xx 1 1 a", ":0"), ("geoadd s ch 1 1 Palermo", ":0"), ("geoadd s 2 2 Palermo", ":0"),
            ])
        machine.version = .three
        expect(machine, [("geopos s new nope", "*2|*2|,2.00000256299972534|,2.0000001856465488|_")])
    }

    @Test func searchesFindWhatIsInside() {
        let machine = sicily()
        machine.run("geoadd s 12.758489 38.788135 edge1 17.241510 38.788135 edge2")
        expect(
            machine,
            [
                ("geosearch s fromlonlat 15 37 byradius 200 km asc", "*2|$7|Catania|$7|Palermo"),
                (
                    "geosearch s fromlonlat 15 37 bybox 400 400 km asc withdist",
                    "*4|*2|$7|Catania|$7|56.4413|*2|$7|Palermo|$8|190.4424|*2|$5|edge2|$8|279.7403|*2|$5|edge1|$8|279.7405"
                ),
                (
                    "georadius s 15 37 200 km withcoord withdist withhash desc count 1",
                    "*1|*4|$7|Palermo|$8|190.4424|:3479099956230698|*2|$20|13.36138933897018433|$20|38.11555639549629859"
                ),
                ("georadiusbymember s Palermo 100 km", "*2|$7|Palermo|$5|edge1"),
                ("geosearch s frommember Catania byradius 1 km", "*1|$7|Catania"),
                ("geosearch s fromlonlat 15 37 byradius 200 km count 1 any", "*1|$7|Palermo"),
                ("geosearchstore d s fromlonlat 15 37 byradius 200 km", ":2"), ("zrange d 0 -1", "*2|$7|Palermo|$7|Catania"),
                ("geosearchstore d s fromlonlat 15 37 byradius 200 km storedist count 1", ":1"),
                ("zrange d 0 -1 withscores", "*2|$7|Catania|$16|56.4412578701582"),
                ("geosearchstore s s fromlonlat 0 0 byradius 1 m", ":0"), ("exists s", ":0"),
                ("geosearch s fromlonlat 15 37 byradius 200 km", "*0"), ("georadius s 15 37 200 km store d", ":0"),
                ("exists d", ":0"), ("georadiusbymember s nope 1 km store d", ":0"),
                ("geosearch s frommember nope byradius 1 m", "*0"),
            ])
    }

    @Test func wrongWordsAreRefused() {
        let machine = sicily()
        let unit = "-ERR unsupported unit provided. please use M, KM, FT, MI"
        expect(
            machine,
            [
                ("geoadd s 1 2", "-ERR wrong number of arguments for 'geoadd' command"),
                ("geoadd s 1 2 a 1", "-ERR syntax error"),
                ("geoadd s nx xx 1 2 a", "-ERR syntax error"), ("geoadd s nx ch nx", "-ERR syntax error"),
                ("geoadd s 200 2 a", "-ERR invalid longitude,latitude pair 200.000000,2.000000"),
                ("geoadd s 1 86 a", "-ERR invalid longitude,latitude pair 1.000000,86.000000"),
                ("geoadd s 1 inf a", "-ERR invalid longitude,latitude pair 1.000000,inf"),
                ("geoadd s x 2 a", "-ERR value is not a valid float"),
                ("geoadd s 1 2 a 1 x b", "-ERR value is not a valid float"),
                ("geodist s Palermo Catania parsec", unit), ("geodist s a b km x", "-ERR syntax error"),
                ("georadius s 1 1 x km", "-ERR need numeric radius"), ("georadius s 1 1 -1 km", "-ERR radius cannot be negative"),
                ("georadius s 1 1 1 x", unit), ("georadius s 1 1 1 km count 0", "-ERR COUNT must be > 0"),
                ("georadius s 1 1 1 km count x", "-ERR value is not an integer or out of range"),
                ("georadius s 1 1 1 km any", "-ERR the ANY argument requires COUNT argument"),
                ("georadius_ro s 1 1 1 km store d", "-ERR syntax error"),
                (
                    "georadius s 1 1 1 km store d withdist",
                    "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
                ),
                (
                    "geosearchstore d s fromlonlat 1 1 byradius 1 m withhash",
                    "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
                ),
                ("georadiusbymember s nope 1 km", "-ERR could not decode requested zset member"),
                ("geosearch s frommember nope byradius 1 km", "-ERR could not decode requested zset member"),
                ("geosearch s fromlonlat 1 1 frommember Palermo byradius 1 m", "-ERR syntax error"),
                ("geosearch s frommember Palermo bybox 1 1 m byradius 1 m", "-ERR syntax error"),
                ("geosearch s frommember Palermo bybox x 1 m", "-ERR need numeric width"),
                ("geosearch s frommember Palermo bybox 1 x m", "-ERR need numeric height"),
                ("geosearch s frommember Palermo bybox 1 -1 m", "-ERR height or width cannot be negative"),
                (
                    "GeoSearch s byradius 1 m asc withdist",
                    "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GeoSearch"
                ),
                (
                    "geosearch s frommember Palermo asc withdist withhash",
                    "-ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch"
                ),
                ("geosearch s frommember Palermo byradius 1 m storedist", "-ERR syntax error"), ("zcard s", ":2"),
                ("rpush l 1", ":1"), ("geoadd l 1 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("geopos l a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("geosearch l x y z a b", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
                ("command getkeys georadius s 1 1 1 km storedist d", "*2|$1|s|$1|d"),
            ])
    }

    /// Cells and their neighbours miss nothing: a search finds what looking at every member finds.
    @Test func searchesAgreeWithLookingAtEveryMember() {
        let machine = TestMachine()
        var random = RandomGenerator(seed: 8)
        func degrees(_ most: Double) -> Double { (Double(random.next() >> 11) * 0x1p-53 * 2 - 1) * most }
        for number in 0..<600 {
            let (longitude, latitude) = number % 3 == 0 ? (10 + degrees(3), 80 + degrees(5)) : (degrees(180), degrees(85))
            machine.run(["geoadd", "g", "\(longitude)", "\(latitude)", "m\(number)"])
        }
        guard case .value(let value) = machine.machine.execution.read(SortedSetValue.self, at: ByteView("g")) else {
            Issue.record("the key is there")
            return
        }
        for round in 0..<300 {
            let center =
                round % 2 == 0
                ? GeoHash.Position(longitude: 10 + degrees(3), latitude: 80 + degrees(5))
                : GeoHash.Position(longitude: degrees(170), latitude: degrees(70))
            let radius = [1, 10, 100, 1000][random.index(below: 4)] * (1 + degrees(1))
            let kind = round % 3 == 0 ? GeoShape.Kind.box(width: radius, height: radius * 1.5) : .circle(radius: radius)
            // Not around the back of the world: there Redis's cells miss something too.
            let shape = GeoShape(center: center, kind: kind, unit: 1000)
            var expected: [[UInt8]] = []
            value.forEach { member, score in
                let position = GeoHash(score: score).position
                if shape.distance(to: position) != nil, (position.longitude - center.longitude).magnitude < 180 {
                    expected.append(member.array)
                }
                return true
            }
            var found: Set<[UInt8]> = []
            let cells = shape.cells
            for index in 0..<cells.count {
                let cell = cells[index]
                let (from, to) = cell.scores
                value.forEach { member, score in
                    if score >= from, score < to { found.insert(member.array) }
                    return true
                }
            }
            for member in expected where !found.contains(member) {
                #expect(
                    radius > 500, "a search of \(radius) km around \(center) misses \(String(decoding: member, as: UTF8.self))")
            }
        }
    }

    /// What is told to be far away by an estimate is farther away than the radius: also around the poles, around the world, and at the very
    /// edge.
    @Test func whatIsFarIsOutside() {
        var random = RandomGenerator(seed: 21)
        func degrees(_ most: Double) -> Double { (Double(random.next() >> 11) * 0x1p-53 * 2 - 1) * most }
        for round in 0..<40_000 {
            let center = GeoHash.Position(longitude: degrees(180), latitude: round % 3 == 0 ? 84 + degrees(1) : degrees(85))
            let near = [0.001, 1, 20, 400][round % 4]
            let position = GeoHash.Position(
                longitude: min(max(center.longitude + degrees(near), -180), 180),
                latitude: min(max(center.latitude + degrees(near), -85), 85))
            let distance = GeoShape.distance(center, position)
            // As far as the position, a little nearer or farther, or anything.
            let factor = [1, 0x1.ffffffffffffep-1, 0x1.0000000000001p+0, 1 + degrees(0.001), degrees(2).magnitude][round % 5]
            let radius = distance * factor
            let found = GeoShape(center: center, kind: .circle(radius: radius), unit: 1).distance(to: position)
            #expect(found == (distance > radius ? nil : distance), "\(center) \(position) \(radius)")
        }
    }

    @Test func cellsAndPositionsGoBackAndForth() {
        var random = RandomGenerator(seed: 9)
        for _ in 0..<2000 {
            let hash = GeoHash(bits: random.next() >> 12, step: GeoHash.stepMax)
            #expect(GeoHash(hash.position) == hash)
            #expect(GeoHash(score: hash.score) == hash)
            #expect(hash.neighbour(east: 1, north: -1).neighbour(east: -1, north: 1) == hash)
        }
        for score in [-1.0, -0.5, 1e19, -1e19, .infinity, -.infinity, 0x1p63, 0x1p52] {
            #expect(GeoHash(score: score).position.isValid, "any score stands for a position")
        }
    }
}
