import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

@Suite(.serialized, .timeLimit(.minutes(1))) struct SpareThreadsTests {
    private let threads = SpareThreads(named: "test", idleTime: .seconds(30))
    private let seen = Monitor<[pthread_t]>([])

    /// Runs something that notes its thread, and waits until that has been done so often.
    private func run(until count: Int) throws {
        try threads.run { [seen] in seen.withLockThenWake { $0.append(pthread_self()) } }
        _ = seen.wait(until: .after(.seconds(20))) { $0.count >= count ? true : nil }
    }

    private func waitUntilIdle(_ count: Int) {
        let deadline = Deadline.after(.seconds(20))
        while threads.idleCount != count, !deadline.hasPassed { sched_yield() }
        #expect(threads.idleCount == count)
    }

    @Test func `one piece of work after the other takes one thread`() throws {
        for count in 1...20 {
            try run(until: count)
            waitUntilIdle(1)
        }
        threads.close()
        #expect(seen.withLock { Set($0).count } == 1)
        waitUntilIdle(0)
    }

    @Test func `pieces at the same time have a thread each`() throws {
        let gate = Monitor(false)
        for _ in 1...3 {
            try threads.run { [seen] in
                seen.withLockThenWake { $0.append(pthread_self()) }
                _ = gate.wait(until: .after(.seconds(20))) { $0 ? true : nil }
            }
        }
        let began = seen.wait(until: .after(.seconds(20))) { $0.count == 3 ? true : nil }
        #expect(began == true)
        gate.withLockThenWake { $0 = true }
        waitUntilIdle(3)
        threads.close()
        waitUntilIdle(0)
    }

    @Test func `behind the end everything is still run`() throws {
        threads.close()
        try run(until: 1)
        #expect(seen.withLock { $0.count } == 1)
        waitUntilIdle(0)
    }
}
