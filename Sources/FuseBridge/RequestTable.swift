import CFuseBridge
import Threading

// The requests that the kernel waits for, and the three things that may happen to one besides its answer: a signal
// reaches the process behind it, the mount ends, or the session goes away before the answer comes.
//
// Lifetimes. libfuse calls `interrupted` with one of its own locks held, on any thread, and also a little after the
// reply to the request was sent. It therefore gets no pointer but the request's number, which is never used twice, and
// looks it up here: after the answer the number is not in the table, and nothing happens. What it finds is a
// reference-counted `OpenRequest`, of which it touches the `Cancellation` only; libfuse's own request is touched by
// nobody but the one `Reply`.
//
// Lock order. This table's lock is never held while libfuse is called (not for the registration, not for the reply)
// and not while handlers of a cancellation run. libfuse's lock, then this one, is the only nesting.

/// A request that has not been answered yet.
final class OpenRequest: @unchecked Sendable {
    // Everything is immutable; `pointer` is used once, by whoever takes the record out of the table for the reply.
    let number: UInt64
    let operation: Operation
    /// The thread that waits (as in /proc); 0 when it is not visible from here.
    let process: Int32
    let cancellation = Cancellation()
    let begun = Instant.now
    let bridge: Bridge
    fileprivate let pointer: OpaquePointer

    fileprivate init(number: UInt64, operation: Operation, process: Int32, bridge: Bridge, pointer: OpaquePointer) {
        self.number = number
        self.operation = operation
        self.process = process
        self.bridge = bridge
        self.pointer = pointer
    }

    /// Answers; see ``RequestTable/answer(_:_:)``.
    func answer(_ send: (OpaquePointer) -> Int32) -> Bool { bridge.requests.answer(self, send) }
}

/// The requests under way in one session.
final class RequestTable: Sendable {
    private struct State {
        var requests: [UInt64: OpenRequest] = [:]
        /// What the watcher looks at each interval, and whether the kernel has interrupted it: reads, and requests that
        /// were interrupted by a signal which does not end them.
        var watched: [UInt64: Bool] = [:]
        var watcherRuns = false
        var nextNumber: UInt64 = 1
        /// Replies being handed to libfuse, and notifications.
        var callsUnderWay = 0
        var isEnding = false
        var isClosed = false
    }

    private let state = Monitor(State())

    /// Enters a request, and asks libfuse to say when a signal reaches its process.
    func enter(_ pointer: OpaquePointer, _ operation: Operation, process: Int32, bridge: Bridge) -> OpenRequest {
        let (request, isUnwanted) = state.withLock { state -> (OpenRequest, Bool) in
            let number = state.nextNumber
            state.nextNumber += 1
            let request = OpenRequest(
                number: number, operation: operation, process: process, bridge: bridge, pointer: pointer)
            state.requests[number] = request
            return (request, state.isEnding && !operation.changes)
        }
        if isUnwanted { request.cancellation.cancel() }
        cfuse_request_watch(pointer, request.number)
        if operation == .read { watch(request, wasInterrupted: false) }
        return request
    }

    /// Takes a request out and answers it.
    ///
    /// - Parameter send: hands the reply to libfuse and returns what that says.
    /// - Returns: whether the kernel has taken the reply.
    func answer(_ request: OpenRequest, _ send: (OpaquePointer) -> Int32) -> Bool {
        let isOpen = state.withLock { state in
            state.requests[request.number] = nil
            state.watched[request.number] = nil
            if !state.isClosed { state.callsUnderWay += 1 }
            return !state.isClosed
        }
        // Behind the end of the session there is nobody to answer; libfuse's request went with the process.
        guard isOpen else { return false }
        let code = send(request.pointer)
        callEnded()
        return code == 0
    }

    /// Calls libfuse for something that is no reply, unless the session is closed.
    func whileOpen(_ body: () -> Int32) -> Int32? {
        let isOpen = state.withLock { state in
            if !state.isClosed { state.callsUnderWay += 1 }
            return !state.isClosed
        }
        guard isOpen else { return nil }
        defer { callEnded() }
        return body()
    }

    /// One call into libfuse less. Only ``close(until:)`` waits for that: to wake the watcher after each reply would
    /// cost two changes of threads for nothing.
    private func callEnded() {
        let isAwaited = state.withLock { state in
            state.callsUnderWay -= 1
            return state.isEnding
        }
        if isAwaited { state.wake() }
    }

    /// A signal has reached the process that waits: see ``Interruption`` for which ones count.
    ///
    /// Called with a lock of libfuse held; looks at one file in /proc and never blocks.
    func interrupted(_ number: UInt64) {
        guard let request = state.withLock({ $0.requests[number] }) else { return }
        switch Interruption.decide(.look(at: request.process), wasInterrupted: true) {
        case .cancel: request.cancellation.cancel()
        case .lookAgain: watch(request, wasInterrupted: true)
        }
    }

    /// The mount ends: requests that change nothing are cancelled, also those that still come.
    func end() {
        let unwanted = state.withLock { state -> [OpenRequest] in
            state.isEnding = true
            return state.requests.values.filter { !$0.operation.changes }
        }
        for request in unwanted { request.cancellation.cancel() }
    }

    /// Cancels what is left, waits until everything is answered or the deadline has passed, and lets no reply through
    /// from then on.
    func close(until deadline: Deadline) {
        guard !state.withLock({ $0.isClosed }) else { return }
        end()
        for request in state.withLock({ Array($0.requests.values) }) { request.cancellation.cancel() }
        _ = state.wait(until: deadline) { state in state.requests.isEmpty ? true : nil }
        state.withLockThenWake { $0.isClosed = true }
        // A reply is one writev(2) to a device that never blocks: this wait needs no limit of its own.
        _ = state.wait(until: .never) { state in state.callsUnderWay == 0 ? true : nil }
    }

    /// The requests that have not been answered.
    var openRequests: [OpenRequest] { state.withLock { Array($0.requests.values) } }

    /// Waits until the session is closed. - Returns: whether it is.
    func waitForClose(until deadline: Deadline) -> Bool {
        state.wait(until: deadline) { $0.isClosed ? true : nil } ?? false
    }

    // MARK: - The watcher

    /// Puts a request on the watch list, and starts the watcher if it does not run.
    private func watch(_ request: OpenRequest, wasInterrupted: Bool) {
        let mustStart = state.withLock { state -> Bool in
            guard state.requests[request.number] != nil else { return false }
            state.watched[request.number] = wasInterrupted
            defer { state.watcherRuns = true }
            return !state.watcherRuns
        }
        guard mustStart else { return }
        do {
            try Thread.detached(named: "fuse signals") { [self] in watchUntilEmpty() }
        } catch {
            state.withLock { $0.watcherRuns = false }
            // Nobody will look again: better a needless EINTR than a program that cannot be ended.
            if wasInterrupted { request.cancellation.cancel() }
        }
    }

    /// The watcher: looks each interval at what was on the list an interval before, and ends when the list is empty.
    private func watchUntilEmpty() {
        var earlier: Set<UInt64> = []
        while let watched = watchedRequests() {
            for (request, wasInterrupted) in watched where wasInterrupted || earlier.contains(request.number) {
                switch Interruption.decide(.look(at: request.process), wasInterrupted: wasInterrupted) {
                case .cancel:
                    state.withLock { $0.watched[request.number] = nil }
                    request.cancellation.cancel()
                case .lookAgain: continue
                }
            }
            earlier = Set(watched.map(\.request.number))
        }
    }

    /// Sleeps for the interval. - Returns: what is watched then; `nil`, once, when that is nothing.
    private func watchedRequests() -> [(request: OpenRequest, wasInterrupted: Bool)]? {
        let _: Bool? = state.wait(until: .after(Interruption.interval)) { _ in nil }
        return state.withLock { state in
            guard !state.watched.isEmpty else {
                state.watcherRuns = false
                return nil
            }
            return state.watched.compactMap { number, wasInterrupted in
                state.requests[number].map { ($0, wasInterrupted) }
            }
        }
    }
}
