/// Makes a failing sequence as short as it can be while it still shows the same difference.
package struct Shrinker {
    /// Runs a sequence; nil when nothing differs.
    private let run: (CommandSequence) -> Mismatch?
    /// Runs that are left.
    private var budget: Int

    /// - Parameters:
    ///   - budget: runs at most.
    ///   - run: runs a sequence.
    package init(budget: Int = 3000, run: @escaping (CommandSequence) -> Mismatch?) {
        self.budget = budget
        self.run = run
    }

    /// The shortest sequence found, with what differs in it.
    package mutating func shrink(_ sequence: CommandSequence, _ mismatch: Mismatch) -> (CommandSequence, Mismatch) {
        var best = sequence
        var found = mismatch
        best.steps = Array(best.steps.prefix(mismatch.index + 1))
        if let again = attempt(best, mismatch) { found = again } else { return (sequence, mismatch) }
        for simpler in [{ $0.isVersionThree = false }, { $0.forms = .usual }] as [(inout CommandSequence) -> Void] {
            var candidate = best
            simpler(&candidate)
            if candidate != best, let again = attempt(candidate, found) { (best, found) = (cut(candidate, again), again) }
        }
        var size = 0
        repeat {
            size = best.steps.reduce(0) { $0 + $1.words.count }
            dropSteps(&best, &found)
            shortenWords(&best, &found)
        } while budget > 0 && best.steps.reduce(0, { $0 + $1.words.count }) < size
        return (best, found)
    }

    /// Runs a candidate; the mismatch when the same command differs, and at the end of the sequence or before.
    private mutating func attempt(_ candidate: CommandSequence, _ wanted: Mismatch) -> Mismatch? {
        if budget == 0 { return nil }
        budget -= 1
        guard let found = run(candidate), found.name == wanted.name else { return nil }
        return found
    }

    private func cut(_ sequence: CommandSequence, _ mismatch: Mismatch) -> CommandSequence {
        var sequence = sequence
        sequence.steps = Array(sequence.steps.prefix(mismatch.index + 1))
        return sequence
    }

    /// Drops commands: halves first, then ever smaller parts, at last one by one.
    private mutating func dropSteps(_ best: inout CommandSequence, _ found: inout Mismatch) {
        var part = max(1, best.steps.count / 2)
        while budget > 0 {
            var begin = 0
            while begin + 1 < best.steps.count {
                var candidate = best
                candidate.steps.removeSubrange(begin..<min(begin + part, best.steps.count - 1))
                if let again = attempt(candidate, found) {
                    (best, found) = (cut(candidate, again), again)
                } else {
                    begin += part
                }
            }
            if part == 1 { return }
            part = max(1, part / 2)
        }
    }

    /// Drops arguments and makes those that stay shorter.
    private mutating func shortenWords(_ best: inout CommandSequence, _ found: inout Mismatch) {
        var index = 0
        while index < best.steps.count {
            var place = best.steps[index].words.count - 1
            while place > 0 {
                for words in Shrinker.shorter(best.steps[index].words, place) {
                    var candidate = best
                    candidate.steps[index].words = words
                    if let again = attempt(candidate, found) {
                        (best, found) = (cut(candidate, again), again)
                        break
                    }
                }
                if index >= best.steps.count { return }
                place = min(place - 1, best.steps[index].words.count - 1)
            }
            index += 1
        }
    }

    /// The words with one, or one and the next, left out, or with a shorter one. Never a deadline that is near.
    private static func shorter(_ words: [Word], _ place: Int) -> [[Word]] {
        var candidates: [[Word]] = []
        var without = words
        without.remove(at: place)
        if place < without.count {
            var twoLess = without
            twoLess.remove(at: place)
            candidates.append(twoLess)
        }
        candidates.append(without)
        let word = words[place]
        var texts: [Word] = []
        if word.count > 1 { texts.append("a".word) }
        if word.count > 1 || (word.first ?? 0x30) > 0x39 { texts.append("0".word) }
        if word.count > 3, word.contains(where: { $0 < 0x30 || $0 > 0x39 }) { texts.append(Word(word.prefix(word.count / 2))) }
        for text in texts {
            var candidate = words
            candidate[place] = text
            candidates.append(candidate)
        }
        return candidates
    }
}
