import Base
import Consensus
import Node
import Storage

extension RunOptions {
    /// A cluster in which nothing fails by itself and everything takes the same time, for scenarios.
    static func plain(nodes: Int) -> RunOptions {
        var options = RunOptions(seed: 1, nodeCount: nodes, duration: .milliseconds(1_000_000_000))
        options.isScripted = true
        options.raft = RaftOptions(id: NodeID(1))
        options.log = LogOptions(segmentBytes: 64 * 4096)
        options.limits = NodeLimits()
        let write = Nanoseconds.microseconds(200)
        options.disk = SimulatedDisk.Speed(write: write...write, create: write...write, read: write...write)
        options.writesInline = false
        options.turn = .microseconds(10)...Nanoseconds.microseconds(10)
        options.driftMax = 0
        options.wallOffsetMax = 0
        options.delay = .microseconds(100)...Nanoseconds.microseconds(100)
        options.lateOneIn = 1 << 60
        options.piecesOneIn = 1 << 60
        options.capacity = 1 << 20
        options.faultWeights = []
        options.disksRot = false
        options.takesSnapshots = false
        options.reportsOwnCloses = false
        return options
    }
}

/// What a scenario needs of a run.
extension Simulation {
    /// Lets things happen until `isDone`, for `span` at most. Returns whether it is.
    func advance(by span: Nanoseconds, until isDone: () -> Bool) throws(Violation) -> Bool {
        let end = time + span
        while !isDone() {
            guard let next = queue.nextTime, next <= end else {
                time = end
                return isDone()
            }
            try step()
        }
        return true
    }

    /// Sends what a scripted client has to say, once it is connected.
    func sendScripted(_ client: Client) {
        guard let link = client.link, !client.script.isEmpty else { return }
        let buffer = ByteBuffer()
        for words in client.script {
            appendRequest(words, to: buffer)
            client.waiting.append(.scripted)
        }
        client.script = []
        transmit(buffer.view.array, on: link, from: 0)
    }
}
