import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Replies around transfers: missing ones, superfluous ones, late ones, and ones that are not true.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct TransferReplyTests {
    private static let fast = ClientConfiguration.Timeouts.with { $0.downloadReply = .milliseconds(50) }

    // MARK: The first reply

    @Test func `data without any reply before it is read`() throws {
        // More than the sockets hold: the server cannot come to its final reply before this is read.
        let text = String(repeating: "0123456789", count: 2_000_000)
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .data(text), .endData(reset: false), .send(["226 Done"]),
            ])
        #expect(try Scripted.read(try Scripted.session(server)) == text)
        #expect(server.outcome() == [])
    }

    @Test func `a data connection that ends before the refusal is no empty file`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .endData(reset: false), .hold, .send(["550 No such file"]),
            ])
        let session = try Scripted.session(server)
        let reading = try Pending { try Scripted.read(session) }
        server.goOn()
        #expect(throws: FTPError.refused(verb: "RETR", Reply(code: 550, lines: [Array("No such file".utf8)]))) {
            try reading.value()
        }
    }

    // MARK: The end of the data

    @Test(arguments: [Int64(0), 3, 5, 100])
    func `whatever size was told, an orderly end is the end`(_ size: Int64) throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here (\(size) bytes)"]), .data("hello"),
                .endData(reset: false), .send(["226 Done"]),
            ])
        #expect(try Scripted.read(try Scripted.session(server), size: size) == "hello")
        #expect(server.outcome() == [])
    }

    @Test func `all bytes and a reset are a whole file`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here", "226 Done"]), .data("hello"), .endData(reset: true),
                .passive, .expect("RETR /f"), .send(["150 Here", "226 Done"]), .data("hello"), .endData(reset: true),
            ])
        let session = try Scripted.session(server)
        #expect(try Scripted.read(session, size: 5) == "hello")
        let error = #expect(throws: FTPError.self) { try Scripted.read(session, size: 6) }
        #expect(error?.isConnectionLoss == true)
    }

    // MARK: The final reply

    @Test func `a file whose bytes are all there needs no confirmation`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("hello"), .endData(reset: false), .awaitEnd,
            ])
        let session = try Scripted.session(server) { $0.downloadReply = .milliseconds(50) }
        #expect(try Scripted.read(session, size: 5) == "hello")
        #expect(session.condition == .dead)
    }

    @Test func `a file that is cut short without a word is never taken for whole`() throws {
        let served = try Served(
            faults: FaultPlan([
                .every("RETR", .cutData(afterBytes: 0, by: .close)), .every("RETR", .dropControl(.beforeReply)),
            ])
        ) { $0.addPattern("big", size: 1_000_000) }
        #expect(throws: FTPError.self) { try served.readPattern("big") }
        #expect(throws: FTPError.self) { try served.readPattern("big") }
    }

    @Test func `a server that never confirms is found out without an error, and is waited for no longer`() throws {
        let served = try Served(faults: FaultPlan([.every("MLSD", .noFinalReply)]), timeouts: Self.fast) {
            $0.add("f", text: "x")
        }
        #expect(try served.names() == ["f"])
        let mark = served.server.transcript.mark
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.since(mark).count(of: "MLSD") == 1)
    }

    @Test(arguments: [FaultPlan.Moment.afterReply, .beforeReply])
    func `a server that hangs up after each transfer is used like any other`(_ moment: FaultPlan.Moment) throws {
        let verbs = ["MLSD", "RETR", "STOR", "APPE"]
        let served = try Served(faults: FaultPlan(verbs.map { .every($0, .dropControl(moment)) })) {
            $0.addPattern("big", size: 300_000)
        }
        for round in 0..<4 {
            #expect(try served.names().contains("big"))
            #expect(try served.readPattern("big") == 300_000)
            try served.write([UInt8(round)], to: "new")
            #expect(served.tree.contents(of: "new") == [UInt8(round)])
        }
        // One login for each transfer, and those that look whether the unconfirmed uploads have arrived; no storm.
        #expect(served.server.transcript.count(of: "USER") <= 20)
        #expect(served.server.transcript.count(of: "NOOP") == 0)
    }

    @Test(arguments: [WriteMode.replace, .append])
    func `an upload whose command has not gone out is begun anew`(_ mode: WriteMode) throws {
        let served = try Served(faults: FaultPlan([.nth(1, "EPSV", .dropControl(.beforeReply))])) {
            $0.add("f", text: "")
        }
        try served.write(Array("new".utf8), to: "f", mode)
        #expect(served.tree.contents(of: "f") == Array("new".utf8))
        let verbs = ["STOR", "APPE"]
        #expect(verbs.map { served.server.transcript.count(of: $0) }.reduce(0, +) == 1)
    }

    @Test func `a listing that is broken off is asked for again`() throws {
        for reply in [(UInt16(426), "Failure"), (451, "Failure"), (550, "Write: Broken pipe")] {
            let served = try Served(faults: FaultPlan([.nth(1, "MLSD", .finalReply(reply.0, reply.1))])) {
                $0.add("f", text: "x")
            }
            #expect(try served.names() == ["f"])
        }
    }

    // MARK: Breaking off

    @Test(arguments: [
        FaultPlan.Effect.reply(225, "No transfer to ABOR."), .reply(226, "Aborted"), .reply(500, "What?"), .hang,
        .dropControl(.beforeDoing), .replyAndClose(421, "Enough"),
        .replyGarbage(Array("426 A\r\n226 B\r\n226 C\r\n".utf8)),
        .replyGarbage([]),
    ])
    func `whatever ABOR is answered, the next request works`(_ effect: FaultPlan.Effect) throws {
        let served = try Served(
            faults: FaultPlan([.every("ABOR", effect)]), timeouts: .with { $0.recovery = .milliseconds(300) }
        ) { $0.addPattern("big", size: 50_000_000) }
        for _ in 0..<2 {
            let stream = try served.reader("big")
            _ = try served.readSome(stream, at: 0)
            stream.close()
            #expect(try served.names() == ["big"])
        }
    }

    @Test(arguments: [["225 Nothing to abort"], ["225 Fine", "226 Fine"], ["226 A", "226 B", "226 C"]])
    func `more answers to ABOR`(_ replies: [String]) throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("some"), .expect("ABOR"), .expect("PWD"),
                .send(replies + ["257 \"/\""]), .expect("NOOP"), .send(["200 Ok"]),
            ])
        let session = try Scripted.session(server)
        let cancellation = Cancellation()
        try session.openRead(try remote("f"), at: 0, cancellation).abandon(abortively: true)
        try session.recover(cancellation)
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(server.outcome() == [])
    }

    /// pyftpdlib makes up for it on the data connection of the next transfer.
    @Test func `a transfer that may still wait for its data connection costs the session`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .active("EPRT"), .expect("RETR /f"), .expect("ABOR"), .expect("PWD"),
                .send(["150 Soon", "225 No transfer", "257 \"/\""]), .awaitEnd,
            ])
        let network = Scripted.network { $0.dataMode = .active }
        let session = try Scripted.session(server, network) { $0.dataConnect = .milliseconds(300) }
        #expect(throws: FTPError.self) { try session.openRead(try remote("f"), at: 0, Cancellation()) }
        #expect(session.control.isClosed)
        #expect(server.outcome() == [])
    }

    @Test func `a confirmation without a beginning is not believed behind a transfer that was broken off`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("some"), .expect("ABOR"), .expect("PWD"),
                .send(["426 Aborted", "257 \"/\""]), .passive, .data("of f"), .endData(reset: false),
                .send(["226 Done"]), .expect("RETR /g"), .awaitEnd,
            ])
        let session = try Scripted.session(server)
        let cancellation = Cancellation()
        try session.openRead(try remote("f"), at: 0, cancellation).abandon(abortively: true)
        try session.recover(cancellation)
        #expect(throws: FTPError.self) { try Scripted.read(session, "g") }
        #expect(session.control.isClosed)
        #expect(server.outcome() == [])
    }

    @Test func `a goodbye is not waited for`() throws {
        let served = try Served(faults: FaultPlan([.every("QUIT", .hang)])) { $0.add("f", text: "") }
        #expect(try served.names() == ["f"])
        served.client.close()
        #expect(served.server.transcript.count(of: "QUIT") <= 1)
    }

    // MARK: Without end

    @Test func `a greeting that comes byte by byte ends at the limit`() throws {
        let long = "220 " + String(repeating: "x", count: 4000)
        for limit in [\ClientConfiguration.Timeouts.establish, \.reply] {
            let server = try ScriptedServer([.flood(long, oneByteAtATime: true)])
            #expect(throws: FTPError.timedOut(.greeting)) {
                try Scripted.session(server) { $0[keyPath: limit] = .milliseconds(200) }
            }
        }
    }

    @Test(arguments: ["150 Wait", "120 Soon"])
    func `replies without end are a violation`(_ line: String) throws {
        let atGreeting = try ScriptedServer([.flood("120 Soon", oneByteAtATime: false)])
        #expect(throws: FTPError.notFTP("replies that nobody asked for")) { try Scripted.session(atGreeting) }

        let behindCommand = try ScriptedServer(
            Scripted.login + [.expect("NOOP"), .flood(line, oneByteAtATime: false)])
        let session = try Scripted.session(behindCommand)
        let error = #expect(throws: FTPError.self) { try session.exchange(Command("NOOP"), Cancellation()) }
        guard case .protocolViolation? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(session.condition == .dead)
    }

    @Test func `a flood behind a transfer that was broken off ends the session`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("some"), .expect("ABOR"),
                .flood("226 Done", oneByteAtATime: false),
            ])
        let session = try Scripted.session(server)
        try session.openRead(try remote("f"), at: 0, Cancellation()).abandon(abortively: true)
        #expect(throws: FTPError.self) { try session.recover(Cancellation()) }
        #expect(session.condition == .dead)
    }

    // MARK: REST

    private static func unknown(_ quirks: Dialect.Quirks...) -> Dialect {
        var dialect = Dialect.proftpd
        dialect.says[.greeting] = "220 Hello"
        for quirk in quirks { dialect.quirks.insert(quirk) }
        return dialect
    }

    private func transfers(_ served: Served) -> [String] {
        served.server.transcript.entries.map(\.line).filter { $0.hasPrefix("REST") || $0.hasPrefix("RETR") }
    }

    @Test func `REST of an unknown server is tried once with the last byte`() throws {
        let served = try Served(Self.unknown()) { $0.addPattern("f", size: 10) }
        #expect(try served.readPattern("f", from: 3) == 7)
        #expect(transfers(served) == ["REST 9", "RETR /f", "REST 3", "RETR /f"])
        #expect(try served.readPattern("f", from: 4) == 6)
        #expect(transfers(served).suffix(2) == ["REST 4", "RETR /f"])
        #expect(transfers(served).count == 6)
    }

    @Test func `where REST is confirmed and not heeded files are read from their start`() throws {
        let served = try Served(Self.unknown(.confirmsRestartOnly)) { $0.addPattern("f", size: 1000) }
        #expect(try served.readPattern("f", from: 3) == 997)
        #expect(transfers(served) == ["REST 999", "RETR /f", "RETR /f"])
        #expect(try served.readPattern("f", from: 500) == 500)
        #expect(transfers(served).filter { $0 == "REST 999" }.count == 1)
    }

    @Test func `more than a bounded part of a file is not read for nothing`() throws {
        let served = try Served(Self.unknown(.confirmsRestartOnly)) { $0.addPattern("f", size: 200 << 20) }
        let error = #expect(throws: FTPError.self) { try served.readPattern("f", from: 100 << 20) }
        guard case .unsupported? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `REST in 32 bits is believed below 4 GiB only`() throws {
        let served = try Served(Self.unknown(.keepsRestartIn32Bits)) {
            $0.addPattern("f", size: 5 << 30)
            $0.addPattern("g", size: 3 << 30)
        }
        let error = #expect(throws: FTPError.self) { try served.readPattern("f", from: (5 << 30) - 10) }
        guard case .unsupported? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try served.readPattern("g", from: (3 << 30) - 10) == 10)
        // What `g` has proven counts for `f` too.
        let stream = try served.reader("f", from: 3 << 30)
        _ = try served.readSome(stream, at: 3 << 30)
        stream.close()
        #expect(served.server.transcript.entries.filter { $0.line == "REST \((5 << 30) - 1)" }.count == 1)
    }

    @Test func `a transfer that is longer than it can be gives REST away, also on a server that was trusted`() throws {
        let server = try ScriptedServer(
            [
                .send(["220 ProFTPD ready"]), .expect("USER me"), .send(["230 Welcome"]), .expect("FEAT"),
                .send(["500 What?"]), .expect("TYPE I"), .expect("PWD"), .send(["200 Binary", "257 \"/\""]),
                .passive, .expect("REST 3"), .send(["350 Sure"]), .expect("RETR /f"), .send(["150 Here"]),
                .data("abcdef"), .endData(reset: false), .send(["226 Done"]),
                // From now on from the start.
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("abcdef"), .endData(reset: false),
                .send(["226 Done"]),
            ])
        let session = try Scripted.session(server)
        #expect(throws: FTPError.protocolViolation("REST 3 was confirmed, but the file came from byte 0 on")) {
            try Scripted.read(session, at: 3, size: 6)
        }
        #expect(try Scripted.read(session, at: 3, size: 6) == "def")
        #expect(server.outcome() == [])
    }

    // MARK: Uploads

    @Test func anUploadWhoseDataWasResetIsNotBelievedWhateverTheServerSays() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .passive, .expect("STOR /f"), .send(["150 Here"]), .endData(reset: true), .send(["226 Done"]),
            ])
        let session = try Scripted.session(server)
        let transfer = try session.openWrite(try remote("f"), .replace, Cancellation())
        let error = #expect(throws: FTPError.self) { try transfer.finish(Cancellation()) }
        #expect(error?.isConnectionLoss == true)
        #expect(server.outcome() == [])
    }
}
