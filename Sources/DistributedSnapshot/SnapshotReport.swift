import Base

/// How the state of an incoming channel ended. The numbers are on the wire.
package enum ChannelEnd: UInt8, Sendable {
    /// The snapshot's marker came on the channel.
    case marker = 1
    /// The channel was reset, and the next one said in its opening that the sender had recorded. What was sent and not received is lost.
    case opening = 2
    /// The sender's run is over and so are its channels: nothing more can come.
    case restarted = 3
    /// No marker came in time. The content is not exact.
    case timeLimit = 4
    /// The sender no longer knows whether it recorded. The content is not exact.
    case unknown = 5

    /// Whether what was recorded is all that was in flight.
    package var isExact: Bool { self == .marker || self == .opening || self == .restarted }
}

/// An incoming channel of one part, without its content.
package struct IncomingChannel: Equatable, Sendable {
    package var from: NodeRun
    /// The channel's number in the sender's run.
    package var number: UInt64
    /// Frames delivered before the local record.
    package var delivered: UInt64
    /// Frames and bytes recorded: in flight in the cut. Counted even when the content is truncated.
    package var inFlight: UInt64 = 0
    package var inFlightBytes: UInt64 = 0
    /// Of the content.
    package var checksum: UInt32 = 0
    /// The marker came on this very channel.
    package var isEndedByMarker = false
    /// A limit was exceeded and the content dropped.
    package var isTruncated = false
}

/// An outgoing channel of one part.
package struct OutgoingChannel: Equatable, Sendable {
    package var to: NodeID
    package var number: UInt64
    /// Frames sent before the local record.
    package var sent: UInt64
}

/// What the state of all channels from one participant came to.
package struct IncomingSource: Equatable, Sendable {
    package var from: NodeID
    package var end: ChannelEnd
}

/// What a participant tells the initiator of its part.
package struct PartSummary: Equatable, Sendable {
    /// Of the local state, as its owner computed it.
    package var stateDigest: UInt64
    package var stateBytes: UInt64
    /// Replies were held from the record until the last marker.
    package var isStrict: Bool
    package var sources: [IncomingSource] = []
    package var incoming: [IncomingChannel] = []
    package var outgoing: [OutgoingChannel] = []
}

/// Why a participant has no part. The numbers are on the wire.
package enum MissingReason: UInt8, Sendable, CustomStringConvertible {
    /// No answer within the time limit.
    case noAnswer = 1
    /// The run that the initiator named is over.
    case restarted = 2
    /// The initiator has never heard of the node in this run.
    case neverHeard = 3
    /// The node records as many snapshots as it may.
    case tooManyRecordings = 4
    /// The node met a newer run of a member than the initiator knew: its state may depend on what that member forgot.
    case newerRunMet = 5
    /// The state could not be recorded or written.
    case recordFailed = 6

    package var description: String {
        switch self {
        case .noAnswer: "no answer within the time limit"
        case .restarted: "restarted in the middle"
        case .neverHeard: "never heard of"
        case .tooManyRecordings: "records as many snapshots as it may"
        case .newerRunMet: "had met a newer run of a node than the initiator knew"
        case .recordFailed: "could not record its state"
        }
    }
}

/// One participant's answer to the initiator.
package struct SnapshotReport: Equatable, Sendable {
    package var id: SnapshotID
    package var run: NodeRun
    package var body: Body

    package enum Body: Equatable, Sendable {
        case part(PartSummary)
        case missing(MissingReason)
    }
}

/// One node's part of the cut, complete with the content of its channels.
package struct SnapshotPart: Equatable, Sendable {
    package var id: SnapshotID
    package var run: NodeRun
    package var summary: PartSummary
    /// Beside `summary.sources`: how long after the record the state of its channels ended, by this node's clock. For pictures: nothing is decided by it.
    /// Nil in a file of version 1.
    package var endedAfter: [Nanoseconds]?
    /// Beside `summary.incoming`: the frames of each channel, oldest first, each with its length in front (4 bytes, little-endian).
    /// Empty where truncated.
    package var contents: [[UInt8]]

    /// The frames of one content.
    package static func frames(of content: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        content.withView { view in
            var reader = ByteReader(view)
            while let length = reader.integer(UInt32.self), let bytes = reader.bytes(Int(length)) { frames.append(bytes.array) }
        }
        return frames
    }
}
