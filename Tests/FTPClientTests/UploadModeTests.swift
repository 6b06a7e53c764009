import EmbeddedFTPServer
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Writing to the end and into the middle of a file, and uploads that give way.
@Suite(.serialized, .timeLimit(.minutes(1))) struct UploadModeTests {
    private static func dialect(_ quirks: Dialect.Quirks...) -> Dialect {
        // A greeting that tells nothing: of known products it is known.
        var dialect = Dialect.proftpd
        dialect.says[.greeting] = "220 Service ready"
        for quirk in quirks { dialect.quirks.insert(quirk) }
        return dialect
    }

    @Test(arguments: [
        (dialect(), true), (dialect(.cutsTailAfterRestart), false), (dialect(.ignoresRestartOfStore), false),
    ])
    func `what a server does to the rest of a file is tried once`(dialect: Dialect, keeps: Bool) throws {
        let served = try Served(dialect)
        let scratch = try remote("scratch")
        #expect(try served.client.keepsTail(scratch: scratch, cancellation: served.cancellation) == keeps)
        #expect(try served.names() == [])
        let mark = served.server.transcript.mark
        #expect(try served.client.keepsTail(scratch: scratch, cancellation: served.cancellation) == keeps)
        #expect(served.lines(since: mark) == [])
    }

    @Test func `where no scratch file can be made, nothing is known`() throws {
        let served = try Served(
            Self.dialect(), faults: FaultPlan([.nth(1, "STOR", .reply(550, "Permission denied"))]))
        let scratch = try remote("scratch")
        #expect(throws: FTPError.self) {
            try served.client.keepsTail(scratch: scratch, cancellation: served.cancellation)
        }
        #expect(try served.client.keepsTail(scratch: scratch, cancellation: served.cancellation))
    }

    @Test func `bytes go into the middle, and to the end`() throws {
        let served = try Served { $0.add("f", text: "0123456789") }
        try served.write(Array("ABC".utf8), to: "f", .at(4))
        try served.write(Array("xy".utf8), to: "f", .append)
        #expect(served.tree.contents(of: "f") == Array("0123ABC789xy".utf8))
    }

    @Test(arguments: [(Dialect.vsftpd, true), (.proftpd, true), (.pureftpd, false)])
    func `of known products it is known`(dialect: Dialect, keeps: Bool) throws {
        let served = try Served(dialect) { $0.add("f", text: "0123456789") }
        _ = try served.names()
        let mark = served.server.transcript.mark
        let scratch = try remote("scratch")
        #expect(try served.client.keepsTail(scratch: scratch, cancellation: served.cancellation) == keeps)
        #expect(served.lines(since: mark) == [])
    }

    @Test func `where a range can be stored, bytes go over the first ones, and the rest stays`() throws {
        let served = try Served(.proftpd) { $0.add("f", text: "0123456789") }
        _ = try served.names()
        #expect(served.client.replacesStart)
        try served.write(Array("ABC".utf8), to: "f", .over(3))
        #expect(served.tree.contents(of: "f") == Array("ABC3456789".utf8))
        #expect(served.server.transcript.verbs.contains("RANG"))
        // It counts for that one transfer.
        try served.write(Array("xy".utf8), to: "f")
        #expect(served.tree.contents(of: "f") == Array("xy".utf8))
    }

    @Test func `a transfer that is begun anew says the range again`() throws {
        let served = try Served(.proftpd, faults: FaultPlan([.nth(1, "STOR", .reply(425, "No data connection"))])) {
            $0.add("f", text: "0123456789")
        }
        _ = try served.names()
        try served.write(Array("ABC".utf8), to: "f", .over(3))
        #expect(served.tree.contents(of: "f") == Array("ABC3456789".utf8))
        #expect(served.server.transcript.count(of: "RANG") == 2)
    }

    @Test func `where the range is refused nothing is stored`() throws {
        let served = try Served(.proftpd, faults: FaultPlan([.every("RANG", .reply(500, "RANG not understood"))])) {
            $0.add("f", text: "0123456789")
        }
        _ = try served.names()
        let error = #expect(throws: FTPError.self) { try served.write([1], to: "f", .over(1)) }
        guard case .unsupported = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(served.server.transcript.count(of: "STOR") == 0)
        #expect(!served.client.replacesStart)
    }

    @Test func `the first byte is no place that a command can say`() throws {
        let served = try Served { $0.add("f", text: "0123456789") }
        #expect(throws: FTPError.self) { try served.write(Array("ABC".utf8), to: "f", .at(0)) }
        #expect(served.tree.contents(of: "f") == Array("0123456789".utf8))
    }

    @Test func `a server without APPE is asked once`() throws {
        let served = try Served(faults: FaultPlan([.every("APPE", .reply(502, "Command not implemented"))])) {
            $0.add("f", text: "0123")
        }
        for _ in 0..<2 {
            let error = #expect(throws: FTPError.self) { try served.write([1], to: "f", .append) }
            guard case .unsupported = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        let lines = served.server.transcript.entries.map(\.line)
        #expect(lines.count { $0.hasPrefix("APPE") } == 1)
        #expect(served.tree.contents(of: "f") == Array("0123".utf8))
        #expect(served.client.appends)
    }

    @Test func `an upload that waits for its writer gives way to others`() throws {
        let served = try Served(connections: 1) { $0.add("other", text: "x") }
        let isWanted = Monitor(false)
        let stream = try served.client.openWrite(
            try remote("f"), .replace, whenWanted: { isWanted.withLockThenWake { $0 = true } },
            cancellation: served.cancellation)
        try withLocalFile([1, 2, 3]) { file in
            try stream.send(from: file, range: 0..<3, cancellation: served.cancellation)
        }
        let listing = try Pending { try served.names().sorted() }
        #expect(isWanted.wait(until: .after(.seconds(20))) { $0 ? true : nil } != nil)
        #expect(!listing.isDone)
        try stream.finish(cancellation: served.cancellation)
        #expect(try listing.value() == ["f", "other"])
        #expect(served.tree.contents(of: "f") == [1, 2, 3])
        try served.write([4], to: "f", .append)
        #expect(served.tree.contents(of: "f") == [1, 2, 3, 4])
    }

    @Test func `a broken upload is over when it has been given up`() throws {
        let served = try Served(connections: 4)
        let stream = try served.client.openWrite(try remote("f"), .replace, cancellation: served.cancellation)
        try withLocalFile([1, 2, 3]) { file in
            try stream.send(from: file, range: 0..<3, cancellation: served.cancellation)
        }
        let mark = served.server.transcript.mark
        stream.abort()
        // The server has been made to say so before this returned.
        #expect(served.lines(since: mark).contains { $0.hasPrefix("ABOR") })
        try served.write([9], to: "f")
        #expect(served.tree.contents(of: "f") == [9])
    }
}
