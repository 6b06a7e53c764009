import Threading

/// One read that waits for bytes, and the chunks that it has so far. Lives in its reader's monitor until it is answered.
struct ReadRequest {
    /// What is asked for, cut at the end of the file as far as that is known.
    var range: Range<Int64>
    /// The chunks with the bytes that are here. It holds on to them, so that the cache can drop them meanwhile.
    var chunks: [Int64: Chunk] = [:]
    let cancellation: Cancellation
    /// The handler at ``cancellation``, to be removed with the answer.
    var token: UInt64?
    let completion: @Sendable (ReadAnswer) -> Void

    init(
        range: Range<Int64>, cancellation: Cancellation, completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        self.range = range
        self.cancellation = cancellation
        self.completion = completion
    }

    /// Whether it asks for bytes of a chunk.
    func touches(_ index: Int64) -> Bool {
        range.overlaps(index * ReadPlanner.chunkSize..<(index + 1) * ReadPlanner.chunkSize)
    }

    /// Collects the chunks that are here.
    ///
    /// - Parameters:
    ///   - current: the chunk that the stream fills now.
    ///   - cached: looks another one up.
    /// - Returns: what is missing, from the first missing byte on; `nil`: nothing.
    mutating func gather(
        current: (index: Int64, chunk: Chunk)?, cached: (Int64) -> Chunk?
    ) -> Range<Int64>? {
        guard !range.isEmpty else { return nil }
        var firstMissing: Int64?
        for index in range.lowerBound / ReadPlanner.chunkSize...(range.upperBound - 1) / ReadPlanner.chunkSize
        where chunks[index] == nil {
            let start = index * ReadPlanner.chunkSize
            let needed = Int(min(ReadPlanner.chunkSize, range.upperBound - start))
            let isCurrent = current?.index == index
            let chunk = isCurrent ? current?.chunk : cached(index)
            if let chunk, chunk.filled >= needed {
                chunks[index] = chunk
            } else if firstMissing == nil {
                firstMissing = max(range.lowerBound, isCurrent ? start + Int64(chunk?.filled ?? 0) : start)
            }
        }
        return firstMissing.map { $0..<range.upperBound }
    }

    /// Answers with the bytes, all of which are here. Without any lock.
    func answer() {
        removeHandler()
        var pieces: [UnsafeRawBufferPointer] = []
        for (index, chunk) in chunks.sorted(by: { $0.key < $1.key }) {
            let start = index * ReadPlanner.chunkSize
            let from = Int(max(0, range.lowerBound - start))
            let to = Int(min(ReadPlanner.chunkSize, range.upperBound - start))
            if from < to { pieces.append(UnsafeRawBufferPointer(rebasing: chunk.bytes[from..<to])) }
        }
        withExtendedLifetime(chunks) { completion(.bytes(pieces)) }
    }

    /// Answers with an error. Without any lock.
    func fail(_ error: StoreError) {
        removeHandler()
        completion(.failed(error))
    }

    private func removeHandler() {
        if let token { cancellation.removeHandler(token) }
    }
}
