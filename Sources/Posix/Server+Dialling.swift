import Base
import Node

/// Peers that are being dialled: first the name, then the connection, with one deadline for both.
struct Dialler {
    enum Phase: Equatable {
        case resolving(question: UInt64)
        case connecting
    }

    struct Dial {
        var phase: Phase
        var deadline: Instant
    }

    let addresses: [NodeID: HostAndPort]
    private(set) var dials: [NodeID: Dial] = [:]
    private var lastQuestion: UInt64 = 0
    /// Made when the first name has to be resolved; clusters on numeric addresses never need it.
    var resolver: Resolver?

    init(addresses: [NodeID: HostAndPort]) { self.addresses = addresses }

    /// Deadlines of dials that wait for a name. (The back end keeps those of connections.)
    var nextDeadline: Instant {
        var earliest = Instant.never
        for dial in dials.values where dial.phase != .connecting { earliest = min(earliest, dial.deadline) }
        return earliest
    }

    /// Whether a node is being dialled.
    func isDialling(_ node: NodeID) -> Bool { dials[node] != nil }

    /// Begins to wait for a name; the question's number.
    mutating func begin(_ node: NodeID, deadline: Instant) -> UInt64 {
        check(dials[node] == nil, "a node is dialled once at a time")
        lastQuestion += 1
        dials[node] = Dial(phase: .resolving(question: lastQuestion), deadline: deadline)
        return lastQuestion
    }

    /// The address is known: the connection is being made.
    mutating func connecting(_ node: NodeID, deadline: Instant) {
        dials[node] = Dial(phase: .connecting, deadline: deadline)
    }

    /// Who waits for an answer, if still somebody does.
    func asker(of question: UInt64) -> (node: NodeID, deadline: Instant)? {
        for (node, dial) in dials where dial.phase == .resolving(question: question) { return (node, dial.deadline) }
        return nil
    }

    /// Nodes whose name did not come in time.
    func overdue(_ now: Instant) -> [NodeID] {
        dials.filter { $0.value.phase != .connecting && $0.value.deadline <= now }.map(\.key).sorted()
    }

    /// The dial is over.
    mutating func finish(_ node: NodeID) { dials[node] = nil }
}

extension Server {
    func dial(_ node: NodeID) {
        if dialler.isDialling(node) { return }
        statistics.dials += 1
        guard let address = dialler.addresses[node] else {
            carryDialFailure(node, "no address of node \(node) is known")
            return
        }
        let deadline = now.instant + options.dialTime
        if let numeric = try? SocketAddress.resolve(address, numericOnly: true) {
            connect(node, numeric, deadline: deadline)
            return
        }
        do throws(PosixError) {
            if dialler.resolver == nil {
                let resolver = try Resolver()
                try backend.watch(resolver.descriptor, purpose: Purpose.resolver)
                dialler.resolver = resolver
            }
            let question = dialler.begin(node, deadline: deadline)
            if dialler.resolver?.ask(question, address) != true {
                dialler.finish(node)
                carryDialFailure(node, "too many names wait to be resolved")
            }
        } catch {
            carryDialFailure(node, error.description)
        }
    }

    private func connect(_ node: NodeID, _ address: SocketAddress, deadline: Instant) {
        do throws(PosixError) {
            let socket = try backend.dial(address, deadline: deadline)
            dialler.connecting(node, deadline: deadline)
            setOwner(of: socket, .dial(node))
        } catch {
            dialler.finish(node)
            carryDialFailure(node, error.description)
        }
    }

    /// Takes the resolver's answers. An answer that nobody waits for any more is forgotten.
    func takeAnswers() {
        for answer in dialler.resolver?.take() ?? [] {
            guard let (node, deadline) = dialler.asker(of: answer.number) else { continue }
            switch answer.result {
            case .success(let address): connect(node, address, deadline: deadline)
            case .failure(let error): dialFailed(node, error.description)
            }
        }
    }

    func expireDials() {
        if dialler.dials.isEmpty { return }
        for node in dialler.overdue(now.instant) { dialFailed(node, "its name was not resolved in time") }
    }

    /// A dial failed while events are delivered.
    func dialFailed(_ node: NodeID, _ reason: String) {
        dialler.finish(node)
        statistics.dialFailures += 1
        deliver(.peerDialFailed(to: node, reason: reason))
    }

    /// A dial failed while effects are carried out.
    private func carryDialFailure(_ node: NodeID, _ reason: String) {
        statistics.dialFailures += 1
        carried.append(.peerDialFailed(to: node, reason: reason))
    }
}
