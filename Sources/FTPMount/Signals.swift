import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The signals of a mounting process. They are blocked in every thread, and one thread waits for them: no code runs in
/// a signal handler, where hardly anything is allowed.
enum Signals {
    /// What a signal can ask for beside the end.
    enum Request: Hashable, Sendable {
        /// SIGHUP: look at everything anew.
        case refresh
        /// SIGUSR1: write the status to the log.
        case report
    }

    /// What ends a mount.
    private static let ending = [SIGINT, SIGQUIT, SIGTERM]
    private static let requests: [Int32: Request] = [SIGHUP: .refresh, SIGUSR1: .report]

    /// Blocks the signals in this thread, and so in all that it starts. Call it before there is a second thread.
    ///
    /// A closed connection (SIGPIPE) must end nothing, and neither must a closed terminal (SIGHUP).
    ///
    /// - Parameter takingRequests: whether SIGHUP and SIGUSR1 mean something to this process.
    static func block(takingRequests: Bool = false) {
        signal(SIGPIPE, SIG_IGN)
        // What nohup(1) has made ignored would not even wait here.
        signal(SIGHUP, takingRequests ? SIG_DFL : SIG_IGN)
        var set = set(withRequests: takingRequests)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Lets a thread wait for the signals, and calls the handler on it for each.
    ///
    /// - Parameter onRequest: given if and only if ``block(takingRequests:)`` was told so.
    static func watch(
        _ handler: @escaping @Sendable (LifeCycle.Event) -> Void, onRequest: (@Sendable (Request) -> Void)? = nil
    ) throws(Thread.NotStarted) {
        try Thread.detached(named: "ftpfs-signals") {
            var set = set(withRequests: onRequest != nil)
            while true {
                var signal: Int32 = 0
                guard sigwait(&set, &signal) == 0 else { continue }
                if let request = requests[signal] {
                    onRequest?(request)
                } else {
                    handler(signal == SIGTERM ? .terminate : .interrupt)
                }
            }
        }
    }

    private static func set(withRequests: Bool) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in ending { sigaddset(&set, signal) }
        if withRequests { for signal in requests.keys { sigaddset(&set, signal) } }
        return set
    }
}
