/// What the user wants of TLS (RFC 4217; TLS itself: RFC 5246, RFC 8446).
package struct TLSSettings: Sendable {
    /// Whether and when a control connection becomes one of TLS.
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Never: everything is sent in the clear.
        case off
        /// By `AUTH TLS` where the server takes that, else not.
        case auto
        /// By `AUTH TLS` (RFC 4217 §4); a server that refuses is not logged in to.
        case explicit
        /// From the first byte, before the greeting; older than RFC 4217, usually at port 990.
        case implicit
    }

    /// A version of the protocol, as its number on the wire.
    package enum Version: Int32, Hashable, Sendable, Comparable, CustomStringConvertible {
        case tls12 = 0x0303
        case tls13 = 0x0304

        package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }

        package var description: String {
            switch self {
            case .tls12: "TLS 1.2"
            case .tls13: "TLS 1.3"
            }
        }
    }

    package var mode = Mode.off
    /// A file of certificates in PEM, or a directory of such by their hash values (openssl-rehash(1)), whose owners may
    /// vouch for servers; `nil`: whom the machine trusts. An absolute path.
    package var authorities: String?
    /// The one key that the server must have. Without ``authorities`` it is enough: whoever signed the certificate, for
    /// which name and until when, does not matter then.
    package var pin: CertificatePin?
    /// Whether the server's certificate is looked at. Without that, TLS keeps out only who listens and does nothing.
    package var verifies = true
    /// The file of this side's certificate and what is above it, in PEM; an absolute path.
    package var certificate: String?
    /// The content of the file of this side's key, in PEM.
    package var key: Secret?
    /// 1.2 by default: what is older is broken (RFC 8996).
    package var minimum = Version.tls12
    /// Whether files and listings are encrypted too (`PROT P`).
    package var protectsData = true

    /// TLS is off.
    package init() {}
}

/// The SHA-256 hash value of a certificate's public key, as it stands in the certificate (SubjectPublicKeyInfo,
/// RFC 7469 §2.4). It outlives the certificate: a renewed one usually keeps the key.
package struct CertificatePin: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    package let digest: [UInt8]
    /// The length of a SHA-256 hash value.
    static let length = 32

    init(digest: [UInt8]) {
        self.digest = digest
    }

    /// Reads `sha256:` and 64 hexadecimal digits, with or without colons between the bytes, or the value in Base64;
    /// also curl's form, `sha256//` and Base64. `nil` for anything else.
    package init?(parsing text: [UInt8]) {
        let value: ArraySlice<UInt8>
        if text.starts(with: Array("sha256:".utf8)) {
            value = text.dropFirst(7)
        } else if text.starts(with: Array("sha256//".utf8)) {
            value = text.dropFirst(8)
        } else {
            return nil
        }
        guard let digest = Self.hexadecimal(value) ?? Self.base64(value), digest.count == Self.length else {
            return nil
        }
        self.digest = digest
    }

    /// The form that ``init(parsing:)`` reads and that needs no quoting anywhere.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "sha256:" + String(decoding: text, as: UTF8.self)
    }

    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = text.filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 * length else { return nil }
        var bytes: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x41...0x46: value = digit - 0x41 + 10
            case 0x61...0x66: value = digit - 0x61 + 10
            default: return nil
            }
            if index.isMultiple(of: 2) { bytes.append(value << 4) } else { bytes[bytes.count - 1] |= value }
        }
        return bytes
    }

    /// RFC 4648 §4; the padding may be missing.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var digits = text
        while digits.last == UInt8(ascii: "=") { digits.removeLast() }
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x41...0x5A: value = digit - 0x41
            case 0x61...0x7A: value = digit - 0x61 + 26
            case 0x30...0x39: value = digit - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = (bits & 0x3FFF) << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
            if bytes.count > length { return nil }
        }
        return bytes
    }
}
