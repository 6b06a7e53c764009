/// The conversation with a proxy that leads to a connection through it, without input, output or clock.
///
/// The owner sends ``opening``, then hands in what the proxy answers until ``consume(_:)`` says ``ProxyStep/established``.
/// What follows the bytes that were used is the other end's: servers of FTP speak first, and their greeting may come in
/// the same packet as the proxy's last word.
package protocol ProxyHandshake: Sendable {
    /// What the client says first.
    var opening: [UInt8] { get }

    /// Takes what the proxy said, which may be any piece of it, and keeps what is not complete yet.
    ///
    /// - Returns: how many of the bytes were used, at least one unless there is none, and what comes next. Bytes that
    ///   were not used are to be handed in again, or, once established, are the other end's.
    /// - Throws: ``ProxyRefusal``; the connection is of no use then.
    mutating func consume(_ bytes: [UInt8]) throws(ProxyRefusal) -> (used: Int, step: ProxyStep)
}

/// What comes next in a ``ProxyHandshake``.
package enum ProxyStep: Hashable, Sendable {
    /// The proxy's next bytes.
    case receive
    /// These bytes are sent, then the proxy's next bytes.
    case send([UInt8])
    /// From here on the connection is one with the target.
    case established
}

/// Why there is no connection through a proxy.
package enum ProxyRefusal: Error, Hashable, Sendable {
    /// It does not speak the protocol; the first bytes of what it said.
    case notAProxy([UInt8])
    /// It wants a user and a password and got none, or other ones.
    case authentication
    /// It does not make this connection; in its own words.
    case refused(String)
}

/// What to connect to, as a proxy is told.
package enum ProxyTarget: Hashable, Sendable {
    /// A name, which the proxy resolves.
    case name([UInt8])
    /// The four bytes of an IPv4 address.
    case ipv4([UInt8])
    /// The sixteen bytes of an IPv6 address.
    case ipv6([UInt8])
}

/// User and password for a proxy.
package struct ProxyLogin: Sendable {
    package let user: [UInt8]
    package let password: [UInt8]

    package init(user: [UInt8], password: [UInt8]) {
        self.user = user
        self.password = password
    }
}

extension ProxyLogin: CustomStringConvertible, CustomReflectable {
    /// Without the password.
    package var description: String { "ProxyLogin" }
    /// Nothing: `dump` shows no bytes.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
