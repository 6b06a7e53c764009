import FTPProtocol
import SystemPackage
import Testing
import Threading

@testable import FTPClient

/// The rules at the top of `PoolStateMachine`, as scripts: event, expected actions.
struct PoolStateMachineTests {
    private typealias Machine = PoolStateMachine
    private static let tooMany = FTPError.tooManyConnections(Reply(code: 421, lines: [Array("Too many".utf8)]))
    private static let down = FTPError.unreachable(host: "h", .connectionRefused)

    private func machine(limit: Int = 4) -> PoolStateMachine {
        PoolStateMachine(.init(limit: limit, keepAlive: .seconds(50), idleExtra: .seconds(40)))
    }

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A pool whose first connection is idle since time 0.
    private func started(limit: Int = 4) -> PoolStateMachine {
        var machine = machine(limit: limit)
        _ = machine.request(1, for: .metadata, now: at(0))
        _ = machine.opened(1, now: at(0))
        _ = machine.released(1, .usable, now: at(0))
        return machine
    }

    @Test func theFirstRequestOpensAConnectionAndTheIdleOneServesTheNext() {
        var machine = machine()
        #expect(machine.request(1, for: .metadata, now: at(0)) == [.open(1)])
        #expect(machine.opened(1, now: at(10)) == [.grant(1, 1)])
        #expect(machine.released(1, .usable, now: at(20)) == [])
        #expect(machine.request(2, for: .reading, now: at(30)) == [.grant(2, 1)])
    }

    @Test func whileNothingIsAliveOnlyOneConnectionIsTried() {
        var machine = machine()
        #expect(machine.request(1, for: .metadata, now: at(0)) == [.open(1)])
        #expect(machine.request(2, for: .metadata, now: at(1)) == [])
        #expect(machine.request(3, for: .reading, now: at(2)) == [])
        // Once the server has answered, the others get theirs.
        #expect(machine.opened(1, now: at(10)) == [.grant(1, 1), .open(2), .open(3)])
    }

    @Test func aServerThatIsDownFailsEverybodyAtOnceAndIsTriedAgainAfterAPause() {
        var machine = machine()
        _ = machine.request(1, for: .metadata, now: at(0))
        _ = machine.request(2, for: .reading, now: at(0))
        #expect(machine.openFailed(1, Self.down, now: at(5)) == [.fail(1, Self.down), .fail(2, Self.down)])
        #expect(machine.request(3, for: .metadata, now: at(100)) == [])
        #expect(machine.nextTick == at(505))
        #expect(machine.tick(now: at(505)) == [.open(2)])
        #expect(machine.opened(2, now: at(510)) == [.grant(3, 2)])
    }

    @Test func aRefusedLoginIsRepeatedToEverybodyAndNotToTheServer() {
        let refusal = FTPError.loginRefused(Reply(code: 530, lines: [[]]))
        var machine = machine()
        _ = machine.request(1, for: .metadata, now: at(0))
        #expect(machine.openFailed(1, refusal, now: at(5)) == [.fail(1, refusal)])
        #expect(machine.request(2, for: .metadata, now: at(1000)) == [.fail(2, refusal)])
        #expect(machine.request(3, for: .metadata, now: at(31_000)) == [.open(2)])
    }

    @Test func furtherConnectionsAreOpenedUpToTheLimit() {
        var machine = started(limit: 2)
        #expect(machine.request(2, for: .writing, now: at(1)) == [.grant(2, 1)])
        #expect(machine.request(3, for: .writing, now: at(2)) == [.open(2)])
        #expect(machine.opened(2, now: at(3)) == [.grant(3, 2)])
        #expect(machine.request(4, for: .metadata, now: at(4)) == [])
        #expect(machine.released(2, .usable, now: at(5)) == [.grant(4, 2)])
    }

    @Test func tooManyConnectionsTeachesTheLimitAndFailsNobody() {
        var machine = started()
        _ = machine.request(2, for: .writing, now: at(1))
        #expect(machine.request(3, for: .metadata, now: at(2)) == [.open(2)])
        #expect(machine.openFailed(2, Self.tooMany, now: at(3)) == [])
        #expect(machine.request(4, for: .metadata, now: at(4)) == [])
        #expect(machine.released(1, .usable, now: at(5)) == [.grant(3, 1)])
        #expect(machine.released(1, .usable, now: at(6)) == [.grant(4, 1)])
        // Forgotten after a while: the server may have room again.
        #expect(machine.request(5, for: .metadata, now: at(300_004)) == [.open(3)])
    }

    @Test func tooManyConnectionsWithoutAnyIsTriedAgainForAWhile() {
        var machine = machine()
        _ = machine.request(1, for: .metadata, now: at(0))
        #expect(machine.openFailed(1, Self.tooMany, now: at(0)) == [])
        #expect(machine.tick(now: at(499)) == [])
        #expect(machine.tick(now: at(500)) == [.open(2)])
        #expect(machine.openFailed(2, Self.tooMany, now: at(9999)) == [])
        #expect(machine.tick(now: at(10_999)) == [.open(3)])
        #expect(machine.openFailed(3, Self.tooMany, now: at(11_000)) == [.fail(1, Self.tooMany)])
    }

    @Test func anotherFailureOfAFurtherConnectionOnlyPausesGrowth() {
        var machine = started()
        _ = machine.request(2, for: .writing, now: at(1))
        _ = machine.request(3, for: .metadata, now: at(2))
        #expect(machine.openFailed(2, Self.down, now: at(3)) == [])
        #expect(machine.tick(now: at(5000)) == [])
        #expect(machine.tick(now: at(10_003)) == [.open(3)])
    }

    @Test func aReadingStreamYieldsToMetadataAtOnce() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .reading, now: at(0))
        #expect(machine.request(3, for: .metadata, now: at(1)) == [.askToYield(1)])
        // Asked once, not twice.
        #expect(machine.request(4, for: .metadata, now: at(2)) == [])
        #expect(machine.released(1, .outOfStep, now: at(3)) == [.recover(1)])
        #expect(machine.serviced(1, works: true, now: at(4)) == [.grant(3, 1)])
    }

    @Test func aReadingStreamKeepsItsConnectionForATimeSliceAgainstOtherTransfers() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .reading, now: at(0))
        #expect(machine.request(3, for: .reading, now: at(100)) == [])
        #expect(machine.nextTick == at(400))
        #expect(machine.tick(now: at(399)) == [])
        #expect(machine.tick(now: at(400)) == [.askToYield(1)])
    }

    @Test func anUploadIsNeverAskedToYield() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .writing, now: at(0))
        #expect(machine.request(3, for: .metadata, now: at(1)) == [])
        #expect(machine.tick(now: at(60_000)) == [])
        #expect(machine.released(1, .usable, now: at(60_001)) == [.grant(3, 1)])
    }

    @Test func theStreamThatHoldsItsConnectionLongestYieldsFirst() {
        var machine = started(limit: 2)
        _ = machine.request(2, for: .reading, now: at(0))
        _ = machine.request(3, for: .reading, now: at(1))
        _ = machine.opened(2, now: at(10))
        #expect(machine.request(4, for: .metadata, now: at(20)) == [.askToYield(1)])
        #expect(machine.request(5, for: .metadata, now: at(21)) == [.askToYield(2)])
    }

    @Test func metadataComesBeforeTransfersButDoesNotStarveThem() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.request(3, for: .writing, now: at(1))
        for request in UInt64(10)...20 { _ = machine.request(request, for: .metadata, now: at(2)) }
        var order: [UInt64] = []
        for step in 0..<12 {
            for case .grant(let request, _) in machine.released(1, .usable, now: at(10 + Int64(step))) {
                order.append(request)
            }
        }
        #expect(order == [10, 11, 12, 13, 14, 15, 16, 17, 3, 18, 19, 20])
    }

    @Test func aDeadConnectionIsReplacedForThoseWhoWait() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(1))
        #expect(machine.released(1, .dead, now: at(2)) == [.discard(1), .open(2)])
        #expect(machine.opened(2, now: at(3)) == [.grant(3, 2)])
    }

    @Test func aConnectionThatCannotBeRecoveredIsReplaced() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .reading, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(1))
        _ = machine.released(1, .outOfStep, now: at(2))
        #expect(machine.serviced(1, works: false, now: at(1000)) == [.discard(1), .open(2)])
    }

    @Test func theFirstConnectionIsKeptAliveAndTheOthersAreClosedWhenIdle() {
        var machine = started(limit: 2)
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(0))
        _ = machine.opened(2, now: at(0))
        _ = machine.released(1, .usable, now: at(0))
        _ = machine.released(2, .usable, now: at(0))
        #expect(machine.nextTick == at(40_000))
        #expect(machine.tick(now: at(40_000)) == [.close(2)])
        #expect(machine.nextTick == at(50_000))
        #expect(machine.tick(now: at(50_000)) == [.keepAlive(1)])
        #expect(machine.serviced(1, works: true, now: at(50_100)) == [])
        #expect(machine.nextTick == at(100_100))
    }

    @Test func aLostFirstConnectionIsMadeAnewWhenNeededAndNotBefore() {
        var machine = started()
        #expect(machine.tick(now: at(50_000)) == [.keepAlive(1)])
        #expect(machine.serviced(1, works: false, now: at(50_100)) == [.discard(1)])
        #expect(machine.nextTick == nil)
        #expect(machine.request(2, for: .metadata, now: at(60_000)) == [.open(2)])
    }

    @Test func whoWithdrawsIsForgotten() {
        var machine = started(limit: 1)
        _ = machine.request(2, for: .metadata, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(1))
        #expect(machine.withdraw(3, now: at(2)) == [])
        #expect(machine.released(1, .usable, now: at(3)) == [])
    }

    @Test func shuttingDownFailsWhoWaitsAndClosesWhatComesBack() {
        var machine = started(limit: 2)
        _ = machine.request(2, for: .writing, now: at(0))
        _ = machine.request(3, for: .metadata, now: at(1))
        #expect(machine.shutDown() == [.fail(3, .closed)])
        #expect(machine.request(4, for: .metadata, now: at(2)) == [.fail(4, .closed)])
        #expect(machine.released(1, .usable, now: at(3)) == [.close(1)])
        #expect(machine.opened(2, now: at(4)) == [.close(2)])
        #expect(machine.isEmpty)
    }

    /// Whatever happens in whatever order: no connection has two holders, no limit is passed, and everybody is answered.
    @Test(arguments: 0..<20)
    func randomEventsNeverBreakTheRules(seed: Int) {
        var random = Lehmer(seed: UInt64(seed))
        var model = PoolModel(limit: 3)
        var machine = machine(limit: 3)
        for step in 0..<2000 {
            let now = at(Int64(step) * 37)
            model.apply(model.randomEvent(&random, &machine, now))
            #expect(model.problems == [], "seed \(seed), step \(step)")
            if !model.problems.isEmpty { return }
        }
        // Everything is given back and opened: nobody is left waiting.
        for step in 0..<4000 {
            guard model.hasWork else { break }
            model.apply(model.tidyingEvent(&machine, at(200_000 + Int64(step) * 1000)))
        }
        #expect(model.waiting.isEmpty, "seed \(seed)")
        #expect(model.problems == [])
    }
}

/// A naive second opinion of what the pool looks like.
private struct PoolModel {
    var waiting: Set<UInt64> = []
    var problems: [String] = []
    private let limit: Int
    private var opening: Set<Int> = []
    private var idle: Set<Int> = []
    private var held: Set<Int> = []
    private var serviced: Set<Int> = []
    private var lastRequest: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var hasWork: Bool { !waiting.isEmpty || !held.isEmpty || !serviced.isEmpty || !opening.isEmpty }

    mutating func randomEvent(
        _ random: inout Lehmer, _ machine: inout PoolStateMachine, _ now: Instant
    ) -> [PoolStateMachine.Action] {
        switch random.next() % 8 {
        case 0, 1:
            lastRequest += 1
            waiting.insert(lastRequest)
            let work: [PoolStateMachine.Work] = [.metadata, .reading, .writing]
            return machine.request(lastRequest, for: work[Int(random.next() % 3)], now: now)
        case 2 where !waiting.isEmpty && random.next() % 4 == 0:
            let id = waiting.min() ?? 0
            waiting.remove(id)
            return machine.withdraw(id, now: now)
        case 3 where !opening.isEmpty:
            let id = opening.removeFirst()
            let errors: [FTPError?] = [
                nil, nil, nil, .unreachable(host: "", .connectionRefused),
                .tooManyConnections(Reply(code: 421, lines: [])), .loginRefused(Reply(code: 530, lines: [])),
            ]
            if let error = errors[Int(random.next() % 6)] { return machine.openFailed(id, error, now: now) }
            idle.insert(id)
            return machine.opened(id, now: now)
        case 4, 5:
            guard let id = held.min() else { return machine.tick(now: now) }
            held.remove(id)
            switch random.next() % 3 {
            case 0:
                return machine.released(id, .dead, now: now)
            case 1:
                serviced.insert(id)
                return machine.released(id, .outOfStep, now: now)
            default:
                idle.insert(id)
                return machine.released(id, .usable, now: now)
            }
        case 6 where !serviced.isEmpty:
            let id = serviced.removeFirst()
            let works = random.next() % 2 == 0
            if works { idle.insert(id) }
            return machine.serviced(id, works: works, now: now)
        default:
            return machine.tick(now: now)
        }
    }

    mutating func tidyingEvent(_ machine: inout PoolStateMachine, _ now: Instant) -> [PoolStateMachine.Action] {
        if let id = opening.popFirst() {
            idle.insert(id)
            return machine.opened(id, now: now)
        }
        if let id = serviced.popFirst() {
            idle.insert(id)
            return machine.serviced(id, works: true, now: now)
        }
        if let id = held.popFirst() {
            idle.insert(id)
            return machine.released(id, .usable, now: now)
        }
        return machine.tick(now: now)
    }

    mutating func apply(_ actions: [PoolStateMachine.Action]) {
        for action in actions {
            switch action {
            case .open(let id):
                opening.insert(id)
            case .grant(let request, let id):
                if waiting.remove(request) == nil { problems.append("\(request) granted, but does not wait") }
                if idle.remove(id) == nil { problems.append("\(id) granted, but is not idle") }
                held.insert(id)
            case .fail(let request, _):
                if waiting.remove(request) == nil { problems.append("\(request) failed, but does not wait") }
            case .askToYield(let id):
                if !held.contains(id) { problems.append("\(id) asked, but is not held") }
            case .recover(let id):
                if !serviced.contains(id) { problems.append("\(id) recovered, but is in step") }
            case .keepAlive(let id), .retreat(let id):
                if idle.remove(id) == nil { problems.append("\(id) kept alive, but is not idle") }
                serviced.insert(id)
            case .disarm(let id):
                if !idle.contains(id) { problems.append("\(id) disarmed, but is not idle") }
            case .close(let id):
                if idle.remove(id) == nil { problems.append("\(id) closed, but is not idle") }
            case .discard:
                continue
            }
        }
        let alive = opening.count + idle.count + held.count + serviced.count
        if alive > limit { problems.append("\(alive) connections") }
    }
}

/// The minimal standard generator of Park and Miller: the same numbers on every run.
private struct Lehmer {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 7919 &+ 12_345 }

    mutating func next() -> UInt64 {
        state = state &* 48_271 % 0x7FFF_FFFF
        return state
    }
}
