#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// State that many threads share: reachable only while the lock is held, with a condition to wait for.
///
/// This is the only lock of ftpfs. `Synchronization.Mutex` is not used: it has no condition variable, traps after
/// `fork()`, and ThreadSanitizer reports false races with it.
///
/// ## Rules
/// - Nothing that can block (a socket, a disk, another monitor's wait) is called while the lock is held: take a
///   decision under the lock, leave it, act.
/// - A monitor is never entered again by the thread that is inside it (the lock is not recursive: it would stop for ever).
/// - Where two monitors nest, the file that owns the outer one says so. Debug builds prove that their orders make no
///   circle (`LockOrder`).
package final class Monitor<State: ~Copyable>: @unchecked Sendable {
    // The mutex and the condition live on the heap at a fixed address, as POSIX demands; `state` is touched only
    // between lock and unlock. That is what makes `@unchecked Sendable` true.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// A monitor over the given state.
    package init(_ state: consuming sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Timed waits count on the monotonic clock, so that setting the wall clock never wakes or stalls them.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let failed = pthread_mutex_init(mutex, nil) | pthread_cond_init(condition, &attributes)
        precondition(failed == 0, "pthread_mutex_init or pthread_cond_init failed: no memory")
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the state while holding the lock. Wakes nobody.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock()
        defer { unlock() }
        return try body(&state)
    }

    /// Runs `body` with the state while holding the lock, then wakes every thread that waits here.
    package func withLockThenWake<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        defer { pthread_cond_broadcast(condition) }
        return try withLock(body)
    }

    /// Runs `body` with the state while holding the lock, then wakes one thread that waits here.
    ///
    /// Only where any of them will do, and each looks at all of the state: a wake-up that reaches one who waits for
    /// something else is lost.
    package func withLockThenWakeOne<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        defer { pthread_cond_signal(condition) }
        return try withLock(body)
    }

    /// Waits until `body` returns something, and returns it.
    ///
    /// `body` runs with the lock held, at once and again after each wake-up; it returns `nil` to wait on. The lock is
    /// free while waiting.
    ///
    /// - Returns: what `body` returned, or `nil` when the deadline passed first.
    package func wait<Result, Failure: Error>(
        until deadline: Deadline,
        for body: (inout State) throws(Failure) -> sending Result?
    ) throws(Failure) -> sending Result? {
        lock()
        defer { unlock() }
        while true {
            if let result = try body(&state) { return result }
            if !blockUntilWoken(deadline) { return try body(&state) }
        }
    }

    /// Waits until `body` returns something, the deadline passes, or nobody wants the answer any more.
    ///
    /// Like ``wait(until:for:)``; a result that is there wins over both. Call it without holding a lock.
    package func wait<Result, Failure: Error>(
        until deadline: Deadline, cancellation: Cancellation,
        for body: (inout State) throws(Failure) -> sending Result?
    ) throws(Failure) -> sending WaitOutcome<Result> {
        let handler = cancellation.onCancel { self.wake() }
        defer { cancellation.removeHandler(handler) }
        lock()
        defer { unlock() }
        var timeIsUp = false
        while true {
            if let result = try body(&state) { return .ready(result) }
            // This lock is held while the cancellation takes its own; it never calls out under that.
            if cancellation.isCancelled { return .cancelled }
            if timeIsUp { return .timedOut }
            timeIsUp = !blockUntilWoken(deadline)
        }
    }

    /// Wakes every thread that waits here, so that it looks at the state again.
    package func wake() {
        // Taking the lock orders this behind a waiter that has looked but does not sleep yet.
        lock()
        unlock()
        pthread_cond_broadcast(condition)
    }

    @inline(__always)
    private func lock() {
        #if DEBUG
        LockOrder.willLock(Monitor.self, UnsafeRawPointer(mutex))
        #endif
        pthread_mutex_lock(mutex)
    }

    @inline(__always)
    private func unlock() {
        pthread_mutex_unlock(mutex)
        #if DEBUG
        LockOrder.didUnlock(UnsafeRawPointer(mutex))
        #endif
    }

    /// Sleeps on the condition; false once the deadline has passed. A name of its own, so that profiles can filter it.
    @inline(never)
    private func blockUntilWoken(_ deadline: Deadline) -> Bool {
        guard let instant = deadline.instant else {
            pthread_cond_wait(condition, mutex)
            return true
        }
        let nanoseconds = max(0, instant.nanoseconds)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    }
}

/// How a wait ended that could be cancelled.
package enum WaitOutcome<Result> {
    /// What was waited for.
    case ready(Result)
    /// The deadline passed first.
    case timedOut
    /// The request was cancelled first.
    case cancelled
}

extension WaitOutcome: Equatable where Result: Equatable {}
extension WaitOutcome: Sendable where Result: Sendable {}
