/// How a server uses TLS (RFC 4217), and what it demands of its clients.
///
/// ```swift
/// configuration.tls = try TLSPolicy(.explicit)           // a certificate of its own for localhost, 127.0.0.1 and ::1
/// configuration.tls?.requiresSessionReuse = true
/// configuration.tls?.versions = .tls13 ... .tls13
/// ```
package struct TLSPolicy: Sendable {
    /// When TLS begins.
    package enum Start: Hashable, Sendable {
        /// The client asks for it: AUTH (RFC 4217 §4).
        case explicit
        /// Before the greeting, on a port of its own.
        case implicit
    }

    /// The versions of the protocol that a server speaks today.
    package enum Version: String, Hashable, Comparable, Sendable, CustomStringConvertible {
        case tls12 = "TLSv1.2"
        case tls13 = "TLSv1.3"

        package var description: String { rawValue }

        package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    /// When TLS begins.
    package var start: Start
    /// What the server proves itself with.
    package var identity: TLSIdentity
    /// The oldest and the newest version it speaks.
    package var versions: ClosedRange<Version> = .tls12 ... .tls13
    /// The arguments of AUTH that it takes, in capitals. Servers from before RFC 4217 know only `SSL`.
    package var mechanisms = ["TLS", "SSL"]
    /// What FEAT says of it; `nil`: AUTH with each mechanism, PBSZ, PROT.
    package var features: [String]?
    /// USER is refused without TLS.
    package var requiresTLSForLogin = false
    /// Data connections are refused without TLS, and so is `PROT C`.
    package var requiresTLSForData = false
    /// `PROT P` is refused: there is TLS on the control connection only.
    package var refusesPrivateData = false
    /// Data connections are private without PROT, as on some implicit servers (RFC 4217 §12 wants `PROT C` first).
    package var startsWithPrivateData = false
    /// A data connection whose session is not one of its own control connection is refused, as vsftpd
    /// (require_ssl_reuse), ProFTPD and FileZilla Server do.
    package var requiresSessionReuse = false
    /// Behind the refusal the control connection is closed, as vsftpd does.
    package var hangsUpWithoutSessionReuse = false
    /// No session is resumed under TLS 1.3, as with servers that were built for TLS 1.2. With ``requiresSessionReuse``
    /// a client gets no further but by falling back to 1.2.
    package var refusesResumptionUnderTLS13 = false
    /// Under TLS 1.3 each ticket resumes once only (RFC 8446 §C.4): clients have to take the newer tickets, which come on
    /// data connections.
    package var acceptsTicketsOnce = false
    /// How many tickets follow a full handshake under TLS 1.3; OpenSSL's default. A resumed one is followed by one.
    package var ticketsPerHandshake = 2
    /// An upload that ends without the client's close_notify is refused and not kept (vsftpd's strict_ssl_read_eof):
    /// its end could be an attacker's.
    package var requiresCloseNotifyOfUploads = false
    /// A download is complete only when the client has sent its close_notify (vsftpd's strict_ssl_write_shutdown).
    package var requiresCloseNotifyOfDownloads = false
    /// Clients need a certificate of this authority (in PEM); `nil`: they need none.
    package var clientAuthority: [UInt8]?

    /// TLS with a certificate.
    package init(_ start: Start, identity: TLSIdentity) {
        self.start = start
        self.identity = identity
    }

    /// TLS with a new certificate, signed by its own key, for localhost, 127.0.0.1 and ::1.
    ///
    /// - Throws: ``TLSFailure`` when OpenSSL cannot make it.
    package init(_ start: Start) throws(TLSFailure) {
        self.init(start, identity: try TLSIdentity())
    }

    /// The lines of FEAT.
    var featureLines: [String] { features ?? (mechanisms.map { "AUTH \($0)" } + ["PBSZ", "PROT"]) }
}

/// What OpenSSL says.
package struct TLSFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, and OpenSSL's words.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
