import FTPProtocol
import Threading
import Vocabulary

/// How much room there is for files.
///
/// FTP has no command for that. A few servers have `AVBL`, and say so in `FEAT`; ProFTPD with quotas has `SITE QUOTA`,
/// and does not. Each is asked until it turns out not to be there.
extension Session {
    /// One round trip, or two the first time.
    ///
    /// - Returns: `nil` when the server does not say.
    func space(_ cancellation: Cancellation) throws(FTPError) -> ServerSpace? {
        if server.known.space.hasAvailable ?? (server.known.features?.contains("AVBL") ?? false) {
            let reply = try exchange(Command("AVBL", try wirePath(.root, cancellation)), cancellation)
            if reply.category == .completion, let free = SpaceReply.parseAvailable(reply.text) {
                return ServerSpace(free: free, total: nil)
            }
            server.learn { $0.space.hasAvailable = false }
        }
        guard server.known.space.hasQuota else { return nil }
        let reply = try exchange(Command("SITE QUOTA"), cancellation)
        if reply.category == .completion, let quota = SpaceReply.parseQuota(reply) {
            return ServerSpace(free: quota.limit - min(quota.used, quota.limit), total: quota.limit)
        }
        server.learn { $0.space.hasQuota = false }
        return nil
    }
}

/// How much room a server says that there is.
package struct ServerSpace: Hashable, Sendable {
    /// Bytes that can still be written.
    package let free: UInt64
    /// Bytes that there may be in all; `nil`: it does not say.
    package let total: UInt64?
}

/// Which commands tell how much room there is.
struct SpaceKnowledge: Hashable, Sendable {
    /// `nil`: as `FEAT` says.
    var hasAvailable: Bool?
    var hasQuota = true
}
