import Base
import Consensus

/// A misfortune that needs several steps at the right moments, which chance alone would hit too rarely. It watches the nodes,
/// as an enemy would who sees everything.
enum Plot {
    /// The paper's Figure 8: an entry reaches a majority in the term after next, and its leader dies before it has copied
    /// anything of its own term.
    case figure8(Figure8)
    /// Two candidates of one term that do not hear each other, and a voter between them that goes down with its vote.
    case doubleVote(DoubleVote)

    struct Figure8 {
        enum Stage {
            /// The first leader is alone and takes in entries.
            case gathering
            /// Waits for the second leader.
            case second
            /// The second leader is alone, too, and writes the first entry of its term.
            case writing
            /// The first one is back, and is to lead again.
            case returning
            /// It copies what it gathered; when a majority has that, it dies.
            case copying
            /// The second one may come back and lead.
            case aftermath
        }
        var stage = Stage.gathering
        var until: Instant
        let first: Int
        /// The last entry that the first leader gathered.
        var gathered = LogIndex.zero
        var gatheredTerm = Term.zero
        var second: Int?
    }

    struct DoubleVote {
        var until: Instant
        /// The voter.
        let voter: Int
        /// The term in which it went down with its vote last.
        var term = Term.zero
        var crashesLeft = 3
    }
}

extension Simulation {
    /// Begins a plot unless one is under way.
    func plot(_ kind: FaultKind) throws(Violation) {
        guard plot == nil, machines.count >= 3 else { return }
        hunt = nil
        let until = time + Nanoseconds(options.raft.electionTimeoutMax.rawValue * 6)
        switch kind {
        case .figure8:
            guard let first = leader() else { return }
            plot = .figure8(Plot.Figure8(until: until, first: first.index))
            separate([first.index])
        default:
            let voter = faultRandom.index(below: machines.count)
            plot = .doubleVote(Plot.DoubleVote(until: until, voter: voter))
            standBetween(voter)
            try strike(machines[voter], mode: .any, losesPower: false, restartAfter: .milliseconds(faultRandom.next(below: 100)))
        }
    }

    /// Takes the plot further after a turn of `machine`.
    func advancePlot(_ machine: Machine) throws(Violation) {
        switch plot {
        case .figure8(let plot):
            if plot.until < time || phase != .safety { return endPlot() }
            try advance(plot, machine)
        case .doubleVote(let plot):
            if plot.until < time || phase != .safety { return endPlot() }
            advance(plot, machine)
        case nil: return
        }
    }

    private func endPlot() {
        note("the plot ends")
        plot = nil
        healPartition()
    }

    // MARK: Figure 8

    private func advance(_ plot: Plot.Figure8, _ machine: Machine) throws(Violation) {
        var plot = plot
        guard let raft = machine.node?.raft else { return }
        switch plot.stage {
        case .gathering:
            guard machine.index == plot.first else { return }
            // Only entries of its own that nobody else can have are of use.
            guard raft.lastIndex > raft.commitIndex, raft.durableIndex == raft.lastIndex, raft.lastTerm == raft.term else {
                return
            }
            plot.gathered = raft.lastIndex
            plot.gatheredTerm = raft.lastTerm
            plot.stage = .second
        case .second:
            guard machine.index != plot.first, raft.role == .leader, raft.term > plot.gatheredTerm else { return }
            plot.second = machine.index
            plot.stage = .writing
            separate([plot.first, machine.index])
        case .writing:
            guard machine.index == plot.second, raft.durableIndex == raft.lastIndex, let second = plot.second else { return }
            plot.stage = .returning
            separate([second])
            // Where the others are a majority without the first one, one of them must go.
            if machines.count > 3, let other = machines.first(where: { $0.isUp && $0.index != plot.first && $0.index != second })
            {
                try strike(other, mode: .any, losesPower: false, restartAfter: .milliseconds(1_500))
            }
        case .returning:
            guard raft.role == .leader, machine.index != plot.second, raft.term > plot.gatheredTerm else { return }
            if machine.index != plot.first || raft.term(at: plot.gathered) != plot.gatheredTerm { return endPlot() }
            plot.stage = .copying
        case .copying:
            let copies = machines.count { other in
                guard let raft = other.node?.raft else { return false }
                return raft.term(at: plot.gathered) == plot.gatheredTerm && raft.durableIndex >= plot.gathered
            }
            guard copies > machines.count / 2, let first = machines[plot.first].node else { return }
            guard first.raft.role == .leader else { return endPlot() }
            // The acknowledgement is on its way, and the next entry will be.
            let after = Nanoseconds(options.delay.upperBound.rawValue * (1 + faultRandom.next(below: 16)) / 8)
            queue.schedule(.sever(machine: plot.first, run: machines[plot.first].run), at: time + after)
            plot.stage = .aftermath
        case .aftermath:
            if raft.role == .leader && machine.index != plot.first { return endPlot() }
            return
        }
        note("plot: \(plot.stage)")
        self.plot = .figure8(plot)
    }

    /// A machine loses its power, and nothing that it sent last arrives. Nil: it stays down.
    func sever(_ machine: Machine, restartAfter span: Nanoseconds?) throws(Violation) {
        guard machine.isUp else { return }
        cutOff(machine.index)
        try crash(machine, mode: .any, losesPower: true)
        if let span { scheduleRestart(machine, after: span) }
    }

    /// The end of a plot's leader, and whoever was kept apart is back.
    func endReign(_ machine: Machine) throws(Violation) {
        if phase == .safety { try sever(machine, restartAfter: .milliseconds(1_500)) }
        healPartition()
    }

    /// Each of these machines hears nobody and is heard by nobody; what it sent and has not arrived is lost.
    func separate(_ alone: [Int]) {
        var fresh = [[Bool]](repeating: [Bool](repeating: false, count: machines.count), count: machines.count)
        for one in alone {
            for other in machines.indices where other != one {
                fresh[one][other] = true
                fresh[other][one] = true
            }
        }
        partition += 1
        blocked = fresh
        for one in alone { cutOff(one) }
        rescheduleArrivals()
    }

    /// Breaks all of a machine's connections to its peers, with everything that is on its way.
    private func cutOff(_ machine: Int) {
        for case let link? in links where link.machines[0] != nil && link.machines.contains(machine) {
            for side in 0...1 { link.pipes[side].cut(after: 0) }
            reset(link)
        }
    }

    // MARK: two votes

    private func advance(_ plot: Plot.DoubleVote, _ machine: Machine) {
        var plot = plot
        guard machine.index == plot.voter, let raft = machine.node?.raft, raft.term > plot.term, let vote = raft.vote,
            vote != machine.id
        else { return }
        plot.term = raft.term
        plot.crashesLeft -= 1
        note("plot: node \(machine.id) has voted for node \(vote) in term \(raft.term)")
        let after = Nanoseconds(faultRandom.next(below: options.delay.upperBound.rawValue * 3))
        machine.startsSoon = true
        queue.schedule(.strike(machine: machine.index, run: machine.run), at: time + after)
        self.plot = plot.crashesLeft == 0 ? nil : .doubleVote(plot)
        if plot.crashesLeft == 0 { queue.schedule(.heal(partition: partition), at: time + .milliseconds(300)) }
    }

    /// Two halves that do not hear each other, and one machine between them that hears both.
    private func standBetween(_ middle: Int) {
        var others = Array(machines.indices)
        others.removeAll { $0 == middle }
        faultRandom.permute(&others)
        var fresh = [[Bool]](repeating: [Bool](repeating: false, count: machines.count), count: machines.count)
        for (position, one) in others.enumerated() {
            for (otherPosition, other) in others.enumerated() where position % 2 != otherPosition % 2 { fresh[one][other] = true }
        }
        partition += 1
        blocked = fresh
        rescheduleArrivals()
    }
}
