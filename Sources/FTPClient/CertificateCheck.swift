import COpenSSL
@preconcurrency import Glibc
import Vocabulary

/// Judges the certificate that the server shows in a full handshake; a resumed one shows none, and proves by the
/// session that it is the same server.
///
/// | | |
/// | --- | --- |
/// | control connection, `tls_pin=` | the key is the pinned one; with `tls_ca=` the chain and the name are checked too |
/// | control connection, `tls_verify=no` | everything passes |
/// | control connection, else | chain, dates, and the host of the URL as name or address |
/// | data connection, and renegotiation | the certificate is the control connection's |
///
/// Used by one connection, on the thread that is in its handshake.
final class CertificateCheck {
    /// What is known of a certificate that was shown.
    struct Certificate: Hashable, Sendable {
        /// SHA-256 of the whole certificate.
        let fingerprint: [UInt8]
        let pin: CertificatePin
    }

    private let settings: TLSSettings
    private let host: String
    /// The certificate that must be shown.
    private var expected: Certificate?
    /// The certificate that was shown and passed.
    private(set) var accepted: Certificate?
    /// Why a certificate did not pass.
    private(set) var rejection: FTPError?

    /// - Parameter expected: the certificate of the control connection, for a data connection.
    init(_ settings: TLSSettings, host: String, expected: Certificate? = nil) {
        self.settings = settings
        self.host = host
        self.expected = expected
    }

    /// Judges; `chain` is an `X509_STORE_CTX`.
    func judge(_ chain: OpaquePointer) -> Bool {
        guard let leaf = X509_STORE_CTX_get0_cert(chain), let shown = Self.certificate(leaf) else { return false }
        guard let problem = problem(chain, leaf, shown) else {
            accepted = shown
            expected = shown
            // What an earlier, tolerated failure has left would show as the result of the handshake.
            X509_STORE_CTX_set_error(chain, X509_V_OK)
            return true
        }
        rejection = .certificateRejected(problem, pin: shown.pin)
        if X509_STORE_CTX_get_error(chain) == X509_V_OK { X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED) }
        return false
    }

    private func problem(
        _ chain: OpaquePointer, _ leaf: OpaquePointer, _ shown: Certificate
    ) -> CertificateProblem? {
        if let expected { return shown == expected ? nil : .changed }
        if let pin = settings.pin {
            guard shown.pin == pin else { return .otherKey }
            if settings.authorities == nil { return nil }
        }
        guard settings.verifies else { return nil }
        if X509_verify_cert(chain) == 1 { return nil }
        return problem(X509_STORE_CTX_get_error(chain), X509_STORE_CTX_get_current_cert(chain) ?? leaf, leaf)
    }

    /// The codes of X509_STORE_CTX_get_error(3) that people meet, in words.
    private func problem(_ code: Int32, _ current: OpaquePointer, _ leaf: OpaquePointer) -> CertificateProblem {
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            .expired(Self.date(X509_get0_notAfter(current)))
        case X509_V_ERR_CERT_NOT_YET_VALID:
            .notYetValid(Self.date(X509_get0_notBefore(current)))
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            .selfSigned
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_CERT_UNTRUSTED:
            .unknownIssuer(Self.commonName(X509_get_issuer_name(current)))
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            .otherHost(host, names: Self.hosts(leaf))
        case X509_V_ERR_CERT_REVOKED:
            .revoked
        default:
            .other(X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "code \(code)")
        }
    }

    // MARK: - Reading certificates

    private static func certificate(_ certificate: OpaquePointer) -> Certificate? {
        let fingerprint = digest { X509_digest(certificate, EVP_sha256(), $0, $1) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
        defer { CRYPTO_free(encoded, nil, 0) }
        guard length > 0 else { return nil }
        let key = digest { EVP_Digest(encoded, Int(length), $0, $1, EVP_sha256(), nil) }
        guard let fingerprint, let key else { return nil }
        return Certificate(fingerprint: fingerprint, pin: CertificatePin(digest: key))
    }

    private static func digest(
        _ body: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32
    ) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let code = bytes.withUnsafeMutableBufferPointer { body($0.baseAddress, &length) }
        return code == 1 ? Array(bytes.prefix(Int(length))) : nil
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unknown date" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(1900 + Int(parts.tm_year))-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }

    private static func commonName(_ name: OpaquePointer?) -> String {
        // The upper bound of X.520 is 64 characters; what does not fit is cut.
        var text = [CChar](repeating: 0, count: 257)
        guard let name, X509_NAME_get_text_by_NID(name, NID_commonName, &text, Int32(text.count)) >= 0 else {
            return ""
        }
        return printable(text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }

    /// How many names of a certificate a message shows: a certificate may hold thousands.
    private static let maximumNames = 5

    /// The host names of a certificate, or its common name where it has none.
    private static func hosts(_ certificate: OpaquePointer) -> [String] {
        var hosts: [String] = []
        if let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) {
            let names = OpaquePointer(raw)
            defer { GENERAL_NAMES_free(names) }
            for index in 0..<max(0, OPENSSL_sk_num(names)) where hosts.count < maximumNames {
                guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                    name.pointee.type == GEN_DNS, let text = name.pointee.d.dNSName
                else { continue }
                let bytes = UnsafeBufferPointer(
                    start: ASN1_STRING_get0_data(text), count: Int(max(0, ASN1_STRING_length(text))))
                hosts.append(printable(bytes))
            }
        }
        let common = commonName(X509_get_subject_name(certificate))
        return hosts.isEmpty && !common.isEmpty ? [common] : hosts
    }
}

/// What is wrong with a server's certificate.
package enum CertificateProblem: Hashable, Sendable {
    /// Nobody else vouches for it.
    case selfSigned
    /// Whoever signed it is not trusted on this machine.
    case unknownIssuer(String)
    /// It, or one above it, was valid until that date.
    case expired(String)
    /// It will be valid from that date on.
    case notYetValid(String)
    /// It is for other hosts.
    case otherHost(String, names: [String])
    /// Its key is not the pinned one.
    case otherKey
    /// It is not the one that the control connection has shown.
    case changed
    /// It has been withdrawn.
    case revoked
    /// Something else, in OpenSSL's words.
    case other(String)
}

extension CertificateProblem {
    /// One sentence: what is wrong, and what helps.
    ///
    /// - Parameter pin: of the certificate that was shown.
    func sentence(_ pin: CertificatePin) -> String {
        let trust = "if you are sure that it is the right server, mount with tls_pin=\(pin)"
        switch self {
        case .selfSigned:
            return "the server's certificate is signed by itself, so nobody vouches for it; \(trust)"
        case .unknownIssuer(let name):
            let issuer = name.isEmpty ? "" : " (\(name))"
            return "the server's certificate is signed by somebody whom this machine does not trust\(issuer);"
                + " give that certificate with tls_ca=FILE, or, \(trust)"
        case .expired(let date):
            return "the server's certificate has expired on \(date); it needs a new one; until then, \(trust)"
        case .notYetValid(let date):
            return "the server's certificate is valid only from \(date) on; check this machine's clock; or, \(trust)"
        case .otherHost(let host, let names):
            let others = names.isEmpty ? "no host at all" : names.joined(separator: ", ")
            return "the server's certificate is not for \(host) but for \(others);"
                + " mount from a host that it is for, or, \(trust)"
        case .otherKey:
            return "the server's key is not the one of tls_pin=; somebody may sit in between; only if you know that the"
                + " server has a new key, mount with tls_pin=\(pin)"
        case .changed:
            return "a data connection showed another certificate than the control connection;"
                + " somebody may sit in between, or several servers share one name"
        case .revoked:
            return "the server's certificate has been revoked; it needs a new one"
        case .other(let words):
            return "the server's certificate cannot be trusted (\(words)); \(trust)"
        }
    }
}
