import Threading

/// A piece of a file's content, filled from its start by the thread of the file's stream.
final class Chunk: @unchecked Sendable {
    // The memory is written once, from front to back, by one thread at a time; `filled` is touched only in the
    // monitor of the file's reader, and only bytes below it are ever read. That is what makes `@unchecked Sendable`
    // true.
    let bytes: UnsafeMutableRawBufferPointer
    var filled = 0

    init(capacity: Int) {
        bytes = .allocate(byteCount: max(1, capacity), alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }
}

/// The pieces of all files that are kept in memory, bounded; what was used longest ago goes first.
///
/// A chunk is known by the version of the content it belongs to, so that nothing ever has to be searched and thrown
/// out: what is out of date is not found any more, and ages away. Versions are unique in the mount.
///
/// Its monitor is the innermost: it may be entered with a reader's monitor held, and enters none.
final class ChunkCache: Sendable {
    private struct Key: Hashable {
        let version: UInt64
        let index: Int64
    }

    private let chunks: Monitor<BoundedCache<Key, Chunk>>
    /// How many bytes are kept.
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        chunks = Monitor(BoundedCache(limit: capacity))
    }

    /// How many bytes are kept now.
    var byteCount: Int { chunks.withLock { $0.cost } }

    /// A chunk, if it is here.
    func chunk(_ index: Int64, of version: UInt64) -> Chunk? {
        chunks.withLock { $0.use(Key(version: version, index: index)) }
    }

    /// Keeps a chunk, in place of an older one.
    func insert(_ chunk: Chunk, _ index: Int64, of version: UInt64) {
        chunks.withLock { chunks in
            chunks.insert(chunk, for: Key(version: version, index: index), cost: chunk.bytes.count)
            chunks.trim { _ in true }
        }
    }

    /// Drops everything.
    func removeAll() {
        chunks.withLock { $0.removeAll() }
    }

    /// How far a stream may run ahead when so many run: all windows together fill half of the cache, so that what
    /// was read ahead is still there when it is asked for.
    func windowLimit(streams: Int) -> Int64 {
        let share = Int64(capacity / 2 / max(1, streams))
        return min(max(share, ReadPlanner.chunkSize), ReadPlanner.largestWindow)
    }
}
