import Base

// Aggregates whose length is known only when their elements are written: SCAN with a filter, KEYS, and the like.
extension ReplyWriter {
    /// Where an aggregate of unknown length starts. Aggregates end in the reverse order of their beginning, and the output is
    /// not consumed in between.
    package struct DeferredLength {
        fileprivate enum Kind { case array, map, set }
        fileprivate let kind: Kind
        /// Bytes from the front of the buffer.
        fileprivate let offset: Int
    }

    /// Begins an array; elements follow, then `end`.
    package func beginArray() -> DeferredLength { DeferredLength(kind: .array, offset: buffer.count) }

    /// Begins a map; keys and values follow, then `end` with the number of pairs.
    package func beginMap() -> DeferredLength { DeferredLength(kind: .map, offset: buffer.count) }

    /// Begins a set; elements follow, then `end`.
    package func beginSet() -> DeferredLength { DeferredLength(kind: .set, offset: buffer.count) }

    /// Puts the header before what was written since `begun`.
    ///
    /// - Parameters:
    ///   - begun: what `beginArray` (or map, set) returned.
    ///   - count: elements, or pairs of a map.
    package func end(_ begun: DeferredLength, count: Int) {
        check(count >= 0, "an aggregate has no negative length")
        if discards { return }
        let body = buffer.count - begun.offset
        check(body >= 0, "an aggregate ends behind its beginning")
        // The header is written behind the body first, which gives its size; then both change places.
        switch begun.kind {
        case .array: array(count)
        case .map: map(count)
        case .set: set(count)
        }
        let size = buffer.count - begun.offset - body
        let header = buffer.view.slice(begun.offset + body, size)
        var saved: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &saved) { saved in
            check(size <= saved.count, "a header is short")
            saved.copyMemory(from: header.rawBuffer)
            let start = UnsafeMutableRawPointer(mutating: buffer.view.start) + begun.offset
            (start + size).copyMemory(from: start, byteCount: body)
            for index in 0..<size { start.storeBytes(of: saved[index], toByteOffset: index, as: UInt8.self) }
        }
    }

    /// Takes back everything since `begun`: the command failed after it had begun to answer.
    package func withdraw(_ begun: DeferredLength) {
        if discards { return }
        buffer.truncate(to: begun.offset)
    }
}
