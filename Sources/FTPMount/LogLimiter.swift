import Logging
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Keeps a problem that comes again and again from filling the log: after a few lines in a minute the same one is counted,
/// and the count is told when it comes again after that minute.
///
/// Without a clock and without output: ``LimitedLogHandler`` has both.
struct LogLimiter {
    /// What to do with a record.
    enum Action: Equatable {
        case write
        case drop
        /// Write it, and that there were so many more of it since.
        case writeWithCount(Int)
    }

    /// How many lines of one kind there may be within ``span``: a person sees from them that it goes on.
    static let burst = 5
    /// A minute: what goes on for an hour makes at most 300 lines of one kind, with the first ones exact.
    static let span = Duration.seconds(60)
    /// How many kinds are remembered; a log in which so many things go wrong at once is beyond help.
    static let capacity = 64

    private struct Kind {
        var since: Instant
        var written = 1
        var dropped = 0
    }

    private var kinds: [String: Kind] = [:]

    /// Takes a record.
    mutating func record(_ text: String, at now: Instant) -> Action {
        let key = Self.kind(of: text)
        guard var kind = kinds[key] else {
            if kinds.count >= Self.capacity { forgetOldest() }
            kinds[key] = Kind(since: now)
            return .write
        }
        if now.since(kind.since) >= Self.span {
            kinds[key] = Kind(since: now)
            return kind.dropped > 0 ? .writeWithCount(kind.dropped) : .write
        }
        guard kind.written < Self.burst else {
            kind.dropped += 1
            kinds[key] = kind
            return .drop
        }
        kind.written += 1
        kinds[key] = kind
        return .write
    }

    /// Records that differ in figures and in names that are paths are of one kind: the same thing happens to many files.
    static func kind(of text: String) -> String {
        text.split(separator: " ").map { word in
            word.contains("/") ? "/" : String(word.filter { !$0.isASCII || !$0.isNumber })
        }.joined(separator: " ")
    }

    private mutating func forgetOldest() {
        guard let oldest = kinds.min(by: { $0.value.since < $1.value.since }) else { return }
        kinds[oldest.key] = nil
    }
}

/// Passes records on to another handler: warnings and notices only as often as ``LogLimiter`` says. Debugging gets everything.
/// So do errors, which name files that were not sent, and `info`, which tells what happens once in the life of a mount.
struct LimitedLogHandler: PassingLogHandler {
    var inner: any LogHandler
    private let limiter: Monitor<LogLimiter>
    private let clock: @Sendable () -> Instant

    init(_ inner: any LogHandler, clock: @escaping @Sendable () -> Instant = { .now }) {
        self.inner = inner
        limiter = Monitor(LogLimiter())
        self.clock = clock
    }

    func log(event: LogEvent) {
        guard event.level == .notice || event.level == .warning, inner.logLevel > .debug else {
            return inner.log(event: event)
        }
        let now = clock()
        switch limiter.withLock({ $0.record(LogLine.text(of: event, with: metadata), at: now) }) {
        case .drop: return
        case .write: inner.log(event: event)
        case .writeWithCount(let count):
            var event = event
            event.message = "\(event.message) (and \(count) more like this since)"
            inner.log(event: event)
        }
    }
}
