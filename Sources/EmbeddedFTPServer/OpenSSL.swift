internal import COpenSSL

/// Something of OpenSSL's that is given back with its last owner.
final class Owned {
    let pointer: OpaquePointer
    private let release: (OpaquePointer) -> Void

    init(certificate: OpaquePointer) {
        pointer = certificate
        release = { X509_free($0) }
    }

    init(key: OpaquePointer) {
        pointer = key
        release = { EVP_PKEY_free($0) }
    }

    deinit { release(pointer) }
}

/// The parts of OpenSSL that hide behind memory BIOs, and its errors.
enum OpenSSL {
    /// Empties the thread's queue of errors: what is in it afterwards belongs to the calls that follow.
    static func forgetErrors() { ERR_clear_error() }

    /// What was tried, with the words of the oldest error in the thread's queue.
    static func failure(_ what: String) -> TLSFailure {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let words = ERR_reason_error_string(code) else { return TLSFailure(what) }
        return TLSFailure("\(what): \(String(cString: words))")
    }

    /// All certificates of a text in PEM, in order.
    static func certificates(in text: [UInt8]) -> [Owned] {
        reading(text) { source in
            var found: [Owned] = []
            while let next = PEM_read_bio_X509(source, nil, nil, nil) { found.append(Owned(certificate: next)) }
            // The end of the text is an error too.
            if !found.isEmpty { ERR_clear_error() }
            return found
        } ?? []
    }

    /// The first private key of a text in PEM; one that is locked by a password counts as none.
    static func privateKey(in text: [UInt8]) -> Owned? {
        reading(text) { source in
            // Without this, OpenSSL would ask for the password on the terminal.
            PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil).map(Owned.init(key:))
        } ?? nil
    }

    /// A new private key for ECDSA with P-256.
    static func newKey() throws(TLSFailure) -> Owned {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { throw failure("no EC in this OpenSSL") }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw failure("a key cannot be made") }
        return Owned(key: key)
    }

    /// SHA-256.
    static func digest(of bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil) == 1 else { return [] }
        return Array(digest[..<Int(length)])
    }

    /// What one of the `i2d` functions writes.
    static func encoded(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        let count = write(nil)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            var end = buffer.baseAddress
            filled = max(0, Int(write(&end)))
        }
    }

    /// What one of the functions that write into a BIO writes.
    static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
        guard let sink = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(sink) }
        guard write(sink) == 1 else { return [] }
        return everything(in: sink)
    }

    /// Takes all bytes out of a memory BIO.
    static func everything(in source: OpaquePointer) -> [UInt8] {
        let count = BIO_ctrl_pending(source)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            BIO_read_ex(source, buffer.baseAddress, count, &filled)
        }
    }

    private static func reading<Result>(_ text: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
        text.withUnsafeBytes { bytes in
            guard let count = Int32(exactly: bytes.count), let source = BIO_new_mem_buf(bytes.baseAddress, count) else {
                return nil
            }
            defer { BIO_free(source) }
            return body(source)
        }
    }
}
