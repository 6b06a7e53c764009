import EmbeddedFTPServer
import FTPProtocol
import Testing
import Vocabulary

@testable import FTPClient

/// Names that some server takes for something else, and facts that some server keeps to itself.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct NameTests {
    @Test func whereLinksLeadIsTakenFromLISTIfMLSDDoesNotSay() throws {
        let served = try Served(.pureftpd) { tree in
            tree.add("d/f", text: "x")
            tree.addLink("d/link", target: "f")
        }
        let entries = try served.client.list(try remote("d"), cancellation: served.cancellation)
        let link = try #require(entries.first { $0.kind == .symbolicLink })
        #expect(link.linkTarget == Array("f".utf8))
        #expect(served.server.transcript.verbs.suffix(4) == ["EPSV", "MLSD", "EPSV", "LIST"])
    }

    @Test func aDirectoryWithoutLinksIsListedOnce() throws {
        let served = try Served(.pureftpd) { $0.add("d/f", text: "x") }
        _ = try served.names(try remote("d"))
        #expect(served.server.transcript.count(of: "LIST") == 0)
    }

    @Test func aDirectoryWithAnAsteriskIsMadeUnderAnotherName() throws {
        let served = try Served(
            .proftpd, faults: FaultPlan([.nth(1, "MKD", .reply(550, "/a*: Invalid directory name"))]))
        try served.client.makeDirectory(try remote("a*"), cancellation: served.cancellation)
        #expect(try served.names() == ["a*"])
        #expect(served.server.transcript.count(of: "MKD") == 2)
    }

    @Test func aDirectoryWithAnAsteriskThatIsThereIsNotReplaced() throws {
        let served = try Served(.proftpd) { $0.add("a*/f", text: "x") }
        #expect(throws: FTPError.self) {
            try served.client.makeDirectory(try remote("a*"), cancellation: served.cancellation)
        }
        #expect(served.server.transcript.count(of: "RNTO") == 0)
        #expect(try served.names(try remote("a*")) == ["f"])
    }

    @Test func noNameWithABlankAtItsEndIsMadeWhereItWouldBecomeAnother() throws {
        let served = try Served(.pureftpd) { $0.add("old ", text: "x") }
        let isRefused = { (error: any Error) in
            if case .invalidArgument? = error as? FTPError { true } else { false }
        }
        #expect(try served.names() == ["old "])
        #expect(performing: { try served.write([1], to: "old ") }, throws: isRefused)
        #expect(performing: { try served.write([1], to: "new ", .append) }, throws: isRefused)
        #expect(
            performing: { try served.client.makeDirectory(try remote("d "), cancellation: served.cancellation) },
            throws: isRefused)
        #expect(
            performing: {
                try served.client.rename(try remote("old "), to: try remote("d\t"), cancellation: served.cancellation)
            }, throws: isRefused)
        #expect(served.server.transcript.verbs.allSatisfy { !["STOR", "APPE", "MKD", "RNTO"].contains($0) })
    }

    @Test(
        arguments: [
            // What FEAT says; the selection where commands travel together, and where each costs a round trip.
            ("type*;size*;modify*;UNIX.mode*;", nil, nil),
            ("type*;perm*;size*;modify*;unique*;unix.mode;unix.uid;", NameTests.selected, NameTests.selected),
            ("type*;size*;modify*;UNIX.mode*;unique*;", NameTests.selected, nil),
            ("type*;size*;modify*;", nil, nil),
            ("type;", "MLST type;", "MLST type;"),
            ("", nil, nil),
        ] as [(String, String?, String?)])
    func theFactsThatAreUsedAreAskedFor(_ facts: String, _ together: String?, _ alone: String?) {
        var profile = ServerProfile()
        let lines = ["Features", "MLST \(facts)", "End"].map { Array($0.utf8) }
        profile.learn(Features(parsing: Reply(code: 211, lines: lines)))
        #expect(profile.factSelection(exactly: true)?.description == together.map { "OPTS " + $0 })
        #expect(profile.factSelection(exactly: false)?.description == alone.map { "OPTS " + $0 })
    }

    private static let selected = "MLST type;size;modify;unix.mode;"
}
