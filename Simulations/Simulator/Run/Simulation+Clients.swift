import Base

/// Clients: what they send, when, and what they make of the replies.
extension Simulation {
    func buildClients() {
        for index in 0..<options.clientCount { addClient(.worker, isPatient: index % 2 == 0) }
        addClient(.expiry, isPatient: true)
        for index in 0..<options.generatorCount { addClient(.generator, isPatient: index % 2 == 0) }
        addClient(.operator, isPatient: false)
        if options.takesSnapshots { addClient(.snapshots, isPatient: false) }
        buildScanner()
    }

    @discardableResult
    func addClient(_ role: Client.Role, isPatient: Bool) -> Client {
        let index = clients.count
        let client = Client(
            index: index, role: role, random: randomness.generator(for: .clients, of: index),
            patience: isPatient ? nil : options.patience)
        if beginning != nil { client.tokenPrefix = "\(options.seed)/" }
        clients.append(client)
        return client
    }

    /// Sets the client's timer, and makes earlier ones void.
    func schedule(_ client: Client, after span: Nanoseconds) {
        client.epoch += 1
        queue.schedule(.client(client.index, epoch: client.epoch), at: time + span)
    }

    func clientTimer(_ client: Client, epoch: UInt64) throws(Violation) {
        guard client.epoch == epoch, !client.isConnecting else { return }
        if isOpening { return schedule(client, after: .milliseconds(5)) }
        guard let link = client.link else {
            if case .operator = client.role { return }
            if client.isRetired { return }
            return connect(client)
        }
        if client.waiting.isEmpty {
            if !client.isRetired { sendBatch(client, link) }
        } else if phase == .safety {
            // Out of patience: the outcome of what was sent is unknown.
            note("client \(client.index) gives up on connection \(link.number)")
            hangUp(client)
        }
    }

    // MARK: connections

    func connect(_ client: Client, to machine: Int? = nil) {
        var target = machine ?? client.random.index(below: machines.count)
        if case .auditor(let only) = client.role { target = only }
        client.isConnecting = true
        client.epoch += 1
        let wait = Nanoseconds(networkRandom.duration(in: options.delay).rawValue * 2)
        queue.schedule(.clientDialled(client.index, epoch: client.epoch, machine: target), at: time + wait)
    }

    func clientDialled(_ client: Client, epoch: UInt64, machine: Machine) {
        guard client.epoch == epoch else { return }
        client.isConnecting = false
        guard machine.isUp, !machine.isStopping else {
            if case .operator = client.role { return }
            return schedule(client, after: client.random.duration(in: .milliseconds(5)...Nanoseconds.milliseconds(60)))
        }
        let link = open([.client(client.index), .server(machine: machine.index, run: machine.run, id: .init(0))])
        connectionCount += 1
        client.link = link
        client.connection = connectionCount
        client.reader = ReplyReader()
        client.heldReply = nil
        note("client \(client.index) connects to node \(machine.id), connection \(link.number)")
        post(.clientOpened(link), to: machine)
        sendBatch(client, link)
    }

    /// The client closes its connection.
    func hangUp(_ client: Client) {
        guard let link = client.link else { return }
        link.ends[0] = .gone
        endStream(link, from: 0, loses: client.random.chance(1, in: 2))
        forget(client)
        forgetIfOver(link)
        if !client.isRetired { schedule(client, after: client.random.exponential(mean: .milliseconds(10))) }
    }

    /// The client's connection is over.
    func lost(_ client: Client, _ link: Link) {
        guard client.link === link else { return }
        link.ends[0] = .gone
        forget(client)
        if !client.isRetired { schedule(client, after: client.random.exponential(mean: .milliseconds(10))) }
    }

    /// What was not answered on the lost connection may have been executed, or may yet be.
    private func forget(_ client: Client) {
        while let expectation = client.waiting.popFirst() {
            if case .operation(let number) = expectation { history.end(number, .unknown, at: time) }
        }
        client.link = nil
        client.epoch += 1
    }

    // MARK: sending

    func sendBatch(_ client: Client, _ link: Link) {
        let buffer = ByteBuffer(capacity: 256)
        if link.pipes[0].isUnused { sendGreeting(client, buffer) }
        switch client.role {
        case .worker: sendWork(client, buffer)
        case .expiry: sendExpiry(client, buffer)
        case .generator: sendDrawn(client, buffer)
        case .scanner: sendScan(client) { send($0, $1, client, buffer) }
        case .operator: sendTransfer(client, buffer)
        case .auditor: sendAudit(client, buffer)
        case .snapshots: sendSnapshots(client) { send($0, .snapshot, client, buffer) }
        // A node may remember it for twice as long, which must be less than what counts as being stuck.
        case .lastSnapshot: send(["KV.SNAPSHOT", "TAKE", "TIMEOUT", "3000"], .snapshot, client, buffer)
        case .scripted: return sendScripted(client)
        }
        client.sentAt = time
        if buffer.isEmpty { return }
        transmit(buffer.view.array, on: link, from: 0)
        client.epoch += 1
        if let patience = client.patience {
            schedule(client, after: client.random.duration(in: patience))
        }
    }

    /// What client libraries send first.
    private func sendGreeting(_ client: Client, _ buffer: ByteBuffer) {
        if case .scripted = client.role { return }
        if client.random.chance(1, in: 3) { send(["HELLO", "3"], .setup, client, buffer) }
        if client.random.chance(1, in: 4) {
            send(["CLIENT", "SETNAME", "client\(client.index)"], .setup, client, buffer)
        }
        if case .generator = client.role { send(["SELECT", "\(CommandGenerator.databases[0])"], .setup, client, buffer) }
        if case .scanner = client.role { send(["SELECT", "\(Simulation.scannedDatabase)"], .setup, client, buffer) }
    }

    private func send(_ words: [String], _ expectation: Client.Expectation, _ client: Client, _ buffer: ByteBuffer) {
        send(words.map { Array($0.utf8) }, expectation, client, buffer)
    }

    private func send(_ words: [[UInt8]], _ expectation: Client.Expectation, _ client: Client, _ buffer: ByteBuffer) {
        appendRequest(words, to: buffer)
        client.waiting.append(expectation)
    }

    private func sendWork(_ client: Client, _ buffer: ByteBuffer) {
        let count = client.random.chance(1, in: 3) ? 1 + client.random.index(below: options.pipelineMax) : 1
        for _ in 0..<count {
            if count > 1, client.random.chance(1, in: 10) {
                let token = Array(client.nextToken().utf8)
                send([Array("ECHO".utf8), token], .echo(token), client, buffer)
                continue
            }
            let (key, command) = keys.draw(&client.random, token: client.nextToken())
            sendOperation(key, command, client, buffer)
            if options.planted == .executeTwice, case .increment = command, keys.uses[key] == .counter, sabotageNow() {
                send(command.words(key: keys.name(key)), .planted, client, buffer)
            }
        }
    }

    private func sendOperation(_ key: Int, _ command: KeyCommand, _ client: Client, _ buffer: ByteBuffer) {
        let number = history.invoke(connection: client.connection, key: key, command: command, at: time)
        send(command.words(key: keys.name(key)), .operation(number), client, buffer)
    }

    private func sendDrawn(_ client: Client, _ buffer: ByteBuffer) {
        if client.random.chance(1, in: 60) { send(["DEBUG", "RELOAD"], .selfCheck, client, buffer) }
        if options.asksForSaves, client.random.chance(1, in: 30) {
            send([client.random.chance(1, in: 2) ? "SAVE" : "BGSAVE"], .any, client, buffer)
        }
        for _ in 0..<1 + client.random.index(below: options.pipelineMax) {
            let words = client.generator.draw()
            send(words, .drawn(words), client, buffer)
        }
    }

    private func sendExpiry(_ client: Client, _ buffer: ByteBuffer) {
        if expiries.count == 0 || client.random.chance(1, in: 3) {
            let value = Array(client.nextToken().utf8)
            let lifetime = client.random.duration(in: .milliseconds(20)...Nanoseconds.milliseconds(1_500)).rawValue / 1_000_000
            let number = expiries.set(value: value, lifetime: .milliseconds(lifetime), at: time)
            let words = [Array("SET".utf8), expiries.name(number), value, Array("PX".utf8), Array(String(lifetime).utf8)]
            send(words, .expirySet(number), client, buffer)
        } else {
            let number = max(0, expiries.count - 1 - client.random.index(below: 5))
            send([Array("GET".utf8), expiries.name(number)], .expiryGet(number, sentAt: time), client, buffer)
        }
    }

    private func sendTransfer(_ client: Client, _ buffer: ByteBuffer) {
        if client.random.chance(1, in: 2) {
            send(["KV.TRANSFER-LEADER"], .any, client, buffer)
        } else {
            send(["KV.TRANSFER-LEADER", "\(client.random.choice(of: machines).id)"], .any, client, buffer)
        }
    }

    private func sendAudit(_ client: Client, _ buffer: ByteBuffer) {
        for key in 0..<keys.count {
            for command in keys.audit(key) { sendOperation(key, command, client, buffer) }
        }
        for number in 0..<expiries.count {
            send([Array("GET".utf8), expiries.name(number)], .expiryGet(number, sentAt: time), client, buffer)
        }
    }
}
