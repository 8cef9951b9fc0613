/// What this server says it is.
package enum Version {
    /// Own version.
    package static let coracle = "0.1.0"
    /// The Redis version whose commands and replies are the target; clients choose features by it.
    package static let redis = "7.2.4"
}
