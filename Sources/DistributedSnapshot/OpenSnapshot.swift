import Base

/// A snapshot that is not over, at one node.
struct OpenSnapshot: Sendable {
    let marker: SnapshotMarker
    var id: SnapshotID { marker.id }
    /// When this node first heard of it (and recorded, if it takes part).
    let since: Instant
    /// The marker's, or this node's limit.
    let timeLimit: Nanoseconds
    /// This node's own part; nil where it only passes the markers on.
    var part: LocalPart?
    /// What the initiator is told, kept until the end is known: it is sent again on a new channel.
    var report: SnapshotReport?
    /// On the initiator.
    var collection: Collection?

    /// On the initiator: what came of each participant.
    struct Collection: Sendable {
        let allowsPartial: Bool
        /// By participant, ascending; nil: awaited.
        var answers: [(run: NodeRun, report: SnapshotReport?)]
    }

    /// The other participants don't wait longer for markers, so that their reports come in before the initiator's time is up.
    var channelsDeadline: Instant { since + Nanoseconds(timeLimit.rawValue / 4 * 3) }
    /// The initiator's time is up.
    var deadline: Instant { since + timeLimit }
    /// Whoever has not heard of an end by now never will.
    var forgottenAt: Instant { since + Nanoseconds(timeLimit.rawValue * 2) }
}

/// This node's part of a snapshot while it is made.
struct LocalPart: Sendable {
    /// One for each participant but this node, ascending.
    var sources: [Source] = []
    var outgoing: [OutgoingChannel] = []
    /// Replies are held for it.
    var isHolding = false
    /// The hold lasted, or lasts still.
    var keptHold: Bool
    /// Digest and size of the local state, when it is written.
    var written: (digest: UInt64, bytes: UInt64)?
    /// Given to the owner as a whole; its summary.
    var completed: PartSummary?

    /// The channels from one participant: usually one, more when they were reset in between.
    struct Source: Sendable {
        let run: NodeRun
        var channels: [IncomingChannel] = []
        /// Beside `channels`.
        var contents: [[UInt8]] = []
        /// Nil: the marker is awaited and the channel is being recorded.
        var end: ChannelEnd?
        var endedAt: Instant?

        /// Adds a channel that is recorded from now on.
        mutating func begin(_ channel: IncomingChannel) {
            channels.append(channel)
            contents.append([])
        }

        /// Adds a frame to the content of the channel that is recorded. Over a limit the content is dropped, once and for all (true is
        /// returned then): half a content would pass for a whole one.
        mutating func append(_ frame: ByteView, limit: UInt64, total: inout UInt64, totalLimit: UInt64) -> Bool {
            check(!channels.isEmpty && end == nil, "a frame belongs to a channel that is recorded")
            let last = channels.count - 1
            channels[last].inFlight += 1
            channels[last].inFlightBytes += UInt64(frame.count)
            if channels[last].isTruncated { return false }
            let size = UInt64(frame.count) + 4
            if UInt64(contents[last].count) + size > limit || total + size > totalLimit {
                channels[last].isTruncated = true
                total -= UInt64(contents[last].count)
                contents[last] = []
                channels[last].checksum = 0
                return true
            }
            withUnsafeBytes(of: UInt32(frame.count).littleEndian) { length in
                contents[last].append(contentsOf: length)
                channels[last].checksum = CRC32C.checksum(ByteView(length), continuing: channels[last].checksum)
            }
            contents[last].append(contentsOf: frame.rawBuffer)
            // On the way: a content can be many megabytes, too many for one step at its end.
            channels[last].checksum = CRC32C.checksum(frame, continuing: channels[last].checksum)
            total += size
            return false
        }
    }

    /// Whether every marker is in, or will not come.
    var hasAllChannels: Bool { sources.allSatisfy { $0.end != nil } }
    var recordedBytes: UInt64 { sources.reduce(0) { $1.contents.reduce($0) { $0 + UInt64($1.count) } } }
}
