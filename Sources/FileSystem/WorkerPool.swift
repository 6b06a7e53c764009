import Threading

/// Threads for work that waits on the store: at most so many, made when needed and kept for a while.
///
/// What is submitted when all are busy waits its turn; then ``Job/isCrowded`` is called on every running job, so that
/// those which only keep a thread for later can give it up.
final class WorkerPool: Sendable {
    /// Something to run.
    protocol Job: AnyObject, Sendable {
        /// The work. It may take as long as the store's deadlines allow.
        func run()
        /// Others wait for a thread. Called without any lock, from any thread.
        func isCrowded()
    }

    private final class Errand: Job {
        private let body: @Sendable () -> Void

        init(body: @escaping @Sendable () -> Void) {
            self.body = body
        }

        func run() { body() }

        func isCrowded() {}
    }

    /// How long an idle thread stays. A thread costs some 50 µs to make; for a burst of small files it should be there.
    private static let idleTime = Duration.seconds(5)

    fileprivate struct State {
        var queue: [any Job] = []
        var running: [UInt64: any Job] = [:]
        var started: UInt64 = 0
        var threads = 0
        var idle = 0
        var isClosed = false
    }

    private let state = Monitor(State())
    private let name: String
    private let limit: Int

    /// A pool of up to `limit` threads of that name (15 bytes at most are shown).
    init(named name: String, limit: Int) {
        self.name = name
        self.limit = limit
    }

    /// How many jobs run now.
    var runningCount: Int { state.withLock { $0.running.count } }

    /// Whether jobs wait for a thread.
    var isCrowded: Bool { state.withLock { !$0.queue.isEmpty && $0.idle == 0 } }

    /// Runs a job on some thread, now or when one is free.
    ///
    /// - Throws: `noResources` when there is no thread and none can be made; the job will then not run.
    func submit(_ job: any Job) throws(StoreError) {
        // One job, one thread: to wake all that are idle would cost more than a small file does.
        let (needsThread, crowd) = state.withLockThenWakeOne { state -> (Bool, [any Job]) in
            state.queue.append(job)
            if state.idle >= state.queue.count { return (false, []) }
            if state.threads < limit {
                state.threads += 1
                return (true, [])
            }
            return (false, Array(state.running.values))
        }
        for other in crowd { other.isCrowded() }
        guard needsThread else { return }
        do throws(Thread.NotStarted) {
            try Thread.detached(named: name) { [self] in work() }
        } catch {
            let isStranded = state.withLock { state in
                state.threads -= 1
                guard state.threads == 0, let index = state.queue.firstIndex(where: { $0 === job }) else {
                    return false
                }
                state.queue.remove(at: index)
                return true
            }
            if isStranded { throw StoreError(.noResources, "pthread_create: error \(error.code)") }
        }
    }

    /// Runs some work that never keeps a thread for later.
    func submit(_ body: @escaping @Sendable () -> Void) throws(StoreError) {
        try submit(Errand(body: body))
    }

    /// Lets idle threads end at once, and the others when their jobs have.
    func close() {
        state.withLockThenWake { $0.isClosed = true }
    }

    private func work() {
        while let (ticket, job) = next() {
            job.run()
            state.withLock { $0.running[ticket] = nil }
        }
    }

    /// Waits for a job; `nil` ends the thread.
    private func next() -> (ticket: UInt64, job: any Job)? {
        state.withLock { $0.idle += 1 }
        let taken = state.wait(until: .after(Self.idleTime)) { state -> (ticket: UInt64, job: any Job)?? in
            if let work = state.take() { return .some(work) }
            return state.isClosed ? .some(state.endThread()) : nil
        }
        if let taken { return taken }
        return state.withLock { $0.take() ?? $0.endThread() }
    }
}

extension WorkerPool.State {
    fileprivate mutating func take() -> (ticket: UInt64, job: any WorkerPool.Job)? {
        guard !queue.isEmpty else { return nil }
        idle -= 1
        started += 1
        let job = queue.removeFirst()
        running[started] = job
        return (started, job)
    }

    fileprivate mutating func endThread() -> (ticket: UInt64, job: any WorkerPool.Job)? {
        idle -= 1
        threads -= 1
        return nil
    }
}
