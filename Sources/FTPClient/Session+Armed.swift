import FTPProtocol
import Logging
import SystemPackage
import Threading

/// The data connection of the *next* transfer, made ready while nobody waits: it is *armed*.
///
/// The server is asked for a port (`EPSV`, deferred) behind the last byte of a download, behind an upload, behind a broken
/// transfer, and behind a login. When its answer comes, whoever holds the session connects to that port and does not wait;
/// if nobody holds it, the pool does (``ReplyWatch``). The next transfer then is one command on a connection that is there:
/// two round trips less.
///
/// - Only where commands may go out together, since the `EPSV` is sent into a running conversation, and only by a passive way
///   that is expected to work.
/// - Only where a round trip is worth it (``worthwhile``): beside the server, the port costs as much as it saves.
/// - Only while young (``lifetime``): servers drop what nobody uses, address translators forget it.
/// - One that was dropped is noticed before it is used, or by the 425 that follows; a fresh one is made then, and the caller
///   sees nothing. A server on which that happens again and again is left alone (``maximumFailures``).
///
/// The TLS handshake is not part of it: servers begin theirs after the 1yz.
extension Session {
    /// How far the next data connection has come.
    enum Armed {
        /// The server has been asked for a port.
        case asked(DataMethod, since: Instant)
        /// It is being made, or is there.
        case ready(PendingData, DataMethod, since: Instant)
    }

    /// For how long it may be used. Servers wait for a data connection for 10 s (FileZilla Server) to a minute; half of
    /// the shortest leaves room for clocks and slow links.
    static let lifetime = Duration.seconds(5)
    /// How long a round trip must be. A port costs the server and this machine some 100 µs of work, seen or unseen.
    static let worthwhile = Duration.microseconds(500)
    /// How many that did not work are too many. Single ones fail by chance: a transfer that came too late.
    static let maximumFailures = 3

    /// The way by which a data connection may be made ahead; `nil`: it may not.
    private var armingMethod: DataMethod? {
        guard sendsTogether, armed == nil, !isOutOfStep, !control.isClosed, server.configuration.network.proxy == nil
        else { return nil }
        let known = server.known
        guard known.armedFailures < Self.maximumFailures, known.roundTrip ?? .zero >= server.configuration.armsFrom,
            !known.wantsPreTransfer, let ends = try? dataEnds(),
            let best = known.dataMethods.best(where: ends.allow), !best.method.isActive
        else { return nil }
        let standing = known.dataMethods.standing(of: best.method)
        return standing == .proven || standing == .untried ? best.method : nil
    }

    /// Asks for the port of the next data connection. Does not wait; where it may not or cannot be done, nothing happens.
    func arm() {
        guard let (command, taker) = arming() else { return }
        // Whoever uses the connection next will find out why it does not work.
        try? control.deferReply(to: command, taker)
    }

    /// The command that asks for the port, and what takes its answer, for whoever sends it behind others.
    func arming() -> (command: Command, taker: (Reply) -> Void)? {
        guard let method = armingMethod else { return nil }
        wantsArming = false
        armed = .asked(method, since: .now)
        return (Command(method.rawValue), { [weak self] reply in self?.arm(with: reply, by: method) })
    }

    /// Connects to the port that the server has named, without waiting.
    private func arm(with reply: Reply, by method: DataMethod) {
        guard case .asked(_, let since) = armed else { return }
        armed = nil
        switch reply.category {
        case .transientNegative, .permanentNegative: return
        case .preliminary, .intermediate: return noteOutOfStep("\(reply.code) to \(method.rawValue)")
        case .completion: break
        }
        do throws(Setback) {
            let pending = try connect(to: reply, method, within: timeouts.dataConnect, Cancellation())
            pending.isArmed = true
            armed = .ready(pending, method, since: since)
        } catch {
            // The transfer asks again, and is told what is wrong.
            return
        }
    }

    /// The armed connection, if there is one that can be used. Waits for the port, if that has been asked for.
    func takeArmed(_ cancellation: Cancellation) throws(FTPError) -> (pending: PendingData, method: DataMethod)? {
        try control.settleDeferred(cancellation) { if case .asked = armed { true } else { false } }
        guard case .ready(let pending, let method, let since) = armed else {
            armed = nil
            return nil
        }
        armed = nil
        if Instant.now.since(since) < Self.lifetime, pending.isAlive { return (pending, method) }
        pending.close()
        return nil
    }

    /// Gives the armed connection up. Does not block.
    func disarm() {
        if case .ready(let pending, _, _) = armed { pending.close() }
        armed = nil
    }

    /// Notes that a transfer did not come about on an armed connection.
    func noteArmedFailure(_ reason: FTPError) {
        let failures = server.learn { profile -> Int in
            profile.armedFailures += 1
            return profile.armedFailures
        }
        logger.info("[\(control.id)] the data connection made ahead did not work (\(reason)); making another one")
        guard failures == Self.maximumFailures else { return }
        logger.notice("[\(control.id)] data connections are not made ahead any more: the server drops them")
    }
}
