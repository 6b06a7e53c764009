import FTPProtocol
import Logging
import SystemPackage
import Threading
import Vocabulary

/// The control connection of one session: commands go out, their replies come back in the same order.
///
/// ## Staying in step
/// FTP has no numbers that tie a reply to its command; only the order does. Therefore:
///
/// - Before a command goes out, everything that has come in unasked is read. A 421 or the end of the connection found
///   there means that the server hung up while nobody looked, and *the command has not been sent*: whatever it is, it
///   may be sent on another connection. Any other reply found there is a duplicate of an earlier one (some servers
///   confirm a transfer twice) and is dropped.
/// - A command whose final reply has not been read is remembered as *awaited*; until that is settled
///   (``resynchronize(abortingTransfer:_:)``) no further command may go out, with one exception:
/// - A *deferred* command has a taker for its reply, which is called whenever the reply comes, on whichever thread reads it.
///   Nobody waits for it, and other commands may go out behind it. Only for servers that take several commands together.
/// - After a transfer that was broken off, neither the number nor the codes of the replies can be relied on: servers
///   answer 426 and 226, or 226 twice, or 225, or one of them, and Pure-FTPd a 150 and nothing else. So a marker is sent
///   whose answer cannot be mistaken: `PWD`, the only command with 257 beside MKD. All that comes before is skipped.
/// - A transfer that had not begun yet, and of which the server says only that there was none (225), may still be waiting there for a
///   data connection: pyftpdlib then makes up for it on the next one, and another directory's listing would be taken for what was
///   asked for. Such a connection is given up.
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
    /// Where replies arrive. Nearly all fit into a fraction of it; those that list a directory come in pieces of this size.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 1)
    /// Why it has ended.
    private(set) var failure: FTPError?
    /// Whether it has ended because nothing was heard of the other end, not even an acknowledgement.
    private(set) var endedBySilence = false
    /// What the login as a whole may last; `nil` behind it.
    var loginLimit: Deadline?
    private var awaited = AwaitedReplies()
    /// The verb of the first command that somebody has to wait for.
    var outstanding: String? { awaited.outstanding }
    /// Whether the reply to a deferred command is still to come.
    var hasDeferred: Bool { awaited.hasDeferred }
    /// Looks at every final 4yz and 5yz, with the verb of its command; what it returns is thrown in place of the reply.
    var objection: ((_ verb: String, Reply) -> FTPError?)?
    /// Whether bytes have come since this end last wrote: the kernel may be keeping their acknowledgement back.
    private var hasUnacknowledged = false
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

    /// Replaces the connection by one of TLS over it, between two commands.
    ///
    /// - Parameter handshake: blocks; its failure ends the connection.
    /// - Throws: `tlsFailed` also when the server has said something that nobody asked for.
    /// - Parameter isFirst: whether nothing at all was to come before, not even a greeting.
    func startTLS(
        isFirst: Bool, _ handshake: (SocketTransport) throws(FTPError) -> TLSTransport
    ) throws(FTPError) -> TLSTransport {
        do throws(FTPError) {
            if let failure { throw failure }
            guard let socket = transport as? SocketTransport else { throw .invalidArgument("TLS inside of TLS") }
            // Nobody may speak now but this side: what is here was not sent by a server that keeps to the protocol, and
            // would be read as its answers to commands of the encrypted part.
            var isSilent = parser.isEmpty
            if isSilent { isSilent = try !receiveAvailable() }
            guard isSilent else {
                if isFirst { throw .tlsFailed(OpenSSLError.plainText) }
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

    /// Waits for the greeting; a 120 ("ready in n minutes") is waited through.
    func greeting(_ wait: Wait) throws(FTPError) -> Reply {
        awaited.restart(with: Self.greetingVerb)
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
            awaited.settleFirst()
            return reply
        }
    }

    private static let greetingVerb = "the greeting"

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
    ///
    /// - Parameter last: one more, whose reply is not waited for.
    func exchange(
        _ commands: [Command], andDeferred last: (command: Command, taker: (Reply) -> Void)? = nil,
        _ cancellation: Cancellation
    ) throws(FTPError) -> [Reply] {
        try send(commands + (last.map { [$0.command] } ?? []), cancellation)
        if let last { awaited.deferReply(at: 1, to: last.taker) }
        var replies: [Reply] = []
        for command in commands { replies.append(try finalReply(replyWait(command.verb, nil, cancellation))) }
        return replies
    }

    /// The same for commands of which some bring as many lines as a directory has entries.
    func exchange(
        _ commands: [Command], upTo limit: ReplyParser.Limit, _ cancellation: Cancellation
    ) throws(FTPError) -> [Reply] {
        parser.limit = limit
        defer { parser.limit = .usual }
        return try exchange(commands, cancellation)
    }

    private func replyWait(_ verb: String, _ phase: FTPError.Phase?, _ cancellation: Cancellation) -> Wait {
        let limit = Deadline.after(timeouts.reply)
        return Wait(phase ?? .reply(verb: verb), until: limit.earlier(loginLimit ?? limit), cancellation)
    }

    /// Sends a command and does not wait. Its replies are to be read up to the final one.
    ///
    /// - Parameter preparation: a command that goes out in front of it in the same packet, deferred.
    func begin(
        _ command: Command, behind preparation: (command: Command, taker: (Reply) -> Void)? = nil,
        _ cancellation: Cancellation
    ) throws(FTPError) {
        guard let preparation else { return try send([command], cancellation) }
        try send([preparation.command, command], cancellation)
        awaited.deferReply(at: 2, to: preparation.taker)
    }

    /// Sends a command whose reply goes to the taker, whenever it comes; also while another one is awaited. Does not wait.
    ///
    /// - Parameter taker: called on the thread that reads the reply, which holds the session. It must not use this
    ///   connection.
    func deferReply(to command: Command, _ taker: @escaping (Reply) -> Void) throws(FTPError) {
        if let failure { throw failure }
        // What does not fit into the socket's buffer is not sent: a dozen bytes, when everything before was answered.
        try transmit([command], Wait(.reply(verb: command.verb), for: .zero, Cancellation()))
        awaited.sent([command.verb])
        awaited.deferReply(at: 1, to: taker)
    }

    /// Waits until no reply to a deferred command is to come any more, or none that is wanted.
    func settleDeferred(_ cancellation: Cancellation, while isWanted: () -> Bool = { true }) throws(FTPError) {
        while isWanted(), awaited.isNextDeferred, let verb = awaited.next {
            guard let reply = try nextOrDeferred(replyWait(verb, nil, cancellation)) else { continue }
            // Nobody's: the deferred ones were the first.
            logger.debug("[\(id)] \(reply.code) belongs to no command; dropped")
        }
    }

    /// Takes the replies to deferred commands that have come. Does not wait.
    ///
    /// - Throws: when the server has hung up.
    func takeDeferred() throws(FTPError) { try drain() }

    /// The final reply of the command under way (2yz ... 5yz).
    func finalReply(_ wait: Wait) throws(FTPError) -> Reply {
        while true {
            let reply = try anyReply(wait)
            if reply.category != .preliminary { return reply }
        }
    }

    /// The next reply of the command under way, a 1yz or a final one.
    func anyReply(_ wait: Wait) throws(FTPError) -> Reply {
        let reply = try nextReply(wait)
        if reply.category != .preliminary { awaited.settleFirst() }
        return reply
    }

    /// The next reply of the command under way if it is there already; `nil`: not yet.
    func replyIfReady() throws(FTPError) -> Reply? {
        if let failure { throw failure }
        while true {
            var next = parser.next()
            // To the last byte: who polls the descriptor next does not see what TLS holds in its buffer.
            while next == nil, try receiveAvailable() { next = parser.next() }
            guard let next else { return nil }
            guard let reply = try take(next) else { continue }
            if reply.category != .preliminary { awaited.settleFirst() }
            return reply
        }
    }

    /// Brings the connection back to order after a command whose replies nobody read. Blocks until the wait's end.
    ///
    /// - Parameter abortingTransfer: whether a transfer was broken off; its data connection is closed by now.
    /// - Parameter hasBegun: whether that transfer was seen to begin.
    func resynchronize(abortingTransfer: Bool, hasBegun: Bool, _ wait: Wait) throws(FTPError) {
        if let failure { throw failure }
        do throws(FTPError) {
            if abortingTransfer {
                // ABOR for servers that do not look at the data connection while they are busy.
                try transmit([Command("ABOR"), Command("PWD")], wait)
                awaited.restart(with: "PWD")
                var codes: [UInt16] = []
                while case let reply = try nextReply(wait), reply.code != 257 {
                    if reply.category != .preliminary { codes.append(reply.code) }
                }
                guard hasBegun || codes != [225] else {
                    throw .connectionLost(.afterCommand, reason: "the server may make up for the transfer later")
                }
            } else {
                while outstanding != nil { _ = try finalReply(wait) }
            }
            awaited.restart()
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
            awaited.restart(with: "PWD")
            while try nextReply(wait).code != 257 {}
            awaited.restart()
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

    /// Takes in that the kernel, or a deadline, has given the other end up.
    private func noteSilence(_ error: TransportError) {
        switch error {
        case .lost(.timedOut), .wait(.timedOut): endedBySilence = true
        case .lost, .tls, .wait: break
        }
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
        awaited.sent(commands.map(\.verb))
    }

    private func transmit(_ commands: [Command], _ wait: Wait) throws(FTPError) {
        hasUnacknowledged = false
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
            noteSilence(error)
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
            while let next = parser.next() {
                guard !awaited.isEmpty else {
                    trace(next)
                    if next.code == 421 { throw hungUp(next) }
                    logger.debug("[\(id)] that reply belongs to no command; dropped")
                    continue
                }
                _ = try take(next)
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
        while true {
            if let reply = try nextOrDeferred(wait) { return reply }
        }
    }

    /// The next reply; `nil` for one that had a taker.
    private func nextOrDeferred(_ wait: Wait) throws(FTPError) -> Reply? {
        if let failure { throw failure }
        while true {
            if let next = parser.next() { return try take(next) }
            // Servers that leave Nagle's algorithm on send the rest of a reply, and a 226 behind a 150, when what came
            // before has been acknowledged, which this kernel would put off for up to 40 ms.
            if hasUnacknowledged { transport.acknowledge() }
            let count: Int
            do throws(TransportError) {
                count = try transport.read(into: buffer, wait)
            } catch {
                let reason = error.ftpError(.afterCommand, "waiting for the reply to \(outstanding ?? "a command")")
                noteSilence(error)
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
            noteSilence(error)
            fail(reason)
            throw reason
        }
        guard let count else { return false }
        try consume(count)
        return true
    }

    private func consume(_ count: Int) throws(FTPError) {
        hasUnacknowledged = true
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
            try parser.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            let reason = FTPError.protocolViolation(error.words)
            fail(reason)
            throw reason
        }
    }

    /// Traces a reply and turns a 421 into the end of the connection (RFC 959: "service not available, closing
    /// control connection; may be a reply to any command").
    ///
    /// - Returns: `nil` for a reply that had a taker.
    private func take(_ reply: Reply) throws(FTPError) -> Reply? {
        trace(reply)
        switch awaited.came(reply) {
        case .answer:
            break
        case .deferred(let taker):
            taker?(reply)
            return nil
        case .tooMany:
            let reason = FTPError.protocolViolation(ReplyParser.Violation.tooManyReplies.words)
            fail(reason)
            throw reason
        }
        if let verb = awaited.next, reply.category == .transientNegative || reply.category == .permanentNegative,
            let reason = objection?(verb, reply)
        {
            awaited.settleFirst()
            if reason.isConnectionLoss { fail(reason) }
            throw reason
        }
        guard reply.code == 421, awaited.next != Self.greetingVerb else { return reply }
        let reason = hungUp(reply)
        fail(reason)
        throw reason
    }

    private func hungUp(_ reply: Reply) -> FTPError {
        .connectionLost(awaited.hasBegun ? .afterCommand : .beforeCommand, reason: reply.summary)
    }

    private func trace(_ reply: Reply) {
        guard logger.logLevel <= .debug else { return }
        let last = reply.lines.count - 1
        for (index, line) in reply.lines.enumerated() {
            // A directory in a reply is no more the business of a trace than one on a data connection.
            if index == Self.tracedLines, last > index { logger.debug("[\(id)] < ... \(last - index) lines") }
            guard index < Self.tracedLines || index == last else { continue }
            logger.debug("[\(id)] < \(reply.code)\(index == last ? " " : "-")\(printable(line))")
        }
    }

    /// How much of a reply is traced: more than `FEAT` and `HELP` of any server.
    private static let tracedLines = 60
}
