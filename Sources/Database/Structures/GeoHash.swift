import Base

/// A cell of the grid that the positions of the geo commands are kept in: latitude and longitude halved `step` times each, their
/// bits interleaved. With 26 steps it has 52 bits, which a sorted set's score holds exactly.
///
/// Sources: Niemeyer's geohash; the ranges and the order of the bits as in Redis's geohash.c (the Web Mercator limits of EPSG:900913).
struct GeoHash: Equatable {
    var bits: UInt64
    var step: Int

    /// Steps of a score.
    static let stepMax = 26
    static let longitudes = -180.0...180.0
    static let latitudes = -85.05112878...85.05112878

    /// A rectangle of positions, in degrees.
    struct Area {
        var longitudes: ClosedRange<Double>
        var latitudes: ClosedRange<Double>
    }

    /// A position, in degrees.
    struct Position: Equatable {
        var longitude: Double
        var latitude: Double

        /// Whether the grid has it.
        var isValid: Bool { GeoHash.longitudes.contains(longitude) && GeoHash.latitudes.contains(latitude) }
    }

    init(bits: UInt64, step: Int) {
        self.bits = bits
        self.step = step
    }

    /// The cell of a position, in the grid's own latitudes or in others.
    init(_ position: Position, step: Int = stepMax, latitudes: ClosedRange<Double> = latitudes) {
        check(position.isValid && step >= 1 && step <= GeoHash.stepMax, "a position lies in the grid")
        let cells = Double(1 << UInt64(step))
        let (height, west) = (latitudes.upperBound - latitudes.lowerBound, GeoHash.longitudes.lowerBound)
        let latitude = (position.latitude - latitudes.lowerBound) / height * cells
        let longitude = (position.longitude - west) / (GeoHash.longitudes.upperBound - west) * cells
        self.init(bits: GeoHash.spread(UInt32(latitude)) | GeoHash.spread(UInt32(longitude)) << 1, step: step)
    }

    /// The cell that a score stands for. Any score does: what no GEOADD makes is read as Redis's processor would.
    init(score: Double) {
        self.init(bits: GeoHash.truncated(score), step: GeoHash.stepMax)
    }

    /// The score of a cell of the finest grid.
    var score: Double { Double(bits) }

    /// The scores of all positions in the cell: from the first on, before the second.
    var scores: (from: Double, to: Double) {
        let shift = UInt64(2 * (GeoHash.stepMax - step))
        return (Double(bits << shift), Double((bits &+ 1) << shift))
    }

    /// The whole number of a double as x86-64 converts it, whatever it is.
    static func truncated(_ value: Double) -> UInt64 {
        if value < 0x1p63 { return value >= -0x1p63 ? UInt64(bitPattern: Int64(value)) : 1 << 63 }
        return value < 0x1p64 ? UInt64(value) : 0
    }

    // MARK: where it is

    /// The rectangle that the cell covers.
    var area: Area {
        let latitude = GeoHash.gather(bits)
        let longitude = GeoHash.gather(bits >> 1)
        return Area(
            longitudes: edges(longitude, GeoHash.longitudes), latitudes: edges(latitude, GeoHash.latitudes))
    }

    private func edges(_ cell: UInt32, _ range: ClosedRange<Double>) -> ClosedRange<Double> {
        let scale = range.upperBound - range.lowerBound
        check(step >= 0 && step <= GeoHash.stepMax, "a grid has a number of steps")
        // Two to the power of -step: multiplying by it is exact.
        let part = Double(bitPattern: UInt64(1023 - step) << 52)
        let low = range.lowerBound + Double(cell) * part * scale
        let high = range.lowerBound + Double(cell &+ 1) * part * scale
        // Only a score that no position has goes beyond the last cell.
        return low <= high ? low...high : high...low
    }

    /// The middle of the cell.
    var position: Position {
        let area = self.area
        let longitude = (area.longitudes.lowerBound + area.longitudes.upperBound) / 2
        let latitude = (area.latitudes.lowerBound + area.latitudes.upperBound) / 2
        return Position(
            longitude: GeoHash.clamped(longitude, GeoHash.longitudes), latitude: GeoHash.clamped(latitude, GeoHash.latitudes))
    }

    private static func clamped(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        min(max(value, range.lowerBound), range.upperBound)
    }

    /// The cell so many cells to the east and the north, around the world where it goes over an edge. The outermost position of all
    /// has a cell of its own behind the last one, and keeps it in the direction that is not gone, as in Redis.
    func neighbour(east: Int, north: Int) -> GeoHash {
        let longitude = moved(GeoHash.gather(bits >> 1), by: east)
        let latitude = moved(GeoHash.gather(bits), by: north)
        return GeoHash(bits: GeoHash.spread(latitude) | GeoHash.spread(longitude) << 1, step: step)
    }

    private func moved(_ cell: UInt32, by cells: Int) -> UInt32 {
        if cells == 0 { return cell }
        return (cell &+ UInt32(truncatingIfNeeded: cells)) & UInt32(truncatingIfNeeded: (1 << UInt64(step)) - 1)
    }

    // MARK: bits

    /// Puts a zero in front of every bit.
    private static func spread(_ value: UInt32) -> UInt64 {
        var bits = UInt64(value)
        bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF
        bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF
        bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333
        return (bits | bits << 1) & 0x5555_5555_5555_5555
    }

    /// Takes every second bit, the lowest first.
    private static func gather(_ value: UInt64) -> UInt32 {
        var bits = value & 0x5555_5555_5555_5555
        bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
        bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F
        bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF
        bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: bits | bits >> 16)
    }
}
