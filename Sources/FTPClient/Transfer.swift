import FTPProtocol
import SystemPackage
import Threading

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

    init(_ session: Session, verb: String, data: any Transport, earlyReply: Reply?) {
        self.session = session
        self.verb = verb
        self.data = data
        self.earlyReply = earlyReply
    }

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
            return try data.read(into: buffer, Wait(.dataTransfer, until: deadline, cancellation))
        } catch {
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
    /// - Parameter isComplete: whether as many bytes have come as the file has; `nil` where that is not known.
    /// - Throws: `refused` with whatever the server says instead of a 2yz; `connectionLost` when the data are incomplete.
    @discardableResult
    func finish(_ cancellation: Cancellation, isComplete: Bool? = nil) throws(FTPError) -> Reply {
        let wait = Wait(.finalReply, for: session.timeouts.finalReply, cancellation)
        // Where ending fails, the server has ended it before; its reply says why.
        try? data.finishWriting(wait)
        let reply: Reply
        if let early = earlyReply {
            reply = early
        } else {
            reply = try session.control.finalReply(wait)
        }
        session.hasOpenTransfer = false
        closeData(abortively: false)
        guard reply.category == .completion else { throw .refused(verb: verb, reply) }
        if isComplete == false, !data.endedInOrder {
            throw .connectionLost(
                .afterCommand, reason: "the data connection of \(verb) was cut before the end of the file")
        }
        return reply
    }

    /// The server's own reason for a data connection that broke, if it comes within the wait.
    func reasonForBrokenData(_ cancellation: Cancellation) throws(FTPError) {
        closeData(abortively: false)
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
