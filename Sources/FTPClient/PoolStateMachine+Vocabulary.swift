/// What goes into the machine and what comes out of it.
extension PoolStateMachine {
    typealias ConnectionID = Int
    typealias RequestID = UInt64

    /// What a connection is wanted for.
    enum Work: Hashable, Sendable {
        case metadata
        /// A stream that can be interrupted and continued.
        case reading
        /// A stream that cannot.
        case writing
    }

    /// How the holder leaves a connection.
    enum Outcome: Hashable, Sendable {
        case usable
        case outOfStep
        case dead
        /// The same, and nothing at all was heard of the other end: the path may be gone.
        case silent
    }

    /// What the owner has to do.
    enum Action: Equatable {
        case open(ConnectionID)
        case grant(RequestID, ConnectionID)
        case fail(RequestID, FTPError)
        case askToYield(ConnectionID)
        /// Bring it back in step, then ``PoolStateMachine/serviced(_:works:now:)``.
        case recover(ConnectionID)
        /// Keep it alive, then ``PoolStateMachine/serviced(_:works:now:)``.
        case keepAlive(ConnectionID)
        /// Leave the directory in which it is, then ``PoolStateMachine/serviced(_:works:now:)``.
        case retreat(ConnectionID)
        /// Give up the data connection that was made ahead on it.
        case disarm(ConnectionID)
        /// Say goodbye and forget it.
        case close(ConnectionID)
        /// Forget it; it has ended already.
        case discard(ConnectionID)
    }

    struct Settings {
        var limit: Int
        var keepAlive: Duration
        var idleExtra: Duration
        /// How many logins at a time. A server that takes fewer clients refuses so many in a row at most, which is below
        /// what guards against password guessing count as an attack (five, mostly).
        var opensAtOnce = 3
        /// Giving a stream up and taking it up again costs about four round trips: 80 ms at 20 ms each. Of 400 ms that
        /// is a fifth, and two readers still see each other move.
        var slice = Duration.milliseconds(400)
        /// On a link of 200 ms, or a server that takes its time, four round trips are 800 ms. Who waits for longer than some
        /// seconds takes it for a hang.
        var longestSlice = Duration.seconds(4)
        /// A small file takes three round trips; breaking a transfer off takes two, and beginning it anew three more.
        var aheadSlice = Duration.milliseconds(100)
        /// How old a data connection that was made ahead may get.
        var preparationLifetime = Session.lifetime
        /// Enough for the commands of one small program run, and a transfer waits for a fraction of a second only.
        var metadataRun = 8
        /// Lingering connections of a crashed client are gone after some minutes.
        var limitMemory = Duration.seconds(300)
        /// How long a server that takes nobody is asked again while nothing is alive: it may still count connections that
        /// broke a moment ago, until its own time limits have passed.
        var patience = Duration.seconds(10)
        /// The pause before the first of these attempts; each further one is twice as long, up to ``longestPause``. A
        /// server notices a closed connection within a second or two.
        var firstPause = Duration.milliseconds(500)
        /// So that a free place is found soon, and nobody is asked more than a few times in all.
        var longestPause = Duration.seconds(4)
        /// Behind the first failed attempt at a server that is down: short, since most are only started anew. Each
        /// further pause is twice as long, up to ``longestRetryPause``.
        var retryPause = Duration.milliseconds(500)
        /// So that the first operation after a server's return works soon, and a thousand clients do not hammer on it.
        var longestRetryPause = Duration.seconds(8)
        /// For how long a server that has worked and is down now is waited for; `nil`: for ever.
        var outage: Duration? = .zero
        /// After a refused login: some servers lock accounts, or addresses, after a few failures.
        var refusedLoginPause = Duration.seconds(30)
        /// After a further connection could not be made while others work.
        var growthPause = Duration.seconds(10)
    }
}
