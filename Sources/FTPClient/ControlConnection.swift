import FTPProtocol
import Logging
import SystemPackage
import Threading
import Vocabulary

/// The control connection of one session: a command goes out, its replies come back, in lock step.
///
/// ## Staying in step
/// FTP has no numbers that tie a reply to its command; only the order does. Therefore:
///
/// - Before a command goes out, everything that has come in unasked is read. A 421 or the end of the connection found
///   there means that the server hung up while nobody looked, and *the command has not been sent*: whatever it is, it
///   may be sent on another connection. Any other reply found there is a duplicate of an earlier one (some servers
///   confirm a transfer twice) and is dropped.
/// - A command whose final reply has not been read is remembered as *outstanding*; until that is settled
///   (``resynchronize(abortingTransfer:_:)``) no further command may go out.
/// - After a transfer that was broken off, neither the number nor the codes of the replies can be relied on: servers
///   answer 426 and 226, or 226 twice, or 225, or one of them, and Pure-FTPd a 150 and nothing else. So a marker is sent
///   whose answer cannot be mistaken: `PWD`, the only command with 257 beside MKD. All that comes before is skipped.
///
/// ## Ending
/// There is one way to end: ``fail(_:)``. The first reason wins and is what every later call throws.
///
/// One owner at a time; the pool hands it from thread to thread.
final class ControlConnection: @unchecked Sendable {
    // Only the thread that holds the session's lease touches anything in here, and the pool's monitor orders the
    // hand-overs; that is what makes `@unchecked Sendable` true.

    /// The number in the protocol trace.
    let id: Int
    private var transport: any Transport
    private let timeouts: ClientConfiguration.Timeouts
    private let logger: Logger
    /// What others may know of it.
    let activity: ConnectionActivity
    private var parser = ReplyParser()
    /// Whether a byte 0xFF goes out twice. The control connection is one of TELNET (RFC 959 §2.3), where a single one
    /// begins a TELNET command (RFC 854). ProFTPD reads it so; vsftpd, Pure-FTPd and pyftpdlib take every byte as it is.
    /// It never occurs in UTF-8, but in other names it does.
    var doublesTelnetEscape = false
    /// Where replies arrive; most fit into a fraction of it.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    private var failure: FTPError?
    /// What the login as a whole may last; `nil` behind it.
    var loginLimit: Deadline?
    /// The verb of the command whose final reply is still to come.
    private(set) var outstanding: String?
    /// Looks at every final 4yz and 5yz, with the verb of its command; what it returns is thrown in place of the reply.
    var objection: ((_ verb: String, Reply) -> FTPError?)?
    /// Whether a 1yz of that command has come: the server has begun to act on it.
    private var hasBegun = false
    /// How many replies have been taken since the last command. More than a few are a server that has lost its place, or
    /// one that wants to keep this client busy; a wait's deadline would not end that, since nothing is waited for.
    private var repliesTaken = 0
    private static let maximumReplies = ReplyParser.maximumWaitingReplies

    init(id: Int, transport: any Transport, timeouts: ClientConfiguration.Timeouts, logger: Logger) {
        self.id = id
        self.transport = transport
        self.timeouts = timeouts
        self.logger = logger
        activity = ConnectionActivity(transport.descriptor)
    }

    deinit {
        if failure == nil { transport.close(abortively: false) }
        buffer.deallocate()
    }

    /// Whether it has ended.
    var isClosed: Bool { failure != nil }

    /// The descriptor for `poll(2)`, while a transfer watches for early replies.
    var descriptor: FileDescriptor { transport.descriptor }

    /// The other end's address, to which data connections go too: the server's, or that of the proxy.
    func peer() throws(FTPError) -> SocketAddress {
        if let failure { throw failure }
        return try SocketAddress.peer(of: transport.descriptor)
    }

    /// Replaces the connection by one of TLS over it, between two commands.
    ///
    /// - Parameter handshake: blocks; its failure ends the connection.
    /// - Throws: `tlsFailed` also when the server has said something that nobody asked for.
    func startTLS(
        _ handshake: (SocketTransport) throws(FTPError) -> TLSTransport
    ) throws(FTPError) -> TLSTransport {
        do throws(FTPError) {
            if let failure { throw failure }
            guard let socket = transport as? SocketTransport else { throw .invalidArgument("TLS inside of TLS") }
            // Nobody may speak now but this side: what is here was not sent by a server that keeps to the protocol, and
            // would be read as its answers to commands of the encrypted part.
            var isSilent = parser.isEmpty
            if isSilent { isSilent = try !receiveAvailable() }
            guard isSilent else {
                throw .tlsFailed(
                    "the server sent plain text where TLS was to begin; somebody in between may be trying to slip in"
                        + " answers, so the connection was ended")
            }
            let tls = try handshake(socket)
            transport = tls
            return tls
        } catch {
            fail(error)
            throw error
        }
    }

    /// This end's address.
    func local() throws(FTPError) -> SocketAddress {
        if let failure { throw failure }
        return try SocketAddress.local(of: transport.descriptor)
    }

    /// Waits for the greeting; a 120 ("ready in n minutes") is waited through.
    func greeting(_ wait: Wait) throws(FTPError) -> Reply {
        outstanding = "the greeting"
        while true {
            let reply: Reply
            do throws(FTPError) {
                reply = try nextReply(wait)
            } catch {
                // What breaks the rules in its first words is something else than an FTP server.
                if case .protocolViolation(let what) = error { throw .notFTP(what) }
                throw error
            }
            if reply.category == .preliminary { continue }
            outstanding = nil
            return reply
        }
    }

    /// Sends a command and waits for its final reply. 1yz replies before it are skipped.
    ///
    /// - Returns: the reply, whatever its code but 421.
    /// - Throws: `connectionLost(.beforeCommand, …)` also for a 421: it says that the command was not looked at.
    func exchange(_ command: Command, _ cancellation: Cancellation, phase: FTPError.Phase? = nil) throws(FTPError)
        -> Reply
    {
        try send([command], cancellation)
        return try finalReply(replyWait(command.verb, phase, cancellation))
    }

    /// Sends several commands at once and returns their final replies in order. Only for servers known to take that,
    /// and for commands of which each is harmless when the one before it failed.
    func exchange(_ commands: [Command], _ cancellation: Cancellation) throws(FTPError) -> [Reply] {
        try send(commands, cancellation)
        var replies: [Reply] = []
        for command in commands {
            outstanding = command.verb
            replies.append(try finalReply(replyWait(command.verb, nil, cancellation)))
        }
        return replies
    }

    private func replyWait(_ verb: String, _ phase: FTPError.Phase?, _ cancellation: Cancellation) -> Wait {
        let limit = Deadline.after(timeouts.reply)
        return Wait(phase ?? .reply(verb: verb), until: limit.earlier(loginLimit ?? limit), cancellation)
    }

    /// Sends a command and does not wait. Its replies are to be read until ``settled()``.
    func begin(_ command: Command, _ cancellation: Cancellation) throws(FTPError) {
        try send([command], cancellation)
    }

    /// The final reply of the command under way (2yz ... 5yz).
    func finalReply(_ wait: Wait) throws(FTPError) -> Reply {
        while true {
            let reply = try nextReply(wait)
            if reply.category != .preliminary {
                outstanding = nil
                return reply
            }
        }
    }

    /// The next reply of the command under way, a 1yz or a final one.
    func anyReply(_ wait: Wait) throws(FTPError) -> Reply {
        let reply = try nextReply(wait)
        if reply.category != .preliminary { outstanding = nil }
        return reply
    }

    /// The next reply of the command under way if it is there already; `nil`: not yet.
    func replyIfReady() throws(FTPError) -> Reply? {
        if let failure { throw failure }
        var next = parser.next()
        // To the last byte: who polls the descriptor next does not see what TLS holds in its buffer.
        while next == nil, try receiveAvailable() { next = parser.next() }
        guard let next else { return nil }
        let reply = try take(next)
        if reply.category != .preliminary { outstanding = nil }
        return reply
    }

    /// Brings the connection back to order after a command whose replies nobody read. Blocks until the wait's end.
    ///
    /// - Parameter abortingTransfer: whether a transfer was broken off; its data connection is closed by now.
    func resynchronize(abortingTransfer: Bool, _ wait: Wait) throws(FTPError) {
        if let failure { throw failure }
        repliesTaken = 0
        do throws(FTPError) {
            if abortingTransfer {
                // ABOR for servers that do not look at the data connection while they are busy.
                try transmit([Command("ABOR"), Command("PWD")], wait)
                outstanding = "PWD"
                while try nextReply(wait).code != 257 {}
            } else if outstanding != nil {
                _ = try finalReply(wait)
            }
            outstanding = nil
        } catch {
            fail(error)
            throw error
        }
    }

    /// Skips replies that may still come, to nobody knows which command: sends the marker and reads up to its answer.
    func realign(_ wait: Wait) throws(FTPError) {
        if let failure { throw failure }
        do throws(FTPError) {
            try transmit([Command("PWD")], wait)
            outstanding = "PWD"
            while try nextReply(wait).code != 257 {}
            outstanding = nil
        } catch {
            fail(error)
            throw error
        }
    }

    /// Says goodbye without waiting for the answer, and ends.
    func quit() {
        guard failure == nil else { return }
        // The wait has passed: what does not fit into the socket's buffer is not sent.
        try? transmit([Command("QUIT")], Wait(.reply(verb: "QUIT"), for: .zero, Cancellation()))
        fail(.closed)
    }

    /// Ends the connection for a reason. Only the first call does anything.
    func fail(_ reason: FTPError) {
        guard failure == nil else { return }
        failure = reason
        transport.close(abortively: false)
        logger.debug("[\(id)] closed: \(reason)")
    }

    // MARK: - Sending

    private func send(_ commands: [Command], _ cancellation: Cancellation) throws(FTPError) {
        if let failure { throw failure }
        guard outstanding == nil else {
            // Not reachable while the pool keeps its rules; a misplaced reply would be worse than an error.
            throw .connectionLost(.beforeCommand, reason: "the reply to \(outstanding ?? "") is still to come")
        }
        if cancellation.isCancelled { throw .cancelled }
        try drain()
        try transmit(commands, replyWait(commands.first?.verb ?? "", nil, cancellation))
        outstanding = commands.first?.verb
        hasBegun = false
        repliesTaken = 0
    }

    private func transmit(_ commands: [Command], _ wait: Wait) throws(FTPError) {
        var wire: [UInt8] = []
        for command in commands {
            do throws(Command.Unsendable) {
                wire += try escaped(command.wire)
            } catch {
                throw .invalidArgument("an argument of \(error.verb) holds CR, LF or NUL")
            }
            logger.debug("[\(id)] > \(command)")
        }
        if let last = commands.last { activity.began(last) }
        do throws(TransportError) {
            try wire.withUnsafeBufferPointer { (bytes) throws(TransportError) in
                try transport.write(UnsafeRawBufferPointer(bytes), wait)
            }
        } catch {
            // A command that was not written whole cannot have been carried out: it has no line end.
            let reason = error.ftpError(.beforeCommand, "sending failed")
            fail(reason)
            throw reason
        }
    }

    /// Doubles 0xFF where the server wants that.
    private func escaped(_ line: [UInt8]) -> [UInt8] {
        guard doublesTelnetEscape, line.contains(0xFF) else { return line }
        return line.flatMap { $0 == 0xFF ? [0xFF, 0xFF] : [$0] }
    }

    // MARK: - Receiving

    /// Reads what came in unasked. Throws when the server has hung up.
    private func drain() throws(FTPError) {
        do throws(FTPError) {
            while try receiveAvailable() {}
            while let reply = parser.next() {
                trace(reply)
                if reply.code == 421 { throw hungUp(reply) }
                logger.debug("[\(id)] that reply belongs to no command; dropped")
            }
        } catch {
            let reason: FTPError
            if case .connectionLost(_, let text) = error {
                reason = .connectionLost(.beforeCommand, reason: text)
            } else {
                reason = error
            }
            fail(reason)
            throw reason
        }
    }

    private func nextReply(_ wait: Wait) throws(FTPError) -> Reply {
        if let failure { throw failure }
        while true {
            if let reply = parser.next() { return try take(reply) }
            let count: Int
            do throws(TransportError) {
                count = try transport.read(into: buffer, wait)
            } catch {
                let reason = error.ftpError(.afterCommand, "waiting for the reply to \(outstanding ?? "a command")")
                // A cancelled wait leaves the connection as it is: the reply will come and can be skipped.
                if reason != .cancelled { fail(reason) }
                throw reason
            }
            try consume(count)
        }
    }

    /// Takes what is there without waiting; false when there is nothing.
    private func receiveAvailable() throws(FTPError) -> Bool {
        if let failure { throw failure }
        let count: Int?
        do throws(TransportError) {
            count = try transport.readAvailable(into: buffer)
        } catch {
            let reason = error.ftpError(.afterCommand, "the control connection")
            fail(reason)
            throw reason
        }
        guard let count else { return false }
        try consume(count)
        return true
    }

    private func consume(_ count: Int) throws(FTPError) {
        guard count > 0 else {
            let reason = FTPError.connectionLost(.afterCommand, reason: "the server closed the control connection")
            // A 421 that came with the end says why.
            while let last = parser.next() {
                trace(last)
                guard last.code == 421 else { continue }
                let reason = hungUp(last)
                fail(reason)
                throw reason
            }
            fail(reason)
            throw reason
        }
        do throws(ReplyParser.Violation) {
            try parser.consume(buffer[..<count])
        } catch {
            let reason = FTPError.protocolViolation(Self.describe(error))
            fail(reason)
            throw reason
        }
    }

    /// Traces a reply and turns a 421 into the end of the connection (RFC 959: "service not available, closing
    /// control connection; may be a reply to any command").
    private func take(_ reply: Reply) throws(FTPError) -> Reply {
        trace(reply)
        repliesTaken += 1
        guard repliesTaken <= Self.maximumReplies else {
            let reason = FTPError.protocolViolation(Self.describe(.tooManyReplies))
            fail(reason)
            throw reason
        }
        if reply.category == .preliminary { hasBegun = true }
        if let verb = outstanding, reply.category == .transientNegative || reply.category == .permanentNegative,
            let reason = objection?(verb, reply)
        {
            outstanding = nil
            if reason.isConnectionLoss { fail(reason) }
            throw reason
        }
        guard reply.code == 421, outstanding != "the greeting" else { return reply }
        let reason = hungUp(reply)
        fail(reason)
        throw reason
    }

    private func hungUp(_ reply: Reply) -> FTPError {
        .connectionLost(hasBegun ? .afterCommand : .beforeCommand, reason: reply.summary)
    }

    private func trace(_ reply: Reply) {
        guard logger.logLevel <= .debug else { return }
        for (index, line) in reply.lines.enumerated() {
            let separator = index == reply.lines.count - 1 ? " " : "-"
            logger.debug("[\(id)] < \(reply.code)\(separator)\(printable(line))")
        }
    }

    private static func describe(_ violation: ReplyParser.Violation) -> String {
        switch violation {
        case .lineTooLong: "a line of a reply is too long"
        case .replyTooLong: "a reply is too long"
        case .tooManyReplies: "replies that nobody asked for"
        case .notAReply(let excerpt): printable(excerpt)
        }
    }
}
