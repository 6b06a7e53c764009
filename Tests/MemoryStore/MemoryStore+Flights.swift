package import FileSystem
package import Threading
package import Vocabulary

/// What a store does in the flight of a write, where `looksInFlight` and ``MemoryStore/Settings/doesErrands`` say so.
extension MemoryStore {
    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, head: UploadHead?, size question: SizeQuestion,
        whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        try openWrite(path, mode, question, whenWanted, cancellation)
    }

    func sizeBefore(_ path: RemotePath, _ question: SizeQuestion) throws(StoreError) -> SizeAnswer {
        if question == .none { return .unknown }
        let answer = state.withLock { state in
            (try? state.node(path)).map { SizeAnswer.size($0.content.size) } ?? .noFile
        }
        if case .require(let size) = question, answer != .size(size) {
            throw StoreError(.changedRemotely, "\(path)")
        }
        return answer
    }

    func carryOut(_ errands: UploadErrands, _ path: RemotePath) -> UploadErrands.Outcome {
        state.withLock { state in
            var outcome = UploadErrands.Outcome()
            guard state.settings.doesErrands else { return outcome }
            try? state.change(path) { node in
                if let mode = errands.mode { node.mode = mode }
                if let time = errands.time { node.modified = time }
                if errands.asksSize { outcome.size = node.content.size }
            }
            outcome.isModeSet = errands.mode != nil
            outcome.isTimeSet = errands.time != nil
            return outcome
        }
    }
}
