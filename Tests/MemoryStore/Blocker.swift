package import Threading

/// Stops who comes by until it is opened: for calls that are to be under way while the test does something else.
package final class Blocker: Sendable {
    private let state = Monitor((isOpen: false, arrived: 0))

    package init() {}

    /// Waits until ``open()``, or the cancellation; the caller checks which.
    package func pass(_ cancellation: Cancellation) {
        let token = cancellation.onCancel { [self] in state.wake() }
        defer { cancellation.removeHandler(token) }
        state.withLockThenWake { $0.arrived += 1 }
        _ = state.wait(until: Self.limit) { $0.isOpen || cancellation.isCancelled ? () : nil }
    }

    /// Waits until so many have come by.
    ///
    /// - Returns: false if they did not come in time.
    package func waitForArrivals(_ count: Int = 1) -> Bool {
        state.wait(until: Self.limit) { $0.arrived >= count ? () : nil } != nil
    }

    /// How many have come by.
    package var arrivals: Int { state.withLock { $0.arrived } }

    /// Lets everybody pass, now and later.
    package func open() {
        state.withLockThenWake { $0.isOpen = true }
    }

    /// A test that waits longer has failed. Generous, since the machine may be busy.
    private static var limit: Deadline { .after(.seconds(20)) }
}
