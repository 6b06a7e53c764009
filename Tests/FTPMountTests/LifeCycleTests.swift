import Testing

@testable import FTPMount

/// A mounting process from start to end, as a script of events and what follows from them.
@Suite("The life of a mount")
struct LifeCycleTests {
    typealias Step = (LifeCycle.Event, LifeCycle.Action)

    private func play(_ steps: [Step]) -> LifeCycle {
        var life = LifeCycle()
        for (event, expected) in steps { #expect(life.handle(event) == expected, "\(event) in \(life.state)") }
        return life
    }

    @Test("ends after umount")
    func unmounted() {
        let life = play([(.answers, .none), (.sessionEnded, .shutDown)])
        #expect(life.reasonToStop == .unmounted)
    }

    @Test("ends after SIGTERM, and no second one hurries it")
    func terminated() {
        let life = play([(.answers, .none), (.terminate, .shutDown), (.terminate, .none), (.sessionEnded, .none)])
        #expect(life.reasonToStop == .signal)
    }

    @Test("ends at once after the second Ctrl-C")
    func interruptedTwice() {
        _ = play([(.answers, .none), (.interrupt, .shutDown), (.interrupt, .abandon)])
        _ = play([(.answers, .none), (.terminate, .shutDown), (.interrupt, .abandon)])
    }

    @Test("does not begin when it is interrupted while connecting")
    func interruptedEarly() {
        let life = play([(.interrupt, .giveUp), (.answers, .none), (.interrupt, .abandon)])
        #expect(life.reasonToStop == .signal)
    }

    @Test("does not begin when somebody unmounts before it was seen to answer")
    func unmountedEarly() {
        #expect(play([(.sessionEnded, .giveUp)]).reasonToStop == .unmounted)
    }
}
