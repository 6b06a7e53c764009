import COpenSSL

/// What OpenSSL says of a call that failed: the thread's error queue, taken and emptied.
struct OpenSSLError {
    /// The reason of the newest error of libssl; 0 when there is none.
    let reason: Int32
    /// OpenSSL's words, for a message.
    let text: String

    /// Empties the queue of this thread. To be called right behind what failed, on the same thread.
    static func take() -> OpenSSLError {
        var reason: Int32 = 0
        var words: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            if ERR_GET_LIB(code) == ERR_LIB_SSL { reason = ERR_GET_REASON(code) }
            if let word = ERR_reason_error_string(code).map({ String(cString: $0) }), !words.contains(word) {
                words.append(word)
            }
        }
        return OpenSSLError(reason: reason, text: words.isEmpty ? "no reason given" : words.joined(separator: ", "))
    }

    /// What a person can do about it, where that is known.
    var sentence: String {
        Self.sentences[reason] ?? "the TLS connection failed: \(text)"
    }

    /// Whether the other side did not like what this side has shown of itself. Under TLS 1.3 it says so only after the
    /// handshake has ended here.
    var isAboutOwnCertificate: Bool { Self.aboutOwnCertificate.contains(reason) }

    private static let aboutOwnCertificate: Set<Int32> = [
        SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_TLSV1_ALERT_ACCESS_DENIED,
    ]

    private static let oldVersion =
        "the server and this program have no version of TLS in common: what is older than TLS 1.2, or than tls_min=, is"
        + " not used; the server needs an update"
    /// What it means when a server speaks FTP where TLS was expected.
    static let plainText =
        "the server answered in plain text where TLS begins; if this is the port for AUTH TLS (usually 21), mount"
        + " ftpes://, and only the port for TLS from the first byte (usually 990) as ftps://"
    private static let ownCertificate =
        "the server does not accept this side's certificate, or wants one; see tls_cert= and tls_key="

    private static let sentences: [Int32: String] = [
        SSL_R_UNSUPPORTED_PROTOCOL: oldVersion,
        SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: oldVersion,
        SSL_R_VERSION_TOO_LOW: oldVersion,
        SSL_R_WRONG_SSL_VERSION: oldVersion,
        SSL_R_NO_PROTOCOLS_AVAILABLE: oldVersion,
        SSL_R_WRONG_VERSION_NUMBER: plainText,
        SSL_R_PACKET_LENGTH_TOO_LONG: plainText,
        SSL_R_HTTP_REQUEST: plainText,
        SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            "the server ended the TLS handshake: it has no cipher in common with this program, or wants a client"
            + " certificate (tls_cert=, tls_key=)",
        SSL_R_DH_KEY_TOO_SMALL: "the server's key exchange is too weak (Diffie-Hellman); the server needs an update",
        SSL_R_EE_KEY_TOO_SMALL: "the key of the server's certificate is too short; it needs a new certificate",
        SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: ownCertificate,
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE: ownCertificate,
        SSL_R_TLSV1_ALERT_UNKNOWN_CA: ownCertificate,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ownCertificate,
        SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: ownCertificate,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED: ownCertificate,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED: ownCertificate,
    ]
}
