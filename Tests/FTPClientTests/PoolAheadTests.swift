import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// What the pool does for work that nobody waits for: event, expected actions.
struct PoolAheadTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A pool with so many idle connections.
    private func idle(_ count: Int, limit: Int = 4) -> PoolStateMachine {
        var machine = PoolStateMachine(.init(limit: limit, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        for id in 1...count {
            _ = machine.request(UInt64(id), for: .metadata, now: at(0))
            _ = machine.opened(id, now: at(0))
        }
        for id in 1...count { _ = machine.released(id, .usable, now: at(0)) }
        return machine
    }

    @Test func `it gets an idle connection, but not the last one; further ones are opened for it`() {
        var machine = idle(2)
        #expect(machine.request(10, for: .metadata, isAhead: true, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [.open(3)])
        #expect(machine.opened(3, now: at(2)) == [.grant(11, 3)])
        // Whoever is waited for finds one.
        #expect(machine.request(12, for: .metadata, now: at(3)) == [.grant(12, 2)])
    }

    @Test func `with one connection it waits for ever`() {
        var machine = idle(1, limit: 1)
        #expect(machine.request(10, for: .metadata, isAhead: true, now: at(1)) == [])
        #expect(machine.request(11, for: .metadata, now: at(2)) == [.grant(11, 1)])
        #expect(machine.released(1, .usable, now: at(3)) == [])
        #expect(machine.withdraw(10, now: at(4)) == [])
    }

    @Test func `beside short work that somebody waits for it gets the last idle one`() {
        var machine = idle(2, limit: 2)
        #expect(machine.request(10, for: .metadata, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [.grant(11, 2)])
    }

    @Test func `not beside a transfer`() {
        var machine = idle(2, limit: 2)
        #expect(machine.request(10, for: .reading, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [])
    }

    @Test func `what is wanted comes first, whenever it came`() {
        var machine = idle(1, limit: 2)
        _ = machine.request(10, for: .writing, now: at(1))
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [.open(2)])
        #expect(machine.request(12, for: .metadata, now: at(2)) == [])
        #expect(machine.opened(2, now: at(3)) == [.grant(12, 2)])
    }

    @Test func `when somebody waits for it, it moves to the others`() {
        var machine = idle(1, limit: 1)
        _ = machine.request(10, for: .writing, now: at(1))
        _ = machine.request(11, for: .metadata, isAhead: true, now: at(1))
        _ = machine.request(12, for: .metadata, now: at(2))
        #expect(machine.promote(11, now: at(3)) == [])
        #expect(machine.released(1, .usable, now: at(4)) == [.grant(12, 1)])
        #expect(machine.released(1, .usable, now: at(5)) == [.grant(11, 1)])
    }

    @Test(arguments: [PoolStateMachine.Work.metadata, .reading])
    func `what is being done counts as wanted from then on, and the idle one is free for the next`(
        _ work: PoolStateMachine.Work
    ) {
        var machine = idle(2, limit: 2)
        #expect(machine.request(10, for: work, isAhead: true, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [])
        #expect(machine.promote(10, now: at(2)) == [.grant(11, 2)])
        // A number of the past means nothing.
        _ = machine.released(1, .usable, now: at(3))
        #expect(machine.promote(10, now: at(4)) == [])
    }

    @Test func `a stream that is read ahead is let finish for a moment, and then yields before all others`() {
        var machine = idle(3, limit: 3)
        _ = machine.request(10, for: .reading, now: at(1))
        _ = machine.request(11, for: .reading, isAhead: true, now: at(2))
        #expect(machine.request(12, for: .writing, now: at(3)) == [.grant(12, 3)])
        // Even a listing does not break the other one off: this one will be free sooner.
        #expect(machine.request(13, for: .metadata, now: at(4)) == [])
        #expect(machine.nextTick == at(102))
        #expect(machine.tick(now: at(101)) == [])
        #expect(machine.tick(now: at(102)) == [.askToYield(2)])
    }

    @Test func `a server that refuses a further connection is not asked again for that`() {
        var machine = idle(1)
        _ = machine.request(10, for: .metadata, isAhead: true, now: at(1))
        #expect(machine.openFailed(2, .unreachable(host: "h", .connectionRefused), now: at(2)) == [])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(3)) == [])
    }

    @Test func `what can be spared leaves one connection for short work`() {
        var machine = idle(2)
        #expect(machine.spareCount == 3)
        _ = machine.request(10, for: .reading, now: at(1))
        #expect(machine.spareCount == 2)
        _ = machine.request(11, for: .metadata, now: at(1))
        #expect(machine.spareCount == 2)
        _ = machine.request(12, for: .reading, isAhead: true, now: at(1))
        #expect(machine.spareCount == 2)
        #expect(idle(1, limit: 1).spareCount == 0)
    }

    @Test func `the end fails it like all others`() {
        var machine = idle(1, limit: 1)
        _ = machine.request(10, for: .metadata, isAhead: true, now: at(1))
        #expect(machine.shutDown().contains(.fail(10, .closed)))
    }
}
