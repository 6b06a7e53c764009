import Synchronization
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A piece of a file's content, filled from some place in it on by the thread of a stream.
///
/// It covers one stretch of ``ReadPlanner/chunkSize`` bytes of the file, or what there is of it before the file's end.
/// A stream that begins in the middle of it leaves the part in front empty.
final class Chunk: @unchecked Sendable {
    // The memory is written once, from `lower` to its end, by one thread, which then moves `filled`; only bytes between
    // the two are ever read. That is what makes `@unchecked Sendable` true.
    let bytes: UnsafeMutableRawBufferPointer
    /// The first byte that it has.
    let lower: Int
    private let end: Atomic<Int>
    private let memory: ChunkMemory

    /// An empty chunk for bytes from `lower` to `capacity`.
    ///
    /// - Throws: `noResources` when the kernel gives no memory.
    init(capacity: Int, from lower: Int = 0, memory: ChunkMemory) throws(StoreError) {
        bytes = try memory.take(max(1, capacity))
        self.lower = lower
        end = Atomic(lower)
        self.memory = memory
    }

    deinit {
        memory.giveBack(bytes)
    }

    /// The end of the bytes that are here.
    var filled: Int { end.load(ordering: .acquiring) }

    /// More bytes are here; for the one thread that fills it.
    func fill(_ count: Int) { end.wrappingAdd(count, ordering: .releasing) }

    /// Whether it is filled to its end.
    var isFull: Bool { filled == bytes.count }

    /// Whether a range of it is here.
    func holds(_ range: Range<Int>) -> Bool { lower <= range.lowerBound && range.upperBound <= filled }
}

/// The memory behind chunks: counted, and used again.
///
/// Fresh memory costs a page fault, and the zeroing of a page, for every 4 KiB: a tenth of the processor time of a
/// sequential read. So buffers of the full size are kept when they come back, up to a bound. They are the kernel's pages
/// and not `malloc`'s: each thread has an arena there, and what one returns does not serve the next. For the rest of a
/// file, which has any length, that holds all the more: arenas are left with holes between them, and grew by a third of
/// `cache_size=` in ten minutes of mixed work.
final class ChunkMemory: Sendable {
    /// The one size that is kept.
    private static let unit = Int(ReadPlanner.chunkSize)
    /// What is smaller comes from `malloc`: holes of that size are soon filled again, and two system calls and the rest of a
    /// page would be much beside it.
    private static let smallestMapped = 16 << 10

    private struct State {
        /// The addresses of buffers that nobody uses.
        var free: [UInt] = []
        var inUse = 0
    }

    /// Innermost of all monitors: entered with a reader's or the cache's held, and enters none.
    private let state = Monitor(State())
    private let limit: Int

    /// - Parameter spare: how many bytes to keep for the next one.
    init(spare: Int) {
        limit = spare / Self.unit
    }

    /// The bytes in use, in the cache or on their way to a reader.
    var byteCount: Int { state.withLock { $0.inUse } }

    fileprivate func take(_ count: Int) throws(StoreError) -> UnsafeMutableRawBufferPointer {
        let kept = state.withLock { state -> UInt? in
            state.inUse += count
            return count == Self.unit ? state.free.popLast() : nil
        }
        guard count >= Self.smallestMapped else { return .allocate(byteCount: count, alignment: 16) }
        if let kept { return UnsafeMutableRawBufferPointer(start: .init(bitPattern: kept), count: count) }
        guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else {
            state.withLock { $0.inUse -= count }
            throw StoreError(.noResources, "no memory for \(count) bytes of content; mount with a smaller cache_size=")
        }
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    fileprivate func giveBack(_ buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= Self.smallestMapped, let start = buffer.baseAddress else {
            state.withLock { $0.inUse -= buffer.count }
            return buffer.deallocate()
        }
        let isKept = state.withLock { state -> Bool in
            state.inUse -= buffer.count
            guard buffer.count == Self.unit, state.free.count < limit else { return false }
            // The one used last is the next: its bytes are still in the processor's cache.
            state.free.append(UInt(bitPattern: start))
            return true
        }
        if !isKept { munmap(start, buffer.count) }
    }

    deinit {
        for address in state.withLock({ $0.free }) { munmap(.init(bitPattern: address), Self.unit) }
    }
}
