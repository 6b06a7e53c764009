internal import COpenSSL
internal import SystemPackage

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// TLS on one socket, which is non-blocking. Used by one thread.
///
/// OpenSSL reads and writes memory only; the bytes go to the socket and come from it here. So writing to a client that
/// is gone raises no signal, and what is sent can be cut in the middle of a record.
final class TLSConnection {
    /// What one attempt brought.
    enum Step: Hashable {
        /// So many bytes of the application; for a handshake or a flush: it is done.
        case done(Int)
        /// The socket has to become readable first.
        case needsInput
        /// The socket has to become writable first.
        case needsOutput
        /// The other side has ended: with its close_notify if ``gotCloseNotify``, else without.
        case end
        /// The connection is broken, or what came is not TLS. ``failure`` says more.
        case broken
    }

    let context: TLSContext
    /// The number of the control connection that this is, or belongs to.
    let number: Int
    /// Whether the client is not to resume anything on this connection.
    private let refusesResumption: Bool
    private let socket: FileDescriptor
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    /// What OpenSSL has written, as far as it has been fetched, and how much of that has been sent.
    private var records: [UInt8] = []
    private var sent = 0
    private var ticket: TicketContent?
    /// Whether the client has ended its side in order.
    private(set) var gotCloseNotify = false
    /// What OpenSSL said when something failed.
    private(set) var failure: TLSFailure?

    /// The most that is taken from the socket at once: four records of the largest size (RFC 8446 §5.1).
    private static let inputSize = 65_536

    init?(_ context: TLSContext, _ socket: FileDescriptor, connection number: Int, refusesResumption: Bool = false) {
        guard let ssl = context.makeConnection() else { return nil }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        // The connection owns both from here on.
        SSL_set_bio(ssl, incoming, outgoing)
        SSL_set_accept_state(ssl)
        self.context = context
        self.number = number
        self.refusesResumption = refusesResumption
        self.socket = socket
        self.ssl = ssl
        self.incoming = incoming
        self.outgoing = outgoing
        // Not retained: the note is used only inside of OpenSSL's calls below.
        SSL_set_ex_data(ssl, TLSContext.noteIndex, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { SSL_free(ssl) }

    static func of(_ ssl: OpaquePointer?) -> TLSConnection? {
        guard let note = SSL_get_ex_data(ssl, TLSContext.noteIndex) else { return nil }
        return Unmanaged<TLSConnection>.fromOpaque(note).takeUnretainedValue()
    }

    // MARK: What was agreed

    /// The version; `nil` before the handshake is done.
    var version: TLSPolicy.Version? {
        SSL_is_init_finished(ssl) == 1 ? TLSPolicy.Version(rawValue: String(cString: SSL_get_version(ssl))) : nil
    }

    /// Whose session was resumed.
    var resumption: Transcript.Resumption {
        guard SSL_session_reused(ssl) == 1 else { return .none }
        return ticket.map { $0.connection == UInt64(number) } == true ? .sameConnection : .otherConnection
    }

    /// Whether the session of a ticket is resumed. Asked by OpenSSL within the handshake.
    func accepts(_ ticket: TicketContent) -> Bool {
        guard !refusesResumption, context.takes(ticket, underTLS13: SSL_version(ssl) == TLS1_3_VERSION) else {
            return false
        }
        self.ticket = ticket
        return true
    }

    // MARK: Steps

    /// Goes on with the handshake.
    func handshake() -> Step {
        while true {
            OpenSSL.forgetErrors()
            let result = SSL_do_handshake(ssl)
            let step = self.step(result)
            // What is to be sent is sent whatever came of it: the client's next step, or the alert that says why not.
            let flushed = flush()
            switch (step, flushed) {
            case (.done, .done), (.end, _): return step == .end ? .broken : .done(0)
            case (.done, _): return flushed
            case (.needsInput, .done):
                let filled = fill()
                guard case .done = filled else { return filled == .end ? .broken : filled }
            case (.needsInput, _): return flushed
            case (.needsOutput, _), (.broken, _): return .broken
            }
        }
    }

    /// Reads bytes of the application, as many as are there and fit.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Step {
        var count = 0
        while count < buffer.count {
            OpenSSL.forgetErrors()
            var got = 0
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let step = self.step(SSL_read_ex(ssl, rest.baseAddress, rest.count, &got))
            count += got
            if case .done = step { continue }
            // What has come is given first; the end, or the failure, shows again at the next call.
            if count > 0 { break }
            guard step == .needsInput else { return step }
            let filled = fill()
            guard case .done = filled else { return filled }
        }
        return .done(count)
    }

    /// Sends bytes of the application; all or none are taken. Behind `done` there may be records left: ``flush()``.
    func write(_ bytes: UnsafeRawBufferPointer, atMost most: Int = .max) -> Step {
        let flushed = flush(atMost: most)
        guard case .done = flushed, !bytes.isEmpty else { return flushed }
        OpenSSL.forgetErrors()
        var count = 0
        let step = self.step(SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count))
        guard case .done = step else { return step }
        let end = flush(atMost: most)
        return end == .broken ? .broken : .done(count)
    }

    /// Sends what OpenSSL has written. - Parameter most: at most so many bytes at once.
    func flush(atMost most: Int = .max) -> Step {
        while true {
            if sent == records.count {
                records = OpenSSL.everything(in: outgoing)
                sent = 0
                if records.isEmpty { return .done(0) }
            }
            let count = records.withUnsafeBytes { bytes in
                Glibc.send(
                    socket.rawValue, bytes.baseAddress?.advanced(by: sent), min(most, bytes.count - sent),
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                return .needsOutput
            } else if errno != EINTR {
                return .broken
            }
        }
    }

    /// Writes bytes of the application and forgets the second half of their record.
    func writeHalf(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { _ = SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
        records = Array(records[sent...]) + OpenSSL.everything(in: outgoing)
        records.removeLast(min(records.count, bytes.count / 2))
        sent = 0
    }

    /// Says that nothing more will be sent: close_notify (RFC 8446 §6.1). Behind it comes ``flush()``.
    func writeCloseNotify() {
        OpenSSL.forgetErrors()
        // In the middle of a handshake, or of a failure, there is nothing to say.
        if SSL_is_init_finished(ssl) == 1 { SSL_shutdown(ssl) }
    }

    /// What a call of OpenSSL means.
    private func step(_ result: Int32) -> Step {
        guard result <= 0 else { return .done(0) }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_WANT_WRITE: return .needsOutput
        case SSL_ERROR_ZERO_RETURN:
            gotCloseNotify = true
            return .end
        default:
            if failure == nil { failure = OpenSSL.failure("TLS") }
            return .broken
        }
    }

    /// Takes records from the socket.
    private func fill() -> Step {
        withUnsafeTemporaryAllocation(byteCount: Self.inputSize, alignment: 16) { buffer in
            while true {
                let count = Glibc.read(socket.rawValue, buffer.baseAddress, buffer.count)
                if count > 0 {
                    var taken = 0
                    BIO_write_ex(incoming, buffer.baseAddress, count, &taken)
                    return .done(taken)
                }
                if count == 0 { return .end }
                switch errno {
                case EINTR: continue
                case EAGAIN: return .needsInput
                default: return .broken
                }
            }
        }
    }
}
