import FTPProtocol
import Logging
package import Threading
import Vocabulary

/// A file being read from some offset to its end, over as many connections as it takes.
///
/// ## Being taken up again
/// Between two reads the pool may take the connection away, because others need it (`yield`); and a connection may be lost.
/// Either way the next read gets a connection, looks whether the file is still the same (`MLST`, or `SIZE` and `MDTM`), and
/// goes on with `REST` at the very byte. If it is not the same, mixing two contents would be worse than an error:
/// `changedRemotely`.
///
/// A stream that is asked to yield while it waits for bytes gives up after the present read, or, when the server sends
/// nothing, after ``patience``, since a stuck transfer must not hold up others.
///
/// ## Threads
/// One reader at a time. ``close()`` may come from any thread, also while a read waits, which then ends with `closed`.
package final class ReadStream: Sendable {
    private enum Phase {
        /// Nobody reads; the transfer is open.
        case ready(Transfer)
        /// Nobody reads; there is no connection.
        case suspended
        /// A thread is in ``read(into:cancellation:)``, with or without a transfer.
        case busy(Transfer?)
        /// Finished; `nil`: at the end of the file.
        case ended(FTPError?)
    }

    private struct State {
        var phase = Phase.suspended
        var position: Int64
        /// What is known of the content; grows when the stream is taken up again.
        var version: FileVersion
        /// Whether anything has been read, or a transfer begun, that a later one must match.
        var hasBegun = false
        var yieldIsWanted = false
        var isClosed = false
    }

    /// How long a stream that others wait for may hold its connection without receiving anything.
    private static let patience = Duration.seconds(1)
    /// How often a read is taken up again without having received a byte.
    private static let maximumAttempts = 3

    private let pool: ConnectionPool
    private let path: RemotePath
    private let dataIdle: Duration
    private let endurance: @Sendable () -> Endurance
    private let logger: Logger
    private let state: Monitor<State>

    init(
        _ pool: ConnectionPool, _ server: SharedServer, _ path: RemotePath, at offset: Int64, expecting: FileVersion,
        endurance: @escaping @Sendable () -> Endurance
    ) {
        self.endurance = endurance
        self.pool = pool
        self.path = path
        dataIdle = server.configuration.timeouts.dataIdle
        logger = server.configuration.logger
        state = Monitor(State(position: offset, version: expecting))
    }

    deinit { close() }

    /// Begins the transfer, so that a refusal shows now and not at the first read.
    func open(_ urgency: Urgency, _ cancellation: Cancellation) throws(FTPError) {
        _ = try enter()
        var attempts = Attempts(urgency.isWanted ? endurance() : .none)
        while true {
            do throws(FTPError) {
                let transfer = try take(up: cancellation, urgency)
                leave(with: transfer, received: 0)
                return
            } catch {
                guard let pause = attempts.pause(after: error), rests(pause, cancellation) else { throw end(error) }
            }
        }
    }

    /// Waits for bytes and puts them into the buffer, without a copy in between.
    ///
    /// Blocks at most `timeouts.dataIdle` for the server, and for as long as others hold all connections.
    ///
    /// - Parameter buffer: at least one byte long.
    /// - Returns: how many bytes; 0 at the end of the file, once the server has confirmed the transfer.
    /// - Throws: whatever ended the stream; it throws the same from then on.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, cancellation: Cancellation
    ) throws(FTPError) -> Int {
        guard !buffer.isEmpty else { throw .invalidArgument("a read of no bytes") }
        let entered = try enter()
        guard var current = entered else { return 0 }
        var attempts = Attempts(endurance())
        var stalled = Deadline.after(dataIdle)
        while true {
            do throws(FTPError) {
                let transfer: Transfer
                if let present = current.transfer {
                    transfer = present
                } else {
                    transfer = try take(up: cancellation)
                }
                current.transfer = transfer
                guard let count = try receive(transfer, into: buffer, stalled, cancellation) else {
                    // Others need the connection more than a stream that receives nothing.
                    drop(&current.transfer)
                    continue
                }
                if count > 0 {
                    leave(with: transfer, received: count)
                    return count
                }
                try confirmEnd(transfer, cancellation)
                return 0
            } catch {
                drop(&current.transfer)
                guard !isClosed, let pause = attempts.pause(after: error), rests(pause, cancellation) else {
                    throw end(error)
                }
                stalled = .after(dataIdle)
                logger.notice("reading \(path) is interrupted (\(error)); going on")
            }
        }
    }

    /// Ends the stream, wherever it is. Does not wait for the server: the pool tidies up. Calling it again does nothing.
    package func close() {
        let transfer = state.withLockThenWake { state -> Transfer? in
            state.isClosed = true
            switch state.phase {
            case .ready(let transfer):
                state.phase = .ended(.closed)
                return transfer
            case .suspended:
                state.phase = .ended(.closed)
                return nil
            case .busy(let transfer):
                // The reader frees it; it is awake soon.
                transfer?.interrupt()
                return nil
            case .ended:
                return nil
            }
        }
        release(transfer)
    }

    // MARK: - One read

    /// What a read begins with.
    private struct Entered {
        var transfer: Transfer?
    }

    /// `nil` at the end of the file.
    private func enter() throws(FTPError) -> Entered? {
        let result = state.withLock { state -> Result<Entered?, FTPError> in
            switch state.phase {
            case .ready(let transfer):
                state.phase = .busy(transfer)
                return .success(Entered(transfer: transfer))
            case .suspended:
                state.phase = .busy(nil)
                return .success(Entered(transfer: nil))
            case .busy:
                return .failure(.invalidArgument("two reads of one stream at a time"))
            case .ended(nil):
                return .success(nil)
            case .ended(let error?):
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Waits for bytes. `nil`: none came for a while, and others wait for the connection.
    private func receive(
        _ transfer: Transfer, into buffer: UnsafeMutableRawBufferPointer, _ stalled: Deadline,
        _ cancellation: Cancellation
    ) throws(FTPError) -> Int? {
        while true {
            do throws(FTPError) {
                let limit = stalled.earlier(.after(Self.patience))
                return try transfer.read(into: buffer, until: limit, cancellation)
            } catch {
                guard case .timedOut = error, !stalled.hasPassed else { throw error }
                if state.withLock({ $0.yieldIsWanted }) { return nil }
            }
        }
    }

    private func confirmEnd(_ transfer: Transfer, _ cancellation: Cancellation) throws(FTPError) {
        // The end that `close()` or the pool has made is not the end of the file.
        if isClosed { throw .closed }
        try transfer.finish(cancellation)
        state.withLock { $0.phase = .ended(nil) }
        pool.release(transfer.session)
    }

    /// Hands the transfer back after a read, or gives it up if somebody wishes so.
    private func leave(with transfer: Transfer, received: Int) {
        let unwanted = state.withLock { state -> Transfer? in
            state.position += Int64(received)
            if state.isClosed {
                state.phase = .ended(.closed)
                return transfer
            }
            if state.yieldIsWanted {
                state.phase = transfer.isComplete ? .ended(nil) : .suspended
                return transfer
            }
            state.phase = .ready(transfer)
            return nil
        }
        release(unwanted)
    }

    private func end(_ error: FTPError) -> FTPError {
        state.withLock { state in
            let reason = state.isClosed ? .closed : error
            state.phase = .ended(reason)
            return reason
        }
    }

    private func drop(_ transfer: inout Transfer?) {
        state.withLock { state in
            if case .busy = state.phase { state.phase = .busy(nil) }
        }
        release(transfer)
        transfer = nil
    }

    private func release(_ transfer: Transfer?) {
        guard let transfer else { return }
        if transfer.isComplete { transfer.leaveToEnd() } else { transfer.abandon(abortively: true) }
        pool.release(transfer.session)
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }

    /// How often one read may still be taken up again without having received a byte.
    private struct Attempts {
        private var left = maximumAttempts
        private var perseverance: Perseverance

        init(_ endurance: Endurance) { perseverance = Perseverance(endurance) }

        /// How long to wait before the next attempt, if what ended the transfer may be gone on a new connection: it was
        /// lost, or the server broke it off; or nothing came in time. Counts it.
        mutating func pause(after error: FTPError) -> Duration? {
            if error.isConnectionLoss || error.isBrokenDownload {
                left -= 1
                if left > 0 { return .zero }
            }
            return error.isInterruption ? perseverance.nextPause() : nil
        }
    }

    /// Waits between two attempts. - Returns: false when nobody wants the bytes any more.
    private func rests(_ pause: Duration, _ cancellation: Cancellation) -> Bool {
        guard pause > .zero else { return !cancellation.isCancelled && !isClosed }
        let outcome = state.wait(until: .after(pause), cancellation: cancellation) { $0.isClosed ? () : nil }
        if case .timedOut = outcome { return true }
        return false
    }

    // MARK: - Getting and giving up the connection

    /// Gets a connection and begins the transfer at the present position.
    private func take(up cancellation: Cancellation, _ urgency: Urgency = .wanted) throws(FTPError) -> Transfer {
        let session = try pool.lease(for: .reading, urgency: urgency, cancellation)
        do throws(FTPError) {
            let (position, hasBegun) = state.withLock { state in
                state.yieldIsWanted = false
                return (state.position, state.hasBegun)
            }
            if hasBegun { try checkUnchanged(session, cancellation) }
            let size = state.withLock { $0.version.size }
            let transfer = try session.openRead(path, at: position, size: size, cancellation)
            let isClosed = state.withLock { state in
                state.hasBegun = true
                state.phase = .busy(transfer)
                return state.isClosed
            }
            if isClosed { transfer.interrupt() }
            pool.onYieldRequest(session) { [weak self] in self?.yield() }
            return transfer
        } catch {
            pool.release(session)
            throw error
        }
    }

    private func checkUnchanged(_ session: Session, _ cancellation: Cancellation) throws(FTPError) {
        let known = state.withLock { $0.version }
        guard let present = try session.version(of: path, cancellation), present.mayEqual(known) else {
            throw .changedRemotely(path: path)
        }
        // What the server says now is at least as exact as what a listing said, so later checks are stricter.
        state.withLock { state in
            state.version.size = present.size ?? known.size
            guard let modified = present.modified else { return }
            state.version.modified = modified
            state.version.precision = present.precision
        }
    }

    /// The pool needs the connection for somebody else.
    private func yield() {
        let transfer = state.withLock { state -> Transfer? in
            switch state.phase {
            case .ready(let transfer):
                // Whoever has all the bytes need not come back for the end.
                state.phase = transfer.isComplete ? .ended(nil) : .suspended
                return transfer
            case .busy:
                state.yieldIsWanted = true
                return nil
            case .suspended, .ended:
                return nil
            }
        }
        release(transfer)
    }
}
