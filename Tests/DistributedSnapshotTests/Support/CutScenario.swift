import Base

@testable import DistributedSnapshot

/// Runs a scenario file: lines that begin with "> " are commands, the lines under each say what it did. Comments and empty lines stay.
/// Each node owns 100 at the start. At the end of the file nothing may be left on its way, and the oracle judges every cut.
///
/// Commands:
///
///     cluster COUNT [hold=MS] [channel=BYTES] [recordings=N]
///     send A B AMOUNT
///     initiate A [causal] [limit=MS] [whole] [of=A,B,…]   `whole`: aborted when parts are missing
///     deliver A->B [COUNT] | deliver                      in order; without a pair until nothing is on its way
///     lose A->B                                           the oldest of what is on its way vanishes
///     close A B [KEPT]   open A B                         A's end of the link; B has not noticed
///     reset A B [KEPT]   connect A B                      both ends; KEPT of what was on its way from A still arrive
///     crash A   start A
///     write A   store A   settle                          settle: deliver, write and store until all is quiet
///     wait MS   abort A
///     status
final class CutScenario {
    private var cluster = CutCluster(1)
    private var output: [String] = []
    private var names: [SnapshotID] = []
    private(set) var violations: [String] = []

    /// The file as it should be.
    func run(_ text: String) -> String {
        var result: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("> ") {
                result.append(String(line))
                output = []
                cluster.step += 1
                execute(line.dropFirst(2).split(separator: " ").map(String.init))
                result += output
            } else if line.hasPrefix("#") || line.isEmpty {
                result.append(String(line))
            }
        }
        violations += CutOracle(cluster: cluster).violations()
        return result.joined(separator: "\n")
    }

    private func execute(_ words: [String]) {
        let arguments = Array(words.dropFirst())
        switch words.first {
        case "cluster": makeCluster(arguments)
        case "send": cluster.send(node(arguments, 0), node(arguments, 1), amount: number(arguments, 2))
        case "initiate": initiate(arguments)
        case "deliver": deliver(arguments)
        case "lose":
            let (x, y) = channel(arguments[0])
            cluster.queues[x][y].removeFirst()
        case "close": cluster.close(node(arguments, 0), node(arguments, 1), keeping: kept(arguments))
        case "open": cluster.open(node(arguments, 0), node(arguments, 1))
        case "reset": cluster.reset(node(arguments, 0), node(arguments, 1), keeping: kept(arguments))
        case "connect":
            cluster.open(node(arguments, 0), node(arguments, 1))
            cluster.open(node(arguments, 1), node(arguments, 0))
        case "crash": cluster.crash(node(arguments, 0), keeping: { _ in 0 })
        case "start": cluster.start(node(arguments, 0))
        case "write": cluster.write(node(arguments, 0))
        case "store": cluster.store(node(arguments, 0))
        case "settle": cluster.settle()
        case "wait": cluster.advance(.milliseconds(UInt64(number(arguments, 0))))
        case "abort":
            if let id = names.last { cluster.call(node(arguments, 0)) { _ = $0.abort(id, now: self.cluster.now.instant) } }
        case "status": status()
        default: output.append("unknown command")
        }
    }

    private func number(_ arguments: [String], _ position: Int) -> Int {
        guard position < arguments.count, let value = Int(arguments[position]) else { fatalError("a number is missing") }
        return value
    }
    private func node(_ arguments: [String], _ position: Int) -> Int { number(arguments, position) - 1 }
    private func kept(_ arguments: [String]) -> (Int) -> Int {
        let count = arguments.count > 2 ? number(arguments, 2) : 0
        return { min($0, count) }
    }
    private func channel(_ text: String) -> (Int, Int) {
        let ends = text.split(separator: ">").map { $0.split(separator: "-")[0] }
        return (number([String(ends[0])], 0) - 1, number([String(ends[1])], 0) - 1)
    }
    private func value(_ word: String) -> (key: String, value: Int)? {
        let parts = word.split(separator: "=")
        guard parts.count == 2, let value = Int(parts[1]) else { return nil }
        return (String(parts[0]), value)
    }

    private func makeCluster(_ arguments: [String]) {
        violations += CutOracle(cluster: cluster).violations()
        let values = arguments.compactMap { value($0) }
        cluster = CutCluster(number(arguments, 0)) { options in
            for value in values {
                switch value.key {
                case "hold": options.holdMax = .milliseconds(UInt64(value.value))
                case "channel": options.channelBytesMax = UInt64(value.value)
                default: options.recordingsMax = value.value
                }
            }
        }
        names = []
        cluster.connectAll()
        cluster.settle()
        cluster.onEffect = { [unowned self] node, effect in describe(node, effect) }
    }

    private func initiate(_ arguments: [String]) {
        let begun = cluster.initiate(node(arguments, 0)) { request in
            for word in arguments.dropFirst() {
                if word == "causal" {
                    request.isStrict = false
                } else if word == "whole" {
                    request.allowsPartial = false
                } else if word.hasPrefix("of=") {
                    request.participants = word.dropFirst(3).split(separator: ",").compactMap { UInt32($0).map { NodeID($0) } }
                } else if let value = value(word) {
                    request.timeLimit = .milliseconds(UInt64(value.value))
                }
            }
        }
        if begun == nil { output.append("  refused") }
    }

    private func deliver(_ arguments: [String]) {
        if let pair = arguments.first {
            let (x, y) = channel(pair)
            for _ in 0..<(arguments.count > 1 ? number(arguments, 1) : 1) { deliver(x, y) }
            return
        }
        while let (x, y) = (0..<cluster.count).lazy.flatMap({ x in (0..<self.cluster.count).lazy.map { (x, $0) } })
            .first(where: { self.cluster.canDeliver($0.0, $0.1) })
        { deliver(x, y) }
    }

    private func deliver(_ x: Int, _ y: Int) {
        guard cluster.canDeliver(x, y), let item = cluster.queues[x][y].first else {
            return output.append("  nothing to deliver")
        }
        output.append("\(x + 1) -> \(y + 1): \(describe(item))")
        cluster.deliver(x, y)
    }

    // MARK: Words

    private func name(_ id: SnapshotID) -> String {
        if id == .none { return "-" }
        if !names.contains(id) { names.append(id) }
        return "S\((names.firstIndex(of: id) ?? 0) + 1)"
    }

    private func describe(_ item: CutCluster.Item) -> String {
        switch item {
        case .frame(let colour, let transfer): return "frame of colour \(name(colour)) with \(cluster.transfers[transfer].amount)"
        case .message(let payload): return payload.withView { SnapshotMessage.decode($0) }.map { describe($0) } ?? "malformed"
        }
    }

    private func describe(_ message: SnapshotMessage) -> String {
        switch message {
        case .opening(let opening):
            let open = opening.open.map { name($0.id) }.joined(separator: " ")
            let ended = opening.ended.map { name($0) }.joined(separator: " ")
            return "opening \(opening.channel), colour \(name(opening.colour)), open [\(open)], ended [\(ended)]"
        case .marker(let marker, _): return "marker \(name(marker.id))\(marker.isEnded ? ", which is over" : "")"
        case .runs(let runs): return "runs " + runs.map { "\($0.node)/\($0.incarnation)" }.joined(separator: " ")
        case .floor(let id): return "floor \(name(id))"
        case .report(let report):
            guard case .missing(let reason) = report.body else { return "report \(name(report.id))" }
            return "no part of \(name(report.id)): \(reason)"
        case .end(let id, let outcome): return "end \(name(id)) \(outcome)"
        }
    }

    private func describe(_ node: Int, _ effect: SnapshotEffect) {
        let machine = cluster.machines[node]
        switch effect {
        case .record(let id): output.append("  \(node + 1) records \(name(id)): \(machine.balance)")
        case .send(let to, let payload):
            output.append(
                "  \(node + 1) -> \(to): \(payload.withView { SnapshotMessage.decode($0) }.map { describe($0) } ?? "malformed")")
        case .holdReplies: output.append("  \(node + 1) holds replies")
        case .releaseReplies: output.append("  \(node + 1) releases replies")
        case .reset(let peer, let reason): output.append("  \(node + 1) resets the link with \(peer): \(words(reason))")
        case .partComplete(let part): output.append("  \(node + 1) has its part of \(name(part.id)): \(contents(part))")
        case .finished(let manifest): describe(manifest)
        case .ended(let id, let outcome): output.append("  \(node + 1) is done with \(name(id)): \(outcome)")
        case .log: break
        }
    }

    /// Without the numbers of snapshots, which no reader wants.
    private func words(_ text: String) -> String {
        text.split(separator: " ").map { word in
            let digits = word.prefix { $0.isNumber }
            guard digits.count > 6, let value = UInt64(digits) else { return String(word) }
            return name(SnapshotID(value)) + word.dropFirst(digits.count)
        }.joined(separator: " ")
    }

    private func contents(_ part: SnapshotPart) -> String {
        let texts = zip(part.summary.incoming, part.contents).map { channel, content -> String in
            let amounts = SnapshotPart.frames(of: content).map { frame in
                String(cluster.transfers[frame.withView { Int($0.integer(at: 0, as: UInt64.self)) }].amount)
            }
            let end = part.summary.sources.first { $0.from == channel.from.node }.map { "\($0.end)" } ?? ""
            let truncated = channel.isTruncated ? " truncated" : ""
            return "\(channel.from.node)#\(channel.number) [\(amounts.joined(separator: " "))]\(truncated) \(end)"
        }
        return texts.isEmpty ? "no channels" : texts.joined(separator: ", ")
    }

    private func describe(_ manifest: SnapshotManifest) {
        output.append("  \(name(manifest.id)) is \(manifest.outcome)\(manifest.isStrict ? ", strict" : "")")
        for part in manifest.parts {
            output.append("    \(part.run.node)/\(part.run.incarnation) owned \(part.summary.stateDigest)")
        }
        for channel in manifest.channels where channel.inFlight > 0 || channel.lost != 0 || !channel.isExact {
            let lost = channel.lost.map { "\($0) lost" } ?? "unknown losses"
            output.append(
                "    \(channel.from.node) -> \(channel.to) #\(channel.number): \(channel.inFlight) in flight, \(lost)\(channel.isExact ? "" : ", not exact")"
            )
        }
        for missing in manifest.missing { output.append("    \(missing.node) is missing: \(missing.reason)") }
        for contradiction in manifest.contradictions { output.append("    CONTRADICTION \(contradiction)") }
    }

    private func status() {
        for (x, machine) in cluster.machines.enumerated() {
            guard let participant = machine.participant else {
                output.append("  \(x + 1) is down")
                continue
            }
            let open = participant.openIDs.map { name($0) }.joined(separator: " ")
            output.append(
                "  \(x + 1) owns \(machine.balance), colour \(name(participant.colour)), open [\(open)]\(participant.holdsReplies ? ", holds replies" : "")"
            )
        }
    }
}
