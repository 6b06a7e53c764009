import Threading
import Vocabulary

/// The workers of a reader: one for each lane that has a stream, or is to open one.
extension FileReader {
    /// The work for one lane, as the pool of threads sees it.
    private final class Worker: WorkerPool.Job {
        private let reader: FileReader
        private let lane: ReadPlanner.LaneID

        init(_ reader: FileReader, _ lane: ReadPlanner.LaneID) {
            self.reader = reader
            self.lane = lane
        }

        func run() { reader.work(lane) }

        /// Others wait for a thread; a paused worker looks again.
        func isCrowded() { reader.state.wake() }
    }

    /// What a worker does, with what it needs for it.
    private enum Work {
        case open(at: Int64, Urgency, Cancellation)
        case read(Chunk, Range<Int>, Cancellation)
        case drain(Cancellation)
        case fail(StoreError)
        case close
        case rest
    }

    /// Starts the worker of a lane; if there is no thread for it, its requests fail.
    func startWorker(_ lane: ReadPlanner.LaneID) {
        do throws(StoreError) {
            try pool.submit(Worker(self, lane))
        } catch {
            fail(lane, error)
            state.withLock { state in
                state.lanes[lane] = nil
                _ = state.planner.step(lane, isCrowded: false)
            }
        }
    }

    /// Takes step after step until there is nothing left to do.
    private func work(_ lane: ReadPlanner.LaneID) {
        var stream: (any RemoteReadStream)?
        var path: RemotePath?
        while true {
            switch nextWork(lane) {
            case .open(let offset, let urgency, let cancellation):
                do throws(StoreError) {
                    let opened = try source.open(offset, urgency, cancellation)
                    (stream, path) = (opened.stream, opened.path)
                    state.withLock { $0.planner.opened(lane) }
                } catch {
                    fail(lane, error)
                }
            case .read(let chunk, let part, let cancellation):
                do throws(StoreError) {
                    let room = UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[part])
                    let count = try stream?.read(into: room, cancellation: cancellation) ?? 0
                    if count > 0 {
                        arrived(count, in: chunk, lane)
                    } else {
                        stream = nil
                        ended(lane)
                    }
                } catch {
                    stream = nil
                    if isLeftBehind(path, error) { closeStream(lane) } else { fail(lane, error) }
                }
            case .drain(let cancellation):
                drain(stream, cancellation)
                stream = nil
                closeStream(lane)
            case .fail(let error):
                stream?.close()
                stream = nil
                fail(lane, error)
            case .close:
                stream?.close()
                stream = nil
                closeStream(lane)
            case .rest:
                return
            }
        }
    }

    /// Whether a stream failed because the file has another name by now: one that was taken up again looks for it under the name
    /// that it was opened with. Then the next one finds it.
    private func isLeftBehind(_ path: RemotePath?, _ error: StoreError) -> Bool {
        guard let path, error.kind == .changedRemotely || error.kind == .notFound else { return false }
        return !source.isStill(path)
    }

    private func nextWork(_ lane: ReadPlanner.LaneID) -> Work {
        let isCrowded = pool.isCrowded
        let limit = cache.windowLimit(streams: pool.runningCount)
        let work = state.wait(until: .never) { [self] state -> Work? in
            state.planner.windowLimit = limit
            switch state.planner.step(lane, isCrowded: isCrowded || pool.isCrowded) {
            case .open(let offset):
                state.planner.opening(lane, at: offset)
                let isAhead = state.planner.waiting(for: lane).allSatisfy { state.waiting[$0]?.isAhead ?? true }
                let fresh = Lane()
                state.lanes[lane] = fresh
                return .open(at: offset, isAhead ? .ahead(until: fresh.raised) : .wanted, fresh.cancellation)
            case .read:
                let chunk: Chunk
                do throws(StoreError) {
                    chunk = try fillable(&state, lane)
                } catch {
                    return .fail(error)
                }
                let room = min(chunk.bytes.count - chunk.filled, state.planner.mostAtOnce(lane))
                return .read(
                    chunk, chunk.filled..<chunk.filled + room, state.lanes[lane]?.cancellation ?? Cancellation())
            case .drain:
                return .drain(state.lanes[lane]?.cancellation ?? Cancellation())
            case .close:
                return .close
            case .pause:
                return nil
            case .rest:
                state.lanes[lane] = nil
                return .rest
            }
        }
        return work ?? .rest
    }

    /// The chunk into which the next bytes of a lane go.
    private func fillable(_ state: inout State, _ lane: ReadPlanner.LaneID) throws(StoreError) -> Chunk {
        if let current = state.lanes[lane]?.current, !current.chunk.isFull { return current.chunk }
        let position = state.planner.position(of: lane) ?? 0
        let index = position / ReadPlanner.chunkSize
        let start = index * ReadPlanner.chunkSize
        let rest = state.planner.end.map { $0 - start } ?? ReadPlanner.chunkSize
        let chunk = try Chunk(
            capacity: Int(min(ReadPlanner.chunkSize, rest)), from: Int(position - start), memory: cache.memory)
        state.lanes[lane]?.current = (index, chunk)
        if let version = state.version { cache.insert(chunk, index, of: version) }
        return chunk
    }

    private func arrived(_ count: Int, in chunk: Chunk, _ lane: ReadPlanner.LaneID) {
        var actions = Actions()
        state.withLock { state in
            guard let current = state.lanes[lane]?.current, current.chunk === chunk else { return }
            chunk.fill(count)
            state.planner.arrived(Int64(count), lane)
            answerReady(&state, &actions) { waiting in
                waiting.touches(current.index)
            }
        }
        perform(actions)
    }

    private func ended(_ lane: ReadPlanner.LaneID) {
        var actions = Actions()
        let found = state.withLockThenWake { state -> (version: UInt64, end: Int64)? in
            state.lanes[lane]?.current = nil
            guard let end = state.planner.ended(lane), let version = state.version else { return nil }
            for (id, waiting) in state.waiting { state.waiting[id]?.range = clipped(waiting.range, end) }
            answerReady(&state, &actions) { _ in true }
            findMissing(&state)
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
    }

    private func closeStream(_ lane: ReadPlanner.LaneID) {
        state.withLock { state in
            state.lanes[lane]?.current = nil
            state.planner.closed(lane)
            findMissing(&state)
        }
    }

    /// Looks again what requests wait for, after a chunk was left half done: the next stream fills another one in its
    /// place, from where they say.
    private func findMissing(_ state: inout State) {
        for (id, entry) in state.waiting {
            var waiting = entry
            guard let missing = gather(&waiting, state) else { continue }
            state.waiting[id] = waiting
            state.planner.missing(missing, id)
        }
    }

    private func fail(_ lane: ReadPlanner.LaneID, _ error: StoreError) {
        var actions = Actions()
        state.withLock { state in
            state.lanes[lane]?.current = nil
            var failed = state.planner.failed(lane)
            // What the other lanes bring is of the same content that is gone.
            if error.kind == .changedRemotely, !failed.isEmpty { failed = Array(state.waiting.keys) }
            for id in failed {
                state.planner.settled(id)
                if let waiting = state.waiting.removeValue(forKey: id) { actions.failures.append((waiting, error)) }
            }
            findMissing(&state)
        }
        // Before the answers: who then asks again, asks for the new truth.
        if actions.failures.contains(where: { !$0.0.isAhead }) { source.failed(error) }
        perform(actions)
    }
}
