package import Threading

/// How long a request goes on against a network or a server that fails: what nfs(5) calls `soft` and `hard`.
///
/// Two things are told apart:
/// - An *interruption*: a request was under way, and its connection was lost or an answer stayed out. It is made again,
///   ``repeats`` times, on another connection.
/// - An *outage*: no connection can be made at all. Everybody waits while one attempt at a time is made, at growing
///   intervals (`PoolStateMachine`); when that has lasted for ``outage``, each attempt that fails is told to those who wait.
///
/// A refusal is neither: what the server has answered is not asked again.
package struct Endurance: Hashable, Sendable {
    /// How often an interrupted request is made again; `nil`: until it succeeds.
    package var repeats: Int?
    /// For how long nobody hears of a server that cannot be reached; `nil`: for ever.
    package var outage: Duration?

    /// Not at all: who asks hears of the first failure that cannot be settled at once.
    package static let none = Endurance(repeats: 0, outage: .zero)

    /// Until it works, or whoever waits is interrupted.
    package static let hard = Endurance(repeats: nil, outage: nil)

    /// So many times, and so long.
    package init(repeats: Int?, outage: Duration?) {
        self.repeats = repeats
        self.outage = outage
    }
}

/// What is left of an ``Endurance`` for one request; it decides, and waits for nobody.
package struct Perseverance {
    /// Between two attempts whose connections were made without trouble: those who repeat shall not keep a server busy
    /// that fails each time. The first repeat is immediate, since most interruptions are over when they are noticed.
    static let firstPause = Duration.milliseconds(500)
    /// Half of what a person takes for a hang.
    static let longestPause = Duration.seconds(15)

    private let repeats: Int?
    private var count = 0

    /// The whole of it.
    package init(_ endurance: Endurance) { repeats = endurance.repeats }

    /// How long to wait before the next attempt; `nil`: there is none. Counts it.
    package mutating func nextPause() -> Duration? {
        if let repeats, count >= repeats { return nil }
        defer { count = min(count + 1, 1000) }
        guard count > 0 else { return .zero }
        // Five doublings are beyond the longest pause already, and cannot overflow.
        return min(Self.firstPause * (1 << min(count - 1, 5)), Self.longestPause)
    }

    /// Waits before the next attempt at what failed with such an error.
    ///
    /// - Returns: false when there is to be none: it is no interruption, or enough, or nobody waits any more.
    mutating func persists(after error: FTPError, _ cancellation: Cancellation) -> Bool {
        guard error.isInterruption, let pause = nextPause() else { return false }
        return Self.wait(pause, cancellation)
    }

    /// Sleeps. - Returns: false when cancelled.
    package static func wait(_ span: Duration, _ cancellation: Cancellation) -> Bool {
        guard span > .zero else { return !cancellation.isCancelled }
        let outcome = Monitor(()).wait(until: .after(span), cancellation: cancellation) { _ -> Void? in nil }
        if case .timedOut = outcome { return true }
        return false
    }
}

extension FTPError {
    /// Whether a request that was under way was cut off, so that another attempt may succeed where this one did not.
    package var isInterruption: Bool {
        switch self {
        case .connectionLost: return true
        case .timedOut(let phase):
            switch phase {
            case .reply, .dataConnection, .dataTransfer, .finalReply: return true
            // Those are about making a connection, which is the pool's business.
            case .resolving, .connecting, .proxy, .greeting, .tlsHandshake, .login: return false
            }
        case .refused, .loginRefused, .tooManyConnections, .tlsRefused, .tlsFailed, .certificateRejected, .tlsSettings,
            .baseDirectoryRefused, .unreachable, .proxyFailed, .unknownHost, .notFTP, .protocolViolation,
            .invalidArgument, .unsupported, .cancelled, .changedRemotely, .localFailure, .closed:
            return false
        }
    }

    /// Whether a connection could not be made for a reason that may pass: a server that is being started again, a cable,
    /// a name service without its network.
    var isOutage: Bool {
        switch self {
        case .connectionLost, .timedOut, .unreachable, .proxyFailed, .unknownHost: true
        case .refused, .loginRefused, .tooManyConnections, .tlsRefused, .tlsFailed, .certificateRejected, .tlsSettings,
            .baseDirectoryRefused, .notFTP, .protocolViolation, .invalidArgument, .unsupported, .cancelled,
            .changedRemotely, .localFailure, .closed:
            false
        }
    }
}
