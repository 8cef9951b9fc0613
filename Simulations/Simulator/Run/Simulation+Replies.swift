import Base

/// What the clients make of the replies.
extension Simulation {
    func receive(_ bytes: [UInt8], _ client: Client) throws(Violation) {
        trace.add(UInt64(client.index))
        bytes.withView {
            trace.add($0)
            client.reader.append($0)
        }
        while client.link != nil {
            switch client.reader.next() {
            case .reply(let reply): try take(reply, client)
            case .incomplete: return
            case .malformed(let reason):
                throw Violation(.reply, "client \(client.index) reads something that is not a reply: \(reason)")
            }
        }
    }

    private func take(_ reply: Reply, _ client: Client) throws(Violation) {
        if options.planted == .swapReplies, client.heldReply == nil, client.waiting.count > 1, sabotageNow() {
            client.heldReply = reply
            return
        }
        if options.planted == .loseReply, client.waiting.count == 1, sabotageNow() { return }
        try match(reply, client)
        if let held = client.heldReply {
            client.heldReply = nil
            try match(held, client)
        }
        if client.waiting.isEmpty && client.link != nil { answered(client) }
    }

    private func match(_ reply: Reply, _ client: Client) throws(Violation) {
        guard let expectation = client.waiting.popFirst() else {
            throw Violation(.reply, "client \(client.index) gets a reply that it did not ask for: \(reply)")
        }
        switch expectation {
        case .operation(let number): try end(number, reply, client)
        case .echo(let token):
            if reply != .bulk(token) {
                throw Violation(.reply, "client \(client.index) sent ECHO \(abbreviated(token)) and gets \(reply)")
            }
        case .setup:
            if case .error = reply { throw Violation(.reply, "client \(client.index) is greeted with \(reply)") }
        case .expirySet(let number):
            if reply == .ok {
                expiries.acknowledged(number, at: time)
            } else if isRefusal(reply) {
                expiries.refused(number)
            } else {
                throw Violation(.reply, "SET with PX is answered with \(reply)")
            }
        case .expiryGet(let number, let sentAt):
            if isRefusal(reply) { return }
            let seen = options.planted == .expireEarly && sabotageNow() ? .null : reply
            try expiries.read(number, seen, sentAt: sentAt, at: time, slack: wallSlack)
        case .drawn(let words): try noteDrawn(reply, words)
        case .selfCheck:
            let isRotten =
                reply.isError("ERR Error trying to load the state file") && machines.contains(where: \.hasRottenStateFile)
            if reply != .ok && !isRefusal(reply) && !reply.isError("ERR another ") && !reply.isError("ERR a state file ")
                && !isRotten
            {
                // An error is the node's finding; anything else was not meant for this question.
                guard case .error = reply else { throw Violation(.reply, "DEBUG RELOAD is answered with \(reply)") }
                throw Violation(.stateDigest, "a node's log gives another state than it has: \(reply)")
            }
        case .scanAdded, .scanRemoved, .scanPage: if !isRefusal(reply) { try takeScan(expectation, reply) }
        case .snapshot: try takeSnapshotReply(reply, client)
        case .scripted: client.heard.append(reply)
        case .any, .planted: break
        }
    }

    /// What a drawn command did, the replicas' digests tell. Its reply must be one, and the command must be known.
    private func noteDrawn(_ reply: Reply, _ words: [[UInt8]]) throws(Violation) {
        let text = words.map { abbreviated($0) }.joined(separator: " ")
        note("drawn: \(text) → \(reply)")
        if isRefusal(reply) { return }
        if reply.isError("ERR unknown command") { throw Violation(.reply, "a command of the table is answered with \(reply)") }
        statistics.drawn += 1
        if case .error = reply { statistics.drawnErrors += 1 }
    }

    /// How much wall clocks may differ; nil when somebody sets them.
    private var wallSlack: Nanoseconds? {
        if options.faultWeights.contains(where: { $0.kind == .wallJump }) { return nil }
        return .microseconds(options.wallOffsetMax)
    }

    private func isRefusal(_ reply: Reply) -> Bool { reply.isError("CLUSTERDOWN ") }

    /// A command of the history is answered.
    private func end(_ number: Int, _ reply: Reply, _ client: Client) throws(Violation) {
        if isRefusal(reply) { return history.end(number, .refused, at: time) }
        if case .error = reply, !reply.isError("WRONGTYPE "), !reply.isError("ERR value is not an integer"),
            !reply.isError("ERR hash value is not an integer"),
            !reply.isError("ERR increment or decrement would overflow")
        {
            throw Violation(.reply, "\(history.operations[number]) is answered with \(reply)")
        }
        var seen = history.operations[number].command.canonical(reply)
        if options.planted == .staleRead, case .get = history.operations[number].command {
            let key = history.operations[number].key
            if let stale = sabotageState.lastRead[key], stale != reply, sabotageNow() { seen = stale }
            sabotageState.lastRead[key] = reply
        }
        history.end(number, .reply(seen), at: time)
        note("client \(client.index): \(history.operations[number])")
        if crashesAtNextReply > 0, phase == .safety { try strikeAtReply() }
    }

    /// All that the client sent is answered.
    private func answered(_ client: Client) {
        if phase != .safety {
            client.batchesSinceHeal += 1
            if client.batchesSinceHeal >= 3 { client.isRetired = true }
        }
        switch client.role {
        case .worker:
            // Now and then a burst without a pause.
            let pause = client.random.chance(1, in: 3) ? Nanoseconds(1) : client.random.exponential(mean: options.thinkTime)
            schedule(client, after: pause)
        case .expiry: schedule(client, after: client.random.exponential(mean: .milliseconds(25)))
        case .scanner: schedule(client, after: client.random.exponential(mean: .milliseconds(15)))
        case .generator: schedule(client, after: client.random.exponential(mean: options.thinkTime))
        case .operator: hangUp(client)
        case .snapshots:
            // Mostly another node's turn.
            if client.random.chance(2, in: 3) { hangUp(client) }
            schedule(client, after: client.random.exponential(mean: options.snapshotInterval))
        case .auditor, .lastSnapshot: client.isRetired = true
        case .scripted: break
        }
    }

    /// Whether an error planted in the world shows here: now and then, after the run has got going.
    func sabotageNow() -> Bool {
        sabotageState.chances += 1
        return sabotageState.chances > 10 && sabotageState.chances % 7 == 0
    }
}

/// What planted errors need to remember.
struct SabotageState {
    var chances = 0
    /// The last reply to a read of each key.
    var lastRead: [Int: Reply] = [:]
    var isSecondLeaderShown = false
}
