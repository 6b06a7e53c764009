/// What a mount is and does at one moment: what `ftpfs status` shows, as it goes over the control socket.
///
/// Times are in whole seconds, sizes in bytes, rates in bytes per second. Every text has been made fit for a terminal.
struct MountStatus: Hashable, Sendable {
    enum State: String, Hashable, Sendable {
        case serving
        /// It is unmounted, and sends what is unsent.
        case ending
    }

    struct Server: Hashable, Sendable {
        var greeting: String?
        var features: [String] = []
        /// The commands that list directories and make data connections, as found out.
        var listingCommand: String
        var dataCommand: String?
        /// Version and cipher; `nil`: everything goes in the clear.
        var encryption: String?
        /// The hash value of the server's key, as `tls_pin=` takes it.
        var pin: String?
    }

    struct Connection: Hashable, Sendable {
        var id: Int64
        /// A word: see `ConnectionReport.State`.
        var state: String
        /// How long it has been so.
        var age: Int64?
        var isAhead = false
        /// The last command, without secrets.
        var command: String?
        /// The file that is read or written: its path on the server.
        var path: String?
        var bytes: Int64 = 0
        var total: Int64?
        /// On the average since the transfer began.
        var rate: Int64?
        var peer: String?
        var encryption: String?
    }

    struct Upload: Hashable, Sendable {
        enum State: String, Hashable, Sendable {
            case waiting, sending, failed
        }

        /// In the mount.
        var path: String
        var state: State
        /// Of ``total`` bytes, how many the server has been sent.
        var done: Int64 = 0
        var total: Int64
        /// Why the last attempt failed.
        var reason: String?
        /// For files that wait with `writeback`: how often it has been tried, and in how many seconds it is tried next.
        var attempts: Int64?
        var retryIn: Int64?
    }

    struct Cache: Hashable, Sendable {
        var contentBytes: Int64 = 0
        var contentLimit: Int64 = 0
        var names: Int64 = 0
        var inodes: Int64 = 0
        var handles: Int64 = 0
        var streams: Int64 = 0
        var spoolBytes: Int64 = 0
        var spoolLimit: Int64?
        var spoolDirectory: String
    }

    var mountPoint: String
    /// The URL without user and password.
    var source: String
    var state: State
    var process: Int64
    var version: String
    /// How long ago it was mounted.
    var uptime: Int64
    var isReadOnly = false
    /// The options that were given, without credentials and secrets, under their documented names.
    var options: [String] = []
    var server: Server
    var connections: [Connection] = []
    var connectionLimit: Int64
    /// How many requests wait for a connection.
    var waiting: Int64 = 0
    /// Bytes of files since the beginning.
    var received: Int64 = 0
    var sent: Int64 = 0
    /// The first ``longestUploadList`` files of which something is unsent.
    var uploads: [Upload] = []
    /// How many there are, and how many bytes of them are unsent.
    var uploadCount: Int64 = 0
    var unsentBytes: Int64 = 0
    /// The server has worked and cannot be reached now.
    var outage: Outage?
    /// How many requests of programs have not been answered, and the oldest ``longestRequestList`` of them.
    var requestCount: Int64 = 0
    var requests: [Request] = []
    var cache: Cache
    var faults: [FaultRing.Fault] = []
    var faultTotal: Int64 = 0

    /// The first ``longestUploadList`` temporary files that other mounts seem to have left on the server, how many there are, and
    /// how many bytes they have.
    var leftOvers: [LeftBehind] = []
    var leftOverCount: Int64 = 0
    var leftOverBytes: Int64 = 0

    /// What is kept on this side of files that the server may not have.
    var kept = Kept()

    /// More than anybody reads; a queue may have thousands.
    static let longestUploadList = 100
}
