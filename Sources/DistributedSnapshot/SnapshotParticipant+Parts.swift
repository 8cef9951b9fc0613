import Base

/// The way of a part to its end, and of a snapshot on its initiator.
extension SnapshotParticipant {
    // MARK: Channels of a part

    /// Nothing more is recorded on the channels from this source.
    mutating func endSource(_ source: Int, of position: Int, _ end: ChannelEnd) {
        check(open[position].part?.sources[source].end == nil, "a recording ends once")
        open[position].part?.sources[source].end = end
        open[position].part?.sources[source].endedAt = clock
        if open[position].part?.hasAllChannels == true { recordings -= 1 }
        if !end.isExact { open[position].part?.keptHold = false }
    }

    /// Gives up this node's part.
    mutating func dropPart(_ index: Int) {
        guard let part = open[index].part else { return }
        recordedBytes -= part.recordedBytes
        if !part.hasAllChannels { recordings -= 1 }
        open[index].part = nil
        updateHold()
    }

    /// Hands a part over when all its channels and the local state are there.
    private mutating func completePart(_ index: Int) {
        guard var part = open[index].part, part.completed == nil, part.hasAllChannels, let written = part.written else { return }
        var summary = PartSummary(stateDigest: written.digest, stateBytes: written.bytes, isStrict: part.keptHold)
        var contents: [[UInt8]] = []
        recordedBytes -= part.recordedBytes
        for source in part.sources {
            summary.sources.append(IncomingSource(from: source.run.node, end: source.end ?? .unknown))
            summary.incoming += source.channels
            contents += source.contents
        }
        summary.outgoing = part.outgoing
        for source in part.sources.indices { part.sources[source].contents = part.sources[source].contents.map { _ in [] } }
        part.completed = summary
        open[index].part = part
        let run = NodeRun(node, options.incarnation)
        let since = open[index].since
        effects.append(
            .partComplete(
                SnapshotPart(
                    id: open[index].id, run: run, summary: summary,
                    endedAfter: part.sources.map { ($0.endedAt ?? since) - since },
                    contents: contents)))
    }

    /// Tells the initiator what came of this node's part.
    mutating func answer(_ index: Int, _ body: SnapshotReport.Body) {
        if open[index].report != nil { return }
        let report = SnapshotReport(id: open[index].id, run: NodeRun(node, options.incarnation), body: body)
        open[index].report = report
        if case .missing(let reason) = body { effects.append(.log("snapshot \(report.id): no part of this node: \(reason)")) }
        if open[index].marker.initiator == node {
            take(report, from: node)
        } else {
            send(.report(report), to: open[index].marker.initiator)
        }
    }

    // MARK: Holding replies

    mutating func startHolding(_ index: Int) {
        if open[index].part?.hasAllChannels == true { return }
        open[index].part?.isHolding = true
        updateHold()
    }

    mutating func updateHold() {
        for index in open.indices where open[index].part?.hasAllChannels == true { open[index].part?.isHolding = false }
        let holds = open.contains { $0.part?.isHolding == true }
        if holds && holdingSince == nil {
            holdingSince = clock
            effects.append(.holdReplies)
        } else if !holds && holdingSince != nil {
            holdingSince = nil
            effects.append(.releaseReplies)
        }
    }

    /// The hold has lasted as long as it may: clients come before the real-time promise.
    private mutating func limitHold() {
        guard let since = holdingSince, since + options.holdMax <= clock else { return }
        for index in open.indices where open[index].part?.isHolding == true {
            open[index].part?.isHolding = false
            open[index].part?.keptHold = false
            effects.append(.log("snapshot \(open[index].id) is not strict: replies were held as long as they may be"))
        }
        updateHold()
    }

    // MARK: The initiator

    /// A participant's answer.
    mutating func take(_ report: SnapshotReport, from peer: NodeID) {
        if let end = concluded.first(where: { $0.id == report.id }) { return send(.end(end.id, end.outcome), to: peer) }
        guard let index = open.firstIndex(where: { $0.id == report.id }), peer == report.run.node,
            let place = open[index].collection?.answers.firstIndex(where: { $0.run.node == peer }),
            open[index].collection?.answers[place].report == nil
        else { return }
        if case .part = report.body, open[index].collection?.answers[place].run != report.run { return }
        open[index].collection?.answers[place].report = report
    }

    /// The end of a snapshot, as its initiator says.
    mutating func take(end id: SnapshotID, _ outcome: SnapshotOutcome, from peer: NodeID) {
        if isOver(id) { return }
        if let index = open.firstIndex(where: { $0.id == id }) {
            if open[index].marker.initiator == peer { close(id, outcome) }
        } else {
            adopt(.ended(id), isOwn: false)
        }
    }

    private mutating func concludeIfAnswered(_ id: SnapshotID) {
        guard let index = open.firstIndex(where: { $0.id == id }), let collection = open[index].collection else { return }
        let isLate = open[index].deadline <= clock
        if !isLate && collection.answers.contains(where: { $0.report == nil }) { return }
        let reports = collection.answers.map { run, report in
            report ?? SnapshotReport(id: id, run: run, body: .missing(.noAnswer))
        }
        let manifest = SnapshotManifest(marker: open[index].marker, reports: reports, allowsPartial: collection.allowsPartial)
        check(
            manifest.outcome != .complete || collection.answers.allSatisfy { $0.report != nil },
            "complete means that all answered")
        for contradiction in manifest.contradictions {
            effects.append(.log("snapshot \(id) contradicts itself: \(contradiction)"))
        }
        effects.append(.finished(manifest))
        announceEnd(id, manifest.outcome)
        close(id, manifest.outcome)
    }

    mutating func announceEnd(_ id: SnapshotID, _ outcome: SnapshotOutcome) {
        check(!concluded.contains { $0.id == id }, "a snapshot is concluded once")
        concluded.append((id, outcome))
        if concluded.count > options.endedMax { concluded.removeFirst() }
        broadcast(.end(id, outcome))
    }

    // MARK: The end

    /// A snapshot is over for this node.
    mutating func close(_ id: SnapshotID, _ outcome: SnapshotOutcome) {
        guard let index = open.firstIndex(where: { $0.id == id }) else { return }
        dropPart(index)
        open.remove(at: index)
        remember(id)
        effects.append(.ended(id, outcome))
    }

    mutating func remember(_ id: SnapshotID) {
        check(!ended.contains(id), "a snapshot ends once")
        ended.append(id)
        if ended.count > options.endedMax { floor = max(floor, ended.removeFirst()) }
    }

    // MARK: Time

    /// When `tick` is due next.
    package var nextDeadline: Instant {
        var next = Instant.never
        if let since = holdingSince { next = since + options.holdMax }
        for snapshot in open {
            if let part = snapshot.part, !part.hasAllChannels { next = min(next, snapshot.channelsDeadline) }
            next = min(next, snapshot.collection == nil ? snapshot.forgottenAt : snapshot.deadline)
        }
        return next
    }

    /// Time has come.
    package mutating func tick(now: Instant) {
        advance(now)
        settle()
    }

    /// Draws the conclusions of a step: recordings that can't go on end, whole parts are handed over, answered snapshots are concluded.
    mutating func settle() {
        for index in open.indices {
            endHopeless(index)
            completePart(index)
        }
        updateHold()
        limitHold()
        for snapshot in open {
            if snapshot.collection != nil {
                concludeIfAnswered(snapshot.id)
            } else if snapshot.forgottenAt <= clock {
                close(snapshot.id, .unknown)
            } else if let initiator = snapshot.marker.member(snapshot.marker.initiator), isGone(initiator.run) {
                // The initiator's memory of it is gone, not what it may have concluded before.
                close(snapshot.id, .unknown)
            }
        }
    }

    private mutating func endHopeless(_ index: Int) {
        let isLate = open[index].channelsDeadline <= clock
        if let part = open[index].part {
            for (number, source) in part.sources.enumerated() where source.end == nil {
                if isGone(source.run) {
                    endSource(number, of: index, .restarted)
                } else if isLate {
                    endSource(number, of: index, .timeLimit)
                }
            }
        }
        guard let collection = open[index].collection else { return }
        for (place, answer) in collection.answers.enumerated() where answer.report == nil && isGone(answer.run) {
            let report = SnapshotReport(id: open[index].id, run: answer.run, body: .missing(.restarted))
            open[index].collection?.answers[place].report = report
        }
    }
}
