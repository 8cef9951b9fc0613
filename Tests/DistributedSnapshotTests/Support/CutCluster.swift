import Base

@testable import DistributedSnapshot

/// Participants that send each other money over channels that lose a suffix when they are reset. What a node owns is durable; what its
/// participant knows is not. Everything that happens is noted, so that an oracle can judge the cuts afterwards.
final class CutCluster {
    /// A frame with money.
    struct Transfer {
        let from: Int
        let to: Int
        let amount: Int
        /// The sender's run and its number for the channel.
        let incarnation: UInt64
        let channel: UInt64
        /// The sender's count of events, and its vector clock, at the sending.
        let sentAt: Int
        let clock: [Int]
        /// The receiver's count of events at the receipt; nil: lost, or on its way.
        var receivedAt: Int?
    }

    /// What a node was at its record.
    struct Record {
        let incarnation: UInt64
        let at: Int
        let balance: Int
        let clock: [Int]
        let step: Int
    }

    enum Item {
        case message([UInt8])
        case frame(colour: SnapshotID, transfer: Int)
    }

    struct Reply {
        let at: Int
        var leftAtStep: Int?
    }

    final class Machine {
        let id: NodeID
        var incarnation: UInt64 = 1
        var participant: SnapshotParticipant?
        var balance = 100
        var events = 0
        var clock: [Int]
        var records: [SnapshotID: Record] = [:]
        var parts: [SnapshotID: SnapshotPart] = [:]
        var toWrite: [SnapshotID] = []
        var toStore: [SnapshotID] = []
        var isHolding = false
        /// Replies to clients; those that left have a step.
        var replies: [Reply] = []
        init(id: NodeID, count: Int) {
            self.id = id
            clock = Array(repeating: 0, count: count)
        }
    }

    let count: Int
    var machines: [Machine] = []
    /// `queues[from][to]`, oldest first.
    var queues: [[[Item]]]
    /// `isOpen[x][y]`: x's end of the link with y is open.
    var isOpen: [[Bool]]
    /// One end of the link was closed and the other has not noticed.
    var isClosing: [[Bool]]
    var transfers: [Transfer] = []
    var manifests: [SnapshotManifest] = []
    var ended: [(node: Int, id: SnapshotID, outcome: SnapshotOutcome)] = []
    var initiated: [(node: Int, incarnation: UInt64, id: SnapshotID)] = []
    var now = Now(instant: Instant(nanoseconds: 1), wall: WallTime(microseconds: 1_000_000))
    var step = 0
    /// What was wrong on the way.
    var violations: [String] = []
    var configure: (inout SnapshotOptions) -> Void
    /// For scenarios: what each effect was.
    var onEffect: ((Int, SnapshotEffect) -> Void)?

    init(_ count: Int, configure: @escaping (inout SnapshotOptions) -> Void = { _ in }) {
        self.count = count
        self.configure = configure
        queues = Array(repeating: Array(repeating: [], count: count), count: count)
        isOpen = Array(repeating: Array(repeating: false, count: count), count: count)
        isClosing = isOpen
        for index in 0..<count {
            machines.append(Machine(id: NodeID(UInt32(index + 1)), count: count))
            start(index)
        }
    }

    func connectAll() {
        for x in 0..<count { for y in 0..<x { open(x, y); open(y, x) } }
    }

    // MARK: Machines

    func start(_ x: Int) {
        check(machines[x].participant == nil, "only a stopped node starts")
        var options = SnapshotOptions(node: machines[x].id, incarnation: Incarnation(machines[x].incarnation))
        configure(&options)
        machines[x].participant = SnapshotParticipant(options: options, now: now.instant)
    }

    /// `keeping`: of the frames on their way to others, how many still arrive, per channel.
    func crash(_ x: Int, keeping: (Int) -> Int = { $0 }) {
        let machine = machines[x]
        if machine.participant == nil { return }
        machine.participant = nil
        machine.incarnation += 1
        machine.toWrite = []
        machine.toStore = []
        machine.isHolding = false
        // Replies that had not left never leave.
        machine.replies.removeAll { $0.leftAtStep == nil }
        for y in 0..<count where y != x {
            if isOpen[x][y] {
                lose(x, y, keeping)
            } else if isOpen[y][x] {
                isClosing[x][y] = true
                isClosing[y][x] = true
            }
        }
    }

    /// Calls into a participant and carries out what it asks for.
    func call(_ x: Int, _ body: (inout SnapshotParticipant) -> Void) {
        machines[x].participant?.apply(body)
        carryOut(x)
    }

    private func carryOut(_ x: Int) {
        let machine = machines[x]
        while let effects = machine.participant?.takeEffects(), !effects.isEmpty {
            for effect in effects {
                onEffect?(x, effect)
                switch effect {
                case .record(let id):
                    if machine.records[id] != nil { violations.append("\(id): node \(x + 1) records twice") }
                    machine.records[id] = Record(
                        incarnation: machine.incarnation, at: machine.events, balance: machine.balance, clock: machine.clock,
                        step: step)
                    machine.toWrite.append(id)
                case .send(let to, let payload): queues[x][Int(to.rawValue) - 1].append(.message(payload))
                case .holdReplies: machine.isHolding = true
                case .releaseReplies:
                    machine.isHolding = false
                    for index in machine.replies.indices where machine.replies[index].leftAtStep == nil {
                        machine.replies[index].leftAtStep = step
                    }
                case .reset(let peer, _): close(x, Int(peer.rawValue) - 1)
                case .partComplete(let part):
                    machine.parts[part.id] = part
                    machine.toStore.append(part.id)
                case .finished(let manifest): manifests.append(manifest)
                case .ended(let id, let outcome):
                    machine.toWrite.removeAll { $0 == id }
                    machine.toStore.removeAll { $0 == id }
                    ended.append((x, id, outcome))
                case .log: break
                }
            }
        }
    }

    @discardableResult
    func initiate(_ x: Int, _ edit: (inout SnapshotRequest) -> Void = { _ in }) -> SnapshotID? {
        var request = SnapshotRequest(participants: machines.map(\.id))
        edit(&request)
        var begun: SnapshotID?
        call(x) { begun = try? $0.initiate(request, now: now) }
        if let begun { initiated.append((x, machines[x].incarnation, begun)) }
        return begun
    }

    func write(_ x: Int) {
        if machines[x].toWrite.isEmpty { return }
        let id = machines[x].toWrite.removeFirst()
        let balance = UInt64(machines[x].records[id]?.balance ?? 0)
        call(x) { $0.recordWritten(id, digest: balance, bytes: 8, now: now.instant) }
    }

    func store(_ x: Int) {
        if machines[x].toStore.isEmpty { return }
        let id = machines[x].toStore.removeFirst()
        call(x) { $0.partStored(id, now: now.instant) }
    }

    func advance(_ duration: Nanoseconds) {
        now.instant = now.instant + duration
        now.wall.microseconds += Int64(duration.rawValue / 1000)
        for x in 0..<count { call(x) { if $0.nextDeadline <= now.instant { $0.tick(now: now.instant) } } }
    }

    // MARK: Links

    /// x's end of the link with y opens, if the link is fresh.
    func open(_ x: Int, _ y: Int) {
        if machines[x].participant == nil || machines[y].participant == nil || isOpen[x][y] || isClosing[x][y] { return }
        if !isOpen[y][x] {
            queues[x][y] = []
            queues[y][x] = []
        }
        isOpen[x][y] = true
        let run = Incarnation(machines[y].incarnation)
        call(x) { $0.channelOpened(machines[y].id, incarnation: run, now: now.instant) }
    }

    /// x's end closes. What was on its way to x is lost, of what was on its way to y `keeping` still arrive until y notices.
    func close(_ x: Int, _ y: Int, keeping: (Int) -> Int = { $0 }) {
        if !isOpen[x][y] { return }
        lose(x, y, keeping)
        call(x) { $0.channelClosed(machines[y].id, now: now.instant) }
    }

    private func lose(_ x: Int, _ y: Int, _ keeping: (Int) -> Int) {
        isOpen[x][y] = false
        queues[y][x] = []
        queues[x][y] = Array(queues[x][y].prefix(keeping(queues[x][y].count)))
        let otherIsOpen = isOpen[y][x]
        isClosing[x][y] = otherIsOpen
        isClosing[y][x] = otherIsOpen
        if !otherIsOpen { queues[x][y] = [] }
    }

    /// Both ends know.
    func reset(_ x: Int, _ y: Int, keeping: (Int) -> Int = { _ in 0 }) {
        close(x, y, keeping: keeping)
        close(y, x, keeping: keeping)
    }

    // MARK: Frames

    func canSend(_ x: Int, _ y: Int) -> Bool { x != y && machines[x].participant != nil && isOpen[x][y] }

    func send(_ x: Int, _ y: Int, amount: Int) {
        let machine = machines[x]
        guard canSend(x, y), machine.balance >= amount, let colour = machine.participant?.frameSent(to: machines[y].id) else {
            return
        }
        machine.balance -= amount
        machine.events += 1
        machine.clock[x] += 1
        let channel = machine.participant?.peers.first { $0.node == machines[y].id }?.channelsOpened ?? 0
        queues[x][y].append(.frame(colour: colour, transfer: transfers.count))
        transfers.append(
            Transfer(
                from: x, to: y, amount: amount, incarnation: machine.incarnation, channel: channel, sentAt: machine.events,
                clock: machine.clock))
    }

    static func bytes(_ transfer: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(transfer).littleEndian) { Array($0) } }

    func canDeliver(_ x: Int, _ y: Int) -> Bool { machines[y].participant != nil && isOpen[y][x] && !queues[x][y].isEmpty }

    /// Delivers the oldest of what is on its way from x to y.
    func deliver(_ x: Int, _ y: Int) {
        if !canDeliver(x, y) { return }
        let machine = machines[y]
        switch queues[x][y].removeFirst() {
        case .message(let payload):
            payload.withView { view in call(y) { $0.messageArrived(from: machines[x].id, payload: view, now: now.instant) } }
        case .frame(let colour, let number):
            var verdict = FrameVerdict.refuse
            CutCluster.bytes(number).withView { view in
                call(y) { verdict = $0.frameArrived(from: machines[x].id, colour: colour, bytes: view) }
            }
            if verdict == .refuse { return }
            machine.events += 1
            machine.balance += transfers[number].amount
            for index in 0..<count { machine.clock[index] = max(machine.clock[index], transfers[number].clock[index]) }
            machine.clock[y] += 1
            transfers[number].receivedAt = machine.events
            machine.replies.append(Reply(at: machine.events, leftAtStep: machine.isHolding ? nil : step))
        }
    }

    /// Delivers, writes and stores until all is quiet.
    func settle() {
        var moved = true
        while moved {
            moved = false
            step += 1
            for x in 0..<count {
                for y in 0..<count where canDeliver(x, y) {
                    deliver(x, y)
                    moved = true
                }
                if !machines[x].toWrite.isEmpty { write(x); moved = true }
                if !machines[x].toStore.isEmpty { store(x); moved = true }
            }
        }
    }
}

extension SnapshotParticipant {
    mutating func apply(_ body: (inout SnapshotParticipant) -> Void) { body(&self) }
}
