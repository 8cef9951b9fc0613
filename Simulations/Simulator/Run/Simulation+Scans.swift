import Base

/// The client that scans while it changes what it scans.
extension Simulation {
    /// Its database, in which nobody else is.
    static let scannedDatabase = 3

    func buildScanner() {
        guard options.scans else { return }
        var random = RandomGenerator(seed: options.seed ^ Simulation.scanSeed)
        // A run of the same seed may have come before this one: the log's time tells them apart.
        let name = "scan\(options.seed)" + (beginning.map { "@\($0.wall.microseconds)" } ?? "")
        scan = ScanRecord(
            place: random.choice(of: ScanRecord.Place.allCases), name: name, sizeMax: random.choice(of: [8, 100, 400, 1000]))
        addClient(.scanner, isPatient: random.chance(1, in: 2))
    }

    private static let scanSeed: UInt64 = 0x7363_616E

    /// Some changes, and one page among them.
    func sendScan(_ client: Client, _ send: ([[UInt8]], Client.Expectation) -> Void) {
        guard var record = scan else { return }
        let changes = client.random.index(below: 3)
        let page = client.random.index(below: changes + 1)
        for turn in 0...changes {
            if turn == page {
                record.asking(at: time)
                send(record.words(count: client.random.choice(of: [1, 10, 50])), .scanPage(sentAt: time))
            }
            if turn == changes { break }
            let (adds, numbers) = record.drawChange(&client.random)
            if numbers.isEmpty { continue }
            if adds {
                record.adding(numbers)
                send(record.words(adding: numbers), .scanAdded(numbers))
            } else {
                record.removing(numbers, at: time)
                send(record.words(removing: numbers), .scanRemoved(numbers))
            }
        }
        scan = record
    }

    /// An answer that is no refusal.
    func takeScan(_ expectation: Client.Expectation, _ reply: Reply) throws(Violation) {
        switch expectation {
        case .scanPage(let sentAt): try takePage(reply, sentAt: sentAt)
        case .scanAdded(let numbers):
            try requireSuccess(reply)
            scan?.added(numbers, at: time)
        case .scanRemoved(let numbers):
            try requireSuccess(reply)
            scan?.removed(numbers, at: time)
        default: check(false, "the client that scans expects nothing else")
        }
    }

    private func requireSuccess(_ reply: Reply) throws(Violation) {
        if case .error = reply { throw Violation(.reply, "a change of what is scanned is answered with \(reply)") }
    }

    private func takePage(_ reply: Reply, sentAt: Instant) throws(Violation) {
        var seen = reply
        if options.planted == .hideScanned, case .array(let parts) = reply, parts.count == 2, case .array(var found) = parts[1],
            found.count > 1, sabotageNow()
        {
            found.removeFirst(scan?.place == .hash || scan?.place == .sortedSet ? 2 : 1)
            seen = .array([parts[0], .array(found)])
        }
        try scan?.take(seen, sentAt: sentAt, at: time)
        statistics.scans = scan?.completed ?? 0
    }
}
