import SystemPackage

/// A connection that carries bytes: a plain socket, or TLS over one.
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

    /// Writes what goes without waiting, from the front of the bytes.
    ///
    /// - Returns: how many; 0 for none. The next call must bring the same bytes again from there.
    func writeAvailable(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int

    /// What to wait for at ``descriptor`` when ``writeAvailable(_:)`` has no room.
    var writingAwaits: Readiness { get }

    /// Tells the other side now what has been received, and not when the kernel thinks it best. A hint.
    func acknowledge()

    /// Ends this side's direction; the other side sees the end after the last byte. Reading goes on.
    func finishWriting(_ wait: Wait) throws(TransportError)

    /// Makes every present and later call fail or return soon. Any thread, as long as ``close()`` has not begun.
    func interrupt()

    /// Frees the descriptor. With `abortively` the other side gets a reset instead of an end, so that it cannot take
    /// a broken-off upload for a complete one.
    func close(abortively: Bool)

    /// The descriptor for `poll(2)`. Before polling it for input, ``readAvailable(into:)`` must have nothing.
    var descriptor: FileDescriptor { get }

    /// The descriptor for `sendfile(2)`; `nil` when bytes change on their way (TLS).
    var plainDescriptor: FileDescriptor? { get }

    /// Once a read has returned 0: whether the other side has said that this is the end. False is open to doubt: TLS
    /// tells an end from a cut, and this was a cut.
    var endedInOrder: Bool { get }
}

/// Why a transport stopped, before it is known what it was doing for whom.
enum TransportError: Error {
    /// The other side, or the network, ended it.
    case lost(Errno)
    /// What came breaks TLS, or the other side complained.
    case tls(OpenSSLError)
    /// The wait ended first: `cancelled`, `timedOut` or `localFailure`.
    case wait(FTPError)

    /// The error of whoever used the transport.
    func ftpError(_ point: FTPError.LostPoint, _ what: String) -> FTPError {
        switch self {
        case .lost(let errno): .connectionLost(point, reason: "\(what): \(errno)")
        case .tls(let error) where error.isAboutOwnCertificate: .tlsFailed(error.sentence)
        case .tls(let error): .connectionLost(point, reason: "\(what): \(error.text)")
        case .wait(let error): error
        }
    }
}
