import FTPProtocol
@preconcurrency import Glibc
import Logging
import Threading

/// How a session gets its TLS (RFC 4217), and its data connections theirs.
///
/// | | |
/// | --- | --- |
/// | `implicit` | handshake, greeting, `USER` … |
/// | `explicit`, `auto` | greeting, `AUTH TLS`, handshake, `USER` … |
/// | behind the login | `PBSZ 0`, `PROT P`, with the other commands that are sent together where the server takes that |
/// | each transfer | TCP connect, the command, its 1yz, handshake |
///
/// - `AUTH SSL` where a server does not know `AUTH TLS`: the older name of the same thing.
/// - Between the answer to `AUTH` and the handshake the server has nothing to say. What is there all the same was put in
///   by somebody on the way, to be taken for the answers to later commands: the connection ends.
/// - With `auto`, a server that refuses is asked once. One that has agreed once may not refuse later: whoever can forge
///   an answer could else turn TLS off.
/// - An implicit server that does not know `PROT` encrypts data anyway.
///
/// ## Resuming
/// Data connections resume the session of their control connection, and servers commonly demand that. Where one refuses:
///
/// 1. An old control connection may have outlived its session: it ends, and the request goes to a new one.
/// 2. Else, with TLS 1.3, whose sessions some servers do not recognise, TLS 1.2 is used from then on.
/// 3. Else there is nothing left to try: `tlsFailed`.
///
/// The refusal comes as a reply to the transfer command, wherever that is read; hence ``objection(to:_:)``, which sees
/// them all.
struct SessionSecurity {
    /// What data connections resume.
    let store: TLSSessionStore
    /// What the control connection has shown.
    let certificate: CertificateCheck.Certificate
    let version: TLSSettings.Version
    /// When the handshake was.
    var since: Instant
    /// Whether data connections are encrypted.
    var protectsData: Bool
    /// Whether the last data connection has resumed a session.
    var hasResumed = false
}

extension Session {
    private var settings: TLSSettings { server.configuration.tls }

    // MARK: - The control connection

    /// Shakes hands before the greeting, where that is wanted.
    func beginImplicitTLS(until limit: Deadline, _ cancellation: Cancellation) throws(FTPError) {
        guard settings.mode == .implicit else { return }
        // A server without PROT encrypts all the same.
        try startTLS(protectsData: true, until: limit, cancellation)
    }

    /// Asks for TLS behind the greeting, where that is wanted.
    func negotiateTLS(until limit: Deadline, _ cancellation: Cancellation) throws(FTPError) {
        let isOptional: Bool
        switch settings.mode {
        case .off, .implicit:
            return
        case .explicit:
            isOptional = false
        case .auto:
            if server.known.tls.isNotOffered { return }
            isOptional = server.known.tls.observed == nil
        }
        var refusal: Reply?
        for mechanism in ["TLS", "SSL"] {
            let reply = try control.exchange(Command("AUTH", mechanism), cancellation, phase: .login)
            // 334 asks for more in other mechanisms; some servers say it for this one.
            if reply.code == 234 || reply.code == 334 {
                return try startTLS(protectsData: false, until: limit, cancellation)
            }
            refusal = refusal ?? reply
        }
        guard let refusal else { return }
        guard isOptional else { throw .tlsRefused(command: "AUTH TLS", refusal) }
        logger.warning("the server offers no TLS: user, password and files are sent in the clear")
        server.learn { $0.tls.isNotOffered = true }
    }

    private func startTLS(
        protectsData: Bool, until limit: Deadline, _ cancellation: Cancellation
    ) throws(FTPError) {
        let host = server.configuration.host
        let store = TLSSessionStore()
        let check = CertificateCheck(settings, host: host)
        let maximum = server.known.tls.maximum
        let tls = try control.startTLS(isFirst: settings.mode == .implicit) {
            (socket) throws(FTPError) -> TLSTransport in
            let tls = try TLSTransport(
                over: socket, try server.tlsContext(), host: host, TLSCallbacks(store, check), maximum: maximum)
            try tls.handshake(Wait(.tlsHandshake, until: limit, cancellation))
            return tls
        }
        // OpenSSL ends a handshake without a session and without a certificate by itself.
        guard let certificate = check.accepted else { throw .tlsFailed("the server has shown no certificate") }
        logger.debug("[\(control.id)] \(tls.version), \(tls.cipher), \(certificate.pin)")
        security = SessionSecurity(
            store: store, certificate: certificate, version: tls.version, since: .now, protectsData: protectsData)
        control.activity.secured(tls.version, tls.cipher)
        let observed = TLSObservation(version: tls.version, cipher: tls.cipher, pin: certificate.pin)
        server.learn { $0.tls.observe(observed) }
        control.objection = { [weak self] verb, reply in self?.objection(to: verb, reply) }
    }

    /// Whether the session of this connection is too old for the server to know it: then no transfer would work here.
    var hasOutlivedTLSSession: Bool {
        guard let security, security.protectsData else { return false }
        return security.store.hasExpired(at: time(nil))
    }

    // MARK: - Protection of data

    /// `PBSZ` and `PROT`, behind the login; none without TLS.
    var protectionCommands: [Command] {
        guard security != nil else { return [] }
        return [Command("PBSZ", "0"), Command("PROT", wantsPrivateData ? "P" : "C")]
    }

    private var wantsPrivateData: Bool { settings.protectsData || server.known.tls.demandsPrivateData }

    /// Takes the answer to one of ``protectionCommands``.
    func judgeProtection(_ command: Command, _ reply: Reply, _ cancellation: Cancellation) throws(FTPError) {
        // There is only one value that PBSZ can have; what the server says of it changes nothing.
        guard command.verb == "PROT" else { return }
        let isAccepted = reply.category == .completion
        guard command.argument == Array("P".utf8) else {
            guard !isAccepted else {
                security?.protectsData = false
                return
            }
            // The user would do without encrypted data; the server would not.
            server.learn { $0.tls.demandsPrivateData = true }
            let command = Command("PROT", "P")
            try judgeProtection(command, try exchange(command, cancellation), cancellation)
            return
        }
        if isAccepted {
            security?.protectsData = true
        } else if settings.mode != .implicit {
            throw .tlsRefused(command: "PROT P", reply)
        }
    }

    // MARK: - Data connections

    /// Shakes hands on a data connection, behind the 1yz of its command, if data are encrypted.
    ///
    /// A server may say nothing before the handshake; see ``awaitStart(_:_:_:_:whenMade:)``.
    ///
    /// - Parameters:
    ///   - data: connected; it stays the caller's to close when this throws.
    ///   - early: the final reply, where it has come already.
    func secured(
        _ data: SocketTransport, _ verb: String, early: Reply?, _ cancellation: Cancellation
    ) throws(FTPError) -> any Transport {
        guard let security, security.protectsData else { return data }
        let host = server.configuration.host
        let check = CertificateCheck(settings, host: host, expected: security.certificate)
        let tls = try TLSTransport(
            over: data, try server.tlsContext(), host: host, TLSCallbacks(security.store, check),
            resuming: security.store.next(), maximum: security.version)
        self.security?.hasResumed = false
        do throws(FTPError) {
            // A server that is done already may never shake hands.
            let limit = max(timeouts.reply, timeouts.dataIdle)
            let patience = early == nil ? limit : min(limit, Self.patience)
            try tls.handshake(Wait(.tlsHandshake, for: patience, cancellation))
        } catch {
            guard early != nil, error.isConnectionLoss || error == .timedOut(.tlsHandshake) else {
                throw try betterReason(than: error, verb, cancellation)
            }
            tls.markCut()
            return tls
        }
        let hasResumed = tls.isResumed
        self.security?.hasResumed = hasResumed
        server.learn { $0.tls.observeData(resumed: hasResumed) }
        logger.debug(
            "[\(control.id)] data: \(tls.version), \(tls.cipher), \(hasResumed ? "session resumed" : "new session")")
        return tls
    }

    /// How long the reply is waited for that explains a broken handshake. It comes at once, or never.
    private static let patience = Duration.seconds(5)

    /// What the server says of a handshake that it ended.
    private func betterReason(
        than error: FTPError, _ verb: String, _ cancellation: Cancellation
    ) throws(FTPError) -> FTPError {
        switch error {
        case .connectionLost, .tlsFailed: break
        default: return error
        }
        let reply: Reply
        do throws(FTPError) {
            reply = try control.finalReply(Wait(.finalReply, for: Self.patience, cancellation))
        } catch let later {
            guard case .timedOut = later else { throw later }
            control.fail(error)
            return refusalOfSession("the data connection was cut in the TLS handshake (\(error))")
        }
        hasOpenTransfer = false
        return reply.category == .completion ? error : .refused(verb: verb, reply)
    }

    /// Looks at a final reply to a command; what it returns is what the reply means for the session.
    private func objection(to verb: String, _ reply: Reply) -> FTPError? {
        guard let security else { return nil }
        if security.protectsData {
            guard Self.transferVerbs.contains(verb), Self.isAboutReuse(reply, hasResumed: security.hasResumed) else {
                return nil
            }
            hasOpenTransfer = false
            return refusalOfSession(reply.summary)
        }
        // pyftpdlib says it when it is asked for a port.
        guard Self.transferVerbs.contains(verb) || DataMethod(rawValue: verb) != nil, Self.demandsProtection(reply)
        else { return nil }
        hasOpenTransfer = false
        server.learn { $0.tls.demandsPrivateData = true }
        return .connectionLost(.beforeCommand, reason: "the server wants data to be encrypted: \(reply.summary)")
    }

    private static let transferVerbs: Set<String> = ["RETR", "STOR", "APPE", "STOU", "MLSD", "LIST", "NLST"]

    /// The server did not take the session that a data connection has resumed, or misses one.
    private func refusalOfSession(_ words: String) -> FTPError {
        guard let security else { return .tlsFailed(words) }
        if security.hasResumed, Instant.now.since(security.since) > Self.youth {
            return .connectionLost(.beforeCommand, reason: "the TLS session has become too old: \(words)")
        }
        let isRepeatable = security.version > .tls12 && settings.minimum <= .tls12
        if isRepeatable {
            logger.notice("[\(control.id)] the server does not recognise sessions of TLS 1.3; using TLS 1.2 (\(words))")
            server.learn { $0.tls.maximum = .tls12 }
            return .connectionLost(.beforeCommand, reason: words)
        }
        let advice =
            security.version > .tls12
            ? "tls_min=1.2 may help"
            : "the server's administrator can turn that demand off, or tls_data=clear avoids it"
        return .tlsFailed(
            "the server demands that data connections resume the TLS session of the control connection, and did not"
                + " recognise it with \(security.version) either (\(words)); \(advice)")
    }

    /// Below the shortest time for which servers commonly know a session (OpenSSL: 300 s).
    private static let youth = Duration.seconds(240)

    /// Whether a final reply says that a data connection was refused because it has not resumed the right session.
    ///
    /// vsftpd: 522 "SSL connection failed: session reuse required"; FileZilla Server: 425 "… TLS session of data
    /// connection not resumed"; ProFTPD: 425 "Unable to build data connection: Operation not permitted".
    ///
    /// - Parameter hasResumed: whether the data connection has resumed a session, as far as this side can tell.
    static func isAboutReuse(_ reply: Reply, hasResumed: Bool) -> Bool {
        switch reply.code {
        case 425, 426, 450, 451, 521, 522:
            // File names may hold any one of these words.
            if reply.mentions(["tls", "ssl"]), reply.mentions(["reuse", "resum"]) { return true }
            if reply.code == 425, reply.mentions(["operation not permitted"]) { return true }
            return !hasResumed && (reply.code == 425 || reply.code == 522)
        default:
            return false
        }
    }

    /// Whether a final reply says that unencrypted data connections are not allowed: RFC 4217 §9 has 521, servers also
    /// say 522 and 534.
    static func demandsProtection(_ reply: Reply) -> Bool {
        switch reply.code {
        case 521, 522, 534: true
        case 425, 431, 503, 530, 550: reply.mentions(["prot p"]) || reply.mentionsEncryption
        default: false
        }
    }
}

extension Reply {
    /// Whether a refusal is about a connection that is not encrypted.
    var mentionsEncryption: Bool { mentions(["tls", "ssl", "encrypt", "cleartext"]) }
}

/// What a client has seen of a server's TLS. For `ftpfs probe`, and for tests.
package struct TLSObservation: Hashable, Sendable {
    /// The version of the last control connection.
    package let version: TLSSettings.Version
    /// The name of its cipher suite.
    package let cipher: String
    /// The pin of the server's key.
    package let pin: CertificatePin
    /// How many data connections have resumed the session of their control connection, as OpenSSL says.
    package var resumedDataConnections = 0
    /// How many have not.
    package var otherDataConnections = 0
}

/// What has been learned about a server's TLS.
struct TLSKnowledge: Sendable {
    /// The server does not take `AUTH`, and need not.
    var isNotOffered = false
    /// The highest version whose sessions the server recognises on data connections; `nil`: nothing against any.
    var maximum: TLSSettings.Version?
    /// Transfers without `PROT P` are refused.
    var demandsPrivateData = false
    /// `nil`: there has been no TLS yet.
    var observed: TLSObservation?

    /// Notes a control connection.
    mutating func observe(_ new: TLSObservation) {
        var new = new
        new.resumedDataConnections = observed?.resumedDataConnections ?? 0
        new.otherDataConnections = observed?.otherDataConnections ?? 0
        observed = new
    }

    /// Notes a data connection.
    mutating func observeData(resumed: Bool) {
        if resumed { observed?.resumedDataConnections += 1 } else { observed?.otherDataConnections += 1 }
    }
}
