import Testing
import Threading

@testable import FTPClient

/// Streams that give way: events with their times, expected actions. There is one connection.
struct PoolYieldTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A pool whose only connection was leased to a stream at time 0, which had its first bytes so much later.
    private func reading(after cost: Int64) -> PoolStateMachine {
        var machine = PoolStateMachine(.init(limit: 1, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        _ = machine.request(1, for: .reading, now: at(0))
        _ = machine.opened(1, now: at(0))
        _ = machine.began(1, now: at(cost))
        return machine
    }

    /// | what it took to take the stream up | what waits | how long the bytes flow before it is asked |
    @Test(
        arguments: [
            (1, PoolStateMachine.Work.reading, 400), (50, .reading, 400), (200, .reading, 800), (600, .reading, 2400),
            (5000, .reading, 4000), (1, .metadata, 1), (80, .metadata, 80), (2000, .metadata, 400),
            (600, .writing, 2400),
        ] as [(Int64, PoolStateMachine.Work, Int64)])
    func `a stream keeps its connection for long enough`(
        _ cost: Int64, _ work: PoolStateMachine.Work, _ expected: Int64
    ) {
        var machine = reading(after: cost)
        let due = cost + expected
        #expect(machine.request(2, for: work, now: at(cost)) == [])
        #expect(machine.nextTick == at(due))
        #expect(machine.tick(now: at(due - 1)) == [])
        #expect(machine.tick(now: at(due)) == [.askToYield(1)])
        #expect(machine.tick(now: at(due + 1)) == [])
        #expect(machine.released(1, .usable, now: at(due + 2)) == [.grant(2, 1)])
    }

    @Test func `a turn that has ended before the clock was looked at is not forgotten`() {
        var machine = reading(after: 1)
        #expect(machine.request(2, for: .metadata, now: at(1)) == [])
        // The clock's thread comes late; there is no other event.
        #expect(machine.nextTick == at(2))
        #expect(machine.tick(now: at(50)) == [.askToYield(1)])
        #expect(machine.nextTick == nil)
    }

    @Test func `who was asked before the first byte is asked again behind it`() {
        var machine = PoolStateMachine(.init(limit: 1, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        _ = machine.request(1, for: .reading, now: at(0))
        _ = machine.opened(1, now: at(0))
        #expect(machine.request(2, for: .metadata, now: at(10)) == [.askToYield(1)])
        #expect(machine.began(1, now: at(100)) == [])
        #expect(machine.tick(now: at(200)) == [.askToYield(1)])
    }

    @Test func `two readers that take turns on a slow link get four fifths of the time`() {
        var machine = PoolStateMachine(.init(limit: 1, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        let cost: Int64 = 600
        var now: Int64 = 0
        var flowed: Int64 = 0
        _ = machine.request(1, for: .reading, now: at(now))
        _ = machine.opened(1, now: at(now))
        for turn in 2..<20 {
            _ = machine.request(UInt64(turn), for: .reading, now: at(now))
            now += cost
            #expect(machine.began(1, now: at(now)) == [])
            let due = (machine.nextTick ?? at(now)).nanoseconds / 1_000_000
            flowed += due - now
            now = due
            #expect(machine.tick(now: at(now)) == [.askToYield(1)])
            #expect(machine.released(1, .usable, now: at(now)) == [.grant(UInt64(turn), 1)])
        }
        #expect(flowed * 5 == now * 4)
    }

    @Test func `a walk beside a reader lets it read for as long as each of its turns costs`() {
        var machine = reading(after: 60)
        for turn in 2..<10 {
            let start = Int64(turn) * 1000
            // The walk's next directory, as soon as the last one was listed and the stream taken up again.
            #expect(machine.request(UInt64(turn), for: .metadata, now: at(start)) == [.askToYield(1)])
            #expect(machine.released(1, .usable, now: at(start + 1)) == [.grant(UInt64(turn), 1)])
            #expect(machine.request(UInt64(100 + turn), for: .reading, now: at(start + 2)) == [])
            #expect(machine.released(1, .usable, now: at(start + 3)) == [.grant(UInt64(100 + turn), 1)])
            #expect(machine.began(1, now: at(start + 63)) == [])
        }
    }

    @Test func `of an upload that cannot be interrupted nothing is asked`() {
        var machine = PoolStateMachine(.init(limit: 1, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        _ = machine.request(1, for: .writing, now: at(0))
        _ = machine.opened(1, now: at(0))
        #expect(machine.began(1, now: at(1)) == [])
        #expect(machine.request(2, for: .metadata, now: at(10_000)) == [])
    }
}
