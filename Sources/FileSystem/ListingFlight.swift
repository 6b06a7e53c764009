import Threading

/// One listing on its way, and everybody who waits for it.
///
/// The listing runs on a thread of its own, so that each waiter, also the one who asked first, can leave when its
/// request is cancelled. It is given up only when the last of them has left.
///
/// Lock order: the tree's monitor, then this one.
final class ListingFlight: Sendable {
    private struct State {
        var waiters = 0
        var isAbandoned = false
        var result: Result<Void, StoreError>?
    }

    private let state = Monitor(State())
    /// Fires when nobody waits any more.
    let cancellation = Cancellation()
    /// When the listing was asked for: what it says can be as old as that.
    let startedAt: Instant

    init(startedAt: Instant) {
        self.startedAt = startedAt
    }

    /// Counts one more waiter, who then calls ``wait(_:)``.
    ///
    /// - Returns: false if this listing has been given up; the caller has to start another one.
    func join() -> Bool {
        state.withLock { state in
            guard !state.isAbandoned else { return false }
            state.waiters += 1
            return true
        }
    }

    /// Waits for the end. The store bounds how long that takes.
    func wait(_ cancellation: Cancellation) throws(StoreError) {
        defer { leave() }
        let result = try state.wait(cancellation: cancellation) { $0.result }
        try result.get()
    }

    /// Tells everybody how it went.
    func finish(_ result: Result<Void, StoreError>) {
        state.withLockThenWake { $0.result = result }
    }

    private func leave() {
        let wasLast = state.withLock { state in
            state.waiters -= 1
            guard state.waiters == 0, state.result == nil else { return false }
            state.isAbandoned = true
            return true
        }
        if wasLast { cancellation.cancel() }
    }
}
