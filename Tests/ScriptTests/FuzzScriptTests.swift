import TestSupport
import Testing

/// `scripts/fuzz` builds its targets and runs one: what ordinary builds do not compile would otherwise rot.
@Suite(.timeLimit(.minutes(10)))
struct FuzzScriptTests {
    @Test func `builds and runs a target for a second`() throws {
        let outcome = try Shell.run([Repository.script("fuzz"), "1", "facts"], timeout: .seconds(300))

        #expect(outcome.exit == .code(0), "\(outcome)")
        #expect(outcome.output.contains("nothing found"), "\(outcome)")
    }
}
