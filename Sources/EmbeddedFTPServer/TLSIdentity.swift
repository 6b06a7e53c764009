internal import COpenSSL

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// A server's certificate and private key.
package struct TLSIdentity: Sendable {
    /// The certificate in PEM (RFC 7468), with those that lead to its authority behind it if there are any. A client that
    /// trusts a certificate which is signed by its own key takes this text for that of an authority.
    package let certificate: [UInt8]
    /// The private key in PEM.
    package let privateKey: [UInt8]
    /// SHA-256 of the certificate in DER.
    package let certificateDigest: [UInt8]
    /// SHA-256 of its SubjectPublicKeyInfo in DER (RFC 7469 §2.4).
    package let publicKeyDigest: [UInt8]

    /// The names in a certificate for this machine, as OpenSSL writes subjectAltName (x509v3_config(5)).
    package static let loopbackNames = "DNS:localhost,IP:127.0.0.1,IP:::1"

    /// A certificate and its key in PEM.
    ///
    /// - Throws: when they are not that, or do not belong together.
    package init(certificate: [UInt8], key: [UInt8]) throws(TLSFailure) {
        self.certificate = certificate
        privateKey = key
        OpenSSL.forgetErrors()
        guard let first = OpenSSL.certificates(in: certificate).first else {
            throw OpenSSL.failure("the certificate cannot be read")
        }
        guard let own = OpenSSL.privateKey(in: key) else { throw OpenSSL.failure("the private key cannot be read") }
        guard X509_check_private_key(first.pointer, own.pointer) == 1 else {
            throw OpenSSL.failure("the private key does not belong to the certificate")
        }
        certificateDigest = OpenSSL.digest(of: OpenSSL.encoded { i2d_X509(first.pointer, $0) })
        publicKeyDigest = OpenSSL.digest(
            of: OpenSSL.encoded { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(first.pointer), $0) })
    }

    /// A new certificate for a new key (ECDSA with P-256), signed by that key.
    ///
    /// - Parameters:
    ///   - names: what it is for, as in ``loopbackNames``.
    ///   - validFrom, validUntil: seconds from now. It begins an hour ago, for clocks that differ; a day is more than
    ///     any test or demo needs.
    package init(
        names: String = loopbackNames, validFrom: Int = -3600, validUntil: Int = 86_400
    ) throws(TLSFailure) {
        OpenSSL.forgetErrors()
        let key = try OpenSSL.newKey()
        guard let certificate = X509_new().map(Owned.init(certificate:)) else { throw OpenSSL.failure("X509_new") }
        let x509 = certificate.pointer
        // Two servers of one test must not have the same number: clients that remember certificates tell them by it.
        let serial = Int.random(in: 1...Int.max)
        let isMade =
            X509_set_version(x509, 2) == 1  // counted from 0: this is version 3
            && ASN1_INTEGER_set(X509_get_serialNumber(x509), serial) == 1
            && X509_gmtime_adj(X509_getm_notBefore(x509), validFrom) != nil
            && X509_gmtime_adj(X509_getm_notAfter(x509), validUntil) != nil
            && X509_set_pubkey(x509, key.pointer) == 1
            && X509_NAME_add_entry_by_txt(
                X509_get_subject_name(x509), "CN", MBSTRING_FLAG | 1, "ftpfs embedded server", -1, -1, 0) == 1
            && X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1
            && Self.add(NID_subject_alt_name, names, to: x509)
            && Self.add(NID_basic_constraints, "critical,CA:FALSE", to: x509)
            && Self.add(NID_ext_key_usage, "serverAuth,clientAuth", to: x509)
            && X509_sign(x509, key.pointer, EVP_sha256()) > 0
        guard isMade else { throw OpenSSL.failure("the certificate cannot be made") }
        try self.init(
            certificate: OpenSSL.text { PEM_write_bio_X509($0, x509) },
            key: OpenSSL.text { PEM_write_bio_PrivateKey($0, key.pointer, nil, nil, 0, nil, nil) })
    }

    private static func add(_ extension: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let new = X509V3_EXT_conf_nid(nil, &context, `extension`, value) else { return false }
        defer { X509_EXTENSION_free(new) }
        return X509_add_ext(certificate, new, -1) == 1
    }
}
