import Base

/// Decides whether log writes run inline or on the disk thread, by the times of the last writes.
///
/// Inline is faster while a write takes a fraction of a millisecond; on a slow disk it would hold up heartbeats and
/// reads. A few slow writes (a journal commit, a neighbour) change nothing: most of a window has to be slow.
struct DiskModeChooser {
    /// Whether writes run inline now.
    private(set) var isInline: Bool
    private let isFixed: Bool
    /// One bit for each of the last 32 writes: it was slow.
    private var slow: UInt32 = 0
    private var untilDecision = 32

    /// A write that takes longer is slow.
    static let threshold = Nanoseconds.milliseconds(1)

    init(mode: DiskMode, probed: Nanoseconds) {
        isFixed = mode != .auto
        isInline = mode == .inline || (mode == .auto && probed <= DiskModeChooser.threshold)
    }

    /// Counts a write. True when the mode changed.
    mutating func note(_ time: Nanoseconds) -> Bool {
        if isFixed { return false }
        slow = slow << 1 | (time > DiskModeChooser.threshold ? 1 : 0)
        untilDecision -= 1
        // A whole window between two changes, so that it does not swing.
        if untilDecision > 0 { return false }
        let count = slow.nonzeroBitCount
        if isInline ? count <= 20 : count >= 4 {
            untilDecision = 1
            return false
        }
        isInline.toggle()
        untilDecision = 32
        return true
    }
}
