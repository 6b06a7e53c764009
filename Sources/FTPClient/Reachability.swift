import FTPProtocol
import Threading

/// What the attempts to get a connection have said while none is alive: when the next one may be made, and whether those
/// who wait hear of the last one. No I/O, no clock.
///
/// | the attempt | who waits |
/// | --- | --- |
/// | the server dropped it during the login | goes on waiting, once; the next attempt is made at once |
/// | the server takes no more clients | goes on waiting for ``PoolStateMachine/Settings/patience``; the next attempts come at growing intervals |
/// | there is no way to the server | goes on waiting for ``PoolStateMachine/Settings/outage``, if there has ever been a connection; likewise |
/// | the server does not let this user in | is told, and so is everybody who comes within ``PoolStateMachine/Settings/refusedLoginPause``, without another attempt |
/// | anything else | is told |
///
/// A connection that is made ends all of it.
struct Reachability {
    private let settings: PoolStateMachine.Settings
    /// When the next attempt may be made; `nil`: now.
    private(set) var nextAttempt: Instant?
    /// The refusal of a login, repeated to everybody until ``nextAttempt``.
    private(set) var loginRefusal: FTPError?
    /// While the server takes nobody: since when, and how often it has said so.
    private var crowd: (since: Instant, attempts: Int)?
    /// While no connection can be made: since when, how often that was tried, and why not.
    private var outage: (since: Instant, attempts: Int, error: FTPError)?
    /// Whether a login was dropped since the last one that was not.
    private var wasDropped = false
    /// Whether there has ever been a connection: before, what is wrong is rather the address.
    private var hasWorked = false
    /// Whether nobody is to wait for what is down any more.
    private var isHurried = false

    init(_ settings: PoolStateMachine.Settings) { self.settings = settings }

    /// A connection has been made.
    mutating func succeeded() {
        self = Self(settings, hasWorked: true, isHurried: isHurried)
    }

    private init(_ settings: PoolStateMachine.Settings, hasWorked: Bool, isHurried: Bool) {
        self.settings = settings
        self.hasWorked = hasWorked
        self.isHurried = isHurried
    }

    /// An attempt has failed, and nothing is alive.
    ///
    /// - Returns: whether those who wait go on waiting.
    mutating func failed(_ error: FTPError, _ now: Instant) -> Bool {
        if case .connectionLost = error, !wasDropped, !isHurried {
            wasDropped = true
            nextAttempt = nil
            return true
        }
        if case .tooManyConnections = error, isCrowdWaitedFor(now) { return true }
        crowd = nil
        nextAttempt = now.advanced(by: settings.retryPause)
        if error.isOutage, isOutageWaitedFor(error, now) { return true }
        // 4yz says nothing against user and password: no attempt too many can lock the account.
        if case .loginRefused(let reply) = error, reply.category != .transientNegative {
            loginRefusal = error
            nextAttempt = now.advanced(by: settings.refusedLoginPause)
        }
        return false
    }

    /// Forgets what has passed its time.
    mutating func age(_ now: Instant) {
        guard let attempt = nextAttempt, now >= attempt else { return }
        nextAttempt = nil
        loginRefusal = nil
    }

    /// From now on nobody waits for a server that is down.
    ///
    /// - Returns: what those are told who wait for one; `nil`: nobody does.
    mutating func hurry() -> FTPError? {
        isHurried = true
        // Nor for the next attempt at it.
        nextAttempt = nil
        return outage?.error
    }

    /// What is known of an outage of a server that has worked; `nil` while there is none.
    func outageReport(_ now: Instant, isAnybodyWaiting: Bool) -> OutageReport? {
        guard hasWorked, let outage else { return nil }
        let span = now.since(outage.since)
        return OutageReport(
            span: span, attempts: outage.attempts, error: outage.error,
            nextAttempt: isAnybodyWaiting ? nextAttempt.map { max(.zero, $0.since(now)) } : nil,
            patience: endurance.map { max(.zero, $0 - span) })
    }

    // MARK: - Waiting

    /// How long what is down is waited for; `nil`: for ever.
    private var endurance: Duration? { hasWorked && !isHurried ? settings.outage : .zero }

    private mutating func isCrowdWaitedFor(_ now: Instant) -> Bool {
        let (since, attempts) = crowd ?? (now, 0)
        let patience = endurance.map { max($0, settings.patience) }
        guard patience.map({ now.since(since) < $0 }) ?? true else { return false }
        crowd = (since, min(attempts + 1, 1000))
        nextAttempt = now.advanced(by: Self.pause(settings.firstPause, attempts, settings.longestPause))
        return true
    }

    private mutating func isOutageWaitedFor(_ error: FTPError, _ now: Instant) -> Bool {
        guard !isHurried else { return false }
        let (since, attempts, _) = outage ?? (now, 0, error)
        outage = (since, min(attempts + 1, 1000), error)
        nextAttempt = now.advanced(by: Self.pause(settings.retryPause, attempts, settings.longestRetryPause))
        return endurance.map { now.since(since) < $0 } ?? true
    }

    /// Twice as long each time.
    private static func pause(_ first: Duration, _ attempts: Int, _ longest: Duration) -> Duration {
        // Four doublings reach the longest pause, and cannot overflow.
        min(first * (1 << min(attempts, 4)), longest)
    }
}
