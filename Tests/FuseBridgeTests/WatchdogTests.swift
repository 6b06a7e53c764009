#if DEBUG
import Testing
import Threading

@testable import FuseBridge

/// Which requests the debug watch-dog tells of.
struct WatchdogTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `those that are older than every deadline, once each`() {
        var watchdog = Watchdog()
        #expect(watchdog.overdue([(1, at(0)), (2, at(200))], now: at(299)) == [])
        #expect(watchdog.overdue([(1, at(0)), (2, at(200))], now: at(300)) == [1])
        #expect(watchdog.overdue([(1, at(0)), (2, at(200))], now: at(330)) == [])
        #expect(watchdog.overdue([(1, at(0)), (2, at(200))], now: at(500)) == [2])
        #expect(watchdog.overdue([], now: at(530)) == [])
    }
}
#endif
