import COpenSSL
@preconcurrency import Glibc
import SystemPackage
import Threading

/// A peer with TLS that follows a script, like ``ScriptedServer``: for what a well-written server does not do.
final class TLSPeer: Sendable {
    enum Step: Sendable {
        /// The next control connection is taken (the first is taken by itself).
        case accept
        /// Lines, each with CR LF, in one piece.
        case send([String])
        /// Lines on the bare socket, whatever is on top of it.
        case sendInClear([String])
        /// This line comes next.
        case expect(String)
        /// The handshake of the control connection; it must succeed.
        case secure
        /// The same; it must fail.
        case failToSecure
        /// `EPSV` comes next, and is answered with a port that listens.
        case passive
        /// The data connection is taken and its handshake made. `resumed`: whether it must have resumed a session.
        case secureData(resumed: Bool)
        /// The data connection is taken, and its handshake must fail on the client's side.
        case failToSecureData
        /// The data connection is taken and ended at once.
        case cutData
        /// Bytes on the data connection that are no TLS.
        case dataInClear(String)
        /// Bytes on the data connection.
        case data(String)
        /// The data connection ends, with or without a close_notify.
        case endData(notify: Bool)
        /// The data connection is read to its end, which must be a close_notify, and must bring this.
        case receive(String)
        /// So many bytes are read from the data connection, which stays.
        case take(Int)
        /// New keys for both directions of the control connection (TLS 1.3), or a new handshake (TLS 1.2).
        case renewControl
        /// The same for the data connection.
        case renewData
        /// The control connection ends.
        case close
        /// The client ends the control connection; further commands before that are not minded.
        case awaitEnd
    }

    struct Options: Sendable {
        var certificate: TestCertificate
        /// Shown on data connections instead.
        var dataCertificate: TestCertificate?
        var maximum = TLS1_3_VERSION
        /// Whether a session can be resumed only once.
        var takesSessionsOnce = false
        /// The client must have a certificate that this one has signed.
        var clientAuthority: TestCertificate?
    }

    let port: UInt16
    private let listener: Int32
    private let problems = Monitor<[String]>([])
    private let isDone = Monitor(false)

    /// Listens on loopback and follows the script in a thread of its own.
    init(_ options: Options, _ script: [Step]) throws {
        (listener, port) = try Self.listen()
        let listener = listener
        try Thread.detached(named: "tls-peer") { [problems, isDone] in
            do {
                var run = try Run(listener, options)
                do {
                    try run.accept()
                    for (index, step) in script.enumerated() {
                        do { try run.follow(step) } catch {
                            throw Problem(description: "step \(index), \(step): \(error)")
                        }
                    }
                } catch {
                    problems.withLock { $0.append("\(error)") }
                }
                run.finish()
            } catch {
                problems.withLock { $0.append("\(error)") }
            }
            isDone.withLockThenWake { $0 = true }
        }
    }

    deinit { Glibc.close(listener) }

    /// Waits for the end of the script; what did not go by it.
    func outcome() -> [String] {
        let done = isDone.wait(until: .after(.seconds(20))) { $0 ? true : nil }
        return problems.withLock { $0 } + (done == nil ? ["the script has not come to its end"] : [])
    }

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listener, pointer, length) == 0, Glibc.listen(listener, 8) == 0 else { return errno }
                return getsockname(listener, pointer, &length) == 0 ? 0 : errno
            }
        }
        guard listener >= 0, code == 0 else { throw Problem(description: "no listener: \(Errno(rawValue: code))") }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// One socket with what may be on top of it. Blocking, with a limit for each call.
    private struct Line {
        var descriptor: Int32 = -1
        var ssl: OpaquePointer?

        mutating func take(_ listener: Int32) throws {
            try wait(listener)
            descriptor = Glibc.accept(listener, nil, nil)
            var limit = timeval(tv_sec: 15, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        func wait(_ listener: Int32) throws {
            var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 15_000) == 1 else { throw Problem(description: "nobody connected") }
        }

        /// Whether the handshake succeeded.
        mutating func secure(_ context: OpaquePointer?) -> Bool {
            ssl = SSL_new(context)
            SSL_set_fd(ssl, descriptor)
            ERR_clear_error()
            return SSL_accept(ssl) == 1
        }

        func write(_ bytes: [UInt8]) {
            // A client that breaks off may have closed it already.
            if let ssl {
                ERR_clear_error()
                _ = SSL_write(ssl, bytes, Int32(bytes.count))
            } else {
                _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }
        }

        /// `nil` at the end.
        func read(_ count: Int = 4096) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: count)
            ERR_clear_error()
            let count =
                ssl.map { Int(SSL_read($0, &buffer, Int32(buffer.count))) }
                ?? Glibc.read(descriptor, &buffer, buffer.count)
            return count > 0 ? Array(buffer[..<count]) : nil
        }

        func renew() {
            if SSL_version(ssl) == TLS1_3_VERSION {
                SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
            } else {
                SSL_renegotiate(ssl)
            }
            // Says so to the client; its part comes with the next bytes that are read.
            SSL_do_handshake(ssl)
        }

        var wasEndedInOrder: Bool { ssl.map { SSL_get_shutdown($0) & SSL_RECEIVED_SHUTDOWN != 0 } ?? true }

        mutating func end(notify: Bool) {
            if let ssl {
                if notify { SSL_shutdown(ssl) }
                // Or OpenSSL would forget the session.
                SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
                SSL_free(ssl)
            }
            if descriptor >= 0 { Glibc.close(descriptor) }
            self = Line()
        }
    }

    /// One run of the script, on its thread.
    private struct Run {
        let listener: Int32
        let contexts: [OpaquePointer?]
        var control = Line()
        var data = Line()
        var dataListener: Int32 = -1
        var pending: [UInt8] = []

        init(_ listener: Int32, _ options: Options) throws {
            // A client that breaks off must not end the tests: SSL_set_fd writes with write(2).
            var pipe = sigset_t()
            sigemptyset(&pipe)
            sigaddset(&pipe, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipe, nil)
            self.listener = listener
            let control = try Self.context(options.certificate, options)
            // One and the same, or no session of the first would be known to the second.
            let data = try options.dataCertificate.map { try Self.context($0, options) } ?? control
            contexts = [control, data]
        }

        static func context(_ certificate: TestCertificate, _ options: Options) throws -> OpaquePointer? {
            let context = SSL_CTX_new(TLS_server_method())
            SSL_CTX_use_certificate(context, certificate.certificate)
            SSL_CTX_use_PrivateKey(context, certificate.key)
            SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(options.maximum), nil)
            SSL_CTX_set_session_id_context(context, [1], 1)
            if options.takesSessionsOnce, let context { SessionBook().attach(to: context) }
            if let authority = options.clientAuthority {
                X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.certificate)
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            }
            guard context != nil else { throw Problem(description: "no context") }
            return context
        }

        mutating func follow(_ step: Step) throws {
            switch step {
            case .accept:
                try accept()
            case .send(let lines):
                control.write(lines.flatMap { Array(($0 + "\r\n").utf8) })
            case .sendInClear(let lines):
                let bytes = lines.flatMap { Array(($0 + "\r\n").utf8) }
                _ = Glibc.send(control.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            case .expect(let line):
                let got = try readLine() ?? "(the end)"
                guard got == line else { throw Problem(description: "got \(got)") }
            case .secure:
                guard control.secure(contexts[0]) else { throw Problem(description: "the handshake failed") }
            case .failToSecure:
                if control.secure(contexts[0]) { throw Problem(description: "the handshake succeeded") }
                // What the client has sent behind its handshake must not turn the end into a reset, which would take the
                // complaint with it.
                shutdown(control.descriptor, Int32(SHUT_WR))
                var rest = [UInt8](repeating: 0, count: 1000)
                while recv(control.descriptor, &rest, rest.count, 0) > 0 {}
            case .passive:
                try follow(.expect("EPSV"))
                let port: UInt16
                (dataListener, port) = try TLSPeer.listen()
                try follow(.send(["229 Entering Extended Passive Mode (|||\(port)|)"]))
            case .secureData(let resumed):
                try takeData()
                guard data.secure(contexts[1]) else { throw Problem(description: "the data handshake failed") }
                let got = SSL_session_reused(data.ssl) == 1
                guard got == resumed else { throw Problem(description: "resumed: \(got)") }
            case .failToSecureData:
                try takeData()
                // With TLS 1.3 the client's complaint comes behind what this side takes for the end of the handshake.
                if data.secure(contexts[1]), data.read() != nil { throw Problem(description: "bytes came") }
                data.end(notify: false)
            case .cutData:
                try takeData()
                data.end(notify: false)
            case .data(let text):
                data.write(Array(text.utf8))
            case .dataInClear(let text):
                let bytes = Array(text.utf8)
                _ = Glibc.send(data.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            case .endData(let notify):
                data.end(notify: notify)
            case .receive(let text):
                var bytes: [UInt8] = []
                while let more = data.read() { bytes += more }
                let got = String(decoding: bytes, as: UTF8.self)
                guard got == text else { throw Problem(description: "got \(got)") }
                guard data.wasEndedInOrder else { throw Problem(description: "no close_notify") }
                data.end(notify: true)
            case .take(let count):
                var left = count
                while left > 0 {
                    guard let more = data.read(left) else { throw Problem(description: "\(left) bytes are missing") }
                    left -= more.count
                }
            case .renewControl:
                control.renew()
            case .renewData:
                data.renew()
            case .close:
                control.end(notify: true)
            case .awaitEnd:
                while try readLine() != nil {}
            }
        }

        mutating func accept() throws {
            control.end(notify: false)
            pending = []
            try control.take(listener)
        }

        mutating func takeData() throws {
            try data.take(dataListener)
            Glibc.close(dataListener)
            dataListener = -1
        }

        mutating func readLine() throws -> String? {
            while true {
                if let end = pending.firstIndex(of: 0x0A) {
                    let line = pending[..<end].filter { $0 != 0x0D }
                    pending.removeFirst(end + 1)
                    return String(decoding: line, as: UTF8.self)
                }
                guard let more = control.read() else { return nil }
                pending += more
            }
        }

        mutating func finish() {
            control.end(notify: false)
            data.end(notify: false)
            if dataListener >= 0 { Glibc.close(dataListener) }
            if let context = contexts[0] { SessionBook.detach(from: context) }
            SSL_CTX_free(contexts[0])
            if contexts[1] != contexts[0] { SSL_CTX_free(contexts[1]) }
        }
    }
}

/// The sessions of a server that takes each of them once.
private final class SessionBook {
    private var sessions: [[UInt8]: OpaquePointer] = [:]

    deinit { for session in sessions.values { SSL_SESSION_free(session) } }

    func attach(to context: OpaquePointer) {
        SSL_CTX_set_ex_data(context, 0, Unmanaged.passRetained(self).toOpaque())
        // SSL_OP_NO_TICKET: what the client gets is a number under which the session is kept here.
        SSL_CTX_set_options(context, 1 << 14)
        SSL_CTX_ctrl(
            context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_SERVER) | Int(SSL_SESS_CACHE_NO_INTERNAL), nil)
        SSL_CTX_sess_set_new_cb(context) { connection, session in
            guard let session, let book = SessionBook.of(connection) else { return 0 }
            var length: UInt32 = 0
            let id = SSL_SESSION_get_id(session, &length)
            book.sessions[Array(UnsafeBufferPointer(start: id, count: Int(length)))] = session
            return 1
        }
        SSL_CTX_sess_set_get_cb(context) { connection, id, length, copy in
            copy?.pointee = 0
            return SessionBook.of(connection)?.sessions.removeValue(
                forKey: Array(UnsafeBufferPointer(start: id, count: Int(length))))
        }
    }

    static func detach(from context: OpaquePointer) {
        guard let book = SSL_CTX_get_ex_data(context, 0) else { return }
        SSL_CTX_set_ex_data(context, 0, nil)
        Unmanaged<SessionBook>.fromOpaque(book).release()
    }

    private static func of(_ connection: OpaquePointer?) -> SessionBook? {
        connection.flatMap { SSL_CTX_get_ex_data(SSL_get_SSL_CTX($0), 0) }
            .map { Unmanaged<SessionBook>.fromOpaque($0).takeUnretainedValue() }
    }
}
