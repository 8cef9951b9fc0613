import Base
import RESP

/// A pattern of BY or GET: which key, or which field of which hash, belongs to an element.
struct SortPattern {
    /// Whether it stands for the element itself ("#").
    let isElement: Bool
    /// What stands around the element in the key's name; nil where the pattern has no star and so names nothing.
    private let name: (prefix: ByteView, suffix: ByteView)?
    /// The field of the hash at the key.
    private let field: ByteView?

    /// Reads a pattern as C's string functions do: what stands behind a zero byte is not searched.
    init(_ text: ByteView) {
        isElement = text.count == 1 && text[0] == UInt8(ascii: "#")
        let searched = text.slice(0, text.firstIndex(of: 0) ?? text.count)
        guard let star = searched.firstIndex(of: UInt8(ascii: "*")) else {
            name = nil
            field = nil
            return
        }
        let arrow = SortPattern.arrow(in: searched, from: star + 1)
        // An arrow with nothing behind it is a part of the name.
        if let arrow, arrow + 2 < searched.count {
            name = (text.slice(0, star), text.slice(star + 1, arrow - star - 1))
            field = text.dropFirst(arrow + 2)
        } else {
            name = (text.slice(0, star), text.dropFirst(star + 1))
            field = nil
        }
    }

    private static func arrow(in text: ByteView, from start: Int) -> Int? {
        var index = start
        while let dash = text.firstIndex(of: UInt8(ascii: "-"), from: index) {
            if dash + 1 < text.count && text[dash + 1] == UInt8(ascii: ">") { return dash }
            index = dash + 1
        }
        return nil
    }

    /// Whether a pattern has a star.
    static func hasStar(_ text: ByteView) -> Bool {
        text.slice(0, text.firstIndex(of: 0) ?? text.count).firstIndex(of: UInt8(ascii: "*")) != nil
    }

    /// What the pattern leads to for an element; nil where there is no such key or field, or it holds another type. Valid until the
    /// next change.
    func value(for element: PackedElement, _ execution: Execution, _ buffer: ByteBuffer) -> PackedElement? {
        if isElement { return element }
        guard let name else { return nil }
        buffer.removeAll()
        buffer.append(name.prefix)
        element.withBytes { buffer.append($0) }
        buffer.append(name.suffix)
        guard let entry = execution.lookupRead(buffer.view) else { return nil }
        guard let field else {
            if let integer = entry.integer { return PackedElement(integer: integer) }
            return entry.isString ? PackedElement(raw: entry.bytes) : nil
        }
        guard entry.type == .hash else { return nil }
        return unsafeDowncast(entry.collection, to: HashValue.self).value(of: field, seed: execution.keyspace.seed)
    }
}
