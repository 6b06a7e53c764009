import Testing

@testable import EmbeddedFTPServer

/// Which commands a fault plan means.
@Suite struct FaultScheduleTests {
    @Test func countsPerRule() {
        var schedule = FaultSchedule(FaultPlan([.nth(2, "RETR", .hang), .from(3, "RETR", .closeAfter421)]))
        let effects = (1...4).map { _ in schedule.effects(verb: "RETR", argument: [], connection: 1) }
        #expect(effects == [[], [.hang], [.closeAfter421], [.closeAfter421]])
    }

    @Test func countsOnlyWhatFits() {
        var schedule = FaultSchedule(
            FaultPlan([
                .nth(1, "STOR", .hang).onConnection(2), .nth(1, "RETR", .noFinalReply).whenArgument(contains: "big"),
            ]))
        #expect(schedule.effects(verb: "STOR", argument: [], connection: 1) == [])
        #expect(schedule.effects(verb: "STOR", argument: [], connection: 2) == [.hang])
        #expect(schedule.effects(verb: "RETR", argument: Array("small".utf8), connection: 1) == [])
        #expect(schedule.effects(verb: "RETR", argument: Array("a big one".utf8), connection: 1) == [.noFinalReply])
    }

    @Test func appliesEveryRuleThatFitsInTheOrderOfThePlan() {
        var schedule = FaultSchedule(
            FaultPlan([.every("LIST", .delay(.seconds(3))), .everyCommand(.oneByteAtATime), .afterCommands(1, 421)]))
        #expect(
            schedule.effects(verb: FaultPlan.greeting, argument: [], connection: 1) == [],
            "no command asked for the greeting")
        #expect(schedule.effects(verb: "LIST", argument: [], connection: 1) == [.delay(.seconds(3)), .oneByteAtATime])
        #expect(
            schedule.effects(verb: "NOOP", argument: [], connection: 1)
                == [.oneByteAtATime, .replyAndClose(421, "Closing the connection.")])
    }
}
