/// When a collection leaves its small form: the configuration parameters of the same names. They decide what OBJECT ENCODING
/// answers, so they are part of the replicated state.
package struct CollectionLimits: Equatable, Sendable {
    /// `hash-max-listpack-entries`.
    package var hashEntries = 512
    /// `hash-max-listpack-value`, in bytes.
    package var hashValueBytes = 64
    /// `list-max-listpack-size`: elements of a chunk, or -1 to -5 for 4 to 64 KiB; 0 is as 1, less than -5 as -5.
    package var listSize = -2
    /// `set-max-intset-entries`.
    package var setIntegers = 512
    /// `set-max-listpack-entries`.
    package var setEntries = 128
    /// `set-max-listpack-value`, in bytes.
    package var setValueBytes = 64
    /// `zset-max-listpack-entries`.
    package var sortedSetEntries = 128
    /// `zset-max-listpack-value`, in bytes.
    package var sortedSetValueBytes = 64
    /// `hll-sparse-max-bytes`: the longest sparse HyperLogLog.
    package var hyperLogLogSparseBytes = 3000
    /// `stream-node-max-bytes`; 0 and everything above `streamNodeBytesMax` count as that.
    package var streamNodeBytes = 4096
    /// `stream-node-max-entries`; 0 for no limit.
    package var streamNodeEntries = 100

    /// The largest node of several entries: no single copy of one is long.
    static let streamNodeBytesMax = 1 << 20

    /// Redis's defaults.
    package init() {}
}

/// Bytes that the system's allocator takes for `bytes`: 8 of its own, rounded up to 16.
@inline(__always)
func allocatedBytes(_ bytes: Int) -> Int { max(32, (bytes + 8 + 15) / 16 * 16) }
