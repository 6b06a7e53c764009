import FTPClient

/// The URL of a proxy as `proxy=` has it: `http://[user[:password]@]host:port`, and `socks5://` or `socks5h://`, whose
/// port may be left out. Both SOCKS forms mean the same: the proxy looks up names. What has no scheme is an HTTP proxy, as curl
/// and curlftpfs have it.
extension Proxy {
    /// RFC 1928 §3. HTTP proxies have no such port: 3128 and 8080 are both usual. curl takes this one for every proxy.
    private static let socksPort: UInt16 = 1080

    /// Takes a URL apart; `nil` when it is none of these forms.
    init?(parsing text: [UInt8]) {
        let forms: [(String, Kind)] = [("http://", .http), ("socks5://", .socks5), ("socks5h://", .socks5)]
        let isBare = Self.isBare(text)
        guard let (scheme, kind) = isBare ? ("", .http) : forms.first(where: { text.starts(with: $0.0.utf8) }) else {
            return nil
        }
        var place = text[scheme.utf8.count...]
        if place.last == UInt8(ascii: "/") { place.removeLast() }
        var user: [UInt8]?
        var password: [UInt8]?
        if let at = place.lastIndex(of: UInt8(ascii: "@")) {
            let words = place[..<at].split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            user = words.first.flatMap(percentDecoded)
            password = words.count == 2 ? percentDecoded(words[1]) : []
            guard user?.isEmpty == false, password != nil else { return nil }
            place = place[(at + 1)...]
        }
        guard let (host, port) = Self.hostAndPort(place),
            let port = port ?? (kind == .socks5 || isBare ? Self.socksPort : nil)
        else { return nil }
        self.init(kind, host: host, port: port, user: user, password: password.map { Secret($0) })
    }

    /// Whether a text says nothing of the kind of proxy.
    static func isBare(_ text: [UInt8]) -> Bool { !String(decoding: text, as: UTF8.self).contains("://") }

    private static func hostAndPort(_ text: ArraySlice<UInt8>) -> (host: String, port: UInt16?)? {
        // The same forms as behind ftp://, and the same checks.
        var url = Array("ftp://".utf8)
        url += text
        guard !text.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "@") }),
            let string = String(validating: url, as: UTF8.self)
        else { return nil }
        do throws(ServerAddress.Invalid) {
            let address = try ServerAddress(parsing: string)
            return (address.host, address.port)
        } catch {
            return nil
        }
    }

    /// The URL, with the password: for the pipe to the mounting process and nothing else.
    var url: Secret {
        let scheme = kind == .http ? "http" : "socks5"
        let place = host.contains(":") ? "[\(host)]" : host
        var login = ""
        if let user { login = "\(percentEncoded(user)):\(percentEncoded(password?.bytes ?? []))@" }
        return Secret("\(scheme)://\(login)\(place):\(port)")
    }
}
