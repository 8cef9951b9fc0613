import Base

/// The circle or rectangle around a position that a search looks in.
///
/// Every figure is a double computed in the order in which Redis computes it (geohash_helper.c), on `Trigonometry`: the stored distances of
/// STOREDIST are part of the replicated state.
struct GeoShape {
    /// What it is, in the unit that was asked for.
    enum Kind {
        case circle(radius: Double)
        case box(width: Double, height: Double)
    }

    let center: GeoHash.Position
    let kind: Kind
    /// Metres of one unit.
    let unit: Double
    /// The cosine of the centre's latitude.
    private let centerCosine: Double
    /// Of a circle: what `isFar` compares with, and the least product of the cosines of two latitudes in it.
    private let farSquare: Double
    private let cosines: Double

    /// The earth's quadratic mean radius in metres (WGS 84).
    static let earthRadius = 6372797.560856
    private static let radiansPerDegree = Double.pi / 180
    /// Half of the world's width in metres, in the Mercator projection.
    private static let mercatorMax = 20037726.37

    init(center: GeoHash.Position, kind: Kind, unit: Double) {
        self.center = center
        self.kind = kind
        self.unit = unit
        centerCosine = Trigonometry.cosine(center.latitude * GeoShape.radiansPerDegree)
        var radius = Double.infinity
        if case .circle(let given) = kind { radius = GeoShape.withMargin(given * unit) }
        farSquare = (radius / (2 * GeoShape.earthRadius)) * (radius / (2 * GeoShape.earthRadius))
        // A cosine falls by no more than the angle grows.
        cosines = centerCosine * max(0, centerCosine - radius / GeoShape.earthRadius)
    }

    /// A distance with a margin that is more than any rounding.
    private static func withMargin(_ distance: Double) -> Double { distance * 1.000001 + 1 }

    // MARK: distances, in metres

    /// The length of a way along a meridian.
    private static func latitudeDistance(_ a: Double, _ b: Double) -> Double {
        earthRadius * (b * radiansPerDegree - a * radiansPerDegree).magnitude
    }

    /// The great-circle distance of two positions (haversine).
    static func distance(_ a: GeoHash.Position, _ b: GeoHash.Position) -> Double {
        distance(a, b, cosine: Trigonometry.cosine(a.latitude * radiansPerDegree))
    }

    private static func distance(_ a: GeoHash.Position, _ b: GeoHash.Position, cosine: Double) -> Double {
        let v = Trigonometry.sine((b.longitude * radiansPerDegree - a.longitude * radiansPerDegree) / 2)
        if v == 0 { return latitudeDistance(a.latitude, b.latitude) }
        let latitude = b.latitude * radiansPerDegree
        let u = Trigonometry.sine((latitude - a.latitude * radiansPerDegree) / 2)
        let haversine = u * u + cosine * Trigonometry.cosine(latitude) * v * v
        return 2 * earthRadius * Trigonometry.arcsine(haversine.squareRoot())
    }

    /// Whether a position, which is not too far north or south of the circle's centre, is certainly outside: whether less than its haversine
    /// (x - x^3/6 for sin x, the least cosine for its own) is more than that of the radius.
    private func isFar(_ position: GeoHash.Position) -> Bool {
        let beside = (position.longitude - center.longitude).magnitude * (GeoShape.radiansPerDegree / 2)
        // Farther around the world it comes nearer again.
        if beside > Double.pi / 2 { return false }
        let along = (position.latitude - center.latitude).magnitude * (GeoShape.radiansPerDegree / 2)
        let (v, u) = (beside - beside * beside * beside / 6, along - along * along * along / 6)
        return u * u + cosines * v * v > farSquare
    }

    /// The distance of a position from the centre; nil where it lies outside.
    func distance(to position: GeoHash.Position) -> Double? {
        let alongMeridian = GeoShape.latitudeDistance(position.latitude, center.latitude)
        switch kind {
        case .circle(let radius):
            // Most of what is too far away is too far north or south, or east or west.
            if alongMeridian > GeoShape.withMargin(radius * unit) || isFar(position) { return nil }
            let distance = GeoShape.distance(center, position, cosine: centerCosine)
            return distance > radius * unit ? nil : distance
        case .box(let width, let height):
            if alongMeridian > height * unit / 2 { return nil }
            let beside = GeoHash.Position(longitude: center.longitude, latitude: position.latitude)
            if GeoShape.distance(position, beside) > width * unit / 2 { return nil }
            return GeoShape.distance(center, position, cosine: centerCosine)
        }
    }

    // MARK: which cells to look in

    /// Half of the shape's height and width in metres, and the distance of its farthest point.
    private var reach: (height: Double, width: Double, radius: Double) {
        switch kind {
        case .circle(let radius):
            return (unit * radius, unit * radius, radius * unit)
        case .box(let width, let height):
            let diagonal = ((width / 2) * (width / 2) + (height / 2) * (height / 2)).squareRoot()
            return (unit * height / 2, unit * width / 2, diagonal * unit)
        }
    }

    /// The rectangle around the shape, in degrees; it may go beyond the grid.
    private struct Bounds {
        var west: Double
        var east: Double
        var south: Double
        var north: Double
    }

    private var bounds: Bounds {
        let (height, width, _) = reach
        let degrees = GeoShape.radiansPerDegree
        let latitude = height / GeoShape.earthRadius / degrees
        // Meridians are closest at the end that is nearer to a pole.
        let edge = center.latitude < 0 ? center.latitude - latitude : center.latitude + latitude
        let longitude = width / GeoShape.earthRadius / Trigonometry.cosine(edge * degrees) / degrees
        return Bounds(
            west: center.longitude - longitude, east: center.longitude + longitude, south: center.latitude - latitude,
            north: center.latitude + latitude)
    }

    /// The finest grid in which the shape is covered by a cell and its neighbours.
    private func step(_ radius: Double) -> Int {
        if radius == 0 { return GeoHash.stepMax }
        var step = 1
        var range = radius
        while range < GeoShape.mercatorMax {
            range *= 2
            step += 1
        }
        step -= 2
        if center.latitude > 66 || center.latitude < -66 { step -= 1 }
        if center.latitude > 80 || center.latitude < -80 { step -= 1 }
        return min(max(step, 1), GeoHash.stepMax)
    }

    /// The neighbours of a cell in the order in which they are searched, as steps to the east and the north.
    private static let directions: InlineArray<8, (Int, Int)> = [
        (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1),
    ]

    /// The cells that together cover a shape: nine at most.
    struct Cells {
        private var cells: InlineArray<9, GeoHash>
        private(set) var count = 1

        @inline(__always)
        fileprivate init(_ first: GeoHash) { cells = .init(repeating: first) }

        @inline(__always) subscript(index: Int) -> GeoHash { cells[index] }

        @inline(__always)
        fileprivate mutating func append(ifNew cell: GeoHash) {
            for index in 0..<count where cells[index].bits == cell.bits { return }
            cells[count] = cell
            count += 1
        }
    }

    /// The cells that together cover the shape, in the order in which they are searched; no cell twice.
    var cells: Cells {
        let bounds = self.bounds
        var step = self.step(reach.radius)
        var hash = GeoHash(center, step: step)
        if step > 1, !isCovered(bounds, around: hash) {
            step -= 1
            hash = GeoHash(center, step: step)
        }
        let area = hash.area
        // Sides that the middle cell covers itself.
        let (noSouth, noNorth) = (area.latitudes.lowerBound < bounds.south, area.latitudes.upperBound > bounds.north)
        let (noWest, noEast) = (area.longitudes.lowerBound < bounds.west, area.longitudes.upperBound > bounds.east)
        var cells = Cells(hash)
        for index in 0..<GeoShape.directions.count {
            let (east, north) = GeoShape.directions[index]
            if step >= 2, (north < 0 && noSouth) || (north > 0 && noNorth) || (east < 0 && noWest) || (east > 0 && noEast) {
                continue
            }
            cells.append(ifNew: hash.neighbour(east: east, north: north))
        }
        return cells
    }

    private func isCovered(_ bounds: Bounds, around hash: GeoHash) -> Bool {
        let north = hash.neighbour(east: 0, north: 1).area.latitudes.upperBound
        let south = hash.neighbour(east: 0, north: -1).area.latitudes.lowerBound
        let east = hash.neighbour(east: 1, north: 0).area.longitudes.upperBound
        let west = hash.neighbour(east: -1, north: 0).area.longitudes.lowerBound
        return !(north < bounds.north || south > bounds.south || east < bounds.east || west > bounds.west)
    }
}
