import Logging
import SystemPackage
import Threading
import Vocabulary

/// The sessions of a client, and the threads that open, recover, keep alive and close them.
///
/// What happens when is decided by ``PoolStateMachine``; this carries it out. The rule of the house: lock, let the
/// machine decide, unlock, act. Callers never wait for a connect, a recovery or a goodbye of their own making: short-lived
/// threads of the pool do that, so that closing a file is quick and a cancelled request does not break a login that
/// others wait for. One more thread, started with the first request, tells the machine when time has passed.
///
/// How long a caller waits for a session is not limited here, but every holder is: metadata work by the limit of each
/// reply, a stream by `timeouts.dataIdle`, since an idle one yields, and an upload by the same, for as long as it makes no
/// progress. An attempt to connect ends after `timeouts.establish` and fails everybody who waits.
final class ConnectionPool: Sendable {
    typealias Work = PoolStateMachine.Work

    private struct State {
        var machine: PoolStateMachine
        var sessions: [Int: Session] = [:]
        /// Who waits for a session.
        var waiters: [UInt64: Waiter] = [:]
        var yieldHandlers: [Int: @Sendable () -> Void] = [:]
        var lastRequest: UInt64 = 0
        /// What the last login took.
        var login: LoginCost?
        /// Threads at work.
        var jobs = 0
        /// Sessions on their way out of a directory.
        var retreating: Set<Int> = []
        /// When the clock thread wakes up next; `nil`: not before it is woken.
        var plannedTick: Instant?
        var hasClock = false
        var watch: ReplyWatch?
        var isClosed = false
    }

    /// Where the answer to one request arrives: a monitor of its own, so that it wakes nobody but whom it is for. Entered
    /// with the pool's monitor held; enters none.
    private typealias Waiter = Monitor<Result<Session, FTPError>?>

    /// What is left to do once the lock is free.
    private enum Job: Sendable {
        case open(Int)
        case recover(Session)
        case keepAlive(Session)
        case retreat(Session)
        case close(Session)
        case forget(Session)
        case ask(@Sendable () -> Void)
    }

    private let server: SharedServer
    private let state: Monitor<State>
    private let threads = SpareThreads(named: "ftp-pool")
    /// Ends connects and recoveries when the client is closed.
    private let ending = Cancellation()

    init(_ server: SharedServer) {
        self.server = server
        let configuration = server.configuration
        let settings = PoolStateMachine.Settings(
            limit: configuration.connections, keepAlive: configuration.timeouts.keepAlive,
            idleExtra: configuration.timeouts.idleExtra, patience: configuration.timeouts.establish,
            outage: configuration.endurance.outage)
        state = Monitor(State(machine: PoolStateMachine(settings)))
    }

    /// How many more transfers could begin now without anybody having to wait, one connection being left for short work.
    var spareConnections: Int { state.withLock { $0.machine.spareCount } }

    /// Whether there are connections for work ahead of anybody's wish: further ones only if they pay, else those that are
    /// idle, but for one.
    ///
    /// - Parameter pieces: how many leases are expected for it.
    func admitsAhead(pieces: Int) -> Bool {
        state.withLock { state in
            let opens = state.login?.pays(for: pieces) ?? true
            state.machine.limitForAhead = opens ? state.login?.useful ?? .max : 0
            return state.machine.spareCount > 0 && (opens || state.machine.idle.count > 1)
        }
    }

    /// Waits for a session and hands it to the caller, who owns it until ``release(_:)``.
    ///
    /// - Parameter urgency: what is done ahead waits for a session that nobody else wants; from when its answer is wanted,
    ///   like everybody else.
    func lease(
        for work: Work, urgency: Urgency = .wanted, _ cancellation: Cancellation
    ) throws(FTPError) -> Session {
        let session: Session
        if case .ahead(let wanted) = urgency, !wanted.isCancelled {
            session = try lease(work, ahead: wanted, cancellation)
        } else {
            session = try lease(work, cancellation)
        }
        server.abandonedUploads.reset()
        return session
    }

    private func lease(
        _ work: Work, ahead wanted: Cancellation? = nil, _ cancellation: Cancellation
    ) throws(FTPError) -> Session {
        startClock()
        let waiter = Waiter(nil)
        let id = state.withLock { state -> UInt64 in
            state.lastRequest += 1
            state.waiters[state.lastRequest] = waiter
            return state.lastRequest
        }
        handle { machine, now in machine.request(id, for: work, isAhead: wanted != nil, now: now) }
        if wanted == nil, let answer = waiter.withLock({ $0 }) { return try answer.get() }
        let token = cancellation.onCancel { waiter.wake() }
        defer { cancellation.removeHandler(token) }
        // It stays: what is being done ahead can become wanted too, and a number of the past means nothing.
        _ = wanted?.onCancel { [weak self] in
            self?.handle { machine, now in machine.promote(id, now: now) }
        }
        if let answer = Self.awaitAnswer(waiter, cancellation) { return try answer.get() }
        handle { machine, now in machine.withdraw(id, now: now) }
        state.withLock { $0.waiters[id] = nil }
        // It may have been granted in the meantime.
        if case .success(let session)? = waiter.withLock({ $0 }) { release(session) }
        throw .cancelled
    }

    /// `nil` when cancelled. A name of its own, so that profiles can filter it.
    @inline(never)
    private static func awaitAnswer(_ waiter: Waiter, _ cancellation: Cancellation) -> Result<Session, FTPError>? {
        let answer = waiter.wait(until: .never) { answer -> Result<Session, FTPError>?? in
            if let answer { return .some(answer) }
            return cancellation.isCancelled ? .some(nil) : nil
        }
        return answer ?? nil
    }

    /// Gives a session back in whatever condition it is. Does not block.
    func release(_ session: Session) {
        let id = session.control.id
        let outcome: PoolStateMachine.Outcome
        var isPrepared = false
        switch session.condition {
        case .usable:
            outcome = .usable
            session.hasServed = true
            isPrepared = prepare(session)
        case .outOfStep: outcome = .outOfStep
        case .dead: outcome = session.control.endedBySilence ? .silent : .dead
        }
        handle { machine, now in machine.released(id, outcome, isPrepared: isPrepared, now: now) }
    }

    /// Has the next data connection of a session made ahead, if it has had one, before it is idle. Does not block.
    ///
    /// - Returns: whether it is there or under way.
    private func prepare(_ session: Session) -> Bool {
        if session.wantsArming { session.arm() }
        guard session.armed != nil else { return false }
        // What came with an earlier reply is in no socket any more, and no watch would see it.
        if session.control.hasDeferred { try? session.control.takeDeferred() }
        if session.control.hasDeferred { startWatch()?.watch(session.control.descriptor, as: session.control.id) }
        return true
    }

    /// Makes idle sessions leave a directory, or one below it, and waits until they have.
    ///
    /// Some servers neither rename nor remove a directory that is the working directory of a session.
    ///
    /// - Returns: whether there was any in it.
    func retreat(from directory: RemotePath) -> Bool {
        let jobs = state.withLock { state -> [Job] in
            // Nobody holds an idle session, so its location can be read here; that of another one cannot.
            let inside = state.machine.idle.filter { state.sessions[$0]?.isInside(directory) ?? false }
            let actions = state.machine.retreat(inside)
            for case .retreat(let id) in actions { state.retreating.insert(id) }
            return Self.absorb(actions, into: &state).jobs
        }
        for job in jobs { carryOut(job) }
        // Each ends by the limit of its own replies.
        _ = state.wait(until: .never) { $0.retreating.isEmpty ? true : nil }
        return !jobs.isEmpty
    }

    /// Says how the holder of a session gives it up when others need it, and that its bytes flow from now on.
    ///
    /// The handler may run on any thread, also on this one before the call returns, holding no lock; it must not block. It
    /// is forgotten at ``release(_:)``.
    func onYieldRequest(_ session: Session, _ handler: @escaping @Sendable () -> Void) {
        let id = session.control.id
        state.withLock { $0.yieldHandlers[id] = handler }
        handle { machine, now in machine.began(id, now: now) }
    }

    /// What each connection does now, and how many requests wait for one.
    func report() -> (connections: [ConnectionReport], waiting: Int) {
        let now = Instant.now
        return state.withLock { state in
            let (connections, waiting) = state.machine.report
            let reports = connections.map { ConnectionReport($0, state.sessions[$0.id]?.control.activity, at: now) }
            return (reports, waiting)
        }
    }

    /// What is known of an outage.
    func outage() -> OutageReport? {
        let now = Instant.now
        return state.withLock { $0.machine.outageReport(now) }
    }

    /// Lets nobody wait any more for a server that cannot be reached. Does not block.
    func hurry() { handle { machine, _ in machine.hurry() } }

    /// Closes what is idle, fails who waits, and waits at most two seconds for the pool's threads.
    func close() {
        state.withLock { $0.isClosed = true }
        handle { machine, _ in machine.shutDown() }
        ending.cancel()
        state.wake()
        // A goodbye is one packet; connects and recoveries end by the cancellation.
        _ = state.wait(until: .after(.seconds(2))) { state in state.jobs == 0 ? true : nil }
        threads.close()
    }

    // MARK: - Events and actions

    private func handle(_ event: (inout PoolStateMachine, Instant) -> [PoolStateMachine.Action]) {
        let now = Instant.now
        let (jobs, mustWake) = state.withLock { state -> ([Job], Bool) in
            let actions = event(&state.machine, now)
            return Self.absorb(actions, into: &state)
        }
        if mustWake { state.wake() }
        for job in jobs { carryOut(job) }
    }

    /// Does what can be done under the lock, and returns the rest.
    private static func absorb(
        _ actions: [PoolStateMachine.Action], into state: inout State
    ) -> (jobs: [Job], mustWake: Bool) {
        var jobs: [Job] = []
        var mustWake = false
        for action in actions {
            switch action {
            case .grant(let request, let id):
                state.yieldHandlers[id] = nil
                guard let session = state.sessions[id] else { continue }
                state.waiters.removeValue(forKey: request)?.withLockThenWake { $0 = .success(session) }
            case .fail(let request, let error):
                state.waiters.removeValue(forKey: request)?.withLockThenWake { $0 = .failure(error) }
            case .askToYield(let id):
                // Who has not said how yet is asked again when it does.
                if let handler = state.yieldHandlers[id] { jobs.append(.ask(handler)) }
            case .open(let id):
                jobs.append(.open(id))
            case .recover(let id):
                if let session = state.sessions[id] { jobs.append(.recover(session)) }
            case .keepAlive(let id):
                if let session = state.sessions[id] { jobs.append(.keepAlive(session)) }
            case .retreat(let id):
                if let session = state.sessions[id] { jobs.append(.retreat(session)) }
            case .disarm(let id):
                // It is idle, so nobody holds it.
                state.sessions[id]?.disarm()
            case .close(let id):
                if let session = forget(id, in: &state) { jobs.append(.close(session)) }
            case .discard(let id):
                if let session = forget(id, in: &state) { jobs.append(.forget(session)) }
            }
        }
        if let next = state.machine.nextTick, next < (state.plannedTick ?? next.advanced(by: .seconds(1))) {
            mustWake = true
        }
        return (jobs, mustWake)
    }

    private static func forget(_ id: Int, in state: inout State) -> Session? {
        state.yieldHandlers[id] = nil
        return state.sessions.removeValue(forKey: id)
    }

    private func carryOut(_ job: Job) {
        switch job {
        case .ask(let handler):
            handler()
        case .forget:
            // The last reference closes the socket, here and not under the lock.
            return
        case .open(let id):
            start({ $0.open(id) }, orElse: { $0.openFailed(id, $1) })
        case .recover(let session):
            start(
                { $0.service(session, Session.recover) },
                orElse: { pool, _ in pool.serviced(session, false) })
        case .keepAlive(let session):
            start(
                { $0.service(session, Session.keepAlive) },
                orElse: { pool, _ in pool.serviced(session, true) })
        case .retreat(let session):
            start(
                { $0.service(session, Session.returnToBase) },
                orElse: { pool, _ in pool.serviced(session, true) })
        case .close(let session):
            session.control.quit()
        }
    }

    private func start(
        _ body: @escaping @Sendable (ConnectionPool) -> Void, orElse: (ConnectionPool, FTPError) -> Void
    ) {
        state.withLock { $0.jobs += 1 }
        do {
            try threads.run { [self] in
                body(self)
                state.withLockThenWake { $0.jobs -= 1 }
            }
        } catch {
            state.withLockThenWake { $0.jobs -= 1 }
            orElse(self, .localFailure(Errno(rawValue: error.code), doing: "starting a thread"))
        }
    }

    private func open(_ id: Int) {
        let start = Instant.now
        do throws(FTPError) {
            let session = try Session.establish(server, id: id, ending)
            noteLogin(since: start)
            let isPrepared = prepare(session)
            // The server's answer takes one round trip, and the connect another one.
            let span = server.known.roundTrip.map { $0 * 2 }
            state.withLock { state in
                state.sessions[id] = session
                if let span, isPrepared { state.machine.notePreparation(takes: span) }
            }
            let ended = outage()
            handle { machine, now in machine.opened(id, isPrepared: isPrepared, now: now) }
            if let ended { server.configuration.logger.notice("\(ended.ending(server.configuration.host))") }
        } catch {
            openFailed(id, error)
        }
    }

    private func noteLogin(since start: Instant) {
        let cost = LoginCost(duration: Instant.now.since(start), roundTrip: server.known.roundTrip)
        state.withLock { $0.login = cost }
    }

    private func openFailed(_ id: Int, _ error: FTPError) {
        let before = outage()
        handle { machine, now in machine.openFailed(id, error, now: now) }
        let logger = server.configuration.logger
        let line: Logger.Message = "[\(id)] no connection: \(error)"
        if before == nil, let begun = outage() {
            logger.warning("\(begun.beginning(server.configuration.host))")
        } else if before != nil || ending.isCancelled {
            // The first line has said it; and whoever ends the mount does not want to hear it.
            logger.debug(line)
        } else {
            logger.notice(line)
        }
    }

    private func service(_ session: Session, _ body: (Session) -> (Cancellation) throws(FTPError) -> Void) {
        do throws(FTPError) {
            try body(session)(ending)
            serviced(session, session.condition == .usable)
        } catch {
            session.control.fail(error)
            serviced(session, false)
        }
    }

    private func serviced(_ session: Session, _ works: Bool) {
        let id = session.control.id
        let isPrepared = works && prepare(session)
        handle { machine, now in machine.serviced(id, works: works, isPrepared: isPrepared, now: now) }
        if state.withLock({ $0.retreating.remove(id) }) != nil { state.wake() }
    }

    // MARK: - Replies that nobody waits for

    /// The watch, with its thread; `nil` when there can be none.
    private func startWatch() -> ReplyWatch? {
        let (watch, isNew) = state.withLock { state -> (ReplyWatch?, Bool) in
            if state.watch != nil || state.isClosed { return (state.watch, false) }
            state.watch = ReplyWatch(ending: ending)
            return (state.watch, state.watch != nil)
        }
        guard let watch, isNew else { return watch }
        do {
            try Thread.detached(named: "ftp-pool-watch") { [weak self] in
                while let id = watch.next() { self?.takeDeferred(id) }
            }
        } catch {
            // The answers are then read by whoever uses the connections next.
            return nil
        }
        return watch
    }

    /// Takes what has come in on a connection that nobody holds. Whoever holds it takes it by himself.
    private func takeDeferred(_ id: Int) {
        state.withLock { state in
            guard state.machine.idle.contains(id), let session = state.sessions[id] else { return }
            // Nothing in it waits. When the server has hung up, whoever uses the connection next will hear of it.
            try? session.control.takeDeferred()
            if session.control.hasDeferred, !session.control.isClosed {
                state.watch?.watch(session.control.descriptor, as: id)
            }
        }
    }

    // MARK: - Time

    private func startClock() {
        let mustStart = state.withLock { state -> Bool in
            if state.hasClock || state.isClosed { return false }
            state.hasClock = true
            return true
        }
        guard mustStart else { return }
        do {
            try Thread.detached(named: "ftp-pool-clock") { [weak self, state] in
                while Self.waitForTick(state) { self?.handle { machine, now in machine.tick(now: now) } }
            }
        } catch {
            // Without a clock nothing ages; the next request tries again.
            state.withLock { $0.hasClock = false }
        }
    }

    /// Sleeps until the machine wants to know the time; false when the pool is closed.
    private static func waitForTick(_ state: Monitor<State>) -> Bool {
        let planned = state.withLock { state -> Instant? in
            state.plannedTick = state.machine.nextTick
            return state.plannedTick
        }
        let deadline = planned.map { Deadline.at($0) } ?? .never
        let isOpen = state.wait(until: deadline) { state -> Bool? in
            if state.isClosed { return false }
            let next = state.machine.nextTick
            // Something earlier has come up, or nothing was planned at all.
            if let next, next < (state.plannedTick ?? next.advanced(by: .seconds(1))) { return true }
            return nil
        }
        return isOpen ?? true
    }
}
