import Base

// Deadlines of single fields (HEXPIRE and its like).
extension HashValue {
    /// The deadlines, where they hide any field now.
    @inline(__always)
    var hiding: FieldDeadlines? {
        guard let deadlines, deadlines.hidesFields else { return nil }
        return deadlines
    }

    /// The soonest deadline of all fields, in milliseconds since 1970; nil where none has one.
    var soonestFieldDeadline: Int64? { deadlines?.soonest }

    /// Says what time it is: from now on fields whose deadline has come are not shown.
    func show(at time: Int64) { deadlines?.show(at: time) }

    /// Whether a field is kept, expired or not.
    func storesField(_ field: ByteView, seed: UInt64) -> Bool {
        if isPacked {
            let list = PackedList(page: page)
            return list.find(PackedElement(field), from: list.first, skipping: 1) != nil
        }
        return ByteStringTable(root: page, seed: seed).contains(field)
    }

    /// When a field that is there expires; nil where it does not.
    func deadline(ofField field: ByteView) -> Int64? { deadlines?.deadline(of: field) }

    /// Gives a field that is there a deadline, in milliseconds since 1970.
    func setDeadline(_ deadline: Int64, ofField field: ByteView, seed: UInt64, now: Int64) {
        let deadlines = self.deadlines ?? FieldDeadlines(seed: seed)
        deadlines.show(at: now)
        deadlines.set(field, to: deadline)
        self.deadlines = deadlines
    }

    /// Drops a field's deadline; false where it had none.
    func dropDeadline(ofField field: ByteView) -> Bool {
        guard let deadlines, deadlines.remove(field) else { return false }
        if deadlines.count == 0 { self.deadlines = nil }
        return true
    }

    /// Does what a new value means for a field's deadline; whether the field was expired, and so is a new one.
    @inline(never)
    func overwritten(_ field: ByteView, keepsDeadline: Bool) -> Bool {
        guard let deadlines else { return false }
        deadlines.forgetRanks()
        let isExpired = deadlines.hidesFields && deadlines.isExpired(field)
        if isExpired || !keepsDeadline { _ = dropDeadline(ofField: field) }
        return isExpired
    }

    /// Whether a field is shown, and so is to be removed by who asks for it; its deadline is dropped then.
    @inline(never)
    func mayRemove(_ field: ByteView) -> Bool {
        guard let deadlines else { return true }
        if deadlines.hidesFields, deadlines.isExpired(field) { return false }
        deadlines.forgetRanks()
        _ = dropDeadline(ofField: field)
        return true
    }

    /// Removes fields whose deadline has come, the soonest first, at most `limit`; how many.
    func removeExpiredFields(limit: Int, seed: UInt64) -> Int {
        var removed = 0
        while removed < limit, let deadlines = hiding, let field = deadlines.first {
            field.withView { field in
                let isRemoved = dropDeadline(ofField: field) && removeStored(field, seed: seed)
                check(isRemoved, "a field with a deadline is in its hash")
            }
            removed += 1
        }
        return removed
    }
}
