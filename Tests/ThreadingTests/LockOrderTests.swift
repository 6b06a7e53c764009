#if DEBUG
import Testing
import Threading

/// Debug builds end at once where a release build might hang one day.
struct LockOrderTests {
    private struct Outer { var count = 0 }
    private struct Inner { var count = 0 }

    @Test func `locks that are taken in one order only are fine`() {
        let (outer, inner) = (Monitor(Outer()), Monitor(Inner()))
        for _ in 0..<3 { outer.withLock { $0.count += inner.withLock { $0.count + 1 } } }
        #expect(outer.withLock { $0.count } == 3)
    }

    @Test func `locks that are taken in both orders end the process, also by one thread`() async {
        await #expect(processExitsWith: .failure) {
            struct First { var count = 0 }
            struct Second { var count = 0 }
            let (first, second) = (Monitor(First()), Monitor(Second()))
            first.withLock { $0.count += second.withLock { $0.count } }
            second.withLock { $0.count += first.withLock { $0.count } }
        }
    }

    @Test func `a lock that is taken twice ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let monitor = Monitor(0)
            monitor.withLock { $0 += monitor.withLock { $0 } }
        }
    }
}
#endif
