import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What odd servers do, and what the client makes of it: each test is one script of a server.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct QuirkTests {
    private typealias Step = ScriptedServer.Step
    private let cancellation = Cancellation()

    /// A login up to the point where nothing more is asked.
    private static let login: [Step] = [
        .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
        .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]),
    ]

    private func session(
        _ server: ScriptedServer, base: ClientConfiguration.Base = .relativeToLogin([]),
        _ change: (inout ClientConfiguration.Timeouts) -> Void = { _ in }
    ) throws(FTPError) -> Session {
        var timeouts = ClientConfiguration.Timeouts()
        change(&timeouts)
        let configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"),
            account: Array("acc".utf8), base: base, timeouts: timeouts)
        return try Session.establish(SharedServer(configuration), id: 1, cancellation)
    }

    private func path(_ names: String...) throws -> RemotePath {
        RemotePath(try names.map { try FileName(validating: $0) })
    }

    // MARK: Login

    @Test(
        arguments: [
            ("one line", [.send(["220 Hi"]), .expect("USER me"), .send(["230 In"])]),
            ("120 before the greeting", [.send(["120 Soon", "220 Hi"]), .expect("USER me"), .send(["230 In"])]),
            (
                "lines that look like replies in the greeting",
                [.send(["220-Hi", "331 not yet", " 220 no", "220 Now"]), .expect("USER me"), .send(["230 In"])]
            ),
            (
                "an account behind the password",
                [
                    .send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send(["332 A"]),
                    .expect("ACCT acc"), .send(["230 In"]),
                ]
            ),
            (
                "202 for the password",
                [.send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send(["202 Fine"])]
            ),
        ] as [(String, [ScriptedServer.Step])])
    func loginsThatWork(_ name: String, _ script: [ScriptedServer.Step]) throws {
        let server = try ScriptedServer(script + [.expect("FEAT"), .send(["500 What?"])])
        #expect(try session(server).condition == .usable)
        #expect(server.outcome() == [])
    }

    @Test func aLoginThatIsRefused() throws {
        let server = try ScriptedServer([
            .send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send(["530 No"]),
            .expect("QUIT"),
        ])
        #expect(throws: FTPError.loginRefused(Reply(code: 530, lines: [Array("No".utf8)]))) { try session(server) }
        #expect(server.outcome() == [])
    }

    @Test(arguments: ["421 Too many connections from your address", "530 Sorry, max clients reached"])
    func tooManyAtTheGreetingOrTheLogin(_ line: String) throws {
        let reply = Reply(code: UInt16(line.prefix(3)) ?? 0, lines: [Array(line.utf8.dropFirst(4))])
        let atGreeting = try ScriptedServer([.send([line])])
        #expect(throws: FTPError.tooManyConnections(reply)) { try session(atGreeting) }
        let atLogin = try ScriptedServer([
            .send(["220 Hi"]), .expect("USER me"), .send(["331 P"]), .expect("PASS secret"), .send([line]),
        ])
        #expect(throws: FTPError.tooManyConnections(reply)) { try session(atLogin) }
    }

    @Test func whatIsNotAnFTPServerIsCalledSo() throws {
        let server = try ScriptedServer([.send(["SSH-2.0-OpenSSH_9.2p1"])])
        #expect(throws: FTPError.notFTP("SSH-2.0-OpenSSH_9.2p1")) { try session(server) }
    }

    @Test func aServerThatSaysNothingIsLeftAfterTheTimeLimit() throws {
        let server = try ScriptedServer([.awaitEnd])
        #expect(throws: FTPError.timedOut(.greeting)) {
            try session(server) { $0.reply = .milliseconds(50) }
        }
    }

    @Test func theWholeLoginHasOneLimit() throws {
        let server = try ScriptedServer([.send(["220 Hi"]), .expect("USER me"), .awaitEnd])
        #expect(throws: FTPError.timedOut(.login)) {
            try session(server) { $0.establish = .milliseconds(200) }
        }
    }

    @Test func aBaseDirectoryThatIsNotThereIsNamed() throws {
        let server = try ScriptedServer(
            Self.login + [.expect("CWD no"), .send(["550 No such directory"]), .expect("QUIT")])
        let base = ClientConfiguration.Base.relativeToLogin([try FileName(validating: "no")])
        let reply = Reply(code: 550, lines: [Array("No such directory".utf8)])
        #expect(throws: FTPError.baseDirectoryRefused(path: Array("no".utf8), reply)) {
            try session(server, base: base)
        }
    }

    // MARK: Keeping in step

    @Test func a421ThatCameWhileIdleMeansThatTheCommandWasNotSent() throws {
        let server = try ScriptedServer(Self.login + [.send(["421 Idle too long"]), .close])
        let session = try session(server)
        #expect(server.outcome() == [])
        #expect(throws: FTPError.connectionLost(.beforeCommand, reason: "421 Idle too long")) {
            try session.exchange(Command("NOOP"), cancellation)
        }
        #expect(session.condition == .dead)
    }

    @Test func aConnectionThatEndedWhileIdleMeansThatTheCommandWasNotSent() throws {
        let server = try ScriptedServer(Self.login + [.close])
        let session = try session(server)
        #expect(server.outcome() == [])
        #expect {
            try session.exchange(Command("NOOP"), cancellation)
        } throws: { error in
            (error as? FTPError)?.leftNothingDone == true
        }
    }

    @Test func anEndInsteadOfAReplyLeavesTheOutcomeOpen() throws {
        let server = try ScriptedServer(Self.login + [.expect("DELE x"), .close])
        let session = try session(server)
        let error = #expect(throws: FTPError.self) { try session.exchange(Command("DELE", "x"), cancellation) }
        guard case .connectionLost(.afterCommand, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func repliesThatNobodyAskedForAreDropped() throws {
        let server = try ScriptedServer(
            Self.login + [
                .expect("NOOP"), .send(["200 Ok", "226 Closing", "226 Closing again"]), .expect("PWD"),
                .send(["257 \"/\""]),
            ])
        let session = try session(server)
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        // The duplicates are there before the next command goes out only if they arrived; the script sends all at once.
        #expect(try session.exchange(Command("PWD"), cancellation).code == 257)
        #expect(server.outcome() == [])
    }

    @Test(arguments: [
        ["426 Aborted", "226 Abort successful"],
        ["426 Failure writing network stream.", "225 No transfer to ABOR."],
        ["226 Done", "226 Abort successful"],
        ["150 0.300 seconds (measured here)", "226 Since you see this ABOR must've succeeded"],
        ["226 Done"],
        ["426 Aborted", "500 ABOR not understood"],
        [],
    ])
    func afterABreakOffTheSessionIsInStepWhateverTheServerSays(_ replies: [String]) throws {
        let server = try ScriptedServer(
            Self.login + [
                .expect("TYPE I"), .send(["200 Binary"]), .expect("PWD"), .send(["257 \"/home\""]), .passive,
                .expect("RETR /home/f"), .send(["150 Here"]), .data("some"), .expect("ABOR"), .expect("PWD"),
                .send(replies + ["257 \"/home\""]), .expect("DELE /home/f"), .send(["250 Gone"]),
            ])
        let session = try session(server)
        let transfer = try session.openRead(try path("f"), at: 0, cancellation)
        transfer.abandon(abortively: true)
        #expect(session.condition == .outOfStep)
        try session.recover(cancellation)
        #expect(session.condition == .usable)
        try session.removeFile(try path("f"), cancellation)
        #expect(server.outcome() == [])
    }

    @Test func aServerThatDoesNotComeBackToOrderIsLeft() throws {
        let server = try ScriptedServer(
            Self.login + [
                .expect("TYPE I"), .send(["200 Binary"]), .expect("PWD"), .send(["257 \"/\""]), .passive,
                .expect("RETR /f"), .send(["150 Here"]), .awaitEnd,
            ])
        let session = try session(server) { $0.recovery = .milliseconds(100) }
        let transfer = try session.openRead(try path("f"), at: 0, cancellation)
        transfer.abandon(abortively: true)
        #expect(throws: FTPError.self) { try session.recover(cancellation) }
        #expect(session.condition == .dead)
    }

    @Test func aCancelledWaitLeavesTheReplyToBeSkipped() throws {
        let server = try ScriptedServer(
            Self.login + [.expect("DELE x"), .hold, .send(["250 Gone"]), .expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server)
        let cancelled = Cancellation()
        try session.control.begin(Command("DELE", "x"), cancelled)
        cancelled.cancel()
        #expect(throws: FTPError.cancelled) {
            try session.control.finalReply(Wait(.finalReply, for: .seconds(10), cancelled))
        }
        #expect(session.condition == .outOfStep)
        server.goOn()
        try session.recover(cancellation)
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(server.outcome() == [])
    }

    @Test func namesCannotSmuggleInACommand() throws {
        let server = try ScriptedServer(Self.login + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server)
        #expect(throws: FTPError.invalidArgument("an argument of DELE holds CR, LF or NUL")) {
            try session.exchange(Command("DELE", "a\r\nDELE b"), cancellation)
        }
        #expect(try session.exchange(Command("NOOP"), cancellation).code == 200)
        #expect(server.outcome() == [])
    }

    // MARK: Data connections

    private static let pwd: [Step] = [.expect("PWD"), .send(["257 \"/\""])]
    private static let binary: [Step] = [.expect("TYPE I"), .send(["200 Binary"])]

    private func readAll(_ session: Session, _ path: RemotePath, at offset: Int64 = 0) throws -> String {
        let transfer = try session.openRead(path, at: offset, cancellation)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
        defer { buffer.deallocate() }
        var bytes: [UInt8] = []
        while true {
            let count = try transfer.read(into: buffer, cancellation)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        try transfer.finish(cancellation)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ["150 Here", "226 Done"], ["125 Here", "250 Done"], ["226 Done"], ["150 Here", "150 Still", "200 Done"],
    ])
    func anySuccessEndsATransfer(_ replies: [String]) throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .passive, .expect("RETR /f"), .send(Array(replies.prefix(1))), .data("hello"),
                .send(Array(replies.dropFirst())), .endData(reset: false),
            ])
        #expect(try readAll(try session(server), try path("f")) == "hello")
        #expect(server.outcome() == [])
    }

    @Test func aTransferThatEndsWith426Fails() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("hel"), .endData(reset: false),
                .send(["426 Disk error"]),
            ])
        let session = try session(server)
        #expect(throws: FTPError.refused(verb: "RETR", Reply(code: 426, lines: [Array("Disk error".utf8)]))) {
            try readAll(session, try path("f"))
        }
        #expect(session.condition == .usable)
    }

    @Test func whereEPSVIsUnknownPASVIsUsedAndItsAddressIsNotLookedAt() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .expect("EPSV"), .send(["500 EPSV not understood"]), .foreignPassive, .expect("RETR /f"),
                .send(["150 Here"]), .data("a"), .endData(reset: false), .send(["226 Done"]),
                // Remembered.
                .foreignPassive, .expect("RETR /g"), .send(["150 Here"]), .data("b"), .endData(reset: false),
                .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(try readAll(session, try path("f")) == "a")
        #expect(try readAll(session, try path("g")) == "b")
        #expect(server.outcome() == [])
    }

    @Test func whereTheDataConnectionOfEPSVFailsPASVIsUsedOnTheSameSession() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .deadPassive, .expect("RETR /f"), .expect("ABOR"), .expect("PWD"),
                .send(["425 No data connection", "226 Abort successful", "257 \"/\""]), .foreignPassive,
                .expect("RETR /f"), .send(["150 Here"]), .data("a"), .endData(reset: false), .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(try readAll(session, try path("f")) == "a")
        #expect(server.outcome() == [])
    }

    @Test func a425IsRepeatedOnceWithTheDataConnectionMadeFirst() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .passive, .expect("RETR /f"), .send(["150 Here"]), .data("a"), .endData(reset: false),
                .send(["226 Done"]), .passive, .expect("RETR /f"), .send(["425 Too slow"]), .passive,
                .expect("RETR /f"), .send(["150 Here"]), .data("b"), .endData(reset: false), .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(try readAll(session, try path("f")) == "a")
        #expect(try readAll(session, try path("f")) == "b")
        #expect(session.server.known.connectsDataFirst)
        #expect(server.outcome() == [])
    }

    @Test func aServerWithoutRESTIsReadFromTheStart() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .passive, .expect("REST 3"), .send(["502 No REST"]), .passive, .expect("RETR /f"),
                .send(["150 Here"]), .data("abcdef"), .endData(reset: false), .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(try readAll(session, try path("f"), at: 3) == "def")
        #expect(server.outcome() == [])
    }

    @Test func aRESTWhoseTransferWasRefusedIsTakenBack() throws {
        let server = try ScriptedServer(
            Self.login + Self.binary + Self.pwd + [
                .passive, .expect("REST 3"), .send(["350 Ok"]), .expect("RETR /f"), .send(["550 No such file"]),
                .passive, .expect("REST 0"), .send(["350 Ok"]), .expect("RETR /g"), .send(["150 Here"]),
                .data("abc"), .endData(reset: false), .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(throws: FTPError.self) { try readAll(session, try path("f"), at: 3) }
        #expect(session.condition == .usable)
        #expect(try readAll(session, try path("g")) == "abc")
        #expect(server.outcome() == [])
    }

    // MARK: Listings

    private func names(_ session: Session, _ path: RemotePath) throws -> [String] {
        try session.list(path, cancellation).entries.map { $0.name.description }
    }

    private static let line = "-rw-r--r-- 1 a b 5 Jan  1  2020 "
    /// What shows that `-a` is understood.
    private static let dot = "drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n"

    @Test func theEndOfAListingByResetCountsIfTheServerConfirmsIt() throws {
        let server = try ScriptedServer(
            Self.login + [
                // Twice the same: it was not the network.
                .passive, .expect("LIST -a"), .send(["150 Here", "226 Done"]), .endData(reset: true),
                .passive, .expect("LIST -a"), .send(["150 Here", "226 Done"]), .endData(reset: true),
                .passive, .expect("LIST"), .send(["150 Here", "226 Done"]), .endData(reset: true),
                .passive, .expect("LIST"), .send(["150 Here", "226 Done"]), .endData(reset: true),
            ])
        #expect(try names(try session(server), .root) == [])
        #expect(server.outcome() == [])
    }

    @Test func whereListWithOptionShowsNothingPlainListDecides() throws {
        let server = try ScriptedServer(
            Self.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .endData(reset: false), .send(["226 Done"]),
                .passive, .expect("LIST"), .send(["150 Here"]), .data(Self.line + "f\r\n"), .endData(reset: false),
                .send(["226 Done"]),
                // Remembered.
                .passive, .expect("LIST"), .send(["150 Here"]), .data(Self.line + "f\r\n"), .endData(reset: false),
                .send(["226 Done"]),
            ])
        let session = try session(server)
        #expect(try names(session, .root) == ["f"])
        #expect(try names(session, .root) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test func aPathThatAPatternOrABlankCouldSpoilIsEntered() throws {
        let server = try ScriptedServer(
            Self.login + Self.pwd + [
                .expect("CWD /a b*"), .send(["250 Ok"]), .passive, .expect("LIST -a"), .send(["150 Here"]),
                .data(Self.dot + Self.line + "f\r\n"), .endData(reset: false), .send(["226 Done"]),
            ])
        #expect(try names(try session(server), try path("a b*")) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test func anEmptyDirectoryThatIsRefusedIsEmptyIfItCanBeEntered() throws {
        let server = try ScriptedServer(
            Self.login + Self.pwd + [
                .passive, .expect("LIST -a /d"), .send(["550 No files found"]), .expect("CWD /d"), .send(["250 Ok"]),
                .passive, .expect("LIST"), .send(["550 No files found"]),
            ])
        #expect(try names(try session(server), try path("d")) == [])
        #expect(server.outcome() == [])
    }

    @Test func aServerThatIgnoresTheArgumentIsFoundOut() throws {
        let base: [Step] = [
            .send(["150 Here"]), .data(Self.dot + Self.line + "base\r\n"), .endData(reset: false), .send(["226 Done"]),
        ]
        let server = try ScriptedServer(
            Self.login + [.passive, .expect("LIST -a")] + base + Self.pwd
                + [.passive, .expect("LIST -a /d")] + base
                + [
                    .expect("CWD /d"), .send(["250 Ok"]), .passive, .expect("LIST -a"), .send(["150 Here"]),
                    .data(Self.dot + Self.line + "inner\r\n"), .endData(reset: false), .send(["226 Done"]),
                    // Remembered.
                    .expect("CWD /e"), .send(["250 Ok"]), .passive, .expect("LIST -a"), .send(["150 Here"]),
                    .data(Self.dot + Self.line + "other\r\n"), .endData(reset: false), .send(["226 Done"]),
                ])
        let session = try session(server)
        #expect(try names(session, .root) == ["base"])
        #expect(try names(session, try path("d")) == ["inner"])
        #expect(try names(session, try path("e")) == ["other"])
        #expect(server.outcome() == [])
    }

    @Test func whereTheServerDoesNotSayItsDirectoryPathsAreRelativeAndDetoursAreUndone() throws {
        let server = try ScriptedServer(
            Self.login + [
                .expect("PWD"), .send(["257 is current directory"]), .expect("CWD a b/c"), .send(["250 Ok"]), .passive,
                .expect("LIST -a"), .send(["150 Here"]), .data(Self.dot + Self.line + "f\r\n"), .endData(reset: false),
                .send(["226 Done"]), .expect("CDUP"), .send(["250 Ok"]), .expect("CDUP"), .send(["200 Ok"]),
                .expect("DELE x"), .send(["250 Ok"]),
            ])
        let session = try session(server)
        #expect(try names(session, try path("a b", "c")) == ["f"])
        try session.removeFile(try path("x"), cancellation)
        #expect(server.outcome() == [])
    }

    // MARK: Times

    @Test func aTimeIsSetByTheFirstCommandThatWorks() throws {
        let server = try ScriptedServer(
            Self.login + Self.pwd + [
                .expect("MDTM 20010909014640 /f"), .send(["500 Not with a time"]),
                .expect("SITE UTIME 20010909014640 /f"), .send(["200 Ok"]),
                .expect("SITE UTIME 20010909014641 /f"), .send(["200 Ok"]),
            ])
        let session = try session(server)
        try session.setModificationTime(try path("f"), to: Timestamp(seconds: 1_000_000_000), cancellation)
        try session.setModificationTime(try path("f"), to: Timestamp(seconds: 1_000_000_001), cancellation)
        #expect(server.outcome() == [])
    }

    @Test func anAnswerThatOnlyTellsTheTimeIsNoSuccess() throws {
        let server = try ScriptedServer(
            Self.login + Self.pwd + [
                .expect("MDTM 20010909014640 /f"), .send(["213 20200101000000"]),
                .expect("SITE UTIME 20010909014640 /f"), .send(["500 What?"]),
            ])
        let session = try session(server)
        #expect(throws: FTPError.self) {
            try session.setModificationTime(try path("f"), to: Timestamp(seconds: 1_000_000_000), cancellation)
        }
        #expect(session.server.known.time == .none)
        #expect(server.outcome() == [])
    }
}
