import COpenSSL
@preconcurrency import Glibc
import SystemPackage

/// What all TLS connections of a client have in common: OpenSSL's `SSL_CTX`, made once from the settings.
///
/// The files of the settings are read here and not again.
final class TLSContext: @unchecked Sendable {
    // An SSL_CTX may be used by many threads at a time as long as nobody changes it (openssl-threads(7)), and after
    // `init` nobody does: sessions are kept in stores of our own. That is what makes `@unchecked Sendable` true.
    let pointer: OpaquePointer
    let settings: TLSSettings

    /// Room for four records of the largest size (16 KiB and 30 bytes): one `recv` fills it, and more would be moved
    /// around in memory for longer than a system call takes.
    private static let readBufferLength = 4 * (16_384 + 512)

    /// - Throws: `tlsSettings` for a file that cannot be used, `localFailure` without memory.
    init(_ settings: TLSSettings) throws(FTPError) {
        // At the end of the process OpenSSL would take its memory back, under threads that may still be using it (OPENSSL_init_crypto(3)).
        _ = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        ERR_clear_error()
        guard let pointer = SSL_CTX_new(TLS_client_method()) else {
            throw .localFailure(.noMemory, doing: "starting OpenSSL (\(OpenSSLError.take().text))")
        }
        self.pointer = pointer
        self.settings = settings
        _ = copenssl_SSL_CTX_set_min_proto_version(pointer, settings.minimum.rawValue)
        // A write may be tried again from another place in memory, and says how much of it is done.
        _ = copenssl_SSL_CTX_set_mode(
            pointer, Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        _ = copenssl_SSL_CTX_set_read_ahead(pointer, 1)
        SSL_CTX_set_default_read_buffer_len(pointer, Self.readBufferLength)
        // OpenSSL's own cache is one for all connections; each control connection needs its own.
        _ = copenssl_SSL_CTX_set_session_cache_mode(
            pointer, Int(SSL_SESS_CACHE_CLIENT) | Int(SSL_SESS_CACHE_NO_INTERNAL))
        SSL_CTX_sess_set_new_cb(pointer) { connection, session in
            if let connection, let session { TLSCallbacks.of(connection)?.store.add(copyOf: session) }
            // Zero: the session stays OpenSSL's; the store has made a copy.
            return 0
        }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(
            pointer,
            { chain, _ in
                guard let chain, let check = TLSCallbacks.of(verifying: chain)?.check else { return 0 }
                return check.judge(chain) ? 1 : 0
            }, nil)
        // Without this, OpenSSL would ask for the password of a key at the terminal.
        SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, _ in -1 }
        try loadAuthorities()
        try loadOwnCertificate()
    }

    deinit { SSL_CTX_free(pointer) }

    private func loadAuthorities() throws(FTPError) {
        // Reading what the machine trusts takes time; a pin, or no check, does without.
        guard settings.verifies, settings.authorities != nil || settings.pin == nil else { return }
        guard let path = settings.authorities else {
            _ = SSL_CTX_set_default_verify_paths(pointer)
            return
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .tlsSettings("tls_ca=\(path) cannot be read: \(Errno(rawValue: errno))")
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        ERR_clear_error()
        let code = isDirectory ? SSL_CTX_load_verify_dir(pointer, path) : SSL_CTX_load_verify_file(pointer, path)
        guard code == 1 else {
            throw .tlsSettings("tls_ca=\(path) holds no certificate that can be used (\(OpenSSLError.take().text))")
        }
        // What the user names is trusted by that, also when it is not a root.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(pointer), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    private func loadOwnCertificate() throws(FTPError) {
        guard let path = settings.certificate else { return }
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(pointer, path) == 1 else {
            throw .tlsSettings("tls_cert=\(path) holds no certificate that can be used (\(OpenSSLError.take().text))")
        }
        guard let key = Self.privateKey(settings.key?.bytes ?? []) else {
            throw .tlsSettings(
                "the key for tls_cert= cannot be used (\(OpenSSLError.take().text)); it must be in PEM and without a"
                    + " password: openssl pkey -in KEY -out FILE, then tls_key=FILE")
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(pointer, key) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw .tlsSettings("the key of tls_key= does not belong to the certificate of tls_cert=\(path)")
        }
    }

    private static func privateKey(_ text: [UInt8]) -> OpaquePointer? {
        text.withUnsafeBytes { bytes in
            guard let length = Int32(exactly: bytes.count), let source = BIO_new_mem_buf(bytes.baseAddress, length)
            else { return nil }
            defer { BIO_free(source) }
            return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
    }
}

/// What OpenSSL's callbacks find of ours at a connection. The transport keeps it for as long as the connection lives.
final class TLSCallbacks {
    let store: TLSSessionStore
    let check: CertificateCheck

    init(_ store: TLSSessionStore, _ check: CertificateCheck) {
        self.store = store
        self.check = check
    }

    /// Leaves a pointer at the connection: slot 0, which OpenSSL keeps for the application.
    func attach(to connection: OpaquePointer) {
        SSL_set_ex_data(connection, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    static func of(_ connection: OpaquePointer) -> TLSCallbacks? {
        SSL_get_ex_data(connection, 0).map { Unmanaged<TLSCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }

    static func of(verifying chain: OpaquePointer) -> TLSCallbacks? {
        X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()).flatMap { of(OpaquePointer($0)) }
    }
}
