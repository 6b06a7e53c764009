import FTPProtocol

/// What proxies answer: the same outcome however it is cut, never more used than there was, an end to what is said.
@Sendable func fuzzProxies(_ wire: [UInt8]) {
    let target = ProxyTarget.name(Array("ftp.example.com".utf8))
    let login = ProxyLogin(user: Array("me".utf8), password: Array("secret".utf8))
    var handshakes: [any ProxyHandshake] = []
    for login in [nil, login] {
        handshakes.append(HTTPConnectHandshake(to: target, port: 21, login: login))
        if let handshake = SOCKS5Handshake(to: target, port: 21, login: login) { handshakes.append(handshake) }
    }
    for handshake in handshakes {
        let whole = conversation(handshake, [wire])
        require(whole == conversation(handshake, Pieces(wire)), "pieces matter")
        require(whole == conversation(handshake, wire.lazy.map { [$0] }), "single bytes matter")
        require(whole.said.count <= 3, "\(whole.said.count) messages")
    }
}

private struct Conversation: Equatable {
    var said: [[UInt8]] = []
    var used = 0
    var isEstablished = false
    var refusal: ProxyRefusal?
}

private func conversation(_ start: any ProxyHandshake, _ pieces: some Sequence<[UInt8]>) -> Conversation {
    var handshake = start
    var result = Conversation(said: [start.opening])
    for piece in pieces {
        var rest = piece[...]
        while !rest.isEmpty {
            do throws(ProxyRefusal) {
                let (used, step) = try handshake.consume(Array(rest))
                require(used > 0 && used <= rest.count, "\(used) of \(rest.count) bytes used")
                rest = rest.dropFirst(used)
                result.used += used
                switch step {
                case .receive: require(rest.isEmpty, "bytes are left, and more are wanted")
                case .send(let bytes): result.said.append(bytes)
                case .established:
                    result.isEstablished = true
                    return result
                }
            } catch {
                // How much was used of what cannot be used does not matter.
                result.used = 0
                result.refusal = error
                return result
            }
        }
    }
    return result
}
