import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Servers that hang up: on a login, on each command of a kind, at the end of a file.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct HangUpTests {
    /// With what a connection is lost in the login.
    static let moments: [FaultPlan.Moment] = [.beforeDoing, .beforeReply]

    @Test(arguments: [FaultPlan.greeting, "USER", "PASS"], moments)
    func `a login that is dropped once is made again`(_ verb: String, _ moment: FaultPlan.Moment) throws {
        let served = try Served(faults: FaultPlan([.nth(1, verb, .dropControl(moment))])) {
            $0.addPattern("file", size: 10)
        }
        #expect(try served.names() == ["file"])
    }

    @Test(arguments: ["STOR", "DELE", "MLSD"])
    func `a server that hangs up on a command each time gets it three times`(_ verb: String) throws {
        let served = try Served(.proftpd, connections: 8) { $0.addPattern("file", size: 10) }
        _ = try served.names()
        let mark = served.server.transcript.mark
        served.server.setFaults(FaultPlan([.every(verb, .closeAfter421)]))

        #expect(throws: FTPError.self) {
            switch verb {
            case "STOR": try served.write([1, 2, 3], to: "new")
            case "DELE": try served.client.removeFile(try remote("file"), cancellation: served.cancellation)
            default: _ = try served.names()
            }
        }

        // The idle connection may have died by itself; a new one may have by chance; two have not.
        let commands = served.server.transcript.since(mark)
        #expect(commands.verbs.count { $0 == verb } == 3, "\(commands)")
    }

    @Test func `idle connections that are dead are no attempts`() throws {
        let served = try Served(.proftpd, connections: 4) { $0.addPattern("file", size: 10) }
        // Four that are idle, and that the server has ended without a word.
        let sessions = try (0..<4).map { _ in try served.client.pool.lease(for: .writing, served.cancellation) }
        for session in sessions { served.client.pool.release(session) }
        served.server.dropAllConnections()
        try served.write([1, 2, 3], to: "new")
        #expect(served.tree.contents(of: "new") == [1, 2, 3])
    }

    @Test func `a stream that has all its bytes gives its connection up without breaking anything off`() throws {
        let served = try Served(.proftpd, connections: 1) { tree in
            tree.addPattern("small", size: 100)
            tree.addPattern("other", size: 100)
        }
        _ = try served.names()
        let mark = served.server.transcript.mark
        let reader = try served.reader("small")
        var count = 0
        while count < 100 { count += try served.readSome(reader, at: Int64(count)) }

        // The only connection is wanted for something else, before the reader has asked for the end.
        #expect(try served.names().sorted() == ["other", "small"])

        #expect(try served.readSome(reader, at: 100) == 0)
        let verbs = served.server.transcript.since(mark).verbs
        #expect(verbs.count { $0 == "RETR" } == 1, "\(verbs)")
        #expect(!verbs.contains("ABOR"), "\(verbs)")
    }
}
