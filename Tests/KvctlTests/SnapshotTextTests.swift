import Base
import RESP
import Testing

import kvctl

@Suite struct SnapshotFactsTests {
    private func map(_ fields: [(String, Reply)]) -> Reply {
        .array(fields.flatMap { [.bulk(Array($0.0.utf8)), $0.1] })
    }
    private func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

    @Test func aStatusIsRead() throws {
        let part = map([("node", .integer(2)), ("strict", .integer(1))])
        let missing = map([("node", .integer(3)), ("reason", text("never heard of"))])
        let facts = try #require(
            SnapshotFacts(
                map([
                    ("id", text("77")), ("state", text("partial")), ("strict", .integer(0)), ("part", text("stored")),
                    ("part-bytes", .integer(4096)), ("manifest-bytes", .integer(8192)), ("in-flight", .integer(5)),
                    ("parts", .array([part])), ("missing", .array([missing])), ("something-new", .null),
                ])))
        #expect(facts.id == "77" && facts.state == "partial" && !facts.isStrict && facts.part == "stored")
        #expect(facts.partBytes == 4096 && facts.manifestBytes == 8192 && facts.inFlight == 5)
        #expect(facts.parts == [2] && facts.missing == [.init(node: 3, reason: "never heard of")])
        #expect(SnapshotFacts.text(facts.missing) == "node 3: never heard of")
    }

    @Test func whatIsNoStatusIsRefused() {
        #expect(SnapshotFacts(.integer(1)) == nil && SnapshotFacts(.array([.integer(1)])) == nil)
        #expect(SnapshotFacts(map([("id", text("1"))])) == nil)
    }
}

@Suite struct SnapshotDifferenceTests {
    private func value(_ type: String, _ size: Int, _ version: UInt64, deadline: Int64? = nil) -> KeyspaceDifference.Value {
        .init(type: type, size: size, version: version, deadline: deadline)
    }

    private func figures(_ node: Int, _ role: String, applied: UInt64, digest: String) -> SnapshotFigures {
        SnapshotFigures(node: node, run: 1, role: role, term: 3, commit: applied, applied: applied, keys: 2, digest: digest)
    }

    private func side(_ path: String, _ cluster: String, _ milliseconds: Int64, _ nodes: [SnapshotFigures])
        -> SnapshotDifference.Side
    {
        SnapshotDifference.Side(
            path: path, id: "5", cluster: cluster, milliseconds: milliseconds, outcome: "complete", isStrict: true, nodes: nodes,
            source: nodes.first?.node ?? 0, index: nodes.first?.applied ?? 0, problem: path == "new" ? "a reason" : nil)
    }

    private func data() -> KeyspaceDifference {
        var data = KeyspaceDifference()
        data.equal = 1234
        data.added.add(.init(database: 0, name: Array("b\n".utf8), before: nil, after: value("list", 1, 9)), limit: 1)
        data.added.add(.init(database: 0, name: Array("a".utf8), before: nil, after: value("hash", 2, 8)), limit: 1)
        data.changed.add(
            .init(
                database: 3, name: Array("c".utf8), before: value("string", 1, 2),
                after: value("string", 7, 10, deadline: 1_795_273_445_678)), limit: 1)
        return data
    }

    @Test func theFirstKeysByDatabaseAndNameAreKept() {
        var group = KeyspaceDifference.Group()
        for name in [[5], [1, 2], [1], [9], [0xFF], [1, 1]] as [[UInt8]] {
            group.add(.init(database: name == [0xFF] ? 0 : 1, name: name, before: nil, after: nil), limit: 3)
        }
        #expect(group.count == 6 && group.first.map(\.name) == [[0xFF], [1], [1, 1]])
        var none = KeyspaceDifference.Group()
        none.add(.init(database: 0, name: [1], before: nil, after: nil), limit: 0)
        #expect(none.count == 1 && none.first.isEmpty)
    }

    @Test func theTextSaysWhatDiffers() {
        let difference = SnapshotDifference(
            before: side(
                "old", "00", 1_795_273_445_000,
                [figures(1, "leader", applied: 10, digest: "x"), figures(2, "follower", applied: 10, digest: "x")]),
            after: side("new", "00", 1_795_273_446_250, [figures(1, "follower", applied: 20, digest: "y")]), data: data())
        #expect(
            difference.text == """
                old: snapshot 5, 2026-11-21 15:04:05.000 UTC, complete, a point in real time
                new: snapshot 5, 2026-11-21 15:04:06.250 UTC, complete, a point in real time
                the same cluster, 1.250 s later
                NODE  RUN           ROLE                 TERM          COMMIT         APPLIED        KEYS          DIGEST
                1     1             leader -> follower   3             10 -> 20       10 -> 20       2             differs
                2     1 -> missing  follower -> missing  3 -> missing  10 -> missing  10 -> missing  2 -> missing  -
                data, as restored: entry 10 of node 1 -> entry 20 of node 1
                  new can't be restored (a reason); what node 1 has applied is compared
                  2 keys added, 0 removed, 1 changed, 1,234 alike
                  added:
                    "a": hash, 2 fields, version 8
                    … and 1 more (--keys)
                  changed:
                    database 3 "c": string, 1 byte, version 2 -> string, 7 bytes, version 10, expires 2026-11-21 15:04:05.678

                """)
    }

    @Test func differentClustersAreSaidAndTheirVersionsLeftOut() {
        let difference = SnapshotDifference(
            before: side("old", "00", 1, [figures(1, "leader", applied: 10, digest: "x")]),
            after: side("new", "11", 2, [figures(1, "leader", applied: 10, digest: "x")]), data: data())
        #expect(difference.text.contains("different clusters: 00 and 11") && !difference.text.contains("version"))
        #expect(difference.json.contains("\"sameCluster\":false") && difference.json.contains("\"name\":\"a\""))
        #expect(difference.json.contains("\"deadline\":1795273445678"))
    }

    @Test func momentsAsTexts() {
        #expect(UTC.text(milliseconds: 0) == "1970-01-01 00:00:00.000" && UTC.text(milliseconds: -1) == "1969-12-31 23:59:59.999")
        #expect(UTC.name(milliseconds: 1_795_273_445_678) == "20261121T150405Z")
    }
}

@Suite struct SpaceTimeTests {
    private func marker(_ from: Int, _ to: Int, _ after: Double?) -> SpaceTime.Marker {
        SpaceTime.Marker(from: from, to: to, arrivedAfter: after)
    }

    private func picture(_ records: [Double?], _ markers: [SpaceTime.Marker], _ flights: [SpaceTime.Flight] = []) -> SpaceTime {
        SpaceTime(
            title: "Snapshot <1>", subtitle: "\"quoted\" & 'more'\u{7}",
            nodes: records.enumerated().map {
                .init(id: $0 + 1, note: $1 == nil ? "missing" : "follower, term 3", recordedAt: $1, heldFor: $1 == nil ? 0 : 50)
            }, markers: markers, flights: flights, notes: ["Node 3 is missing: no answer."])
    }

    /// Nothing is moved where the clocks agree with what was first.
    @Test func placesAreByTheClocks() {
        let places = picture([1_000_100, 1_000_000, nil], [marker(2, 1, 0), marker(1, 2, 230), marker(3, 1, 5)]).places()
        #expect(places.records == [1: 100, 2: 0] && places.shifts.isEmpty && places.end == 230)
        #expect(places.arrivals == [100, 230, nil])
    }

    /// Node 2 recorded on node 1's marker, and its clock is behind: it is moved, and node 3, which recorded on node 2's, with it.
    @Test func aMarkerNeverArrivesBeforeItWasSent() {
        let picture = picture(
            [500, 100, 200],
            [marker(1, 2, 0), marker(2, 3, 0), marker(2, 1, 300), marker(3, 1, 310), marker(1, 3, 40), marker(3, 2, 60)])
        let places = picture.places()
        for (marker, arrival) in zip(picture.markers, places.arrivals) {
            #expect(arrival ?? -1 >= places.records[marker.from] ?? .infinity, "\(marker)")
        }
        #expect(places.shifts == [2: 400, 3: 300])
        #expect(picture.clockNotes(places).count == 2)
        #expect(picture.clockNotes(places)[0].contains("node 2") && picture.clockNotes(places)[0].contains("400 µs"))
    }

    @Test func olderPartsGiveAGuessAndSaySo() {
        let picture = picture([0, 100], [marker(1, 2, nil), marker(2, 1, nil)])
        let places = picture.places()
        #expect(places.arrivals == [100, 125] && places.hasGuesses)
        #expect(picture.clockNotes(places).contains { $0.contains("guess") })
    }

    @Test func thePictureHasEverythingAndNothingFromOutside() {
        let many = SpaceTime.Flight(from: 1, to: 2, count: 12, bytes: 2048, frames: ["append", "heartbeat", "append"])
        let one = SpaceTime.Flight(from: 2, to: 1, count: 2, bytes: 10, frames: ["commands", "commands"])
        var drawn = picture([0, 100, nil], [marker(1, 2, 0), marker(2, 1, 250)], [many, one])
        drawn.markers.append(SpaceTime.Marker(from: 3, to: 1, arrivedAfter: 400, absence: "none within the time limit"))
        let svg = drawn.svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        for word in [
            "node 1", "node 3", "missing", "class=\"cut\"", "12 frames, 2.0 KiB: append (2), heartbeat",
            "2 → 1: 2 frames, 10 B: commands (2)",
            "prefers-color-scheme: dark", "Node 3 is missing: no answer.", "frames many", "replies held",
        ] {
            #expect(svg.contains(word), "\(word)")
        }
        #expect(svg.contains("Snapshot &lt;1&gt;") && svg.contains("&quot;quoted&quot; &amp; &#39;more&#39; "))
        for word in ["http", "script", "href", "@import"] {
            #expect(!svg.replacing("http://www.w3.org/2000/svg", with: "").contains(word), "\(word)")
        }
        // Few frames have an arrow each, many have one.
        #expect(
            svg.split(separator: "class=\"frames\"").count == 1 + 2 + 1
                && svg.split(separator: "class=\"frames many\"").count == 2)
    }

    @Test(arguments: [[], [nil], [7], [0, 0]] as [[Double?]]) func smallPicturesAreDrawn(_ records: [Double?]) {
        let svg = picture(records, records.count == 2 ? [marker(1, 2, 0), marker(2, 1, 0)] : []).svg
        #expect(svg.hasSuffix("</svg>\n") && !svg.contains("nan") && !svg.contains("inf"))
    }
}

@Suite struct ProgressBarTests {
    @Test func bytesAreShown() {
        #expect(
            ProgressBar.line("fetching", bytes: 1 << 20, of: 2 << 20)
                == "fetching [###############---------------]  50 %  1.0 MiB of 2.0 MiB")
        #expect(ProgressBar.line("fetching", bytes: 0, of: 0).contains("100 %"))
    }
}

@Suite struct ScheduleTests {
    @Test(arguments: [("30s", 30), ("15m", 900), ("1h", 3600), ("2d", 172_800), ("366d", 31_622_400)] as [(String, UInt64)])
    func intervalsAreRead(_ text: String, _ seconds: UInt64) {
        #expect(Interval(argument: text)?.seconds == seconds && Interval(seconds: seconds).argumentText == text)
    }

    @Test(arguments: [
        "", "s", "0s", "-1s", "+1s", "1", "1.5h", "1w", "h1", "367d", "99999999999999999999d", "18446744073709551615d",
    ])
    func whatIsNoIntervalIsRefused(_ text: String) { #expect(Interval(argument: text) == nil) }

    @Test(arguments: [
        "20261121T150405Z-7529932049822516225", "20261121T150405Z-7-partial", "20261121T150405Z-7.removing",
        "20261121T150405Z-7-partial.removing",
        "20261121T150405Z.unfinished",
    ]) func namesAreReadAsTheyAreWritten(_ text: String) { #expect(ShelfName(text)?.text == text) }

    @Test(arguments: [
        "", "notes", "20261121T150405Z", "20261121T150405Z-", "20261121T150405Z-0", "20261121T150405Z-07", "20261121T150405Z-x",
        "20261121T150405Z-+7",
        "2026-11-21T15:04:05Z-7", "20261121T150405Z-7.old", "20261121T150405Z-7-partial-partial",
        "20261121T150405Z.unfinished.removing",
        "20261121T150405Z-18446744073709551616", "x20261121T150405Z-7",
    ]) func otherNamesAreNobodysBusiness(_ text: String) { #expect(ShelfName(text).map { $0.text == text } ?? false == false) }

    private func surplus(_ names: [String], keep: Int, newest: String) -> [String] {
        ShelfName.surplus(names.compactMap { ShelfName($0) }, keep: keep, newest: ShelfName(newest) ?? ShelfName(moment: "")).map(
            \.text)
    }

    /// By number, not by what the clock said, and whole ones and partial ones by themselves.
    @Test func theOldestGoOfEachKind() {
        let (a, b, c, d) = ("20260101T000000Z-5", "20260102T000000Z-6", "20250101T000000Z-7", "20260103T000000Z-8")
        let partial = ["20260101T000000Z-1-partial", "20260101T000000Z-2-partial"]
        let all = [d, b, "20260101T000000Z.unfinished", c, a, "20260101T000000Z-4.removing"] + partial
        #expect(surplus(all, keep: 2, newest: d) == [a, b])
        #expect(surplus(all, keep: 1, newest: d) == [a, b, c])
        #expect(surplus(all, keep: 4, newest: d).isEmpty && surplus(all, keep: 9, newest: d).isEmpty)
        #expect(surplus(all, keep: 1, newest: partial[1]) == [partial[0]])
        // What was just made never goes, whatever its number.
        #expect(surplus(all, keep: 1, newest: a) == [b, c, d])
    }
}
