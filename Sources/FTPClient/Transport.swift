import SystemPackage

/// A connection that carries bytes: a plain socket, or one day TLS over it.
///
/// One owner uses it at a time, but for ``interrupt()``. A failed transport stays failed.
protocol Transport: AnyObject, Sendable {
    /// Waits for bytes and puts them into the buffer.
    ///
    /// - Returns: how many; 0 when the other side has ended its direction properly.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ wait: Wait) throws(TransportError) -> Int

    /// What is there without waiting: `nil` for nothing, 0 for the end.
    func readAvailable(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Int?

    /// Writes all the bytes, waiting for room as needed.
    func write(_ bytes: UnsafeRawBufferPointer, _ wait: Wait) throws(TransportError)

    /// Ends this side's direction; the other side sees the end after the last byte. Reading goes on.
    func finishWriting(_ wait: Wait) throws(TransportError)

    /// Makes every present and later call fail or return soon. Any thread, as long as ``close()`` has not begun.
    func interrupt()

    /// Frees the descriptor. With `abortively` the other side gets a reset instead of an end, so that it cannot take
    /// a broken-off upload for a complete one.
    func close(abortively: Bool)

    /// The descriptor for `poll(2)`.
    var descriptor: FileDescriptor { get }

    /// The descriptor for `sendfile(2)`; `nil` when bytes change on their way (TLS).
    var plainDescriptor: FileDescriptor? { get }
}

/// Why a transport stopped, before it is known what it was doing for whom.
enum TransportError: Error {
    /// The other side, or the network, ended it.
    case lost(Errno)
    /// The wait ended first: `cancelled`, `timedOut` or `localFailure`.
    case wait(FTPError)

    /// The error of whoever used the transport.
    func ftpError(_ point: FTPError.LostPoint, _ what: String) -> FTPError {
        switch self {
        case .lost(let errno): .connectionLost(point, reason: "\(what): \(errno)")
        case .wait(let error): error
        }
    }
}
