package import FTPClient
package import Vocabulary

/// Where to mount from: `ftp://[user[:password]@]host[:port]/[path]` (RFC 1738 §3.2, RFC 3986 §3.2), or the same with
/// `ftps://` for TLS from the first byte, or `ftpes://` for TLS by `AUTH`.
///
/// The parser is our own for three reasons: user, password and path are bytes (a name that is not UTF-8 must be
/// mountable), the path has a meaning that general URL code does not know (relative to the login directory unless it
/// begins with `%2F`), and an error must never repeat a piece of the text that may be the password.
package struct ServerAddress: Sendable {
    /// How the text began.
    package let scheme: Scheme
    /// The user's name; `nil` when the URL has none.
    package let user: [UInt8]?
    /// The password; `nil` when the URL has none, empty in `user:@host`.
    package let password: Secret?
    /// A name or an address, IPv6 without its brackets.
    package let host: String
    /// The port; `nil` when the URL has none.
    package let port: UInt16?
    /// The directory to mount.
    package let directory: ServerDirectory

    /// What a URL begins with.
    package enum Scheme: String, Hashable, Sendable {
        /// What the options say, else without TLS.
        case ftp
        /// TLS from the first byte; also written `ftpis`.
        case ftps
        /// TLS by `AUTH`.
        case ftpes

        /// The kind of TLS that the scheme names.
        package var tls: TLSSettings.Mode? {
            switch self {
            case .ftp: nil
            case .ftps: .implicit
            case .ftpes: .explicit
            }
        }
    }

    /// What is wrong with a URL. Never shows what might be a part of a password.
    package struct Invalid: Error, Hashable, Sendable {
        /// What is wrong and how to write it.
        package let reason: String
    }

    /// Takes a URL apart.
    ///
    /// - Throws: ``Invalid``, the first thing that is wrong.
    package init(parsing text: String) throws(Invalid) {
        let (scheme, rest) = try Self.afterScheme(Self.withoutProgram(text))
        self.scheme = scheme
        let slash = rest.firstIndex(of: UInt8(ascii: "/"))
        let authority = rest[..<(slash ?? rest.endIndex)]
        let path = slash.map { rest[rest.index(after: $0)...] } ?? []
        // The last `@` ends the user: names like `me@example.org` are typed as they are.
        var hostAndPort = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            let userInfo = authority[..<at]
            hostAndPort = authority[authority.index(after: at)...]
            let colon = userInfo.firstIndex(of: UInt8(ascii: ":"))
            let user = try Self.credential(userInfo[..<(colon ?? userInfo.endIndex)], called: "user name")
            if user.isEmpty { throw Invalid(reason: "the user name before @ is empty") }
            self.user = user
            password =
                if let colon {
                    Secret(try Self.credential(userInfo[userInfo.index(after: colon)...], called: "password"))
                } else {
                    nil
                }
        } else {
            user = nil
            password = nil
        }
        (host, port) = try Self.hostAndPort(hostAndPort)
        directory = try ServerDirectory(urlPath: path)
    }

    /// The URL without user and password, for `/proc/mounts`, `ps`, and messages.
    package var sourceName: String {
        let place = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(place)\(port.map { ":\($0)" } ?? "")/\(directory.urlPath)"
    }

    /// The URL in a source `PROGRAM#URL`, the form of mount.fuse(8) that old lines have: `curlftpfs#user:pw@host/dir`. It was
    /// said which program it is for, so `ftp://` could be left out.
    private static func withoutProgram(_ text: String) -> String {
        guard let prefix = programs.first(where: text.hasPrefix) else { return text }
        let rest = String(text.dropFirst(prefix.count))
        return rest.contains("://") ? rest : "ftp://\(rest)"
    }

    /// What may stand before a URL.
    static let programs = ["curlftpfs#", "ftpfs#"]

    private static func afterScheme(_ text: String) throws(Invalid) -> (Scheme, [UInt8]) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: Array("://".utf8))
        else {
            throw Invalid(reason: "the server is not a URL; write ftp://HOST/DIRECTORY")
        }
        let word = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        // gvfs's word.
        guard let scheme = word == "ftpis" ? .ftps : Scheme(rawValue: word) else {
            throw Invalid(
                reason: "the URL does not begin with ftp://; write ftp://HOST/DIRECTORY, or ftpes:// or ftps:// for TLS"
            )
        }
        return (scheme, Array(bytes[(colon + 3)...]))
    }

    private static func credential(_ text: ArraySlice<UInt8>, called name: String) throws(Invalid) -> [UInt8] {
        guard let bytes = percentDecoded(text) else {
            throw Invalid(reason: "the \(name) holds a % that is not followed by two hexadecimal digits; write %25")
        }
        if bytes.contains(where: { $0 == 0x00 || $0 == 0x0A || $0 == 0x0D }) {
            throw Invalid(reason: "the \(name) holds a line end or a NUL, which FTP cannot send")
        }
        return bytes
    }

    private static func hostAndPort(_ text: ArraySlice<UInt8>) throws(Invalid) -> (String, UInt16?) {
        let advice = "write ftp://USER:PASSWORD@HOST:PORT/ with / : @ % of a password as %2F %3A %40 %25"
        var host = text
        var port: ArraySlice<UInt8>?
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else {
                throw Invalid(reason: "the IPv6 address has no closing ]")
            }
            host = text[text.index(after: text.startIndex)..<end]
            let behind = text[text.index(after: end)...]
            guard behind.isEmpty || behind.first == UInt8(ascii: ":") else {
                throw Invalid(reason: "something follows the ] of the IPv6 address; only :PORT may")
            }
            if !behind.isEmpty { port = behind.dropFirst() }
            guard host.contains(UInt8(ascii: ":")), host.allSatisfy(isAddressByte) else {
                throw Invalid(reason: "what is in [ ] is not an IPv6 address")
            }
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(UInt8(ascii: ":")) == false else {
                throw Invalid(reason: "more than one : behind the host; write an IPv6 address as [ADDRESS]; \(advice)")
            }
        }
        guard !host.isEmpty else { throw Invalid(reason: "the URL names no host; write ftp://HOST/DIRECTORY") }
        guard host.first == UInt8(ascii: "[") || host.allSatisfy({ isHostByte($0) || isAddressByte($0) }) else {
            throw Invalid(reason: "the host holds a character that no host name has; \(advice)")
        }
        guard let port, !port.isEmpty else { return (String(decoding: host, as: UTF8.self), nil) }
        guard port.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(String(decoding: port, as: UTF8.self)), number > 0
        else { throw Invalid(reason: "the port behind the host is not a number of 1...65535; \(advice)") }
        return (String(decoding: host, as: UTF8.self), number)
    }

    /// Letters, digits, and what host names hold besides; a name outside ASCII is written in its `xn--` form.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// What an IPv6 address holds, with a zone behind `%` (RFC 4007 §11).
    private static func isAddressByte(_ byte: UInt8) -> Bool {
        isHostByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }
}

/// The directory of the server that becomes the root of the mount.
package struct ServerDirectory: Hashable, Sendable {
    /// Whether the path starts at the server's root; otherwise at the directory where the login leads.
    package let isAbsolute: Bool
    /// The names on the way, outermost first.
    package let components: [FileName]

    /// The path of a URL, without the `/` that ends the authority.
    ///
    /// - Throws: ``ServerAddress/Invalid`` for an empty name (`//`), `.`, `..`, a `%2F` that is not the first thing,
    ///   and bytes that no name can hold.
    init(urlPath path: ArraySlice<UInt8>) throws(ServerAddress.Invalid) {
        var segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        var names: [FileName] = []
        var isAbsolute = false
        for (position, segment) in segments.enumerated() {
            guard var bytes = percentDecoded(segment) else {
                throw .init(
                    reason: "the path holds a % that is not followed by two hexadecimal digits; write % as %25")
            }
            if position == 0, bytes.first == UInt8(ascii: "/") {
                isAbsolute = true
                bytes.removeFirst()
                if bytes.isEmpty { continue }
            }
            do throws(FileName.Invalid) {
                names.append(try FileName(validating: bytes))
            } catch {
                throw .init(reason: Self.sentence(error, position: position))
            }
        }
        self.isAbsolute = isAbsolute
        components = names
    }

    /// The path as FTP commands take it: empty for the login directory itself.
    package var path: [UInt8] { (isAbsolute ? [UInt8(ascii: "/")] : []) + RemotePath(components).joined }

    /// The path as a URL has it, behind the `/` that ends the authority.
    var urlPath: String {
        let relative = components.map { percentEncoded($0.bytes) }.joined(separator: "/")
        return isAbsolute ? "%2F\(relative)" : relative
    }

    private static func sentence(_ error: FileName.Invalid, position: Int) -> String {
        switch error {
        case .empty where position == 0:
            "the path begins with //; write an absolute path as ftp://HOST/%2FDIRECTORY"
        case .empty: "the path holds an empty name (//)"
        case .dotOrDotDot: "the path holds . or ..; write the path without them"
        case .slash: "the path holds a %2F that is not its first character"
        case .controlByte: "the path holds a line end or a NUL, which FTP cannot send"
        case .tooLong: "the path holds a name of more than \(FileName.maximumLength) bytes"
        }
    }
}
