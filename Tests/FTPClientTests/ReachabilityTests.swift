import FTPProtocol
import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// What attempts at connections mean while none is alive: scripts of outcomes, and who hears of them.
struct ReachabilityTests {
    private static let dropped = FTPError.connectionLost(.afterCommand, reason: "closed")
    private static let down = FTPError.unreachable(host: "h", .connectionRefused)
    private static let full = FTPError.tooManyConnections(Reply(code: 421, lines: [Array("Too many".utf8)]))
    private static let refused = FTPError.loginRefused(Reply(code: 530, lines: [[]]))
    private static let busy = FTPError.loginRefused(Reply(code: 430, lines: [[]]))

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func reachability(outage: Duration? = .zero, works: Bool) -> Reachability {
        var settings = PoolStateMachine.Settings(limit: 4, keepAlive: .seconds(50), idleExtra: .seconds(40))
        settings.outage = outage
        var reachability = Reachability(settings)
        if works { reachability.succeeded() }
        return reachability
    }

    /// One attempt after the other at the given times, and whether those who wait go on waiting.
    struct Script: Sendable, CustomTestStringConvertible {
        let name: String
        var works = true
        var outage: Duration? = .zero
        let attempts: [(at: Int64, error: FTPError, waits: Bool, next: Int64?)]
        var testDescription: String { name }
    }

    static let scripts = [
        Script(
            name: "a login that is dropped once is made again at once, also the very first", works: false,
            attempts: [(0, dropped, true, nil), (1, dropped, false, 501)]),
        Script(
            name: "with something else in between too",
            attempts: [(0, dropped, true, nil), (1, down, false, 501), (502, dropped, false, 1502)]),
        Script(
            name: "a server that drops each login is tried like one that is down", outage: .seconds(2),
            attempts: [
                (0, dropped, true, nil), (1, dropped, true, 501), (501, dropped, true, 1501),
                (2001, dropped, false, 4001),
            ]),
        Script(
            name: "a server that is down at the first mount is told at once", works: false, outage: nil,
            attempts: [(0, down, false, 500)]),
        Script(
            name: "a full one is asked again for a while, also at the first mount", works: false,
            attempts: [
                (0, full, true, 500), (500, full, true, 1500), (1500, full, true, 3500), (3500, full, true, 7500),
                (10_000, full, false, 10_500),
            ]),
        Script(
            name: "a refused login is told, and not tried again for long", outage: nil,
            attempts: [(0, refused, false, 30_000)]),
        Script(
            name: "a login that is refused for the moment is told, and tried again soon", outage: nil,
            attempts: [(0, busy, false, 500)]),
    ]

    @Test(arguments: scripts)
    func `who waits`(_ script: Script) {
        var reachability = reachability(outage: script.outage, works: script.works)
        for attempt in script.attempts {
            reachability.age(at(attempt.at))
            #expect(reachability.failed(attempt.error, at(attempt.at)) == attempt.waits)
            #expect(reachability.nextAttempt == attempt.next.map(at))
        }
    }

    @Test func `a login that works ends all that was before`() {
        var reachability = reachability(outage: .seconds(60), works: true)
        _ = reachability.failed(Self.dropped, at(0))
        _ = reachability.failed(Self.down, at(1))
        reachability.succeeded()
        #expect(reachability.nextAttempt == nil)
        #expect(reachability.failed(Self.dropped, at(100_000)) == true)
        #expect(reachability.nextAttempt == nil)
    }

    @Test func `at the end of the mount nobody waits for a login that was dropped`() {
        var reachability = reachability(outage: nil, works: true)
        #expect(reachability.hurry() == nil)
        #expect(reachability.failed(Self.dropped, at(0)) == false)
    }
}
