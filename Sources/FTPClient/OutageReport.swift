import Threading

/// A server that has worked and cannot be reached now, for whoever has to find out why; a copy, out of date as soon as it is
/// made.
package struct OutageReport: Hashable, Sendable {
    /// For how long no connection could be made.
    package let span: Duration
    /// How often that was tried.
    package let attempts: Int
    /// Why the last attempt failed.
    package let error: FTPError
    /// When the next attempt is made, from now; `nil`: one is under way, or nobody waits for one.
    package let nextAttempt: Duration?
    /// For how long requests still wait for it before they fail; `nil`: until it works (`hard`). Zero: they fail.
    package let patience: Duration?
}

extension Client {
    /// What is known of an outage; `nil` while there is none. Blocks for no longer than a look takes.
    package var outage: OutageReport? { pool.outage() }
}

extension OutageReport {
    /// What the log says when an outage begins: the next attempts say nothing new, so there is one line for all of them.
    func beginning(_ host: String) -> String {
        let wait =
            patience.map {
                $0 > .zero ? "requests wait for it, up to \(Self.seconds($0)) s" : "requests fail until it works"
            }
            ?? "requests wait until it works"
        return "\(host) cannot be reached: \(error); \(wait)"
    }

    /// What the log says when it is over.
    func ending(_ host: String) -> String {
        "\(host) works again, after \(Self.seconds(span)) s and \(attempts == 1 ? "one failed attempt" : "\(attempts) failed attempts")"
    }

    private static func seconds(_ span: Duration) -> Int64 {
        let parts = span.components
        return parts.seconds + (parts.attoseconds >= 500_000_000_000_000_000 ? 1 : 0)
    }
}
