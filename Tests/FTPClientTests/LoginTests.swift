import EmbeddedFTPServer
import FTPProtocol
@preconcurrency import Glibc
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Logins that go another way than the RFC: each test is what one kind of server does.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct LoginTests {
    private typealias Step = ScriptedServer.Step
    private let cancellation = Cancellation()

    private func session(
        _ server: ScriptedServer, _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws -> Session {
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        change(&configuration)
        return try Session.establish(SharedServer(configuration), id: 1, cancellation)
    }

    private static let login: [Step] = [
        .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
        .send(["230 Welcome"]),
    ]
    private static let noFeatures: [Step] = [.expect("FEAT"), .send(["500 What?"])]

    // MARK: Greetings

    @Test(
        arguments: [
            (
                "both greetings at once",
                [.send(["220 One", "220 Two"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret")]
                    + [.send(["230 In"])]
            ),
            (
                "the second greeting in the place of an answer",
                [.send(["220 One"]), .expect("USER me"), .send(["220 Two"]), .expect("PASS secret")]
                    + [.send(["331 P", "230 In"]), .expect("PWD"), .send(["257 \"/\""])]
            ),
            (
                "the second greeting together with the answer",
                [.send(["220 One"]), .expect("USER me"), .send(["220 Two", "331 P"]), .expect("PASS secret")]
                    + [.send(["230 In"]), .expect("PWD"), .send(["257 \"/\""])]
            ),
            (
                "no password is asked for behind it",
                [.send(["220 One"]), .expect("USER me"), .send(["220 Two"]), .expect("PASS secret")]
                    + [.send(["230 In"]), .expect("PWD"), .send(["503 You are in", "257 \"/\""])]
            ),
            (
                "220 means 230",
                [.send(["220 One"]), .expect("USER me"), .send(["220 In"]), .expect("PASS secret")]
                    + [.send(["503 You are in"]), .expect("PWD"), .send(["257 \"/\""])]
            ),
        ] as [(String, [ScriptedServer.Step])])
    func severalGreetings(_ name: String, _ script: [ScriptedServer.Step]) throws {
        let server = try ScriptedServer(script + Self.noFeatures + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server)
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200, "\(name)")
        #expect(server.outcome() == [], "\(name)")
    }

    @Test func eachCommandIsOneSegmentThatEndsInCRLF() throws {
        let server = try ScriptedServer([
            .send(["220 Hi"]), .expectBytes(Array("USER me".utf8)), .send(["331 P"]),
            .expectBytes(Array("PASS secret".utf8)), .send(["230 In"]), .expectBytes(Array("FEAT".utf8)),
            .send(["211-Features", " UTF8", " CLNT", "211 End"]), .expectBytes(Array("CLNT ftpfs".utf8)),
            .send(["200 Ok"]),
            .expectBytes(Array("OPTS UTF8 ON".utf8)), .send(["200 Ok"]),
        ])
        _ = try session(server)
        #expect(server.outcome() == [])
    }

    // MARK: Refusals

    @Test(
        arguments: [
            ("530 Sorry, the maximum number of clients (3) for this user are already connected.", true),
            ("530 Zu viele Verbindungen von Ihrer Adresse", true), ("530 Trop de connexions", true),
            ("500 Too many users logged in", true), ("421 Service not available", true),
            ("530 Demasiadas conexiones", true), ("530 Troppi utenti collegati", true),
            ("530 Login incorrect.", false), ("530 Anmeldung fehlgeschlagen", false),
            // To try this again each second would close the account for good.
            ("530 Too many failed login attempts, account locked", false), ("530 Zu viele Fehlversuche", false),
            ("530 Konto gesperrt", false),
        ])
    func fullIsToldFromWrong(_ line: String, _ isFull: Bool) throws {
        let server = try ScriptedServer([
            .send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send([line]),
        ])
        let error = #expect(throws: FTPError.self) { try session(server) }
        switch error {
        case .tooManyConnections?: #expect(isFull, "\(line)")
        case .loginRefused?: #expect(!isFull, "\(line)")
        default: Issue.record("\(line): \(String(describing: error))")
        }
    }

    @Test func aClosedAccountIsNotCalledAWrongPassword() {
        let closed = FTPError.loginRefused(Reply(code: 530, lines: [Array("Account is locked".utf8)]))
        let wrong = FTPError.loginRefused(Reply(code: 530, lines: [Array("Login incorrect".utf8)]))
        #expect(closed.description.hasSuffix("the server's administrator can open the account again"))
        #expect(wrong.description.hasSuffix("check the user name and the password"))
    }

    @Test func aPlaceThatALostConnectionStillTakesIsWaitedFor() throws {
        let served = try Served(.vsftpd, connections: 1, maximumConnections: 1) { $0.add("f", text: "x") }
        // Somebody else's connection, which the server still counts when the client comes.
        let other = try Served.raw(served.server.port)
        defer { other.close() }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.connections == 1 })
        let listing = try Pending { try served.names() }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.connections >= 3 })
        other.close()
        #expect(try listing.value() == ["f"])
    }

    @Test func theAttemptsAtAFullServerGrowFartherApartAndEnd() {
        var machine = PoolStateMachine(.init(limit: 1, keepAlive: .seconds(50), idleExtra: .seconds(40)))
        let full = FTPError.tooManyConnections(Reply(code: 421, lines: [[]]))
        var now = Instant(nanoseconds: 1_000_000_000)
        var pauses: [Duration] = []
        var actions = machine.request(1, for: .metadata, now: now)
        while let opening = actions.compactMap({ if case .open(let id) = $0 { id } else { nil } }).first {
            actions = machine.openFailed(opening, full, now: now)
            guard let next = machine.nextTick, actions.isEmpty else { break }
            pauses.append(next.since(now))
            now = next
            actions = machine.tick(now: now)
        }
        #expect(pauses == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(4)])
        #expect(actions == [.fail(1, full)])
    }

    // MARK: FEAT

    @Test func aServerThatHangsUpOnFEATIsUsedWithoutIt() throws {
        let server = try ScriptedServer(
            Self.login + [.expect("FEAT"), .close, .accept] + Self.login + [.expect("FEAT"), .close, .accept]
                + Self.login
                + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server)
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(session.server.known.shunned == ["FEAT"])
        #expect(server.outcome() == [])
    }

    @Test func aServerThatDoesNotAnswerFEATIsUsedWithoutIt() throws {
        let server = try ScriptedServer(
            Self.login + [.expect("FEAT"), .awaitEnd, .accept] + Self.login + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server) { $0.timeouts.establish = .seconds(3) }
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(server.outcome() == [])
    }

    @Test func aConnectionThatIsLostOnceOverFEATTeachesNothing() throws {
        let served = try Served(.proftpd, faults: FaultPlan([.nth(1, "FEAT", .dropControl(.beforeDoing))])) {
            $0.add("f", text: "x")
        }
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.count(of: "MLSD") == 1)
    }

    @Test func anOfferThatIsNotAnsweredIsNotMadeAgain() throws {
        let features: [Step] = [.expect("FEAT"), .send(["211-F", " UTF8", "211 End"])]
        let server = try ScriptedServer(
            Self.login + features + [.expect("OPTS UTF8 ON"), .awaitEnd, .accept] + Self.login
                + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server) { $0.timeouts.establish = .seconds(3) }
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(server.outcome() == [])
    }

    @Test(arguments: [
        ["211-Features:", "MLST type*;size*;modify*;", "MLSD", "211 End"],
        ["211-Features:", "211-MLST type*;size*;modify*;", "211-MLSD", "211 End"],
        ["211-Features:", "\tMLST type*;size*;modify*;", "  MLSD", "211 End"],
    ])
    func featuresAreUnderstoodWithoutTheirBlank(_ lines: [String]) throws {
        let server = try ScriptedServer(
            Self.login + [.expect("FEAT"), .send(lines), .passive, .expect("MLSD"), .send(["150 Here"])]
                + [.data("type=file;size=1; f\r\n"), .endData(reset: false), .send(["226 Done"])])
        #expect(try session(server).list(.root, cancellation).entries.map(\.name.description) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test(arguments: [530, 500, 502, 402, 200, 202] as [UInt16])
    func whereFEATIsRefusedNothingIsAssumed(_ code: UInt16) throws {
        let served = try Served(.proftpd, faults: FaultPlan([.every("FEAT", .reply(code, "No"))])) {
            $0.add("f", text: "x")
        }
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.count(of: "MLSD") == 0)
        #expect(served.server.transcript.count(of: "OPTS") == 0)
    }

    // MARK: Character sets

    @Test func userAndPasswordAreTriedInTheCharacterSetOfTheNames() throws {
        let server = try ScriptedServer([
            .send(["220 Hi"]), .expectBytes(Array("USER Миша".utf8)), .send(["331 P"]),
            .expectBytes(Array("PASS ключ".utf8)), .send(["530 Login incorrect"]), .awaitEnd, .accept,
            .send(["220 Hi"]), .expectBytes(Array("USER ".utf8) + [0xED, 0xC9, 0xDB, 0xC1]), .send(["331 P"]),
            .expectBytes(Array("PASS ".utf8) + [0xCB, 0xCC, 0xC0, 0xDE]), .send(["230 In"]), .expect("FEAT"),
            .send(["500 What?"]),
        ])
        let koi8 = try NameCharset.named("KOI8-R")
        let session = try session(server) { configuration in
            configuration.user = Array("Миша".utf8)
            configuration.password = Secret("ключ")
            configuration.charset = koi8
        }
        #expect(session.server.known.credentials == .inCharset)
        #expect(server.outcome() == [])
    }

    @Test func aPasswordIsTriedOnlyOnceIfItIsTheSameInBothSets() throws {
        let server = try ScriptedServer([
            .send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send(["530 No"]),
            .awaitEnd,
        ])
        let koi8 = try NameCharset.named("KOI8-R")
        #expect(throws: FTPError.self) { try session(server) { $0.charset = koi8 } }
        #expect(server.outcome() == [])
    }

    // MARK: Other systems

    private static let ibm: [Step] = [
        .expect("SITE NAMEFMT 1"), .send(["250 Now using naming format \"1\"."]), .expect("SITE LISTFMT 1"),
        .send(["250 Now using listing format \"1\"."]),
    ]

    @Test func OS400IsToldToTalkLikeUnix() throws {
        let server = try ScriptedServer(
            [.send(["220-QTCP at SYSTEM.EXAMPLE.COM.", "220 Connection will close if idle more than 5 minutes."])]
                + Self.login.dropFirst() + Self.noFeatures + Self.ibm)
        _ = try session(server)
        #expect(server.outcome() == [])
    }

    @Test func whereTheDirectoryIsNotAbsoluteTheSystemIsAskedForItsName() throws {
        let server = try ScriptedServer(
            Self.login + Self.noFeatures + [
                .expect("PWD"), .send(["257 \"QGPL\" is current library."]), .expect("SYST"),
                .send(["215  OS/400 is the remote operating system. The TCP/IP version is \"V7R4M0\"."]),
            ] + Self.ibm + [
                .expect("PWD"), .send(["257 \"/QSYS.LIB/QGPL.LIB\" is current directory."]),
                .expect("DELE /QSYS.LIB/QGPL.LIB/f"), .send(["250 Gone"]),
            ])
        try session(server).removeFile(try remote("f"), cancellation)
        #expect(server.outcome() == [])
    }

    @Test func whatTheSystemIsCalledChangesNothingElse() throws {
        // "UNIX" on Windows, and the other way round.
        for system in ["215 UNIX Type: L8", "215 Windows_NT", "500 What?"] {
            let server = try ScriptedServer(
                Self.login + Self.noFeatures + [
                    .expect("PWD"), .send(["257 \"C:\" is current directory."]), .expect("SYST"), .send([system]),
                    .expect("DELE f"), .send(["250 Gone"]),
                ])
            try session(server).removeFile(try remote("f"), cancellation)
            #expect(server.outcome() == [])
        }
    }

    @Test(arguments: [
        ("257 \"/a\" is the current directory", "/a/f"), ("257 \"/a \"\"b\"\"\" is it", "/a \"b\"/f"),
        ("257 /a is it", "/a/f"), ("257 \"/\"", "/f"), ("257 \"/a/\"", "/a/f"), ("257", "f"), ("550 No", "f"),
    ])
    func howTheDirectoryIsTold(_ reply: String, _ path: String) throws {
        let server = try ScriptedServer(
            Self.login + Self.noFeatures + [
                .expect("PWD"), .send([reply]), .expect("DELE \(path)"), .send(["250 Gone"]),
            ])
        try session(server).removeFile(try remote("f"), cancellation)
        #expect(server.outcome() == [])
    }

    @Test func whereThereIsNoCDUPTheDirectoryAboveIsEntered() throws {
        let line = "drwxr-xr-x 1 a b 5 Jan  1  2020 .\r\n-rw-r--r-- 1 a b 5 Jan  1  2020 f\r\n"
        let server = try ScriptedServer(
            Self.login + Self.noFeatures + [
                .expect("PWD"), .send(["257 is it"]), .expect("CWD a b/c"), .send(["250 Ok"]), .passive,
                .expect("LIST -a"), .send(["150 Here"]), .data(line), .endData(reset: false), .send(["226 Done"]),
                .expect("CDUP"), .send(["502 What?"]), .expect("CWD .."), .send(["250 Ok"]), .expect("CWD .."),
                .send(["250 Ok"]), .expect("DELE x"), .send(["250 Ok"]),
            ])
        let session = try session(server)
        _ = try session.list(try remote("a b/c"), cancellation)
        try session.removeFile(try remote("x"), cancellation)
        #expect(server.outcome() == [])
    }
}

extension Served {
    /// A bare connection to a port of this machine.
    final class Raw: Sendable {
        private let descriptor: Monitor<Int32>

        init(_ descriptor: Int32) { self.descriptor = Monitor(descriptor) }

        /// Ends it; more than once does nothing.
        func close() {
            descriptor.withLock { descriptor in
                if descriptor >= 0 { _ = Glibc.close(descriptor) }
                descriptor = -1
            }
        }
    }

    static func raw(_ port: UInt16) throws -> Raw {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
        return Raw(descriptor)
    }
}
