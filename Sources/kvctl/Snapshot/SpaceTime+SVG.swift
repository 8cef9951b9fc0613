extension SpaceTime {
    /// Measures of the picture, in units of its view box.
    private enum Size {
        static let width = 960.0
        static let left = 170.0
        static let right = 60.0
        /// Room before the first record, for what was sent before it.
        static let before = 130.0
        static let top = 96.0
        static let line = 84.0
        static let row = 20.0
    }

    /// The picture: an SVG document without anything from outside. It has a background of its own and follows the viewer's light or dark colours.
    package var svg: String {
        let places = places()
        let bottom = Size.top + Double(max(nodes.count, 1) - 1) * Size.line
        var drawing = Drawing()
        drawAxis(&drawing, places, bottom)
        drawCut(&drawing, places, bottom)
        for (index, node) in nodes.enumerated() { draw(node, at: y(index), &drawing, places) }
        drawMarkers(&drawing, places)
        let texts = drawFlights(&drawing, places)
        drawTimes(&drawing, places)
        var below = bottom + 92
        drawLegend(&drawing, &below)
        for text in texts + notes + clockNotes(places) {
            drawing.text(Size.left - 140, below, text, "small")
            below += Size.row
        }
        let height = SpaceTime.number(below + 8)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(SpaceTime.number(Size.width)) \(height)" \
            width="\(SpaceTime.number(Size.width))" height="\(height)" role="img">
            <title>\(SpaceTime.escaped(title))</title>
            <desc>\(SpaceTime.escaped(subtitle)). A line for each node, time from left to right; the cut goes through the moments at which the nodes \
            recorded their states.</desc>
            \(SpaceTime.style)
            <rect class="paper" width="100%" height="100%"/>

            """ + Drawing.heading(title, subtitle) + drawing.content + drawing.badges + "</svg>\n"
    }

    // MARK: coordinates

    private func y(_ index: Int) -> Double { Size.top + Double(index) * Size.line }

    private func y(of node: Int) -> Double? { nodes.firstIndex { $0.id == node }.map { y($0) } }

    private func x(_ time: Double, _ places: Places) -> Double {
        let from = Size.left + Size.before
        return from + time / max(places.end, 1) * (Size.width - Size.right - 40 - from)
    }

    // MARK: parts

    private func drawAxis(_ drawing: inout Drawing, _ places: Places, _ bottom: Double) {
        let y = bottom + 44
        drawing.line("axis", x(0, places), y, x(places.end, places), y)
        let step = SpaceTime.step(places.end)
        var time = 0.0
        while time <= places.end * 1.0001 {
            let x = x(time, places)
            drawing.line("axis", x, y - 3, x, y + 3)
            drawing.text(x, y + 17, SpaceTime.tick(time), "small middle")
            time += step
        }
    }

    /// A step of 1, 2 or 5 times a power of ten with five to ten of them in `span`.
    private static func step(_ span: Double) -> Double {
        var step = 1.0
        while true {
            for factor in [1.0, 2.0, 5.0] where step * factor * 6 >= span { return step * factor }
            step *= 10
        }
    }

    /// A time at the axis: "5 ms".
    private static func tick(_ time: Double) -> String {
        let text = duration(time)
        return time == 0 ? "0" : text.replacing(".00 ", with: " ")
    }

    private func drawCut(_ drawing: inout Drawing, _ places: Places, _ bottom: Double) {
        let points = nodes.enumerated().compactMap { index, node in places.records[node.id].map { (x($0, places), y(index)) } }
        guard let first = points.first, let last = points.last else { return }
        let path = [(first.0, Size.top - 34)] + points + [(last.0, bottom + 30)]
        drawing.add(
            "<polyline class=\"cut\" points=\"\(path.map { "\(SpaceTime.number($0.0)),\(SpaceTime.number($0.1))" }.joined(separator: " "))\"/>"
        )
    }

    private func draw(_ node: Node, at y: Double, _ drawing: inout Drawing, _ places: Places) {
        drawing.text(Size.left - 140, y - 2, "node \(node.id)", "name")
        drawing.text(Size.left - 140, y + 15, node.note, "small")
        guard let record = places.records[node.id] else {
            drawing.line("missing", Size.left, y, Size.width - Size.right, y)
            return
        }
        drawing.line("time", Size.left, y, Size.width - Size.right, y, marker: "end")
        if node.heldFor > 0 {
            drawing.line("held", x(record, places), y, x(record + node.heldFor, places), y)
        }
        drawing.add(
            "<circle class=\"record\" cx=\"\(SpaceTime.number(x(record, places)))\" cy=\"\(SpaceTime.number(y))\" r=\"6\"/>")
    }

    /// When each node recorded, over everything that goes through there.
    private func drawTimes(_ drawing: inout Drawing, _ places: Places) {
        for (index, node) in nodes.enumerated() {
            guard let record = places.records[node.id] else { continue }
            drawing.text(x(record, places) + 10, y(index) - 10, "+" + SpaceTime.duration(record), "small")
        }
    }

    private func drawMarkers(_ drawing: inout Drawing, _ places: Places) {
        for (marker, arrival) in zip(markers, places.arrivals) {
            guard let arrival, let sent = places.records[marker.from], let from = y(of: marker.from), let to = y(of: marker.to)
            else { continue }
            let hint: String
            if let absence = marker.absence {
                let x = x(arrival, places)
                drawing.line("given", x - 5, to - 5, x + 5, to + 5)
                hint = "no marker from node \(marker.from): \(absence)"
                drawing.line("given", x - 5, to + 5, x + 5, to - 5, hint: hint)
            } else {
                hint = "marker from node \(marker.from) to node \(marker.to), after \(SpaceTime.duration(max(0, arrival - sent)))"
                // The arrow ends at the edge of a record's point.
                let end = to > from ? to - 6 : to + 6
                drawing.line("marker", x(sent, places), from, x(arrival, places), end, marker: "head", hint: hint)
            }
        }
    }

    /// Frames in flight, an arrow for each up to three of a channel, else one for all; a number leads to the list below, which is returned.
    private func drawFlights(_ drawing: inout Drawing, _ places: Places) -> [String] {
        var texts: [String] = []
        var departures: [Int: Int] = [:]
        for flight in flights where flight.count > 0 {
            guard let sent = places.records[flight.from], let record = places.records[flight.to],
                let from = y(of: flight.from), let to = y(of: flight.to)
            else { continue }
            let place = markers.firstIndex { $0.from == flight.from && $0.to == flight.to }
            let arrival = place.flatMap { places.arrivals[$0] } ?? places.end
            let number = texts.count + 1
            texts.append("(\(number)) " + flight.text)
            let arrows = flight.count <= 3 ? flight.count : 1
            let order = departures[flight.from, default: 0]
            departures[flight.from] = order + 1
            let start = x(sent, places) - 22 - Double(order) * 30
            let room = max(x(arrival, places) - x(record, places) - 8, 10)
            for arrow in 0..<arrows {
                let share = Double(arrow + 1) / Double(arrows + 1)
                let begin = start - Double(arrows - 1 - arrow) * 7
                let end = (x: x(record, places) + room * share, y: to > from ? to - 3 : to + 3)
                drawing.line(
                    arrows < flight.count ? "frames many" : "frames", begin, from, end.x, end.y, marker: "tip", hint: flight.text)
                if arrow == 0 { drawing.badge(begin + (end.x - begin) * 0.22, from + (end.y - from) * 0.22, number) }
            }
        }
        return texts
    }

    private func drawLegend(_ drawing: inout Drawing, _ y: inout Double) {
        let left = Size.left - 140
        drawing.add("<circle class=\"record\" cx=\"\(SpaceTime.number(left + 12))\" cy=\"\(SpaceTime.number(y - 4))\" r=\"6\"/>")
        drawing.text(left + 30, y, "state recorded", "small")
        drawing.line("cut", left + 140, y - 4, left + 168, y - 4)
        drawing.text(left + 174, y, "the cut", "small")
        drawing.line("marker", left + 240, y - 4, left + 270, y - 4, marker: "head")
        drawing.text(left + 278, y, "marker", "small")
        drawing.line("frames", left + 350, y - 4, left + 380, y - 4, marker: "tip")
        drawing.text(left + 388, y, "frames in flight (their order is known, not their times)", "small")
        if nodes.contains(where: { $0.heldFor > 0 }) {
            drawing.line("held", left + 720, y - 4, left + 750, y - 4)
            drawing.text(left + 758, y, "replies held", "small")
        }
        y += Size.row + 6
    }

    // MARK: writing

    /// The elements of a picture, in the order in which they are drawn.
    private struct Drawing {
        var content = ""
        /// What is drawn over all the rest.
        var badges = ""

        static func heading(_ title: String, _ subtitle: String) -> String {
            "<text class=\"title\" x=\"30\" y=\"30\">\(escaped(title))</text>\n<text class=\"small\" x=\"30\" y=\"50\">\(escaped(subtitle))</text>\n"
        }

        mutating func add(_ element: String) { content += element + "\n" }

        mutating func line(
            _ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, marker: String? = nil, hint: String? = nil
        ) {
            let end = marker.map { " marker-end=\"url(#\($0))\"" } ?? ""
            let attributes =
                "class=\"\(style)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"\(end)"
            add(hint.map { "<line \(attributes)><title>\(escaped($0))</title></line>" } ?? "<line \(attributes)/>")
        }

        mutating func text(_ x: Double, _ y: Double, _ text: String, _ style: String) {
            add("<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\">\(escaped(text))</text>")
        }

        mutating func badge(_ x: Double, _ y: Double, _ number: Int) {
            badges += "<circle class=\"badge\" cx=\"\(SpaceTime.number(x))\" cy=\"\(SpaceTime.number(y))\" r=\"9\"/>"
            badges +=
                "<text class=\"digit middle\" x=\"\(SpaceTime.number(x))\" y=\"\(SpaceTime.number(y + 4))\">\(number)</text>\n"
        }
    }

    private static func number(_ value: Double) -> String {
        let text = fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Text as XML has it: characters with a meaning are replaced, those that XML forbids left out.
    package static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static let style = """
        <style>
        text { font-family: system-ui, sans-serif; font-size: 14px; fill: #1f2328; stroke: #ffffff; stroke-width: 3; paint-order: stroke; }
        .title { font-size: 18px; font-weight: 600; } .name { font-weight: 600; } .small { font-size: 12px; fill: #57606a; }
        .middle { text-anchor: middle; } .digit { font-size: 11px; font-weight: 600; fill: #ffffff; stroke: none; }
        .paper { fill: #ffffff; } .axis { stroke: #8c959f; } .time { stroke: #57606a; stroke-width: 1.5; }
        .missing { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 2 6; }
        .held { stroke: #bf8700; stroke-width: 7; stroke-opacity: 0.35; }
        .cut { fill: none; stroke: #cf222e; stroke-width: 2; stroke-dasharray: 7 5; } .record { fill: #cf222e; }
        .marker { stroke: #0969da; stroke-width: 1.5; } .head { fill: #0969da; }
        .frames { stroke: #1a7f37; stroke-width: 1.5; } .many { stroke-width: 3; } .tip, .badge { fill: #1a7f37; }
        .given { stroke: #cf222e; stroke-width: 2; } .end { fill: #57606a; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; stroke: #0d1117; } .small { fill: #9198a1; } .digit { fill: #0d1117; } .paper { fill: #0d1117; }
        .axis, .missing { stroke: #6e7681; } .time { stroke: #9198a1; } .end { fill: #9198a1; } .held { stroke: #d29922; }
        .cut, .given { stroke: #ff7b72; } .record { fill: #ff7b72; } .marker { stroke: #58a6ff; } .head { fill: #58a6ff; }
        .frames { stroke: #3fb950; } .tip, .badge { fill: #3fb950; }
        }
        </style>
        <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker>
        <marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="end" d="M0 0L8 4L0 8z"/></marker>
        </defs>
        """
}
