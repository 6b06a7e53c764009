import DequeModule
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
///    Metadata work is short and somebody looks at the screen for it, so it may interrupt a stream at any time. A stream
///    that is only wanted by other transfers keeps its connection for ``Settings/slice`` first; else two readers would
///    take it from each other after every read. An upload cannot be continued and is never asked.
/// 4. Waiting is in order of arrival, metadata before transfers; but after ``Settings/metadataRun`` grants of metadata in
///    a row a waiting transfer comes first, so that it cannot starve.
/// 5. "Too many connections" while others are alive is no error: their number becomes the limit, for
///    ``Settings/limitMemory``; then one more is tried again. Without any alive it is tried again, at growing intervals,
///    for ``Settings/patience``: the server may still count connections that broke a moment ago.
///    A server that has worked and cannot be reached is tried again likewise, one attempt at a time, for
///    ``Settings/outage``; after that each failed attempt is told to those who wait.
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
    private struct Request {
        let id: RequestID
        let work: Work
    }

    let settings: Settings
    /// Oldest first.
    var connections: [Connection] = []
    private var metadata: Deque<Request> = []
    private var transfers: Deque<Request> = []
    private var ahead: Deque<Request> = []
    private var lastConnectionID = 0
    private var metadataGrants = 0
    var preparation = Preparation()
    private var learned: (limit: Int, until: Instant)?
    private(set) var growthResumes: Instant?
    /// While nothing is alive: when the next attempt may be made.
    private var nextAttempt: Instant?
    /// While nothing is alive and the server takes nobody: since when.
    private var refusedSince: Instant?
    /// How often since.
    private var refusals = 0
    /// While nothing is alive and no connection can be made: since when, how often that was tried, and why not.
    private var outage: (since: Instant, attempts: Int, error: FTPError)?
    /// Whether there has ever been a connection: before, what is wrong is rather the address.
    private var hasWorked = false
    /// Whether nobody is to wait for what is down any more.
    private var isHurried = false
    /// The refusal of a login, repeated to everybody until ``nextAttempt``.
    private var loginRefusal: FTPError?
    private var isShutDown = false
    /// Whether further connections may be opened for what is done ahead: ``LoginCost``.
    var opensForAhead = true

    init(_ settings: Settings) {
        self.settings = settings
    }

    // MARK: - Events

    /// Somebody wants a connection.
    ///
    /// - Parameter isAhead: nobody waits for what is done with it.
    mutating func request(_ id: RequestID, for work: Work, isAhead: Bool = false, now: Instant) -> [Action] {
        if isShutDown { return [.fail(id, .closed)] }
        let request = Request(id: id, work: work)
        if isAhead { ahead.append(request) } else { append(request) }
        return settle(now)
    }

    /// Somebody waits by now for what was to be done ahead, or is being done.
    mutating func promote(_ id: RequestID, now: Instant) -> [Action] {
        if let index = ahead.firstIndex(where: { $0.id == id }) {
            append(ahead.remove(at: index))
        } else if let index = connections.firstIndex(where: { $0.ahead == id }) {
            connections[index].ahead = nil
            connections[index].isPromoted = true
        }
        return settle(now)
    }

    /// Whoever wanted it does not wait any more.
    mutating func withdraw(_ id: RequestID, now: Instant) -> [Action] {
        metadata.removeAll { $0.id == id }
        transfers.removeAll { $0.id == id }
        ahead.removeAll { $0.id == id }
        return settle(now)
    }

    /// A connection has been made and is logged in.
    ///
    /// - Parameter isPrepared: whether its next data connection is being made.
    mutating func opened(_ id: ConnectionID, isPrepared: Bool = false, now: Instant) -> [Action] {
        refusedSince = nil
        refusals = 0
        nextAttempt = nil
        loginRefusal = nil
        outage = nil
        hasWorked = true
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
        if case .tooManyConnections = error {
            let since = refusedSince ?? now
            refusedSince = since
            let patience = endurance.map { max($0, settings.patience) }
            if patience.map({ now.since(since) < $0 }) ?? true {
                nextAttempt = now.advanced(by: pause(behind: refusals))
                refusals += 1
                return settle(now)
            }
        }
        refusedSince = nil
        refusals = 0
        nextAttempt = now.advanced(by: settings.retryPause)
        if error.isOutage, isWaitedFor(after: error, now) { return settle(now) }
        // 4yz says nothing against user and password: no attempt too many can lock the account.
        if case .loginRefused(let reply) = error, reply.category != .transientNegative {
            loginRefusal = error
            nextAttempt = now.advanced(by: settings.refusedLoginPause)
        }
        return failEverybody(error) + settle(now)
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
        isHurried = true
        // Nor for the next attempt at it.
        nextAttempt = nil
        return outage.map { failEverybody($0.error) } ?? []
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
    var report: (connections: [Connection], waiting: Int) { (connections, waitingCount) }

    /// What is known of an outage of a server that has worked; `nil` while there is none.
    func outageReport(_ now: Instant) -> OutageReport? {
        guard hasWorked, let outage else { return nil }
        let span = now.since(outage.since)
        return OutageReport(
            span: span, attempts: outage.attempts, error: outage.error,
            nextAttempt: isAnybodyWaiting ? nextAttempt.map { max(.zero, $0.since(now)) } : nil,
            patience: endurance.map { max(.zero, $0 - span) })
    }

    /// How many more transfers could begin at once, or after a login, with one connection left for short work.
    var spareCount: Int {
        let busy = count { !$0.isIdle && !$0.isOpening && !$0.isBriefly }
        return max(0, limit - 1 - busy - waitingCount)
    }

    /// When to call ``tick(now:)`` at the latest; `nil`: not needed.
    func nextTick(now: Instant) -> Instant? {
        var moments: [Instant] = []
        for (index, connection) in connections.enumerated() {
            switch connection.use {
            case .idle(let since):
                moments.append(since.advanced(by: index == 0 ? settings.keepAlive : settings.idleExtra))
                if let prepared = connection.preparedSince {
                    moments.append(prepared.advanced(by: settings.preparationLifetime))
                }
            case .leased(.reading, let since, asked: false) where isAnybodyWaiting:
                moments.append(since.advanced(by: connection.isAhead ? settings.aheadSlice : settings.slice))
            case .leased, .opening, .serviced:
                continue
            }
        }
        if isAnybodyWaiting {
            if let nextAttempt, connections.isEmpty { moments.append(nextAttempt) }
            if let growthResumes { moments.append(growthResumes) }
            if let learned { moments.append(learned.until) }
        }
        return moments.filter { $0 > now }.min()
    }

    // MARK: - Decisions

    /// Applies the rules until nothing more follows from them.
    private mutating func settle(_ now: Instant) -> [Action] {
        guard !isShutDown else { return [] }
        forgetOldLessons(now)
        var actions = grantIdle(now)
        if connections.isEmpty, isAnybodyWaiting, let loginRefusal { return actions + failEverybody(loginRefusal) }
        actions += open(now)
        actions += serveAhead(now)
        actions += askForYields(now)
        actions += maintainIdle(now)
        actions += forgetPreparations(now)
        return actions
    }

    private mutating func forgetOldLessons(_ now: Instant) {
        if let until = learned?.until, now >= until { learned = nil }
        if let resumes = growthResumes, now >= resumes { growthResumes = nil }
        if let attempt = nextAttempt, now >= attempt {
            nextAttempt = nil
            loginRefusal = nil
        }
    }

    private mutating func grantIdle(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while isAnybodyWaiting, let latest = latestIdle, let request = nextRequest() {
            let index = request.work == .metadata ? latest : preparedIdle ?? latest
            noteHurry(index, request.work, now)
            actions.append(grant(request, index, isAhead: false, now))
        }
        return actions + relieveHurry(now)
    }

    private mutating func setIdle(_ id: ConnectionID, _ isPrepared: Bool, _ now: Instant) {
        setUse(.idle(since: now), of: id)
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
        connections[index].preparedSince = isPrepared ? now : nil
    }

    private mutating func grant(_ request: Request, _ index: Int, isAhead: Bool, _ now: Instant) -> Action {
        connections[index].use = .leased(request.work, since: now, asked: false)
        connections[index].ahead = isAhead ? request.id : nil
        connections[index].isPromoted = false
        connections[index].preparedSince = nil
        return .grant(request.id, connections[index].id)
    }

    private mutating func serveAhead(_ now: Instant) -> [Action] {
        guard !ahead.isEmpty, !isAnybodyWaiting else { return [] }
        var actions: [Action] = []
        while let index = latestIdle, count(where: \.isIdle) + count(where: \.isBriefly) > 1,
            let request = ahead.popFirst()
        {
            let index = request.work == .metadata ? index : preparedIdle ?? index
            actions.append(grant(request, index, isAhead: true, now))
        }
        // Only beside a connection that works: a server that is down is not asked for what nobody wants.
        while opensForAhead, ahead.count > count(where: \.isOpening), mayOpenAnother, growthResumes == nil,
            connections.contains(where: { !$0.isOpening }), limit > 1
        {
            actions.append(addConnection())
        }
        return actions
    }

    private mutating func open(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while waitingCount > count(where: \.isOpening), mayOpenAnother, mayOpen(now) {
            actions.append(addConnection())
        }
        return actions
    }

    mutating func addConnection() -> Action {
        lastConnectionID += 1
        connections.append(Connection(id: lastConnectionID, use: .opening))
        return .open(lastConnectionID)
    }

    private var mayOpenAnother: Bool {
        connections.count < limit && count(where: \.isOpening) < settings.opensAtOnce
    }

    private func mayOpen(_ now: Instant) -> Bool {
        if !connections.contains(where: { !$0.isOpening }) { return connections.isEmpty && nextAttempt == nil }
        return growthResumes == nil
    }

    private mutating func askForYields(_ now: Instant) -> [Action] {
        // What is about to come free anyway need not be asked for.
        var lacking = waitingCount
        lacking -= count { connection in
            if case .leased(_, let since, asked: false) = connection.use {
                return connection.isAhead && now.since(since) < settings.aheadSlice
            }
            return connection.isOpening || connection.isServiced || connection.isAsked
        }
        var actions: [Action] = []
        // Who works ahead first, then the longest holder.
        let holders = connections.indices.compactMap { index -> (index: Int, since: Instant)? in
            guard case .leased(.reading, let since, asked: false) = connections[index].use else { return nil }
            return (index, since)
        }
        func isEarlier(_ one: (index: Int, since: Instant), _ other: (index: Int, since: Instant)) -> Bool {
            let (isAhead, otherIsAhead) = (connections[one.index].isAhead, connections[other.index].isAhead)
            return isAhead == otherIsAhead ? one.since < other.since : isAhead
        }
        for holder in holders.sorted(by: isEarlier) where lacking > 0 {
            let age = now.since(holder.since)
            let isDue =
                connections[holder.index].isAhead
                ? age >= settings.aheadSlice : !metadata.isEmpty || age >= settings.slice
            guard isDue else { continue }
            connections[holder.index].use = .leased(.reading, since: holder.since, asked: true)
            actions.append(.askToYield(connections[holder.index].id))
            lacking -= 1
        }
        return actions
    }

    private mutating func maintainIdle(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        for (index, connection) in connections.enumerated() {
            guard case .idle(let since) = connection.use else { continue }
            if index == 0, now.since(since) >= settings.keepAlive {
                connections[index].use = .serviced
                actions.append(.keepAlive(connection.id))
            } else if index > 0, now.since(since) >= settings.idleExtra {
                actions.append(.close(connection.id))
            }
        }
        for case .close(let id) in actions { remove(id) }
        return actions
    }

    // MARK: - Helpers

    private func pause(behind refusals: Int) -> Duration {
        // Four doublings are beyond the longest pause already, and cannot overflow.
        min(settings.firstPause * (1 << min(refusals, 4)), settings.longestPause)
    }

    /// How long what is down is waited for; `nil`: for ever.
    private var endurance: Duration? { hasWorked && !isHurried ? settings.outage : .zero }

    /// Takes in that no connection can be made, and puts the next attempt off.
    ///
    /// - Returns: whether those who wait go on waiting.
    private mutating func isWaitedFor(after error: FTPError, _ now: Instant) -> Bool {
        guard !isHurried else { return false }
        let (since, attempts, _) = outage ?? (now, 0, error)
        outage = (since, min(attempts + 1, 1000), error)
        // Four doublings reach the longest pause, and cannot overflow.
        let pause = min(settings.retryPause * (1 << min(attempts, 4)), settings.longestRetryPause)
        nextAttempt = now.advanced(by: pause)
        return endurance.map { now.since(since) < $0 } ?? true
    }

    var limit: Int { min(settings.limit, learned?.limit ?? settings.limit) }
    private var waitingCount: Int { metadata.count + transfers.count }
    private var isAnybodyWaiting: Bool { waitingCount > 0 }

    private var latestIdle: Int? {
        var latest: (index: Int, since: Instant)?
        for (index, connection) in connections.enumerated() {
            guard case .idle(let since) = connection.use else { continue }
            if let known = latest, known.since >= since { continue }
            latest = (index, since)
        }
        return latest?.index
    }

    private mutating func append(_ request: Request) {
        if request.work == .metadata { metadata.append(request) } else { transfers.append(request) }
    }

    private mutating func nextRequest() -> Request? {
        if !metadata.isEmpty, transfers.isEmpty || metadataGrants < settings.metadataRun {
            metadataGrants = transfers.isEmpty ? 0 : metadataGrants + 1
            return metadata.popFirst()
        }
        metadataGrants = 0
        return transfers.popFirst()
    }

    private mutating func failEverybody(_ error: FTPError) -> [Action] {
        let actions = (metadata + transfers + ahead).map { Action.fail($0.id, error) }
        metadata.removeAll()
        transfers.removeAll()
        ahead.removeAll()
        return actions
    }

    private mutating func dismiss(_ id: ConnectionID) -> [Action] {
        remove(id)
        return [.close(id)]
    }

    private mutating func remove(_ id: ConnectionID) {
        connections.removeAll { $0.id == id }
    }

    private mutating func setUse(_ use: Use, of id: ConnectionID) {
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
        connections[index].use = use
        connections[index].ahead = nil
    }

    private func count(where predicate: (Connection) -> Bool) -> Int {
        connections.reduce(0) { $0 + (predicate($1) ? 1 : 0) }
    }
}
