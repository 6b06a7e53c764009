import Threading

/// The pieces of all files that are kept in memory, in one bound for all of them.
///
/// A chunk is known by the version of the content it belongs to, so that nothing ever has to be searched and thrown
/// out: what is out of date is not found any more, and ages away. Versions are unique in the mount.
///
/// ## What goes first
/// 1. What has been handed to the kernel to its end (``noteSpent(_:of:)``) is in the kernel's page cache now and seldom asked
///    for again. Of that only ``spentShare`` is kept, oldest out first. So a sequential read of a large file does not push
///    out what others still need, and uses the same few MiB of memory over and over, which stay in the processor's cache.
/// 2. Then what was used longest ago.
///
/// The bound holds for the cache and for what requests still hold of chunks that were dropped (``ChunkMemory``) together,
/// so that the process stays within it whatever is read.
///
/// Its monitor is entered with a reader's monitor held, and enters none but that of the memory.
final class ChunkCache: Sendable {
    fileprivate struct Key: Hashable {
        let version: UInt64
        let index: Int64
    }

    fileprivate struct Slot {
        let chunk: Chunk
        var use: UInt64
        var isSpent = false
    }

    fileprivate struct State {
        var slots: [Key: Slot] = [:]
        var byteCount = 0
        var spentBytes = 0
        var uses: UInt64 = 0
        /// The order in which slots were last used, oldest first, with the use that put them there: an entry whose slot
        /// has been used since is passed over. One line for what is kept, one for what is spent.
        var kept = AgeQueue<Key>()
        var spent = AgeQueue<Key>()
    }

    /// How much of the bound is for what has been read to its end: 8 MiB of 64, a fraction of what processors have as
    /// their last cache, and enough for a second reader that follows the first.
    private static let spentShare = 8

    private let state = Monitor(State())
    /// Where chunks get their memory.
    let memory: ChunkMemory
    /// How many bytes are kept.
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        // As much as one stream drops before it takes the next.
        memory = ChunkMemory(spare: capacity / Self.spentShare)
    }

    /// How many bytes are kept now.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// A chunk, if it is here.
    func chunk(_ index: Int64, of version: UInt64) -> Chunk? {
        state.withLock { $0.use(Key(version: version, index: index)) }
    }

    /// Keeps a chunk, in place of an older one.
    func insert(_ chunk: Chunk, _ index: Int64, of version: UInt64) {
        // Freed outside of the lock.
        _ = state.withLock { state -> [Chunk] in
            var dropped = state.insert(chunk, Key(version: version, index: index))
            // What is in use elsewhere counts, but does not push everything out.
            let elsewhere = max(0, memory.byteCount - state.byteCount)
            dropped += state.trim(to: max(capacity - elsewhere, capacity / 4), spent: capacity / Self.spentShare)
            return dropped
        }
    }

    /// Notes that the kernel has got the last byte of these chunks.
    func noteSpent(_ indices: [Int64], of version: UInt64) {
        _ = state.withLock { state -> [Chunk] in
            for index in indices { state.spend(Key(version: version, index: index)) }
            return state.trim(to: .max, spent: capacity / Self.spentShare)
        }
    }

    /// Drops everything.
    func removeAll() {
        state.withLock { $0 = State() }
    }

    /// How far a stream may run ahead when so many run: all windows together fill half of the cache, so that what
    /// was read ahead is still there when it is asked for.
    func windowLimit(streams: Int) -> Int64 {
        let share = Int64(capacity / 2 / max(1, streams))
        return min(max(share, ReadPlanner.chunkSize), ReadPlanner.largestWindow)
    }
}

/// Keys in the order of their last use. Old entries of a key stay until they are met.
private struct AgeQueue<Key: Hashable> {
    private var entries: [(key: Key, use: UInt64)] = []
    private var first = 0

    mutating func append(_ key: Key, _ use: UInt64) { entries.append((key, use)) }

    mutating func popFirst() -> (key: Key, use: UInt64)? {
        guard first < entries.count else { return nil }
        defer {
            first += 1
            if first > 64 && first * 2 > entries.count {
                entries.removeFirst(first)
                first = 0
            }
        }
        return entries[first]
    }

    /// Drops entries that are not the last of their key, once they are many.
    mutating func compact(keeping count: Int, _ isLast: (Key, UInt64) -> Bool) {
        guard entries.count - first > 2 * count + 64 else { return }
        entries = entries[first...].filter { isLast($0.key, $0.use) }
        first = 0
    }
}

extension ChunkCache.State {
    fileprivate mutating func use(_ key: ChunkCache.Key) -> Chunk? {
        guard let index = slots.index(forKey: key) else { return nil }
        // A chunk is asked for several times while it comes in; the last time is enough to know its age.
        if slots.values[index].use != uses || slots.values[index].isSpent { touch(index, isSpent: false) }
        return slots.values[index].chunk
    }

    fileprivate mutating func insert(_ chunk: Chunk, _ key: ChunkCache.Key) -> [Chunk] {
        let old = remove(key)
        uses += 1
        slots[key] = ChunkCache.Slot(chunk: chunk, use: uses)
        byteCount += chunk.bytes.count
        kept.append(key, uses)
        return old.map { [$0] } ?? []
    }

    fileprivate mutating func spend(_ key: ChunkCache.Key) {
        guard let index = slots.index(forKey: key), !slots.values[index].isSpent else { return }
        touch(index, isSpent: true)
    }

    /// Drops what has to go.
    fileprivate mutating func trim(to limit: Int, spent spentLimit: Int) -> [Chunk] {
        var dropped: [Chunk] = []
        while spentBytes > spentLimit || (byteCount > limit && spentBytes > 0), let oldest = spent.popFirst() {
            if slots[oldest.key]?.use == oldest.use, let chunk = remove(oldest.key) { dropped.append(chunk) }
        }
        while byteCount > limit, let oldest = kept.popFirst() {
            if slots[oldest.key]?.use == oldest.use, let chunk = remove(oldest.key) { dropped.append(chunk) }
        }
        return dropped
    }

    private mutating func remove(_ key: ChunkCache.Key) -> Chunk? {
        guard let slot = slots.removeValue(forKey: key) else { return nil }
        byteCount -= slot.chunk.bytes.count
        if slot.isSpent { spentBytes -= slot.chunk.bytes.count }
        return slot.chunk
    }

    private mutating func touch(_ index: Dictionary<ChunkCache.Key, ChunkCache.Slot>.Index, isSpent: Bool) {
        uses += 1
        let key = slots.keys[index]
        if slots.values[index].isSpent != isSpent {
            spentBytes += (isSpent ? 1 : -1) * slots.values[index].chunk.bytes.count
        }
        slots.values[index].use = uses
        slots.values[index].isSpent = isSpent
        isSpent ? spent.append(key, uses) : kept.append(key, uses)
        let slots = slots
        kept.compact(keeping: slots.count) { slots[$0]?.use == $1 }
        spent.compact(keeping: slots.count) { slots[$0]?.use == $1 }
    }
}
