import Base
import Consensus
import Node
import Storage

/// A few nodes joined by streams that never fail, with disks in memory: the smallest driver there can be. (Faults are the
/// simulator's business.) Time moves only when a test says so.
final class MiniCluster {
    final class Disk: RecoverySource {
        var files: [FileName: [UInt8]] = [:]
        func list() throws(StorageError) -> [FileName] { files.keys.sorted { $0.text < $1.text } }
        func size(of name: FileName) throws(StorageError) -> Int { files[name]?.count ?? 0 }
        func read(_ name: FileName, offset: Int, count: Int, into buffer: ByteBuffer) throws(StorageError) {
            guard let bytes = files[name], offset < bytes.count else { return }
            buffer.append(Array(bytes[offset..<min(bytes.count, offset + count)]))
        }
    }

    final class Machine {
        let id: NodeID
        let disk = Disk()
        var node: Node?
        var effects = NodeEffects()
        /// Disk operations not carried out yet, in order.
        var operations: [DiskOperation] = []
        /// Client bytes received.
        var received: [UInt64: [UInt8]] = [:]
        var closed: Set<UInt64> = []
        var lines: [String] = []
        var exit: Int32?
        /// Bytes that its disk has left for state files and parts.
        var roomForGrowing = Int.max
        /// What was read, in order.
        var reads: [(name: FileName, offset: Int)] = []
        init(_ id: NodeID) { self.id = id }
        /// Its state files, in the order of their names: oldest first.
        var stateFiles: [FileName] {
            disk.files.keys.filter { StateFileFormat.stateFile($0) != nil }.sorted { $0.text < $1.text }
        }
    }

    let clusterID: ClusterID
    var machines: [Machine] = []
    var now = Now(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(microseconds: 1_700_000_000_000_000))
    /// The other end of each link, by machine and link.
    private var wires: [String: (machine: Int, link: PeerLinkID)] = [:]
    private var nextLink: UInt64 = 1
    private var nextClient: UInt64 = 1
    /// Whether disk operations complete.
    var isDiskRunning = true
    /// Machines that take no turns.
    var paused: Set<Int> = []
    /// Whether disks have no room for state files.
    var refusesGrowingFiles = false
    /// Disk operations that are not carried out for now, while others are.
    var holds: (Machine, DiskOperation.Action) -> Bool = { _, _ in false }
    /// Files that a disk has no room for, by their names.
    var refuses: (FileName) -> Bool = { _ in false }
    var configure: (inout NodeOptions) -> Void = { _ in }

    /// - Parameter files: what is on the disks at the first start.
    init(
        _ count: UInt32, clusterID: ClusterID = ClusterID(high: 1, low: 2), files: [[FileName: [UInt8]]] = [],
        configure: @escaping (inout NodeOptions) -> Void = { _ in }
    ) throws {
        self.configure = configure
        self.clusterID = clusterID
        for id in 1...count { machines.append(Machine(NodeID(id))) }
        for (machine, files) in zip(machines, files) { machine.disk.files = files }
        for machine in machines { try start(machine) }
    }

    func start(_ machine: Machine) throws {
        var options = NodeOptions(
            id: machine.id, clusterID: clusterID,
            members: machines.map { NodeOptions.Member(id: $0.id, address: "10.0.0.\($0.id):7000") })
        options.log.segmentBytes = 1 << 18
        configure(&options)
        machine.node = try Node(
            options: options, identity: NodeIdentity(clusterID: clusterID, nodeID: machine.id, salt: 7),
            recovering: machine.disk, now: now, entropy: UInt64(machine.id.rawValue) * 977 + now.instant.nanoseconds,
            into: &machine.effects)
    }

    // MARK: clients

    func connect(_ machine: Machine) -> ConnectionID {
        let id = ConnectionID(nextClient)
        nextClient += 1
        machine.node?.handle(.clientOpened(id, address: "10.9.9.9:\(id.rawValue)", local: "l"), now: now, into: &machine.effects)
        return id
    }

    func send(_ text: String, _ client: ConnectionID, _ machine: Machine) {
        Array(text.utf8).withView { machine.node?.handle(.clientBytes(client, $0), now: now, into: &machine.effects) }
    }

    func disconnect(_ client: ConnectionID, _ machine: Machine) {
        machine.node?.handle(.clientClosed(client), now: now, into: &machine.effects)
    }

    /// What a client has received since the last call.
    func take(_ client: ConnectionID, _ machine: Machine) -> String {
        String(decoding: machine.received.removeValue(forKey: client.rawValue) ?? [], as: UTF8.self)
    }

    // MARK: running

    /// Lets everything happen that can without time passing.
    func settle(rounds: Int = 200) {
        for _ in 0..<rounds {
            var moved = false
            for index in machines.indices { if step(index) { moved = true } }
            if !moved { return }
        }
    }

    /// Lets a machine and its disk go on by themselves: nothing leaves it.
    func runAlone(_ index: Int, until isDone: (Node) -> Bool, rounds: Int = 200) {
        let machine = machines[index]
        for _ in 0..<rounds {
            guard let node = machine.node, !isDone(node) else { return }
            node.handle(.turnEnded, now: now, into: &machine.effects)
            let operations = machine.operations + machine.effects.disk
            machine.operations = []
            machine.effects.disk = []
            for operation in operations { perform(operation, machine) }
        }
    }

    /// Moves time on in steps of a millisecond, settling in between.
    func run(milliseconds: Int) {
        for _ in 0..<milliseconds {
            now.instant = now.instant + .milliseconds(1)
            now.wall.microseconds += 1000
            settle()
        }
    }

    private func step(_ index: Int) -> Bool {
        let machine = machines[index]
        guard let node = machine.node, !paused.contains(index) else { return false }
        node.handle(.turnEnded, now: now, into: &machine.effects)
        let hasMoved = carryOut(index)
        // A node that asks for its next turn at once has not settled.
        return hasMoved || node.nextDeadline <= now.instant
    }

    private func carryOut(_ index: Int) -> Bool {
        let machine = machines[index]
        guard let node = machine.node else { return false }
        let effects = machine.effects
        machine.effects.removeAll()
        var moved = false
        machine.lines += effects.log.map(\.message)
        if let exit = effects.exit { machine.exit = exit }
        for link in effects.peerOutput {
            guard let output = node.output(of: link), !output.isEmpty else { continue }
            let bytes = output.view.array
            output.consume(bytes.count)
            moved = true
            if let other = wires["\(index)/\(link.rawValue)"], let peer = machines[other.machine].node {
                bytes.withView { peer.handle(.peerBytes(other.link, $0), now: now, into: &machines[other.machine].effects) }
            }
        }
        for client in effects.clientOutput {
            guard let output = node.output(of: client), !output.isEmpty else { continue }
            machine.received[client.rawValue, default: []] += output.view.array
            output.consume(output.count)
            moved = true
        }
        machine.operations += effects.disk
        if isDiskRunning && !machine.operations.isEmpty {
            let operations = machine.operations
            machine.operations = []
            for operation in operations {
                if holds(machine, operation.action) {
                    machine.operations.append(operation)
                } else {
                    perform(operation, machine)
                    moved = true
                }
            }
        }
        for (client, _) in effects.closeClients {
            machine.closed.insert(client.rawValue)
            node.handle(.clientClosed(client), now: now, into: &machine.effects)
        }
        for link in effects.closePeers { cut(index, link) }
        for peer in effects.dial {
            dial(index, peer)
            moved = true
        }
        return moved
    }

    private func perform(_ operation: DiskOperation, _ machine: Machine) {
        switch operation.action {
        case .create(let name, let byteCount): machine.disk.files[name] = [UInt8](repeating: 0, count: byteCount)
        case .write(let name, let offset, let block):
            let bytes = block.buffer.view.array
            machine.disk.files[name]?.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        case .rename(let from, let to): machine.disk.files[to] = machine.disk.files.removeValue(forKey: from)
        case .remove(let name): machine.disk.files[name] = nil
        case .read(let name, let offset, let count):
            machine.reads.append((name, offset))
            let bytes = machine.disk.files[name].map { Array($0[offset..<min($0.count, offset + count)]) } ?? []
            bytes.withView {
                machine.node?.handle(.diskRead(number: operation.number, $0), now: now, into: &machine.effects)
            }
            return
        case .extend where refusesGrowingFiles, .publish where refusesGrowingFiles:
            refuse(operation, machine)
            return
        case .extend(let name, _, _) where refuses(name):
            refuse(operation, machine)
            return
        case .publish(let name) where machine.disk.files[name.temporary] == nil:
            refuse(operation, machine, "there is no such file")
            return
        case .extend(_, _, let block) where block.buffer.count > machine.roomForGrowing:
            refuse(operation, machine)
            return
        case .extend(let name, let offset, let block):
            machine.roomForGrowing -= block.buffer.count
            let before = offset == 0 ? [] : machine.disk.files[name.temporary] ?? []
            machine.disk.files[name.temporary] = before + block.buffer.view.array
        case .publish(let name): machine.disk.files[name] = machine.disk.files.removeValue(forKey: name.temporary)
        case .discard(let name):
            machine.disk.files[name] = nil
            machine.disk.files[name.temporary] = nil
        }
        machine.node?.handle(.diskCompleted(number: operation.number), now: now, into: &machine.effects)
    }

    private func refuse(_ operation: DiskOperation, _ machine: Machine, _ reason: String = "the disk is full") {
        machine.node?.handle(.diskRefused(number: operation.number, reason: reason), now: now, into: &machine.effects)
    }

    private func dial(_ index: Int, _ peer: NodeID) {
        let target = Int(peer.rawValue) - 1
        guard let other = machines[target].node else {
            machines[index].node?.handle(.peerDialFailed(to: peer, reason: "refused"), now: now, into: &machines[index].effects)
            return
        }
        let (mine, theirs) = (PeerLinkID(nextLink), PeerLinkID(nextLink + 1))
        nextLink += 2
        wires["\(index)/\(mine.rawValue)"] = (target, theirs)
        wires["\(target)/\(theirs.rawValue)"] = (index, mine)
        other.handle(.peerAccepted(theirs, address: "10.0.0.\(index + 1):1"), now: now, into: &machines[target].effects)
        machines[index].node?.handle(.peerDialled(mine, to: peer), now: now, into: &machines[index].effects)
    }

    /// Ends a link: both sides hear of it.
    private func cut(_ index: Int, _ link: PeerLinkID) {
        machines[index].node?.handle(.peerClosed(link), now: now, into: &machines[index].effects)
        if let other = wires.removeValue(forKey: "\(index)/\(link.rawValue)") {
            wires["\(other.machine)/\(other.link.rawValue)"] = nil
            machines[other.machine].node?.handle(.peerClosed(other.link), now: now, into: &machines[other.machine].effects)
        }
    }

    /// Ends the links between two machines.
    func disconnect(_ one: Int, _ other: Int) {
        for (key, end) in wires.sorted(by: { $0.key < $1.key }) where key.hasPrefix("\(one)/") && end.machine == other {
            guard let link = UInt64(key.drop { $0 != "/" }.dropFirst()) else { continue }
            cut(one, PeerLinkID(link))
        }
    }

    /// Stops a machine at once; what its disk has not done is lost.
    func crash(_ index: Int) {
        machines[index].node = nil
        machines[index].effects = NodeEffects()
        machines[index].operations = []
        machines[index].received = [:]
        for (key, other) in wires.sorted(by: { $0.key < $1.key }) where key.hasPrefix("\(index)/") {
            wires[key] = nil
            wires["\(other.machine)/\(other.link.rawValue)"] = nil
            machines[other.machine].node?.handle(.peerClosed(other.link), now: now, into: &machines[other.machine].effects)
        }
    }

    var leader: Int? { machines.firstIndex { $0.node?.raft.role == .leader && $0.node?.raft.canServe == true } }

    /// Runs until a leader can serve.
    func elect() -> Int {
        for _ in 0..<5000 {
            if let leader { return leader }
            run(milliseconds: 1)
        }
        return -1
    }
}
