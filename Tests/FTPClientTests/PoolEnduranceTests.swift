import FTPProtocol
import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// What the pool does while a server that has worked cannot be reached: events with their times, expected actions.
struct PoolEnduranceTests {
    private static let down = FTPError.unreachable(host: "h", .connectionRefused)
    private static let silent = FTPError.timedOut(.connecting)

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A pool whose first connection has worked and was lost at time 0, while request 2 holds it.
    private func orphaned(outage: Duration?) -> PoolStateMachine {
        var settings = PoolStateMachine.Settings(limit: 4, keepAlive: .seconds(50), idleExtra: .seconds(40))
        settings.outage = outage
        var machine = PoolStateMachine(settings)
        _ = machine.request(1, for: .metadata, now: at(0))
        _ = machine.opened(1, now: at(0))
        _ = machine.released(1, .dead, now: at(0))
        return machine
    }

    @Test func `who waits is not told of a failed attempt while the outage may last`() {
        var machine = orphaned(outage: .seconds(60))
        #expect(machine.request(2, for: .metadata, now: at(0)) == [.open(2)])
        #expect(machine.openFailed(2, Self.down, now: at(1)) == [])
        #expect(machine.request(3, for: .reading, now: at(2)) == [])
        #expect(machine.tick(now: at(501)) == [.open(3)])
        #expect(machine.opened(3, now: at(510)) == [.grant(2, 3), .open(4)])
    }

    @Test func `one attempt at a time, at growing intervals`() {
        var machine = orphaned(outage: nil)
        var now: Int64 = 0
        #expect(machine.request(2, for: .metadata, now: at(now)) == [.open(2)])
        var pauses: [Int64] = []
        for id in 2..<10 {
            #expect(machine.openFailed(id, Self.silent, now: at(now)) == [])
            // A storm of requests makes no further attempt.
            for request in 0..<20 {
                #expect(machine.request(UInt64(id * 100 + request), for: .metadata, now: at(now)) == [])
            }
            let next = machine.nextTick.map { $0.nanoseconds / 1_000_000 } ?? 0
            pauses.append(next - now)
            now = next
            #expect(machine.tick(now: at(now)) == [.open(id + 1)])
        }
        #expect(pauses == [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000])
    }

    @Test func `a cable that is pulled for ten minutes is waited for with hard`() {
        var machine = orphaned(outage: nil)
        #expect(machine.request(2, for: .metadata, now: at(0)) == [.open(2)])
        var now: Int64 = 0
        var id = 2
        while now < 600_000 {
            // Each attempt takes its limit of 15 s.
            now += 15_000
            #expect(machine.openFailed(id, Self.silent, now: at(now)) == [])
            now = (machine.nextTick ?? at(now)).nanoseconds / 1_000_000
            id += 1
            #expect(machine.tick(now: at(now)) == [.open(id)])
        }
        #expect(machine.opened(id, now: at(now)) == [.grant(2, id)])
    }

    @Test func `after the outage has lasted its time, each failed attempt is told`() {
        var machine = orphaned(outage: .seconds(4))
        _ = machine.request(2, for: .metadata, now: at(0))
        #expect(machine.openFailed(2, Self.down, now: at(0)) == [])
        #expect(machine.tick(now: at(500)) == [.open(3)])
        #expect(machine.openFailed(3, Self.down, now: at(500)) == [])
        #expect(machine.tick(now: at(1500)) == [.open(4)])
        #expect(machine.openFailed(4, Self.down, now: at(4000)) == [.fail(2, Self.down)])
        // The next one waits for the next attempt, and no longer.
        #expect(machine.request(3, for: .metadata, now: at(4100)) == [])
        #expect(machine.tick(now: at(6000)) == [.open(5)])
        #expect(machine.openFailed(5, Self.down, now: at(6001)) == [.fail(3, Self.down)])
    }

    @Test func `a connection that is made ends the outage`() {
        var machine = orphaned(outage: .seconds(4))
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.openFailed(2, Self.down, now: at(0))
        _ = machine.tick(now: at(500))
        #expect(machine.opened(3, now: at(600)) == [.grant(2, 3)])
        _ = machine.released(3, .dead, now: at(100_000))
        _ = machine.request(3, for: .metadata, now: at(100_000))
        #expect(machine.openFailed(4, Self.down, now: at(100_001)) == [])
        #expect(machine.nextTick == at(100_501))
    }

    @Test func `before anything has ever worked the first failure counts`() {
        var settings = PoolStateMachine.Settings(limit: 4, keepAlive: .seconds(50), idleExtra: .seconds(40))
        settings.outage = nil
        var machine = PoolStateMachine(settings)
        _ = machine.request(1, for: .metadata, now: at(0))
        #expect(machine.openFailed(1, Self.down, now: at(0)) == [.fail(1, Self.down)])
    }

    @Test func `the end of the mount ends the waiting`() {
        var machine = orphaned(outage: nil)
        _ = machine.request(2, for: .writing, now: at(0))
        _ = machine.openFailed(2, Self.down, now: at(0))
        #expect(machine.hurry() == [.fail(2, Self.down)])
        #expect(machine.request(3, for: .writing, now: at(100)) == [.open(3)])
        #expect(machine.openFailed(3, Self.down, now: at(501)) == [.fail(3, Self.down)])
    }

    @Test func `a refused login is no outage`() {
        let refusal = FTPError.loginRefused(Reply(code: 530, lines: [[]]))
        var machine = orphaned(outage: nil)
        _ = machine.request(2, for: .metadata, now: at(0))
        #expect(machine.openFailed(2, refusal, now: at(5)) == [.fail(2, refusal)])
    }

    @Test func `a connection that fell silent takes the idle ones with it`() {
        var machine = orphaned(outage: .seconds(60))
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(0))
        _ = machine.opened(2, now: at(10))
        _ = machine.opened(3, now: at(10))
        #expect(machine.idle == [])
        _ = machine.released(2, .usable, now: at(20))
        #expect(machine.released(3, .silent, now: at(15_000)) == [.discard(3), .discard(2)])
        #expect(machine.request(4, for: .metadata, now: at(15_001)) == [.open(4)])
    }

    @Test(arguments: [
        (Endurance.none, []),
        (Endurance(repeats: 2, outage: .zero), [0, 500]),
        (Endurance(repeats: 8, outage: .zero), [0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]),
    ])
    func `pauses between the attempts of one request, in milliseconds`(_ endurance: Endurance, _ expected: [Int]) {
        var perseverance = Perseverance(endurance)
        var pauses: [Duration] = []
        while let pause = perseverance.nextPause() { pauses.append(pause) }
        #expect(pauses == expected.map { .milliseconds($0) })
    }

    @Test func `hard has no last attempt`() {
        var perseverance = Perseverance(.hard)
        for _ in 0..<2000 { #expect(perseverance.nextPause() != nil) }
        #expect(perseverance.nextPause() == .seconds(15))
    }
}
