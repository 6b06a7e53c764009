import FTPProtocol
import Logging
import Synchronization
import Threading

/// What has been learned about the server; shared by all sessions of a client, so that each thing is learned once.
///
/// What follows from a server's greeting and from `FEAT` is in ``ServerQuirk/table``. But what a server announces is only a
/// hint (many list MLSD, and answer it with 502). A command that turns out not to be implemented, or that is not answered
/// at all, is struck out here (``demotions``), and the next best is used from then on:
///
/// | does not work | remembered in | used instead |
/// | --- | --- | --- |
/// | a way to make data connections | ``dataMethods`` | the next of them |
/// | `PASV` before `PRET` | ``wantsPreTransfer`` | `PRET` first |
/// | a transfer command before the data connection is there (425) | ``connectsDataFirst`` | the other order |
/// | `MLSD`, `LIST -a` | ``listings`` | `LIST -a`, `LIST` |
/// | `STAT -a` | ``listings`` | `LIST -a` |
/// | the path behind `MLSD` or `LIST` | ``listings`` | `CWD` |
/// | `MLST` | ``hasMachineLook`` | a listing of the parent |
/// | `SIZE`, `MDTM` | ``hasSize``, ``hasModificationTime`` | nothing: it is not known |
/// | `REST`, at all or beyond an offset | ``hasRestart``, ``restart`` | reading from the start |
/// | `APPE` | ``hasAppend`` | the file is written as a whole |
/// | `MFMT`, `MDTM time path`, `SITE UTIME` in two forms | ``time`` | the next of them |
/// | `SITE CHMOD` | ``hasChangeMode`` | an error |
/// | `AVBL`, `SITE QUOTA` | ``space`` | nothing: it is not known |
/// | the time of a directory | ``directoryTimes`` | an error |
/// | `SITE` with a blank in a name | ``quotesSiteArguments`` | quotes around it |
/// | `STOR` of no bytes | ``emptyFiles`` | `APPE` |
/// | `RNTO` over an existing file | not remembered: it may be about the file | moving that file aside (``ReplacingRename``) |
/// | `250` to `RNTO` | ``renameIsProven`` | a look after each |
/// | a data connection made ahead | ``armedFailures`` | one made when it is needed |
/// | several commands in one packet | ``answersOutOfStep`` | one at a time |
/// | `CDUP` | ``hasParentCommand`` | `CWD ..` |
/// | a usable `PWD` | ``root`` | relative paths |
/// | `FEAT`, `CLNT`, `OPTS`, `SITE NAMEFMT` at the login | ``shunned`` | doing without |
/// | user and password as they were typed | ``credentials`` | in the character set of the names |
struct ServerProfile: Sendable {
    /// How to set when a file was changed.
    enum TimeMethod: Hashable, Sendable {
        /// `MFMT time path`.
        case mfmt
        /// `MDTM time path`: not in any RFC, but old and wide-spread.
        case mdtm
        /// `SITE UTIME time path`: the short form (ProFTPD's mod_site_misc).
        case siteUTime
        /// `SITE UTIME path access-time time creation-time UTC`: the long form (Pure-FTPd, Serv-U).
        case siteUTimeLong
        case none

        /// Those with a command, in the order in which they are tried.
        static let settable: [TimeMethod] = [.mfmt, .mdtm, .siteUTime, .siteUTimeLong]
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

    /// The first line of the last greeting that says something.
    var greeting: [UInt8] = []
    var tls = TLSKnowledge()
    /// The answer to `FEAT`; `nil`: not asked yet.
    var features: Features?
    /// Whether the greeting is that of a server known to take several commands at once.
    var takesCommandsTogether = false
    /// Whether it was seen to lose its place then.
    var answersOutOfStep = false
    /// The shortest round trip that was seen; `nil`: not known.
    var roundTrip: Duration?
    /// Whether bytes that come on the data connection before the command for them stay there until it comes.
    var leavesEarlyData = false
    /// Whether commands that come while a transfer is going on wait for its end.
    var queuesCommands = false
    /// How many data connections that were made ahead did not work.
    var armedFailures = 0
    /// Whether the server reads the control connection as TELNET (see ``ControlConnection/doublesTelnetEscape``).
    var doublesTelnetEscape = false
    /// Whether the server puts `_` in the place of a blank at the end of a name that it makes (Pure-FTPd).
    var replacesTrailingBlanks = false
    /// Bytes that the server takes in no name (Pure-FTPd: the backslash).
    var refusedBytes: Set<UInt8> = []
    var root = Root.unknown
    /// What each login sends before it goes on.
    var preparation: [Command] = []
    /// Whether `SYST` has been asked.
    var hasAskedSystem = false

    /// Commands of the login that it can do without, and that made this server hang up or fall silent.
    var shunned: Set<String> = []
    /// How often the connection was lost over such a command. Once may be chance.
    var offerLosses: [String: Int] = [:]
    /// How often a login failed in a way that lets the next one do better.
    var lessons = 0

    /// In which bytes user and password go out.
    enum CredentialsForm: Hashable, Sendable {
        /// As they were typed.
        case asGiven
        /// In the character set of the server's names; they were refused as they were typed.
        case inCharset
        /// As they were typed; both have been refused.
        case bothRefused
    }

    var credentials = CredentialsForm.asGiven

    /// Whether the last login was `USER`, 331, `PASS`, 230.
    var hasUsualLogin = false

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
    var hasAppend = true
    /// Whether a `STOR` behind a `REST` leaves alone what follows its bytes; `nil`: not tried yet.
    var keepsTail: Bool?
    /// The same of the product that the greeting names.
    var productKeepsTail: Bool?
    /// Whether a `STOR` behind a `RANG` does so, too, from the first byte on.
    var storesRanges = false
    /// Whether `RNFR` and `RNTO` may be sent together: the server renames nothing when the first is refused.
    var renamesTogether = false
    /// Whether `RMD` is known to refuse a directory that holds anything.
    var removesOnlyEmpty = false
    /// Whether it is known that `APPE` puts bytes behind those that are there.
    var appendIsProven = false
    var space = SpaceKnowledge()
    /// Whether the times of directories can be set.
    var directoryTimes = DirectoryTimes()
    /// From which offsets on `REST` can be believed.
    var restart = RestartKnowledge()
    /// How many downloads in a row have ended without their final reply.
    var unconfirmedDownloads = 0
    var hasSize = true
    var hasModificationTime = true
    var hasParentCommand = true
    /// Commands that can be done without and that have been answered, in whatever way.
    var answered: Set<String> = []

    /// What becomes of a `STOR` without a byte.
    enum EmptyFiles: Hashable, Sendable {
        case untried
        /// The file is there afterwards.
        case made
        /// Only `APPE` without a byte makes it.
        case madeByAppending
        /// Neither does.
        case notMade
    }

    var emptyFiles = EmptyFiles.untried
    /// Whether `250` to `RNTO` has been seen to mean that the name changed.
    var renameIsProven = false
    /// Whether `SITE` takes a name with a blank in it only in quotes.
    var quotesSiteArguments = false

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
        learnQuirks(of: features)
        listings.learn(features)
        time = features.contains("MFMT") ? .mfmt : .mdtm
    }

    /// Strikes out a way of setting times, and those before it.
    mutating func demote(_ method: TimeMethod) {
        guard time == method || (time == .siteUTime && method == .siteUTimeLong) else { return }
        switch method {
        case .mfmt: time = .mdtm
        case .mdtm: time = .siteUTime
        case .siteUTime: time = .siteUTimeLong
        case .siteUTimeLong, .none: time = .none
        }
        timeIsProven = false
    }
}

extension ServerProfile {
    /// What changes when a command turns out not to be there, or not to be answered: verb → demotion.
    static let demotions: [String: @Sendable (inout ServerProfile) -> Void] = [
        "MLSD": { $0.listings.demote(.machine) },
        "MLST": { $0.hasMachineLook = false },
        "SIZE": { $0.hasSize = false },
        "MDTM": { $0.hasModificationTime = false },
        "REST": { $0.hasRestart = false },
        "APPE": { $0.hasAppend = false },
        "CDUP": { $0.hasParentCommand = false },
        "SITE CHMOD": { $0.hasChangeMode = false },
    ]

    /// Commands that only ask, for which there is something else, and which some servers leave without an answer.
    static let dispensable: Set<String> = ["MLST", "MLSD", "SIZE", "MDTM"]

    /// Strikes a command out.
    ///
    /// - Returns: whether there is something else to be done than what it was to do.
    @discardableResult
    mutating func strikeOut(_ verb: String) -> Bool {
        guard let demotion = Self.demotions[verb] else { return false }
        demotion(&self)
        return true
    }
}

/// What all sessions of a client share.
final class SharedServer: Sendable {
    let configuration: ClientConfiguration
    /// What all connections have moved.
    let totals = TransferTotals()
    let abandonedUploads = AbandonedUploads()
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

    /// Strikes a command out that had its time and was not answered, if it never was answered before.
    ///
    /// - Returns: whether the request should be made again: it will go another way.
    func strikeOutSilent(_ error: FTPError) -> Bool {
        guard case .timedOut(.reply(let verb)) = error, ServerProfile.dispensable.contains(verb) else { return false }
        let isStruckOut = learn { $0.answered.contains(verb) ? false : $0.strikeOut(verb) }
        if isStruckOut {
            configuration.logger.notice("the server does not answer \(verb); it will not be asked again")
        }
        return isStruckOut
    }

    /// Notes that a command which can be done without was answered.
    func noteAnswer(to verb: String) {
        guard ServerProfile.dispensable.contains(verb) else { return }
        learn { profile in
            if !profile.answered.contains(verb) { profile.answered.insert(verb) }
        }
    }

    /// A number that is another one each time: with which of its ports an active data connection begins.
    func nextTurn() -> Int { turns.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max }

    /// A copy of what is known.
    var known: ServerProfile { profile.withLock { $0 } }

    /// OpenSSL's side of the TLS settings. Who asks first waits for the files that it is made of.
    func tlsContext() throws(FTPError) -> TLSContext {
        if let made = context.withLock({ $0 }) { return try made.get() }
        let made = Result { () throws(FTPError) in try TLSContext(configuration.tls) }
        // Another one may have been faster; all shall use the same.
        let (first, isMine) = context.withLock { context in
            if let context { return (context, false) }
            context = made
            return (made, true)
        }
        if isMine, !configuration.tls.verifies {
            configuration.logger.warning(
                "tls_verify=no: the server's certificate is not checked; somebody in between could read and change all")
        }
        return try first.get()
    }

    /// Adds to what is known.
    func learn<Result: Sendable>(_ change: @Sendable (inout ServerProfile) -> Result) -> Result {
        profile.withLock { change(&$0) }
    }
}
