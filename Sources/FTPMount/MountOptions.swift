package import FTPClient
package import Logging
import Vocabulary

/// What `-o` can say, with the values that hold when it says nothing.
///
/// The names, the ranges and the help are in ``MountOption/table``.
package struct MountOptions: Sendable {
    /// Who owns everything; `nil`: whoever mounts.
    package var userID: UInt32?
    /// The group of everything; `nil`: that of whoever mounts.
    package var groupID: UInt32?
    /// Permission bits to take away from files and directories.
    package var umask: UInt32?
    /// Permission bits to show, whatever the server says; `nil`: what the server says.
    package var fileMode: UInt32?
    package var directoryMode: UInt32?
    /// No change goes to the server.
    package var isReadOnly = false
    /// Other users than the one who mounts may use the mount.
    package var allowsOthers = false
    /// Root may use the mount too.
    package var allowsRoot = false
    /// The kernel checks permission bits.
    package var checksPermissions = false
    /// A mount point with something in it is taken.
    package var acceptsNonEmpty = false
    /// How long a listing is taken as true.
    package var directoryTimeToLive = Duration.seconds(10)
    /// How many connections to the server there may be. A small file takes one of them for three round trips, so eight bring
    /// two or three files in each. Few servers are set to take fewer from one address (Pure-FTPd as packaged: 8); those that
    /// are tell so, and the pool stays below that.
    package var connections = 8
    /// Bytes of memory for file content.
    package var cacheSize: Int64 = 64 << 20
    /// Whether directories are listed and small files fetched before they are asked for.
    package var prefetches = true
    /// Whether commands are sent together and data connections made ahead.
    package var pipelining = ClientConfiguration.Pipelining.automatic
    /// What is shown of symbolic links.
    package var symbolicLinks = SymbolicLinks.contain
    /// In which zone the server lists times.
    package var timeZone = ServerTimeZone.automatic
    /// How long to try to connect and log in.
    package var connectTimeout = Duration.seconds(30)
    /// How long to wait for a reply, or for the next byte of a transfer; `nil`: what the client waits by itself.
    package var timeout: Duration?
    /// How often a request is made again that was cut off.
    package var repeats = 2
    /// Requests go on until they succeed.
    package var isHard = false
    /// The server's port; `nil`: the one of the URL, or 21.
    package var port: UInt16?
    /// The character set of the server's names; `nil`: they are bytes.
    package var charset: NameCharset?
    /// Whether 0xFF is doubled in commands; `nil`: as the client knows the server.
    package var telnetEscape: Bool?
    /// What the server's `ACCT` is answered with.
    package var account: [UInt8]?
    /// How connections are made. The proxy in it lacks what its credentials file says: see ``completeProxy()``.
    package var network = NetworkSettings()
    /// What other options say of the proxy.
    package var curlProxy = CurlProxy()
    /// The file with user and password for the proxy.
    package var proxyCredentials: String?
    /// Where what is written waits to be sent; `nil`: see ``SpoolDirectory``.
    package var spoolDirectory: String?
    /// Bytes that may wait there; `nil`: as many as the disk has room for.
    package var spoolSize: Int64?
    /// What `df` shows as size, where the server does not say how much room there is; `nil`: very much.
    package var reportedSize: UInt64?
    /// A new content is written over the old one on the server, instead of beside it until it is complete.
    package var replacesInPlace = false
    /// A close returns when the file is safe on this machine; it is sent afterwards.
    package var writesBack = false
    /// How long a closed file then waits before it is sent.
    package var writeBackDelay = Duration.seconds(1)
    /// How long the end of the mount waits for what has not been sent by then; `nil`: as long as anything succeeds.
    package var drainTimeout: Duration?
    /// Where the log goes instead of syslog or standard error.
    package var logFile: String?
    /// Whether and how connections are encrypted.
    package var tls = MountTLSOptions()
    /// Which records the log gets; `nil`: see ``Log``.
    package var logLevel: Logger.Level?
    /// Files have the attributes `user.ftpfs.*`.
    package var hasExtendedAttributes = false
    /// Words that go to the kernel as they are.
    package var kernelOptions: [String] = []
    /// As whom the mount is served; `nil`: as whoever mounts.
    package var servingUser: ServingUser?
    /// The options of a mount that is there already are to be changed.
    package var isRemount = false
    /// What a person should know about the options that were given, a sentence each.
    package var notes: [String] = []
    /// Where user and password come from.
    package var credentials = CredentialOptions()

    /// The values that hold when nothing is said.
    package init() {}
}

/// What `-o` says about user and password.
package struct CredentialOptions: Sendable {
    package var user: [UInt8]?
    package var password: Secret?
    package var file: String?
    /// A file whose first line is the password.
    package var passwordFile: String?
    package var netrc = Netrc.standard
    package var readsStandardInput = false
    /// Whether the keyring of the desktop is asked.
    package var asksKeyring = true

    /// Which netrc file is asked.
    package enum Netrc: Hashable, Sendable {
        /// `~/.netrc`, if it is there.
        case standard
        /// This one, which must be there.
        case file(String)
        /// None.
        case none
    }
}
