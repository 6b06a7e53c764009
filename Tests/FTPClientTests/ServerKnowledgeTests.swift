import EmbeddedFTPServer
import FTPMount
import FTPProtocol
import FileSystem
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Commands that are not sent, because their answer is known, and those that leave together.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ServerKnowledgeTests {
    private let cancellation = Cancellation()

    /// The commands while `body` runs, without those of the login and of data connections.
    private func lines(_ served: Served, _ body: () throws -> Void) throws -> [String] {
        let mark = served.server.transcript.mark
        try body()
        return served.lines(since: mark).filter { $0 != "EPSV" && $0 != "PASV" }
    }

    // MARK: Removing directories

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func `a directory is removed without a look where a full one is refused`(dialect: Dialect) throws {
        let served = try Served(dialect) { tree in
            tree.addDirectory("empty")
            tree.add("full/inner", text: "x")
        }
        _ = try served.names()
        let store = FTPStore(served.client)
        let sent = try lines(served) { try store.removeDirectory(try remote("empty"), cancellation: cancellation) }
        #expect(sent == ["RMD /empty"])
        let error = #expect(throws: StoreError.self) {
            try store.removeDirectory(try remote("full"), cancellation: cancellation)
        }
        #expect(error?.kind == .notEmpty)
        #expect(served.tree.exists("full/inner"))
    }

    // MARK: Attributes

    private static func known(_ served: Served) throws {
        _ = try served.names()
        try served.client.setModificationTime(
            try remote("f"), to: Timestamp(seconds: 1_000_000_000), cancellation: served.cancellation)
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func `mode and time are one round trip where both are known to work`(dialect: Dialect) throws {
        let served = try Served(
            dialect, connections: 1, faults: FaultPlan([.nth(1, "SITE", .delay(.milliseconds(300)))])
        ) { $0.add("f", text: "x") }
        try Self.known(served)
        let before = served.server.transcript.verbs.count
        let path = try remote("f")
        let outcome = served.client.setAttributes(
            path, mode: 0o640, time: Timestamp(seconds: 1_100_000_000), cancellation: cancellation)
        #expect(outcome.modeError == nil)
        #expect(outcome.timeError == nil)
        #expect(served.tree.attributes(of: ServerPath("f".utf8))?.mode == 0o640)
        #expect(served.tree.attributes(of: ServerPath("f".utf8))?.modified.seconds == 1_100_000_000)
        #expect(served.server.transcript.verbs.count == before + 2)
    }

    @Test func `what is refused of the two is told, and the other one done`() throws {
        let served = try Served(.proftpd, faults: FaultPlan([.every("SITE", .reply(550, "Operation not permitted"))])) {
            $0.add("f", text: "x")
        }
        try Self.known(served)
        let outcome = served.client.setAttributes(
            try remote("f"), mode: 0o640, time: Timestamp(seconds: 1_100_000_000), cancellation: cancellation)
        #expect(outcome.modeError?.refusal?.code == 550)
        #expect(outcome.timeError == nil)
        #expect(served.tree.attributes(of: ServerPath("f".utf8))?.modified.seconds == 1_100_000_000)
    }

    @Test func `a server that is not known to take them together gets one after the other`() throws {
        var dialect = Dialect.proftpd
        dialect.says[.greeting] = "220 Service ready"
        let served = try Served(dialect) { $0.add("f", text: "x") }
        try Self.known(served)
        let sent = try lines(served) { () throws in
            _ = served.client.setAttributes(
                try remote("f"), mode: 0o640, time: Timestamp(seconds: 1_100_000_000), cancellation: cancellation)
        }
        #expect(sent == ["SITE CHMOD 640 /f", "MFMT 20041109113320 /f"])
    }

    // MARK: Times of directories

    @Test func `after two refusals no directory's time is set any more`() throws {
        let served = try Served(.proftpd, faults: FaultPlan([.every("MFMT", .reply(550, "Not a plain file"))])) {
            for name in ["a", "b", "c"] { $0.addDirectory(ServerPath(name.utf8)) }
        }
        let store = FTPStore(served.client)
        _ = try served.names()
        let sent = try lines(served) { () throws in
            for name in ["a", "b", "c", "a"] {
                #expect(throws: StoreError.self) {
                    try store.setDirectoryTime(
                        try remote(name), to: Timestamp(seconds: 1_000_000_000), cancellation: cancellation)
                }
            }
        }
        // Without a look at what the refusal means.
        #expect(sent == ["MFMT 20010909014640 /a", "MFMT 20010909014640 /b"])
    }

    @Test func `a server that has set one is asked in spite of refusals`() {
        var times = DirectoryTimes()
        times.succeeded()
        for _ in 0..<10 { times.refused() }
        #expect(times.isWorthTrying)
    }

    // MARK: Room

    @Test func `room is asked for by AVBL where it is announced`() throws {
        var dialect = Dialect.proftpd
        dialect.features.append("AVBL")
        let served = try Served(dialect, faults: FaultPlan([.every("AVBL", .reply(213, "123456"))]))
        _ = try served.names()
        #expect(try served.client.space(cancellation: cancellation) == ServerSpace(free: 123_456, total: nil))
    }

    @Test func `else by the quota`() throws {
        let text = "Uploaded Kb:\t1.00/10.00"
        let served = try Served(.proftpd, faults: FaultPlan([.every("SITE", .reply(200, text))]))
        _ = try served.names()
        #expect(
            try served.client.space(cancellation: cancellation) == ServerSpace(free: 9 << 10, total: 10 << 10))
    }

    @Test func `a server that knows neither is asked once`() throws {
        let served = try Served(.vsftpd)
        _ = try served.names()
        let sent = try lines(served) { () throws in
            for _ in 0..<3 { #expect(try served.client.space(cancellation: cancellation) == nil) }
        }
        #expect(sent == ["SITE QUOTA"])
    }
}
