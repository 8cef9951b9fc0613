import Base

/// A frame or record of a log as the inspector found it.
package struct InspectedRecord: Equatable, Sendable {
    package var file: String
    /// Where it begins in the file, in bytes.
    package var offset: Int
    /// Number of the frame it lies in; 0 for a segment's header.
    package var sequence: UInt64
    /// "segment", "frame", "entry", "hard state", …
    package var kind: String
    package var group: GroupID?
    package var index: LogIndex?
    package var term: Term?
    /// Size in bytes, headers included.
    package var byteCount: Int
    /// What else there is to say ("vote 2", "command").
    package var detail: String
    package var verdict: Verdict

    package enum Verdict: Equatable, Sendable {
        /// The checksum fits.
        case good
        /// It does not, or the content makes no sense: why.
        case bad(String)
        /// Not part of the log: the unfinished last frame, an unused segment.
        case unused(String)
    }
}

/// Walks a stopped node's log and describes all it finds, damage included; it never stops at the first error.
package enum LogInspector {
    /// Describes every segment, frame and record in `source`, in order, by calling `body`.
    ///
    /// - Returns: what recovery would say: nil when it would accept the log.
    /// - Throws: only what `source` throws.
    package static func inspect(
        _ source: any RecoverySource, identity: NodeIdentity?, body: (InspectedRecord) -> Void
    ) throws(StorageError) -> StorageError? { fatalError("follows") }
}
