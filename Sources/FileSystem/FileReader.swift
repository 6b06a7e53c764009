import Threading

/// Reads one file for all its handles: answers from the chunks that are here, and keeps one stream for the rest.
///
/// A request whose bytes are in the cache is answered on the caller's thread. Any other waits in a list; the worker
/// (a ``WorkerPool/Job``) takes the steps that the ``ReadPlanner`` says, and answers each request as soon as its last
/// byte is here. A waiting request holds on to the chunks it needs, so that the cache can drop them meanwhile.
///
/// Lock order: this monitor, then the chunk cache's or the pool's. The stream is opened, read and closed, and
/// completions are called, with no lock held.
final class FileReader: WorkerPool.Job {
    /// What the reader asks of the file system.
    struct Source: Sendable {
        /// Opens a stream; called without any lock.
        let open: @Sendable (Int64, Cancellation) throws(StoreError) -> any RemoteReadStream
        /// The content of that version ends there, and not where the server had said.
        let endFound: @Sendable (_ version: UInt64, _ end: Int64) -> Void
        /// A stream failed.
        let failed: @Sendable (StoreError) -> Void
    }

    fileprivate struct Waiting {
        var range: Range<Int64>
        var chunks: [Int64: Chunk] = [:]
        let cancellation: Cancellation
        var token: UInt64?
        let completion: @Sendable (ReadAnswer) -> Void
    }

    fileprivate struct State {
        var planner = ReadPlanner(end: nil)
        var version: UInt64?
        var waiting: [UInt64: Waiting] = [:]
        var lastID: UInt64 = 0
        /// The chunk that the stream fills.
        var current: (index: Int64, chunk: Chunk)?
        var hasWorker = false
        /// Ends the wait in the stream.
        var cancellation = Cancellation()
    }

    /// What the worker does, with what it needs for it.
    private enum Work {
        case open(at: Int64, Cancellation)
        case read(Chunk, filled: Int, Cancellation)
        case drain(Cancellation)
        case close
        case rest
    }

    private let state = Monitor(State())
    private let cache: ChunkCache
    private let pool: WorkerPool
    private let source: Source

    init(cache: ChunkCache, pool: WorkerPool, source: Source) {
        self.cache = cache
        self.pool = pool
        self.source = source
    }

    // MARK: - Readers

    /// Reads; `completion` is called exactly once, on this thread or on the stream's.
    ///
    /// - Parameters:
    ///   - size: where the content of this version ends; `nil` when the server does not say.
    ///   - version: the content. When it is another one than before, what was read before is void.
    func read(
        _ range: Range<Int64>, size: Int64?, version: UInt64, _ cancellation: Cancellation,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        var actions = Actions()
        let id = state.withLockThenWake { state -> UInt64? in
            if state.version != version { restart(&state, version, end: size, &actions) }
            let range = clipped(range, state.planner.end)
            var waiting = Waiting(range: range, cancellation: cancellation, completion: completion)
            state.lastID += 1
            let missing = gather(&waiting, state)
            if state.planner.requested(range, missing: missing, id: state.lastID) {
                actions.interrupted = state.cancellation
            }
            guard missing != nil else {
                actions.answers.append(waiting)
                return nil
            }
            state.waiting[state.lastID] = waiting
            startWorkerIfNeeded(&state, &actions)
            return state.lastID
        }
        perform(actions)
        if let id { watch(id, cancellation) }
    }

    /// Somebody has the file open for reading.
    func opened() {
        state.withLock { $0.planner.reopened() }
    }

    /// Nobody has the file open for reading any more: the stream ends, and whoever still waits is told so.
    func released() {
        var actions = Actions()
        state.withLockThenWake { state in
            if state.planner.released() { actions.interrupted = state.cancellation }
            actions.failures = state.waiting.values.map { ($0, StoreError.cancelled) }
            for id in state.waiting.keys { state.planner.settled(id) }
            state.waiting = [:]
        }
        perform(actions)
    }

    /// Others wait for a thread; a paused worker looks again.
    func isCrowded() {
        state.wake()
    }

    // MARK: - Worker

    /// Takes step after step until there is nothing left to do.
    func run() {
        var stream: (any RemoteReadStream)?
        while true {
            switch nextWork() {
            case .open(let offset, let cancellation):
                do throws(StoreError) {
                    stream = try source.open(offset, cancellation)
                    state.withLock { $0.planner.opened() }
                } catch {
                    fail(error)
                }
            case .read(let chunk, let filled, let cancellation):
                do throws(StoreError) {
                    let room = UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[filled...])
                    let count = try stream?.read(into: room, cancellation: cancellation) ?? 0
                    if count > 0 {
                        arrived(count, in: chunk)
                    } else {
                        stream = nil
                        ended()
                    }
                } catch {
                    stream = nil
                    fail(error)
                }
            case .drain(let cancellation):
                drain(stream, cancellation)
                stream = nil
            case .close:
                stream?.close()
                stream = nil
                state.withLock { $0.closeStream() }
            case .rest:
                return
            }
        }
    }

    private func nextWork() -> Work {
        let isCrowded = pool.isCrowded
        let limit = cache.windowLimit(streams: pool.runningCount)
        let work = state.wait(until: .never) { [self] state -> Work? in
            state.planner.windowLimit = limit
            switch state.planner.step(isCrowded: isCrowded || pool.isCrowded) {
            case .open(let offset):
                state.planner.opening(at: offset)
                state.current = nil
                state.cancellation = Cancellation()
                return .open(at: offset, state.cancellation)
            case .read:
                let chunk = fillable(&state)
                return .read(chunk, filled: chunk.filled, state.cancellation)
            case .drain:
                return .drain(state.cancellation)
            case .close:
                return .close
            case .pause:
                return nil
            case .rest:
                state.hasWorker = false
                return .rest
            }
        }
        return work ?? .rest
    }

    /// The chunk into which the next bytes go.
    private func fillable(_ state: inout State) -> Chunk {
        if let current = state.current, current.chunk.filled < current.chunk.bytes.count { return current.chunk }
        let position = state.planner.position ?? 0
        let index = position / ReadPlanner.chunkSize
        let rest = state.planner.end.map { $0 - position } ?? ReadPlanner.chunkSize
        let chunk = Chunk(capacity: Int(min(ReadPlanner.chunkSize, rest)))
        state.current = (index, chunk)
        if let version = state.version { cache.insert(chunk, index, of: version) }
        return chunk
    }

    private func arrived(_ count: Int, in chunk: Chunk) {
        var actions = Actions()
        state.withLock { state in
            guard let current = state.current, current.chunk === chunk else { return }
            chunk.filled += count
            state.planner.arrived(Int64(count))
            answerReady(&state, &actions) { waiting in
                let bounds = Self.bounds(of: current.index)
                return waiting.range.overlaps(bounds)
            }
        }
        perform(actions)
    }

    private func ended() {
        var actions = Actions()
        let found = state.withLock { state -> (version: UInt64, end: Int64)? in
            state.current = nil
            guard let end = state.planner.ended(), let version = state.version else { return nil }
            for (id, waiting) in state.waiting { state.waiting[id]?.range = clipped(waiting.range, end) }
            answerReady(&state, &actions) { _ in true }
            return (version, end)
        }
        if let found { source.endFound(found.version, found.end) }
        perform(actions)
    }

    /// Takes the end of the transfer, so that the server has ended it and not we.
    private func drain(_ stream: (any RemoteReadStream)?, _ cancellation: Cancellation) {
        // One byte shows that there is more than was announced; more of it nobody wants.
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            // A failure here changes nothing: every byte that was announced has come and has been handed on.
            let count = (try? stream?.read(into: byte, cancellation: cancellation)) ?? 0
            if count > 0 { stream?.close() }
        }
        state.withLock { $0.closeStream() }
    }

    private func fail(_ error: StoreError) {
        var actions = Actions()
        state.withLock { state in
            state.current = nil
            for id in state.planner.failed() {
                if let waiting = state.waiting.removeValue(forKey: id) { actions.failures.append((waiting, error)) }
            }
        }
        // Before the answers: who then asks again, asks for the new truth.
        if !actions.failures.isEmpty { source.failed(error) }
        perform(actions)
    }

    // MARK: - Under the lock

    /// Collects the chunks of a request that are here.
    ///
    /// - Returns: what is missing, from the first missing byte on; `nil`: nothing.
    private func gather(_ waiting: inout Waiting, _ state: State) -> Range<Int64>? {
        guard let version = state.version, !waiting.range.isEmpty else { return nil }
        var firstMissing: Int64?
        var index = waiting.range.lowerBound / ReadPlanner.chunkSize
        while index * ReadPlanner.chunkSize < waiting.range.upperBound {
            defer { index += 1 }
            guard waiting.chunks[index] == nil else { continue }
            let start = index * ReadPlanner.chunkSize
            let needed = Int(min(ReadPlanner.chunkSize, waiting.range.upperBound - start))
            let isCurrent = state.current?.index == index
            let chunk = isCurrent ? state.current?.chunk : cache.chunk(index, of: version)
            if let chunk, chunk.filled >= needed {
                waiting.chunks[index] = chunk
            } else if firstMissing == nil {
                firstMissing = max(waiting.range.lowerBound, isCurrent ? start + Int64(chunk?.filled ?? 0) : start)
            }
        }
        return firstMissing.map { $0..<waiting.range.upperBound }
    }

    /// Takes out the requests that have all their bytes now.
    private func answerReady(_ state: inout State, _ actions: inout Actions, where mayBeReady: (Waiting) -> Bool) {
        for (id, entry) in state.waiting where mayBeReady(entry) {
            var waiting = entry
            if gather(&waiting, state) == nil {
                state.waiting[id] = nil
                state.planner.settled(id)
                actions.answers.append(waiting)
            } else {
                state.waiting[id] = waiting
            }
        }
    }

    /// Begins with another content. Requests that wait begin anew.
    private func restart(_ state: inout State, _ version: UInt64, end: Int64?, _ actions: inout Actions) {
        if state.planner.restarted(end: end) { actions.interrupted = state.cancellation }
        state.version = version
        state.current = nil
        for (id, entry) in state.waiting {
            var waiting = entry
            waiting.chunks = [:]
            waiting.range = clipped(waiting.range, end)
            state.waiting[id] = waiting
            _ = state.planner.requested(waiting.range, missing: gather(&waiting, state), id: id)
        }
        answerReady(&state, &actions) { _ in true }
    }

    private func startWorkerIfNeeded(_ state: inout State, _ actions: inout Actions) {
        guard !state.hasWorker else { return }
        state.hasWorker = true
        actions.startsWorker = true
    }

    private func clipped(_ range: Range<Int64>, _ end: Int64?) -> Range<Int64> {
        guard let end else { return range }
        return min(range.lowerBound, end)..<min(range.upperBound, end)
    }

    private static func bounds(of index: Int64) -> Range<Int64> {
        index * ReadPlanner.chunkSize..<(index + 1) * ReadPlanner.chunkSize
    }

    // MARK: - Without the lock

    /// What was decided under the lock.
    private struct Actions {
        var answers: [Waiting] = []
        var failures: [(Waiting, StoreError)] = []
        var interrupted: Cancellation?
        var startsWorker = false
    }

    private func perform(_ actions: Actions) {
        actions.interrupted?.cancel()
        for waiting in actions.answers {
            if let token = waiting.token { waiting.cancellation.removeHandler(token) }
            answer(waiting)
        }
        for (waiting, error) in actions.failures {
            if let token = waiting.token { waiting.cancellation.removeHandler(token) }
            waiting.completion(.failed(error))
        }
        guard actions.startsWorker else { return }
        do throws(StoreError) {
            try pool.submit(self)
        } catch {
            state.withLock { $0.hasWorker = false }
            fail(error)
        }
    }

    private func answer(_ waiting: Waiting) {
        var pieces: [UnsafeRawBufferPointer] = []
        for (index, chunk) in waiting.chunks.sorted(by: { $0.key < $1.key }) {
            let start = index * ReadPlanner.chunkSize
            let from = Int(max(0, waiting.range.lowerBound - start))
            let to = Int(min(ReadPlanner.chunkSize, waiting.range.upperBound - start))
            if from < to { pieces.append(UnsafeRawBufferPointer(rebasing: chunk.bytes[from..<to])) }
        }
        withExtendedLifetime(waiting) { waiting.completion(.bytes(pieces)) }
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

extension FileReader.State {
    fileprivate mutating func closeStream() {
        current = nil
        planner.closed()
    }
}
