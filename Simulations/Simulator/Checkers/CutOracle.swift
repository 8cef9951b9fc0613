import Base
import DistributedSnapshot
import Node

/// Judges the cuts of distributed snapshots by what really happened: every frame that was sent and taken in, with vector clocks (Mattern,
/// 1989), every record, and every piece of a reply that left a node. Nothing of it is known to the participants, and nothing that they say is
/// taken for granted.
///
/// - *Causality*: whoever recorded knows of no event of another node that lies behind that node's record, along any path; also when the
///   snapshot came to nothing.
/// - *Contents*: what the parts hold of a channel is exactly what was sent inside and received outside, byte for byte by checksum; the counts
///   of frames delivered, in flight and lost are true.
/// - *Real time*: between a node's record for a strict snapshot and the last record of all no reply leaves it.
struct CutOracle {
    /// A frame with Raft messages or commands.
    private struct Frame {
        let checksum: UInt32
        /// The sender's count of events at the sending, and the receiver's at the receipt; 0: not received.
        let sentAt: Int
        var receivedAt = 0
        /// The sender's vector clock at the sending, until it is received.
        var clock: [Int]
    }

    /// One direction of one link, from its opening at the sender.
    private final class Channel {
        let from: Int
        let to: Int
        let incarnation: UInt64
        /// Of the channels that this run of the sender opened to the receiver, from 1.
        let number: UInt64
        var frames: [Frame] = []
        var received = 0
        init(from: Int, to: Int, incarnation: UInt64, number: UInt64) {
            self.from = from
            self.to = to
            self.incarnation = incarnation
            self.number = number
        }
    }

    private struct Record {
        let at: Int
        let clock: [Int]
        /// Place in the order of all that the oracle was told.
        let order: UInt64
    }

    private struct Place: Hashable {
        let id: SnapshotID
        let machine: Int
    }

    private let count: Int
    /// By machine.
    private var clocks: [[Int]]
    /// In the order of their opening; and by link and sending side.
    private var channels: [Channel] = []
    private var open: [UInt64: Channel] = [:]
    /// Channels opened, by sender and receiver, in the sender's present run.
    private var opened: [[UInt64]]
    private var records: [Place: Record] = [:]
    private var parts: [Place: SnapshotPart] = [:]
    /// By machine: when replies left, oldest first.
    private var departures: [[UInt64]]
    private var order: UInt64 = 0
    /// The outcome of each snapshot whose initiator concluded it.
    private(set) var outcomes: [SnapshotID: SnapshotOutcome] = [:]
    /// The parts that manifests name, but for those of aborted snapshots.
    private(set) var named: [(id: SnapshotID, machine: Int)] = []
    /// What the snapshot that ended last lacks.
    private(set) var lastDefects = ""
    private(set) var strictCount = 0
    /// Frames in flight in the cuts that were judged.
    private(set) var framesInFlight = 0

    init(machines count: Int) {
        self.count = count
        clocks = Array(repeating: Array(repeating: 0, count: count), count: count)
        opened = Array(repeating: Array(repeating: 0, count: count), count: count)
        departures = Array(repeating: [], count: count)
    }

    // MARK: what happens

    /// The machine's node begins a new run: what it numbers begins anew. What it knew may be on its disk.
    mutating func starts(_ machine: Int) { opened[machine] = Array(repeating: 0, count: count) }

    mutating func opens(_ machine: Int, to other: Int, incarnation: UInt64, link: Int, side: Int) {
        opened[machine][other] += 1
        let channel = Channel(from: machine, to: other, incarnation: incarnation, number: opened[machine][other])
        channels.append(channel)
        open[CutOracle.key(link, side)] = channel
    }

    mutating func sends(_ machine: Int, link: Int, side: Int, checksum: UInt32) throws(Violation) {
        guard let channel = open[CutOracle.key(link, side)] else {
            throw Violation(.cut, "node \(machine + 1) sends on link \(link), which is not open")
        }
        clocks[machine][machine] += 1
        channel.frames.append(Frame(checksum: checksum, sentAt: clocks[machine][machine], clock: clocks[machine]))
    }

    /// `side` is the sender's.
    mutating func delivers(_ machine: Int, link: Int, side: Int, checksum: UInt32) throws(Violation) {
        guard let channel = open[CutOracle.key(link, side)], channel.received < channel.frames.count,
            channel.frames[channel.received].checksum == checksum
        else {
            throw Violation(.cut, "node \(machine + 1) takes in a frame on link \(link) that was not sent, or not in its turn")
        }
        let place = channel.received
        for index in 0..<count { clocks[machine][index] = max(clocks[machine][index], channel.frames[place].clock[index]) }
        clocks[machine][machine] += 1
        channel.frames[place].receivedAt = clocks[machine][machine]
        channel.frames[place].clock = []
        channel.received += 1
    }

    mutating func replies(_ machine: Int) {
        order += 1
        departures[machine].append(order)
    }

    mutating func records(_ machine: Int, _ id: SnapshotID) throws(Violation) {
        order += 1
        let record = Record(at: clocks[machine][machine], clock: clocks[machine], order: order)
        if records.updateValue(record, forKey: Place(id: id, machine: machine)) != nil {
            throw Violation(.cut, "node \(machine + 1) records snapshot \(id) twice")
        }
        for other in 0..<count where other != machine {
            guard let earlier = records[Place(id: id, machine: other)] else { continue }
            try compare(record, of: machine, earlier, of: other, id)
            try compare(earlier, of: other, record, of: machine, id)
        }
    }

    /// What `one` knows of `other` must lie before the other's record.
    private func compare(
        _ one: Record, of machine: Int, _ other: Record, of sender: Int, _ id: SnapshotID
    ) throws(Violation) {
        if one.clock[sender] <= other.at { return }
        throw Violation(
            .cut,
            "snapshot \(id): node \(machine + 1) knows event \(one.clock[sender]) of node \(sender + 1), which recorded at \(other.at)"
        )
    }

    mutating func makes(_ machine: Int, _ part: SnapshotPart) {
        parts[Place(id: part.id, machine: machine)] = part
    }

    /// Snapshots that a machine's node recorded behind one. (Ids and moments need not be in the same order.)
    func recordsBehind(_ id: SnapshotID, _ machine: Int) -> Int {
        let order = records[Place(id: id, machine: machine)]?.order ?? 0
        return records.count { $0.key.machine == machine && $0.key.id != id && ($0.key.id > id || $0.value.order > order) }
    }

    /// A part that was read back.
    func finds(_ part: SnapshotPart, _ machine: Int) throws(Violation) {
        if parts[Place(id: part.id, machine: machine)] == part { return }
        throw Violation(.cut, "snapshot \(part.id): the part that node \(machine + 1) has stored is not the one that it made")
    }

    // MARK: judgement

    mutating func concludes(_ manifest: SnapshotManifest) throws(Violation) {
        outcomes[manifest.id] = manifest.outcome
        var defects = manifest.missing.map { "node \($0.node) is missing: \($0.reason)" }
        for channel in manifest.channels where !channel.isExact {
            defects.append("channel \(channel.from.node) -> \(channel.to) is not exact")
        }
        lastDefects = defects.joined(separator: ", ")
        if manifest.isStrict { strictCount += 1 }
        if let contradiction = manifest.contradictions.first {
            throw Violation(.cut, "snapshot \(manifest.id) contradicts itself: \(contradiction)")
        }
        if manifest.outcome != .aborted { named += manifest.parts.map { (manifest.id, Int($0.run.node.rawValue) - 1) } }
        for part in manifest.parts { try judge(part, manifest) }
        for channel in manifest.channels { try judge(channel, manifest) }
        if manifest.isStrict { try judgeTime(manifest) }
    }

    /// The contents of the channels to one node.
    private mutating func judge(_ part: SnapshotManifest.Part, _ manifest: SnapshotManifest) throws(Violation) {
        let receiver = Int(part.run.node.rawValue) - 1
        guard let stored = parts[Place(id: manifest.id, machine: receiver)], stored.summary == part.summary else {
            throw Violation(.cut, "snapshot \(manifest.id): node \(receiver + 1) did not make the part that the manifest names")
        }
        for source in part.summary.sources where manifest.parts.contains(where: { $0.run.node == source.from }) {
            let sender = Int(source.from.rawValue) - 1
            var found: [UInt32] = []
            var isTruncated = false
            for (channel, content) in zip(stored.summary.incoming, stored.contents) where channel.from.node == source.from {
                isTruncated = isTruncated || channel.isTruncated
                for frame in SnapshotPart.frames(of: content) {
                    found.append(frame.withView { $0.integer(at: 4, as: UInt32.self) })
                }
            }
            if isTruncated { continue }
            let wanted = channels.filter { $0.from == sender && $0.to == receiver }
                .flatMap { inFlight($0, manifest.id) }.map(\.checksum)
            framesInFlight += wanted.count
            if source.end.isExact ? found != wanted : found != Array(wanted.prefix(found.count)) {
                throw Violation(
                    .cut,
                    "snapshot \(manifest.id): \(found.count) frames are recorded from node \(sender + 1) to node \(receiver + 1), "
                        + "\(wanted.count) were in flight (\(source.end))")
            }
        }
    }

    /// Frames that were sent inside and received outside.
    private func inFlight(_ channel: Channel, _ id: SnapshotID) -> [Frame] {
        guard let sender = records[Place(id: id, machine: channel.from)],
            let receiver = records[Place(id: id, machine: channel.to)]
        else { return [] }
        return channel.frames.prefix(channel.received).filter { $0.sentAt <= sender.at && $0.receivedAt > receiver.at }
    }

    /// The counts of one channel.
    private func judge(_ listed: SnapshotManifest.Channel, _ manifest: SnapshotManifest) throws(Violation) {
        let from = Int(listed.from.node.rawValue) - 1
        let to = Int(listed.to.rawValue) - 1
        guard let sender = records[Place(id: manifest.id, machine: from)],
            let receiver = records[Place(id: manifest.id, machine: to)],
            let channel = channels.first(where: {
                $0.from == from && $0.to == to && $0.incarnation == listed.from.incarnation.rawValue && $0.number == listed.number
            })
        else { throw Violation(.cut, "snapshot \(manifest.id) lists a channel that there was not: \(listed)") }
        let delivered = channel.frames.prefix(channel.received).count { $0.receivedAt <= receiver.at }
        let flying = inFlight(channel, manifest.id).count
        let lost = channel.frames.count { $0.sentAt <= sender.at && $0.receivedAt == 0 }
        let isTrue =
            delivered == Int(listed.delivered) && (!listed.isExact || flying == Int(listed.inFlight))
            && (!listed.isExact || listed.lost.map { Int($0) == lost } ?? true)
        if !isTrue {
            throw Violation(
                .cut,
                "snapshot \(manifest.id): \(delivered) delivered, \(flying) in flight and \(lost) lost are listed as \(listed)")
        }
    }

    private func judgeTime(_ manifest: SnapshotManifest) throws(Violation) {
        let places = manifest.parts.compactMap { part -> (machine: Int, order: UInt64)? in
            let machine = Int(part.run.node.rawValue) - 1
            return records[Place(id: manifest.id, machine: machine)].map { (machine, $0.order) }
        }
        let last = places.map(\.order).max() ?? 0
        for (machine, recorded) in places {
            guard let early = departures[machine].last(where: { $0 < last }), early > recorded else { continue }
            throw Violation(
                .cut,
                "snapshot \(manifest.id) is strict, and a reply left node \(machine + 1) between its record and the last one")
        }
    }

    private static func key(_ link: Int, _ side: Int) -> UInt64 { UInt64(link) << 1 | UInt64(side) }
}
