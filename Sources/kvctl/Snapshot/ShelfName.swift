import DistributedSnapshot

/// The name of a directory that `kvctl snapshot schedule` made: the moment, and the snapshot's number; "-partial" behind it where parts are missing.
/// While it is being made it has ".unfinished" behind the moment, while it is removed ".removing" behind all.
package struct ShelfName: Equatable, Sendable {
    /// As `UTC.name` gives it.
    package var moment: String
    /// Nil while it is made.
    package var id: SnapshotID?
    package var isPartial = false
    package var isRemoving = false

    package init(moment: String, id: SnapshotID? = nil, isPartial: Bool = false, isRemoving: Bool = false) {
        self.moment = moment
        self.id = id
        self.isPartial = isPartial
        self.isRemoving = isRemoving
    }

    private static let unfinished = ".unfinished"
    private static let partial = "-partial"
    private static let removing = ".removing"

    /// Nil when the name is not one of these.
    package init?(_ name: String) {
        guard name.utf8.count >= 16 else { return nil }
        moment = String(name.prefix(16))
        let digits = moment.utf8.enumerated().allSatisfy { place, byte in
            switch place {
            case 8: byte == UInt8(ascii: "T")
            case 15: byte == UInt8(ascii: "Z")
            default: byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            }
        }
        if !digits || moment.utf8.count != 16 { return nil }
        var rest = name.dropFirst(16)
        if rest == ShelfName.unfinished { return }
        if rest.hasSuffix(ShelfName.removing) {
            isRemoving = true
            rest = rest.dropLast(ShelfName.removing.count)
        }
        if rest.hasSuffix(ShelfName.partial) {
            isPartial = true
            rest = rest.dropLast(ShelfName.partial.count)
        }
        guard rest.first == "-", let number = UInt64(rest.dropFirst()), number > 0, rest.dropFirst() == "\(number)" else {
            return nil
        }
        id = SnapshotID(number)
    }

    package var text: String {
        guard let id else { return moment + ShelfName.unfinished }
        return "\(moment)-\(id)" + (isPartial ? ShelfName.partial : "") + (isRemoving ? ShelfName.removing : "")
    }

    /// Whether it is a snapshot, not one that is being made or removed.
    package var isWhole: Bool { id != nil && !isRemoving }

    /// Which of these may go when `keep` of each kind are kept, the oldest first. Numbers grow over the life of a cluster, whatever its clocks do.
    ///
    /// - Parameter newest: what was just made: without a complete one behind it, nothing complete goes.
    package static func surplus(_ names: [ShelfName], keep: Int, newest: ShelfName) -> [ShelfName] {
        names.filter { $0.isWhole && $0.isPartial == newest.isPartial && $0 != newest }
            .sorted { ($0.id?.rawValue ?? 0, $0.moment) < ($1.id?.rawValue ?? 0, $1.moment) }
            .dropLast(max(0, keep - 1))
    }
}
