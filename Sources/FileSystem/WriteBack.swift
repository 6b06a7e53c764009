import Threading

/// How files are sent after their close.
package struct WriteBackSettings: Hashable, Sendable {
    /// How long a closed file waits before it is sent. What programs do next with a file (set its time, rename it, write it
    /// again) is done within a fraction of a second, and then costs nothing.
    package var delay = Duration.seconds(1)
    /// How many files are sent at a time, as far as connections are free.
    package var atOnce = 3

    /// The defaults.
    package init() {}
}

/// The owner of what waits to be sent after its close: the journal, the queue, and what belongs to each file.
///
/// ## How a file goes through it
/// 1. Its close writes down in the ``Journal`` what has to be sent, and returns (`FileSystem+WriteBack`).
/// 2. The file stays open for the mount itself (``Item/hold``): so its content is what everybody sees, and every operation on
///    its name or on a directory above it treats it like a file that some program is still writing.
/// 3. A worker sends it as any upload is sent, if the server's file is still what it was (`FileSystem+Conflict`).
/// 4. The journal is told, the hold is given back.
///
/// After a crash, the next mount of the same source does 2 to 4 with what the journal says (`FileSystem+Resume`).
///
/// ## Who watches the time
/// Of the workers that have nothing to do one sleeps until the next file is due, the others until that one gets something to
/// do. A close wakes it only if its file is due before that: waking a worker costs more than all the rest of a close,
/// and what is closed now is usually due after everything that was closed before.
///
/// Lock order: this monitor is held with no other.
final class WriteBack: Sendable {
    /// How many files may wait: some 2 KB of memory each. Who closes one more waits until that one is sent.
    static let maximumFiles = 20_000
    /// Up to how many bytes of content go into the journal itself: then a close costs one wait of the disk, not three.
    static let inlineLimit = 32 << 10

    /// What belongs to a file that waits.
    struct Item: Sendable {
        let content: FileContent
        /// The handle by which the mount itself has it open.
        var hold: HandleID?
        /// The spool file that the last record names; it must be there as long as that counts.
        var journalled: SpoolFile?
    }

    fileprivate struct State {
        var queue: WriteBackQueue
        var items: [UInt64: Item] = [:]
        var lastID: UInt64
        /// Counts attempts that have ended with all that follows from them, and those that ended well.
        var finished: UInt64 = 0
        var successes: UInt64 = 0
        /// Counts everything that a worker may want to know of.
        var changes: UInt64 = 0
        var hasWorkers = false
        /// The worker that sleeps until the next file is due; `nil`: all have something to do.
        var watch: Watch?
        /// How many workers have a job in hand, or what follows from one.
        var busy = 0
        var isClosed = false
        /// Whether the log says that nothing can be sent at present.
        var isInterrupted = false
    }

    fileprivate struct Watch {
        /// `nil`: until something happens.
        let until: Instant?
    }

    let settings: WriteBackSettings
    let journal: Journal
    private let state: Monitor<State>

    init(_ settings: WriteBackSettings, _ journal: Journal, lastID: UInt64) {
        self.settings = settings
        self.journal = journal
        state = Monitor(State(queue: WriteBackQueue(limit: settings.atOnce), lastID: lastID))
    }

    // MARK: - Files

    /// A number that no file has had in this journal.
    func takeID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Whether one more file may wait.
    var hasRoom: Bool { state.withLock { $0.items.count < Self.maximumFiles } }

    /// Whether the mount has ended.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The journal has a record of a file.
    ///
    /// - Parameter hold: a handle by which the mount itself has it open.
    /// - Returns: the handle, if there is one already; and whether workers have to be started.
    func committed(
        _ id: UInt64, _ content: FileContent, sequence: UInt64, in file: SpoolFile?, due: Instant, hold: HandleID?
    ) -> (spare: HandleID?, needsWorkers: Bool) {
        let (spare, needsWorkers, isSooner) = state.withLock { state in
            let isSooner = state.watch.map { watch in watch.until.map { due < $0 } ?? true } ?? false
            if isSooner { state.changes += 1 }
            // Who closed it a moment earlier may come here a moment later.
            let isLatest = state.queue.entries[id].map { $0.sequence < sequence } ?? true
            var item = state.items[id] ?? Item(content: content)
            if isLatest { item.journalled = file }
            let isHeld = item.hold != nil
            if !isHeld { item.hold = hold }
            state.items[id] = item
            state.queue.committed(id, sequence: sequence, due: due)
            defer { state.hasWorkers = true }
            return (isHeld ? hold : nil, !state.hasWorkers, isSooner)
        }
        if isSooner { state.wake() }
        return (spare, needsWorkers)
    }

    /// Nothing of a file waits any more.
    ///
    /// - Returns: what belonged to it; the caller gives back the handle.
    func remove(_ id: UInt64) -> Item? {
        state.withLockThenWake { state in
            state.changes += 1
            state.queue.remove(id)
            return state.items.removeValue(forKey: id)
        }
    }

    /// Nothing of a file waits any more, unless the journal has a later record.
    func remove(_ id: UInt64, upTo sequence: UInt64) -> Item? {
        state.withLockThenWake { state in
            guard let entry = state.queue.entries[id], entry.sequence <= sequence else { return nil }
            state.changes += 1
            state.queue.remove(id)
            return state.items.removeValue(forKey: id)
        }
    }

    /// All that wait, in the order in which they are due.
    var waiting: [(content: FileContent, entry: WriteBackQueue.Entry)] {
        state.withLock { state in
            state.queue.entries.sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
                .compactMap { id, entry in state.items[id].map { ($0.content, entry) } }
        }
    }

    /// How many files wait.
    var count: Int { state.withLock { $0.queue.count } }

    /// Whether a file waits.
    func isWaiting(_ id: UInt64) -> Bool { state.withLock { $0.queue.entries[id] != nil } }

    // MARK: - Sending

    /// A file to be sent now.
    struct Job: Sendable {
        let id: UInt64
        let content: FileContent
        /// The last record of the journal about it.
        let sequence: UInt64
    }

    /// Waits until a file has to be sent; `nil`: the mount has ended.
    ///
    /// - Parameter spare: how many transfers could begin without anybody having to wait for a connection; called without
    ///   any lock.
    func next(now: @Sendable () -> Instant, spare: () -> Int) -> Job? {
        var watches = false
        while true {
            let (free, instant) = (spare(), now())
            let (job, rest) = state.withLock { state -> (Job?, Rest?) in
                if watches { state.watch = nil }
                guard !state.isClosed else { return (nil, nil) }
                if let id = state.queue.next(at: instant, spare: free), let item = state.items[id],
                    let entry = state.queue.entries[id]
                {
                    state.busy += 1
                    return (Job(id: id, content: item.content, sequence: entry.sequence), nil)
                }
                return (nil, state.rest(instant, free))
            }
            guard job == nil, let rest else {
                // Another one has to watch.
                if watches { state.wake() }
                return job
            }
            watches = rest.watches
            _ = state.wait(until: rest.span.map { .after($0) } ?? .never) { state -> Void? in
                let mayWatch = !rest.watches && state.watch == nil
                return state.isClosed || state.changes != rest.changes || mayWatch ? () : nil
            }
        }
    }

    /// What a worker does that has nothing to do.
    fileprivate struct Rest {
        let watches: Bool
        /// `nil`: until something happens.
        let span: Duration?
        let changes: UInt64
    }

    /// What the log has to hear of an attempt.
    enum News: Hashable {
        case nothing
        /// From now on nothing can be sent; so many files wait.
        case interrupted(StoreError, waiting: Int)
        /// It works again.
        case resumed
    }

    /// An attempt has ended.
    ///
    /// - Returns: what to do, with what belonged to a file of which nothing waits any more.
    func ended(
        _ job: Job, _ outcome: WriteBackQueue.Outcome, at now: Instant
    ) -> (action: WriteBackQueue.Action, item: Item?, news: News) {
        state.withLockThenWake { state in
            state.changes += 1
            let action = state.queue.ended(job.id, outcome, at: now)
            let item = action == .settle ? state.items.removeValue(forKey: job.id) : nil
            return (action, item, state.news(outcome))
        }
    }

    /// What followed from an attempt has been done, too.
    func done(_ outcome: WriteBackQueue.Outcome) {
        state.withLockThenWake { state in
            state.busy -= 1
            state.finished += 1
            if case .sent = outcome { state.successes += 1 }
        }
    }

    /// Somebody waits for these files; `nil`: for all.
    func urge(_ ids: [UInt64]?, at now: Instant) {
        state.withLockThenWake { state in
            state.changes += 1
            state.queue.urge(ids, at: now)
        }
    }

    // MARK: - Waiting

    /// Waits until nothing waits.
    func waitUntilEmpty(_ deadline: Deadline) -> Bool {
        state.wait(until: deadline) { $0.queue.count == 0 && $0.busy == 0 ? () : nil } != nil
    }

    /// Sends these files now, and waits until they have been sent. The store bounds the wait.
    ///
    /// - Throws: why one of them could not be sent; it goes on waiting.
    func sendNow(_ ids: [UInt64], at now: Instant, _ cancellation: Cancellation) throws(StoreError) {
        let before = state.withLockThenWake { state in
            state.changes += 1
            state.queue.urge(ids, at: now)
            return state.queue.entries.mapValues(\.attempts)
        }
        try state.wait(cancellation: cancellation) { state throws(StoreError) -> Void? in
            var isWaiting = false
            for id in ids {
                guard let entry = state.queue.entries[id] else { continue }
                isWaiting = true
                if !entry.isSending, entry.attempts > before[id] ?? 0, let error = entry.lastError { throw error }
            }
            return isWaiting ? nil : ()
        }
    }

    /// Sends all that waits, and waits until one file has been sent. The store bounds the wait.
    ///
    /// - Returns: false when none waits, or an attempt failed.
    func waitForRoom(at now: Instant, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        // In one step: an attempt that fails at once is not to be missed, the next one may be minutes away.
        let (successes, finished) = state.withLockThenWake { state in
            state.changes += 1
            state.queue.urge(nil, at: now)
            return (state.successes, state.finished)
        }
        return try state.wait(cancellation: cancellation) { state in
            if state.finished > finished { return state.successes > successes }
            return state.queue.count == 0 && state.busy == 0 ? false : nil
        }
    }

    // MARK: - The end

    /// Everything is due from now on.
    func drain(at now: Instant) {
        state.withLockThenWake { state in
            state.changes += 1
            state.queue.drain(at: now)
        }
    }

    /// Waits until all is done that can be done, or the deadline comes.
    ///
    /// - Returns: whether there is no use in waiting longer.
    func waitUntilDrained(_ deadline: Deadline) -> Bool {
        state.wait(until: deadline) { $0.queue.isDrained ? () : nil } != nil
    }

    /// Ends the workers, when they have ended what they do.
    ///
    /// - Returns: the files that are being sent.
    func close() -> [FileContent] {
        state.withLockThenWake { state in
            state.isClosed = true
            return state.queue.entries.filter(\.value.isSending).compactMap { state.items[$0.key]?.content }
        }
    }

    /// Waits until no worker sends.
    func waitUntilIdle() {
        _ = state.wait(until: .never) { $0.busy == 0 ? () : nil }
    }

    /// Takes out everything that is left.
    func takeAll() -> [Item] {
        state.withLock { state in
            defer { state.items = [:] }
            return Array(state.items.values)
        }
    }
}

extension WriteBack.State {
    /// There is nothing to do now.
    fileprivate mutating func rest(_ now: Instant, _ spare: Int) -> WriteBack.Rest {
        guard watch == nil else { return WriteBack.Rest(watches: false, span: nil, changes: changes) }
        let span = pause(now, spare)
        watch = WriteBack.Watch(until: span.map { now.advanced(by: $0) })
        return WriteBack.Rest(watches: true, span: span, changes: changes)
    }

    /// How long there is nothing to do; `nil`: until something happens.
    private mutating func pause(_ now: Instant, _ spare: Int) -> Duration? {
        guard queue.sendingCount < queue.limit, let due = queue.nextDue else { return nil }
        if due > now { return due.since(now) }
        // A connection was missing. Nobody says when one is free.
        return spare > 0 ? .milliseconds(1) : .seconds(1)
    }

    /// One line when an outage begins and one when it ends, however many files wait.
    fileprivate mutating func news(_ outcome: WriteBackQueue.Outcome) -> WriteBack.News {
        switch outcome {
        case .sent:
            defer { isInterrupted = false }
            return isInterrupted ? .resumed : .nothing
        case .failed(let error):
            guard WriteBackQueue.patience(with: error.kind) == nil, error.kind != .cancelled, !isInterrupted else {
                return .nothing
            }
            isInterrupted = true
            return .interrupted(error, waiting: queue.count)
        }
    }
}
