import CLinux
package import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Says to whoever waits on behalf of a request that nobody wants the answer any more.
///
/// One per request. It is cancelled at most once and never becomes valid again. Waits on a ``Monitor`` register a
/// wake-up with ``onCancel(_:)``, or simply use ``Monitor/wait(until:cancellation:for:)``; waits in `poll(2)` watch
/// ``descriptor()``. Any thread may call everything, also while it holds the lock of a monitor: nothing here blocks, and no
/// handler runs under this object's own lock.
package final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var handlers: [(id: UInt64, run: @Sendable () -> Void)] = []
        var nextID: UInt64 = 0
        var event: FileDescriptor?
    }

    private let state = Monitor(State())

    /// A request that is wanted.
    package init() {}

    deinit {
        state.withLock { state in
            try? state.event?.close()
        }
    }

    /// Whether ``cancel()`` has been called.
    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels: runs the registered handlers on this thread and makes ``descriptor()`` readable. Later calls do nothing.
    ///
    /// Call it without a lock that a handler may take.
    package func cancel() {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            guard !state.isCancelled else { return [] }
            state.isCancelled = true
            var one: UInt64 = 1
            if let event = state.event { write(event.rawValue, &one, MemoryLayout.size(ofValue: one)) }
            defer { state.handlers = [] }
            return state.handlers.map(\.run)
        }
        for handler in handlers { handler() }
    }

    /// Registers what to run when cancelled; at once, on this thread, if that has happened already.
    ///
    /// The handler must not block: it runs on the thread that reads the kernel's requests.
    ///
    /// - Returns: a token for ``removeHandler(_:)``.
    package func onCancel(_ handler: @escaping @Sendable () -> Void) -> UInt64 {
        let registered = state.withLock { state -> UInt64? in
            guard !state.isCancelled else { return nil }
            state.nextID += 1
            state.handlers.append((state.nextID, handler))
            return state.nextID
        }
        if let registered { return registered }
        handler()
        return 0
    }

    /// Forgets a handler. It may still be running on the thread that cancels.
    package func removeHandler(_ id: UInt64) {
        state.withLock { state in state.handlers.removeAll { $0.id == id } }
    }

    /// A descriptor that becomes readable when cancelled, and stays so, for `poll(2)`.
    ///
    /// It belongs to this object, which closes it when it goes away: keep a reference (`withExtendedLifetime`) for as long as
    /// you poll, and neither read nor close it.
    ///
    /// It is made on the first call, so that requests which never wait on a socket cost none.
    ///
    /// - Returns: `nil` when the process has no descriptor left; the caller then relies on its deadline.
    package func descriptor() -> FileDescriptor? {
        state.withLock { state in
            if let event = state.event { return event }
            let raw = clinux_eventfd(state.isCancelled ? 1 : 0)
            guard raw >= 0 else { return nil }
            let event = FileDescriptor(rawValue: raw)
            state.event = event
            return event
        }
    }
}
