import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What odd servers do with listings, and what the client makes of it: each test is one script of a server.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ListingQuirkTests {
    private typealias Step = ScriptedServer.Step
    private let cancellation = Cancellation()

    private static let line = "-rw-r--r-- 1 a b 5 Jan  1  2020 "
    private static let dot = "drwxr-xr-x 2 a b 0 Jan  1  2020 .\r\n"
    private static let fact = "type=file;size=5;modify=20200101000000; "
    private static let pwd: [Step] = [.expect("PWD"), .send(["257 \"/\""])]

    /// A login to a server that announces these.
    private static func login(features: [String] = []) -> [Step] {
        let feat = features.isEmpty ? ["500 What?"] : ["211-Features"] + features.map { " " + $0 } + ["211 End"]
        return [
            .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
            .send(["230 Welcome"]), .expect("FEAT"), .send(feat),
        ]
    }

    /// A listing command that brings these data.
    private static func listing(_ command: String, _ data: String, last: String = "226 Done") -> [Step] {
        var steps: [Step] = [.passive, .expect(command), .send(["150 Here"])]
        if !data.isEmpty { steps.append(.data(data)) }
        return steps + [.endData(reset: false), .send([last])]
    }

    /// A listing command that is refused.
    private static func refusal(_ command: String, _ line: String) -> [Step] {
        [.passive, .expect(command), .send([line])]
    }

    private func session(_ server: ScriptedServer) throws(FTPError) -> Session {
        let configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        return try Session.establish(SharedServer(configuration), id: 1, cancellation)
    }

    private func names(_ session: Session, _ path: RemotePath = .root) throws -> [String] {
        try session.list(path, cancellation).entries.map(\.name.description)
    }

    // MARK: MLSD

    @Test(arguments: [
        "500 What?", "501 Syntax", "502 Not implemented", "504 Not with that", "550 Permission denied.", "550 No.",
        "553 Not allowed", "202 Superfluous",
    ])
    func anMLSDThatIsAnnouncedAndRefusedIsNotUsedAgain(_ answer: String) throws {
        let isVague = answer.hasPrefix("55")
        let trial = isVague ? Self.listing("LIST", Self.line + "f\r\n") : []
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;", "MLSD"]) + Self.refusal("MLSD", answer) + trial
                + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n")
                + Self.listing("LIST -a", Self.dot + Self.line + "g\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["f"])
        #expect(try names(session) == ["g"])
        #expect(server.outcome() == [])
    }

    @Test func anMLSDThatWorkedIsRefusedForTheDirectorysSake() throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;"]) + Self.listing("MLSD", Self.fact + "f\r\n") + Self.pwd
                + Self.refusal("MLSD /d", "550 No.") + Self.listing("MLSD", Self.fact + "f\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["f"])
        #expect(throws: FTPError.self) { try names(session, try remote("d")) }
        #expect(try names(session) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test func anMLSDWithoutFactsIsNotUsedAgain() throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;"]) + Self.listing("MLSD", Self.line + "f\r\n")
                + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n"))
        #expect(try names(try session(server)) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test func anMLSDThatDoesNotTellDirectoriesFromFilesIsNotUsed() throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST size*;modify*;"]) + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n"))
        #expect(try names(try session(server)) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test(arguments: ["550 No files found", "550 No members found.", "450 No files found", "550 Directory is empty"])
    func anEmptyDirectoryThatMLSDRefusesIsEmptyIfItCanBeEntered(_ answer: String) throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;"]) + Self.listing("MLSD", Self.fact + "f\r\n") + Self.pwd
                + Self.refusal("MLSD /d", answer) + [.expect("CWD /d"), .send(["250 Ok"])]
                + Self.refusal("MLSD", answer) + [.expect("CWD /e"), .send(["250 Ok"])])
        let session = try session(server)
        _ = try names(session)
        #expect(try names(session, try remote("d")) == [])
        // From within nothing need be made sure.
        #expect(try names(session, try remote("d")) == [])
        try session.changeDirectory(to: try remote("e"), cancellation)
        #expect(server.outcome() == [])
    }

    // MARK: LIST -a

    @Test func anOptionThatHidesWhatPlainListShowsIsNotUsed() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.line + "a\r\n")
                + Self.listing("LIST", Self.line + "a\r\n" + Self.line + "b\r\n")
                + Self.listing("LIST -a", Self.line + "a\r\n") + Self.listing("LIST", Self.line + "c\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["a", "b"])
        #expect(try names(session) == ["c"])
        #expect(server.outcome() == [])
    }

    @Test func anOptionThatShowsAtLeastAsMuchIsComparedOnce() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.line + "a\r\n" + Self.line + "b\r\n")
                + Self.listing("LIST", Self.line + "b\r\n") + Self.listing("LIST -a", Self.line + "c\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["a", "b"])
        #expect(try names(session) == ["c"])
        #expect(server.outcome() == [])
    }

    @Test func whatWasMadeMeanwhileIsNoLie() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.line + "a\r\n")
                + Self.listing("LIST", Self.line + "a\r\n" + Self.line + "new\r\n")
                + Self.listing("LIST -a", Self.line + "a\r\n" + Self.line + "new\r\n")
                + Self.listing("LIST -a", Self.line + "c\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["a", "new"])
        #expect(try names(session) == ["c"])
        #expect(server.outcome() == [])
    }

    @Test func anOptionTakenForANameIsNotUsed() throws {
        let server = try ScriptedServer(
            Self.login() + Self.refusal("LIST -a", "550 -a: No such file") + Self.listing("LIST", Self.line + "f\r\n")
                + Self.listing("LIST", Self.line + "g\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["f"])
        #expect(try names(session) == ["g"])
        #expect(server.outcome() == [])
    }

    // MARK: Empty or not there

    @Test func anEmptyDirectoryThatEndsByResetAndIsCalledAFailureIsEmptyIfItCanBeEntered() throws {
        let reset: [Step] = [
            .passive, .expect("LIST -a /d"), .send(["150 Here"]), .endData(reset: true), .send(["426 Aborted"]),
        ]
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n") + Self.pwd
                + reset + reset + [.expect("CWD /d"), .send(["250 Ok"])])
        let session = try session(server)
        _ = try names(session)
        #expect(try names(session, try remote("d")) == [])
        #expect(server.outcome() == [])
    }

    @Test func aListingThatIsResetOnceIsMadeAgain() throws {
        let server = try ScriptedServer(
            Self.login() + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .endData(reset: true), .send(["426 No"]),
            ]
                + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n"))
        #expect(try names(try session(server)) == ["f"])
        #expect(server.outcome() == [])
    }

    private static func reset(_ lines: String) -> [Step] {
        [.passive, .expect("LIST -a"), .send(["150 Here"]), .data(lines), .endData(reset: true), .send(["226 Done"])]
    }

    @Test func aListingThatIsResetAndConfirmedIsMadeOnceMore() throws {
        let whole = Self.dot + Self.line + "f\r\n" + Self.line + "g\r\n"
        // It was the network: the second is whole, also for the next one.
        let server = try ScriptedServer(
            Self.login() + Self.reset(Self.dot + Self.line + "f\r\n") + Self.listing("LIST -a", whole)
                + Self.listing("LIST -a", whole))
        let session = try session(server)
        #expect(try names(session) == ["f", "g"])
        #expect(try names(session) == ["f", "g"])
        #expect(server.outcome() == [])
    }

    @Test func aServerThatEndsEveryListingByAResetIsUnderstood() throws {
        let whole = Self.dot + Self.line + "f\r\n"
        let server = try ScriptedServer(Self.login() + Self.reset(whole) + Self.reset(whole) + Self.reset(whole))
        let session = try session(server)
        #expect(try names(session) == ["f"])
        #expect(try names(session) == ["f"])
        #expect(server.outcome() == [])
    }

    @Test func aListingThatIsCutTwiceInDifferentPlacesIsNotTakenForWhole() throws {
        let server = try ScriptedServer(
            Self.login() + Self.reset(Self.dot + Self.line + "f\r\n" + Self.line + "hal")
                + Self.reset(Self.dot + Self.line + "f\r\n") + Self.listing("LIST", Self.line + "f\r\n"))
        let listing = try session(server).list(.root, cancellation)
        #expect(listing.entries.map(\.name.description) == ["f"])
        #expect(!listing.isComplete)
    }

    @Test func aListingThatIsResetInTheMiddleFails() throws {
        let server = try ScriptedServer(
            Self.login() + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .data(Self.line + "f\r\n"), .endData(reset: true),
                .send(["426 No"]),
            ])
        let session = try session(server)
        #expect(throws: FTPError.self) { try names(session) }
        #expect(server.outcome() == [])
    }

    @Test(arguments: [true, false])
    func anEmptyAnswerIsCheckedOnlyIfTheDirectoryIsNotKnown(_ checking: Bool) throws {
        let cwd: [Step] = checking ? [.expect("CWD /d"), .send(["550 No such directory"])] : []
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n") + Self.pwd
                + Self.listing("LIST -a /d", "") + cwd + [.expect("NOOP"), .send(["200 Ok"])])
        let session = try session(server)
        _ = try names(session)
        if checking {
            #expect(throws: FTPError.self) { try session.list(try remote("d"), cancellation) }
        } else {
            #expect(try session.list(try remote("d"), checking: false, cancellation).entries == [])
        }
        _ = try session.exchange(Command("NOOP"), cancellation)
        #expect(server.outcome() == [])
    }

    // MARK: What is listed as itself

    @Test func aLinkThatCannotBeEnteredIsListedWithASlash() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n") + Self.pwd
                + Self.listing("LIST -a /l", "lrwxrwxrwx 1 a b 1 Jan  1  2020 l -> d\r\n")
                + [.expect("CWD /l"), .send(["550 Not a directory"])]
                + Self.listing("LIST -a /l/", Self.line + "inner\r\n"))
        let session = try session(server)
        _ = try names(session)
        #expect(try names(session, try remote("l")) == ["inner"])
        #expect(server.outcome() == [])
    }

    @Test func aFileThatCanBeEnteredIsNoDirectory() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "f\r\n") + Self.pwd
                + Self.listing("LIST -a /f", Self.line + "f\r\n") + [.expect("CWD /f"), .send(["250 Ok"])]
                + Self.listing("LIST -a", Self.line + "f\r\n")
                + [.expect("TYPE I"), .send(["200 Ok"]), .expect("SIZE /f"), .send(["213 5"])])
        let session = try session(server)
        _ = try names(session)
        #expect(throws: FTPError.self) { try names(session, try remote("f")) }
        #expect(server.outcome() == [])
    }

    @Test func aDirectoryThatHoldsAFileOfItsOwnNameIsOne() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "x\r\n") + Self.pwd
                + Self.listing("LIST -a /d/f", Self.line + "f\r\n") + [.expect("CWD /d/f"), .send(["250 Ok"])]
                + Self.listing("LIST -a", Self.line + "f\r\n")
                + [.expect("TYPE I"), .send(["200 Ok"]), .expect("SIZE /d/f"), .send(["550 Not a file"])])
        let session = try session(server)
        _ = try names(session)
        #expect(try names(session, try remote("d/f")) == ["f"])
        #expect(server.outcome() == [])
    }

    // MARK: The argument

    @Test func aDirectoryWithAnEntryOfItsOwnNameCostsOneComparison() throws {
        let inner = Self.dot + "drwxr-xr-x 1 a b 5 Jan  1  2020 pkg\r\n" + Self.line + "setup\r\n"
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + "drwxr-xr-x 1 a b 5 Jan  1  2020 pkg\r\n") + Self.pwd
                + Self.listing("LIST -a /pkg", inner) + [.expect("CWD /pkg"), .send(["250 Ok"])]
                + Self.listing("LIST -a", inner)
                // Settled: the path counts.
                + Self.listing("LIST -a /pkg/pkg", Self.dot + Self.line + "code\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["pkg"])
        #expect(try names(session, try remote("pkg")) == ["pkg", "setup"])
        #expect(try names(session, try remote("pkg/pkg")) == ["code"])
        #expect(server.outcome() == [])
    }

    @Test func anIgnoredArgumentIsFoundOutAlsoWhenTheBaseHasChangedMeanwhile() throws {
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + "drwxr-xr-x 1 a b 5 Jan  1  2020 d\r\n") + Self.pwd
                + Self.listing(
                    "LIST -a /d", Self.dot + "drwxr-xr-x 1 a b 5 Jan  1  2020 d\r\n" + Self.line + "new\r\n")
                + [.expect("CWD /d"), .send(["250 Ok"])] + Self.listing("LIST -a", Self.dot + Self.line + "inner\r\n")
                + [.expect("CWD /e"), .send(["250 Ok"])] + Self.listing("LIST -a", Self.dot + Self.line + "other\r\n"))
        let session = try session(server)
        #expect(try names(session) == ["d"])
        #expect(try names(session, try remote("d")) == ["inner"])
        #expect(try names(session, try remote("e")) == ["other"])
        #expect(server.outcome() == [])
    }

    // MARK: Types and lines

    @Test(arguments: ["504 LIST in ASCII only", "550 Please use TYPE A"])
    func aServerThatListsInASCIIOnlyGetsIt(_ answer: String) throws {
        let binary: [Step] = [.expect("TYPE I"), .send(["200 Ok"])]
        let ascii: [Step] = [.expect("TYPE A"), .send(["200 Ok"])]
        let server = try ScriptedServer(
            Self.login() + binary + Self.refusal("LIST -a", answer) + ascii
                + Self.listing("LIST -a", Self.dot + Self.line + "f\n") + binary + ascii
                // Remembered.
                + Self.listing("LIST -a", Self.dot + Self.line + "g\r\n"))
        let session = try session(server)
        try session.useImageType(cancellation)
        #expect(try names(session) == ["f"])
        try session.useImageType(cancellation)
        #expect(try names(session) == ["g"])
        #expect(server.outcome() == [])
    }

    @Test func aBadLineFailsNothingAndOfTwoEqualNamesTheFirstCounts() throws {
        let server = try ScriptedServer(
            Self.login()
                + Self.listing(
                    "LIST -a",
                    Self.dot + "\u{1}garbage\r\n" + Self.line + "f\r\n-rw-r--r-- 1 a b 99 Jan  1  2020 f\r\n"
                        + "-rw-r--r-- 1 a b 1 Jan  1  2020 F\r\n"))
        let entries = try session(server).list(.root, cancellation).entries
        #expect(entries.map(\.name.description) == ["f", "F"])
        #expect(entries.map(\.size) == [5, 1])
        #expect(server.outcome() == [])
    }

    @Test func anArrowInANameIsPartOfItUnlessItIsALink() throws {
        let server = try ScriptedServer(
            Self.login()
                + Self.listing(
                    "LIST -a",
                    Self.dot + Self.line + "a -> b\r\nlrwxrwxrwx 1 a b 1 Jan  1  2020 l -> t -> u\r\n"))
        let entries = try session(server).list(.root, cancellation).entries
        #expect(entries.map(\.name.description) == ["a -> b", "l"])
        #expect(entries.map(\.linkTarget) == [nil, Array("t -> u".utf8)])
        #expect(server.outcome() == [])
    }

    // MARK: Links

    @Test func whatMLSDDoesNotSayOfLinksIsTakenFromLIST() throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;"])
                + Self.listing(
                    "MLSD",
                    "type=OS.unix=symlink;modify=20200101000000; a\r\ntype=OS.unix=slink:/t;d; b\r\n"
                        + "type=OS.unix=slink:; c\r\n")
                + Self.listing(
                    "LIST -a",
                    "lrwxrwxrwx 1 a b 1 Jan  1  2020 a -> x\r\nlrwxrwxrwx 1 a b 1 Jan  1  2020 b -> no\r\n"
                        + "lrwxrwxrwx 1 a b 1 Jan  1  2020 c -> y\r\nlrwxrwxrwx 1 a b 1 Jan  1  2020 lost -> z\r\n"))
        let entries = try session(server).list(.root, cancellation).entries
        #expect(entries.map(\.name.description) == ["a", "b", "c", "lost"])
        #expect(entries.map { String(decoding: $0.linkTarget ?? [], as: UTF8.self) } == ["x", "/t;d", "y", "z"])
        #expect(server.outcome() == [])
    }

    @Test func linksAreFollowedByTheListingOrByTrial() throws {
        let link = "lrwxrwxrwx 1 a b 1 Jan  1  2020 "
        let server = try ScriptedServer(
            Self.login()
                + Self.listing(
                    "LIST -a",
                    Self.dot + Self.line + "f\r\n" + link + "here -> f\r\n" + link + "twice -> here\r\n" + link
                        + "file -> ../x\r\n" + link + "directory -> /d\r\n" + link + "nowhere -> none/none\r\n" + link
                        + "loop -> loop\r\n")
                + [
                    .expect("TYPE I"), .send(["200 Ok"]),
                ] + Self.pwd + [
                    .expect("SIZE /file"), .send(["213 7"]), .expect("MDTM /file"), .send(["213 20200101000000"]),
                    .expect("SIZE /directory"), .send(["550 Not a file"]), .expect("CWD /directory"),
                    .send(["250 Ok"]), .expect("SIZE /nowhere"), .send(["550 No"]), .expect("CWD /nowhere"),
                    .send(["550 No"]), .expect("SIZE /loop"), .send(["550 No"]), .expect("CWD /loop"),
                    .send(["550 Too many levels of symbolic links"]),
                ])
        let session = try session(server)
        let listed = try session.list(.root, cancellation).entries
        let entries = try session.following(listed, in: .root, cancellation)
        #expect(
            entries.map(\.kind) == [.file, .file, .file, .file, .directory, .symbolicLink, .symbolicLink])
        #expect(entries.map(\.size) == [5, 5, 5, 7, nil, nil, nil])
        #expect(entries.map(\.name.description) == listed.map(\.name.description))
        #expect(server.outcome() == [])
    }

    // MARK: Cut short

    @Test func aTruncatedListingIsCompletedInTheOtherWay() throws {
        let server = try ScriptedServer(
            Self.login(features: ["MLST type*;size*;modify*;"])
                + Self.listing("MLSD", Self.fact + "a\r\n", last: "226 Output truncated to 1 matches")
                + Self.listing("LIST -a", Self.dot + Self.line + "a\r\n" + Self.line + "b\r\n"))
        let listing = try session(server).list(.root, cancellation)
        #expect(listing.entries.map(\.name.description) == ["a", "b"])
        #expect(listing.isComplete)
        #expect(server.outcome() == [])
    }

    @Test func whereTheOtherWayIsTruncatedTooItIsNotAskedAgainAndNamesAreTried() throws {
        let cut = "226 Output truncated to 1 matches"
        let server = try ScriptedServer(
            Self.login() + Self.listing("LIST -a", Self.dot + Self.line + "a\r\n", last: cut)
                + Self.listing("LIST", Self.line + "a\r\n", last: cut)
                + Self.listing("LIST -a", Self.dot + Self.line + "a\r\n", last: cut)
                + [.expect("TYPE I"), .send(["200 Ok"])] + Self.pwd
                + [
                    .expect("SIZE /b"), .send(["213 9"]), .expect("MDTM /b"), .send(["213 20200102030405"]),
                ] + Self.listing("LIST -a", Self.dot + Self.line + "a\r\n", last: cut)
                + [
                    .expect("SIZE /none"), .send(["550 No"]), .expect("CWD /none"), .send(["550 No"]),
                ])
        let session = try session(server)
        let listing = try session.list(.root, cancellation)
        #expect(listing.entries.map(\.name.description) == ["a"])
        #expect(!listing.isComplete)
        let found = try session.status(of: try remote("b"), cancellation)
        #expect(found?.kind == .file && found?.size == 9)
        #expect(try session.status(of: try remote("none"), cancellation) == nil)
        #expect(server.outcome() == [])
    }
}
