import EmbeddedFTPServer
import FTPProtocol
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Commands that go out before the one in front of them was answered: the script answers only when it has them all, so
/// it would wait for ever for a client that does not.
@Suite("Pipelining", .serialized)
struct PipeliningTests {
    private static let cancellation = Cancellation()

    /// From the greeting of a server that is known, to the point where nothing more is asked.
    private static func login(arming: [ScriptedServer.Step] = []) -> [ScriptedServer.Step] {
        [
            .send(["220 (vsFTPd)"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
            .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]), .expect("TYPE I"), .expect("PWD"),
            .send(["200 Ok", "257 \"/\""]),
        ] + arming
    }

    /// A session whose next data connection is made ahead, with a script behind its login.
    private static func armed(_ script: [ScriptedServer.Step]) throws -> (ScriptedServer, Session) {
        let server = try ScriptedServer(login(arming: [.passive]) + script)
        return (server, try Scripted.session(server, armsFrom: .zero))
    }

    private static func session(_ script: [ScriptedServer.Step]) throws -> (ScriptedServer, Session) {
        let server = try ScriptedServer(login() + script)
        return (server, try Scripted.session(server, armsFrom: .seconds(1000)))
    }

    // MARK: Commands together

    @Test("REST and RETR")
    func restartAndRetrieve() throws {
        let (server, session) = try Self.session([
            .passive, .expect("REST 4"), .expect("RETR /f"), .send(["350 Go on", "150 Here"]), .data("ent"),
            .endData(reset: false), .send(["226 Done"]),
        ])
        #expect(try Scripted.read(session, at: 4) == "ent")
        #expect(server.outcome() == [])
    }

    @Test("not one byte counts behind a REST that was refused in the same flight")
    func refusedRestart() throws {
        let (server, session) = try Self.session([
            .passive, .expect("REST 4"), .expect("RETR /f"), .send(["550 No", "150 Here"]), .data("content"),
        ])
        #expect(throws: FTPError.refused(verb: "REST", Reply(code: 550, lines: [Array("No".utf8)]))) {
            try Scripted.read(session, at: 4)
        }
        #expect(session.condition != .usable)
        #expect(server.outcome() == [])
    }

    @Test("REST and STOR go one by one: a refused REST would cut the file")
    func restartAndStore() throws {
        let (server, session) = try Self.session([
            .passive, .expect("REST 4"), .send(["501 No"]), .expect("NOOP"), .send(["200 Ok"]),
        ])
        #expect(throws: FTPError.self) { try session.openWrite(try remote("f"), .at(4), Self.cancellation) }
        try session.keepAlive(Self.cancellation)
        #expect(server.outcome() == [])
    }

    @Test(
        "RNFR and RNTO; the first refusal counts",
        arguments: [
            (["350 Go on", "250 Done"], nil), (["550 No such file", "503 RNFR first"], "RNFR"),
            (["350 Go on", "553 Denied"], "RNTO"),
        ] as [([String], String?)])
    func rename(_ replies: [String], _ refused: String?) throws {
        let (server, session) = try Self.session([.expect("RNFR /f"), .expect("RNTO /g"), .send(replies)])
        var verb: String?
        let (from, to) = (try remote("f"), try remote("g"))
        do throws(FTPError) {
            try session.rename(from, to: to, Self.cancellation)
        } catch {
            if case .refused(let refused, _) = error { verb = refused }
        }
        #expect(verb == refused)
        #expect(session.condition == .usable)
        #expect(server.outcome() == [])
    }

    @Test("SIZE and MDTM")
    func sizeAndTime() throws {
        let (server, session) = try Self.session([
            .expect("SIZE /f"), .expect("MDTM /f"), .send(["213 7", "213 20240102030405"]),
        ])
        let version = try session.version(of: try remote("f"), Self.cancellation)
        #expect(version?.size == 7 && version?.modified?.seconds == 1_704_164_645)
        #expect(server.outcome() == [])
    }

    @Test("a later login is one flight from USER on; a refusal in it is told as such")
    func login() throws {
        let server = try ScriptedServer(
            Self.login() + [
                .accept, .send(["220 (vsFTPd)"]), .expect("USER me"), .expect("PASS secret"), .expect("TYPE I"),
                .send(["331 Password?", "230 Welcome", "200 Ok"]),
                .accept, .send(["220 (vsFTPd)"]), .expect("USER me"), .expect("PASS secret"), .expect("TYPE I"),
                .send(["331 Password?", "530 Too many users", "530 Log in first"]), .awaitEnd,
                // The next one finds out step by step what is different.
                .accept, .send(["220 (vsFTPd)"]), .expect("USER me"), .send(["530 Too many users"]), .awaitEnd,
            ])
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        configuration.armsFrom = .seconds(1000)
        let shared = SharedServer(configuration)
        let first = try Session.establish(shared, id: 1, Self.cancellation)
        let second = try Session.establish(shared, id: 2, Self.cancellation)
        #expect(first.condition == .usable && second.condition == .usable)
        let error = #expect(throws: FTPError.self) { try Session.establish(shared, id: 3, Self.cancellation) }
        #expect(error == .tooManyConnections(Reply(code: 530, lines: [Array("Too many users".utf8)])))
        withExtendedLifetime((first, second)) {}
        #expect(server.outcome() == [])
    }

    @Test("pipelining=off sends one command at a time, and makes no data connection ahead")
    func off() throws {
        let server = try ScriptedServer([
            .send(["220 (vsFTPd)"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
            .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]), .expect("PWD"), .send(["257 \"/\""]),
            .expect("RNFR /f"), .send(["350 Go on"]), .expect("RNTO /g"), .send(["250 Done"]),
            .expect("TYPE I"), .send(["200 Ok"]), .passive, .expect("RETR /g"), .send(["150 Here"]), .data("x"),
            .endData(reset: false), .send(["226 Done"]), .expect("NOOP"), .send(["200 Ok"]),
        ])
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        configuration.pipelining = .off
        configuration.armsFrom = .zero
        let session = try Session.establish(SharedServer(configuration), id: 1, Self.cancellation)
        try session.rename(try remote("f"), to: try remote("g"), Self.cancellation)
        #expect(try Scripted.read(session, "g") == "x")
        try session.keepAlive(Self.cancellation)
        #expect(server.outcome() == [])
    }

    // MARK: Armed data connections

    @Test("it is taken, and the next one asked for")
    func inTurn() throws {
        let served = try Served(
            .vsftpd, connections: 1,
            fill: { tree in
                tree.add("a", text: "one")
                tree.add("b", text: "two")
            }, configure: { $0.armsFrom = .zero })
        _ = try served.names()
        let mark = served.server.transcript.mark
        for name in ["a", "b"] {
            let stream = try served.reader(name)
            while try readAll(stream) > 0 {}
        }
        // Not EPSV first: that went out with the login. After the last one another is ready.
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.count(of: "EPSV") == 3 })
        #expect(served.server.transcript.since(mark).verbs == ["RETR", "EPSV", "RETR", "EPSV"])
    }

    private func readAll(_ stream: ReadStream) throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 1)
        defer { buffer.deallocate() }
        return try stream.read(into: buffer, cancellation: Self.cancellation)
    }

    @Test("metadata may go out before the server has named the port")
    func metadataMeanwhile() throws {
        let server = try ScriptedServer(
            Array(Self.login().dropLast()) + [
                .expect("EPSV"), .send(["200 Ok", "257 \"/\""]), .expect("NOOP"),
                .send(["229 Entering (|||40000|)", "200 Ok"]),
            ])
        let session = try Scripted.session(server, armsFrom: .zero)
        try session.keepAlive(Self.cancellation)
        #expect(session.condition == .usable)
        #expect(server.outcome() == [])
    }

    @Test("one that the server has dropped is replaced without the user seeing it")
    func dropped() throws {
        let (server, session) = try Self.armed([
            .expect("RETR /f"), .send(["425 Failed to establish connection."]), .passive, .expect("RETR /f"),
            .send(["150 Here"]), .data("content"), .endData(reset: false), .send(["226 Done"]),
        ])
        #expect(try Scripted.read(session) == "content")
        #expect(session.server.known.armedFailures == 1 && !session.server.known.connectsDataFirst)
        #expect(server.outcome() == [])
    }

    @Test("one that has ended is not used")
    func ended() throws {
        let (server, session) = try Self.armed([
            .endData(reset: false), .passive, .expect("RETR /f"), .send(["150 Here"]), .data("content"),
            .endData(reset: false), .send(["226 Done"]),
        ])
        try session.control.settleDeferred(Self.cancellation)
        // The end arrives without anybody waiting for it.
        var armed = session.armed
        let deadline = Deadline.after(.seconds(10))
        while case .ready(let pending, _, _)? = armed, pending.isAlive, !deadline.hasPassed { armed = session.armed }
        #expect(try Scripted.read(session) == "content")
        #expect(session.server.known.armedFailures == 0)
        #expect(server.outcome() == [])
    }

    @Test("a refused port is asked for again when it is needed")
    func refused() throws {
        let server = try ScriptedServer(
            Array(Self.login().dropLast()) + [
                .expect("EPSV"), .send(["200 Ok", "257 \"/\"", "425 No port"]), .passive, .expect("RETR /f"),
                .send(["150 Here"]), .data("content"), .endData(reset: false), .send(["226 Done"]),
            ])
        let session = try Scripted.session(server, armsFrom: .zero)
        #expect(try Scripted.read(session) == "content")
        #expect(server.outcome() == [])
    }

    @Test("a server that answers out of step is sent one command at a time from then on")
    func outOfStep() throws {
        let server = try ScriptedServer(
            Array(Self.login().dropLast()) + [
                .expect("EPSV"), .send(["200 Ok", "257 \"/\"", "350 Something else"]),
                .expect("PWD"), .send(["257 \"/\""]), .expect("RNFR /f"), .send(["350 Go on"]), .expect("RNTO /g"),
                .send(["250 Done"]),
            ])
        let session = try Scripted.session(server, armsFrom: .zero)
        try session.control.settleDeferred(Self.cancellation)
        #expect(session.condition == .outOfStep)
        try session.recover(Self.cancellation)
        #expect(session.condition == .usable)
        try session.rename(try remote("f"), to: try remote("g"), Self.cancellation)
        #expect(server.outcome() == [])
    }

    @Test("the first bytes of an upload are there before the server has said 150")
    func head() throws {
        let (server, session) = try Self.armed([
            .expect("STOR /f"), .receive("content"), .send(["150 Go on", "226 Done"]),
        ])
        try withLocalFile(Array("content".utf8)) { file in
            let head = UploadHead(file: file.rawValue, range: 0..<7, isAll: true)
            let transfer = try session.openWrite(try remote("f"), .replace, head: head, Self.cancellation)
            #expect(transfer.sentAhead == 7)
            try transfer.finish(Self.cancellation)
        }
        #expect(server.outcome() == [])
    }

    @Test("where they cannot go out at once they follow", arguments: [Dialect.vsftpd, .iis])
    func headAfterwards(_ dialect: Dialect) throws {
        let served = try Served(dialect)
        try withLocalFile(Array("content".utf8)) { file in
            let stream = try served.client.openWrite(
                try remote("f"), .replace, head: UploadHead(file: file.rawValue, range: 0..<7, isAll: true),
                cancellation: Self.cancellation)
            try stream.send(from: file, range: 0..<7, cancellation: Self.cancellation)
            try stream.finish(cancellation: Self.cancellation)
        }
        #expect(served.tree.attributes(of: ServerPath("f".utf8))?.size == 7)
    }
}
