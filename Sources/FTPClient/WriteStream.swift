import FTPProtocol
@preconcurrency import Glibc
import Logging
package import SystemPackage
package import Threading
package import Vocabulary

/// A file being written over one connection, from its first byte to the server's confirmation.
///
/// Bytes go from a local file to the socket by `sendfile(2)`, without passing through this program, where the transport
/// carries them unchanged; else through a buffer. Whatever goes wrong, the server's own words are looked for first: a
/// full disk shows as a closed data connection *and* a 452, and only the second says why.
///
/// One writer; ``abort()`` may come from any thread, but not while another one is in ``send(from:range:cancellation:)``:
/// cancel that first.
package final class WriteStream: Sendable {
    private enum Phase {
        case open(Transfer)
        case busy
        case ended
    }

    private struct State {
        var phase: Phase
        var sent: Int64 = 0
        var mayGoOn = false
    }

    private let pool: ConnectionPool
    private let path: RemotePath
    private let mode: WriteMode
    private let logger: Logger
    /// What went out with the command, if anything did.
    private let head: UploadHead?
    /// How long the file was before, if that was asked.
    package let sizeBefore: SizeAnswer
    private let state: Monitor<State>

    init(
        _ pool: ConnectionPool, _ server: SharedServer, _ path: RemotePath, _ mode: WriteMode, _ head: UploadHead?,
        _ transfer: Transfer
    ) {
        self.pool = pool
        self.path = path
        self.mode = mode
        logger = server.configuration.logger
        sizeBefore = transfer.sizeBefore
        state = Monitor(State(phase: .open(transfer)))
        self.head = head
    }

    deinit { abort() }

    /// Sends a range of a local file; returns when the last byte has been handed to the network.
    ///
    /// What of an ``UploadHead`` has gone out with the command is not sent again.
    ///
    /// Blocks as long as the server takes the bytes; fails when it takes none for `timeouts.dataIdle`.
    ///
    /// - Throws: `refused` with the server's reason where it gives one. The stream is then finished.
    package func send(
        from file: FileDescriptor, range: Range<Int64>, cancellation: Cancellation
    ) throws(FTPError) {
        let transfer = try take()
        do throws(FTPError) {
            try transfer.send(from: file, range.dropping(what: head, transfer.sentAhead), cancellation)
            state.withLock { state in
                state.sent += range.upperBound - range.lowerBound
                state.phase = .open(transfer)
            }
        } catch {
            throw fail(transfer, error, cancellation)
        }
    }

    /// Says that no more bytes come, and waits at most `timeouts.finalReply` until the server has confirmed them all.
    ///
    /// When the confirmation itself is lost with the connection, the size of the file on the server decides.
    ///
    /// - Parameter errands: what else is to be done, if it costs no round trip.
    /// - Returns: which of that has been done.
    @discardableResult
    package func finish(
        doing errands: UploadErrands = UploadErrands(), cancellation: Cancellation
    ) throws(FTPError) -> UploadErrands.Outcome {
        let transfer = try take()
        do throws(FTPError) {
            let following = transfer.session.following(errands, path)
            try transfer.finish(cancellation, sendingBehind: following)
            let isEmpty = state.withLock { $0.sent == 0 }
            if isEmpty, mode == .replace { try transfer.session.confirmEmptyFile(path, cancellation) }
            state.withLock { $0.phase = .ended }
            let outcome = transfer.session.settle(following, cancellation)
            transfer.session.compareTime(ofUploaded: path, cancellation)
            pool.release(transfer.session)
            return outcome
        } catch {
            end(transfer)
            guard isUnconfirmed(error), arrived(cancellation) else { throw error }
            logger.notice("the confirmation of \(path) was lost (\(error)), but its size on the server is right")
            return UploadErrands.Outcome()
        }
    }

    /// Gives up; what has been sent may be in the file or not. Waits at most `timeouts.recovery` until the server is done
    /// with it, so that the next transfer to the same file does not meet this one. After ``finish(cancellation:)`` it does
    /// nothing.
    package func abort() {
        let transfer = state.withLock { state -> Transfer? in
            guard case .open(let transfer) = state.phase else { return nil }
            state.phase = .ended
            return transfer
        }
        if let transfer { end(transfer) }
    }

    /// Whether, after a failure or ``abort()``, bytes of this upload may still get into the file: neither its final reply nor
    /// the answer to an `ABOR` has come, so nobody knows whether the server is done with it. Does not block.
    package var mayGoOn: Bool { state.withLock { $0.mayGoOn } }

    // MARK: - The state

    private func take() throws(FTPError) -> Transfer {
        let transfer = state.withLock { state -> Transfer? in
            guard case .open(let transfer) = state.phase else { return nil }
            state.phase = .busy
            return transfer
        }
        guard let transfer else { throw .closed }
        return transfer
    }

    private func end(_ transfer: Transfer, inSilence: Bool = false) {
        state.withLock { $0.phase = .ended }
        // Abortively: an ordinary end of the data would make the server take the part for the whole.
        if inSilence || transfer.session.control.endedBySilence {
            transfer.abandonInSilence()
        } else {
            transfer.abandon(abortively: true)
        }
        let mayGoOn = transfer.session.settleUpload() == .unknown
        state.withLock { $0.mayGoOn = mayGoOn }
        pool.release(transfer.session)
    }

    /// Ends the stream and finds the best reason.
    private func fail(_ transfer: Transfer, _ error: FTPError, _ cancellation: Cancellation) -> FTPError {
        defer { end(transfer, inSilence: error == .timedOut(.dataTransfer)) }
        guard error.isConnectionLoss else { return error }
        do throws(FTPError) {
            try transfer.reasonForBrokenData(cancellation)
            return error
        } catch let reason {
            if case .refused(_, let reply) = reason, reply.category == .completion { return error }
            if case .tlsFailed = reason { return reason }
            return reason.refusal == nil ? error : reason
        }
    }

    // MARK: - The confirmation

    private func isUnconfirmed(_ error: FTPError) -> Bool {
        if case .timedOut(.finalReply) = error { return true }
        return error.isConnectionLoss
    }

    /// Whether the file on the server has exactly the bytes sent. Known only for a replaced file.
    private func arrived(_ cancellation: Cancellation) -> Bool {
        guard mode == .replace else { return false }
        let session: Session
        do throws(FTPError) {
            session = try pool.lease(for: .metadata, cancellation)
        } catch {
            return false
        }
        defer { pool.release(session) }
        do throws(FTPError) {
            let version = try session.version(of: path, cancellation)
            return version?.size == state.withLock { $0.sent }
        } catch {
            return false
        }
    }
}

extension Range<Int64> {
    /// The range without what of it was sent ahead.
    fileprivate func dropping(what head: UploadHead?, _ sent: Int64) -> Self {
        guard let head, sent > 0, lowerBound == head.range.lowerBound else { return self }
        return Swift.min(lowerBound + sent, upperBound)..<upperBound
    }
}
