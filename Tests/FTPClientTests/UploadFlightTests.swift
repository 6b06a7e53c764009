import EmbeddedFTPServer
import FTPProtocol
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What leaves together with the bytes of an upload. The scripts answer a flight only when they have all of it.
@Suite("Flights of an upload", .serialized, .timeLimit(.minutes(1)))
struct UploadFlightTests {
    private static let cancellation = Cancellation()

    private static func login(_ greeting: String) -> [ScriptedServer.Step] {
        [
            .send(["220 \(greeting)"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
            .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]), .expect("TYPE I"), .expect("PWD"),
            .send(["200 Ok", "257 \"/\""]),
        ]
    }

    /// A session with a data connection that is there.
    private static func armed(_ script: [ScriptedServer.Step]) throws -> (ScriptedServer, Session) {
        let server = try ScriptedServer(login("(vsFTPd)") + [.passive] + script)
        return (server, try Scripted.session(server, armsFrom: .zero))
    }

    /// A session without one, and to which none is made ahead.
    private static func session(_ script: [ScriptedServer.Step]) throws -> (ScriptedServer, Session) {
        let server = try ScriptedServer(login("(vsFTPd)") + script)
        return (server, try Scripted.session(server, armsFrom: .seconds(1000)))
    }

    private static func head(_ file: FileDescriptor, _ count: Int64) -> UploadHead {
        UploadHead(file: file.rawValue, range: 0..<count, isAll: true)
    }

    // MARK: In front of the command

    @Test(
        "SIZE, APPE and the bytes",
        arguments: [("213 4", SizeAnswer.size(4)), ("550 No such file", .noFile), ("213 many", .unknown)])
    func append(_ reply: String, _ answer: SizeAnswer) throws {
        let (server, session) = try Self.armed([
            .expect("SIZE /f"), .expect("APPE /f"), .receive("line"), .send([reply, "150 Go on", "226 Done"]),
        ])
        try withLocalFile(Array("line".utf8)) { file in
            let transfer = try session.openWrite(
                try remote("f"), .append, head: Self.head(file, 4), size: .tell, Self.cancellation)
            #expect(transfer.sentAhead == 4)
            #expect(transfer.sizeBefore == answer)
            try transfer.finish(Self.cancellation)
        }
        #expect(server.outcome() == [])
    }

    @Test("SIZE and REST; the STOR and the bytes only when both have been answered as they should")
    func patch() throws {
        let (server, session) = try Self.armed([
            .expect("SIZE /f"), .expect("REST 4"), .send(["213 9", "350 Go on"]), .expect("STOR /f"), .receive("line"),
            .send(["150 Go on", "226 Done"]),
        ])
        try withLocalFile(Array("line".utf8)) { file in
            let transfer = try session.openWrite(
                try remote("f"), .at(4), head: Self.head(file, 4), size: .require(9), Self.cancellation)
            #expect(transfer.sentAhead == 4)
            try transfer.finish(Self.cancellation)
        }
        #expect(server.outcome() == [])
    }

    @Test(
        "no STOR over another file than the expected one",
        arguments: [("213 10", true), ("550 No such file", true), ("500 What?", false)])
    func changed(_ reply: String, _ isKnown: Bool) throws {
        let error =
            isKnown
            ? FTPError.changedRemotely(path: try remote("f")) : .unsupported("tell the size of a file (SIZE)")
        let (server, session) = try Self.session(
            [
                .passive, .expect("SIZE /f"), .expect("REST 4"), .send([reply, "350 Go on"]),
                // The offset must not count for the next transfer.
                .passive, .expect("REST 0"), .send(["350 Go on"]), .expect("STOR /g"), .send(["150 Go on"]),
                .receive(""), .send(["226 Done"]),
            ])
        #expect(throws: error) {
            try session.openWrite(try remote("f"), .at(4), size: .require(9), Self.cancellation)
        }
        #expect(session.condition == .usable)
        try session.openWrite(try remote("g"), .replace, Self.cancellation).finish(Self.cancellation)
        #expect(server.outcome() == [])
    }

    @Test("no STOR behind a refused REST, whatever the size")
    func refusedRestart() throws {
        let (server, session) = try Self.session(
            [
                .passive, .expect("SIZE /f"), .expect("REST 4"), .send(["213 9", "501 No"]), .expect("NOOP"),
                .send(["200 Ok"]),
            ])
        #expect(throws: FTPError.self) {
            try session.openWrite(try remote("f"), .at(4), size: .require(9), Self.cancellation)
        }
        try session.keepAlive(Self.cancellation)
        #expect(server.outcome() == [])
    }

    @Test(
        "one by one on a server of which nothing is known",
        arguments: [
            (WriteMode.append, SizeQuestion.tell, ["SIZE /f"], "APPE /f"),
            (.at(2), .require(4), ["SIZE /f", "REST 2"], "STOR /f"),
        ])
    func oneByOne(_ mode: WriteMode, _ question: SizeQuestion, _ before: [String], _ command: String) throws {
        let answers = ["213 4", "350 Go on"]
        let steps = zip(before, answers).flatMap { line, answer -> [ScriptedServer.Step] in
            [.expectBytes(Array(line.utf8)), .send([answer])]
        }
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [.passive] + steps + [
                .expect(command), .send(["150 Go on"]), .receive(""), .send(["226 Done"]),
            ])
        let session = try Scripted.session(server)
        let transfer = try session.openWrite(try remote("f"), mode, size: question, Self.cancellation)
        #expect(transfer.sizeBefore == .size(4))
        try transfer.finish(Self.cancellation)
        #expect(server.outcome() == [])
    }

    @Test("an append whose bytes have left is not repeated when its answer is lost")
    func lostAppend() throws {
        let server = try ScriptedServer(
            Self.login("(vsFTPd)") + [.passive, .expect("SIZE /f"), .expect("APPE /f"), .receive("line"), .close])
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        configuration.armsFrom = .zero
        let client = Client(configuration: configuration)
        defer { client.close() }
        let path = try remote("f")
        try withLocalFile(Array("line".utf8)) { file in
            do throws(FTPError) {
                _ = try client.openWrite(
                    path, .append, head: Self.head(file, 4), size: .tell,
                    cancellation: Self.cancellation)
                Issue.record("it was taken for a success")
            } catch {
                #expect(error.isConnectionLoss && !error.leftNothingDone)
            }
        }
        #expect(server.outcome() == [])
    }

    // MARK: Behind the last byte

    private static let all = UploadErrands(mode: 0o640, time: Timestamp(seconds: 1_000_000_000), asksSize: true)

    @Test("mode, time, size and the next port behind the last byte, where commands wait for the end of a transfer")
    func errands() throws {
        let (server, session) = try Self.armed([
            .expect("STOR /f"), .send(["150 Go on"]), .receive("line"), .expect("SITE CHMOD 640 /f"),
            .expect("MDTM 20010909014640 /f"), .expect("SIZE /f"), .expect("EPSV"),
            .send(["226 Done", "200 Ok", "213 File modification time set.", "213 4", "425 No port"]),
        ])
        session.server.learn { profile in
            profile.time = .mdtm
            profile.timeIsProven = true
        }
        var expected = UploadErrands.Outcome()
        (expected.isModeSet, expected.isTimeSet, expected.size) = (true, true, 4)
        #expect(try store(session, Self.all) == expected)
        #expect(server.outcome() == [])
    }

    @Test("what is refused there is not done, and the upload is")
    func refusedErrands() throws {
        let (server, session) = try Self.armed([
            .expect("STOR /f"), .send(["150 Go on"]), .receive("line"), .expect("SITE CHMOD 640 /f"),
            .expect("MDTM 20010909014640 /f"), .expect("SIZE /f"), .expect("EPSV"),
            // The second is the answer of a server that asks, and does not set.
            .send(["226 Done", "550 Denied", "213 20200101000000", "500 What?", "425 No port"]),
        ])
        session.server.learn { profile in
            profile.time = .mdtm
            profile.timeIsProven = true
        }
        #expect(try store(session, Self.all) == UploadErrands.Outcome())
        #expect(server.outcome() == [])
    }

    @Test("a time only where it is known what a refusal means")
    func unprovenTime() throws {
        let (server, session) = try Self.armed([
            .expect("STOR /f"), .send(["150 Go on"]), .receive("line"), .expect("EPSV"),
            .send(["226 Done", "425 No port"]),
        ])
        let errands = UploadErrands(time: Timestamp(seconds: 1_000_000_000))
        #expect(try store(session, errands) == UploadErrands.Outcome())
        #expect(server.outcome() == [])
    }

    @Test(
        "nothing at all where a command would be read before the transfer has ended",
        arguments: ["ProFTPD Server", "Welcome to Pure-FTPd", "pyftpdlib 2.0 ready.", "FileZilla Server", "Hello"])
    func notBehind(_ greeting: String) throws {
        let server = try ScriptedServer(
            greeting == "Hello"
                ? Scripted.login + Scripted.binary + [.passive] + Self.storing
                : Self.login(greeting) + [.passive] + Self.storing)
        let session = try Scripted.session(server, armsFrom: .seconds(1000))
        session.server.learn { profile in
            profile.time = .mfmt
            profile.timeIsProven = true
        }
        #expect(try store(session, Self.all) == UploadErrands.Outcome())
        try session.keepAlive(Self.cancellation)
        #expect(server.outcome() == [])
    }

    private static let storing: [ScriptedServer.Step] = [
        .expect("STOR /f"), .send(["150 Go on"]), .receive("line"), .send(["226 Done"]), .expect("NOOP"),
        .send(["200 Ok"]),
    ]

    private func store(_ session: Session, _ errands: UploadErrands) throws -> UploadErrands.Outcome {
        try withLocalFile(Array("line".utf8)) { file in
            let transfer = try session.openWrite(try remote("f"), .replace, Self.cancellation)
            try transfer.send(from: file, 0..<4, Self.cancellation)
            let following = session.following(errands, try remote("f"))
            try transfer.finish(Self.cancellation, sendingBehind: following)
            return session.settle(following, Self.cancellation)
        }
    }
}
