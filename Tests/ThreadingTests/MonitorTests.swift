import Testing
import Threading

/// A monitor excludes, wakes, and stops waiting when it should.
@Suite(.serialized, .timeLimit(.minutes(1))) struct MonitorTests {
    private struct Refused: Error, Equatable {}

    @Test func manyThreadsLoseNoUpdate() throws {
        let counter = Monitor(0)
        let threads = try (0..<16).map { index in
            try Thread(named: "counter \(index)") {
                for _ in 0..<2_000 { counter.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.withLock { $0 } == 32_000)
    }

    @Test func everyWaiterIsWoken() throws {
        struct State {
            var waiting = 0
            var isOpen = false
            var passed = 0
        }
        let gate = Monitor(State())
        let threads = try (0..<8).map { index in
            try Thread(named: "waiter \(index)") {
                gate.withLockThenWake { $0.waiting += 1 }
                _ = gate.wait(until: .never) { state in state.isOpen ? true : nil }
                gate.withLock { $0.passed += 1 }
            }
        }
        // Given: all of them wait (or are about to).
        let all: Bool? = gate.wait(until: .after(.seconds(30))) { state in state.waiting == 8 ? true : nil }
        #expect(all == true)

        // When the gate opens, all pass.
        gate.withLockThenWake { $0.isOpen = true }
        for thread in threads { thread.join() }
        #expect(gate.withLock { $0.passed } == 8)
    }

    @Test func aWaitEndsAtItsDeadlineAndNotBefore() {
        let monitor = Monitor(())
        let deadline = Deadline.after(.milliseconds(20))
        let result: Int? = monitor.wait(until: deadline) { _ in nil }
        #expect(result == nil)
        #expect(deadline.hasPassed)
    }

    @Test func aPassedDeadlineStillLooksOnce() {
        let monitor = Monitor(7)
        #expect(monitor.wait(until: .at(Instant(nanoseconds: 0))) { $0 } == 7)
    }

    @Test func wakeMakesWaitersLookAgain() throws {
        // The state that decides is outside of the monitor, as the flag of a cancellation is.
        let cancellation = Cancellation()
        let monitor = Monitor(0)
        let waiter = try Thread(named: "waiter") {
            _ = monitor.wait(until: .never) { looks -> Bool? in
                looks += 1
                return cancellation.isCancelled ? true : nil
            }
        }
        while monitor.withLock({ $0 }) == 0 {}
        cancellation.cancel()
        monitor.wake()
        waiter.join()
    }

    @Test func anErrorOfTheBodyComesOutAndFreesTheLock() {
        let monitor = Monitor(1)
        #expect(throws: Refused()) {
            try monitor.withLock { _ throws(Refused) in throw Refused() }
        }
        #expect(throws: Refused()) {
            let _: Int? = try monitor.wait(until: .never) { _ throws(Refused) -> Int? in throw Refused() }
        }
        #expect(monitor.withLock { $0 } == 1)
    }

    // MARK: - With a cancellation

    @Test func aResultWinsOverCancellationAndDeadline() {
        let cancellation = Cancellation()
        cancellation.cancel()
        let outcome = Monitor(3).wait(until: .at(Instant(nanoseconds: 0)), cancellation: cancellation) { $0 }
        #expect(outcome == .ready(3))
    }

    @Test func aWaitThatIsCancelledBeforehandDoesNotWait() {
        let cancellation = Cancellation()
        cancellation.cancel()
        let outcome: WaitOutcome<Int> = Monitor(()).wait(until: .never, cancellation: cancellation) { _ in nil }
        #expect(outcome == .cancelled)
    }

    @Test func aWaitEndsWhenItIsCancelled() throws {
        let cancellation = Cancellation()
        let monitor = Monitor(0)
        let outcome = Monitor<WaitOutcome<Int>?>(nil)
        let waiter = try Thread(named: "waiter") {
            let ended: WaitOutcome<Int> = monitor.wait(until: .never, cancellation: cancellation) { looks in
                looks += 1
                return nil
            }
            outcome.withLock { $0 = ended }
        }
        while monitor.withLock({ $0 }) == 0 {}
        cancellation.cancel()
        waiter.join()
        #expect(outcome.withLock { $0 } == .cancelled)
    }

    @Test func aWaitThatIsNotCancelledTimesOut() {
        let outcome: WaitOutcome<Int> = Monitor(()).wait(until: .after(.milliseconds(5)), cancellation: Cancellation())
        {
            _ in nil
        }
        #expect(outcome == .timedOut)
    }
}
