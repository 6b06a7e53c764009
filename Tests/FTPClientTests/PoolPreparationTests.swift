import Testing
import Threading

@testable import FTPClient

/// What the pool makes of data connections that are made ahead: event, expected actions.
struct PoolPreparationTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A pool with so many idle connections, each prepared a millisecond after the one before it.
    private func prepared(_ count: Int, limit: Int = 4) -> PoolStateMachine {
        var machine = PoolStateMachine(.init(limit: limit, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        machine.notePreparation(takes: .milliseconds(40))
        for id in 1...count {
            _ = machine.request(UInt64(id), for: .metadata, now: at(0))
            _ = machine.opened(id, now: at(0))
        }
        for id in 1...count { _ = machine.released(id, .usable, isPrepared: true, now: at(Int64(id))) }
        return machine
    }

    @Test func `transfers get the one that was prepared first, metadata work the one used last`() {
        var machine = prepared(3)
        #expect(machine.request(10, for: .metadata, now: at(100)) == [.grant(10, 3)])
        #expect(machine.request(11, for: .reading, now: at(100)) == [.grant(11, 1)])
        #expect(machine.request(12, for: .writing, now: at(100)) == [.grant(12, 2)])
    }

    @Test func `what nobody has used while it was young is given up, once`() {
        var machine = prepared(1)
        #expect(machine.nextTick == at(5001))
        #expect(machine.tick(now: at(5000)) == [])
        #expect(machine.tick(now: at(5001)) == [.disarm(1)])
        #expect(machine.tick(now: at(5002)) == [])
    }

    @Test func `two hurried transfers in a row open another connection`() {
        var machine = prepared(1)
        #expect(machine.request(10, for: .writing, now: at(2)) == [.grant(10, 1)])
        #expect(machine.released(1, .usable, isPrepared: true, now: at(50)) == [])
        #expect(machine.request(11, for: .writing, now: at(60)) == [.grant(11, 1), .open(2)])
        // They take turns: nobody is in a hurry any more.
        #expect(machine.opened(2, isPrepared: true, now: at(100)) == [])
        #expect(machine.released(1, .usable, isPrepared: true, now: at(110)) == [])
        #expect(machine.request(12, for: .writing, now: at(150)) == [.grant(12, 2)])
    }

    @Test func `a transfer that came in time, and one connection at all, change nothing`() {
        var machine = prepared(1, limit: 1)
        for turn in 0..<5 {
            let now = at(Int64(turn) * 10 + 2)
            #expect(machine.request(UInt64(10 + turn), for: .writing, now: now) == [.grant(UInt64(10 + turn), 1)])
            #expect(machine.released(1, .usable, isPrepared: true, now: now) == [])
        }
    }
}
