import FTPProtocol
import Logging
import Synchronization
import Threading

/// What has been learned about the server; shared by all sessions of a client, so that each thing is learned once.
///
/// What a server announces is only a hint (quirk of many: FEAT lists MLSD, and MLSD answers 502). A command that turns
/// out not to be implemented is struck out here and the next best is used from then on.
struct ServerProfile: Sendable {
    /// How to set when a file was changed.
    enum TimeMethod: Hashable, Sendable {
        /// `MFMT time path`.
        case mfmt
        /// `MDTM time path`: not in any RFC, but old and wide-spread.
        case mdtm
        /// `SITE UTIME time path`: the short form.
        case siteUTime
        case none
    }

    /// Where the mounted directory is.
    enum Root: Hashable, Sendable {
        /// Not asked yet.
        case unknown
        /// An absolute path, without a slash at the end unless it is `/`.
        case absolute([UInt8])
        /// The server does not say it in a usable form: paths are relative to where the login (and `CWD`) led.
        case relative
    }

    var tls = TLSKnowledge()
    /// The answer to `FEAT`; `nil`: not asked yet.
    var features: Features?
    /// Whether the greeting is that of a server known to take several commands at once.
    var takesCommandsTogether = false
    /// Whether the server reads the control connection as TELNET (see ``ControlConnection/doublesTelnetEscape``).
    var doublesTelnetEscape = false
    /// Whether the server puts `_` in the place of a blank at the end of a name that it makes (Pure-FTPd).
    var replacesTrailingBlanks = false
    var root = Root.unknown

    /// The ways of making data connections, and what is known of each.
    var dataMethods = DataMethods(NetworkSettings())
    /// Whether the server wants to know the transfer (`PRET`) before it opens a port for it.
    var wantsPreTransfer = false
    /// Whether the server wants the data connection to be there before the transfer command.
    var connectsDataFirst = false

    var listings = ListingKnowledge()
    /// In which zone the server tells times.
    var clock: ServerClock
    var hasMachineLook = false
    /// Whether there is a `REST` at all that does anything.
    var hasRestart = true
    /// From which offsets on `REST` can be believed.
    var restart = RestartKnowledge()
    /// How many downloads in a row have ended without their final reply.
    var unconfirmedDownloads = 0
    var hasSize = true
    var hasModificationTime = true

    var time = TimeMethod.mfmt
    /// Whether ``time`` has been seen to work.
    var timeIsProven = false
    var hasChangeMode = true
    /// `nil`: not asked yet.
    var hasSymbolicLink: Bool?

    /// What is known before the first connection.
    init(zone: ServerTimeZone = .automatic) {
        clock = ServerClock(zone)
    }

    /// The facts of `MLSD` that are used (RFC 3659 §7.5); every other one is only longer to transfer.
    private static let wantedFacts = ["type", "size", "modify", "unix.mode"]

    /// The command that makes `MLSD` and `MLST` send the facts that are used; `nil` where it is not needed, since the
    /// server sends all of these that it knows (RFC 3659 §7.9).
    ///
    /// - Parameter exactly: whether facts that are not used are reason enough.
    func factSelection(exactly: Bool) -> Command? {
        guard let facts = features?.mlstFacts, !facts.isEmpty else { return nil }
        let wanted = facts.filter { Self.wantedFacts.contains($0.name) }
        let isComplete = wanted.allSatisfy(\.enabledByDefault)
        let isExact = facts.allSatisfy { $0.enabledByDefault == Self.wantedFacts.contains($0.name) }
        if isExact || (isComplete && !exactly) { return nil }
        return Command("OPTS", "MLST " + wanted.map { $0.name + ";" }.joined())
    }

    /// Takes what `FEAT` says as the starting point.
    mutating func learn(_ features: Features) {
        self.features = features
        hasMachineLook = features.contains("MLST")
        if features.contains("PRET") { wantsPreTransfer = true }
        // `MFF` (draft-somers-ftp-mfxx) tells ProFTPD, whatever its greeting was set to.
        if features.contains("MFF") { doublesTelnetEscape = true }
        // `ESTP` is a command of Pure-FTPd alone.
        if features.contains("ESTP") { replacesTrailingBlanks = true }
        listings.learn(features)
        time = features.contains("MFMT") ? .mfmt : .mdtm
    }

    /// Strikes out a way of setting times.
    mutating func demote(_ method: TimeMethod) {
        guard time == method else { return }
        switch method {
        case .mfmt: time = .mdtm
        case .mdtm: time = .siteUTime
        case .siteUTime, .none: time = .none
        }
        timeIsProven = false
    }

    /// Words in the greetings of servers that read commands line by line however they arrive, tried with all of them.
    /// Others get one command at a time: some embedded servers take what one `recv` brings for one command.
    static let greetingsOfPatientServers = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "filezilla server"]
}

/// What all sessions of a client share.
final class SharedServer: Sendable {
    let configuration: ClientConfiguration
    private let profile: Monitor<ServerProfile>
    /// Begins anywhere, so that a mount after another one does not take that one's last ports.
    private let turns = Atomic(Int.random(in: 0...0xFFFF))
    private let context = Monitor<Result<TLSContext, FTPError>?>(nil)

    init(_ configuration: ClientConfiguration) {
        self.configuration = configuration
        var known = ServerProfile(zone: configuration.timeZone)
        known.dataMethods = DataMethods(configuration.network)
        profile = Monitor(known)
    }

    /// A number that is another one each time: with which of its ports an active data connection begins.
    func nextTurn() -> Int { turns.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max }

    /// A copy of what is known.
    var known: ServerProfile { profile.withLock { $0 } }

    /// OpenSSL's side of the TLS settings; made by the first who needs it, who may have to wait for a disk.
    func tlsContext() throws(FTPError) -> TLSContext {
        try context.withLock { (context) throws(FTPError) -> TLSContext in
            if let context { return try context.get() }
            let made = Result { () throws(FTPError) in try TLSContext(configuration.tls) }
            if !configuration.tls.verifies {
                configuration.logger.warning(
                    "tls_verify=no: the server's certificate is not checked; somebody in between could read and change all"
                )
            }
            context = made
            return try made.get()
        }
    }

    /// Adds to what is known.
    func learn<Result: Sendable>(_ change: @Sendable (inout ServerProfile) -> Result) -> Result {
        profile.withLock { change(&$0) }
    }
}
