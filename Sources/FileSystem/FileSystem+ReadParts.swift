import Threading

/// Reading a file of which some bytes are in the spool and others on the server.
extension FileSystem {
    /// A range of such a file.
    struct ReadParts: Sendable {
        let segments: [ExtentMap.Segment]
        let spool: SpoolFile?
    }

    /// Answers with all the parts in order.
    ///
    /// - Parameter fetch: reads what is on the server; it may answer on another thread.
    func read(
        _ parts: ReadParts, _ completion: @escaping @Sendable (ReadAnswer) -> Void,
        from fetch: (Range<Int64>, @escaping @Sendable (ReadAnswer) -> Void) -> Void
    ) throws(StoreError) {
        switch (parts.segments.count, parts.segments.first) {
        case (0, _), (_, nil):
            completion(.bytes([]))
        case (1, .there(let range)):
            fetch(range, completion)
        case (_, .some(let first)):
            // The pieces lie where they belong from the beginning.
            let whole = first.range.lowerBound..<(parts.segments.last ?? first).range.upperBound
            let assembly = ReadAssembly(whole, pending: parts.segments.count, completion)
            for segment in parts.segments {
                switch segment {
                case .here(let range): assembly.take(range, from: parts.spool)
                case .there(let range): fetch(range) { assembly.take($0, for: range) }
                }
            }
        }
    }
}

extension ExtentMap.Segment {
    /// The offsets, wherever their bytes are.
    var range: Range<Int64> {
        switch self {
        case .here(let range), .there(let range): range
        }
    }
}

extension WriteState {
    /// What a read of a range is put together of; `nil`: all of the file is on the server.
    func parts(of range: Range<Int64>) -> FileSystem.ReadParts? {
        isLocal ? FileSystem.ReadParts(segments: map.segments(of: range), spool: spool) : nil
    }
}

/// Puts the parts of one read together, and answers when the last one is there.
private final class ReadAssembly: Sendable {
    private struct State {
        var bytes: [UInt8]
        var pending: Int
        /// Up to where the answer reaches: less than asked for where the server's file ends early.
        var end: Int64
        var failure: StoreError?
    }

    private let start: Int64
    private let state: Monitor<State>
    private let completion: @Sendable (ReadAnswer) -> Void

    init(_ range: Range<Int64>, pending: Int, _ completion: @escaping @Sendable (ReadAnswer) -> Void) {
        start = range.lowerBound
        self.completion = completion
        let bytes = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
        state = Monitor(State(bytes: bytes, pending: pending, end: range.upperBound))
    }

    /// Takes a part from the local disk. What the file does not reach there is a hole: zeros.
    func take(_ range: Range<Int64>, from spool: SpoolFile?) {
        let failure = state.withLock { state -> StoreError? in
            guard let spool else { return nil }
            return state.bytes.withUnsafeMutableBytes { bytes -> StoreError? in
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[place(range.lowerBound)..<place(range.upperBound)])
                do throws(StoreError) {
                    _ = try spool.read(into: part, at: range.lowerBound)
                    return nil
                } catch {
                    return error
                }
            }
        }
        finish { if let failure { $0.failure = failure } }
    }

    /// Takes a part from the server.
    func take(_ answer: ReadAnswer, for range: Range<Int64>) {
        finish { state in
            switch answer {
            case .failed(let error):
                state.failure = error
            case .bytes(let pieces):
                var position = range.lowerBound
                for piece in pieces {
                    let count = min(piece.count, Int(range.upperBound - position))
                    state.bytes.withUnsafeMutableBytes { bytes in
                        UnsafeMutableRawBufferPointer(rebasing: bytes[place(position)..<place(position) + count])
                            .copyBytes(from: UnsafeRawBufferPointer(rebasing: piece[..<count]))
                    }
                    position += Int64(count)
                }
                if position < range.upperBound { state.end = min(state.end, position) }
            }
        }
    }

    private func place(_ offset: Int64) -> Int { Int(offset - start) }

    private func finish(_ body: (inout State) -> Void) {
        let done = state.withLock { state -> State? in
            body(&state)
            state.pending -= 1
            return state.pending == 0 ? state : nil
        }
        guard let done else { return }
        if let failure = done.failure { return completion(.failed(failure)) }
        done.bytes.withUnsafeBytes { bytes in
            completion(.bytes([UnsafeRawBufferPointer(rebasing: bytes[..<place(done.end)])]))
        }
    }
}
