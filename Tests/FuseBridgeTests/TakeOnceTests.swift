import Testing
import Threading

@testable import FuseBridge

/// A value that can be had once.
@Suite struct TakeOnceTests {
    @Test func theFirstGetsItAndTheOthersNothing() {
        let box = TakeOnce(7)
        #expect(box.take() == 7)
        #expect(box.take() == nil)
    }

    @Test func oneOfManyThreadsGetsIt() throws {
        for _ in 0..<100 {
            let box = TakeOnce(1)
            let taken = Monitor(0)
            let threads = try (0..<4).map { index in
                try Thread(named: "taker \(index)") {
                    let value = box.take() ?? 0
                    taken.withLock { $0 += value }
                }
            }
            for thread in threads { thread.join() }
            #expect(taken.withLock { $0 } == 1)
        }
    }
}
