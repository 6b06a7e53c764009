import FTPProtocol
import Logging
import Threading
import Vocabulary

/// How a transfer is begun.
///
/// 0. The data connection that was made ahead is taken, if there is one (`Session+Armed.swift`); else:
/// 1. A data connection is asked for in the way that is best by ``DataMethods``: a proven one, else the first that has not
///    been tried. `EPSV` and `PASV` are in `Session+Passive.swift`, `EPRT` and `PORT` in `Session+Active.swift`. A way that
///    has not worked yet gets a short limit only, if there is another one.
/// 2. The TCP connect and the transfer command travel at the same time, which saves a round trip; servers take the
///    connection whenever it comes. Only an upload by a way that is not proven, any transfer on a server that
///    has answered 425, and one through a proxy, connects first. In active mode the server connects after the command.
///    A `REST` goes out in front of it (`Session+Restart.swift`).
/// 3. Then both are awaited: the connection, and a 1yz (`Session+Start.swift`).
///
/// A TLS handshake belongs behind step 3: servers begin theirs after the 1yz.
///
/// What fails is tried once more where that may help (425, or a port that refuses though the way is proven: the server was
/// not ready, or the port is one of the last connection's), and then in the next way. Each way is tried in one transfer
/// at most once, and once more; all that is learned is kept for the client.
extension Session {
    /// Why an attempt did not lead to a transfer.
    enum Setback: Error {
        /// No other attempt would help.
        case final(FTPError)
        /// The same may work a second time.
        case passing(FTPError)
        /// This way of making data connections does not work.
        case method(FTPError)
        /// The server does not know this way.
        case unknownMethod(FTPError)
    }

    /// Begins a transfer.
    ///
    /// - Parameters:
    ///   - command: `RETR`, `STOR`, `APPE`, `MLSD`, `LIST`.
    ///   - offset: where a `RETR` begins, in bytes.
    ///   - head: the first bytes of an upload; ``Transfer/sentAhead`` says how many of them have gone.
    ///   - prelude: what has to be answered with 350 right before the command, each time that it is sent.
    ///   - look: the size of the file before the command, see ``SizeLook``.
    /// - Throws: `refused` with the server's reply to the command; `unsupported` when it knows no `REST`, or no way of
    ///   making data connections that is allowed.
    func beginTransfer(
        _ command: Command, at offset: Int64 = 0, behind prelude: Command? = nil, look: SizeLook? = nil,
        head: UploadHead? = nil, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        var tried: Set<DataMethod> = []
        var hasRepeated = false
        var last: FTPError?
        wantsArming = true
        var armed = try takeArmed(cancellation)
        while let (method, isOnly, made) = try nextWay(armed, besides: tried) {
            armed = nil
            do throws(Setback) {
                return try attemptTransfer(
                    command, at: offset, behind: prelude, look, by: method, over: made, head,
                    isOnly: isOnly && tried.isEmpty, cancellation)
            } catch {
                switch error {
                case .final(let reason):
                    throw reason
                case .passing(let reason) where made != nil:
                    last = reason
                    noteArmedFailure(reason)
                case .passing(let reason):
                    last = reason
                    if hasRepeated { giveUp(method, .failed, reason, &tried) }
                    hasRepeated = true
                case .method(let reason):
                    last = reason
                    giveUp(method, .failed, reason, &tried)
                case .unknownMethod(let reason):
                    last = reason
                    giveUp(method, .refused, reason, &tried)
                }
                try takeBackCommand(cancellation)
            }
        }
        throw Self.summary(last)
    }

    /// The error when no way has led to a data connection. A refused `EPSV` must not be taken for a refused transfer.
    private static func summary(_ last: FTPError?) -> FTPError {
        guard let last else { return .unsupported("make data connections in a way that the options allow") }
        guard case .refused(let verb, let reply) = last, DataMethod(rawValue: verb) != nil else { return last }
        return .unsupported("make data connections in a way that the options allow (\(verb): \(reply.summary))")
    }

    /// What to try next: the connection that is there, or a way to make one, and whether that is the only one.
    private func nextWay(
        _ armed: (pending: PendingData, method: DataMethod)?, besides tried: Set<DataMethod>
    ) throws(FTPError) -> (method: DataMethod, isOnly: Bool, made: PendingData?)? {
        if let armed { return (armed.method, false, armed.pending) }
        let ends = try dataEnds()
        let best = server.known.dataMethods.best { !tried.contains($0) && ends.allow($0) }
        return best.map { ($0.method, $0.isOnly, nil) }
    }

    private func giveUp(
        _ method: DataMethod, _ standing: DataMethods.Standing, _ reason: FTPError, _ tried: inout Set<DataMethod>
    ) {
        tried.insert(method)
        server.learn { $0.dataMethods.note(standing, of: method) }
        logger.notice("[\(control.id)] no data connection by \(method.rawValue): \(reason)")
    }

    /// Breaks off a transfer command whose data connection could not be made.
    ///
    /// - Throws: `connectionLost(.beforeCommand, …)` when the server does not come back to order soon: without data
    ///   nothing has been done, so the caller may begin anew on another connection.
    func takeBackCommand(_ cancellation: Cancellation) throws(FTPError) {
        guard hasOpenTransfer else { return }
        do throws(FTPError) {
            try recover(cancellation)
        } catch {
            if error == .cancelled { throw error }
            throw .connectionLost(.beforeCommand, reason: "no data connection could be made")
        }
    }

    private func attemptTransfer(
        _ command: Command, at offset: Int64, behind prelude: Command?, _ look: SizeLook?, by method: DataMethod,
        over made: PendingData?, _ head: UploadHead?, isOnly: Bool, _ cancellation: Cancellation
    ) throws(Setback) -> Transfer {
        let known = server.known
        let isProven = known.dataMethods.standing(of: method) == .proven
        let limit = isProven || isOnly ? timeouts.dataConnect : timeouts.firstDataConnect
        let pending: PendingData
        if let made {
            pending = made
        } else {
            pending = try openData(by: method, for: command, within: limit, cancellation)
        }
        var connecting = Wait(.dataConnection, for: limit, cancellation)
        do throws(Setback) {
            if !method.isActive, known.connectsDataFirst || (command.isUpload && !isProven) {
                try awaitConnected(pending, method, connecting)
            }
            do throws(FTPError) {
                if let prelude { try prepare(prelude, cancellation) }
                hasSentUpload = command.isUpload
                try send(command, at: offset, look, cancellation)
            } catch {
                throw .final(error)
            }
            hasOpenTransfer = true
            hasBegunTransfer = false
            var sentAhead = pushAhead(head, over: pending)
            // Only now the server has a reason to connect; what it does before that may take as long as the first byte.
            if method.isActive {
                connecting = Wait(.dataConnection, for: isProven ? max(limit, timeouts.dataIdle) : limit, cancellation)
            }
            let (data, early) = try awaitStart(pending, method, command, connecting) {
                if !method.isActive { sentAhead = pushAhead(head, over: pending) }
            }
            hasBegunTransfer = true
            let transport: any Transport
            do throws(FTPError) {
                try checkRestart()
                transport = try secured(data, command.verb, early: early, cancellation)
            } catch {
                throw .final(error)
            }
            return Transfer(self, verb: command.verb, data: transport, earlyReply: early, sentAhead: sentAhead)
        } catch {
            pending.close()
            throw error
        }
    }

    /// Sends the first bytes of an upload behind its command, as soon as there is a connection for them.
    private func pushAhead(_ head: UploadHead?, over pending: PendingData) -> Int64 {
        guard let head, server.known.leavesEarlyData, security?.protectsData != true,
            let data = pending.made
        else { return 0 }
        let count = head.push(over: data)
        noteSent(Int(clamping: count))
        return count
    }

    private func openData(
        by method: DataMethod, for command: Command, within limit: Duration, _ cancellation: Cancellation
    ) throws(Setback) -> PendingData {
        switch method {
        case .extendedPassive, .passive: try openPassive(method, for: command, within: limit, cancellation)
        case .extendedActive, .active: try openActive(method, cancellation)
        }
    }

    /// Sends what has to come before a transfer command. Anything but a clear yes, and that one would do something else.
    private func prepare(_ prelude: Command, _ cancellation: Cancellation) throws(FTPError) {
        let reply = try exchange(prelude, cancellation)
        guard reply.code == 350 else { throw .refused(verb: prelude.verb, reply) }
    }
}

extension Command {
    /// Whether it is one by which a file comes onto the server.
    var isUpload: Bool { verb == "STOR" || verb == "APPE" }
}
