import FTPProtocol
import Threading

/// Commands that follow one another, sent together where the server takes that.
extension Session {
    /// Sends commands of which each makes sense only if those before it were not refused.
    ///
    /// On a server that is known to read commands however they arrive they leave at once, and cost one round trip. The
    /// caller answers for it that behind a refused one the others are harmless there. Everywhere else they
    /// go out one by one, and none behind a refusal.
    ///
    /// When it throws, replies may still be on their way, and an `RNFR` may wait for its `RNTO`: the session is
    /// out of step until ``recover(_:)``.
    ///
    /// - Parameter isTogether: whether the server takes just these commands together.
    /// - Returns: the replies in order: to all of them, or up to the first refusal.
    func sequence(
        _ commands: [Command], together isTogether: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> [Reply] {
        var replies: [Reply] = []
        isMidSequence = true
        do throws(FTPError) {
            if isTogether {
                replies = try control.exchange(commands, cancellation)
                for command in commands { server.noteAnswer(to: command.verb) }
            } else {
                for command in commands {
                    let reply = try exchange(command, cancellation)
                    replies.append(reply)
                    guard reply.category == .completion || reply.category == .intermediate else { break }
                }
            }
            isMidSequence = false
            return replies
        } catch {
            // Who was cancelled before anything left owes nothing.
            if control.outstanding == nil, replies.isEmpty { isMidSequence = false }
            throw error
        }
    }
}
