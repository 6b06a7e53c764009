import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Data connections of every kind, by whichever end makes them.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct DataConnectionTests {
    private static let active = Scripted.network { $0.dataMode = .active }
    private static func noWay(_ reason: String) -> FTPError {
        .unsupported("make data connections in a way that the options allow (\(reason))")
    }

    /// The verbs by which data connections are asked for.
    private static let asking: Set<String> = ["EPSV", "PASV", "EPRT", "PORT"]

    private func asked(_ served: Served) -> [String] {
        served.server.transcript.verbs.filter(Self.asking.contains)
    }

    /// Lists, writes and reads a file, and compares the bytes.
    private func exercise(_ served: Served) throws {
        #expect(try served.names().contains("big"))
        let content = Array("hello".utf8)
        try served.write(content, to: "new")
        #expect(served.tree.contents(of: "new") == content)
        #expect(try served.readPattern("big") == 300_000)
        #expect(try served.readPattern("big", from: 299_000) == 1000)
    }

    // MARK: Active

    @Test(arguments: ["127.0.0.1", "::1"], [Dialect.vsftpd, .proftpd, .pureftpd, .iis])
    func `in active mode the server connects, over IPv4 and IPv6`(_ address: String, _ dialect: Dialect) throws {
        let served = try Served(dialect, network: Self.active, address: address) { $0.addPattern("big", size: 300_000) }
        try exercise(served)
        #expect(Set(asked(served)) == ["EPRT"])
    }

    @Test func `where EPRT is refused PORT is used and remembered`() throws {
        let served = try Served(faults: FaultPlan([.every("EPRT", .reply(500, "What?"))]), network: Self.active) {
            $0.addPattern("big", size: 300_000)
        }
        try exercise(served)
        #expect(asked(served).prefix(3) == ["EPRT", "PORT", "PORT"])
        #expect(served.server.transcript.count(of: "EPRT") == 1)
    }

    @Test func `over IPv6 there is no PORT`() throws {
        let served = try Served(
            faults: FaultPlan([.every("EPRT", .reply(500, "What?"))]), network: Self.active, address: "::1")
        #expect(throws: Self.noWay("EPRT: 500 What?")) { try served.names() }
        #expect(asked(served) == ["EPRT"])
    }

    @Test func `an address that is not the client's is announced all the same, and the server's refusal is told`()
        throws
    {
        var network = Self.active
        network.activeAddress = HostAddress("127.0.0.9")
        let served = try Served(network: network)
        #expect(throws: Self.noWay("PORT: 500 Illegal PORT command")) { try served.names() }
        let lines = served.server.transcript.entries.map(\.line).filter { $0.hasPrefix("EPRT") || $0.hasPrefix("PORT") }
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("EPRT |1|127.0.0.9|") == true)
        #expect(lines.last?.hasPrefix("PORT 127,0,0,9,") == true)
    }

    @Test func `who connects from another address is turned away, and the server is waited for`() throws {
        var dialect = Dialect.proftpd
        dialect.quirks.insert(.connectsFromElsewhereToo)
        let served = try Served(dialect, network: Self.active) { $0.addPattern("big", size: 300_000) }
        try exercise(served)
    }

    @Test func `when only strangers come the wait ends at its limit`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .active("EPRT"), .expect("RETR /f"), .connectData(from: "127.0.0.2"), .awaitEnd,
            ])
        let session = try Scripted.session(
            server,
            Scripted.network {
                $0.dataMode = .active
                $0.activeAddress = HostAddress("127.0.0.1")
            }
        ) {
            $0.firstDataConnect = .milliseconds(300)
            $0.recovery = .milliseconds(100)
        }
        #expect(throws: FTPError.connectionLost(.beforeCommand, reason: "no data connection could be made")) {
            try Scripted.read(session)
        }
        #expect(session.server.known.dataMethods.standing(of: .extendedActive) == .failed)
    }

    @Test func `a server that connects only after its first reply is waited for`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .active("EPRT"), .expect("RETR /f"), .send(["150 Soon"]), .connectData(from: "127.0.0.1"),
                .data("abc"), .endData(reset: false), .send(["226 Done"]),
            ])
        #expect(try Scripted.read(try Scripted.session(server, Self.active)) == "abc")
        #expect(server.outcome() == [])
    }

    @Test func `a server that confirms an empty listing without connecting is believed`() throws {
        let server = try ScriptedServer(
            Scripted.login + [
                .active("EPRT"), .expect("LIST -a"), .send(["150 Here", "226 Nothing"]), .active("EPRT"),
                .expect("LIST"), .send(["226 Nothing"]),
            ])
        let session = try Scripted.session(server, Self.active) { $0.firstDataConnect = .seconds(2) }
        #expect(try session.list(.root, Cancellation()).entries == [])
        #expect(server.outcome() == [])
    }

    @Test func `an upload that is confirmed without a data connection is not one`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .active("PORT"), .expect("STOR /f"), .send(["150 Here", "226 Done"]),
            ])
        var network = Self.active
        network.usesExtendedActive = false
        let session = try Scripted.session(server, network) { $0.dataConnect = .milliseconds(100) }
        #expect(throws: FTPError.self) { try session.openWrite(try remote("f"), .replace, Cancellation()) }
    }

    @Test func `a 425 of a server that could not connect leads to the next way`() throws {
        let served = try Served(
            faults: FaultPlan([.every("EPRT", .reply(200, "Ok"))]), network: Self.active
        ) { $0.addPattern("big", size: 300_000) }
        // The port of EPRT was not noted by the server, which therefore has none.
        try exercise(served)
        #expect(Set(asked(served)) == ["EPRT", "PORT"])
    }

    // MARK: The order

    @Test func `where no passive way is known the server is asked to connect, if that is allowed`() throws {
        let faults = FaultPlan([.every("EPSV", .reply(500, "No")), .every("PASV", .reply(502, "No"))])
        let automatic = try Served(faults: faults) { $0.addPattern("big", size: 300_000) }
        try exercise(automatic)
        #expect(asked(automatic).prefix(4) == ["EPSV", "PASV", "EPRT", "EPRT"])

        let passive = try Served(faults: faults, network: Scripted.network { $0.dataMode = .passive })
        #expect(throws: Self.noWay("PASV: 502 No")) { try passive.names() }
        #expect(asked(passive) == ["EPSV", "PASV"])
    }

    @Test func `where the passive ports are closed the server is asked to connect`() throws {
        let served = try Served(
            faults: FaultPlan([.every("EPSV", .refuseDataConnection), .every("PASV", .refuseDataConnection)])
        ) { $0.addPattern("big", size: 300_000) }
        try exercise(served)
        #expect(asked(served).prefix(4) == ["EPSV", "PASV", "EPRT", "EPRT"])
    }

    @Test func `a port of a proven way that refuses is tried once more before another way`() throws {
        let served = try Served(faults: FaultPlan([.nth(2, "EPSV", .refuseDataConnection)])) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
        #expect(try served.names() == ["f"])
        #expect(asked(served) == ["EPSV", "EPSV", "EPSV"])
    }

    @Test(arguments: [UInt16(425), 450])
    func `a server that has no port free just now is asked again`(_ code: UInt16) throws {
        let served = try Served(faults: FaultPlan([.nth(1, "EPSV", .reply(code, "No port"))])) {
            $0.add("f", text: "x")
        }
        #expect(try served.names() == ["f"])
        #expect(asked(served) == ["EPSV", "EPSV"])
    }

    @Test func `EPSV is left out where it is not wanted`() throws {
        let served = try Served(network: Scripted.network { $0.usesExtendedPassive = false }) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
        #expect(asked(served) == ["PASV"])
    }

    // MARK: Passive

    @Test func `over IPv6 there is only EPSV`() throws {
        let served = try Served(address: "::1") { $0.addPattern("big", size: 300_000) }
        try exercise(served)
        #expect(Set(asked(served)) == ["EPSV"])
        let refusing = try Served(
            faults: FaultPlan([.every("EPSV", .reply(500, "No"))]),
            network: Scripted.network { $0.dataMode = .passive }, address: "::1")
        #expect(throws: FTPError.self) { try refusing.names() }
        #expect(asked(refusing) == ["EPSV"])
    }

    @Test(arguments: [
        "229 (|||25|)", "229 (|||1023|)", "229 (|||0|)", "229 (|||65536|)", "229 Ok", "229 (|||banana|)", "229 ()",
        "200 (|||4711", "227 (127,0,0,1,200,1)",
    ])
    func `a port that cannot be one leads to the next way`(_ reply: String) throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .expect("EPSV"), .send([reply]), .foreignPassive, .expect("RETR /f"), .send(["150 Here"]), .data("a"),
                .endData(reset: false), .send(["226 Done"]),
            ])
        #expect(try Scripted.read(try Scripted.session(server)) == "a")
        #expect(server.outcome() == [])
    }

    @Test func `the server's own address counts when that is wished`() throws {
        let network = Scripted.network { $0.passiveHost = .server }
        let end: [ScriptedServer.Step] = [
            .expect("RETR /f"), .send(["150 Here"]), .data("a"), .endData(reset: false), .send(["226 Done"]),
        ]
        let elsewhere = try ScriptedServer(
            Scripted.login + Scripted.binary + [.classicPassive(named: "127,0,0,2", at: "127.0.0.2")] + end)
        #expect(try Scripted.read(try Scripted.session(elsewhere, network)) == "a")
        #expect(elsewhere.outcome() == [])

        for nonsense in ["0,0,0,0", "255,255,255,255", "224,0,0,1"] {
            let server = try ScriptedServer(
                Scripted.login + Scripted.binary + [.classicPassive(named: nonsense, at: "127.0.0.1")] + end)
            #expect(try Scripted.read(try Scripted.session(server, network)) == "a")
            #expect(server.outcome() == [])
        }
    }

    @Test func `where the address of a 227 leads nowhere EPSV is used`() throws {
        let served = try Served(
            faults: FaultPlan([.every("PASV", .wrongPassiveAddress)]),
            timeouts: .with { $0.firstDataConnect = .milliseconds(200) },
            network: Scripted.network { $0.passiveHost = .server }
        ) { $0.addPattern("big", size: 300_000) }
        try exercise(served)
        #expect(asked(served).prefix(3) == ["PASV", "EPSV", "EPSV"])
        #expect(served.server.transcript.count(of: "PASV") == 1)
    }

    @Test(arguments: [["PRET"], []])
    func `PRET names the transfer where the server wants it, announced or not`(_ features: [String]) throws {
        var dialect = Dialect.proftpd
        dialect.quirks.insert(.wantsPreTransfer)
        dialect.features += features
        let served = try Served(dialect) { $0.addPattern("big", size: 300_000) }
        try exercise(served)
        let lines = served.server.transcript.entries.map(\.line)
        let transfers = lines.filter { line in ["MLSD", "STOR", "RETR"].contains { line.hasPrefix($0) } }
        #expect(lines.filter { $0.hasPrefix("PRET") } == transfers.map { "PRET \($0)" })
        #expect(served.server.transcript.count(of: "PASV") == 0)
    }

    @Test func `a file that PRET does not find is not there`() throws {
        let server = try ScriptedServer(
            Scripted.login + Scripted.binary + [
                .expect("EPSV"), .send(["503 Use PRET first"]), .expect("PRET RETR /f"), .send(["550 No such file"]),
            ])
        #expect(throws: FTPError.refused(verb: "RETR", Reply(code: 550, lines: [Array("No such file".utf8)]))) {
            try Scripted.read(try Scripted.session(server))
        }
        #expect(server.outcome() == [])
    }

    // MARK: Addresses

    @Test func `only the wanted kind of address is used`() throws {
        for (address, wrong) in [("127.0.0.1", NetworkSettings.Family.ipv6), ("::1", .ipv4)] {
            let served = try Served(network: Scripted.network { $0.family = wrong }, address: address)
            let error = #expect(throws: FTPError.self) { try served.names() }
            guard case .unknownHost(address, _)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let four = try Served(network: Scripted.network { $0.family = .ipv4 }, host: "localhost") {
            $0.add("f", text: "")
        }
        #expect(try four.names() == ["f"])
    }
}
