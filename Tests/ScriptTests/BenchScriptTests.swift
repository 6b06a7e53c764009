import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// `scripts/bench` measures, judges and draws: with little of each work, which says nothing about speed.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BenchScriptTests {
    static let isRoot = geteuid() == 0

    /// Six kinds of things grow.
    static let growing = 6

    @Test(.enabled(if: isRoot, "network namespaces and vsftpd need root"))
    func `does all works and says of each target whether it is met`() throws {
        let folder = try TemporaryDirectory("bench")
        let chart = folder.path("chart.svg")

        let outcome = try Shell.run(
            [
                Repository.script("bench"), "--smoke", "--binary", Repository.program, "--json",
                folder.path("figures.json"), "--chart", chart,
            ], timeout: .seconds(240))

        #expect(outcome.exit == .code(0), "\(outcome)")
        for row in ["sequential read by TLS", "the same walk again", "all of it in one mount", "change 4 bytes"] {
            #expect(outcome.output.contains("\n\(row)"), "\(outcome)")
        }
        #expect(outcome.output.split(separator: "times as many").count == Self.growing + 1, "\(outcome)")
        // What does not depend on how fast the machine is.
        let targets = try #require(outcome.output.split(separator: "wanted of ftpfs").last)
        for line in targets.split(separator: "\n") where line.contains("READ to the daemon") {
            #expect(line.hasSuffix("met"), "\(line)")
        }
        for line in targets.split(separator: "\n") where line.contains("command on the wire") {
            #expect(line.hasSuffix("met"), "\(line)")
        }
        #expect(Files.text(chart).hasPrefix("<svg "))
    }
}
