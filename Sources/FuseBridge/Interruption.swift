#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Which signals end a waiting request.
///
/// The kernel sends FUSE_INTERRUPT for *any* signal that reaches a process while it waits, once per request, and does not
/// say which. To answer EINTR to all of them breaks programs: git and make get SIGALRM and SIGCHLD all the time and do
/// not expect `open` to fail because of it. So the signals that are pending decide (SigPnd and ShdPnd in
/// /proc/PID/status, proc_pid_status(5)): the kernel takes them off only when the process leaves the kernel, which it
/// does not while it waits. What is not an end yet may become one: the request is looked at again each ``interval``,
/// because the kernel will not interrupt it a second time.
enum Interruption: Equatable {
    /// Nobody wants the answer any more.
    case cancel
    /// A signal that the program handles by itself, once it has its answer.
    case lookAgain

    /// How long a person's Ctrl-C may go unnoticed behind an earlier, harmless signal. Short enough to feel immediate; one
    /// small file read per waiting request and interval is not noticed either.
    static let interval = Duration.milliseconds(250)

    /// What a person or a supervisor sends to end a program. A signal whose default action ends the program needs no
    /// entry here: the kernel turns it into SIGKILL.
    private static let ending: UInt64 = [SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGQUIT].reduce(0) {
        $0 | 1 << UInt64($1 - 1)
    }

    /// Decides about a request by the signals of the process that waits; `nil` when it is gone or cannot be seen.
    ///
    /// Blocked signals count, too: a person has pressed Ctrl-C, and the program will end as soon as it can.
    static func decide(_ signals: ProcessSignals?) -> Interruption {
        guard let signals else { return .cancel }
        return signals.pending & ending != 0 ? .cancel : .lookAgain
    }
}
