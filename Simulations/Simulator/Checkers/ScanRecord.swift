import Base

/// What a client that scans knows: the elements that it puts in and takes out, and the scan that it has under way.
///
/// Redis's promise (SCAN, "Scan guarantees"): a whole scan returns every element that is there from its beginning to its end, and none
/// that was gone before it began. Here a scan goes on where it was after a leader change and on other nodes, and each of its
/// pages is linearizable: what was certainly gone when the page was asked for is not on it.
struct ScanRecord {
    /// What is scanned.
    enum Place: CaseIterable, Sendable { case keys, hash, set, sortedSet }

    private struct Element {
        var addedAt: Instant?
        var removeSentAt: Instant?
        var removedAt: Instant?
    }

    let place: Place
    private let name: String
    /// Elements are put in until there are so many, then taken out until few are left, and so on: tables grow and shrink under the scan.
    private let sizeMax: Int
    private var grows = true
    private var elements: [Element] = []

    private var cursor: [UInt8] = Array("0".utf8)
    /// When the scan under way was begun; nil between two.
    private var began: Instant?
    private var isSeen: [Bool] = []
    /// Scans that came to their end.
    private(set) var completed = 0

    /// - Parameters:
    ///   - name: begins the names of all keys that the client uses; nobody else's begin so.
    ///   - sizeMax: elements that there are at most, about.
    init(place: Place, name: String, sizeMax: Int) {
        check(sizeMax > 0, "a scan needs something to find")
        self.place = place
        self.name = name
        self.sizeMax = sizeMax
    }

    // MARK: changes

    /// The next change: numbers of elements to put in, or to take out.
    mutating func drawChange(_ random: inout RandomGenerator) -> (adds: Bool, numbers: [Int]) {
        let present = elements.indices.filter { elements[$0].addedAt != nil && elements[$0].removeSentAt == nil }
        if present.count >= sizeMax { grows = false }
        if present.count <= sizeMax / 10 { grows = true }
        let count = 1 + random.index(below: max(2, sizeMax / 6))
        if grows { return (true, Array(elements.count..<elements.count + count)) }
        let start = random.index(below: present.count)
        return (false, Array(present[start..<min(present.count, start + count)]))
    }

    /// Elements are about to be put in.
    mutating func adding(_ numbers: [Int]) {
        check(numbers.first == elements.count, "numbers are given once")
        elements += numbers.map { _ in Element() }
    }

    mutating func added(_ numbers: [Int], at time: Instant) { for number in numbers { elements[number].addedAt = time } }

    /// Elements are about to be taken out.
    mutating func removing(_ numbers: [Int], at time: Instant) {
        for number in numbers {
            check(
                elements[number].addedAt != nil, "only what is certainly there is taken out: a late command would bring it back")
            elements[number].removeSentAt = time
        }
    }

    mutating func removed(_ numbers: [Int], at time: Instant) { for number in numbers { elements[number].removedAt = time } }

    // MARK: pages

    /// The next page is about to be asked for.
    mutating func asking(at time: Instant) {
        if began != nil { return }
        began = time
        cursor = Array("0".utf8)
        isSeen = []
    }

    /// A page that was asked for at `sentAt` has come at `time`.
    mutating func take(_ reply: Reply, sentAt: Instant, at time: Instant) throws(Violation) {
        guard case .array(let parts) = reply, parts.count == 2, case .bulk(let next) = parts[0],
            case .array(let found) = parts[1],
            let began
        else { throw Violation(.reply, "a scan is answered with \(reply)") }
        let hasValues = place == .hash || place == .sortedSet
        for index in stride(from: 0, to: found.count, by: hasValues ? 2 : 1) {
            guard case .bulk(let bytes) = found[index] else { throw Violation(.reply, "a scan finds \(found[index])") }
            guard let number = number(of: bytes) else {
                if place == .keys { continue }
                throw Violation(.scan, "a scan finds \(abbreviated(bytes)), which nobody put in")
            }
            if let removedAt = elements[number].removedAt, removedAt < sentAt {
                throw Violation(
                    .scan,
                    "element \(number) was taken out at \(seconds(removedAt)), and a page asked for at \(seconds(sentAt)) has it")
            }
            while isSeen.count < elements.count { isSeen.append(false) }
            isSeen[number] = true
        }
        cursor = next
        if cursor != Array("0".utf8) { return }
        for (number, element) in elements.enumerated() {
            guard let addedAt = element.addedAt, addedAt < began, element.removeSentAt == nil else { continue }
            if number >= isSeen.count || !isSeen[number] {
                throw Violation(
                    .scan,
                    "element \(number) was there from \(seconds(addedAt)) on, and the scan from \(seconds(began)) to \(seconds(time)) has not returned it"
                )
            }
        }
        completed += 1
        self.began = nil
    }

    // MARK: words

    private func word(_ number: Int) -> [UInt8] { Array("\(name).\(number)".utf8) }

    private func number(of bytes: [UInt8]) -> Int? {
        let prefix = Array("\(name).".utf8)
        guard bytes.starts(with: prefix), let number = Int(String(decoding: bytes.dropFirst(prefix.count), as: UTF8.self)),
            elements.indices.contains(number)
        else { return nil }
        return number
    }

    func words(adding numbers: [Int]) -> [[UInt8]] {
        let value = Array("1".utf8)
        return switch place {
        case .keys: [Array("MSET".utf8)] + numbers.flatMap { [word($0), value] }
        case .hash: [Array("HSET".utf8), Array(name.utf8)] + numbers.flatMap { [word($0), value] }
        case .set: [Array("SADD".utf8), Array(name.utf8)] + numbers.map { word($0) }
        case .sortedSet: [Array("ZADD".utf8), Array(name.utf8)] + numbers.flatMap { [Array(String($0 % 17).utf8), word($0)] }
        }
    }

    func words(removing numbers: [Int]) -> [[UInt8]] {
        switch place {
        case .keys: [Array("UNLINK".utf8)] + numbers.map { word($0) }
        case .hash: [Array("HDEL".utf8), Array(name.utf8)] + numbers.map { word($0) }
        case .set: [Array("SREM".utf8), Array(name.utf8)] + numbers.map { word($0) }
        case .sortedSet: [Array("ZREM".utf8), Array(name.utf8)] + numbers.map { word($0) }
        }
    }

    /// The command for the next page, of about `count` elements.
    func words(count: Int) -> [[UInt8]] {
        let command =
            switch place {
            case .keys: "SCAN"
            case .hash: "HSCAN"
            case .set: "SSCAN"
            case .sortedSet: "ZSCAN"
            }
        let key = place == .keys ? [] : [Array(name.utf8)]
        return [Array(command.utf8)] + key + [cursor, Array("COUNT".utf8), Array(String(count).utf8)]
    }
}
