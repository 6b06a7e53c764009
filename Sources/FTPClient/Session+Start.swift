import FTPProtocol
import SystemPackage
import Threading

/// From the transfer command to the first byte: the data connection and the server's first reply, in whichever order.
///
/// - Some servers leave the 1yz out and send the 2yz at once, or only behind the data. Then the data itself is the sign:
///   bytes that have come, and no reply for ``grace``.
/// - Behind a transfer that was broken off, a 2yz without a 1yz may be that one's: the connection is given up.
/// - Where there is nothing to send, some servers confirm the transfer without ever making the data connection.
extension Session {
    /// How long what is missing is waited for once it has become superfluous: two packets that were sent together on two
    /// connections arrive together, unless one is lost, which costs TCP a fraction of a second.
    private static let grace = Duration.seconds(1)

    /// Waits for the data connection alone.
    func awaitConnected(_ pending: PendingData, _ method: DataMethod, _ wait: Wait) throws(Setback) {
        do throws(FTPError) {
            while pending.made == nil {
                _ = try wait.poll([pending.interest])
                if try pending.advance() { noteProven(method) }
            }
        } catch {
            throw judge(error, method)
        }
    }

    /// What a failure to connect means. A port of a proven way that refuses is a server that is not ready for it.
    private func judge(_ error: FTPError, _ method: DataMethod) -> Setback {
        switch error {
        case .timedOut: return .method(error)
        case .unreachable:
            return server.known.dataMethods.standing(of: method) == .proven ? .passing(error) : .method(error)
        default: return .final(error)
        }
    }

    private func noteProven(_ method: DataMethod) {
        guard server.known.dataMethods.standing(of: method) != .proven else { return }
        server.learn { $0.dataMethods.note(.proven, of: method) }
    }

    /// Waits for the data connection and for the server's first reply.
    ///
    /// - Parameter whenMade: called when the connection is there, if it was not.
    /// - Returns: the connection, and the final reply, if that was the first.
    func awaitStart(
        _ pending: PendingData, _ method: DataMethod, _ command: Command, _ connecting: Wait, whenMade: () -> Void
    ) throws(Setback) -> (SocketTransport, early: Reply?) {
        // A server may look for the files of a large directory before it says anything.
        let replying = Wait(
            .reply(verb: command.verb), for: max(timeouts.reply, timeouts.dataIdle), connecting.cancellation)
        var hasStarted = false
        var early: Reply?
        // Set once what is still missing is superfluous.
        var patience: Deadline?
        var watchesData = !command.isUpload
        while true {
            // The final reply may come without a data connection, also behind a 1yz.
            let awaitsReply = !hasStarted || (pending.made == nil && early == nil && !control.isClosed)
            if awaitsReply, let reply = try startReply(command.verb, method, hasStarted, pending) {
                hasStarted = true
                hasPendingRestart = false
                patience = nil
                if reply.category == .completion {
                    early = reply
                    patience = .after(Self.grace)
                }
                continue
            }
            if let data = pending.made, hasStarted { return (data, early) }
            // A few servers wait for the handshake before they say anything. Where it comes too soon, it waits there.
            if pending.made != nil, patience == nil, security?.protectsData == true { patience = .after(Self.grace) }
            let base = pending.made == nil ? connecting : replying
            let deadline = patience.map { base.deadline.earlier($0) } ?? base.deadline
            do throws(FTPError) {
                // Strangers at a port of ours may keep poll(2) from ever running into its limit.
                if deadline.hasPassed { throw .timedOut(base.phase) }
                let ready = try Wait(base.phase, until: deadline, base.cancellation).poll([
                    pending.interest,
                    awaitsReply && !control.isClosed ? (control.descriptor, .input) : Wait.nothing,
                    pending.made.map { watchesData ? ($0.descriptor, .input) : Wait.nothing } ?? Wait.nothing,
                ])
                if pending.made == nil, !ready[0].isEmpty, try pending.advance() {
                    noteProven(method)
                    whenMade()
                }
                if let data = pending.made, !ready[2].isEmpty {
                    // Once is enough: what has come stays where it is.
                    watchesData = false
                    if hasBytes(data) { patience = .after(Self.grace) }
                }
            } catch {
                guard case .timedOut = error else { throw judge(error, method) }
                if let data = pending.made {
                    if patience != nil { return (data, nil) }
                    control.fail(error)
                    throw .final(error)
                }
                if let early, !command.isUpload { return (try nothingToReceive(), early) }
                throw .method(error)
            }
        }
    }

    /// The first reply, if it is there; once the transfer has started, the final one. A refusal is thrown.
    private func startReply(
        _ verb: String, _ method: DataMethod, _ hasStarted: Bool, _ pending: PendingData
    ) throws(Setback) -> Reply? {
        let reply: Reply?
        do throws(FTPError) {
            reply = try control.replyIfReady()
        } catch {
            // A server may have sent everything and hung up before this end has looked at the data connection.
            if hasStarted, error.isConnectionLoss { return nil }
            throw .final(error)
        }
        guard let reply else { return nil }
        // 202, "superfluous at this site", does not begin anything: what was sent for it would be lost.
        if reply.code == 202, !hasStarted {
            hasOpenTransfer = false
            throw .final(.refused(verb: verb, reply))
        }
        switch reply.category {
        // 202, "superfluous at this site": nothing will come.
        case .completion where reply.code == 202:
            hasOpenTransfer = false
            throw .final(.refused(verb: verb, reply))
        case .completion where followsBrokenTransfer:
            let reason = FTPError.connectionLost(
                .afterCommand, reason: "\(reply.code) to \(verb) may be for the transfer that was broken off before")
            control.fail(reason)
            throw .final(reason)
        case .preliminary:
            followsBrokenTransfer = false
            return reply
        case .completion:
            return reply
        case .intermediate, .transientNegative, .permanentNegative:
            hasOpenTransfer = false
            let refusal = FTPError.refused(verb: verb, reply)
            guard reply.code == 425 else { throw .final(refusal) }
            let isProven = server.known.dataMethods.standing(of: method) == .proven
            if pending.made == nil, !isProven { throw .method(refusal) }
            if !method.isActive, !pending.isArmed { server.learn { $0.connectsDataFirst = true } }
            throw .passing(refusal)
        }
    }

    /// Whether bytes have come. The end alone is no sign that the transfer has begun: a refusal may follow.
    private func hasBytes(_ data: SocketTransport) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            do throws(TransportError) {
                return try data.peek(into: byte) ?? 0 > 0
            } catch {
                return false
            }
        }
    }

    private func nothingToReceive() throws(Setback) -> SocketTransport {
        do throws(FTPError) {
            return try SocketTransport.ended()
        } catch {
            throw .final(error)
        }
    }
}
