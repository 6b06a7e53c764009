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
    /// Fires when somebody waits for what was asked for ahead.
    private let raised = Cancellation()
    private let isAhead: Bool

    /// - Parameter isAhead: nobody waits for it yet. Whoever starts it joins it all the same, and leaves by
    ///   ``giveUp()`` or with the end.
    init(startedAt: Instant, isAhead: Bool = false) {
        self.startedAt = startedAt
        self.isAhead = isAhead
    }

    /// How urgent it is.
    var urgency: Urgency { isAhead ? .ahead(until: raised) : .wanted }

    /// How many wait now.
    var waiterCount: Int { state.withLock { $0.waiters } }

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
        if isAhead { raised.cancel() }
        defer { leave() }
        let result = try state.wait(cancellation: cancellation) { $0.result }
        try result.get()
    }

    /// Tells everybody how it went.
    func finish(_ result: Result<Void, StoreError>) {
        state.withLockThenWake { $0.result = result }
    }

    /// Leaves without having waited: what was asked for ahead is of no use any more.
    func giveUp() { leave() }

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
