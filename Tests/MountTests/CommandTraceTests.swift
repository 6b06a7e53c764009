import TestSupport
import Testing

@Suite struct CommandTraceTests {
    static let log = """
        2026-01-02 03:04:05.678 debug: [1] connecting to example.org port 21
        2026-01-02 03:04:05.678 debug: [1] < 220 Welcome
        2026-01-02 03:04:05.679 debug: [1] > USER me
        2026-01-02 03:04:05.680 debug: [1] < 331 Password [2] > please
        2026-01-02 03:04:05.680 debug: [1] > PASS ****
        2026-01-02 03:04:05.680 debug: [1] > EPSV
        2026-01-02 03:04:05.680 debug: [1] < 230 Come in
        2026-01-02 03:04:05.680 debug: [1] < 229 (|||4711|)
        2026-01-02 03:04:05.680 debug: [1] > MLSD a > b
        2026-01-02 03:04:05.680 debug: [12] > NOOP
        2026-01-02 03:04:05.680 debug: [1] < 150 Here it comes
        2026-01-02 03:04:05.680 debug: [1] < 226 Done
        2026-01-02 03:04:05.680 debug: lookup [name] > nothing
        """

    @Test func `commands and replies are told from other lines`() {
        let trace = CommandTrace(log: Self.log)
        #expect(trace.commands.map(\.text) == ["USER me", "PASS ****", "EPSV", "MLSD a > b", "NOOP"])
        #expect(trace.commands.map(\.connection) == [1, 1, 1, 1, 12])
        #expect(trace.lines.count == 11)
        #expect(trace.count("MLSD") == 1)
    }

    @Test func `commands that are sent together are one round trip`() {
        let trace = CommandTrace(log: Self.log)
        #expect(trace.roundTrips == 4)
        #expect(trace.dataConnections == 1)
        #expect(trace.controlConnections == 2)
    }
}
