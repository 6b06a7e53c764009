import FTPProtocol
import Threading

/// Decides who gets which connection, and when connections are opened and closed. No I/O, no clock: events go in with
/// the time, actions come out, in order.
///
/// ## Rules
/// 1. A request gets an idle connection at once. The one used last comes first, so that those not needed grow old.
/// 2. Otherwise a connection is opened, up to the limit. When none is alive at all, only one is tried, and everybody
///    waits for its outcome: a server that is down sees one attempt at a time and not a storm. No more than
///    ``Settings/opensAtOnce`` are tried at a time.
/// 3. Otherwise a reading stream is asked to yield: it gives its connection up between two reads and is continued later.
///    Metadata work is short and somebody looks at the screen for it, so it may interrupt a stream soon: when that has read
///    for as long as it took to take it up, ``Settings/slice`` at most. A stream
///    that is only wanted by other transfers keeps its connection for ``Settings/slice`` first, and for four times as long as
///    it took to take it up, up to ``Settings/longestSlice``; else two readers would
///    take it from each other after every read. An upload that cannot be continued is never asked.
/// 4. Waiting is in order of arrival, metadata before transfers; but after ``Settings/metadataRun`` grants of metadata in
///    a row a waiting transfer comes first, so that it cannot starve.
/// 5. "Too many connections" while others are alive is no error: their number becomes the limit, for
///    ``Settings/limitMemory``; then one more is tried again. Without any alive it is tried again, at growing intervals,
///    for ``Settings/patience``: the server may still count connections that broke a moment ago.
///    A server that has worked and cannot be reached is tried again likewise, one attempt at a time, for
///    ``Settings/outage``; after that each failed attempt is told to those who wait. A login that the server drops is made
///    again at once, but once (``Reachability``).
/// 6. What is done *ahead* of anybody's wish is granted last, and never the last connection: after the grant one is idle,
///    or doing metadata work, which is short. It may open further connections where these pay (``LoginCost``), but leaves
///    room for one. A stream that is
///    read ahead is small and yields to anybody after ``Settings/aheadSlice``; until then it is let finish, for to break it off
///    would take longer. When the wish comes, the request moves to where it belongs, and its
///    work counts as any other (``promote(_:now:)``).
/// 7. Transfers get the idle connection whose next data connection has been in the making for the longest, if there is
///    any. One that is taken too early for that is *hurried*; where that goes on, another connection is opened, so that
///    they can take turns (`PoolStateMachine+Preparation.swift`).
/// 8. The oldest connection stays; others are closed when idle for ``Settings/idleExtra``. It is kept alive when idle for
///    ``Settings/keepAlive``.
struct PoolStateMachine {
    let settings: Settings
    /// Oldest first.
    var connections: [Connection] = []
    var queue: PoolQueue
    private var lastConnectionID = 0
    var preparation = Preparation()
    /// What the server has said of how many it takes, and until when that is believed.
    var learned: (limit: Int, until: Instant)?
    /// When another connection may be tried, after one could not be made beside others that work.
    var growthResumes: Instant?
    /// What is known of the server while nothing is alive.
    var reachability: Reachability
    private(set) var isShutDown = false
    /// The time of the last event. What was due by then has been done, or could not be.
    var settledAt: Instant?
    /// Up to how many connections may be opened for what is done ahead: ``LoginCost``.
    var limitForAhead = Int.max

    init(_ settings: Settings) {
        self.settings = settings
        queue = PoolQueue(metadataRun: settings.metadataRun)
        reachability = Reachability(settings)
    }

    // MARK: - Events

    /// Somebody wants a connection.
    ///
    /// - Parameter isAhead: nobody waits for what is done with it.
    mutating func request(_ id: RequestID, for work: Work, isAhead: Bool = false, now: Instant) -> [Action] {
        if isShutDown { return [.fail(id, .closed)] }
        queue.append(.init(id: id, work: work), isAhead: isAhead)
        return settle(now)
    }

    /// Somebody waits by now for what was to be done ahead, or is being done.
    mutating func promote(_ id: RequestID, now: Instant) -> [Action] {
        if !queue.promote(id), let index = connections.firstIndex(where: { $0.ahead == id }) {
            connections[index].ahead = nil
            connections[index].isPromoted = true
        }
        return settle(now)
    }

    /// Whoever wanted it does not wait any more.
    mutating func withdraw(_ id: RequestID, now: Instant) -> [Action] {
        queue.withdraw(id)
        return settle(now)
    }

    /// A connection has been made and is logged in.
    ///
    /// - Parameter isPrepared: whether its next data connection is being made.
    mutating func opened(_ id: ConnectionID, isPrepared: Bool = false, now: Instant) -> [Action] {
        reachability.succeeded()
        guard !isShutDown else {
            remove(id)
            return [.close(id)]
        }
        setIdle(id, isPrepared, now)
        return settle(now)
    }

    /// A connection could not be made.
    mutating func openFailed(_ id: ConnectionID, _ error: FTPError, now: Instant) -> [Action] {
        remove(id)
        if connections.contains(where: { !$0.isOpening }) {
            if case .tooManyConnections = error {
                learned = (connections.count { !$0.isOpening }, now.advanced(by: settings.limitMemory))
            } else {
                growthResumes = now.advanced(by: settings.growthPause)
            }
            return settle(now)
        }
        if reachability.failed(error, now) { return settle(now) }
        return failEverybody(error) + settle(now)
    }

    /// The stream that holds a connection has its first bytes on the way, and can be asked to yield from now on. Whoever asked
    /// before has asked for nothing: a stream that gave way each time before its first byte would never get on.
    mutating func began(_ id: ConnectionID, now: Instant) -> [Action] {
        guard let index = connections.firstIndex(where: { $0.id == id }),
            case .leased(.reading, let since, _) = connections[index].use
        else { return [] }
        connections[index].flow = (since: now, cost: now.since(since))
        connections[index].use = .leased(.reading, since: since, asked: false)
        return settle(now)
    }

    /// The holder of a connection is done with it.
    ///
    /// - Parameter isPrepared: whether its next data connection is being made.
    mutating func released(
        _ id: ConnectionID, _ outcome: Outcome, isPrepared: Bool = false, now: Instant
    ) -> [Action] {
        switch outcome {
        case .silent:
            // What has not been used for longer has the same path, and would take as long to be found out.
            let suspects = idle
            remove(id)
            for suspect in suspects { remove(suspect) }
            return [.discard(id)] + suspects.map { .discard($0) } + settle(now)
        case .dead:
            remove(id)
            return [.discard(id)] + settle(now)
        case .outOfStep:
            if isShutDown { return dismiss(id) }
            setUse(.serviced, of: id)
            return [.recover(id)] + settle(now)
        case .usable:
            if isShutDown { return dismiss(id) }
            setIdle(id, isPrepared, now)
            return settle(now)
        }
    }

    /// A recovery or a keep-alive is done.
    mutating func serviced(_ id: ConnectionID, works: Bool, isPrepared: Bool = false, now: Instant) -> [Action] {
        released(id, works ? .usable : .dead, isPrepared: isPrepared, now: now)
    }

    /// These connections shall leave their directory; those that are in use do so by themselves, or need it.
    mutating func retreat(_ ids: [ConnectionID]) -> [Action] {
        guard !isShutDown else { return [] }
        return ids.compactMap { id in
            guard let connection = connections.first(where: { $0.id == id }), case .idle = connection.use else {
                return nil
            }
            setUse(.serviced, of: id)
            return .retreat(id)
        }
    }

    /// The time that ``nextTick`` asked for has come.
    mutating func tick(now: Instant) -> [Action] {
        settle(now)
    }

    /// From now on nobody waits for a server that is down: the mount ends.
    mutating func hurry() -> [Action] {
        reachability.hurry().map { failEverybody($0) } ?? []
    }

    /// No more requests; idle connections are closed, the others when they come back.
    mutating func shutDown() -> [Action] {
        isShutDown = true
        var actions = failEverybody(.closed)
        for connection in connections {
            if case .idle = connection.use { actions += dismiss(connection.id) }
        }
        return actions
    }

    // MARK: - What the owner may ask

    /// The connections that nobody holds.
    var idle: [ConnectionID] {
        connections.compactMap { connection in
            if case .idle = connection.use { connection.id } else { nil }
        }
    }

    /// Whether no connection is left, not even one being opened or closed by its holder.
    var isEmpty: Bool { connections.isEmpty }

    /// All connections, oldest first, and how many requests wait for one.
    var report: (connections: [Connection], waiting: Int) { (connections, queue.count) }

    /// What is known of an outage of a server that has worked; `nil` while there is none.
    func outageReport(_ now: Instant) -> OutageReport? {
        reachability.outageReport(now, isAnybodyWaiting: !queue.isEmpty)
    }

    /// How many more transfers could begin at once, or after a login, with one connection left for short work.
    var spareCount: Int {
        let busy = count { !$0.isIdle && !$0.isOpening && !$0.isBriefly }
        return max(0, limit - 1 - busy - queue.count)
    }

    /// When to call ``tick(now:)`` at the latest; `nil`: not needed.
    ///
    /// It may have passed: what has become due since the last event is due at once, and must not be lost because whoever
    /// keeps the time was late.
    var nextTick: Instant? {
        var moments: [Instant] = []
        for (index, connection) in connections.enumerated() {
            switch connection.use {
            case .idle(let since):
                moments.append(since.advanced(by: index == 0 ? settings.keepAlive : settings.idleExtra))
                if let prepared = connection.preparedSince {
                    moments.append(prepared.advanced(by: settings.preparationLifetime))
                }
            case .leased(.reading, let since, asked: false) where !queue.isEmpty:
                moments.append(yieldTime(of: connection, since: since))
            case .leased, .opening, .serviced:
                continue
            }
        }
        if !queue.isEmpty {
            if let nextAttempt = reachability.nextAttempt, connections.isEmpty { moments.append(nextAttempt) }
            if let growthResumes { moments.append(growthResumes) }
            if let learned { moments.append(learned.until) }
        }
        return moments.filter { moment in settledAt.map { moment > $0 } ?? true }.min()
    }

    // MARK: - The connections

    var limit: Int { min(settings.limit, learned?.limit ?? settings.limit) }

    mutating func addConnection() -> Action {
        lastConnectionID += 1
        connections.append(Connection(id: lastConnectionID, use: .opening))
        return .open(lastConnectionID)
    }

    func count(where predicate: (Connection) -> Bool) -> Int {
        connections.reduce(0) { $0 + (predicate($1) ? 1 : 0) }
    }

    mutating func remove(_ id: ConnectionID) {
        connections.removeAll { $0.id == id }
    }

    private mutating func dismiss(_ id: ConnectionID) -> [Action] {
        remove(id)
        return [.close(id)]
    }

    private mutating func setUse(_ use: Use, of id: ConnectionID) {
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
        connections[index].use = use
        connections[index].ahead = nil
    }

    private mutating func setIdle(_ id: ConnectionID, _ isPrepared: Bool, _ now: Instant) {
        setUse(.idle(since: now), of: id)
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
        connections[index].preparedSince = isPrepared ? now : nil
    }
}
