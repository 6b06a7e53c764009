import Benchmark

/// What the library's tool calls.
let benchmarks: @Sendable () -> Void = {
    addReplies()
    addListings()
    addTimes()
    addChunkCache()
    addExtents()
    addDirectoryRecords()
}
