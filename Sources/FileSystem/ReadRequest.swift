import Threading

/// One read that waits for bytes, and the chunks that it has so far. Lives in its reader's monitor until it is answered.
struct ReadRequest {
    /// What is asked for, cut at the end of the file as far as that is known.
    var range: Range<Int64>
    /// Nobody waits for it: it was asked for because somebody will probably want it.
    let isAhead: Bool
    /// The chunks with the bytes that are here. It holds on to them, so that the cache can drop them meanwhile.
    var chunks: [Int64: Chunk] = [:]
    let cancellation: Cancellation
    /// The handler at ``cancellation``, to be removed with the answer.
    var token: UInt64?
    let completion: @Sendable (ReadAnswer) -> Void

    init(
        range: Range<Int64>, isAhead: Bool = false, cancellation: Cancellation,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        self.range = range
        self.isAhead = isAhead
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
    ///   - coming: the chunks that streams fill now.
    ///   - cached: looks another one up.
    /// - Returns: what is missing, from the first missing byte on; `nil`: nothing.
    mutating func gather(
        coming: [(index: Int64, chunk: Chunk)], cached: (Int64) -> Chunk?
    ) -> Range<Int64>? {
        guard !range.isEmpty else { return nil }
        var firstMissing: Int64?
        for index in range.lowerBound / ReadPlanner.chunkSize...(range.upperBound - 1) / ReadPlanner.chunkSize
        where chunks[index] == nil {
            let start = index * ReadPlanner.chunkSize
            let needed = part(of: index)
            let fresh = coming.lazy.filter { $0.index == index }.map(\.chunk)
            if let chunk = fresh.first(where: { $0.holds(needed) }) ?? cached(index), chunk.holds(needed) {
                chunks[index] = chunk
            } else if firstMissing == nil {
                // What a stream has brought of it need not be waited for again; of what was left behind half done, all.
                let here = fresh.filter { $0.lower <= needed.lowerBound }.map(\.filled).max() ?? 0
                firstMissing = start + Int64(max(needed.lowerBound, here))
            }
        }
        return firstMissing.map { $0..<range.upperBound }
    }

    /// The chunks of which it has the end: the kernel will hardly ask for them again.
    var spentChunks: [Int64] {
        if isAhead { return [] }
        return chunks.compactMap { index, chunk in
            chunk.isFull && part(of: index).upperBound == chunk.bytes.count ? index : nil
        }
    }

    /// Answers with the bytes, all of which are here. Without any lock.
    func answer() {
        removeHandler()
        var pieces: [UnsafeRawBufferPointer] = []
        pieces.reserveCapacity(chunks.count)
        for (index, chunk) in chunks.sorted(by: { $0.key < $1.key }) {
            let part = part(of: index)
            if !part.isEmpty { pieces.append(UnsafeRawBufferPointer(rebasing: chunk.bytes[part])) }
        }
        withExtendedLifetime(chunks) { completion(.bytes(pieces)) }
    }

    /// Answers with an error. Without any lock.
    func fail(_ error: StoreError) {
        removeHandler()
        completion(.failed(error))
    }

    /// What of a chunk is asked for, as offsets in it.
    private func part(of index: Int64) -> Range<Int> {
        let start = index * ReadPlanner.chunkSize
        let upper = Int(min(ReadPlanner.chunkSize, max(0, range.upperBound - start)))
        return min(upper, Int(max(0, range.lowerBound - start)))..<upper
    }

    private func removeHandler() {
        if let token { cancellation.removeHandler(token) }
    }
}
