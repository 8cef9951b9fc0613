/// A snapshot as a picture has it: nodes with the moments of their records, markers, and what was in flight. Times are microseconds.
package struct SpaceTime: Equatable, Sendable {
    /// A line of the picture.
    package struct Node: Equatable, Sendable {
        package var id: Int
        /// Beside the line: "leader, term 3".
        package var note: String
        /// By the node's own clock, since 1970; nil of a node that is missing.
        package var recordedAt: Double?
        /// How long it held its replies after its record; 0 where it did not.
        package var heldFor: Double

        package init(id: Int, note: String, recordedAt: Double?, heldFor: Double = 0) {
            self.id = id
            self.note = note
            self.recordedAt = recordedAt
            self.heldFor = heldFor
        }
    }

    /// The marker from one node to another, or that none came.
    package struct Marker: Equatable, Sendable {
        package var from: Int
        package var to: Int
        /// After the receiver's record; nil where the part does not say.
        package var arrivedAfter: Double?
        /// Nil when it came; else why the recording of the channel ended without it.
        package var absence: String?

        package init(from: Int, to: Int, arrivedAfter: Double?, absence: String? = nil) {
            self.from = from
            self.to = to
            self.arrivedAfter = arrivedAfter
            self.absence = absence
        }
    }

    /// Frames that crossed the cut on one channel.
    package struct Flight: Equatable, Sendable {
        package var from: Int
        package var to: Int
        package var count: Int
        package var bytes: Int
        /// What they were, in order of their first one, with their counts.
        package var kinds: [Kind]

        package struct Kind: Equatable, Sendable {
            package var name: String
            package var count: Int

            package init(name: String, count: Int) {
                self.name = name
                self.count = count
            }
        }

        /// - Parameter frames: what each was; empty where the content was dropped.
        package init(from: Int, to: Int, count: Int, bytes: Int, frames: [String]) {
            self.from = from
            self.to = to
            self.count = count
            self.bytes = bytes
            kinds = []
            for frame in frames {
                if let index = kinds.firstIndex(where: { $0.name == frame }) {
                    kinds[index].count += 1
                } else {
                    kinds.append(Kind(name: frame, count: 1))
                }
            }
        }

        /// "1 -> 2: 3 frames, 1.2 KiB: append (2), heartbeat".
        package var text: String {
            var text = "\(from) → \(to): \(count) \(count == 1 ? "frame" : "frames"), \(StatusText.bytes(Int64(bytes)))"
            if !kinds.isEmpty {
                text += ": " + kinds.map { $0.count == 1 ? $0.name : "\($0.name) (\($0.count))" }.joined(separator: ", ")
            }
            return text
        }
    }

    package var title: String
    package var subtitle: String
    /// In order of their numbers.
    package var nodes: [Node]
    package var markers: [Marker]
    package var flights: [Flight]
    /// Sentences below the picture.
    package var notes: [String]

    package init(title: String, subtitle: String, nodes: [Node], markers: [Marker], flights: [Flight], notes: [String] = []) {
        self.title = title
        self.subtitle = subtitle
        self.nodes = nodes
        self.markers = markers
        self.flights = flights
        self.notes = notes
    }

    // MARK: places in time

    /// Where things are in the picture's time, which begins with the first record.
    package struct Places: Equatable, Sendable {
        /// Records by node; nodes that are missing have none.
        package var records: [Int: Double] = [:]
        /// Beside `markers`: when each came, or when it was given up; nil where the receiver or the sender has no record.
        package var arrivals: [Double?] = []
        /// By how much a node is later than its clock says, so that no marker arrives before it was sent.
        package var shifts: [Int: Double] = [:]
        /// The last moment.
        package var end = 0.0
        /// Whether some arrivals are guesses, because the parts do not say.
        package var hasGuesses = false
    }

    /// Times by the nodes' clocks. Where a marker would arrive before it was sent, its receiver (and what follows from it) is moved: what happened before
    /// what is certain, clocks are not. Durations are of one clock each, so that a round always ends later than it began, and this ends.
    package func places() -> Places {
        var places = Places()
        let recorded = nodes.compactMap { node in node.recordedAt.map { (node.id, $0) } }
        guard let first = recorded.map(\.1).min() else { return places }
        for (id, time) in recorded { places.records[id] = time - first }
        for _ in recorded {
            for marker in markers where marker.absence == nil {
                guard let sent = places.records[marker.from], let record = places.records[marker.to] else { continue }
                let late = sent - (record + (marker.arrivedAfter ?? 0))
                // Less than a microsecond is rounding.
                if marker.arrivedAfter != nil && late >= 1 {
                    places.records[marker.to] = record + late
                    places.shifts[marker.to, default: 0] += late
                }
            }
        }
        let start = places.records.values.min() ?? 0
        for (id, time) in places.records { places.records[id] = time - start }
        let span = places.records.values.max() ?? 0
        for marker in markers {
            guard let record = places.records[marker.to], let sent = places.records[marker.from] else {
                places.arrivals.append(nil)
                continue
            }
            if let after = marker.arrivedAfter {
                places.arrivals.append(record + after)
            } else {
                places.hasGuesses = true
                places.arrivals.append(max(record, sent + max(span, 1) / 4))
            }
        }
        places.end = (places.arrivals.compactMap { $0 } + Array(places.records.values)).max() ?? 0
        return places
    }

    /// What has to be said about clocks.
    package func clockNotes(_ places: Places) -> [String] {
        var notes: [String] = []
        for node in nodes {
            guard let shift = places.shifts[node.id] else { continue }
            notes.append(
                "Clocks disagree: by its own, node \(node.id) got a marker before it was sent; it is drawn \(SpaceTime.duration(shift)) later."
            )
        }
        if places.hasGuesses {
            notes.append("The parts are of an older format and do not say when markers came: where the arrows end is a guess.")
        }
        return notes
    }

    /// "850 µs", "1.25 ms", "3.2 s".
    package static func duration(_ microseconds: Double) -> String {
        if microseconds < 1_000 { return "\(fixed(microseconds, 0)) µs" }
        if microseconds < 1_000_000 { return "\(fixed(microseconds / 1_000, 2)) ms" }
        return "\(fixed(microseconds / 1_000_000, 2)) s"
    }
}
