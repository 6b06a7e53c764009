import Threading

/// Uploads for which nobody waits give their connection to whoever does.
///
/// Such an upload hands its bytes over in pieces. When the store says that others want the connection, it ends the transfer
/// properly behind the present piece, so that the server has all that was sent, and asks for a connection again to append
/// the rest: it is then the last in the queue. So a mount with a single connection can be used while it sends what waits.
extension FileSystem {
    /// What the store calls when others want the connection of an upload; `nil`: they have to wait for its end, since
    /// somebody waits for that, or since the server has no command for going on behind what it has.
    func givingWay(_ content: FileContent) -> (@Sendable () -> Void)? {
        let isBackground = content.state.withLock { state in
            state.isWanted = false
            return state.isBackground
        }
        guard isBackground, store.capabilities.appends else { return nil }
        // The store keeps this for as long as the transfer lasts.
        return { [weak content] in content?.state.withLock { $0.isWanted = true } }
    }

    /// Hands a range to a transfer: all of it, or what comes before the moment at which the connection is wanted.
    ///
    /// - Parameter head: up to where it has been handed over with the command.
    func handOver(
        _ range: Range<Int64>, behind head: Int64 = 0, of content: FileContent, to stream: any RemoteWriteStream,
        _ cancellation: Cancellation
    ) throws(StoreError) {
        var rest = range
        repeat {
            let (piece, spool) = content.state.withLock { [rest] state -> (Range<Int64>, SpoolFile?) in
                let end =
                    state.isBackground ? min(rest.upperBound, rest.lowerBound + UploadStream.piece) : rest.upperBound
                state.hand(over: rest.lowerBound..<end, behind: head)
                return (rest.lowerBound..<end, state.spool)
            }
            if let spool, !piece.isEmpty { try spool.send(piece, through: stream, cancellation) }
            rest = piece.upperBound..<rest.upperBound
            let givesWay = content.state.withLock { [rest] state in
                state.isInterrupted = state.isWanted && !rest.isEmpty
                return state.isInterrupted
            }
            if givesWay { return }
        } while !rest.isEmpty
    }

    /// Whether a part is left to be sent, since the connection was wanted.
    func hasGivenWay(_ content: FileContent) -> Bool {
        content.state.withLock { state in
            defer { state.isInterrupted = false }
            return state.isInterrupted
        }
    }
}
