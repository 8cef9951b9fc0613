import Base

@testable import DistributedSnapshot

/// Judges cuts by what really happened. It knows every event of the run; nothing of it is known to the participants.
struct CutOracle {
    let cluster: CutCluster

    /// What is wrong, in words. To be asked when nothing is on its way any more.
    func violations() -> [String] {
        var found = cluster.violations
        let ids = Set(cluster.machines.flatMap { $0.records.keys }).sorted()
        for id in ids { found += causality(id) }
        for manifest in cluster.manifests {
            found += manifest.contradictions.map { "\(manifest.id): contradiction: \($0)" }
            found += contents(manifest)
            if manifest.outcome == .complete && manifest.parts.count == cluster.count { found += money(manifest) }
            if manifest.isStrict { found += realTime(manifest) }
        }
        return found
    }

    private func record(_ x: Int, _ id: SnapshotID) -> CutCluster.Record? { cluster.machines[x].records[id] }

    /// No receipt inside whose sending is outside, along no path; for all that recorded, whatever became of the snapshot.
    private func causality(_ id: SnapshotID) -> [String] {
        var found: [String] = []
        for x in 0..<cluster.count {
            for y in 0..<cluster.count where x != y {
                guard let one = record(x, id), let other = record(y, id) else { continue }
                if other.clock[x] > one.clock[x] {
                    found.append(
                        "\(id): causality: node \(y + 1) knows event \(other.clock[x]) of node \(x + 1), which recorded at \(one.clock[x])"
                    )
                }
            }
        }
        for (number, transfer) in cluster.transfers.enumerated() {
            guard let sender = record(transfer.from, id), let receiver = record(transfer.to, id), let at = transfer.receivedAt
            else { continue }
            if at <= receiver.at && transfer.sentAt > sender.at {
                found.append("\(id): causality: transfer \(number) is received inside and sent outside")
            }
        }
        return found
    }

    /// What the parts recorded of a channel is exactly what was in flight; where that is not claimed, the beginning of it. What is listed
    /// as lost is lost.
    private func contents(_ manifest: SnapshotManifest) -> [String] {
        var found: [String] = []
        for part in manifest.parts {
            let y = Int(part.run.node.rawValue) - 1
            guard let stored = cluster.machines[y].parts[manifest.id] else {
                found.append("\(manifest.id): content: node \(y + 1) has no part")
                continue
            }
            for source in part.summary.sources where manifest.parts.contains(where: { $0.run.node == source.from }) {
                let x = Int(source.from.rawValue) - 1
                var got: [[UInt8]] = []
                var isTruncated = false
                for (channel, content) in zip(stored.summary.incoming, stored.contents) where channel.from.node == source.from {
                    got += SnapshotPart.frames(of: content)
                    isTruncated = isTruncated || channel.isTruncated
                }
                let wanted = inFlight(x, y, manifest.id).map { CutCluster.bytes($0) }
                if isTruncated { continue }
                if source.end.isExact ? got != wanted : got != Array(wanted.prefix(got.count)) {
                    found.append(
                        "\(manifest.id): content: \(x + 1) -> \(y + 1): recorded \(got.map { $0[0] }), in flight \(wanted.map { $0[0] })"
                    )
                }
            }
        }
        for channel in manifest.channels where channel.isExact {
            guard let lost = channel.lost else { continue }
            let x = Int(channel.from.node.rawValue) - 1
            guard let sender = record(x, manifest.id) else { continue }
            let truth = cluster.transfers.reduce(0) {
                let isOn = $1.from == x && $1.to == Int(channel.to.rawValue) - 1 && $1.channel == channel.number
                return $0
                    + (isOn && $1.incarnation == channel.from.incarnation.rawValue && $1.sentAt <= sender.at
                        && $1.receivedAt == nil ? 1 : 0)
            }
            if truth != lost { found.append("\(manifest.id): lost: \(x + 1) -> \(channel.to): listed \(lost), lost \(truth)") }
        }
        return found
    }

    /// Numbers of the transfers that were sent inside and received outside, in their order.
    private func inFlight(_ x: Int, _ y: Int, _ id: SnapshotID) -> [Int] {
        guard let sender = record(x, id), let receiver = record(y, id) else { return [] }
        return cluster.transfers.indices.filter {
            let transfer = cluster.transfers[$0]
            guard transfer.from == x, transfer.to == y, let at = transfer.receivedAt else { return false }
            return transfer.sentAt <= sender.at && at > receiver.at
        }
    }

    /// No money is made or lost.
    private func money(_ manifest: SnapshotManifest) -> [String] {
        var sum = 0
        for part in manifest.parts {
            let x = Int(part.run.node.rawValue) - 1
            sum += record(x, manifest.id)?.balance ?? 0
            for content in cluster.machines[x].parts[manifest.id]?.contents ?? [] {
                for frame in SnapshotPart.frames(of: content) {
                    sum += cluster.transfers[frame.withView { Int($0.integer(at: 0, as: UInt64.self)) }].amount
                }
            }
        }
        for transfer in cluster.transfers where transfer.receivedAt == nil {
            if let sender = record(transfer.from, manifest.id), transfer.sentAt <= sender.at { sum += transfer.amount }
        }
        return sum == 100 * cluster.count ? [] : ["\(manifest.id): money: \(sum) instead of \(100 * cluster.count)"]
    }

    /// No reply that follows from an event outside the cut left before the whole cut was made.
    private func realTime(_ manifest: SnapshotManifest) -> [String] {
        let last = manifest.parts.compactMap { record(Int($0.run.node.rawValue) - 1, manifest.id)?.step }.max() ?? 0
        var found: [String] = []
        for part in manifest.parts {
            let x = Int(part.run.node.rawValue) - 1
            guard let record = record(x, manifest.id) else { continue }
            for reply in cluster.machines[x].replies {
                if let left = reply.leftAtStep, reply.at > record.at, left < last {
                    found.append(
                        "\(manifest.id): real time: a reply of node \(x + 1) left at step \(left), the cut was made at \(last)")
                }
            }
        }
        return found
    }
}
