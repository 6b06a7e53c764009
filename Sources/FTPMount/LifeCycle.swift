import Threading

/// The life of a mounting process, as events and what follows from them; without threads, clocks or system calls.
///
/// Events come from several threads (signals, the session's end, the steps of the mount), so the owner keeps this in a
/// monitor: it locks, tells the event, unlocks, and does what was answered.
struct LifeCycle {
    /// Where a mounting process is.
    enum State: Hashable {
        /// Connecting, mounting, checking that the mount answers. Next: ``serving``, ``stopping``.
        case starting
        /// The mount answers. Next: ``stopping``.
        case serving
        /// Something has asked for the end; what is unsent is being sent. Next: none, the process ends.
        case stopping(Reason, since: Instant)
    }

    /// Why a mount ends; the first reason counts.
    enum Reason: Hashable {
        /// A signal asked for it.
        case signal
        /// The kernel has ended the session: somebody has unmounted it.
        case unmounted
    }

    /// What happens to it.
    enum Event: Hashable {
        /// SIGINT or SIGQUIT: somebody is at the keyboard.
        case interrupt
        /// SIGTERM: the service manager, or `kill`.
        case terminate
        /// The mount has been seen to answer.
        case answers
        /// The loop that reads requests has returned.
        case sessionEnded
    }

    /// What its owner has to do.
    enum Action: Hashable {
        /// Nothing.
        case none
        /// Whoever connects or mounts gives up; then the process ends like after a failure.
        case giveUp
        /// Send what is unsent, unmount, end.
        case shutDown
        /// Unmount and end at once, whatever is unsent: the second Ctrl-C.
        case abandon
    }

    private(set) var state = State.starting

    /// From when on an interrupt is a second one. One press can come twice: timeout(1) signals its child and then its
    /// group; and nobody who sees nothing happen presses again within a second.
    private static let patience = Duration.seconds(1)

    /// Why the mount ends; `nil` while it does not.
    var reasonToStop: Reason? {
        if case .stopping(let reason, _) = state { return reason }
        return nil
    }

    /// Takes an event.
    mutating func handle(_ event: Event, at now: Instant) -> Action {
        switch (state, event) {
        case (.starting, .interrupt), (.starting, .terminate):
            state = .stopping(.signal, since: now)
            return .giveUp
        case (.starting, .answers):
            state = .serving
            return .none
        case (.starting, .sessionEnded):
            state = .stopping(.unmounted, since: now)
            return .giveUp
        case (.serving, .interrupt), (.serving, .terminate):
            state = .stopping(.signal, since: now)
            return .shutDown
        case (.serving, .sessionEnded):
            state = .stopping(.unmounted, since: now)
            return .shutDown
        case (.stopping(_, let start), .interrupt):
            return now.since(start) < Self.patience ? .none : .abandon
        case (.stopping, .terminate), (.stopping, .answers), (.stopping, .sessionEnded), (.serving, .answers):
            return .none
        }
    }
}
