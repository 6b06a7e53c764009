import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// When further connections pay for work ahead, and what the pool does when they do not.
struct LoginCostTests {
    @Test(arguments: [
        // On the same machine, and a login that takes its time there: a tree of 50 directories, and 300 small files.
        (login: Duration.milliseconds(8), roundTrip: Duration.microseconds(10), pieces: 50, pays: false),
        (.milliseconds(8), .microseconds(10), 300, true),
        // The same with a server that logs in at once.
        (.milliseconds(1), .microseconds(10), 50, true),
        // In the next room.
        (.milliseconds(10), .microseconds(300), 10, false),
        (.milliseconds(10), .microseconds(300), 50, true),
        // 20 ms away, without and with TLS; what is left behind the round trips is little.
        (.milliseconds(125), .milliseconds(20), 1, true),
        (.milliseconds(220), .milliseconds(20), 4, false),
        (.milliseconds(220), .milliseconds(20), 8, true),
        (.milliseconds(90), .milliseconds(20), 1, true),
        // Nothing to do, or more than anybody can count.
        (.milliseconds(8), .microseconds(10), 0, false),
        (.milliseconds(8), .microseconds(10), -1, false),
        (.seconds(30), .microseconds(1), .max, true),
    ])
    func `a login has to cost less work than it saves waiting`(
        login: Duration, roundTrip: Duration, pieces: Int, pays: Bool
    ) {
        #expect(LoginCost(duration: login, roundTrip: roundTrip).pays(for: pieces) == pays)
    }

    @Test func `where nobody knows how far the server is, it is taken to be far`() {
        #expect(LoginCost(duration: .seconds(1), roundTrip: nil).pays(for: 1))
    }

    @Test(arguments: [
        (roundTrip: Duration?.some(.microseconds(10)), useful: 4),
        (.microseconds(499), 4),
        (.milliseconds(1), .max),
        (.milliseconds(20), .max),
        (nil, .max),
    ])
    func `on the same machine a few connections keep both sides busy`(roundTrip: Duration?, useful: Int) {
        #expect(LoginCost(duration: .milliseconds(8), roundTrip: roundTrip).useful == useful)
    }

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func pool(idle count: Int) -> PoolStateMachine {
        var machine = PoolStateMachine(.init(limit: 4, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        for id in 1...count {
            _ = machine.request(UInt64(id), for: .metadata, now: at(0))
            _ = machine.opened(id, now: at(0))
        }
        for id in 1...count { _ = machine.released(id, .usable, now: at(0)) }
        return machine
    }

    @Test func `where it does not pay, nothing is opened for work ahead, and what is idle is used all the same`() {
        var machine = pool(idle: 2)
        machine.limitForAhead = 0
        #expect(machine.request(10, for: .metadata, isAhead: true, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .metadata, isAhead: true, now: at(1)) == [])
        #expect(machine.released(1, .usable, now: at(2)) == [.grant(11, 1)])
        // Who is waited for gets a connection of its own as always.
        #expect(machine.request(12, for: .metadata, now: at(3)) == [.grant(12, 2)])
        #expect(machine.request(13, for: .metadata, now: at(3)) == [.open(3)])
    }

    @Test func `no more are opened for work ahead than are useful, and for others as many as may be`() {
        var machine = pool(idle: 2)
        machine.limitForAhead = 3
        #expect(machine.request(10, for: .reading, isAhead: true, now: at(1)) == [.grant(10, 1)])
        #expect(machine.request(11, for: .reading, isAhead: true, now: at(1)) == [.open(3)])
        #expect(machine.request(12, for: .reading, isAhead: true, now: at(1)) == [])
        #expect(machine.request(13, for: .metadata, now: at(2)) == [.grant(13, 2)])
        #expect(machine.request(14, for: .reading, now: at(2)) == [])
        #expect(machine.request(15, for: .reading, now: at(2)) == [.open(4)])
    }
}
