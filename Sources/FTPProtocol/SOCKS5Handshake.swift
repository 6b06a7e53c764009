/// A connection through a SOCKS proxy of version 5 (RFC 1928), with user and password (RFC 1929) where there are any.
///
///     client: 5 n methods          proxy: 5 method
///     client: 1 user password      proxy: 1 0             only for method 2
///     client: 5 1 0 target port    proxy: 5 0 0 address port
///
/// Names go to the proxy as they are, which resolves them. The address in its last answer is the one from which it has
/// connected, and means nothing here.
package struct SOCKS5Handshake: ProxyHandshake {
    private enum State {
        case choosing, authenticating, connecting
    }

    private static let version: UInt8 = 5
    private static let withoutLogin: UInt8 = 0
    private static let byPassword: UInt8 = 2
    /// RFC 1928 §3: none of the methods was acceptable.
    private static let noneAcceptable: UInt8 = 0xFF

    package let opening: [UInt8]
    private let target: [UInt8]
    private let login: [UInt8]?
    private var state = State.choosing
    /// The answer that has begun; at most 262 bytes.
    private var held: [UInt8] = []

    /// A handshake for one connection; `nil` when a name, user or password is empty or has more than 255 bytes, which
    /// the protocol cannot say.
    package init?(to target: ProxyTarget, port: UInt16, login: ProxyLogin?) {
        let address: [UInt8]
        switch target {
        case .ipv4(let bytes): address = [1] + bytes
        case .ipv6(let bytes): address = [4] + bytes
        case .name(let name):
            guard let length = UInt8(exactly: name.count), length > 0 else { return nil }
            address = [3, length] + name
        }
        self.target = [Self.version, 1, 0] + address + [UInt8(port >> 8), UInt8(port & 0xFF)]
        if let login {
            guard let user = UInt8(exactly: login.user.count), user > 0,
                let password = UInt8(exactly: login.password.count)
            else { return nil }
            self.login = [1, user] + login.user + [password] + login.password
            // Both are offered: a proxy that knows us by our address may not ask.
            opening = [Self.version, 2, Self.withoutLogin, Self.byPassword]
        } else {
            self.login = nil
            opening = [Self.version, 1, Self.withoutLogin]
        }
    }

    package mutating func consume(_ bytes: [UInt8]) throws(ProxyRefusal) -> (used: Int, step: ProxyStep) {
        for (index, byte) in bytes.enumerated() {
            held.append(byte)
            try checkVersion()
            guard held.count >= 2, let step = try answer() else { continue }
            held = []
            return (index + 1, step)
        }
        return (bytes.count, .receive)
    }

    /// What the answer that is held leads to; `nil` while it is not complete.
    private mutating func answer() throws(ProxyRefusal) -> ProxyStep? {
        switch state {
        case .choosing:
            return .send(try chosen(held[1]))
        case .authenticating:
            guard held[1] == 0 else { throw .authentication }
            state = .connecting
            return .send(target)
        case .connecting:
            guard held[1] == 0 else { throw .refused(Self.reason(held[1])) }
            guard let length = try Self.replyLength(held), held.count >= length else { return nil }
            return .established
        }
    }

    /// The first byte of each answer is a version: 5, and 1 for that of the login, where some say 5 as well.
    private func checkVersion() throws(ProxyRefusal) {
        let isRight = held[0] == Self.version || (state == .authenticating && held[0] == 1)
        if !isRight { throw .notAProxy(held) }
    }

    private mutating func chosen(_ method: UInt8) throws(ProxyRefusal) -> [UInt8] {
        if method == Self.withoutLogin {
            state = .connecting
            return target
        }
        guard method == Self.byPassword, let login else {
            if method == Self.noneAcceptable || method == Self.byPassword { throw .authentication }
            throw .refused("it wants a way of logging in that nobody offered (\(method))")
        }
        state = .authenticating
        return login
    }

    /// How long the last answer is: 4 bytes, the address, 2 for the port. `nil`: it takes one more byte to tell.
    private static func replyLength(_ bytes: [UInt8]) throws(ProxyRefusal) -> Int? {
        guard bytes.count >= 5 else { return nil }
        switch bytes[3] {
        case 1: return 10
        case 3: return 7 + Int(bytes[4])
        case 4: return 22
        default: throw .notAProxy(bytes)
        }
    }

    /// RFC 1928 §6.
    private static func reason(_ code: UInt8) -> String {
        switch code {
        case 1: "it failed"
        case 2: "its rules do not allow this connection"
        case 3: "the network cannot be reached from it"
        case 4: "the host cannot be reached from it"
        case 5: "the connection was refused"
        case 6: "the host is too far away from it"
        case 7: "it does not make connections"
        case 8: "it does not know this kind of address"
        default: "it says \(code)"
        }
    }
}
