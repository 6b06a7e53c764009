/// Stands in for the real one, which needs a package that is not built for the fuzzer: there is only one thread.
package final class Monitor<State: ~Copyable>: @unchecked Sendable {
    private var state: State

    package init(_ state: consuming sending State) {
        self.state = state
    }

    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try body(&state)
    }
}
