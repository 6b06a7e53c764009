package import SystemPackage

extension EmbeddedFTPServer {
    /// What the server serves, to whom, and how it behaves. All of it has defaults but the storage.
    package struct Configuration: Sendable {
        /// Where the files are.
        package enum Storage: Sendable {
            /// A directory of this machine. Nothing outside of it can be reached: `..` ends at it, and symbolic links
            /// that lead out of it are refused by the kernel (openat2(2), RESOLVE_BENEATH).
            case directory(FilePath)
            /// A tree in memory, at which tests can look.
            case memory(MemoryTree)
        }

        package var storage: Storage
        /// Names and passwords. With the name `anonymous` anybody may log in as that, whatever the password.
        package var users: [String: String]
        /// Where a session starts.
        package var loginDirectory: [UInt8]
        /// Which product it resembles.
        package var dialect: Dialect
        /// What it does wrong, and when.
        package var faults: FaultPlan
        /// How it uses TLS; `nil`: not at all.
        package var tls: TLSPolicy?
        /// The address to listen at: an IPv4 or IPv6 address in figures. Loopback unless somebody decides otherwise.
        package var address: String
        /// The port to listen at; 0 for any free one.
        package var port: UInt16
        /// How many control connections at once. One more is turned away in the words of the dialect. `nil`: no limit
        /// but ``ceiling``.
        package var maximumConnections: Int?
        /// A session that says nothing for this long gets `421` and is closed; `nil`: never.
        package var idleTimeout: Duration?
        /// Whether commands that change something are refused (550).
        package var isReadOnly: Bool
        /// How long the server waits for a data connection that the client announced, and for bytes on it.
        package var dataTimeout: Duration
        /// The send buffer of data connections in bytes (SO_SNDBUF); `nil` leaves it to the kernel. A small one makes
        /// ``Transcript/bytesSent`` say how much a client that hung up had really fetched.
        package var dataSendBuffer: Int32?
        /// How many commands the transcript keeps at least; the oldest are forgotten. The default holds every test
        /// and bounds the memory of a demo that runs for days (some 20 MB).
        package var transcriptCapacity: Int

        /// Serves `storage`; to anonymous users on a free port of 127.0.0.1, as vsftpd would, unless told otherwise.
        ///
        /// The idle timeout of 300 s is vsftpd's default, the 60 s for data are half of what curl waits.
        package init(
            storage: Storage, users: [String: String] = ["anonymous": ""], loginDirectory: [UInt8] = Array("/".utf8),
            dialect: Dialect = .vsftpd, faults: FaultPlan = .none, tls: TLSPolicy? = nil,
            address: String = "127.0.0.1", port: UInt16 = 0,
            maximumConnections: Int? = nil, idleTimeout: Duration? = .seconds(300), isReadOnly: Bool = false,
            dataTimeout: Duration = .seconds(60), dataSendBuffer: Int32? = nil, transcriptCapacity: Int = 100_000
        ) {
            self.storage = storage
            self.users = users
            self.loginDirectory = loginDirectory
            self.dialect = dialect
            self.faults = faults
            self.tls = tls
            self.address = address
            self.port = port
            self.maximumConnections = maximumConnections
            self.idleTimeout = idleTimeout
            self.isReadOnly = isReadOnly
            self.dataTimeout = dataTimeout
            self.dataSendBuffer = dataSendBuffer
            self.transcriptCapacity = transcriptCapacity
        }

        /// The most control connections that are ever served at once: each is a thread, and a hostile client must not
        /// exhaust them. vsftpd's own default is 2,000 processes.
        static let ceiling = 500
    }
}
