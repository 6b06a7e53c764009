import EmbeddedFTPServer
import TestSupport
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What is left of an upload that was given up, or whose connection was lost.
@Suite(.serialized, .timeLimit(.minutes(1))) struct GivenUpUploadTests {
    /// A server keeps the number of a `REST` for the next transfer, whichever that is (RFC 3659 §5.1). The next upload of
    /// this connection must not be put behind it.
    @Test(arguments: [WriteMode.replace, .append])
    func `a REST whose transfer was given up does not count for the next one`(_ next: WriteMode) throws {
        let served = try Served(
            connections: 1, faults: FaultPlan([.nth(1, "REST", .delay(.milliseconds(300)))])
        ) { $0.add("f", text: "0123456789") }
        _ = try served.names()
        let cancellation = Cancellation()
        let outcome = Monitor<FTPError?>(nil)
        let isDone = Monitor(false)
        let (client, path) = (served.client, try remote("f"))
        try Thread.detached(named: "test") {
            do throws(FTPError) {
                _ = try client.openWrite(path, .at(4), cancellation: cancellation)
            } catch {
                outcome.withLock { $0 = error }
            }
            isDone.withLockThenWake { $0 = true }
        }
        #expect(waitUntil(within: .seconds(20)) { served.server.transcript.verbs.contains("REST") })
        cancellation.cancel()
        #expect(isDone.wait(until: .after(.seconds(20))) { $0 ? () : nil } != nil)
        #expect(outcome.withLock { $0 } == .cancelled)

        try served.write(Array("ABC".utf8), to: "f", next)
        let expected = next == .replace ? "ABC" : "0123456789ABC"
        #expect(served.tree.contents(of: "f") == Array(expected.utf8))
        #expect(served.server.transcript.count(of: "REST") <= 2)
    }

    /// An end of an upload, and whether the server may write on behind it.
    struct End: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var effect: FaultPlan.Effect
        var mayGoOn: Bool
    }

    private static let ends = [
        End(testDescription: "the server ends it, and says so", effect: .cutData(afterBytes: 1000), mayGoOn: false),
        End(
            testDescription: "the control connection is lost, the data connection is not",
            effect: .dropControl(.beforeReply), mayGoOn: true),
        End(testDescription: "it is confirmed with a refusal", effect: .finalReply(451, "Disk"), mayGoOn: false),
        End(
            testDescription: "it stands still, and ABOR is answered", effect: .stallData(afterBytes: 1000),
            mayGoOn: false),
    ]

    @Test(arguments: ends)
    func `it is known whether more of a broken upload may come`(_ end: End) throws {
        let served = try Served(
            faults: FaultPlan([.nth(1, "APPE", end.effect)]),
            timeouts: .with { timeouts in
                timeouts.dataIdle = .milliseconds(500)
                timeouts.finalReply = .seconds(5)
            }
        ) { $0.add("f", text: "old") }
        let stream = try served.client.openWrite(try remote("f"), .append, cancellation: served.cancellation)
        let bytes = [UInt8](repeating: 1, count: 8 << 20)
        #expect(throws: FTPError.self) {
            try withLocalFile(bytes) { file in
                try stream.send(from: file, range: 0..<Int64(bytes.count), cancellation: served.cancellation)
            }
            try stream.finish(cancellation: served.cancellation)
        }
        stream.abort()
        #expect(stream.mayGoOn == end.mayGoOn)
    }
}
