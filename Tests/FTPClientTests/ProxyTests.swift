import EmbeddedFTPServer
import FTPProtocol
import TestSupport
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Control and data connections through proxies.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ProxyTests {
    /// A name that only the proxy knows.
    private static let name = "files.test"

    private func network(_ proxy: TestProxy, user: String? = nil, password: String = "") -> NetworkSettings {
        var network = NetworkSettings()
        network.proxy = Proxy(
            proxy.kind == .http ? .http : .socks5, host: "127.0.0.1", port: proxy.port,
            user: user.map { Array($0.utf8) }, password: user == nil ? nil : Secret(password))
        return network
    }

    @Test(arguments: TestProxy.Kind.allCases, [nil, "me:p@ss:word"])
    func `everything goes through the proxy, which alone knows the server's name`(
        _ kind: TestProxy.Kind, _ login: String?
    ) throws {
        let proxy = try TestProxy(kind, login: login, names: ["\(Self.name)=127.0.0.1"])
        let served = try Served(
            network: network(proxy, user: login.map { _ in "me" }, password: "p@ss:word"), host: Self.name
        ) { $0.addPattern("big", size: 3_000_000) }
        #expect(try served.names() == ["big"])
        #expect(try served.readPattern("big") == 3_000_000)
        #expect(try served.readPattern("big", from: 2_999_000) == 1000)
        let content = [UInt8](repeating: 7, count: 1_000_000)
        try served.write(content, to: "new")
        #expect(served.tree.contents(of: "new") == content)
        let asked = proxy.connections
        #expect(asked.first == "\(Self.name) \(served.server.port)")
        #expect(asked.count >= 5)
        #expect(asked.allSatisfy { $0.hasPrefix("\(Self.name) ") })
        #expect(served.server.transcript.verbs.allSatisfy { !["PASV", "EPRT", "PORT"].contains($0) })
    }

    @Test(arguments: TestProxy.Kind.allCases)
    func `addresses in figures go to the proxy as such`(_ kind: TestProxy.Kind) throws {
        for address in ["127.0.0.1", "::1"] {
            let proxy = try TestProxy(kind)
            let served = try Served(network: network(proxy), address: address) { $0.add("f", text: "") }
            #expect(try served.names() == ["f"])
            #expect(proxy.connections.count == 2)
            if address == "127.0.0.1" { #expect(proxy.connections.allSatisfy { $0.hasPrefix("127.0.0.1 ") }) }
        }
    }

    @Test(arguments: TestProxy.Kind.allCases)
    func `a greeting that comes together with the proxy's last word is not lost`(_ kind: TestProxy.Kind) throws {
        let server = try ScriptedServer(Scripted.login)
        let proxy = try TestProxy(kind, firstPort: server.port)
        #expect(try Scripted.session(server, network(proxy)).condition == .usable)
        #expect(server.outcome() == [])
    }

    @Test(arguments: TestProxy.Kind.allCases)
    func `a data port that the proxy cannot reach leads to the next way, and active mode is none`(
        _ kind: TestProxy.Kind
    ) throws {
        let proxy = try TestProxy(kind)
        let served = try Served(
            faults: FaultPlan([.every("EPSV", .refuseDataConnection)]), network: network(proxy)
        ) { $0.add("f", text: "") }
        #expect(try served.names() == ["f"])
        #expect(served.server.transcript.count(of: "PASV") == 1)

        let closed = try Served(
            faults: FaultPlan([.every("EPSV", .refuseDataConnection), .every("PASV", .refuseDataConnection)]),
            network: network(proxy))
        let error = #expect(throws: FTPError.self) { try closed.names() }
        guard case .proxyFailed? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(closed.server.transcript.verbs.allSatisfy { !["EPRT", "PORT"].contains($0) })
    }

    @Test(
        arguments: [
            (.http, "forbidden", "the proxy 127.0.0.1 does not make the connection: 403 Filtered"),
            (.http, "endless", "is not an HTTP proxy (it said \"HTTP/1.1 200 OK"),
            (.http, "not-a-proxy", "is not an HTTP proxy (it said \"2\")"),
            (.http, "hangs-up", "the proxy 127.0.0.1 ended the connection"),
            (.socks5, "ruleset", "the proxy 127.0.0.1 does not make the connection: its rules do not allow"),
            (.socks5, "not-a-proxy", "is not a SOCKS 5 proxy (it said \"2\")"),
            (.socks5, "hangs-up", "the proxy 127.0.0.1 ended the connection"),
        ] as [(TestProxy.Kind, String, String)])
    func `what a proxy does wrong is told, and ends in time`(
        _ kind: TestProxy.Kind, _ fault: String, _ message: String
    ) throws {
        let proxy = try TestProxy(kind, fault: fault)
        let served = try Served(network: network(proxy))
        let error = #expect(throws: FTPError.self) { try served.names() }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test(arguments: TestProxy.Kind.allCases)
    func `a proxy that says nothing is left at the limit`(_ kind: TestProxy.Kind) throws {
        let proxy = try TestProxy(kind, fault: "silent")
        let served = try Served(timeouts: .with { $0.connect = .milliseconds(200) }, network: network(proxy))
        #expect(throws: FTPError.timedOut(.proxy)) { try served.names() }
    }

    @Test(arguments: TestProxy.Kind.allCases)
    func `a missing and a wrong login are told apart, without the password`(_ kind: TestProxy.Kind) throws {
        let proxy = try TestProxy(kind, login: "me:right")
        let without = try Served(network: network(proxy))
        let missing = #expect(throws: FTPError.self) { try without.names() }
        #expect(missing?.description.contains("wants a user and a password") == true)
        let other = try Served(network: network(proxy, user: "me", password: "hunter2"))
        let wrong = #expect(throws: FTPError.self) { try other.names() }
        #expect(wrong?.description.contains("does not accept its user and password") == true)
        #expect(wrong?.description.contains("hunter2") == false)
        #expect(proxy.connections == [])
    }

    @Test func `a proxy that is not there is told`() throws {
        let gone = try TestProxy(.http).port
        var settings = NetworkSettings()
        settings.proxy = Proxy(.http, host: "127.0.0.1", port: gone)
        let served = try Served(network: settings)
        #expect(throws: FTPError.proxyFailed("cannot connect to the proxy 127.0.0.1: Connection refused")) {
            try served.names()
        }
    }
}
