import Logging
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The owner of the ``LifeCycle``: takes events from the threads that see them, and lets the main thread wait.
final class Ending: Sendable {
    private struct State {
        var life = LifeCycle()
        var answer: Answer?
    }

    /// What came of looking at the mount.
    private enum Answer {
        case answers
        case failed(Errno)
        /// There will be none.
        case ended(LifeCycle.Reason)
    }

    private let state = Monitor(State())
    private let mountPoint: String
    private let requests = Monitor<(@Sendable (Signals.Request) -> Void)?>(nil)
    /// Fires when the mount is to be given up while it is being made.
    let cancellation = Cancellation()

    init(mountPoint: String) { self.mountPoint = mountPoint }

    /// Takes the signals of this process from now on.
    func watchSignals() throws(MountFailure) {
        do throws(Thread.NotStarted) {
            try Signals.watch(handle) { [self] request in requests.withLock { $0 }?(request) }
        } catch {
            throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
        }
    }

    /// Says what is done when a signal asks for something else than the end. Until then such signals do nothing.
    ///
    /// - Parameter handler: runs on the thread that waits for signals; must not block.
    func onRequest(_ handler: @escaping @Sendable (Signals.Request) -> Void) { requests.withLock { $0 = handler } }

    /// Takes an event and does what follows from it. Any thread.
    func handle(_ event: LifeCycle.Event) {
        let now = Instant.now
        switch state.withLockThenWake({ $0.life.handle(event, at: now) }) {
        case .none, .shutDown: return
        case .giveUp: cancellation.cancel()
        case .abandon:
            DeadMount.detach(mountPoint)
            _exit(ExitCode.interrupted.rawValue)
        }
    }

    /// Looks at the mount as a program would, on a thread of its own: it is this process that has to answer.
    func lookAtTheMount() {
        let found = Result { () throws(Thread.NotStarted) in
            try Thread.detached(named: "ftpfs-look") { [self] in
                var status = stat()
                let code = stat(mountPoint, &status) == 0 ? nil : Errno(rawValue: errno)
                state.withLockThenWake { $0.answer = code.map(Answer.failed) ?? .answers }
            }
        }
        if case .failure(let error) = found {
            state.withLockThenWake { $0.answer = .failed(Errno(rawValue: error.code)) }
        }
    }

    /// Waits until the look has come back.
    ///
    /// - Throws: ``MountFailure`` when it failed, when the deadline comes first, or when the mount is to end already.
    func waitUntilItAnswers(_ deadline: Deadline) throws(MountFailure) {
        let answer = state.wait(until: deadline) { state in
            state.life.reasonToStop.map(Answer.ended) ?? state.answer
        }
        switch answer {
        case .answers: handle(.answers)
        case .failed(let error): throw MountFailure(.mountFailed, "the mount does not answer: \(error)")
        case .ended(.signal): throw MountFailure(.interrupted, "interrupted")
        case .ended(.unmounted): throw MountFailure(.mountFailed, "the mount has ended before it answered")
        case nil: throw MountFailure(.mountFailed, "the mount does not answer in time")
        }
    }

    /// Waits until a signal or an unmount ends the mount. No limit: this is what a mount does all day.
    func waitForTheEnd() {
        _ = state.wait(until: .never) { $0.life.reasonToStop }
    }

    /// Whether it ends.
    var hasBegun: Bool { state.withLock { $0.life.reasonToStop != nil } }

    /// Why it ends, for the log.
    var reason: String {
        switch state.withLock({ $0.life.reasonToStop }) {
        case .signal: "a signal"
        case .unmounted: "unmounted"
        case nil: "nobody waits for it"
        }
    }
}
