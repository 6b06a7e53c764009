internal import COpenSSL
internal import Synchronization
internal import Threading

/// What all TLS connections of a server share: the certificate, the rules, and the keys of the session tickets.
///
/// A ticket (RFC 5077, RFC 8446 §4.6.1) carries, sealed, the number of the control connection that it was given out on,
/// or for, and a number of its own. So the server tells whether a data connection resumes a session of its own control
/// connection or of another one, and can refuse a ticket that it has seen before. Sessions are resumed by tickets only:
/// nothing is kept on this side.
final class TLSContext: @unchecked Sendable {
    // Sendable: SSL_CTX counts its users and locks itself; it is set up before anybody else has it and not changed then.

    let policy: TLSPolicy
    fileprivate let pointer: OpaquePointer
    private let nextTicket = Atomic<UInt64>(1)
    private let usedTickets = Monitor<Set<UInt64>>([])

    /// The name in ``TLSPolicy/Version`` of a protocol number.
    private static let numbers: [TLSPolicy.Version: Int32] = [.tls12: TLS1_2_VERSION, .tls13: TLS1_3_VERSION]

    init(_ policy: TLSPolicy) throws(TLSFailure) {
        self.policy = policy
        // At the end of the process OpenSSL would take its memory back, under threads that may still be using it (OPENSSL_init_crypto(3)).
        _ = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        OpenSSL.forgetErrors()
        guard let pointer = SSL_CTX_new(TLS_server_method()) else { throw OpenSSL.failure("SSL_CTX_new") }
        self.pointer = pointer
        // What `self` owns from here on is freed by deinit, also when this throws.
        try useIdentity()
        try setRules()
    }

    deinit { SSL_CTX_free(pointer) }

    private func useIdentity() throws(TLSFailure) {
        let chain = OpenSSL.certificates(in: policy.identity.certificate)
        guard let own = chain.first, let key = OpenSSL.privateKey(in: policy.identity.privateKey),
            SSL_CTX_use_certificate(pointer, own.pointer) == 1, SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1
        else { throw OpenSSL.failure("the certificate cannot be used") }
        for other in chain.dropFirst() {
            // SSL_CTX_add1_chain_cert, a macro: 1 keeps the caller's reference.
            guard SSL_CTX_ctrl(pointer, SSL_CTRL_CHAIN_CERT, 1, UnsafeMutableRawPointer(other.pointer)) == 1 else {
                throw OpenSSL.failure("the chain of the certificate cannot be used")
            }
        }
    }

    private func setRules() throws(TLSFailure) {
        // Macros all: SSL_CTX_set_min_proto_version, SSL_CTX_set_max_proto_version, SSL_CTX_set_session_cache_mode.
        let oldest = Self.numbers[policy.versions.lowerBound] ?? TLS1_2_VERSION
        let newest = Self.numbers[policy.versions.upperBound] ?? TLS1_3_VERSION
        // A session that requires a client's certificate has to say what it is for.
        let name: [UInt8] = Array("ftpfs".utf8)
        guard SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(oldest), nil) == 1,
            SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil) == 1,
            SSL_CTX_set_session_id_context(pointer, name, UInt32(name.count)) == 1,
            SSL_CTX_set_num_tickets(pointer, max(0, policy.ticketsPerHandshake)) == 1,
            SSL_CTX_set_session_ticket_cb(pointer, Self.seal, Self.open, nil) == 1
        else { throw OpenSSL.failure("the rules of TLS cannot be set") }
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        guard let authority = policy.clientAuthority else { return }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        for certificate in OpenSSL.certificates(in: authority) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(pointer), certificate.pointer)
        }
    }

    /// A new connection's state.
    func makeConnection() -> OpaquePointer? { SSL_new(pointer) }

    // MARK: Tickets

    /// Where a connection's ``TLSConnection`` is noted in OpenSSL's object: SSL_set_app_data, a macro, takes it too.
    static let noteIndex: Int32 = 0

    private static let seal: SSL_CTX_generate_session_ticket_fn = { ssl, _ in
        guard let connection = TLSConnection.of(ssl), let session = SSL_get_session(ssl) else { return 0 }
        let content = TicketContent(
            connection: UInt64(connection.number),
            number: connection.context.nextTicket.wrappingAdd(1, ordering: .relaxed).oldValue)
        return withUnsafeBytes(of: content) {
            SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, $0.count)
        }
    }

    private static let open: SSL_CTX_decrypt_session_ticket_fn = { ssl, session, _, _, status, _ in
        guard status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW else {
            // No ticket, or one that this server has not sealed: a full handshake, and a ticket at its end.
            return SSL_TICKET_RETURN_IGNORE_RENEW
        }
        var data: UnsafeMutableRawPointer?
        var length = 0
        guard let connection = TLSConnection.of(ssl),
            SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1, let data,
            length == MemoryLayout<TicketContent>.size,
            connection.accepts(data.loadUnaligned(as: TicketContent.self))
        else { return SSL_TICKET_RETURN_IGNORE_RENEW }
        return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE
    }

    /// Whether a ticket may resume a session, as far as the policy goes; it is used up then.
    func takes(_ ticket: TicketContent, underTLS13: Bool) -> Bool {
        guard underTLS13 else { return true }
        if policy.refusesResumptionUnderTLS13 { return false }
        return !policy.acceptsTicketsOnce || usedTickets.withLock { $0.insert(ticket.number).inserted }
    }
}

/// What a server puts into a session ticket.
struct TicketContent {
    /// The control connection that it belongs to.
    let connection: UInt64
    /// Counts the tickets of the server.
    let number: UInt64
}
