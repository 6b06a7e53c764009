package import Threading

extension Client {
    /// How much room there is; `nil` where the server does not say. Up to two round trips, and none once it is known that
    /// it does not.
    package func space(cancellation: Cancellation) throws(FTPError) -> ServerSpace? {
        guard server.known.space != SpaceKnowledge(hasAvailable: false, hasQuota: false) else { return nil }
        return try ask(cancellation) { (session) throws(FTPError) in try session.space(cancellation) }
    }
}
