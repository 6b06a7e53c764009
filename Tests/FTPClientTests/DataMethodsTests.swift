import FTPProtocol
@preconcurrency import Glibc
import SystemPackage
import Testing

@testable import FTPClient

/// Which way of making data connections comes when.
@Suite struct DataMethodsTests {
    private static func settings(_ change: (inout NetworkSettings) -> Void) -> NetworkSettings {
        var settings = NetworkSettings()
        change(&settings)
        return settings
    }

    /// The ways in the order in which a client that is refused everything goes through them.
    private func order(_ methods: DataMethods, family: Int32? = AF_INET) -> [DataMethod] {
        var tried: [DataMethod] = []
        while let next = methods.best(where: { !tried.contains($0) && $0.fits(family) }) { tried.append(next.method) }
        return tried
    }

    @Test(
        arguments: [
            (settings { _ in }, [.extendedPassive, .passive, .extendedActive, .active]),
            (settings { $0.dataMode = .passive }, [.extendedPassive, .passive]),
            (settings { $0.dataMode = .active }, [.extendedActive, .active]),
            (settings { $0.passiveHost = .server }, [.passive, .extendedPassive, .extendedActive, .active]),
            (settings { $0.usesExtendedPassive = false }, [.passive, .extendedActive, .active]),
            (settings { $0.usesExtendedActive = false }, [.extendedPassive, .passive, .active]),
            (settings { $0.proxy = Proxy(.http, host: "p", port: 1) }, [.extendedPassive, .passive]),
        ] as [(NetworkSettings, [DataMethod])])
    func `the settings say which there are`(_ settings: NetworkSettings, _ expected: [DataMethod]) {
        #expect(order(DataMethods(settings)) == expected)
    }

    @Test func `over IPv6 there are only the extended ones`() {
        #expect(order(DataMethods(NetworkSettings()), family: AF_INET6) == [.extendedPassive, .extendedActive])
    }

    @Test func `a proven one comes first, a failed one last, and an unknown one only when nothing else is left`() {
        var methods = DataMethods(Self.settings { $0.dataMode = .automatic })
        methods.note(.failed, of: .extendedPassive)
        methods.note(.refused, of: .passive)
        #expect(order(methods) == [.extendedActive, .active, .extendedPassive, .passive])
        methods.note(.proven, of: .active)
        #expect(order(methods).first == .active)
        for method in DataMethod.allCases { methods.note(.refused, of: method) }
        #expect(order(methods) == DataMethod.allCases)
    }

    @Test func `the only one is known to be that`() {
        var methods = DataMethods(Self.settings { $0.dataMode = .passive })
        #expect(methods.best { _ in true }?.isOnly == false)
        methods.note(.refused, of: .extendedPassive)
        #expect(methods.best { _ in true }?.isOnly == true)
        #expect(methods.best { _ in false } == nil)
    }

    // MARK: REST

    @Test(
        arguments: [
            // What is proven or broken at, and then what is thought of 1, 3 GiB, 5 GiB.
            ([], [], [.unknown, .unknown, .unknown]), ([9], [], [.proven, .unknown, .unknown]),
            ([3 << 30], [], [.proven, .proven, .unknown]), ([5 << 30], [], [.proven, .proven, .proven]),
            ([], [9], [.broken, .broken, .broken]), ([], [3 << 30], [.unknown, .broken, .broken]),
            ([], [5 << 30], [.unknown, .unknown, .broken]), ([9], [5 << 30], [.proven, .unknown, .broken]),
            ([9], [3 << 30], [.proven, .broken, .broken]), ([1 << 31], [], [.proven, .proven, .unknown]),
        ] as [([Int64], [Int64], [RestartKnowledge.Trust])])
    func `REST is believed up to where numbers get wider`(
        _ proven: [Int64], _ broken: [Int64], _ expected: [RestartKnowledge.Trust]
    ) {
        var knowledge = RestartKnowledge()
        for offset in proven { knowledge.noteProven(at: offset) }
        for offset in broken { knowledge.noteBroken(at: offset) }
        #expect([1, 3 << 30, 5 << 30].map { knowledge.trust(in: $0) } == expected)
    }

    @Test func `what is seen to fail is believed no longer, whoever the server is`() {
        var knowledge = RestartKnowledge()
        knowledge.trustAll()
        #expect(knowledge.trust(in: .max - 1) == .proven)
        knowledge.noteBroken(at: 7)
        #expect(knowledge.trust(in: 7) == .broken)
        knowledge.noteProven(at: 7)
        #expect(knowledge.trust(in: 7) == .proven)
    }

    @Test(
        arguments: [
            // offset, size, received, where it began
            (3, 10, 7, nil), (3, 10, 10, 0), (3, 10, 8, nil), (0, 10, 10, nil), (10, 10, 0, nil), (10, 10, 10, 0),
            (12, 10, 10, nil), (3, 0, 7, nil), (5 << 30, 6 << 30, 5 << 30, 1 << 30),
            (3 << 30, 4 << 30, 3 << 30, 1 << 30),
            (5 << 30, 6 << 30, 1 << 30, nil), (5 << 30, 6 << 30, 6 << 30, 0),
        ] as [(Int64, Int64, Int64, Int64?)])
    func `a transfer that began elsewhere is known by its length`(
        _ offset: Int64, _ size: Int64, _ received: Int64, _ start: Int64?
    ) {
        #expect(RestartKnowledge.wrongStart(offset: offset, size: size, received: received) == start)
    }

    // MARK: Addresses

    @Test(
        arguments: [
            ("127.0.0.1", .loopback), ("10.1.2.3", .local), ("172.15.0.1", .global), ("172.16.0.1", .local),
            ("172.31.0.1", .local), ("172.32.0.1", .global), ("192.168.1.1", .local), ("169.254.1.1", .local),
            ("100.64.0.1", .local), ("100.128.0.1", .global), ("0.0.0.0", .none), ("0.1.2.3", .none),
            ("224.0.0.1", .none), ("255.255.255.255", .none), ("8.8.8.8", .global), ("::1", .loopback), ("::", .none),
            ("fe80::1", .local), ("fd00::1", .local), ("ff02::1", .none), ("2001:db8::1", .global),
            ("::ffff:10.0.0.1", .local), ("::ffff:127.0.0.1", .loopback),
        ] as [(String, HostAddress.Scope)])
    func `how far an address reaches`(_ text: String, _ scope: HostAddress.Scope) throws {
        #expect(try #require(HostAddress(text)).scope == scope)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "::g", "[::1]", "1.2.3.4:21", "fe80::1%lo"])
    func `what is no address in figures`(_ text: String) {
        #expect(HostAddress(text) == nil)
    }

    @Test(
        arguments: [
            // The 227, the control connection, the data connection; `nil`: that of the control connection.
            ([198, 51, 100, 7], "192.0.2.1", "198.51.100.7"), ([10, 0, 0, 7], "10.0.0.1", "10.0.0.7"),
            ([10, 0, 0, 7], "192.0.2.1", nil), ([127, 0, 0, 1], "192.0.2.1", nil), ([127, 0, 0, 1], "10.0.0.1", nil),
            ([127, 0, 0, 2], "127.0.0.1", "127.0.0.2"), ([10, 0, 0, 7], "127.0.0.1", "10.0.0.7"),
            ([0, 0, 0, 0], "192.0.2.1", nil), ([0, 0, 0, 0], "127.0.0.1", nil), ([224, 0, 0, 1], "192.0.2.1", nil),
            ([255, 255, 255, 255], "10.0.0.1", nil), ([169, 254, 169, 254], "192.0.2.1", nil), ([], "192.0.2.1", nil),
            ([198, 51, 100, 7], nil, "198.51.100.7"), ([10, 0, 0, 7], nil, nil), ([127, 0, 0, 1], nil, nil),
        ] as [([UInt8], String?, String?)])
    func `the server's word for its data address counts where it makes sense`(
        _ named: [UInt8], _ peer: String?, _ expected: String?
    ) {
        let host = HostAddress.passiveHost(named: named, peer: peer.flatMap { HostAddress($0) })
        #expect(host?.description == expected)
    }

    @Test func `a socket address and its host are one`() throws {
        for text in ["192.0.2.1", "2001:db8::5"] {
            let host = try #require(HostAddress(text))
            let address = SocketAddress(host, port: 4711)
            #expect(address.host == host)
            #expect(address.port == 4711)
            #expect("\(address)" == text)
            #expect(address.withPort(80).port == 80)
        }
    }

    // MARK: Active mode

    @Test(
        arguments: [
            (.extendedActive, "192.0.2.1", "EPRT |1|192.0.2.1|6275|"), (.active, "192.0.2.1", "PORT 192,0,2,1,24,131"),
            (.extendedActive, "2001:db8::1", "EPRT |2|2001:db8::1|6275|"),
        ] as [(DataMethod, String, String)])
    func `what is announced`(_ method: DataMethod, _ host: String, _ line: String) throws {
        let command = Session.announcement(method, try #require(HostAddress(host)), 6275)
        #expect(command.description == line)
    }

    @Test func `a port that is taken is passed over, and each turn begins at another one`() throws {
        let loopback = SocketAddress(try #require(HostAddress("127.0.0.1")), port: 0)
        let taken = try DataListener.open(at: loopback, ports: nil, turn: 0)
        defer { taken.close() }
        let low = min(taken.address.port, .max - 7)
        let range = low...(low + 7)
        var seen: Set<UInt16> = []
        for turn in 0..<8 {
            let listener = try DataListener.open(at: loopback, ports: range, turn: turn)
            #expect(range.contains(listener.address.port))
            #expect(listener.address.port != taken.address.port)
            seen.insert(listener.address.port)
            listener.close()
        }
        #expect(seen.count > 1)
        #expect(throws: FTPError.localFailure(.addressInUse, doing: "listening for a data connection")) {
            _ = try DataListener.open(at: loopback, ports: taken.address.port...taken.address.port, turn: 5)
        }
    }
}
