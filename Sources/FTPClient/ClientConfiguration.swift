package import Logging
package import Vocabulary

/// Everything a ``Client`` needs to know before it connects.
package struct ClientConfiguration: Sendable {
    /// Where the files are on the server.
    package enum Base: Hashable, Sendable {
        /// Below the directory that the login leads to (RFC 1738 §3.2.2); no names: that directory itself.
        case relativeToLogin([FileName])
        /// Below `/`.
        case absolute([FileName])
    }

    /// A name or a numerical address; IPv6 without brackets.
    package var host: String
    package var port: UInt16
    /// The user name as bytes.
    package var user: [UInt8]
    package var password: Secret
    /// What to answer when the server asks for an account (`ACCT`, RFC 959 §4.1.1).
    package var account: [UInt8]?
    package var base: Base
    /// How many control connections there may be at a time, at least 1.
    package var connections: Int
    package var timeouts: Timeouts
    /// How long requests go on when the network or the server fails.
    package var endurance = Endurance.none
    /// The character set of the server's names; `nil`: they are bytes, which on most servers are UTF-8.
    package var charset: NameCharset?
    /// Whether a byte 0xFF in a command goes out twice, as TELNET wants it; `nil`: as this client knows the server.
    package var telnetEscape: Bool?
    /// Whether and how connections are encrypted.
    package var tls = TLSSettings()
    /// How connections are made, and through what.
    package var network = NetworkSettings()
    package var listingLimit = ListingLimit()
    /// Whether commands and data connections are prepared and sent ahead of the answers, where the server can take that.
    package var pipelining = Pipelining.automatic
    /// How long a round trip must be for data connections to be made ahead.
    package var armsFrom = Session.worthwhile
    /// The zone in which the server tells times where FTP leaves it open.
    package var timeZone = ServerTimeZone.automatic
    /// Takes warnings, and at debug level every command and reply, passwords masked.
    package var logger: Logger

    /// A configuration with the defaults for what is not given.
    ///
    /// - Parameter connections: 4 by default: one for metadata, three for transfers fill most links, and servers that
    ///   limit clients usually allow that many (ProFTPD and Pure-FTPd ship with 8 to 30 per host).
    package init(
        host: String, port: UInt16 = 21, user: [UInt8], password: Secret, account: [UInt8]? = nil,
        base: Base = .relativeToLogin([]), connections: Int = 4, timeouts: Timeouts = Timeouts(),
        logger: Logger = Logger(label: "ftpfs.client")
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.account = account
        self.base = base
        self.connections = max(1, connections)
        self.timeouts = timeouts
        self.logger = logger
    }

    /// How much goes out before the answers to what went before.
    package enum Pipelining: Hashable, Sendable {
        /// As much as the server is known to take.
        case automatic
        /// One command at a time, and a data connection only when a transfer needs it.
        case off
    }

    /// What one listing may bring; there it is cut.
    package struct ListingLimit: Hashable, Sendable {
        /// 128 MiB: some 200 bytes for each of the lines, three times what is usual.
        package var bytes = 128 * 1024 * 1024
        /// Half a million, beside which a directory on a server that lists it in any bearable time looks small. With all
        /// that this program knows of one, an entry takes up to a kilobyte of memory while a listing is taken in.
        package var lines = 500_000

        package init() {}
    }

    /// How long to wait for what. Every wait of the client ends by one of these.
    package struct Timeouts: Hashable, Sendable {
        /// For the name service. The resolver's own default is 5 s per server with two tries.
        package var resolve: Duration = .seconds(10)
        /// For the TCP connection, all addresses together. Linux would try for two minutes.
        package var connect: Duration = .seconds(15)
        /// For everything from the name to the end of the login. mount(8)'s callers give up after 90 s (systemd's
        /// default job limit); a third of that leaves room for the rest of the mount.
        package var establish: Duration = .seconds(30)
        /// For the answer to a command. Servers on slow disks need seconds; a minute would pass for a hang.
        package var reply: Duration = .seconds(30)
        /// For a data connection by a method (EPSV, PASV) that has not worked yet on this server: what a firewall
        /// swallows should not cost more. TCP sends its third SYN after 3 s, so two lost packets are still forgiven.
        package var firstDataConnect: Duration = .seconds(5)
        /// For a data connection by a method that has worked before.
        package var dataConnect: Duration = .seconds(15)
        /// How long a transfer may stand still. Very large directories take their time before the first byte.
        package var dataIdle: Duration = .seconds(60)
        /// For the confirmation after the last byte; servers that scan or copy an upload take that long.
        package var finalReply: Duration = .seconds(60)
        /// For the confirmation of a download, whose last byte the server has sent itself: it has nothing left to do.
        package var downloadReply: Duration = .seconds(10)
        /// For bringing an aborted transfer's connection back to order. A new login takes about as long, so waiting
        /// longer gains nothing.
        package var recovery: Duration = .seconds(1)
        /// After how much idleness the first connection is kept alive. Below a minute, the shortest limit that
        /// servers and address translators are commonly set to.
        package var keepAlive: Duration = .seconds(50)
        /// After how much idleness further connections are closed: they block others on servers with few slots.
        package var idleExtra: Duration = .seconds(40)

        /// The defaults.
        package init() {}
    }
}

extension ClientConfiguration.Base {
    /// The path as a command carries it; `nil` when it is the login directory itself.
    var wirePath: [UInt8]? {
        switch self {
        case .relativeToLogin(let names): names.isEmpty ? nil : RemotePath(names).joined
        case .absolute(let names): [0x2F] + RemotePath(names).joined
        }
    }
}
