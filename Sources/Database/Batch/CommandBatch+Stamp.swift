import Base

extension CommandBatch {
    /// Fills in the time and the seed of a payload that was begun without knowing them: the leader stamps an entry when it
    /// proposes it, after its segments have gathered.
    package static func stamp(time: WallTime, seed: UInt64, in payload: ByteBuffer) {
        check(payload.count >= payloadHeaderBytes && payload.view[0] == version, "only a payload that was begun is stamped")
        payload.overwrite(at: 1, integer: time.microseconds)
        payload.overwrite(at: 9, integer: seed)
    }
}
