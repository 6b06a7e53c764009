import Threading
import Vocabulary

/// Reads one file for all its handles: answers from the chunks that are here, and keeps streams for the rest.
///
/// A request whose bytes are in the cache is answered on the caller's thread. Any other waits in a list; a worker for each
/// lane (a ``WorkerPool/Job``, `FileReader+Worker.swift`) takes the steps that the ``ReadPlanner`` says, and answers each
/// request as soon as its last byte is here. A waiting request holds on to the chunks it needs, so that the cache can drop
/// them meanwhile.
///
/// Lock order: this monitor, then the chunk cache's or the pool's. Streams are opened, read and closed, and completions
/// are called, with no lock held.
final class FileReader: Sendable {
    /// What the reader asks of the file system.
    struct Source: Sendable {
        /// Opens a stream; called without any lock.
        let open: @Sendable (Int64, Urgency, Cancellation) throws(StoreError) -> Opened
        /// Whether the file is still there, and nobody is about to rename it.
        let isStill: @Sendable (RemotePath) -> Bool
        /// How many more streams there may be without anybody having to wait for a connection.
        let spareStreams: @Sendable () -> Int
        /// The content of that version ends there, and not where the server had said.
        let endFound: @Sendable (_ version: UInt64, _ end: Int64) -> Void
        /// A stream failed.
        let failed: @Sendable (StoreError) -> Void
    }

    /// A stream, and where the file was when it was opened.
    struct Opened {
        let stream: any RemoteReadStream
        let path: RemotePath
    }

    struct State {
        var planner = ReadPlanner(end: nil)
        var version: UInt64?
        var waiting: [UInt64: ReadRequest] = [:]
        var lastID: UInt64 = 0
        var lanes: [ReadPlanner.LaneID: Lane] = [:]
    }

    /// What belongs to a lane whose worker runs.
    struct Lane {
        /// The chunk that its stream fills.
        var current: (index: Int64, chunk: Chunk)?
        /// Ends the wait in the stream.
        var cancellation = Cancellation()
        /// Fires when somebody waits for what is being opened ahead.
        var raised = Cancellation()
    }

    let state = Monitor(State())
    let cache: ChunkCache
    let pool: WorkerPool
    let source: Source

    init(cache: ChunkCache, pool: WorkerPool, source: Source) {
        self.cache = cache
        self.pool = pool
        self.source = source
    }

    // MARK: - Readers

    /// Reads; `completion` is called exactly once, on this thread or on a stream's.
    ///
    /// - Parameters:
    ///   - size: where the content of this version ends; `nil` when the server does not say.
    ///   - version: the content. When it is another one than before, what was read before is void.
    ///   - isAhead: nobody asked for it yet; it must delay nobody.
    func read(
        _ range: Range<Int64>, size: Int64?, version: UInt64, isAhead: Bool = false, _ cancellation: Cancellation,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        let spare = source.spareStreams()
        var actions = Actions()
        let (id, wakes) = state.withLock { state -> (UInt64?, Bool) in
            // A stream that pauses has to hear of it: on some servers it locks the file that is about to be written.
            let isAnother = state.version != version
            if isAnother { restart(&state, version, end: size, &actions) }
            let range = clipped(range, state.planner.end)
            var waiting = ReadRequest(
                range: range, isAhead: isAhead, cancellation: cancellation, completion: completion)
            state.lastID += 1
            let missing = gather(&waiting, state)
            state.planner.laneLimit = max(1, state.planner.laneCount + spare)
            let reaction = state.planner.requested(range, missing: missing, id: state.lastID)
            if let cut = reaction.interrupted, let lane = state.lanes[cut] {
                actions.cancelled.append(lane.cancellation)
            }
            guard missing != nil else {
                actions.take(waiting, state.version)
                return (nil, reaction.wakes || isAnother)
            }
            state.waiting[state.lastID] = waiting
            if let lane = reaction.lane {
                startWorkerIfNeeded(lane, &state, &actions)
                if !isAhead, let raised = state.lanes[lane]?.raised { actions.cancelled.append(raised) }
            }
            return (state.lastID, reaction.wakes || isAnother)
        }
        if wakes { state.wake() }
        perform(actions)
        if let id { watch(id, cancellation) }
    }

    /// Somebody has the file open for reading.
    func opened() {
        state.withLock { $0.planner.reopened() }
    }

    /// Nobody has the file open for reading any more: the streams end, and whoever still waits is told so.
    func released() {
        var actions = Actions()
        state.withLockThenWake { state in
            for lane in state.planner.released() {
                if let cancellation = state.lanes[lane]?.cancellation { actions.cancelled.append(cancellation) }
            }
            actions.failures = state.waiting.values.map { ($0, StoreError.cancelled) }
            for id in state.waiting.keys { state.planner.settled(id) }
            state.waiting = [:]
        }
        perform(actions)
    }

    // MARK: - Under the lock

    /// Collects the chunks of a request that are here.
    ///
    /// - Returns: what is missing, from the first missing byte on; `nil`: nothing.
    func gather(_ request: inout ReadRequest, _ state: State) -> Range<Int64>? {
        guard let version = state.version else { return request.range }
        let coming = state.lanes.compactMap { id, lane in state.planner.isInterrupted(id) ? nil : lane.current }
        return request.gather(coming: coming) { cache.chunk($0, of: version) }
    }

    /// Takes out the requests that have all their bytes now.
    func answerReady(_ state: inout State, _ actions: inout Actions, where mayBeReady: (ReadRequest) -> Bool) {
        for (id, entry) in state.waiting where mayBeReady(entry) {
            var waiting = entry
            if gather(&waiting, state) == nil {
                state.waiting[id] = nil
                state.planner.settled(id)
                actions.take(waiting, state.version)
            } else {
                state.waiting[id] = waiting
            }
        }
    }

    /// Begins with another content. Requests that wait begin anew.
    private func restart(_ state: inout State, _ version: UInt64, end: Int64?, _ actions: inout Actions) {
        for lane in state.planner.restarted(end: end) {
            if let cancellation = state.lanes[lane]?.cancellation { actions.cancelled.append(cancellation) }
        }
        state.version = version
        for lane in state.lanes.keys { state.lanes[lane]?.current = nil }
        for (id, entry) in state.waiting {
            var waiting = entry
            waiting.chunks = [:]
            waiting.range = clipped(waiting.range, end)
            let missing = gather(&waiting, state)
            state.waiting[id] = waiting
            let reaction = state.planner.requested(waiting.range, missing: missing, id: id)
            if let lane = reaction.lane { startWorkerIfNeeded(lane, &state, &actions) }
        }
        answerReady(&state, &actions) { _ in true }
    }

    private func startWorkerIfNeeded(_ lane: ReadPlanner.LaneID, _ state: inout State, _ actions: inout Actions) {
        guard state.lanes[lane] == nil else { return }
        state.lanes[lane] = Lane()
        actions.workers.append(lane)
    }

    func clipped(_ range: Range<Int64>, _ end: Int64?) -> Range<Int64> {
        // Beyond that there are no files, and no sums without overflow.
        let end = min(end ?? .max, Int64.max / 2)
        return min(range.lowerBound, end)..<min(range.upperBound, end)
    }

    // MARK: - Without the lock

    /// What was decided under the lock.
    struct Actions {
        fileprivate var answers: [(request: ReadRequest, version: UInt64?)] = []
        var failures: [(ReadRequest, StoreError)] = []
        /// Waits to cut short, and what is to be told that somebody waits for it.
        fileprivate var cancelled: [Cancellation] = []
        fileprivate var workers: [ReadPlanner.LaneID] = []

        /// A request has all its bytes, of that version.
        mutating func take(_ request: ReadRequest, _ version: UInt64?) { answers.append((request, version)) }
    }

    func perform(_ actions: Actions) {
        for cancellation in actions.cancelled { cancellation.cancel() }
        for (waiting, version) in actions.answers {
            waiting.answer()
            let spent = waiting.spentChunks
            if let version, !spent.isEmpty { cache.noteSpent(spent, of: version) }
        }
        for (waiting, error) in actions.failures {
            waiting.fail(error)
        }
        for lane in actions.workers { startWorker(lane) }
    }

    /// Answers a waiting request at once when it is cancelled.
    private func watch(_ id: UInt64, _ cancellation: Cancellation) {
        let token = cancellation.onCancel { [weak self] in self?.cancel(id) }
        let isWaiting = state.withLock { state in
            state.waiting[id]?.token = token
            return state.waiting[id] != nil
        }
        if !isWaiting { cancellation.removeHandler(token) }
    }

    private func cancel(_ id: UInt64) {
        let waiting = state.withLockThenWake { state in
            state.planner.settled(id)
            return state.waiting.removeValue(forKey: id)
        }
        waiting?.completion(.failed(.cancelled))
    }
}
