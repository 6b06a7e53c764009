import Logging
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The last things that went wrong in a mount, for `ftpfs status`: what the log has at the level `notice` and above.
final class FaultRing: Sendable {
    /// One of them, as often as it came in a row.
    struct Fault: Hashable, Sendable {
        /// When it came last, in seconds since 1970.
        var time: Int64
        let level: String
        let text: String
        var times = 1
    }

    private struct State {
        var faults: [Fault] = []
        var total: Int64 = 0
    }

    /// How many are kept: what fits on a screen. The log has them all.
    static let capacity = 20
    /// How much of a text is kept, in characters: a server may say a lot.
    private static let longestText = 500

    private let state = Monitor(State())
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: seconds since 1970.
    init(clock: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }) {
        self.clock = clock
    }

    /// The last ones, oldest first.
    var faults: [Fault] { state.withLock { $0.faults } }

    /// How many there have been since the beginning.
    var total: Int64 { state.withLock { $0.total } }

    func note(_ level: Logger.Level, _ text: String) {
        let now = clock()
        let text = text.count > Self.longestText ? text.prefix(Self.longestText) + "..." : text
        state.withLock { state in
            state.total += 1
            if let last = state.faults.last, last.text == text, last.level == level.rawValue {
                state.faults[state.faults.count - 1].time = now
                state.faults[state.faults.count - 1].times += 1
            } else {
                state.faults.append(Fault(time: now, level: level.rawValue, text: text))
                if state.faults.count > Self.capacity { state.faults.removeFirst() }
            }
        }
    }
}

/// Passes records on to another handler, and notes in a ring what went wrong.
struct FaultLogHandler: PassingLogHandler {
    var inner: any LogHandler
    private let faults: FaultRing

    init(_ inner: any LogHandler, _ faults: FaultRing) {
        self.inner = inner
        self.faults = faults
    }

    func log(event: LogEvent) {
        if event.level >= .notice { faults.note(event.level, LogLine.text(of: event, with: metadata)) }
        inner.log(event: event)
    }
}
