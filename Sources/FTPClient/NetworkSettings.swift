/// How connections to the server are made.
package struct NetworkSettings: Sendable {
    /// Which end of a data connection makes it.
    package enum DataMode: Hashable, Sendable {
        /// This one (`EPSV`, `PASV`).
        case passive
        /// The server (`EPRT`, `PORT`).
        case active
        /// This one, and where that does not work, the server.
        case automatic
    }

    /// Whose word counts for the address of a passive data connection.
    package enum PassiveHost: Hashable, Sendable {
        /// The address of the control connection.
        case control
        /// The address in the 227, if it is a sensible one: for servers that have their data on other machines.
        case server
    }

    /// Which kind of addresses is used.
    package enum Family: Hashable, Sendable {
        case any, ipv4, ipv6
    }

    package var dataMode = DataMode.automatic
    package var passiveHost = PassiveHost.control
    /// What an active data connection announces; `nil`: the local address of the control connection.
    package var activeAddress: HostAddress?
    /// At which ports active data connections are awaited; `nil`: any that is free.
    package var activePorts: ClosedRange<UInt16>?
    /// Whether `EPSV` may be used.
    package var usesExtendedPassive = true
    /// Whether `EPRT` may be used.
    package var usesExtendedActive = true
    package var family = Family.any
    /// Through what all connections go; `nil`: directly.
    package var proxy: Proxy?

    /// The defaults.
    package init() {}
}

/// A proxy for control and data connections.
package struct Proxy: Sendable {
    /// What it speaks.
    package enum Kind: Hashable, Sendable {
        /// `CONNECT` of HTTP (RFC 9110 §9.3.6).
        case http
        /// SOCKS 5 (RFC 1928).
        case socks5
    }

    package var kind: Kind
    package var host: String
    package var port: UInt16
    /// The user's name for the proxy; `nil`: it is not told any.
    package var user: [UInt8]?
    package var password: Secret?

    /// A proxy.
    package init(_ kind: Kind, host: String, port: UInt16, user: [UInt8]? = nil, password: Secret? = nil) {
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }
}
