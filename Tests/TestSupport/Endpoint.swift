/// Where a client finds a server, and as whom.
package struct Endpoint: Sendable {
    /// How a server uses TLS.
    package enum Security: String, CaseIterable, Hashable, Sendable {
        case off
        case explicit
        case implicit
    }

    /// Over which protocol a server is reached.
    package enum Family: String, CaseIterable, Hashable, Sendable {
        case ipv4
        case ipv6
    }

    /// The server's address in figures.
    package var host: String
    package var port: UInt16
    package var user: String
    package var password: String
    package var security: Security
    /// A file with the certificate of whom the client is to trust; `nil`: nobody in particular.
    package var authority: String?

    package init(
        host: String, port: UInt16, user: String, password: String, security: Security = .off,
        authority: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.security = security
        self.authority = authority
    }

    /// The URL of a directory, relative to the one that the user finds after the login.
    package func url(_ path: String = "") -> String {
        let scheme =
            switch security {
            case .off: "ftp"
            case .explicit: "ftpes"
            case .implicit: "ftps"
            }
        return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(path)"
    }
}
