import Testing
import Threading

@testable import FTPMount

/// A mounting process from start to end, as a script of events and what follows from them.
@Suite("The life of a mount")
struct LifeCycleTests {
    typealias Step = (LifeCycle.Event, LifeCycle.Action)

    /// Plays the steps one after the other, `interval` apart.
    private func play(_ steps: [Step], every interval: Duration = .seconds(1)) -> LifeCycle {
        var life = LifeCycle()
        var now = Instant(nanoseconds: 0)
        for (event, expected) in steps {
            #expect(life.handle(event, at: now) == expected, "\(event) in \(life.state)")
            now = now.advanced(by: interval)
        }
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

    @Test("takes the same press that comes twice for one")
    func interruptedTwiceByOnePress() {
        _ = play(
            [(.answers, .none), (.interrupt, .shutDown), (.interrupt, .none)], every: .milliseconds(10))
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
