/// Threads for short pieces of work: one that is done stays for a while and takes the next.
///
/// To make a thread costs some 50 µs of processor time, its stack included; what it is made for often takes no longer. There
/// is no limit and no queue: what finds no idle thread gets a new one.
package final class SpareThreads: Sendable {
    private struct State {
        /// What idle threads are about to take; never more than there are of these.
        var handedOver: [@Sendable () -> Void] = []
        var idle = 0
        var isClosed = false
    }

    private let state = Monitor(State())
    private let name: String
    private let idleTime: Duration

    /// - Parameters:
    ///   - name: shown by `ps -T` and debuggers; the kernel keeps its first 15 bytes.
    ///   - idleTime: how long a thread waits for more. Work that is done again and again is so within a second.
    package init(named name: String, idleTime: Duration = .seconds(1)) {
        self.name = name
        self.idleTime = idleTime
    }

    /// How many threads wait for work.
    package var idleCount: Int { state.withLock { $0.idle - $0.handedOver.count } }

    /// Runs `body` on another thread. Does not block.
    ///
    /// - Throws: ``Thread/NotStarted``; `body` is then not run.
    package func run(_ body: @escaping @Sendable () -> Void) throws(Thread.NotStarted) {
        let isTaken = state.withLockThenWakeOne { state in
            guard !state.isClosed, state.idle > state.handedOver.count else { return false }
            state.handedOver.append(body)
            return true
        }
        guard !isTaken else { return }
        try Thread.detached(named: name) { [self] in
            body()
            while let next = next() { next() }
        }
    }

    /// Lets idle threads end at once, and the others when they are done. What is run from here on gets a thread of its own.
    package func close() {
        state.withLockThenWake { $0.isClosed = true }
    }

    /// Waits for work; `nil` ends the thread.
    private func next() -> (@Sendable () -> Void)? {
        state.withLock { $0.idle += 1 }
        _ = state.wait(until: .after(idleTime)) { state in
            state.isClosed || !state.handedOver.isEmpty ? true : nil
        }
        return state.withLock { state in
            state.idle -= 1
            return state.handedOver.popLast()
        }
    }
}
