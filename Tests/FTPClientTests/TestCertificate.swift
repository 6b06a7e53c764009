import COpenSSL
@preconcurrency import Glibc
import Testing

@testable import FTPClient

/// A certificate with its key, made for one test.
final class TestCertificate: @unchecked Sendable {
    // Written in `init` only, and OpenSSL counts references atomically; that is what makes `@unchecked Sendable` true.
    let certificate: OpaquePointer
    let key: OpaquePointer
    private let name: String

    /// - Parameters:
    ///   - names: `DNS:…` and `IP:…`, with commas.
    ///   - issuer: who signs it; `nil`: itself.
    ///   - days: from when to when it is valid, from now.
    init(
        _ name: String = "localhost", names: String = "DNS:localhost,IP:127.0.0.1", issuer: TestCertificate? = nil,
        days: Range<Int> = -1..<1, isAuthority: Bool = false
    ) throws {
        self.name = name
        key = try Self.newKey()
        certificate = try #require(X509_new())
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1..<1 << 30))
        X509_gmtime_adj(X509_getm_notBefore(certificate), days.lowerBound * 86_400)
        X509_gmtime_adj(X509_getm_notAfter(certificate), days.upperBound * 86_400)
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name, -1, -1, 0)
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.certificate ?? certificate))
        try add(NID_subject_alt_name, names)
        if isAuthority { try add(NID_basic_constraints, "critical,CA:TRUE") }
        try #require(X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0)
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    private func add(_ kind: Int32, _ value: String) throws {
        let ext = try #require(X509V3_EXT_conf_nid(nil, nil, kind, value))
        defer { X509_EXTENSION_free(ext) }
        X509_add_ext(certificate, ext, -1)
    }

    private static func newKey() throws -> OpaquePointer {
        let context = try #require(EVP_PKEY_CTX_new_from_name(nil, "EC", nil))
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_group_name(context, "P-256")
        EVP_PKEY_generate(context, &key)
        return try #require(key)
    }

    /// The pin by another way than the client's: the key as a stand-alone file has it.
    var pin: CertificatePin {
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_PUBKEY(key, &encoded)
        defer { CRYPTO_free(encoded, nil, 0) }
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(encoded, Int(length), &digest)
        return CertificatePin(digest: digest)
    }

    /// The certificate in PEM.
    var pem: [UInt8] { Self.text { PEM_write_bio_X509($0, certificate) } }

    /// The key in PEM, without a password.
    var keyPEM: [UInt8] { Self.text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) } }

    private static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
        guard let sink = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(sink) }
        _ = write(sink)
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(sink))
        var count = 0
        BIO_read_ex(sink, &bytes, bytes.count, &count)
        return bytes
    }

    /// Runs `body` with the path of a file that holds the certificate, and the key if wished.
    func withFile<Result>(andKey: Bool = false, _ body: (String) throws -> Result) throws -> Result {
        var template = Array("/tmp/ftpclient-certificate.XXXXXX".utf8CString)
        let raw = mkstemp(&template)
        try #require(raw >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let bytes = pem + (andKey ? keyPEM : [])
        try #require(Glibc.write(raw, bytes, bytes.count) == bytes.count)
        close(raw)
        return try body(path)
    }
}
