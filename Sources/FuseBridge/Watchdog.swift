#if DEBUG
import Logging
import Threading

/// Tells, in debug builds, of requests that are older than any deadline allows: what waits so long waits for a thread that
/// waits for it, or for a wait that somebody has forgotten to bound.
///
/// With `hard`, and while a transfer makes progress, an old request is right; so it is a line in the log and not the end of
/// the process.
struct Watchdog {
    /// What the default limits add up to: three attempts of a minute each at a transfer that stands still, the minute that
    /// a server which is down is waited for, and one more.
    static let limit = Duration.seconds(300)
    private static let interval = Duration.seconds(30)

    private var reported: Set<UInt64> = []

    /// The requests to tell of: those beyond the limit, each once.
    mutating func overdue(_ requests: [(number: UInt64, begun: Instant)], now: Instant) -> [UInt64] {
        let old = requests.filter { now.since($0.begun) >= Self.limit }.map(\.number)
        let new = old.filter { !reported.contains($0) }
        reported = Set(old)
        return new.sorted()
    }

    /// Watches on a thread of its own until the session is closed. Does not block.
    static func watch(_ requests: RequestTable, _ logger: Logger) {
        // Without a thread nobody watches, and nothing else is different.
        try? Thread.detached(named: "fuse watchdog") {
            var watchdog = Watchdog()
            while let open = requests.open(after: interval) {
                let late = watchdog.overdue(open.map { ($0.number, $0.begun) }, now: .now)
                for request in open where late.contains(request.number) {
                    let (number, process) = (request.number, request.process)
                    logger.warning("request \(number) (\(request.operation)) of process \(process) has no answer yet")
                }
            }
        }
    }
}

extension RequestTable {
    /// Waits for a span, then gives the requests that have not been answered; `nil`, at once, when the session is closed.
    fileprivate func open(after span: Duration) -> [OpenRequest]? {
        let isClosed = waitForClose(until: .after(span))
        return isClosed ? nil : openRequests
    }
}
#endif
