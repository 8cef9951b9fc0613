import Base
import DistributedSnapshot
import Node
import Storage

/// Distributed snapshots: who asks for them, and what the oracle is told.
extension Simulation {
    /// Tells the oracle what happened on a machine's channels in the turn that ends.
    func observeChannels(_ machine: Machine) throws(Violation) {
        guard let node = machine.node, let events = node.channelEvents, !events.isEmpty else { return }
        node.channelEvents = []
        for event in events {
            switch event {
            case .opened(let id):
                guard let (link, side) = place(id, machine), let other = link.machines[1 - side] else { continue }
                cuts.opens(machine.index, to: other, incarnation: node.incarnation.rawValue, link: link.number, side: side)
            case .sent(let id, let checksum):
                guard let (link, side) = place(id, machine) else { continue }
                try cuts.sends(machine.index, link: link.number, side: side, checksum: checksum)
            case .delivered(let id, let checksum):
                guard let (link, side) = place(id, machine) else { continue }
                try cuts.delivers(machine.index, link: link.number, side: 1 - side, checksum: checksum)
            case .recorded(let id):
                note("node \(machine.id) records for snapshot \(id)")
                noteRecord(id)
                try cuts.records(machine.index, id)
            case .partMade(let part):
                note("node \(machine.id) has its part of snapshot \(part.id)")
                cuts.makes(machine.index, part)
            case .partStored(let id): try readPartBack(id, machine)
            case .concluded(let manifest):
                note("snapshot \(manifest.id) is \(manifest.outcome), strict: \(manifest.isStrict)")
                try cuts.concludes(manifest)
                try continueFrom(manifest)
            case .ended: break
            }
        }
    }

    /// Reads a part back from the disk, now and then: it must be whole, and what its node said of it.
    private func readPartBack(_ id: SnapshotID, _ machine: Machine) throws(Violation) {
        partsStored += 1
        if partsStored % 8 != 1 { return }
        let part: SnapshotPart
        do throws(StorageError) {
            part = try readPart(id, of: machine).part
        } catch {
            throw Violation(.cut, "node \(machine.id) has stored its part of snapshot \(id), and it can't be read: \(error)")
        }
        try cuts.finds(part, machine.index)
    }

    /// A part that a manifest names. Nil where it may be gone: the disk has rotted, or the node keeps later ones.
    func reportedPart(_ id: SnapshotID, of machine: Machine) throws(Violation) -> SnapshotPartFile? {
        if machine.isSpoiled { return nil }
        if machine.disk.files[SnapshotFile.part(id).name] == nil {
            if cuts.recordsBehind(id, machine.index) >= SnapshotFile.keptMax { return nil }
            throw Violation(.cut, "node \(machine.id) has reported its part of snapshot \(id), and it is gone")
        }
        do throws(StorageError) {
            return try readPart(id, of: machine)
        } catch {
            throw Violation(.cut, "node \(machine.id) has reported its part of snapshot \(id), and it can't be read: \(error)")
        }
    }

    /// Whatever happened: what a manifest names can be fetched, until later ones take its place.
    func judgeParts() throws(Violation) {
        for (id, machine) in cuts.named { _ = try reportedPart(id, of: machines[machine]) }
    }

    func readPart(_ id: SnapshotID, of machine: Machine) throws(StorageError) -> SnapshotPartFile {
        let name = SnapshotFile.part(id).name
        var loader = SnapshotPartFile.Loader(file: name.text, clusterID: machine.identity.clusterID, nodeID: machine.id)
        let buffer = ByteBuffer()
        try machine.disk.read(name, offset: 0, count: try machine.disk.size(of: name), into: buffer)
        try loader.append(buffer.view)
        return try loader.finish()
    }

    private func place(_ id: PeerLinkID, _ machine: Machine) -> (Link, side: Int)? {
        let link = machine.peerLinks[Int(id.rawValue) - 1]
        return link.machines.firstIndex(of: machine.index).map { (link, $0) }
    }

    /// Bytes for a client leave a node.
    func noteDeparture(_ link: Link, side: Int) {
        // A connection that is closed behind its replies has older ones, which are not held.
        guard options.takesSnapshots, case .server(let machine, _, _) = link.ends[side], !link.closesAfterOutput else { return }
        cuts.replies(machine)
    }

    func sendSnapshots(_ client: Client, _ send: ([String]) -> Void) {
        var words = ["KV.SNAPSHOT", "TAKE"]
        if client.random.chance(1, in: 3) { words.append("CAUSAL") }
        if client.random.chance(1, in: 4) { words.append("WHOLE") }
        words += ["TIMEOUT", "\(client.random.choice(of: [20, 100, 500, 500, 2_000, 2_000]))"]
        send(words)
    }

    /// Asks for the last snapshot, when nothing fails any more: it must be complete.
    func askForLastSnapshot() {
        guard options.takesSnapshots else { return }
        lastSnapshot = nil
        lastSnapshots += 1
        lastSnapshotAt = time
        connect(addClient(.lastSnapshot, isPatient: true))
    }

    func takeSnapshotReply(_ reply: Reply, _ client: Client) throws(Violation) {
        switch reply {
        case .bulk(let text):
            guard let id = UInt64(String(decoding: text, as: UTF8.self)) else { break }
            statistics.snapshots += 1
            if case .lastSnapshot = client.role { lastSnapshot = SnapshotID(id) }
            return
        case .error where reply.isError("ERR 8 snapshots are open already"): return
        default: break
        }
        throw Violation(.reply, "KV.SNAPSHOT TAKE is answered with \(reply)")
    }

    /// Whether no snapshot is open on any node. The last one must be complete then, unless a node is out for good.
    func snapshotsAreOver() throws(Violation) -> Bool {
        guard options.takesSnapshots else { return true }
        for machine in machines { if let node = machine.node, !node.openSnapshots.isEmpty { return false } }
        guard let lastSnapshot else {
            // Too many were open when it was asked for.
            if time >= lastSnapshotAt + .milliseconds(1_500) { askForLastSnapshot() }
            return false
        }
        guard let outcome = cuts.outcomes[lastSnapshot] else { return false }
        let expected = machines.allSatisfy(\.isUp) ? SnapshotOutcome.complete : .partial
        if outcome == expected { return true }
        // A node that was back only just has not met all others, and a state file on its way may be more than a channel's limit.
        if lastSnapshots < 4 {
            if time >= lastSnapshotAt + .milliseconds(1_500) { askForLastSnapshot() }
            return false
        }
        throw Violation(
            .cut, "snapshot \(lastSnapshot), taken when nothing failed any more, is \(outcome): \(cuts.lastDefects)")
    }
}
