import Base
import Consensus

/// Raft messages as bytes: the payload of a `raft` frame. `from` and `to` are the link's ends and are not repeated.
///
/// One byte for the kind, eight for the term, then the fields in order, integers little-endian.
package enum MessageCodec {
    private enum Kind: UInt8 {
        case preVoteRequest = 1
        case preVoteResponse, voteRequest, voteResponse, append, appendAccepted, appendRejected, heartbeat
        case heartbeatResponse, readIndexRequest, readIndexResponse, timeoutNow, installSnapshot, installSnapshotResponse
    }

    /// Appends `message`.
    package static func encode(_ message: Message, into buffer: ByteBuffer) {
        func begin(_ kind: Kind) {
            buffer.append(byte: kind.rawValue)
            buffer.append(integer: message.term.rawValue)
        }
        switch message.body {
        case .preVoteRequest(let request):
            begin(.preVoteRequest)
            encode(request, into: buffer)
        case .preVoteResponse(let granted):
            begin(.preVoteResponse)
            buffer.append(byte: granted ? 1 : 0)
        case .voteRequest(let request):
            begin(.voteRequest)
            encode(request, into: buffer)
        case .voteResponse(let granted):
            begin(.voteResponse)
            buffer.append(byte: granted ? 1 : 0)
        case .append(let append):
            begin(.append)
            encode(append, into: buffer)
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let matchIndex):
                begin(.appendAccepted)
                buffer.append(integer: response.readRound)
                buffer.append(integer: matchIndex.rawValue)
            case .rejected(let previousIndex, let hintIndex, let hintTerm):
                begin(.appendRejected)
                buffer.append(integer: response.readRound)
                buffer.append(integer: previousIndex.rawValue)
                buffer.append(integer: hintIndex.rawValue)
                buffer.append(integer: hintTerm.rawValue)
            }
        case .heartbeat(let heartbeat):
            begin(.heartbeat)
            buffer.append(integer: heartbeat.commitIndex.rawValue)
            buffer.append(integer: heartbeat.readRound)
        case .heartbeatResponse(let readRound):
            begin(.heartbeatResponse)
            buffer.append(integer: readRound)
        case .readIndexRequest(let id):
            begin(.readIndexRequest)
            buffer.append(integer: id)
        case .readIndexResponse(let id, let index, let wall):
            begin(.readIndexResponse)
            buffer.append(integer: id)
            buffer.append(integer: index.rawValue)
            buffer.append(integer: wall.microseconds)
        case .timeoutNow:
            begin(.timeoutNow)
        case .installSnapshot(let index, let term):
            begin(.installSnapshot)
            buffer.append(integer: index.rawValue)
            buffer.append(integer: term.rawValue)
        case .installSnapshotResponse(let index, let succeeded):
            begin(.installSnapshotResponse)
            buffer.append(integer: index.rawValue)
            buffer.append(byte: succeeded ? 1 : 0)
        }
    }

    private static func encode(_ request: Message.VoteRequest, into buffer: ByteBuffer) {
        buffer.append(integer: request.lastIndex.rawValue)
        buffer.append(integer: request.lastTerm.rawValue)
        buffer.append(byte: request.isTransfer ? 1 : 0)
    }

    private static func encode(_ append: Message.Append, into buffer: ByteBuffer) {
        buffer.append(integer: append.previousIndex.rawValue)
        buffer.append(integer: append.previousTerm.rawValue)
        buffer.append(integer: append.commitIndex.rawValue)
        buffer.append(integer: append.readRound)
        buffer.append(integer: UInt32(append.entries.count))
        for entry in append.entries {
            buffer.append(integer: entry.term.rawValue)
            buffer.append(byte: entry.kind.rawValue)
            buffer.append(integer: UInt32(entry.payload.count))
            buffer.append(entry.payload)
        }
    }

    /// The message in `payload`, or nil when it is not exactly one.
    package static func decode(_ payload: ByteView, from: NodeID, to: NodeID) -> Message? {
        var reader = ByteReader(payload)
        guard let tag = reader.integer(UInt8.self), let kind = Kind(rawValue: tag),
            let term = reader.integer(UInt64.self), let body = decodeBody(kind, &reader), reader.remaining == 0
        else { return nil }
        return Message(from: from, to: to, term: Term(term), body: body)
    }

    private static func decodeBody(_ kind: Kind, _ reader: inout ByteReader) -> Message.Body? {
        switch kind {
        case .preVoteRequest: return decodeVoteRequest(&reader).map { .preVoteRequest($0) }
        case .preVoteResponse: return decodeFlag(&reader).map { .preVoteResponse(granted: $0) }
        case .voteRequest: return decodeVoteRequest(&reader).map { .voteRequest($0) }
        case .voteResponse: return decodeFlag(&reader).map { .voteResponse(granted: $0) }
        case .append: return decodeAppend(&reader).map { .append($0) }
        case .appendAccepted:
            guard let round = reader.integer(UInt64.self), let match = reader.integer(UInt64.self) else { return nil }
            return .appendResponse(.init(outcome: .accepted(matchIndex: LogIndex(match)), readRound: round))
        case .appendRejected:
            guard let round = reader.integer(UInt64.self), let previous = reader.integer(UInt64.self),
                let hintIndex = reader.integer(UInt64.self), let hintTerm = reader.integer(UInt64.self)
            else { return nil }
            return .appendResponse(
                .init(
                    outcome: .rejected(
                        previousIndex: LogIndex(previous), hintIndex: LogIndex(hintIndex), hintTerm: Term(hintTerm)),
                    readRound: round))
        case .heartbeat:
            guard let commit = reader.integer(UInt64.self), let round = reader.integer(UInt64.self) else { return nil }
            return .heartbeat(.init(commitIndex: LogIndex(commit), readRound: round))
        case .heartbeatResponse: return reader.integer(UInt64.self).map { .heartbeatResponse(readRound: $0) }
        case .readIndexRequest: return reader.integer(UInt64.self).map { .readIndexRequest(id: $0) }
        case .readIndexResponse:
            guard let id = reader.integer(UInt64.self), let index = reader.integer(UInt64.self),
                let wall = reader.integer(Int64.self)
            else { return nil }
            return .readIndexResponse(id: id, index: LogIndex(index), wall: WallTime(microseconds: wall))
        case .timeoutNow: return .timeoutNow
        case .installSnapshot:
            guard let index = reader.integer(UInt64.self), let term = reader.integer(UInt64.self) else { return nil }
            return .installSnapshot(index: LogIndex(index), term: Term(term))
        case .installSnapshotResponse:
            guard let index = reader.integer(UInt64.self), let succeeded = decodeFlag(&reader) else { return nil }
            return .installSnapshotResponse(index: LogIndex(index), succeeded: succeeded)
        }
    }

    private static func decodeFlag(_ reader: inout ByteReader) -> Bool? {
        guard let byte = reader.integer(UInt8.self), byte <= 1 else { return nil }
        return byte == 1
    }

    private static func decodeVoteRequest(_ reader: inout ByteReader) -> Message.VoteRequest? {
        guard let index = reader.integer(UInt64.self), let term = reader.integer(UInt64.self),
            let isTransfer = decodeFlag(&reader)
        else { return nil }
        return Message.VoteRequest(lastIndex: LogIndex(index), lastTerm: Term(term), isTransfer: isTransfer)
    }

    private static func decodeAppend(_ reader: inout ByteReader) -> Message.Append? {
        guard let previousIndex = reader.integer(UInt64.self), let previousTerm = reader.integer(UInt64.self),
            let commit = reader.integer(UInt64.self), let round = reader.integer(UInt64.self),
            let count = reader.integer(UInt32.self), previousIndex < UInt64.max - UInt64(count)
        else { return nil }
        // An entry takes 13 bytes at least: a count that can't be true reserves nothing.
        if Int(count) > reader.remaining / 13 { return nil }
        var entries: [Entry] = []
        entries.reserveCapacity(Int(count))
        for offset in 0..<UInt64(count) {
            guard let term = reader.integer(UInt64.self), let tag = reader.integer(UInt8.self),
                let kind = Entry.Kind(rawValue: tag), let length = reader.integer(UInt32.self),
                let payload = reader.bytes(Int(length))
            else { return nil }
            entries.append(
                Entry(term: Term(term), index: LogIndex(previousIndex + 1 + offset), kind: kind, payload: payload.array))
        }
        return Message.Append(
            previousIndex: LogIndex(previousIndex), previousTerm: Term(previousTerm), entries: entries,
            commitIndex: LogIndex(commit), readRound: round)
    }
}
