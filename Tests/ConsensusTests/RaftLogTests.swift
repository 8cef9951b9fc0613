import Base
import Testing

@testable import Consensus

@Suite struct RaftLogTests {
    private func makeLog(_ terms: [UInt64]) -> RaftLog {
        var log = RaftLog(baseIndex: .zero, baseTerm: .zero, runs: [], lastIndex: .zero, tail: [])
        for entry in makeEntries(terms) { log.append(entry) }
        return log
    }

    /// Appends, cuts, evictions and questions, against a plain array of terms.
    @Test func aLogAgreesWithAPlainArray() {
        for seed in 1...UInt64(40) {
            var generator = RandomGenerator(seed: seed)
            var log = makeLog([])
            var terms: [UInt64] = []
            var evicted = 0
            for _ in 0..<200 {
                switch generator.next(below: 6) {
                case 0...2:
                    let term = (terms.last ?? 1) + (generator.chance(1, in: 4) ? generator.next(below: 3) : 0)
                    terms.append(term)
                    let index = LogIndex(UInt64(terms.count))
                    log.append(Entry(term: Term(term), index: index, kind: .command, payload: Array("\(term)".utf8)))
                case 3:
                    guard terms.count > evicted else { continue }
                    let keep = evicted + generator.index(below: terms.count - evicted)
                    log.truncate(from: LogIndex(UInt64(keep + 1)))
                    terms.removeSubrange(keep...)
                case 4:
                    let limit = generator.index(below: terms.count + 1)
                    log.evict(through: LogIndex(UInt64(limit)), bytesMax: generator.index(below: 2000))
                    evicted = Int(log.firstCachedIndex.rawValue) - 1
                    #expect(evicted <= max(limit, evicted))
                default:
                    check(log, against: terms, &generator)
                }
            }
            check(log, against: terms, &generator)
        }
    }

    private func check(_ log: RaftLog, against terms: [UInt64], _ generator: inout RandomGenerator) {
        #expect(log.lastIndex == LogIndex(UInt64(terms.count)))
        #expect(log.lastTerm == Term(terms.last ?? 0))
        for index in 0...terms.count + 1 {
            let expected: Term? = index == 0 ? .zero : index <= terms.count ? Term(terms[index - 1]) : nil
            if log.term(at: LogIndex(UInt64(index))) != expected { Issue.record("term at \(index)") }
        }
        let limit = generator.index(below: terms.count + 3)
        let most = generator.next(below: (terms.last ?? 0) + 2)
        let plain = terms.prefix(limit).lastIndex { $0 <= most }.map { $0 + 1 } ?? 0
        #expect(log.lastIndex(notAfter: LogIndex(UInt64(limit)), termAtMost: Term(most)) == LogIndex(UInt64(plain)))
        let cached = log.entries(from: log.firstCachedIndex, through: log.lastIndex) ?? []
        #expect(cached.map(\.term.rawValue) == Array(terms.suffix(cached.count)))
        #expect(log.cachedBytes == cached.reduce(0) { $0 + $1.payload.count + RaftLog.entryOverheadBytes })
    }

    @Test func evictionKeepsWhatIsAboveTheLimit() {
        var log = makeLog([1, 1, 1, 1])
        log.evict(through: LogIndex(2), bytesMax: 0)
        #expect(log.firstCachedIndex == LogIndex(3))
        #expect(log.entries(from: LogIndex(2), through: LogIndex(3)) == nil)
        #expect(log.term(at: LogIndex(1)) == Term(1))
        log.evict(through: LogIndex(4), bytesMax: 1000)
        #expect(log.firstCachedIndex == LogIndex(3))
    }

    @Test func slicesAreSharedWhileTheyAreTheSame() {
        var log = makeLog([1, 1, 1])
        let one = log.slice(from: LogIndex(2), bytesMax: .max)
        let other = log.slice(from: LogIndex(2), bytesMax: .max)
        #expect(one == other)
        let same = one.withUnsafeBufferPointer { a in other.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress } }
        #expect(same)
        log.truncate(from: LogIndex(3))
        log.append(Entry(term: Term(2), index: LogIndex(3), kind: .empty, payload: []))
        #expect(log.slice(from: LogIndex(2), bytesMax: .max).map(\.term.rawValue) == [1, 2])
    }

    @Test(arguments: [(4, 3, true), (5, 3, true), (3, 3, false), (1, 4, true), (9, 2, false)])
    func upToDateIsByTermThenLength(index: UInt64, term: UInt64, expected: Bool) {
        #expect(makeLog([1, 2, 3, 3]).isUpToDate(index: LogIndex(index), term: Term(term)) == expected)
    }
}
