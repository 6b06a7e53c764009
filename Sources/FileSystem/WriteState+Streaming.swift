import Threading

/// Sending while the program writes, as ``UploadStream`` says.
extension WriteState {
    /// A thread is there that sends while the program writes.
    ///
    /// - Returns: what it begins with; `nil`: nothing can be sent now.
    mutating func beginStream(_ cancellation: Cancellation, at now: Instant) -> UploadPlan.Target? {
        guard stream.begin() else { return nil }
        // A part that broke has to be looked at first, by whoever closes the file.
        let isClear = attempt.map(\.isConfirmed) ?? true
        // To know where the end of a file is, that was not written here, costs a look; the close does that.
        let isKnown = attempt != nil || (mustReplace && map.isWhole) || isSizeTrusted(at: now)
        // So has a part that goes where bytes of a broken transfer may come.
        let isAlone = late.isEmpty
        guard isDirty, isClear, isKnown, isAlone else {
            stream.decline()
            return nil
        }
        transfer = cancellation
        return attempt?.target ?? (mustReplace && replacesContent ? .temporary : .name)
    }

    /// Whether the server's size is known well enough to append behind it.
    func isSizeTrusted(at now: Instant) -> Bool {
        guard let sizeTrustedUntil else { return false }
        return sizeTrustedUntil.since(now) > .zero
    }

    /// The stream has ended; `confirmed` has been called if it ended well.
    mutating func streamEnded() {
        transfer = nil
        stream.ended()
    }

    /// The stream has failed. What the server *said* is the answer to the next close.
    mutating func streamFailed(_ error: StoreError) {
        transfer = nil
        stream.failed()
        if error.isVerdict { streamRefusal = error }
    }

    /// What a stream was told, once.
    mutating func takeStreamRefusal() -> StoreError? {
        defer { streamRefusal = nil }
        guard let streamRefusal else { return nil }
        failure = (revision, streamRefusal)
        return streamRefusal
    }
}
