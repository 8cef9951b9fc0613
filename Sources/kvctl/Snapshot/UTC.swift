import Glibc

/// Moments as texts, in coordinated universal time.
package enum UTC {
    /// "2026-11-21 15:04:05.678".
    package static func text(milliseconds: Int64) -> String {
        let time = fields(milliseconds)
        let thousandths = milliseconds - milliseconds.quotientRoundedDown(1000) * 1000
        return "\(padded(time.year, 4))-\(padded(time.month))-\(padded(time.day)) "
            + "\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second)).\(padded(Int(thousandths), 3))"
    }

    /// "20261121T150405Z": sorts as the moments do, and fits into a file name.
    package static func name(milliseconds: Int64) -> String {
        let time = fields(milliseconds)
        return padded(time.year, 4) + padded(time.month) + padded(time.day) + "T" + padded(time.hour) + padded(time.minute)
            + padded(time.second) + "Z"
    }

    private static func fields(
        _ milliseconds: Int64
    ) -> (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        var seconds = time_t(milliseconds.quotientRoundedDown(1000))
        var broken = tm()
        gmtime_r(&seconds, &broken)
        return (
            Int(broken.tm_year) + 1900, Int(broken.tm_mon) + 1, Int(broken.tm_mday), Int(broken.tm_hour), Int(broken.tm_min),
            Int(broken.tm_sec)
        )
    }

    private static func padded(_ value: Int, _ digits: Int = 2) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension Int64 {
    fileprivate func quotientRoundedDown(_ divisor: Int64) -> Int64 { self / divisor - (self % divisor < 0 ? 1 : 0) }
}
