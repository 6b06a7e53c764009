import Threading
import Vocabulary

@testable import FileSystem

/// The memory for file content: a cache of 64 MiB that a sequential reader goes through twice over, and one that is asked.
func addChunkCache() {
    let size = Int(ReadPlanner.chunkSize)
    let passing = ChunkCache(capacity: 64 << 20)
    Measuring.add("chunk put into a full cache, and spent", units: 1024) {
        for index in 0..<Int64(1024) {
            put(index, size, into: passing)
            passing.noteSpent([index], of: 1)
        }
        return passing.byteCount
    }
    let full = ChunkCache(capacity: 64 << 20)
    for index in 0..<Int64(256) { put(index, size, into: full) }
    Measuring.add("chunk found in the cache", units: 1024) {
        (0..<Int64(1024)).reduce(0) { $0 + (full.chunk($1 % 256, of: 1) == nil ? 0 : 1) }
    }
}

private func put(_ index: Int64, _ size: Int, into cache: ChunkCache) {
    guard let chunk = try? Chunk(capacity: size, memory: cache.memory) else { return }
    cache.insert(chunk, index, of: 1)
}

/// The map of a file that is being written.
func addExtents() {
    let page: Int64 = 4096
    Measuring.add("page written behind the last one", units: 1000) {
        var map = ExtentMap()
        for index in 0..<Int64(1000) { map.wrote(index * page..<(index + 1) * page) }
        return map.size
    }
    // Every second page, from the middle outwards in both directions: the map is as broken up as it can be.
    Measuring.add("page written anywhere", units: 1000) {
        var map = ExtentMap(size: 4000 * page)
        for index in 0..<Int64(1000) {
            let place = 2000 + (index.isMultiple(of: 2) ? index : -index) * 2
            if place >= 0 { map.wrote(place * page..<(place + 1) * page) }
        }
        return map.size
    }
    var broken = ExtentMap(size: 2000 * page)
    for index in 0..<Int64(1000) { broken.wrote(2 * index * page..<(2 * index + 1) * page) }
    let asked = broken
    Measuring.add("range of 16 pages looked up in 1,000 pieces", units: 100) {
        (0..<Int64(100)).reduce(0) { $0 + asked.segments(of: $1 * 16 * page..<($1 + 1) * 16 * page).count }
    }
}

/// What is known of a directory of 10,000 names.
func addDirectoryRecords() {
    let count = 10_000
    let now = Instant(nanoseconds: 1_000_000_000)
    let listing = (0..<count).compactMap { number -> RemoteEntry? in
        guard let name = try? FileName(validating: "entry-\(number)") else { return nil }
        return RemoteEntry(name: name, attributes: RemoteAttributes(kind: .file, size: Int64(number)))
    }
    let listed = EntryTable(of: listing, askedAt: now)
    var known = DirectoryRecord(generation: 1)
    known.replace(with: listed, askedAt: now, changes: [:], generation: 2)
    let record = known

    Measuring.add("entry taken from a listing", units: count) {
        EntryTable(of: listing, askedAt: now).count
    }
    Measuring.add("entry replaced by a new listing", units: count) {
        var record = record
        record.replace(with: listed, askedAt: now, changes: [:], generation: 3)
        return record.cost
    }
    Measuring.add("entry looked up", units: count) {
        listing.reduce(0) { found, item in
            guard case .present = record.knowledge(of: item.name, at: now, .seconds(10), acceptStale: false) else {
                return found
            }
            return found + 1
        }
    }
    Measuring.add("entry in the order of the directory", units: count) { record.snapshot().places.count }
}
