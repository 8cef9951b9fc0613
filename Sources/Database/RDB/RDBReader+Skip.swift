import Base

// Passing over values without making them: how a file is walked through.
extension RDBReader {
    /// Passes over a value of this type. Lengths are checked, contents are not.
    package func skipValue(_ type: RDBType) throws(RDBError) {
        switch type {
        case .string, .hashZipmap, .listZiplist, .setIntset, .sortedSetZiplist, .hashZiplist, .hashListpack, .sortedSetListpack,
            .setListpack:
            try skipString()
        case .list, .set, .listQuicklist:
            try skipStrings(try count())
        case .hash:
            let count = try count(bytesEach: 2)
            try skipStrings(2 * count)
        case .hashDeadlines:
            _ = try bytes(8)
            let count = try count(bytesEach: 3)
            for _ in 0..<count {
                _ = try number()
                try skipStrings(2)
            }
        case .hashListpackDeadlines:
            _ = try bytes(8)
            try skipString()
        case .sortedSet:
            let count = try count(bytesEach: 2)
            for _ in 0..<count {
                try skipString()
                let length = try byte()
                if length < 253 { _ = try bytes(Int(length)) }
            }
        case .sortedSet2:
            let count = try count(bytesEach: 9)
            for _ in 0..<count {
                try skipString()
                _ = try bytes(8)
            }
        case .listQuicklist2:
            let count = try count(bytesEach: 2)
            for _ in 0..<count {
                _ = try number()
                try skipString()
            }
        case .streamListpacks, .streamListpacks2, .streamListpacks3:
            try skipStream(type)
        case .module2:
            _ = try number()
            try skipModuleParts()
        case .modulePreRelease:
            throw .unsupportedType(type.rawValue)
        }
    }

    private func skipStrings(_ count: Int) throws(RDBError) {
        for _ in 0..<count { try skipString() }
    }

    private func skipNumbers(_ count: Int) throws(RDBError) {
        for _ in 0..<count { _ = try number() }
    }

    private func skipStream(_ type: RDBType) throws(RDBError) {
        try skipStrings(2 * (try count(bytesEach: 2)))
        // Length and last ID; then in the newer forms the first ID, the largest deleted one, and how many were ever added.
        try skipNumbers(type == .streamListpacks ? 3 : 8)
        let groups = try count()
        for _ in 0..<groups {
            try skipString()
            try skipNumbers(type == .streamListpacks ? 2 : 3)
            let pending = try count(bytesEach: 25)
            for _ in 0..<pending {
                _ = try bytes(24)
                _ = try number()
            }
            let consumers = try count()
            for _ in 0..<consumers {
                try skipString()
                _ = try bytes(type == .streamListpacks3 ? 16 : 8)
                _ = try bytes(16 * (try count(bytesEach: 16)))
            }
        }
    }

    /// Passes over what a module wrote: parts, each behind a number that says what it is, up to an end mark.
    package func skipModuleParts() throws(RDBError) {
        while true {
            switch try number() {
            case 0: return
            case 1, 2: _ = try number()
            case 3: _ = try bytes(4)
            case 4: _ = try bytes(8)
            case 5: try skipString()
            default: throw .invalidLength
            }
        }
    }
}
