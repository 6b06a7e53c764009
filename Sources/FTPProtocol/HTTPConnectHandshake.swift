import Vocabulary

/// A connection through an HTTP proxy: `CONNECT host:port` (RFC 9110 §9.3.6), with `Basic` authentication (RFC 7617).
///
/// The answer is a header of HTTP/1: a status line, fields, an empty line. Any 2yz means that the connection is there,
/// and no field of such an answer counts: a length in it says nothing (RFC 9110 §9.3.6).
package struct HTTPConnectHandshake: ProxyHandshake {
    package let opening: [UInt8]

    /// What a header may hold, in bytes. Honest ones have a few hundred; common servers stop at 8 KiB.
    private static let maximumHeader = 16 * 1024
    /// How much of a foreign answer is kept for the message.
    private static let excerptLength = 80

    /// How many bytes of the header have been used.
    private var received = 0
    /// The status line as far as it has come.
    private var statusLine: [UInt8] = []
    private var hasStatusLine = false
    /// Whether the last line end stood at the start of a line, but for CR.
    private var isAtLineStart = false

    /// A handshake for one connection.
    package init(to target: ProxyTarget, port: UInt16, login: ProxyLogin?) {
        let place = Self.host(target) + [ASCII.colon] + Array(String(port).utf8)
        var lines = [Array("CONNECT ".utf8) + place + Array(" HTTP/1.1".utf8), Array("Host: ".utf8) + place]
        if let login {
            let encoded = base64(login.user + [ASCII.colon] + login.password)
            lines.append(Array("Proxy-Authorization: Basic ".utf8) + encoded)
        }
        lines.append([])
        opening = lines.flatMap { $0 + [ASCII.carriageReturn, ASCII.lineFeed] }
    }

    package mutating func consume(_ bytes: [UInt8]) throws(ProxyRefusal) -> (used: Int, step: ProxyStep) {
        for (index, byte) in bytes.enumerated() {
            received += 1
            guard received <= Self.maximumHeader else { throw .notAProxy(excerpt) }
            guard byte == ASCII.lineFeed else {
                if byte != ASCII.carriageReturn { isAtLineStart = false }
                if !hasStatusLine {
                    statusLine.append(byte)
                    try checkBeginning()
                }
                continue
            }
            if isAtLineStart, hasStatusLine {
                try judge()
                return (index + 1, .established)
            }
            hasStatusLine = true
            isAtLineStart = true
        }
        return (bytes.count, .receive)
    }

    /// Something else than HTTP is left at once: it might wait for us just as we wait for it.
    private func checkBeginning() throws(ProxyRefusal) {
        guard statusLine.elementsEqual("HTTP/1.".utf8.prefix(statusLine.count)) || statusLine.count > 7 else {
            throw .notAProxy(excerpt)
        }
    }

    private func judge() throws(ProxyRefusal) {
        let words = statusLine.split(maxSplits: 1, whereSeparator: ASCII.isBlank)
        guard words.count == 2, let code = words[1].prefix(3).decimal, (100...599).contains(code) else {
            throw .notAProxy(excerpt)
        }
        if (200...299).contains(code) { return }
        // 401 is for servers (RFC 9110 §15.5.2), but some proxies say it of a wrong password.
        if code == 407 || code == 401 { throw .authentication }
        throw .refused(printable(words[1].filter { $0 != ASCII.carriageReturn }.prefix(Self.excerptLength)))
    }

    private var excerpt: [UInt8] { Array(statusLine.prefix(Self.excerptLength)) }

    private static func host(_ target: ProxyTarget) -> [UInt8] {
        switch target {
        case .name(let name): name
        case .ipv4(let bytes): Array(bytes.map { String($0) }.joined(separator: ".").utf8)
        case .ipv6(let bytes):
            Array("[\(groups(bytes).map { String($0, radix: 16) }.joined(separator: ":"))]".utf8)
        }
    }

    private static func groups(_ bytes: [UInt8]) -> [UInt16] {
        stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }
}

/// The bytes in the alphabet of RFC 4648 §4, padded.
func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = Array(bytes[start..<min(start + 3, bytes.count)])
        let bits = (0..<3).reduce(UInt32(0)) { $0 << 8 | UInt32($1 < group.count ? group[$1] : 0) }
        for place in 0..<4 {
            let digit = alphabet[Int(bits >> UInt32(18 - 6 * place)) & 0x3F]
            result.append(place <= group.count ? digit : ASCII.equals)
        }
    }
    return result
}
