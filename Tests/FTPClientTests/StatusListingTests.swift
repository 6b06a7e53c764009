import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Listing over the control connection (`Session+StatusListing.swift`).
@Suite("Listing with STAT")
struct StatusListingTests {
    private static let replies = ["213-Status follows:", "drwxr-xr-x 2 0 0 4096 Jan 01 10:00 .", "213 End of status"]

    @Test("one flight lists a directory, without a data connection")
    func oneFlight() throws {
        let served = try Served(.vsftpd) { tree in
            tree.add("d/.hidden", text: "x")
            tree.add("d/f", text: "xy")
        }
        _ = try served.names()
        let mark = served.server.transcript.mark
        #expect(try served.names(try remote("d")).sorted() == [".hidden", "f"])
        let lines = served.lines(since: mark)
        #expect(lines.count == 3 && lines[0] == "STAT -a /d" && lines[2] == "REST 0")
        #expect(lines[1].hasPrefix("REST ") && lines[1].count == 20)
    }

    @Test("servers with MLSD, unknown servers, and pipelining=off are listed over a data connection")
    func onlyWhereKnown() throws {
        var unknown = Dialect.vsftpd
        unknown.says[.greeting] = "220 Hello"
        for (dialect, pipelining) in [
            (Dialect.proftpd, .automatic), (unknown, .automatic), (.vsftpd, ClientConfiguration.Pipelining.off),
        ] {
            let served = try Served(
                dialect, fill: { $0.add("f", text: "x") }, configure: { $0.pipelining = pipelining })
            #expect(try served.names() == ["f"])
            #expect(served.server.transcript.count(of: "STAT") == 0)
        }
    }

    @Test("no such directory, no directory: LIST says what is wrong")
    func errors() throws {
        let served = try Served(.vsftpd) { $0.add("f", text: "x") }
        for name in ["none", "f"] {
            #expect(throws: FTPError.self) { try served.names(try remote(name)) }
        }
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.count(of: "LIST") > 0)
    }

    @Test(
        "a file name that looks like the end of the reply does not speak for the server",
        arguments: [
            "x\n213 End of status", "x\n213 End of status\r\n350 Restart position accepted (1).",
            "x\n213 End of status\r\n350 Restart position accepted (1).\r\n350 Restart position accepted (0).",
        ])
    func injection(_ name: String) throws {
        let served = try Served(.vsftpd) { tree in
            tree.add(ServerPath("d/\(name)".utf8), text: "x")
            tree.add("d/zzz", text: "x")
            tree.add("e/other", text: "x")
        }
        _ = try served.names()
        let names = try served.names(try remote("d"))
        #expect(names.contains("zzz"))
        // The connection that it came on is not used any more, and the next directory is what it is.
        let mark = served.server.transcript.mark
        #expect(try served.names(try remote("e")) == ["other"])
        #expect(served.server.transcript.since(mark).count(of: "STAT") == 0)
    }

    @Test("a mark that comes back as another one costs the connection, and nobody hears of it")
    func wrongMark() throws {
        let greeting = ScriptedServer.Step.send(["220 (vsFTPd)"])
        let login: [ScriptedServer.Step] = [
            greeting, .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"), .send(["230 Welcome"]),
            .expect("FEAT"), .send(["500 What?"]), .expect("TYPE I"), .expect("PWD"), .send(["200 Ok", "257 \"/\""]),
        ]
        let server = try ScriptedServer(
            login + [
                .expect("STAT -a"), .expectVerb("REST"), .expect("REST 0"),
                .send(Self.replies + ["350 Restart position accepted (0)."]),
                .send(["350 Restart position accepted (0)."]),
                .accept, greeting, .expect("USER me"), .expect("PASS secret"), .expect("TYPE I"),
                .send(["331 Password?", "230 Welcome", "200 Ok"]),
                .passive, .expect("LIST -a"), .send(["150 Here"]), .data("-rw-r--r-- 1 0 0 1 Jan 01 10:00 .f\r\n"),
                .data("-rw-r--r-- 1 0 0 1 Jan 01 10:00 f\r\n"), .endData(reset: false), .send(["226 Done"]),
            ])
        let client = Client(
            configuration: ClientConfiguration(
                host: "127.0.0.1", port: server.port, user: Array("me".utf8), password: Secret("secret")))
        defer { client.close() }
        #expect(try client.list(.root, cancellation: Cancellation()).map(\.name.description) == [".f", "f"])
        #expect(server.outcome() == [])
    }

    @Test("a directory that is larger than the limit is cut by the way that can cut it")
    func tooLong() throws {
        let served = try Served(.vsftpd, listingLimit: ClientConfiguration.ListingLimit.small) {
            $0.addMany(200, in: "", size: 1)
        }
        let listing = try served.client.listing(of: .root, cancellation: served.cancellation)
        #expect(!listing.isComplete && !listing.entries.isEmpty)
    }

    @Test("a transfer behind it begins at its start")
    func noRestartIsLeft() throws {
        let served = try Served(.vsftpd, connections: 1) { $0.addPattern("f", size: 100_000) }
        _ = try served.names()
        #expect(try served.readPattern("f") == 100_000)
        #expect(served.server.transcript.verbs.suffix(2) == ["EPSV", "RETR"])
    }
}

extension ClientConfiguration.ListingLimit {
    /// Less than what the tests list.
    fileprivate static var small: Self {
        var limit = Self()
        limit.lines = 50
        return limit
    }
}
