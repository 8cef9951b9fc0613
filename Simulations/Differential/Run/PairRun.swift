import Base
import Database
import RESP

/// The first reply of a sequence that differs without a known reason.
package struct Mismatch: Sendable, Equatable {
    /// The step's index.
    package var index: Int
    /// Its line.
    package var line: String
    /// The command's name, for the shrinker: a shorter sequence shows the same only if the same command differs.
    package var name: String
    package var ours: String
    package var theirs: String
    /// What is wrong, when it is not plain from the replies.
    package var note = ""
}

/// What a run of one sequence came to.
package struct PairOutcome: Sendable {
    package var mismatch: Mismatch?
    /// How often each known difference was met.
    package var differences: [String: Int] = [:]
    /// Whether a known difference ended the sequence before its end.
    package var endedEarly = false
    /// Steps whose replies were compared.
    package var compared = 0
}

/// Runs sequences on two subjects and holds the replies against each other.
package final class PairRun {
    private let coracle: any Subject
    private let peer: any Subject
    /// Alters replies of Coracle, to show that the comparison sees it.
    package var plant: (@Sendable (Step, [UInt8]) -> [UInt8])?

    package init(coracle: any Subject, peer: any Subject) {
        self.coracle = coracle
        self.peer = peer
    }

    /// What one step was answered with.
    private enum Answer {
        case reply([UInt8])
        case scan(WholeScan)
    }

    /// Runs a sequence: the peer goes first and through to the end, then Coracle, whose random choices are made to follow the peer's.
    package func run(_ sequence: CommandSequence) throws(SubjectError) -> PairOutcome {
        try peer.begin(sequence)
        let theirs = try peerAnswers(sequence.steps)
        try coracle.begin(sequence)
        var outcome = PairOutcome()
        var begin = 0
        while begin < sequence.steps.count, outcome.mismatch == nil, !outcome.endedEarly {
            let batch = Batch(sequence.steps[begin...])
            if batch.isEmpty {
                try runAlone(begin, sequence.steps[begin], theirs[begin], &outcome)
                begin += 1
            } else {
                try run(batch, theirs, &outcome)
                begin = batch.end
            }
        }
        return outcome
    }

    /// Steps that go out together, with the questions that must be answered before some of them.
    private struct Batch {
        /// What is sent.
        var sent: [Step] = []
        /// For each step of the sequence its place in `sent`, and whether a question stands before it.
        var places: [(index: Int, place: Int, hasQuestion: Bool)] = []
        /// The index of the first step behind the batch.
        var end: Int
        var isEmpty: Bool { places.isEmpty }

        /// Takes steps up to one that goes alone, through one that pops, and through a pause.
        init(_ steps: ArraySlice<Step>) {
            end = steps.startIndex
            while end < steps.endIndex {
                let step = steps[end]
                let rule = ShapeTable.rule(of: step)
                if rule.isAlone { return }
                let question = PairRun.question(step, rule)
                if let question { sent.append(question) }
                places.append((end, sent.count, question != nil))
                sent.append(step)
                end += 1
                if rule == .pop || step.pauses { return }
            }
        }
    }

    private func run(_ batch: Batch, _ theirs: [Answer], _ outcome: inout PairOutcome) throws(SubjectError) {
        let replies = try coracle.run(batch.sent)
        for (index, place, hasQuestion) in batch.places where outcome.mismatch == nil && !outcome.endedEarly {
            let step = batch.sent[place]
            let before = hasQuestion ? ReplyNode(replies[place - 1]) : nil
            let reply = planted(step, replies[place])
            judge(index, step, .reply(reply), theirs[index], before, &outcome)
            if ShapeTable.rule(of: step) == .pop, outcome.mismatch == nil, case .reply(let theirs) = theirs[index] {
                try follow(step, reply, theirs)
            }
        }
        if batch.sent[batch.sent.count - 1].pauses { try coracle.pause() }
    }

    private func planted(_ step: Step, _ reply: [UInt8]) -> [UInt8] { plant.map { $0(step, reply) } ?? reply }

    /// The end of the steps that can go out together: up to one that needs questions, and up to a pause.
    private static func batchEnd(_ steps: [Step], _ begin: Int, _ isAlone: (Step) -> Bool) -> Int {
        var end = begin
        while end < steps.count, !isAlone(steps[end]) {
            end += 1
            if steps[end - 1].pauses { break }
        }
        return end
    }

    // MARK: the peer

    private func peerAnswers(_ steps: [Step]) throws(SubjectError) -> [Answer] {
        var answers: [Answer] = []
        var begin = 0
        while begin < steps.count {
            let end = PairRun.batchEnd(steps, begin) {
                $0.name == "dbsize" || PairRun.isScan($0) || PairRun.names(consumer: $0) != nil
            }
            if end > begin {
                for reply in try peer.run(Array(steps[begin..<end])) { answers.append(.reply(reply)) }
                if steps[end - 1].pauses { try peer.pause() }
                begin = end
                continue
            }
            if PairRun.isScan(steps[begin]) {
                answers.append(.scan(try PairRun.scan(steps[begin], peer)))
            } else if let consumer = PairRun.names(consumer: steps[begin]) {
                // Redis 7.2 makes the consumer in any case, 7.0 only when there is something for it.
                let reply = try peer.run([steps[begin]])[0]
                answers.append(.reply(reply))
                if ReplyNode(reply)?.isError == false { _ = try peer.run(consumer) }
            } else {
                // Redis counts keys that are due and not yet removed; KEYS leaves them out.
                let replies = try peer.run([ReplyRule.Elements.keys.question([]), steps[begin]])
                let isCount = ReplyNode(replies[1])?.integer != nil
                answers.append(.reply(isCount ? ":\(ReplyNode(replies[0])?.elements.count ?? 0)\r\n".word : replies[1]))
            }
            begin += 1
        }
        return answers
    }

    /// The commands that make the consumer that a command names, in all streams that it names; nil for other commands.
    private static func names(consumer step: Step) -> [Step]? {
        let words = step.words
        func create(_ key: Word, _ group: Word, _ consumer: Word) -> Step {
            Step(["xgroup".word, "createconsumer".word, key, group, consumer])
        }
        switch step.name {
        case "xclaim", "xautoclaim": return words.count > 3 ? [create(words[1], words[2], words[3])] : nil
        case "xreadgroup":
            let names = words.map(\.lowercasedText)
            guard let group = names.firstIndex(of: "group"), group + 2 < words.count,
                let streams = names.firstIndex(of: "streams")
            else { return nil }
            let keys = words[(streams + 1)...].prefix((words.count - streams - 1) / 2)
            return keys.map { create($0, words[group + 1], words[group + 2]) }
        default: return nil
        }
    }

    // MARK: steps that need questions

    /// What must be known of our side before a step, so that its reply can be judged.
    private static func question(_ step: Step, _ rule: ReplyRule) -> Step? {
        switch rule {
        case .randomKey: return ReplyRule.Elements.keys.question([])
        case .choice(let elements, _): return step.words.count > 1 ? elements.question(step.words[1]) : nil
        case .pop: return step.words.count > 1 ? ReplyRule.Elements.members.question(step.words[1]) : nil
        default: break
        }
        if KnownDifference.isLexical(step) {
            let place = step.name == "zrangestore" ? 2 : 1
            return step.words.count > place ? ReplyRule.Elements.scores.question(step.words[place]) : nil
        }
        if step.name == "object", step.words.count == 3 { return Step(["type".word, step.words[2]]) }
        return nil
    }

    /// A scan, or what is dumped.
    private func runAlone(_ index: Int, _ step: Step, _ theirs: Answer, _ outcome: inout PairOutcome) throws(SubjectError) {
        if PairRun.isScan(step) { return judge(index, step, .scan(try PairRun.scan(step, coracle)), theirs, nil, &outcome) }
        let reply = planted(step, try coracle.run([step])[0])
        judge(index, step, .reply(reply), theirs, nil, &outcome)
        if outcome.mismatch == nil, case .reply(let theirs) = theirs, let wrong = try exchange(step, reply, theirs) {
            outcome.mismatch = Mismatch(
                index: index, line: step.line, name: step.name, ours: reply.literal, theirs: theirs.literal, note: wrong)
        }
        if step.pauses { try coracle.pause() }
    }

    /// Gives each side the other's payload: what Redis dumped must become the value that Coracle has, and what Coracle dumped must
    /// become that value again after a stay in Redis. nil when it does. The peer is through with the sequence by now.
    private func exchange(_ step: Step, _ ours: [UInt8], _ theirs: [UInt8]) throws(SubjectError) -> String? {
        guard let ours = ReplyNode(ours), let theirs = ReplyNode(theirs), !ours.isError, !ours.isNull, !theirs.isNull else {
            return nil
        }
        let key = "kvdiff-moved".word
        func restore(_ payload: Word) -> Step { Step(["restore".word, key, "0".word, payload, "replace".word]) }
        let stay = try peer.run([restore(ours.text), Step(["dump".word, key])])
        if stay[0] != "+OK\r\n".word { return "Redis does not take Coracle's payload: \(stay[0].literal)" }
        guard let returned = ReplyNode(stay[1]) else { return "Redis does not dump what it took" }
        defer { _ = try? coracle.run([Step(["del".word, key]), Step(["del".word, key + key])]) }
        for (payload, whose) in [(theirs.text, "Redis's own payload"), (returned.text, "what came back from Redis")] {
            let copy = Step(["copy".word, step.words[1], key + key, "replace".word])
            let same = Step(["debug".word, "digest-value".word, key, key + key])
            let replies = try coracle.run([
                restore(payload), copy, Step(["persist".word, key + key]), same, Step(["type".word, key]),
            ])
            if replies[0] != "+OK\r\n".word { return "Coracle does not take \(whose): \(replies[0].literal)" }
            // Streams carry times; a HyperLogLog's header its last count.
            if replies[4] == "+stream\r\n".word || ours.text.dropFirst(2).starts(with: "HYLL".word) || ours.text.count > 2000 {
                continue
            }
            guard let digests = ReplyNode(replies[3])?.elements, digests.count == 2 else { return "there is no digest" }
            if digests[0] != digests[1] { return "\(whose) does not make the same value" }
        }
        return nil
    }

    /// Makes what was popped the same: puts ours back and takes the peer's away.
    private func follow(_ step: Step, _ ours: [UInt8], _ theirs: [UInt8]) throws(SubjectError) {
        guard ours != theirs, let ours = ReplyNode(ours), let theirs = ReplyNode(theirs) else { return }
        let mine = ours.isAggregate ? ours.elements.map(\.text) : [ours.text]
        let taken = theirs.isAggregate ? theirs.elements.map(\.text) : [theirs.text]
        if Set(mine) == Set(taken) { return }
        _ = try coracle.run([Step(["sadd".word, step.words[1]] + mine), Step(["srem".word, step.words[1]] + taken)])
    }

    private static func isScan(_ step: Step) -> Bool {
        if case .scan = ShapeTable.rule(of: step) { true } else { false }
    }

    /// Whether a scan begins at the beginning.
    private static func isWhole(_ step: Step) -> Bool {
        let place = step.name == "scan" ? 1 : 2
        return place < step.words.count && step.words[place] == "0".word
    }

    /// Follows a scan from its cursor to the end.
    private static func scan(_ step: Step, _ subject: any Subject) throws(SubjectError) -> WholeScan {
        var scan = WholeScan()
        var step = step
        let place = step.name == "scan" ? 1 : 2
        guard case .scan(let elements) = ShapeTable.rule(of: step) else { return scan }
        for _ in 0..<100_000 {
            guard let reply = ReplyNode(try subject.run([step])[0]) else { throw SubjectError("not a reply") }
            guard reply.isAggregate, reply.elements.count == 2 else {
                scan.failure = reply
                return scan
            }
            let found = reply.elements[1].elements
            if elements.isPaired {
                for pair in ReplyRule.pairs(found) { scan.found[pair[0]] = pair[1] }
            } else {
                for element in found { scan.found[element.text] = [] }
            }
            if reply.elements[0].text == "0".word || place >= step.words.count { return scan }
            step.words[place] = reply.elements[0].text
        }
        throw SubjectError("a scan does not end: \(step.line)")
    }

    // MARK: judging

    private func judge(
        _ index: Int, _ step: Step, _ ours: Answer, _ theirs: Answer, _ before: ReplyNode?, _ outcome: inout PairOutcome
    ) {
        outcome.compared += 1
        var note = ""
        switch (ours, theirs) {
        case (.scan(let mine), .scan(let other)):
            if case .scan(let elements) = ShapeTable.rule(of: step), mine.agrees(other, elements) { return }
            // From anywhere but the beginning, what a scan returns hangs on the layout of the tables.
            if mine.failure == nil, other.failure == nil, !PairRun.isWhole(step) { return }
            if let failure = other.failure, let went = ReplyNode("*0\r\n".word),
                let known = KnownDifference.explain(KnownDifference.Case(step: step, ours: went, theirs: failure, before: nil))
            {
                outcome.differences[known.name, default: 0] += 1
                return
            }
            outcome.mismatch = Mismatch(
                index: index, line: step.line, name: step.name, ours: mine.description, theirs: other.description)
            return
        case (.reply(let mine), .reply(let other)):
            if mine == other && !KnownDifference.isLexical(step) { return }
            guard let ours = ReplyNode(mine), let theirs = ReplyNode(other) else {
                outcome.mismatch = Mismatch(
                    index: index, line: step.line, name: step.name, ours: mine.literal, theirs: other.literal,
                    note: "not one RESP reply")
                return
            }
            let found = KnownDifference.Case(step: step, ours: ours, theirs: theirs, before: before)
            if mine != other || before?.isAggregate == true, let known = KnownDifference.explain(found) {
                outcome.differences[known.name, default: 0] += 1
                outcome.endedEarly = known.endsSequence && !PairRun.onlyReads(step)
                return
            }
            if mine == other || agrees(step, ours, theirs, before, &note) { return }
            outcome.mismatch = Mismatch(
                index: index, line: step.line, name: step.name, ours: ours.description, theirs: theirs.description, note: note)
        default:
            outcome.mismatch = Mismatch(
                index: index, line: step.line, name: step.name, ours: "", theirs: "", note: "the sides took the step differently")
        }
    }

    private func agrees(_ step: Step, _ ours: ReplyNode, _ theirs: ReplyNode, _ before: ReplyNode?, _ note: inout String) -> Bool
    {
        let rule = ShapeTable.rule(of: step)
        guard let before, !ours.isError, !theirs.isError else { return rule.agrees(step, ours, theirs) }
        let choice: RandomChoice
        switch rule {
        case .randomKey: choice = RandomChoice(elements: .keys, option: nil, step: step, before: before)
        case .choice(let elements, let option):
            choice = RandomChoice(elements: elements, option: option, step: step, before: before)
        case .pop: choice = RandomChoice(elements: .members, option: nil, step: step, before: before)
        default: return rule.agrees(step, ours, theirs)
        }
        guard let wrong = choice.judge(ours, theirs) else { return true }
        note = wrong
        return false
    }

    /// Whether a command surely changes no data.
    private static func onlyReads(_ step: Step) -> Bool {
        guard let name = step.words.first, let command = name.withView({ CommandTable.standard.find($0) }) else { return true }
        let writing = command.definition.readsWithout.map { "\($0)" }
        if !writing.isEmpty { return !step.words.contains { writing.contains($0.lowercasedText) } }
        return command.scope == .read
    }
}
