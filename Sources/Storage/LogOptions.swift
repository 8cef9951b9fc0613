import Base

/// Sizes of a write-ahead log. They may change from run to run: a segment's own size stands in its header.
package struct LogOptions: Equatable, Sendable {
    /// Size of a segment file in bytes, a multiple of the block size, at least four blocks. An entry that does not fit gets
    /// a segment of its own size.
    package var segmentBytes: Int
    /// Segments held ready, zeroed, before they are needed.
    package var spareSegments: Int
    /// Segments no longer needed are kept for reuse as long as there are at most this many spares.
    package var recycledSegmentsMax: Int
    /// Bytes of one frame, about: a frame is closed when the next record would carry it past this.
    package var frameBytesMax: Int

    package init(segmentBytes: Int = 64 << 20, spareSegments: Int = 1, recycledSegmentsMax: Int = 4, frameBytesMax: Int = 4 << 20)
    {
        self.segmentBytes = segmentBytes
        self.spareSegments = spareSegments
        self.recycledSegmentsMax = recycledSegmentsMax
        self.frameBytesMax = frameBytesMax
    }

    /// Whether the sizes fit together.
    func checkInvariants() {
        check(segmentBytes % LogOptions.blockBytes == 0, "a segment is whole blocks")
        check(segmentBytes >= 4 * LogOptions.blockBytes, "a segment has room for its header and some frames")
        check(spareSegments >= 1 && recycledSegmentsMax >= spareSegments, "there is at least one spare segment")
        check(frameBytesMax >= LogOptions.blockBytes, "a frame has room for a block")
    }

    /// The unit of writing in bytes: frames begin at multiples of it, and a written block is never written again.
    package static let blockBytes = 4096
    /// The largest payload of one entry in bytes (600 MiB). Whoever accepts commands refuses more at the door.
    package static let entryBytesMax = 600 << 20
}
