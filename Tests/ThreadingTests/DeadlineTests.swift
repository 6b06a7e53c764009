import Testing
import Threading

/// Instants and deadlines stay right at the ends of what they can hold.
@Suite struct DeadlineTests {
    struct Move: Sendable, CustomTestStringConvertible {
        var from: Int64
        var by: Duration
        var to: Int64
        var testDescription: String { "\(from) + \(by)" }
    }

    @Test(arguments: [
        Move(from: 0, by: .zero, to: 0),
        Move(from: 5, by: .nanoseconds(7), to: 12),
        Move(from: 1_000, by: .seconds(-1), to: 1_000 - 1_000_000_000),
        Move(from: 0, by: .milliseconds(1500), to: 1_500_000_000),
        Move(from: .max, by: .nanoseconds(1), to: .max),
        Move(from: .max, by: .seconds(Int64.max), to: .max),
        Move(from: .min, by: .nanoseconds(-1), to: .min),
        Move(from: .min, by: .seconds(Int64.min), to: .min),
        // The span alone does not fit into 64 bits of nanoseconds; the sum does.
        Move(from: -5_000_000_000_000_000_000, by: .seconds(14_000_000_000), to: 9_000_000_000_000_000_000),
        Move(
            from: 0, by: Duration(secondsComponent: -2, attosecondsComponent: -500_000_000_000_000_000),
            to: -2_500_000_000),
    ])
    func movingAnInstantSaturates(_ move: Move) {
        #expect(Instant(nanoseconds: move.from).advanced(by: move.by) == Instant(nanoseconds: move.to))
    }

    @Test func theSpanBetweenTheExtremesIsExact() {
        let first = Instant(nanoseconds: .min)
        let last = Instant(nanoseconds: .max)
        #expect(last.since(first) == .nanoseconds(Int64.max) + .nanoseconds(Int64.max) + .nanoseconds(1))
        #expect(first.since(last) < .zero)
        #expect(last.since(last) == .zero)
    }

    @Test func theClockDoesNotGoBackwards() {
        let first = Instant.now
        #expect(Instant.now >= first)
    }

    @Test func aDeadlineInThePastHasPassed() {
        let deadline = Deadline.at(Instant(nanoseconds: 0))
        #expect(deadline.hasPassed)
        #expect(deadline.pollTimeout == 0)
    }

    @Test func neverNeverPasses() {
        #expect(!Deadline.never.hasPassed)
        #expect(Deadline.never.pollTimeout == -1)
    }

    @Test func aDeadlineFarAwayIsPolledForADayAtMost() {
        #expect(Deadline.at(Instant(nanoseconds: .max)).pollTimeout == 86_400_000)
        #expect(Deadline.after(.seconds(Int64.max)).pollTimeout == 86_400_000)
    }

    @Test func whatIsLeftIsRoundedUpSoThatNoPollSpins() {
        // Some nanoseconds are left: a timeout of 0 would make poll(2) return at once, again and again.
        let timeout = Deadline.after(.seconds(3600)).pollTimeout
        #expect((3_599_000...3_600_000).contains(timeout))
    }

    @Test func theEarlierOfTwoDeadlines() {
        let soon = Deadline.at(Instant(nanoseconds: 1))
        let late = Deadline.at(Instant(nanoseconds: 2))
        #expect(soon.earlier(late) == soon)
        #expect(late.earlier(soon) == soon)
        #expect(late.earlier(.never) == late)
        #expect(Deadline.never.earlier(late) == late)
        #expect(Deadline.never.earlier(.never) == .never)
    }
}
