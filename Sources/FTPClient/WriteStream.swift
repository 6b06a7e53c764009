import FTPProtocol
@preconcurrency import Glibc
import Logging
package import SystemPackage
package import Threading
import Vocabulary

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
    }

    private let pool: ConnectionPool
    private let path: RemotePath
    private let mode: WriteMode
    private let logger: Logger
    private let state: Monitor<State>

    init(_ pool: ConnectionPool, _ server: SharedServer, _ path: RemotePath, _ mode: WriteMode, _ transfer: Transfer) {
        self.pool = pool
        self.path = path
        self.mode = mode
        logger = server.configuration.logger
        state = Monitor(State(phase: .open(transfer)))
    }

    deinit { abort() }

    /// Sends a range of a local file; returns when the last byte has been handed to the network.
    ///
    /// Blocks as long as the server takes the bytes; fails when it takes none for `timeouts.dataIdle`.
    ///
    /// - Throws: `refused` with the server's reason where it gives one. The stream is then finished.
    package func send(
        from file: FileDescriptor, range: Range<Int64>, cancellation: Cancellation
    ) throws(FTPError) {
        let transfer = try take()
        do throws(FTPError) {
            if let socket = transfer.plainDescriptor {
                try Self.sendDirectly(file, range, transfer, socket, cancellation)
            } else {
                try Self.sendCopied(file, range, transfer, cancellation)
            }
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
    package func finish(cancellation: Cancellation) throws(FTPError) {
        let transfer = try take()
        do throws(FTPError) {
            try transfer.finish(cancellation)
            let isEmpty = state.withLock { $0.sent == 0 }
            if isEmpty, mode == .replace { try transfer.session.confirmEmptyFile(path, cancellation) }
            state.withLock { $0.phase = .ended }
            transfer.session.compareTime(ofUploaded: path, cancellation)
            pool.release(transfer.session)
        } catch {
            end(transfer)
            guard isUnconfirmed(error), arrived(cancellation) else { throw error }
            logger.notice("the confirmation of \(path) was lost (\(error)), but its size on the server is right")
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

    private func end(_ transfer: Transfer) {
        state.withLock { $0.phase = .ended }
        // Abortively: an ordinary end of the data would make the server take the part for the whole.
        transfer.abandon(abortively: true)
        transfer.session.settleUpload()
        pool.release(transfer.session)
    }

    /// Ends the stream and finds the best reason.
    private func fail(_ transfer: Transfer, _ error: FTPError, _ cancellation: Cancellation) -> FTPError {
        defer { end(transfer) }
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

    // MARK: - Sending

    /// How much one `sendfile` may move, so that a cancellation is seen soon also on a fast link.
    private static let pieceLength = 1024 * 1024

    private static func sendDirectly(
        _ file: FileDescriptor, _ range: Range<Int64>, _ transfer: Transfer, _ socket: FileDescriptor,
        _ cancellation: Cancellation
    ) throws(FTPError) {
        let signal = SuppressedPipeSignal()
        defer { signal.restore() }
        var offset = off_t(range.lowerBound)
        while offset < range.upperBound {
            if cancellation.isCancelled { throw .cancelled }
            let count = sendfile(
                socket.rawValue, file.rawValue, &offset, Int(min(range.upperBound - Int64(offset), Int64(pieceLength))))
            if count > 0 {
                transfer.session.noteSent(count)
                continue
            }
            if count == 0 {
                throw .localFailure(.ioError, doing: "reading a spool file that is shorter than it should be")
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try transfer.waitForRoom(cancellation)
            case EPIPE, ECONNRESET, ETIMEDOUT, ENOTCONN:
                throw .connectionLost(.afterCommand, reason: "the data connection: \(Errno(rawValue: errno))")
            case EINVAL, ENOSYS:
                // A file system that sendfile(2) does not read from.
                try sendCopied(file, Int64(offset)..<range.upperBound, transfer, cancellation)
                return
            default: throw .localFailure(Errno(rawValue: errno), doing: "sendfile")
            }
        }
    }

    private static func sendCopied(
        _ file: FileDescriptor, _ range: Range<Int64>, _ transfer: Transfer, _ cancellation: Cancellation
    ) throws(FTPError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = Int(min(range.upperBound - offset, Int64(buffer.count)))
            let count = pread(file.rawValue, buffer.baseAddress, wanted, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw .localFailure(count < 0 ? Errno(rawValue: errno) : .ioError, doing: "reading the spool file")
            }
            try transfer.checkEarlyReply()
            try transfer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), cancellation)
            offset += Int64(count)
        }
    }
}

/// Keeps SIGPIPE from this thread: `sendfile(2)` has no flag for that, and its callers' threads are not this program's.
private struct SuppressedPipeSignal {
    private var before = sigset_t()
    private var pipe = sigset_t()

    init() {
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
    }

    /// Takes a signal that came off the queue, and lets the thread have its mask back.
    func restore() {
        var (pipe, before) = (pipe, before)
        if sigismember(&before, SIGPIPE) == 0 {
            var noTime = timespec()
            while sigtimedwait(&pipe, nil, &noTime) > 0 {}
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
