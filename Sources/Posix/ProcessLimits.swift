import CLinux

/// What the operating system allows this process.
package enum ProcessLimits {
    /// Descriptors for everything but clients: log, listeners, peers, threads.
    package static let descriptorsReserved = 128

    /// Raises the limit of open descriptors, as far as allowed, so that `clients` fit.
    ///
    /// - Returns: how many clients do fit, at most `clients`.
    package static func makeRoom(forClients clients: Int) -> Int {
        let limit = coracle_raise_descriptor_limit(Int64(clients + descriptorsReserved))
        if limit < 0 { return clients }
        return max(1, min(clients, Int(limit) - descriptorsReserved))
    }
}
