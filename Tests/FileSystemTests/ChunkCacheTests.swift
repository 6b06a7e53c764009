import Testing

@testable import FileSystem

private let chunkBytes = Int(ReadPlanner.chunkSize)

@Suite struct ChunkCacheTests {
    private func put(_ cache: ChunkCache, _ index: Int64, of version: UInt64 = 1, bytes: Int = chunkBytes) throws {
        let chunk = try Chunk(capacity: bytes, memory: cache.memory)
        chunk.fill(bytes)
        cache.insert(chunk, index, of: version)
    }

    private func indices(_ cache: ChunkCache, _ range: Range<Int64>, of version: UInt64 = 1) -> [Int64] {
        range.filter { cache.chunk($0, of: version) != nil }
    }

    @Test func `what was used longest ago goes first`() throws {
        let cache = ChunkCache(capacity: 4 * chunkBytes)
        for index in 0..<4 { try put(cache, Int64(index)) }
        _ = cache.chunk(0, of: 1)
        try put(cache, 4)
        #expect(indices(cache, 0..<5) == [0, 2, 3, 4])
        #expect(cache.byteCount == 4 * chunkBytes)
    }

    @Test func `a version is a content of its own`() throws {
        let cache = ChunkCache(capacity: 4 * chunkBytes)
        try put(cache, 0, of: 1)
        #expect(cache.chunk(0, of: 2) == nil)
    }

    @Test func `what the kernel has got goes before what nobody has read yet, and only an eighth of it is kept`() throws
    {
        let cache = ChunkCache(capacity: 64 * chunkBytes)
        try put(cache, 1000)
        for index in 0..<100 {
            try put(cache, Int64(index))
            cache.noteSpent([Int64(index)], of: 1)
        }
        #expect(indices(cache, 0..<100) == Array(92..<100))
        #expect(cache.chunk(1000, of: 1) != nil)
        #expect(cache.byteCount == 9 * chunkBytes)
    }

    @Test func `what is read again is kept like the rest`() throws {
        let cache = ChunkCache(capacity: 16 * chunkBytes)
        try put(cache, 0)
        cache.noteSpent([0], of: 1)
        _ = cache.chunk(0, of: 1)
        for index in 1..<10 {
            try put(cache, Int64(index))
            cache.noteSpent([Int64(index)], of: 1)
        }
        #expect(cache.chunk(0, of: 1) != nil)
    }

    @Test func `memory is used again`() throws {
        let memory = ChunkMemory(spare: 2 * chunkBytes)
        var chunk: Chunk? = try Chunk(capacity: chunkBytes, memory: memory)
        let first = chunk?.bytes.baseAddress
        chunk = nil
        chunk = try Chunk(capacity: chunkBytes, memory: memory)
        #expect(chunk?.bytes.baseAddress == first)
        #expect(memory.byteCount == chunkBytes)
        chunk = nil
        #expect(memory.byteCount == 0)
    }

    @Test func `what requests still hold of dropped chunks counts`() throws {
        let cache = ChunkCache(capacity: 16 * chunkBytes)
        var held: [Chunk] = []
        for index in 0..<40 {
            let chunk = try Chunk(capacity: chunkBytes, memory: cache.memory)
            if index < 8 { held.append(chunk) }
            cache.insert(chunk, Int64(index), of: 1)
        }
        #expect(cache.memory.byteCount <= 16 * chunkBytes)
        #expect(cache.byteCount == 8 * chunkBytes)
        // They do not push out everything, however many they are.
        for index in 0..<20 {
            held.append(try Chunk(capacity: chunkBytes, memory: cache.memory))
            try put(cache, Int64(100 + index))
        }
        #expect(cache.byteCount == 4 * chunkBytes)
        withExtendedLifetime(held) {}
    }

    @Test func `many uses of the same chunks leave no trail`() throws {
        let cache = ChunkCache(capacity: 8 * chunkBytes)
        for index in 0..<4 { try put(cache, Int64(index)) }
        for round in 0..<10_000 { _ = cache.chunk(Int64(round % 4), of: 1) }
        try put(cache, 4)
        #expect(indices(cache, 0..<5) == [0, 1, 2, 3, 4])
        cache.removeAll()
        #expect(cache.byteCount == 0)
        #expect(cache.memory.byteCount == 0)
    }
}
