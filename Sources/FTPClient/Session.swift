import FTPProtocol
import Logging
import SystemPackage
import Threading
import Vocabulary

/// One login: a control connection and what the server keeps with it (transfer type, working directory).
///
/// ## Round trips from nothing to the first listing
/// | # | wait | |
/// | --- | --- | --- |
/// | 1 | TCP connect | |
/// | 2 | greeting | |
/// | 3 | `USER` | |
/// | 4 | `PASS` | not if `USER` was enough |
/// | 5 | `FEAT` | only on the first session of a client; together with `PASS` on servers known to take that |
/// | 6 | `OPTS UTF8 ON`, `CWD base`, `TYPE I`, `PWD` | together on servers known to take that; elsewhere `OPTS` and `CWD` one by one, and only where needed; `TYPE I` and `PWD` when first needed |
/// | 7 | `EPSV` | with line 6, where the next data connection may be asked for ahead; not for `STAT` |
/// | 8 | `MLSD` | the data connection is made at the same time; on vsftpd it is `STAT`, without one |
///
/// TLS adds `AUTH` and the handshake (two round trips with TLS 1.2) behind line 2, a handshake of one round trip behind line
/// 8, and `PBSZ` and `PROT` to line 6.
///
/// So eight, on an unknown server; six or seven on known ones; nine on an unknown one, if it
/// announces UTF8 *and* a base directory is given. `SYST` is sent
/// only where `PWD` tells a directory that is not absolute: everywhere else its answer would change nothing.
///
/// ## How paths are written
/// Commands carry absolute paths, `root` + `/` + names, so that the working directory means nothing. `root` is what `PWD`
/// says in the base directory. Where `PWD` gives nothing usable, paths are relative to the base directory and every
/// detour with `CWD` is undone with `CDUP`. Names go out in the server's character set (``NameCharset``). How listings name their directory: see `Session+Listing.swift`.
///
/// One owner at a time: whoever holds the lease of the pool.
final class Session: @unchecked Sendable {
    // Only the thread that holds the lease touches anything in here, and the pool's monitor orders the hand-overs;
    // that is what makes `@unchecked Sendable` true.

    /// Where the server's working directory is.
    enum Location: Equatable {
        /// The base directory, as after the login.
        case base
        /// Somewhere below it.
        case below(RemotePath)
        /// A `CWD` whose answer was lost.
        case unknown
    }

    let server: SharedServer
    let control: ControlConnection
    let timeouts: ClientConfiguration.Timeouts
    let logger: Logger
    /// TLS, once the control connection has it.
    var security: SessionSecurity?
    var location = Location.base
    /// Whether `TYPE I` has been accepted.
    var isImageType = false
    /// Whether a transfer was begun whose final reply has not been read.
    var hasOpenTransfer = false
    /// Whether that transfer was seen to begin: with a data connection and a 1yz.
    var hasBegunTransfer = false
    /// Whether a transfer was broken off, and none has begun since.
    var followsBrokenTransfer = false
    /// Whether all data of that transfer have come, so that its final reply is on the way.
    var awaitsConfirmation = false
    /// Whether the command of the upload that was opened last may have gone out: the server may act on it, even later.
    var hasSentUpload = false
    /// Whether a `REST` has been accepted that no transfer has used up.
    var hasPendingRestart = false
    /// Whether commands that belong together have been begun, and not all their replies read: an `RNFR` may be waiting for
    /// its `RNTO`.
    var isMidSequence = false
    /// What a `SIZE` in the flight of the last upload's command has told.
    var sizeTold = SizeAnswer.unknown
    /// The refusal of the last `REST`, until it has been looked at.
    var restartRefusal: Reply?
    /// The data connection that is made ahead.
    var armed: Armed?
    /// Whether a transfer was begun after that was last asked for: another one may follow.
    var wantsArming = false
    /// Whether an answer came that cannot be the answer, so that nobody knows which command the next one is for.
    var isOutOfStep = false
    /// How many lines of the last listing were not understood.
    var skippedLines = 0
    /// The first line of the greeting that says something.
    var greeting: [UInt8] = []
    /// Whether somebody has given it back in order since its login. Before that it cannot be one that died while idle.
    var hasServed = false
    /// Which of the two keep-alive commands is next: some servers do not count `NOOP` as activity, and some proxies
    /// answer it themselves.
    private var keepAliveByPWD = false

    /// How a session stands when its owner is done with it.
    enum Condition: Hashable, Sendable {
        /// In step: the next command may go out.
        case usable
        /// Replies are under way that nobody read.
        case outOfStep
        /// Its control connection has ended.
        case dead
    }

    /// Whether it can be used again as it is.
    var condition: Condition {
        if control.isClosed { return .dead }
        let isInStep = control.outstanding == nil && !hasOpenTransfer && !isMidSequence && !isOutOfStep
        return isInStep ? .usable : .outOfStep
    }

    private init(_ server: SharedServer, _ control: ControlConnection) {
        self.server = server
        self.control = control
        timeouts = server.configuration.timeouts
        logger = server.configuration.logger
    }

    deinit { disarm() }

    /// One attempt to connect and log in. Blocks until done, at most until the deadline.
    static func attempt(
        _ server: SharedServer, id: Int, _ overall: Deadline, _ cancellation: Cancellation
    ) throws(FTPError) -> Session {
        let configuration = server.configuration
        let host = configuration.host
        configuration.logger.debug("[\(id)] connecting to \(host) port \(configuration.port)")
        let transport = try Dialer.connectToServer(configuration, overall: overall, cancellation)
        transport.configureForControl()
        server.abandonedUploads.reset()
        let control = ControlConnection(
            id: id, transport: transport, timeouts: configuration.timeouts, logger: configuration.logger)
        // A proxy acknowledges for itself.
        if configuration.network.proxy == nil, let seen = control.roundTrip {
            server.learn { $0.roundTrip = min($0.roundTrip ?? seen, seen) }
        }
        let session = Session(server, control)
        do throws(FTPError) {
            try session.logIn(until: overall, cancellation)
            return session
        } catch {
            if control.outstanding == nil { control.quit() } else { control.fail(error) }
            throw error
        }
    }

    /// Sends a command and returns its final reply, whatever it is.
    func exchange(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Reply {
        let reply = try control.exchange(command, cancellation)
        server.noteAnswer(to: command.verb)
        return reply
    }

    /// Sends a command that is to end with a 2yz.
    ///
    /// 202 ("superfluous at this site") is no success: the server has done nothing.
    @discardableResult
    func complete(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Reply {
        let reply = try exchange(command, cancellation)
        guard reply.category == .completion, reply.code != 202 else {
            throw .refused(verb: command.verb, reply)
        }
        return reply
    }

    /// Makes sure that the server takes files as they are (`TYPE I`), as `RETR`, `STOR` and `SIZE` need.
    func useImageType(_ cancellation: Cancellation) throws(FTPError) {
        if isImageType { return }
        try complete(Command("TYPE", "I"), cancellation)
        isImageType = true
    }

    /// Keeps the connection alive. Blocks for a round trip.
    func keepAlive(_ cancellation: Cancellation) throws(FTPError) {
        if hasOutlivedTLSSession {
            throw .connectionLost(.beforeCommand, reason: "its TLS session is too old for data connections")
        }
        keepAliveByPWD.toggle()
        _ = try exchange(Command(keepAliveByPWD ? "NOOP" : "PWD"), cancellation)
    }

    /// Brings the session back in step after an owner that left replies unread. Blocks at most `timeouts.recovery`.
    func recover(_ cancellation: Cancellation) throws(FTPError) {
        let wait = Wait(.reply(verb: control.outstanding ?? "ABOR"), for: timeouts.recovery, cancellation)
        // ABOR takes a port back, and with a misplaced answer nobody knows to which command it was opened.
        disarm()
        takeConfirmation(cancellation)
        let isTransfer = hasOpenTransfer
        hasOpenTransfer = false
        followsBrokenTransfer = followsBrokenTransfer || isTransfer
        if let verb = control.outstanding, ["TYPE", "CWD", "CDUP"].contains(verb) {
            isImageType = false
            location = .unknown
        }
        let needsMark = isMidSequence || isOutOfStep
        isMidSequence = false
        isOutOfStep = false
        try control.resynchronize(abortingTransfer: isTransfer, hasBegun: hasBegunTransfer, wait)
        // Reads what else is on its way. Any command but RNTO makes most servers forget an RNFR (RFC 959 §4.1.3).
        if needsMark { try control.realign(wait) }
    }

    /// Reads the final reply of a download that is complete, if it comes in time: then there is nothing to break off.
    private func takeConfirmation(_ cancellation: Cancellation) {
        guard awaitsConfirmation else { return }
        awaitsConfirmation = false
        // Half of the time, which leaves the other half for ABOR.
        let wait = Wait(.finalReply, for: timeouts.recovery / 2, cancellation)
        do throws(FTPError) {
            while hasOpenTransfer {
                if let reply = try control.replyIfReady() {
                    hasOpenTransfer = reply.category == .preliminary
                } else {
                    // No reply in time is no fault of the connection.
                    _ = try wait.poll([(control.descriptor, .input)])
                }
            }
        } catch {
            return
        }
    }
}
