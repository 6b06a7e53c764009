import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What one listing shows of a server's habits counts for the next ones.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ListingStyleTests {
    private typealias Step = ScriptedServer.Step
    private let cancellation = Cancellation()

    private static func listing(_ data: String) -> [Step] {
        [.passive, .expect("LIST"), .send(["150 Here"]), .data(data), .endData(reset: false), .send(["226 Done"])]
    }

    /// A session with a server that is known to have nothing but `LIST`, whose base directory is listed with each of these.
    private func session(_ listings: String...) throws -> (Session, ScriptedServer) {
        let server = try ScriptedServer(
            [
                .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
                .send(["230 Welcome"]), .expect("FEAT"), .send(["500 What?"]),
            ] + listings.flatMap(Self.listing))
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret"))
        configuration.timeZone = .fixed(0)
        let session = try Session.establish(SharedServer(configuration), id: 1, cancellation)
        session.server.learn {
            $0.listings.demote(.machine)
            $0.listings.demote(.listAll)
        }
        return (session, server)
    }

    @Test func theOrderOfTheNumbersInDatesIsRemembered() throws {
        // Given a directory in which a date shows that days come first, and one in which none does,
        let (session, server) = try session("20-05-97  03:31PM  5 a\r\n", "05-06-97  03:31PM  5 b\r\n")

        // when both are listed, then the second is read like the first.
        let first = try session.list(.root, cancellation).entries
        let second = try session.list(.root, cancellation).entries
        #expect(first.map(\.modified) == [CivilTime(year: 1997, month: 5, day: 20, hour: 15, minute: 31)?.timestamp])
        #expect(second.map(\.modified) == [CivilTime(year: 1997, month: 6, day: 5, hour: 15, minute: 31)?.timestamp])
        #expect(session.server.known.listings.style == ListingStyle(format: .dos, dateOrder: .dayMonthYear))
        #expect(server.outcome() == [])
    }

    @Test func aServerOfVMSIsListed() throws {
        let (session, server) = try session(
            """
            Directory DKA0:[PUB]\r
            \r
            A.TXT;2       9/12   2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,R)\r
            A.TXT;1       9/12   1-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,R)\r
            SUB.DIR;1     1/3    2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWE,RWE,RE,RE)\r
            \r
            Total of 3 files, 19 blocks.\r

            """)
        let entries = try session.list(.root, cancellation).entries
        #expect(entries.map(\.name.description) == ["A.TXT", "SUB"])
        #expect(entries.map(\.kind) == [.file, .directory])
        #expect(entries.map(\.mode) == [0o754, 0o755])
        #expect(server.outcome() == [])
    }
}
