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
///
/// Reads are looked at in the same way without having been interrupted, once they have taken an ``interval``: the kernel
/// reads ahead in the background, sends no interrupt for that, and lets a program with a handler for SIGINT (Python, git,
/// vim) wait for the page beyond the reach of Ctrl-C. A read that is ended so fails for nobody else: who waits for the
/// same page asks for it anew.
enum Interruption: Equatable {
    /// Nobody wants the answer any more.
    case cancel
    /// Somebody may; and a signal that the program handles by itself is its own business once it has its answer.
    case lookAgain

    /// How long a person's Ctrl-C may go unnoticed behind an earlier, harmless signal. Short enough to feel immediate; one
    /// small file read per waiting request and interval is not noticed either.
    static let interval = Duration.milliseconds(250)

    /// What a person or a supervisor sends to end a program. A signal whose default action ends the program needs no
    /// entry here, unless it dumps core (SIGQUIT): the kernel turns the others into SIGKILL.
    private static let ending: UInt64 = [SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGQUIT].reduce(0) {
        $0 | 1 << UInt64($1 - 1)
    }

    /// Decides about a request.
    ///
    /// Blocked signals count, too: a person has pressed Ctrl-C, and the program will end as soon as it can.
    ///
    /// - Parameter wasInterrupted: whether the kernel has sent an interrupt for it. If so, and the process cannot be looked
    ///   at, the signal is taken for one that ends it: better a needless EINTR than a program that cannot be ended.
    static func decide(_ process: WaitingProcess, wasInterrupted: Bool) -> Interruption {
        switch process {
        case .gone: .cancel
        case .hidden: wasInterrupted ? .cancel : .lookAgain
        case .visible(let signals): signals.pending & ending != 0 ? .cancel : .lookAgain
        }
    }
}
