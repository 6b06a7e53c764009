import COpenSSL
import SystemPackage
import Threading

/// TLS over a connected socket, by OpenSSL.
///
/// The socket is non-blocking; every wait is one in `poll(2)`, with a deadline and a cancellation, like that of the plain
/// transport. What OpenSSL waits for need not be what the caller is after: a read may have to send an answer first
/// (key update, renegotiation), and a write may have to read.
///
/// ## Who polls the descriptor
/// Bytes may be in OpenSSL's buffer while the socket has none, and then `poll(2)` says nothing. So the rule for everybody
/// who polls ``descriptor`` for input is: first ``readAvailable(into:)`` until it has nothing, then poll. It takes as
/// many records as the buffer has room for, and leaves nothing behind unless the buffer is full.
///
/// ## The end
/// - The end of this side is always a close_notify before the FIN: servers take an upload without one for cut off.
/// - An end of the other side without a close_notify reads like an ordinary one, and ``endedInOrder`` is false: some
///   servers never send it, and whoever reads knows whether something is missing.
/// - ``close(abortively:)``, unless abortively, first takes in what has arrived: sessions that came late, and because
///   the kernel answers unread bytes with a reset, which may destroy what the server has not read yet.
final class TLSTransport: Transport, @unchecked Sendable {
    // Like every transport it has one owner at a time, and the hand-overs are ordered by monitors; `interrupt()` touches
    // the socket only. That is what makes `@unchecked Sendable` true.
    private let socket: SocketTransport
    private let callbacks: TLSCallbacks
    private let wire: SocketBIO.Wire
    private let ssl: OpaquePointer
    /// What OpenSSL waits for when a read or a write has to wait.
    private var readAwaits = Readiness.input
    private(set) var writingAwaits = Readiness.output
    private var failure: TransportError?
    private var hasSentNotify = false
    private var isClosed = false
    private var end = End.open

    private enum End {
        case open
        /// By a close_notify.
        case inOrder
        /// By the end of the TCP connection alone.
        case cut
    }

    var descriptor: FileDescriptor { socket.descriptor }
    var plainDescriptor: FileDescriptor? { nil }
    var endedInOrder: Bool { end != .cut }

    /// Takes over a connected socket, or leaves it as it is when it throws. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - host: whom the certificate must name, and who is asked for if it is a name.
    ///   - session: what to resume.
    ///   - maximum: the highest version to offer; `nil`: the highest there is.
    init(
        over socket: SocketTransport, _ context: TLSContext, host: String, _ callbacks: TLSCallbacks,
        resuming session: TLSSession? = nil, maximum: TLSSettings.Version? = nil
    ) throws(FTPError) {
        ERR_clear_error()
        let wire = SocketBIO.Wire(socket.descriptor)
        guard let ssl = SSL_new(context.pointer) else {
            throw .localFailure(.noMemory, doing: "TLS (\(OpenSSLError.take().text))")
        }
        guard let bio = SocketBIO.make(wire) else {
            SSL_free(ssl)
            throw .localFailure(.noMemory, doing: "TLS (\(OpenSSLError.take().text))")
        }
        SSL_set_bio(ssl, bio, bio)
        self.socket = socket
        self.wire = wire
        self.callbacks = callbacks
        self.ssl = ssl
        callbacks.attach(to: ssl)
        Self.setHost(host, of: ssl)
        if let maximum { _ = copenssl_SSL_set_max_proto_version(ssl, maximum.rawValue) }
        if let session { SSL_set_session(ssl, session.pointer) }
        SSL_set_connect_state(ssl)
    }

    deinit {
        close(abortively: true)
        SSL_free(ssl)
    }

    /// Whom the certificate must name. Only names are told to the server (RFC 6066 §3).
    private static func setHost(_ host: String, of ssl: OpaquePointer) {
        // A zone (RFC 4007) and the final dot of a full name are for this machine only.
        var name = host.utf8.prefix { $0 != UInt8(ascii: "%") }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        let text = String(decoding: name, as: UTF8.self)
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text) == 1 { return }
        _ = SSL_set1_host(ssl, text)
        _ = copenssl_SSL_set_tlsext_host_name(ssl, text)
    }

    // MARK: - The handshake

    /// Shakes hands; blocks until the wait's end at most.
    ///
    /// - Throws: `certificateRejected`, `tlsFailed`, `connectionLost(.afterCommand, …)`, or the wait's errors.
    func handshake(_ wait: Wait) throws(FTPError) {
        do throws(TransportError) {
            while true {
                switch try attempt({ SSL_do_handshake(ssl) }) {
                case .done: return
                case .wait(let readiness): try poll(readiness, wait)
                case .ended: throw .lost(.connectionReset)
                }
            }
        } catch {
            if let rejection = callbacks.check.rejection { throw rejection }
            switch error {
            case .tls(let error): throw .tlsFailed(error.sentence)
            case .lost, .wait: throw error.ftpError(.afterCommand, "in the TLS handshake")
            }
        }
    }

    /// Whether the handshake has resumed a session.
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The version that the handshake has led to.
    var version: TLSSettings.Version { TLSSettings.Version(rawValue: SSL_version(ssl)) ?? .tls12 }

    /// The name of the cipher suite.
    var cipher: String {
        SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) } ?? "no cipher"
    }

    // MARK: - Bytes

    func read(into buffer: UnsafeMutableRawBufferPointer, _ wait: Wait) throws(TransportError) -> Int {
        while true {
            if let count = try readAvailable(into: buffer) { return count }
            try poll(readAwaits, wait)
        }
    }

    func readAvailable(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Int? {
        var total = 0
        while total < buffer.count, end == .open {
            var count = 0
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[total...])
            let step: Step
            do throws(TransportError) {
                step = try attempt { SSL_read_ex(ssl, rest.baseAddress, rest.count, &count) }
            } catch {
                // What has been read is handed out first; the failure stays for the next call.
                if total > 0 { return total }
                throw error
            }
            switch step {
            case .done:
                total += count
            case .wait(let readiness):
                readAwaits = readiness
                return total > 0 ? total : nil
            case .ended:
                break
            }
        }
        return total
    }

    func write(_ bytes: UnsafeRawBufferPointer, _ wait: Wait) throws(TransportError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try writeAvailable(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            if count == 0 { try poll(writingAwaits, wait) }
        }
    }

    /// OpenSSL keeps a record that the socket did not take whole, and counts its bytes only when it is out: a call that
    /// had to wait is to be followed by one with the same bytes.
    func writeAvailable(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        var total = 0
        while total < bytes.count {
            var count = 0
            let rest = UnsafeRawBufferPointer(rebasing: bytes[total...])
            switch try attempt({ SSL_write_ex(ssl, rest.baseAddress, rest.count, &count) }) {
            case .done:
                total += count
            case .wait(let readiness):
                writingAwaits = readiness
                return total
            case .ended:
                throw .lost(.brokenPipe)
            }
        }
        return total
    }

    /// Sends the close_notify, then the FIN.
    func finishWriting(_ wait: Wait) throws(TransportError) {
        while let readiness = notify() { try poll(readiness, wait) }
        try socket.finishWriting(wait)
    }

    /// Sends the close_notify once; what it has to wait for, if anything.
    private func notify() -> Readiness? {
        // After a failure, and after an end without order, OpenSSL must not be asked to send anything.
        guard !hasSentNotify, !isClosed, failure == nil, end != .cut, SSL_is_init_finished(ssl) == 1 else { return nil }
        ERR_clear_error()
        let code = SSL_shutdown(ssl)
        if code < 0 {
            switch SSL_get_error(ssl, code) {
            case SSL_ERROR_WANT_WRITE: return .output
            case SSL_ERROR_WANT_READ: break
            default: failure = .lost(wire.failure ?? .brokenPipe)
            }
            ERR_clear_error()
        }
        hasSentNotify = true
        return nil
    }

    // MARK: - The end

    func acknowledge() { socket.acknowledge() }

    func interrupt() { socket.interrupt() }

    func close(abortively: Bool) {
        guard !isClosed else { return }
        if !abortively {
            _ = notify()
            drain()
        }
        isClosed = true
        socket.close(abortively: abortively)
    }

    /// Takes the end of the data as reached: what could not shake hands has brought nothing.
    func markCut() { end = .cut }

    /// Reads what has arrived, without waiting.
    private func drain() {
        guard failure == nil, SSL_is_init_finished(ssl) == 1 else { return }
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
            // Late sessions are one record; who still sends a megabyte is not going to end.
            for _ in 0..<64 {
                guard let count = try? readAvailable(into: buffer), count > 0 else { return }
            }
        }
    }

    // MARK: - OpenSSL

    private enum Step {
        case done
        case wait(Readiness)
        case ended
    }

    /// One call that may have to wait. A failure is final.
    private func attempt(_ call: () -> Int32) throws(TransportError) -> Step {
        if let failure { throw failure }
        if isClosed { throw .lost(.badFileDescriptor) }
        ERR_clear_error()
        let code = call()
        if code > 0 { return .done }
        let reason: TransportError
        switch SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ:
            return .wait(.input)
        case SSL_ERROR_WANT_WRITE:
            return .wait(.output)
        case SSL_ERROR_ZERO_RETURN:
            end = .inOrder
            return .ended
        case SSL_ERROR_SYSCALL where wire.failure == nil && wire.hasEnded:
            end = .cut
            return .ended
        case SSL_ERROR_SSL:
            reason = .tls(OpenSSLError.take())
        default:
            reason = .lost(wire.failure ?? .ioError)
        }
        ERR_clear_error()
        failure = reason
        throw reason
    }

    private func poll(_ readiness: Readiness, _ wait: Wait) throws(TransportError) {
        do throws(FTPError) { try wait.poll(descriptor, readiness) } catch { throw .wait(error) }
    }
}
