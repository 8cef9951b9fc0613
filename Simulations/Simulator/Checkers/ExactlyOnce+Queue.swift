import Base

/// A list to which only unique elements are pushed, and from which they are popped, one at a time.
extension ExactlyOnce {
    /// Checks that no element is lost and none comes twice: what was acknowledged as pushed was popped by somebody, is still there,
    /// or may have been popped by a command whose reply nobody saw; what came out had been pushed, and came out once.
    ///
    /// - Parameters:
    ///   - final: what the list holds in the end.
    package static func checkQueue(_ history: [Operation], final: [[UInt8]]) throws(Violation) {
        var pushes: [[UInt8]: Operation] = [:]
        var seen: [[UInt8]: Operation?] = [:]
        var blindPops = 0
        for operation in history {
            switch operation.command {
            case .pushLeft(let element), .pushRight(let element):
                if case .reply(let reply) = operation.outcome { try demandCount(reply, operation) }
                pushes[element] = operation
            default: break
            }
        }
        for operation in history where operation.command == .popLeft || operation.command == .popRight {
            switch operation.outcome {
            case .reply(.bulk(let element)):
                if let earlier = seen.updateValue(operation, forKey: element), let earlier {
                    throw Violation(.exactlyOnce, "an element was popped twice: \(earlier); \(operation)")
                }
            case .reply(.null), .refused, .pending: break
            case .reply(let other): throw Violation(.exactlyOnce, "a pop was answered with \(other): \(operation)")
            case .unknown: blindPops += 1
            }
        }
        for element in final {
            guard let earlier = seen.updateValue(nil, forKey: element) else { continue }
            let how = earlier.map { "was popped: \($0)" } ?? "is there twice"
            throw Violation(.exactlyOnce, "the queue holds \(abbreviated(element)) in the end, which \(how)")
        }
        try demandPushed(seen, pushes)
        let lost = history.filter { operation in
            switch (operation.command, operation.outcome) {
            case (.pushLeft(let element), .reply), (.pushRight(let element), .reply): seen[element] == nil
            default: false
            }
        }
        if lost.count > blindPops {
            throw Violation(
                .exactlyOnce,
                "\(lost.count) acknowledged elements of the queue are gone, and only \(blindPops) pops of unknown outcome can have taken "
                    + "them; the first one is \(lost[0])")
        }
    }

    private static func demandCount(_ reply: Reply, _ operation: Operation) throws(Violation) {
        if case .integer(let count) = reply, count > 0 { return }
        throw Violation(.exactlyOnce, "a push was answered with \(reply): \(operation)")
    }

    /// Every element that came out or is there was sent, not refused, and did not come out before it was sent.
    private static func demandPushed(_ seen: [[UInt8]: Operation?], _ pushes: [[UInt8]: Operation]) throws(Violation) {
        for (element, pop) in seen.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let push = pushes[element] else {
                throw Violation(.exactlyOnce, "the queue had \(abbreviated(element)), which nobody pushed")
            }
            if push.outcome == .refused { throw Violation(.exactlyOnce, "a refused push is in the queue: \(push)") }
            if let pop, let returned = pop.returned, returned < push.invoked {
                throw Violation(.exactlyOnce, "an element was popped before it was pushed: \(pop); \(push)")
            }
        }
    }
}
