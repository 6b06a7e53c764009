import FTPProtocol
@preconcurrency import Glibc
import Logging
import SystemPackage
import Threading
import Vocabulary

/// A transfer under way: the command has been taken, the data connection is open.
///
/// It ends by ``finish(_:)``, which waits for the server's confirmation, or by ``abandon(abortively:)``, which waits for
/// nothing and leaves the session out of step for the pool to recover. One owner at a time, like its session.
final class Transfer: @unchecked Sendable {
    // Handed from thread to thread together with its session, under a monitor; never used by two at a time, but for
    // `interrupt()`, which the transport allows. That is what makes `@unchecked Sendable` true.

    let session: Session
    /// The command that began it.
    let verb: String
    private let data: any Transport
    /// A final reply that came before the end of the data.
    private var earlyReply: Reply?
    private var isDataOpen = true
    /// How many bytes have come.
    private var received: Int64 = 0
    /// How many bytes of an ``UploadHead`` went out with the command.
    let sentAhead: Int64
    /// What the server said of the size of the file before the command, if it was asked.
    let sizeBefore: SizeAnswer
    /// Which part of which file is being read, where the size is known.
    private var expected: (size: Int64, offset: Int64)?

    init(_ session: Session, verb: String, data: any Transport, earlyReply: Reply?, sentAhead: Int64 = 0) {
        self.sentAhead = sentAhead
        sizeBefore = session.sizeTold
        self.session = session
        self.verb = verb
        self.data = data
        self.earlyReply = earlyReply
    }

    /// Says what a download is to bring: the file from an offset to its end.
    ///
    /// That decides where the server's own word is missing or doubtful: a data connection that ends by a reset is
    /// complete when all bytes are there, and so is a transfer whose confirmation was lost.
    ///
    /// - Parameter size: of the whole file; `nil`: not known.
    func expect(size: Int64?, from offset: Int64) {
        expected = size.map { ($0, offset) }
        session.control.activity.expects(size: size, from: offset)
    }

    /// Whether all the bytes have come that were expected.
    var isComplete: Bool {
        guard let expected else { return false }
        return received == max(0, expected.size - expected.offset)
    }

    /// Whether it is known that bytes are missing. More may come than expected: files grow.
    private var isShort: Bool {
        guard let expected else { return false }
        return received < expected.size - expected.offset
    }

    private var isUpload: Bool { verb == "STOR" || verb == "APPE" }

    /// The descriptor of the data connection for `sendfile(2)`, if bytes go out as they are.
    var plainDescriptor: FileDescriptor? { data.plainDescriptor }

    /// Waits for bytes and puts them into the buffer.
    ///
    /// - Returns: how many; 0 when the server has ended the data connection, which confirms nothing yet.
    ///
    /// - Parameter deadline: at the latest now plus `timeouts.dataIdle`, which is also the default.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, until deadline: Deadline? = nil, _ cancellation: Cancellation
    ) throws(FTPError) -> Int {
        let deadline = deadline ?? .after(session.timeouts.dataIdle)
        do throws(TransportError) {
            let count = try data.read(into: buffer, Wait(.dataTransfer, until: deadline, cancellation))
            received += Int64(count)
            session.noteReceived(count)
            return count
        } catch {
            // Some servers end their data by a reset. What they had sent before has been read by now.
            if case .lost = error, isComplete { return 0 }
            throw error.ftpError(.afterCommand, "the data connection of \(verb)")
        }
    }

    /// Writes all the bytes.
    func write(_ bytes: UnsafeRawBufferPointer, _ cancellation: Cancellation) throws(FTPError) {
        var rest = bytes
        while !rest.isEmpty {
            if cancellation.isCancelled { throw .cancelled }
            let count: Int
            do throws(TransportError) {
                count = try data.writeAvailable(rest)
            } catch {
                throw error.ftpError(.afterCommand, "the data connection of \(verb)")
            }
            session.noteSent(count)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            if count == 0 { try waitForRoom(cancellation) }
        }
    }

    /// Waits until the data connection takes bytes again.
    ///
    /// A reply that comes meanwhile is the server's reason to end the transfer early (452, 552, 426 …): it is thrown.
    func waitForRoom(_ cancellation: Cancellation) throws(FTPError) {
        // Before the descriptor is polled, what is there has to be read.
        try checkEarlyReply()
        let wait = Wait(.dataTransfer, for: session.timeouts.dataIdle, cancellation)
        let ready = try wait.poll([(data.descriptor, data.writingAwaits), (session.control.descriptor, .input)])
        if !ready[1].isEmpty { try checkEarlyReply() }
    }

    /// Throws the final reply if it has come before the last byte was sent.
    func checkEarlyReply() throws(FTPError) {
        while let reply = try session.control.replyIfReady() {
            if reply.category == .preliminary { continue }
            closeData(abortively: false)
            session.hasOpenTransfer = false
            throw .refused(verb: verb, reply)
        }
    }

    /// Ends an upload's data, waits for the server's confirmation, and closes the data connection.
    ///
    /// After a download call it once ``read(into:_:)`` has returned 0.
    ///
    /// A download over TLS whose end the server has not announced (close_notify) may have been cut by anybody. Many
    /// servers never announce it, so a 2yz is believed, unless it is known that something is missing.
    ///
    /// - Parameter following: commands that leave behind an upload's last byte, where they may.
    /// - Returns: the server's reply; an empty 226 where that was lost and the download is complete all the same.
    /// - Throws: `refused` with whatever the server says instead of a 2yz; `connectionLost` when the data are incomplete.
    @discardableResult
    func finish(
        _ cancellation: Cancellation, sendingBehind following: FollowingCommands? = nil
    ) throws(FTPError) -> Reply {
        let wait = Wait(.finalReply, for: confirmationLimit, cancellation)
        // Where ending fails, the server has ended it before; its reply says why.
        let isEnded = (try? data.finishWriting(wait)) != nil
        let reply: Reply
        if let early = earlyReply {
            reply = early
        } else {
            // The server has sent all and is about to say so. During an upload most must not be sent anything.
            if !isUpload {
                session.arm()
            } else if isEnded, session.mayFollowUpload {
                following?.send(over: session.control)
                session.arm()
            }
            do throws(FTPError) {
                reply = try session.control.finalReply(wait)
            } catch {
                reply = try settleUnconfirmed(error)
            }
        }
        session.hasOpenTransfer = false
        let isWhole = !isUpload || (isEnded && !isDataBroken)
        closeData(abortively: false)
        guard reply.category == .completion else { throw .refused(verb: verb, reply) }
        // Some servers (Pure-FTPd, pyftpdlib) take a reset for the end of the file, and confirm what they have got.
        guard isWhole else {
            throw .connectionLost(.afterCommand, reason: "the data connection of \(verb) was reset")
        }
        try checkStart()
        if isShort, !data.endedInOrder {
            throw .connectionLost(
                .afterCommand, reason: "the data connection of \(verb) was cut before the end of the file")
        }
        return reply
    }

    /// Whether the data connection was ended by a reset, which whoever was sending to it may not have seen.
    private var isDataBroken: Bool {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(data.descriptor.rawValue, SOL_SOCKET, SO_ERROR, &code, &length) != 0 || code != 0
    }

    /// How many downloads in a row must have gone without a confirmation before that is taken for this server's way.
    /// A client repeats a request twice, so that nobody has to hear of it.
    private static let unconfirmedForHabit = 2

    private var confirmationLimit: Duration {
        let timeouts = session.timeouts
        if isUpload { return timeouts.finalReply }
        let limit = min(timeouts.finalReply, timeouts.downloadReply)
        let isHabit = session.server.known.unconfirmedDownloads >= Self.unconfirmedForHabit
        return isHabit ? min(limit, timeouts.recovery) : limit
    }

    /// Decides about a download whose data has ended in order, but whose final reply does not come, or the control
    /// connection has ended instead: some servers never confirm, and some drop the control connection after each transfer.
    ///
    /// It is a success when all expected bytes are there. Else it is an interruption, after which the caller begins anew,
    /// until it is clear that this server always ends so.
    private func settleUnconfirmed(_ error: FTPError) throws(FTPError) -> Reply {
        var isSilence = error.isConnectionLoss
        if case .timedOut(.finalReply) = error { isSilence = true }
        guard isSilence, !isUpload else { throw error }
        // What the server did not do because of the encryption is another matter (see `Session.objection`).
        if error.leftNothingDone, session.security != nil { throw error }
        closeData(abortively: false)
        // What is known to be cut short is an interruption and nothing else.
        guard isComplete || (expected == nil && data.endedInOrder) else {
            throw .connectionLost(.afterCommand, reason: "\(verb) was cut short")
        }
        let before = session.server.learn { profile -> Int in
            profile.unconfirmedDownloads += 1
            return profile.unconfirmedDownloads - 1
        }
        guard isComplete || before >= Self.unconfirmedForHabit else {
            throw .connectionLost(.afterCommand, reason: "the server did not confirm \(verb)")
        }
        session.logger.notice(
            "[\(session.control.id)] the server did not confirm \(verb) (\(error)); taken as complete")
        return Reply(code: 226, lines: [[]])
    }

    /// Looks, at the end of a download, whether it began where `REST` said.
    private func checkStart() throws(FTPError) {
        if !isUpload, session.server.known.unconfirmedDownloads > 0, !session.control.isClosed {
            session.server.learn { $0.unconfirmedDownloads = 0 }
        }
        guard let expected,
            let start = RestartKnowledge.wrongStart(
                offset: expected.offset, size: expected.size, received: received)
        else { return }
        session.server.learn { $0.restart.noteBroken(at: expected.offset) }
        throw .protocolViolation("REST \(expected.offset) was confirmed, but the file came from byte \(start) on")
    }

    /// The server's own reason for a data connection that broke, if it comes within the wait.
    func reasonForBrokenData(_ cancellation: Cancellation) throws(FTPError) {
        // An ordinary end would bring the rest of what is in the kernel's buffer after all, at some later time.
        if !session.control.isClosed { closeData(abortively: true) }
        // A server that ends a transfer says so at once; more than a few seconds would only delay the error.
        let wait = Wait(.finalReply, for: .seconds(5), cancellation)
        let reply = try session.control.finalReply(wait)
        session.hasOpenTransfer = false
        throw .refused(verb: verb, reply)
    }

    /// Breaks the transfer off. The session is out of step afterwards, unless the final reply was there already.
    func abandon(abortively: Bool) {
        closeData(abortively: abortively)
        if earlyReply != nil { session.hasOpenTransfer = false }
    }

    /// Leaves a download that is complete to the pool: the confirmation is on its way, and nothing has to be broken off.
    func leaveToEnd() {
        closeData(abortively: false)
        if earlyReply != nil { session.hasOpenTransfer = false } else { session.awaitsConfirmation = true }
    }

    /// ``abandon(abortively:)`` for an upload whose server has fallen silent; see ``AbandonedUploads``.
    func abandonInSilence() {
        if isDataOpen { session.server.abandonedUploads.keep(data) }
        isDataOpen = false
        abandon(abortively: true)
    }

    /// Makes a wait for data on another thread return soon.
    func interrupt() {
        data.interrupt()
    }

    private func closeData(abortively: Bool) {
        guard isDataOpen else { return }
        isDataOpen = false
        data.close(abortively: abortively)
    }

    deinit {
        closeData(abortively: true)
    }
}
