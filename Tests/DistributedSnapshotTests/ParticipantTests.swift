import Base
import Testing

@testable import DistributedSnapshot

@Suite struct ParticipantTests {
    private func wall(_ milliseconds: Int64) -> WallTime { WallTime(microseconds: milliseconds * 1000) }

    // MARK: Ids

    @Test func idsGrowWhateverTheClockDoes() {
        let first = SnapshotID.make(above: .none, wall: wall(1000), node: NodeID(1), incarnation: Incarnation(1))
        let again = SnapshotID.make(above: first ?? .none, wall: wall(1000), node: NodeID(1), incarnation: Incarnation(1))
        let back = SnapshotID.make(above: again ?? .none, wall: wall(-5), node: NodeID(1), incarnation: Incarnation(1))
        #expect(first != nil && again != nil && back != nil)
        if let first, let again, let back { #expect(first < again && again < back) }
    }

    @Test func twoNodesAndTwoRunsNeverMakeTheSameID() {
        var ids: Set<SnapshotID> = []
        for node in UInt32(1)...20 {
            for incarnation in UInt64(1)...20 {
                if let id = SnapshotID.make(
                    above: .none, wall: wall(7), node: NodeID(node), incarnation: Incarnation(incarnation))
                {
                    ids.insert(id)
                }
            }
        }
        #expect(ids.count == 400)
    }

    @Test func exhaustedIDsAreRefused() {
        #expect(SnapshotID.make(above: SnapshotID(.max), wall: wall(7), node: NodeID(1), incarnation: Incarnation(1)) == nil)
        let last = SnapshotID.make(
            above: .none, wall: WallTime(microseconds: .max), node: NodeID(1), incarnation: Incarnation(1))
        #expect(last == nil)
    }

    // MARK: Requests

    private func participant(_ edit: (inout SnapshotOptions) -> Void = { _ in }) -> SnapshotParticipant {
        var options = SnapshotOptions(node: NodeID(1), incarnation: Incarnation(1))
        edit(&options)
        return SnapshotParticipant(options: options, now: Instant(nanoseconds: 0))
    }

    private func refusal(_ participant: inout SnapshotParticipant, _ edit: (inout SnapshotRequest) -> Void) -> SnapshotRefusal? {
        var request = SnapshotRequest(participants: [NodeID(1)])
        edit(&request)
        do throws(SnapshotRefusal) {
            _ = try participant.initiate(request, now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
            return nil
        } catch {
            return error
        }
    }

    @Test func aBadRequestIsRefusedAtTheDoor() {
        var one = participant()
        #expect(refusal(&one) { $0.participants = [] } == .noParticipants)
        #expect(refusal(&one) { $0.timeLimit = Nanoseconds(0) } == .timeLimitOutOfRange)
        #expect(refusal(&one) { $0.timeLimit = Nanoseconds(.max) } == .timeLimitOutOfRange)
        #expect(refusal(&one) { $0.participants = (1...65).map { NodeID($0) } } == .tooManyMembers(limit: 64))
        var high = participant { $0.node = NodeID(5000) }
        #expect(refusal(&high) { _ in } == .nodeNumberTooLarge(limit: 4095))
        let value1 = one.takeEffects()
        let value2 = high.takeEffects()
        #expect(value1.isEmpty && value2.isEmpty)
    }

    @Test func tooManyAtOnceAreRefused() {
        var one = participant { $0.recordingsMax = 2 }
        #expect(refusal(&one) { _ in } == nil)
        #expect(refusal(&one) { _ in } == nil)
        #expect(refusal(&one) { _ in } == .tooManyOpen(limit: 2))
    }

    /// A node alone: no channels, nothing to hold, complete as soon as it is stored.
    @Test func aNodeAloneIsACluster() throws {
        var one = participant()
        let id = try one.initiate(
            SnapshotRequest(participants: [NodeID(1)]), now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
        let value3 = one.takeEffects()
        #expect(value3 == [.record(id)])
        one.recordWritten(id, digest: 4, bytes: 5, now: Instant(nanoseconds: 1))
        let summary = PartSummary(stateDigest: 4, stateBytes: 5, isStrict: true)
        let completed = one.takeEffects()
        #expect(
            completed == [
                .partComplete(
                    SnapshotPart(id: id, run: NodeRun(NodeID(1), Incarnation(1)), summary: summary, endedAfter: [], contents: []))
            ])
        one.partStored(id, now: Instant(nanoseconds: 2))
        let effects = one.takeEffects()
        guard case .finished(let manifest) = effects.first else { return #expect(Bool(false), "it is finished") }
        #expect(manifest.outcome == .complete && manifest.isStrict && effects.last == .ended(id, .complete))
    }

    // MARK: What comes

    private func linked(_ edit: (inout SnapshotOptions) -> Void = { _ in }) -> SnapshotParticipant {
        var one = participant(edit)
        one.channelOpened(NodeID(2), incarnation: Incarnation(1), now: Instant(nanoseconds: 0))
        _ = one.takeEffects()
        return one
    }

    private func take(_ message: SnapshotMessage, _ one: inout SnapshotParticipant) -> [SnapshotEffect] {
        message.encoded().withView { one.messageArrived(from: NodeID(2), payload: $0, now: Instant(nanoseconds: 0)) }
        return one.takeEffects()
    }

    private func opening(floor: UInt64 = 0) -> SnapshotMessage {
        .opening(
            SnapshotOpening(
                channel: 1, colour: .none, floor: SnapshotID(floor), open: [], ended: [],
                runs: [NodeRun(NodeID(2), Incarnation(1))]))
    }

    private func resets(_ effects: [SnapshotEffect]) -> Bool {
        effects.contains {
            if case .reset = $0 { return true }
            return false
        }
    }

    @Test func nothingIsBelievedBeforeTheOpening() {
        var one = linked()
        let value4 = one.frameArrived(from: NodeID(2), colour: .none, bytes: .empty)
        #expect(value4 == .refuse)
        let value5 = one.takeEffects()
        #expect(resets(value5))
        var other = linked()
        #expect(resets(take(.runs([]), &other)))
    }

    @Test func whatIsMalformedResetsTheLinkOnce() {
        var one = linked()
        one.messageArrived(from: NodeID(2), payload: ByteView("nonsense"), now: Instant(nanoseconds: 0))
        let value6 = one.takeEffects()
        #expect(resets(value6))
        one.messageArrived(from: NodeID(2), payload: ByteView("nonsense"), now: Instant(nanoseconds: 0))
        let value7 = one.frameArrived(from: NodeID(2), colour: .none, bytes: .empty)
        #expect(value7 == .refuse)
        let value8 = one.takeEffects()
        #expect(value8.isEmpty)
    }

    @Test func aSecondOpeningResetsTheLink() {
        var one = linked()
        #expect(!resets(take(opening(), &one)))
        #expect(resets(take(opening(), &one)))
    }

    @Test func aMarkerThatComesTwiceCountsOnce() {
        var one = linked()
        _ = take(opening(), &one)
        var marker = MessageTests.marker
        marker.initiator = NodeID(2)
        marker.members = [
            .init(run: NodeRun(NodeID(1), Incarnation(1)), isParticipant: true),
            .init(run: NodeRun(NodeID(2), Incarnation(1)), isParticipant: true),
        ]
        let effects = take(.marker(marker, previous: .none), &one)
        #expect(effects.first == .record(marker.id))
        #expect(take(.marker(marker, previous: .none), &one).isEmpty)
        let value9 = one.frameArrived(from: NodeID(2), colour: marker.id, bytes: .empty)
        #expect(value9 == .deliver)
    }

    private func marker(of initiator: NodeRun) -> SnapshotMarker {
        var marker = MessageTests.marker
        marker.initiator = NodeID(2)
        marker.members = [
            .init(run: NodeRun(NodeID(1), Incarnation(1)), isParticipant: true), .init(run: initiator, isParticipant: true),
        ]
        return marker
    }

    @Test func aTimeLimitOfAnotherNodeIsBoundedByOnesOwn() {
        var one = linked { $0.timeLimitMax = .milliseconds(100) }
        _ = take(opening(), &one)
        var marker = marker(of: NodeRun(NodeID(2), Incarnation(1)))
        marker.timeLimit = Nanoseconds(.max)
        marker.isStrict = false
        _ = take(.marker(marker, previous: .none), &one)
        #expect(one.nextDeadline == Instant(nanoseconds: 200_000_000))
        one.tick(now: one.nextDeadline)
        let effects = one.takeEffects()
        #expect(effects == [.ended(marker.id, .unknown)])
    }

    /// The initiator knows a newer run of the peer than the one whose last frames are still coming: they are in flight.
    @Test func aStaleChannelIsRecordedOnce() {
        var one = linked()
        var late = marker(of: NodeRun(NodeID(2), Incarnation(5)))
        late.isStrict = false
        late.initiator = NodeID(3)
        late.members.append(.init(run: NodeRun(NodeID(3), Incarnation(1)), isParticipant: true))
        let opening = SnapshotOpening(
            channel: 1, colour: late.id, floor: .none, open: [late], ended: [], runs: [NodeRun(NodeID(2), Incarnation(1))])
        _ = take(.opening(opening), &one)
        let verdict = one.frameArrived(from: NodeID(2), colour: late.id, bytes: ByteView("frame"))
        #expect(verdict == .deliver)
        one.recordWritten(late.id, digest: 1, bytes: 1, now: Instant(nanoseconds: 1))
        one.channelClosed(NodeID(2), now: Instant(nanoseconds: 1))
        one.channelOpened(NodeID(2), incarnation: Incarnation(6), now: Instant(nanoseconds: 1))
        one.tick(now: one.nextDeadline)
        let parts = one.takeEffects().compactMap { effect -> SnapshotPart? in
            if case .partComplete(let part) = effect { return part }
            return nil
        }
        #expect(parts.first?.summary.incoming.map(\.inFlight) == [1])
        #expect(
            parts.first?.summary.sources == [
                IncomingSource(from: NodeID(2), end: .restarted), IncomingSource(from: NodeID(3), end: .timeLimit),
            ])
    }

    /// A peer that has forgotten the snapshot can't say whether it recorded: the channel is not taken for exact.
    @Test func aSenderThatForgotEndsARecordingInexactly() throws {
        var one = linked()
        _ = take(opening(), &one)
        let id = try one.initiate(
            SnapshotRequest(participants: [NodeID(1), NodeID(2)]), now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
        one.channelClosed(NodeID(2), now: Instant(nanoseconds: 0))
        one.channelOpened(NodeID(2), incarnation: Incarnation(1), now: Instant(nanoseconds: 0))
        _ = one.takeEffects()
        _ = take(opening(floor: id.rawValue), &one)
        one.recordWritten(id, digest: 1, bytes: 1, now: Instant(nanoseconds: 1))
        guard case .partComplete(let part) = one.takeEffects().first else { return #expect(Bool(false), "the part is complete") }
        #expect(part.summary.sources == [IncomingSource(from: NodeID(2), end: .unknown)] && !part.summary.isStrict)
    }

    @Test func recordingsOfAllSnapshotsTogetherAreLimited() throws {
        var one = linked {
            $0.channelBytesMax = 100
            $0.recordedBytesMax = 150
        }
        _ = take(opening(), &one)
        for _ in 0..<3 {
            _ = try one.initiate(
                SnapshotRequest(participants: [NodeID(1), NodeID(2)]), now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
        }
        for _ in 0..<20 {
            let verdict = one.frameArrived(from: NodeID(2), colour: .none, bytes: ByteView("0123456789"))
            #expect(verdict == .deliver)
        }
        _ = one.takeEffects()
        #expect(one.recordedBytes == 0)
    }

    @Test func memoryOfEndedSnapshotsIsBounded() throws {
        var one = participant { $0.endedMax = 3 }
        for _ in 0..<10 {
            let id = try one.initiate(
                SnapshotRequest(participants: [NodeID(1)]), now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
            let value10 = one.abort(id, now: Instant(nanoseconds: 0))
            #expect(value10)
            let value11 = one.abort(id, now: Instant(nanoseconds: 0))
            #expect(!value11)
        }
        #expect(one.ended.count == 3 && one.floor > .none && one.floor < one.newest)
        _ = one.takeEffects()
    }

    @Test func aRecordThatFailsIsNamed() throws {
        var one = participant()
        let id = try one.initiate(
            SnapshotRequest(participants: [NodeID(1)]), now: Now(instant: Instant(nanoseconds: 0), wall: wall(1)))
        one.recordFailed(id, now: Instant(nanoseconds: 1))
        let manifests = one.takeEffects().compactMap { effect -> SnapshotManifest? in
            if case .finished(let manifest) = effect { return manifest }
            return nil
        }
        #expect(manifests.first?.missing == [.init(node: NodeID(1), reason: .recordFailed)])
        #expect(manifests.first?.outcome == .aborted)
    }
}
