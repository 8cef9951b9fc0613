import Base
import Consensus
import Node

/// Plays a short history of a whole cluster from a text: lines that begin with "> " are commands, the lines under each say what
/// it did. Comments and empty lines stay. The ordinary checkers look on; every delay is the same, and nothing fails unasked.
///
/// Commands; nodes are numbered, or named by `elect`:
///
///     cluster COUNT [frame=BYTES] [cache=BYTES]
///     elect NAME [OTHERS…]     until a node leads that did not when it was last asked, and all that are up follow it
///     connect CLIENT at NODE   CLIENT WORDS…            a client sends a command, and does not wait
///     run MILLISECONDS         time passes; what clients hear is shown, client by client
///     until NODE has|wrote|applied       an entry that was not there when the last command was sent
///     crash NODE               it loses power, and what it has sent and has not arrived is lost
///     start NODE   isolate NODE…   heal   slow NODE FACTOR   pause NODE MILLISECONDS
///     settle                   until all nodes that are up have applied the same log; then their states are compared
package final class ClusterScenario {
    private var simulation: Simulation?
    private var output: [String] = []
    private var names: [String: Int] = [:]
    private var clients: [String: Client] = [:]
    private var connected: Set<String> = []
    /// The newest term whose leader was shown.
    private var shownTerm = Term.zero
    /// The last entry in any log when a command was sent last.
    private var mark = LogIndex.zero
    /// The promise that was broken, if one was.
    package private(set) var violation: Violation?

    package init() {}

    /// The text as it should be.
    package func play(_ text: String) -> String {
        var result: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("> ") {
                result.append(String(line))
                output = []
                carryOut(line.dropFirst(2).split(separator: " ").map(String.init))
                result += output.map { "  " + $0 }
            } else if line.hasPrefix("#") || line.isEmpty {
                result.append(String(line))
            }
        }
        return result.joined(separator: "\n")
    }

    private func carryOut(_ words: [String]) {
        guard violation == nil, let word = words.first else { return }
        let arguments = Array(words.dropFirst())
        do throws(Violation) {
            if word == "cluster" { return try build(arguments) }
            guard let simulation else { return output.append("there is no cluster yet") }
            switch word {
            case "elect": try elect(arguments, simulation)
            case "connect": connect(arguments, simulation)
            case "run": try run(.milliseconds(UInt64(arguments.first ?? "") ?? 0), simulation)
            case "until": try runUntil(arguments, simulation)
            case "crash": for machine in machines(arguments, simulation) { try simulation.sever(machine, restartAfter: nil) }
            case "start": for machine in machines(arguments, simulation) { try simulation.start(machine) }
            case "isolate": simulation.separate(machines(arguments, simulation).map(\.index))
            case "heal": simulation.healPartition()
            case "slow": slow(arguments, simulation)
            case "pause": pause(arguments, simulation)
            case "settle": try settle(simulation)
            default: send(word, arguments, simulation)
            }
        } catch {
            violation = error
            output.append("VIOLATION \(error)")
        }
    }

    // MARK: set-up

    private func build(_ arguments: [String]) throws(Violation) {
        var options = RunOptions.plain(nodes: Int(arguments.first ?? "") ?? 3)
        for argument in arguments.dropFirst() {
            let parts = argument.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { return output.append("not an option: \(argument)") }
            switch parts[0] {
            case "frame": options.raft.appendBytesMax = value
            case "cache": options.raft.cacheBytesMax = value
            default: output.append("not an option: \(argument)")
            }
        }
        let made = Simulation(options)
        names = [:]
        for machine in made.machines { names["\(machine.id)"] = machine.index }
        clients = [:]
        shownTerm = .zero
        simulation = made
        try made.begin()
    }

    private func machines(_ arguments: [String], _ simulation: Simulation) -> [Machine] {
        arguments.compactMap { name in
            if names[name] == nil { output.append("no node is called \(name)") }
            return names[name].map { simulation.machines[$0] }
        }
    }

    private func connect(_ arguments: [String], _ simulation: Simulation) {
        guard arguments.count == 3, let machine = machines([arguments[2]], simulation).first else { return }
        let client = simulation.addClient(.scripted, isPatient: true)
        client.isRetired = true
        clients[arguments[0]] = client
        simulation.connect(client, to: machine.index)
    }

    private func slow(_ arguments: [String], _ simulation: Simulation) {
        guard arguments.count == 2, let factor = UInt64(arguments[1]) else { return }
        for machine in machines([arguments[0]], simulation) { machine.disk.slowness = factor }
    }

    private func pause(_ arguments: [String], _ simulation: Simulation) {
        guard arguments.count == 2, let span = UInt64(arguments[1]) else { return }
        for machine in machines([arguments[0]], simulation) { machine.pausedUntil = simulation.time + .milliseconds(span) }
    }

    // MARK: time

    private func elect(_ arguments: [String], _ simulation: Simulation) throws(Violation) {
        let shown = shownTerm
        let isDone = try simulation.advance(by: .milliseconds(10_000)) {
            guard let leader = simulation.leader(), leader.seen.term > shown, leader.node?.raft.canServe == true else {
                return false
            }
            // Those that nobody reaches need not follow.
            return simulation.machines.allSatisfy { machine in
                guard let raft = machine.node?.raft, !simulation.blocked[leader.index][machine.index] else { return true }
                return raft.leader == leader.id && raft.term == leader.seen.term
            }
        }
        guard isDone, let leader = simulation.leader(), let name = arguments.first else { return output.append("nobody leads") }
        shownTerm = leader.seen.term
        names[name] = leader.index
        let others = simulation.machines.filter { $0 !== leader }
        for (other, machine) in zip(arguments.dropFirst(), others) { names[other] = machine.index }
        output.append("\(name) leads")
    }

    private func runUntil(_ arguments: [String], _ simulation: Simulation) throws(Violation) {
        guard arguments.count == 2, let machine = machines([arguments[0]], simulation).first else { return }
        let wanted = mark
        let isDone = try simulation.advance(by: .milliseconds(10_000)) {
            guard let node = machine.node else { return false }
            switch arguments[1] {
            case "has": return node.raft.lastIndex > wanted
            case "wrote": return node.raft.durableIndex > wanted
            default: return node.raft.appliedIndex > wanted
            }
        }
        if !isDone { output.append("it does not come to that") }
        show(simulation)
    }

    private func run(_ span: Nanoseconds, _ simulation: Simulation) throws(Violation) {
        _ = try simulation.advance(by: span) { false }
        show(simulation)
    }

    // MARK: clients

    private func send(_ name: String, _ words: [String], _ simulation: Simulation) {
        guard let client = clients[name] else { return output.append("nobody is called \(name)") }
        mark = simulation.machines.compactMap { $0.node?.raft.lastIndex }.max() ?? .zero
        client.script.append(words.map { Array($0.utf8) })
        simulation.sendScripted(client)
    }

    /// What clients heard since it was shown last.
    private func show(_ simulation: Simulation) {
        for (name, client) in clients.sorted(by: { $0.key < $1.key }) {
            for reply in client.heard { output.append("\(name): \(reply)") }
            client.heard = []
            if client.link != nil {
                connected.insert(name)
            } else if connected.remove(name) != nil {
                output.append("\(name): the connection is lost")
            }
        }
    }

    // MARK: the end

    private func settle(_ simulation: Simulation) throws(Violation) {
        let isDone = try simulation.advance(by: .milliseconds(30_000)) {
            let logs = simulation.machines.compactMap { $0.node?.raft }
            return logs.allSatisfy { $0.appliedIndex == $0.lastIndex && $0.lastIndex == logs[0].lastIndex }
        }
        show(simulation)
        let nodes = simulation.machines.compactMap(\.node)
        try simulation.compareAllLogs()
        let digests = nodes.map { node in
            let digest = node.machine.digest()
            return [digest.high, digest.low]
        }
        let isSame = isDone && digests.allSatisfy { $0 == digests[0] }
        output.append("\(nodes.count) nodes \(isSame ? "have applied the same log and hold the same" : "differ")")
    }
}
