import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The signals of a mounting process. They are blocked in every thread, and one thread waits for them: no code runs in
/// a signal handler, where hardly anything is allowed.
enum Signals {
    /// What ends a mount.
    private static let ending = [SIGINT, SIGQUIT, SIGTERM]
    /// What must not end it: a closed terminal, and a closed connection.
    private static let ignored = [SIGHUP, SIGPIPE]

    /// Blocks the signals in this thread, and so in all that it starts. Call it before there is a second thread.
    static func block() {
        for signal in ignored { Glibc.signal(signal, SIG_IGN) }
        var set = endingSet()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Lets a thread wait for the signals, and calls the handler on it for each.
    static func watch(_ handler: @escaping @Sendable (LifeCycle.Event) -> Void) throws(Thread.NotStarted) {
        try Thread.detached(named: "ftpfs-signals") {
            var set = endingSet()
            while true {
                var signal: Int32 = 0
                guard sigwait(&set, &signal) == 0 else { continue }
                handler(signal == SIGTERM ? .terminate : .interrupt)
            }
        }
    }

    private static func endingSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in ending { sigaddset(&set, signal) }
        return set
    }
}
