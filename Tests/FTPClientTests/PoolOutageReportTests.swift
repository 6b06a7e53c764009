import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// What the pool says of a server that has worked and cannot be reached, at injected times.
struct PoolOutageReportTests {
    private static let down = FTPError.unreachable(host: "h", .connectionRefused)

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func pool(outage: Duration?) -> PoolStateMachine {
        var settings = PoolStateMachine.Settings(limit: 4, keepAlive: .seconds(50), idleExtra: .seconds(40))
        settings.outage = outage
        return PoolStateMachine(settings)
    }

    @Test func `an outage is told from the first failed attempt to the next connection`() {
        var machine = pool(outage: .seconds(60))
        _ = machine.request(1, for: .metadata, now: at(0))
        _ = machine.opened(1, now: at(0))
        _ = machine.released(1, .dead, now: at(0))
        #expect(machine.outageReport(at(0)) == nil)
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.openFailed(2, Self.down, now: at(1000))
        #expect(
            machine.outageReport(at(1100))
                == OutageReport(
                    span: .milliseconds(100), attempts: 1, error: Self.down, nextAttempt: .milliseconds(400),
                    patience: .milliseconds(59_900)))
        _ = machine.tick(now: at(1500))
        _ = machine.openFailed(3, Self.down, now: at(61_600))
        // It has lasted for too long; nobody waits, and nothing is tried until somebody asks.
        #expect(
            machine.outageReport(at(62_000))
                == OutageReport(
                    span: .seconds(61), attempts: 2, error: Self.down, nextAttempt: nil, patience: .zero))
        _ = machine.request(3, for: .metadata, now: at(70_000))
        _ = machine.opened(4, now: at(70_001))
        #expect(machine.outageReport(at(70_002)) == nil)
    }

    @Test func `hard has no limit, and a server that never worked is no outage`() {
        var machine = pool(outage: nil)
        _ = machine.request(1, for: .metadata, now: at(0))
        _ = machine.openFailed(1, Self.down, now: at(1))
        #expect(machine.outageReport(at(2)) == nil)
        _ = machine.request(2, for: .metadata, now: at(1000))
        _ = machine.opened(2, now: at(1001))
        _ = machine.released(2, .dead, now: at(1002))
        _ = machine.request(3, for: .metadata, now: at(1003))
        _ = machine.openFailed(3, Self.down, now: at(1004))
        #expect(machine.outageReport(at(1005))?.patience == nil)
        #expect(machine.outageReport(at(1005))?.attempts == 1)
    }

    @Test(arguments: [
        (nil as Duration?, "h cannot be reached: cannot connect", "; requests wait until it works"),
        (.seconds(60), "h cannot be reached: cannot connect", "; requests wait for it, up to 60 s"),
        (.zero, "h cannot be reached: cannot connect", "; requests fail until it works"),
    ])
    func `one line for the log at the beginning and one at the end`(
        _ patience: Duration?, _ beginning: String, _ ending: String
    ) {
        let report = OutageReport(
            span: .milliseconds(44_600), attempts: 6, error: Self.down, nextAttempt: nil, patience: patience)
        #expect(report.beginning("h").hasPrefix(beginning))
        #expect(report.beginning("h").hasSuffix(ending))
        #expect(report.ending("h") == "h works again, after 45 s and 6 failed attempts")
    }
}
