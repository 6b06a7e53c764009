import Threading

extension Monitor {
    /// Waits until `body` returns something, or the request is cancelled. Whoever calls this knows what bounds the
    /// wait: a call into the store, which has deadlines of its own.
    func wait<Result: Sendable>(
        cancellation: Cancellation, for body: (inout State) throws(StoreError) -> Result?
    ) throws(StoreError) -> Result {
        let token = cancellation.onCancel { [self] in wake() }
        defer { cancellation.removeHandler(token) }
        let result = try wait(until: .never) { state throws(StoreError) -> Result? in
            if let result = try body(&state) { return result }
            if cancellation.isCancelled { throw .cancelled }
            return nil
        }
        guard let result else { throw .cancelled }
        return result
    }
}

/// One at a time, for work that is too long for a monitor: a transfer, a rename of what is being transferred.
final class Gate: Sendable {
    private let isTaken = Monitor(false)

    /// Waits until nobody else is inside.
    ///
    /// - Throws: `cancelled`; the caller is then not inside.
    func enter(_ cancellation: Cancellation) throws(StoreError) {
        try isTaken.wait(cancellation: cancellation) { isTaken -> Void? in
            guard !isTaken else { return nil }
            isTaken = true
            return ()
        }
    }

    /// Goes in if nobody else is inside; false if somebody is.
    func tryEnter() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }

    /// Lets the next one in.
    func leave() {
        isTaken.withLockThenWake { $0 = false }
    }
}

extension Cancellation {
    /// Runs `body` with a cancellation of its own, which this one fires too.
    func withChild<Result>(
        _ body: (Cancellation) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let child = Cancellation()
        let token = onCancel { child.cancel() }
        defer { removeHandler(token) }
        return try body(child)
    }
}

extension StoreError {
    /// Nobody waits for the answer any more.
    static let cancelled = StoreError(.cancelled, "the request was cancelled")
    /// The mount takes no changes.
    static let readOnly = StoreError(.readOnly, "mounted read-only")
    /// The kernel named an inode that it has forgotten.
    static let unknownInode = StoreError(.changedRemotely, "no such inode")
    /// The kernel named a handle that is not open.
    static let unknownHandle = StoreError(.badHandle, "no such handle")
    /// There is no such name.
    static func noEntry(_ what: some CustomStringConvertible) -> StoreError {
        StoreError(.notFound, "no such entry: \(what)")
    }
}
