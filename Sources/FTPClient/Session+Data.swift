import FTPProtocol
import Logging
import SystemPackage
import Threading
import Vocabulary

/// How a transfer is begun.
///
/// 1. `EPSV`, also over IPv4; `PASV` where the server refuses that, or where a data connection by it cannot be made.
///    What worked is remembered for the client. A method that has not worked yet gets a short limit only.
/// 2. The data connection goes to the address of the control connection, at the port that the reply names. The address
///    in a 227 is not looked at: behind address translation it is wrong, and otherwise it is the same, or an attempt to
///    make this client connect elsewhere (CVE-2026-28295 in another client).
/// 3. The TCP connect and the transfer command travel at the same time, which saves a round trip; servers take the
///    connection whenever it comes. Only an upload by a method that is not proven, and any transfer on a server that
///    has answered 425, connects first.
/// 4. Then both are awaited: the connection, and a 1yz. Some servers leave the 1yz out and send the 2yz at once.
///
/// A TLS handshake belongs behind step 4: servers begin theirs after the 1yz.
extension Session {
    /// Begins a transfer.
    ///
    /// - Parameters:
    ///   - command: `RETR`, `STOR`, `APPE`, `MLSD`, `LIST`.
    ///   - offset: where a `RETR` begins, in bytes.
    /// - Throws: `refused` with the server's reply to the command; `unsupported` when it knows no `REST`.
    func beginTransfer(
        _ command: Command, at offset: Int64 = 0, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        var hasRepeated = false
        var hasSwitched = false
        while true {
            let method = server.known.passive
            do throws(Setback) {
                return try attemptTransfer(command, at: offset, by: method, cancellation)
            } catch {
                switch error {
                case .final(let reason):
                    throw reason
                case .noDataConnection(let reply):
                    if hasRepeated { throw .refused(verb: command.verb, reply) }
                    hasRepeated = true
                    server.learn { $0.connectsDataFirst = true }
                case .method(let reason):
                    let canSwitch = server.learn { $0.switchPassive(from: method) }
                    if hasSwitched || !canSwitch { throw reason }
                    hasSwitched = true
                    logger.notice("[\(control.id)] no data connection by \(method) passive mode (\(reason)); changing")
                    try takeBackCommand(cancellation)
                }
            }
        }
    }

    /// Breaks off a transfer command whose data connection could not be made.
    ///
    /// - Throws: `connectionLost(.beforeCommand, …)` when the server does not come back to order soon: without data
    ///   nothing has been done, so the caller may begin anew on another connection.
    private func takeBackCommand(_ cancellation: Cancellation) throws(FTPError) {
        guard hasOpenTransfer else { return }
        do throws(FTPError) {
            try recover(cancellation)
        } catch {
            if error == .cancelled { throw error }
            throw .connectionLost(.beforeCommand, reason: "no data connection could be made")
        }
    }

    /// Why an attempt did not lead to a transfer.
    private enum Setback: Error {
        /// No other attempt would help.
        case final(FTPError)
        /// The server answered 425: it could not make the data connection. The same may work a second time.
        case noDataConnection(Reply)
        /// This way of making data connections does not work.
        case method(FTPError)
    }

    private func attemptTransfer(
        _ command: Command, at offset: Int64, by method: ServerProfile.PassiveMethod, _ cancellation: Cancellation
    ) throws(Setback) -> Transfer {
        let known = server.known
        let data = try openPassive(method, cancellation)
        let limit = known.passiveIsProven ? timeouts.dataConnect : timeouts.firstDataConnect
        let connecting = Wait(.dataConnection, for: limit, cancellation)
        do throws(Setback) {
            let isUpload = command.verb == "STOR" || command.verb == "APPE"
            if known.connectsDataFirst || (isUpload && !known.passiveIsProven) {
                try awaitConnected(data, connecting)
            }
            do throws(FTPError) {
                try restart(at: offset, cancellation)
                try control.begin(command, cancellation)
            } catch {
                throw .final(error)
            }
            hasOpenTransfer = true
            let early = try awaitStart(data, command.verb, connecting)
            return Transfer(self, verb: command.verb, data: data, earlyReply: early)
        } catch {
            data.close(abortively: true)
            throw error
        }
    }

    // MARK: - The data connection

    private func openPassive(
        _ method: ServerProfile.PassiveMethod, _ cancellation: Cancellation
    ) throws(Setback) -> SocketTransport {
        do throws(FTPError) {
            let peer = try control.peer()
            // A 227 has room for an IPv4 address only.
            if peer.family == SocketAddress.ipv6 { server.learn { _ = $0.passiveRefused.insert(.classic) } }
            let command = Command(method == .extended ? "EPSV" : "PASV")
            let reply = try exchange(command, cancellation)
            let port =
                method == .extended
                ? PassiveReply.parseExtended(reply.text) : PassiveReply.parse(reply.text)?.port
            guard reply.category == .completion, let port else {
                if reply.category == .transientNegative { throw .refused(verb: command.verb, reply) }
                server.learn { _ = $0.passiveRefused.insert(method) }
                throw .refused(verb: command.verb, reply)
            }
            let data = try SocketTransport.connecting(to: peer.withPort(port), nameForErrors: peer.description)
            data.configureForData()
            return data
        } catch {
            if server.known.passiveRefused.contains(method) { throw .method(error) }
            if case .unreachable = error { throw .method(error) }
            throw .final(error)
        }
    }

    private func awaitConnected(_ data: SocketTransport, _ wait: Wait) throws(Setback) {
        do throws(FTPError) {
            try wait.poll(data.descriptor, .output)
        } catch {
            if case .timedOut = error { throw .method(error) }
            throw .final(error)
        }
        try checkConnected(data)
    }

    private func checkConnected(_ data: SocketTransport) throws(Setback) {
        // A reset comes from a server that took the connection and is done with it already.
        if let errno = data.connectFailure(), errno != .connectionReset {
            throw .method(.unreachable(host: "the server's passive port", errno))
        }
        if !server.known.passiveIsProven { server.learn { $0.passiveIsProven = true } }
    }

    // MARK: - The command

    /// Says where the next transfer begins. A `REST` whose transfer was refused may still count, so it is taken back.
    private func restart(at offset: Int64, _ cancellation: Cancellation) throws(FTPError) {
        guard offset > 0 || hasPendingRestart else { return }
        let reply = try exchange(Command("REST", String(offset)), cancellation)
        if reply.category == .intermediate || reply.category == .completion {
            hasPendingRestart = offset > 0
            return
        }
        if offset == 0 {
            hasPendingRestart = false
            return
        }
        let refusal = FTPError.refused(verb: "REST", reply)
        guard refusal.isNotImplemented else { throw refusal }
        server.learn { $0.hasRestart = false }
        throw .unsupported("begin a transfer in the middle of a file (REST)")
    }

    /// Waits for the data connection and for the server's first reply, whichever comes first.
    ///
    /// - Returns: the final reply, if that was the first.
    private func awaitStart(
        _ data: SocketTransport, _ verb: String, _ connecting: Wait
    ) throws(Setback) -> Reply? {
        // A server may look for the files of a large directory before it says anything.
        let replying = Wait(
            .reply(verb: verb), for: max(timeouts.reply, timeouts.dataIdle), connecting.cancellation)
        var isConnected = false
        var hasStarted = false
        var early: Reply?
        while !(isConnected && hasStarted) {
            if !hasStarted {
                do throws(FTPError) {
                    if let reply = try control.replyIfReady() {
                        try judgeStart(reply, verb)
                        hasStarted = true
                        hasPendingRestart = false
                        if reply.category == .completion { early = reply }
                        continue
                    }
                } catch {
                    guard let reply = error.refusal, reply.code == 425 else { throw .final(error) }
                    let isBlocked = !isConnected && !server.known.passiveIsProven
                    throw isBlocked ? .method(error) : .noDataConnection(reply)
                }
            }
            let wait = isConnected ? replying : connecting
            let ready: [Readiness]
            do throws(FTPError) {
                ready = try wait.poll([
                    isConnected ? Wait.nothing : (data.descriptor, .output),
                    hasStarted ? Wait.nothing : (control.descriptor, .input),
                ])
            } catch {
                guard case .timedOut = error else { throw .final(error) }
                // Where the server has nothing to send, some never take the connection.
                if early != nil { return early }
                if !isConnected { throw .method(error) }
                control.fail(error)
                throw .final(error)
            }
            if !isConnected, !ready[0].isEmpty {
                try checkConnected(data)
                isConnected = true
            }
        }
        return early
    }

    private func judgeStart(_ reply: Reply, _ verb: String) throws(FTPError) {
        // 202, "superfluous at this site", does not begin anything: what was sent for it would be lost.
        if reply.code == 202 {
            hasOpenTransfer = false
            throw .refused(verb: verb, reply)
        }
        switch reply.category {
        case .preliminary, .completion:
            return
        case .intermediate, .transientNegative, .permanentNegative:
            hasOpenTransfer = false
            throw .refused(verb: verb, reply)
        }
    }
}
