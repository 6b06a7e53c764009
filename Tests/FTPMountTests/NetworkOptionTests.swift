import FTPClient
import Testing

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The options about connections and proxies.
@Suite("The network options")
struct NetworkOptionTests {
    private func parse(_ text: String) throws -> MountOptions { try MountOptions(parsing: [Array(text.utf8)]) }

    private func plan(_ options: String) throws -> MountPlan {
        var plan: MountPlan?
        try withTemporaryDirectory { directory in
            plan = try MountPlan(
                checking: MountRequest(
                    program: "ftpfs", source: "ftp://h/", mountPoint: directory.path, optionTexts: [Array(options.utf8)]
                ))
        }
        return try #require(plan)
    }

    @Test("have sensible defaults")
    func defaults() throws {
        let network = try parse("").network
        #expect(network.dataMode == .automatic)
        #expect(network.passiveHost == .control)
        #expect(network.family == .any)
        #expect(network.usesExtendedPassive && network.usesExtendedActive)
        #expect(network.activeAddress == nil && network.activePorts == nil && network.proxy == nil)
    }

    @Test("take values of their kind")
    func values() throws {
        let network = try parse(
            "active,active_address=192.0.2.1,active_ports=30000-30010,pasv_address=server,disable_epsv,disable_eprt,ipv6"
        ).network
        #expect(network.dataMode == .active)
        #expect(network.activeAddress == HostAddress("192.0.2.1"))
        #expect(network.activePorts == 30000...30010)
        #expect(network.passiveHost == .server)
        #expect(network.family == .ipv6)
        #expect(!network.usesExtendedPassive && !network.usesExtendedActive)
        #expect(try parse("active,data=passive").network.dataMode == .passive)
        #expect(try parse("data=auto,ipv4").network.family == .ipv4)
    }

    @Test(
        "refuse other values",
        arguments: [
            "data=maybe", "active_address=localhost", "active_address=", "active_ports=30000", "active_ports=5-4",
            "active_ports=80-90", "active_ports=1024-65536", "active_ports=-", "pasv_address=both", "ipv4=1",
            "proxy=", "proxy=:1", "proxy=a b", "proxy_user=", "proxy_user=:pw", "proxy_user=a%zz", "proxy=ftp://h:1",
            "proxy=http://h", "proxy=http://:1", "proxy=http://h:0",
            "proxy=http://h:1/x", "proxy=http://@h:1", "proxy=http://a%zz@h:1", "proxy=socks4://h:1",
            "proxy=https://h:1", "proxy=socks5://a b:1",
        ])
    func refused(text: String) {
        #expect(throws: MountOptions.Invalid.self) { try parse(text) }
    }

    // MARK: Proxies

    @Test(
        "take a proxy as a URL",
        arguments: [
            ("http://p:3128", .http, "p", 3128, nil, nil), ("http://p:3128/", .http, "p", 3128, nil, nil),
            ("socks5://p", .socks5, "p", 1080, nil, nil), ("socks5h://p:9", .socks5, "p", 9, nil, nil),
            ("http://me:a%40b%3Ac%2F@[::1]:8", .http, "::1", 8, "me", "a@b:c/"),
            ("socks5://me:a@b@p:9", .socks5, "p", 9, "me", "a@b"), ("http://me@p:1", .http, "p", 1, "me", ""),
        ] as [(String, Proxy.Kind, String, UInt16, String?, String?)])
    func proxies(_ row: (String, Proxy.Kind, String, UInt16, String?, String?)) throws {
        let proxy = try #require(try parse("proxy=\(row.0)").network.proxy)
        for proxy in [proxy, try #require(Proxy(parsing: proxy.url.bytes))] {
            #expect(proxy.kind == row.1)
            #expect(proxy.host == row.2)
            #expect(proxy.port == row.3)
            #expect(proxy.user == row.4.map { Array($0.utf8) })
            #expect(proxy.password?.bytes == row.5.map { Array($0.utf8) })
        }
    }

    /// curlftpfs(1), which has curl's rules: what has no scheme is an HTTP proxy, and its port is 1080 unless it has one.
    @Test(
        "take a proxy in curlftpfs's words, in any order",
        arguments: [
            ("proxy=p:3128", "http://:@p:3128"), ("proxy=p", "http://:@p:1080"),
            ("proxy=me:a%40b@p:1", "http://me:a%40b@p:1"), ("proxy=p:1,proxy_user=me:x%3Ay", "http://me:x%3Ay@p:1"),
            ("socks5,proxy=p:9", "socks5://:@p:9"), ("proxy=p,socks5,proxy_user=me:pw", "socks5://me:pw@p:1080"),
            ("proxy_user=me,proxy=http://p:1", "http://me:@p:1"), ("proxy=http://p:1,socks5", "http://:@p:1"),
            ("proxytunnel,proxy_basic,httpproxy,proxy=[::1]:1", "http://:@[::1]:1"),
        ])
    func curlftpfs(_ text: String, _ url: String) throws {
        let proxy = try #require(try plan(text).proxy)
        let same = try #require(Proxy(parsing: Array(url.replacing("//:@", with: "//").utf8)))

        #expect(proxy.url.bytes == same.url.bytes)
    }

    @Test("say that words about a proxy need one", arguments: ["socks5", "proxy_user=me:pw", "proxy_credentials=/c"])
    func withoutProxy(_ text: String) throws {
        let error = #expect(throws: MountFailure.self) { try parse(text).completeProxy() }

        #expect(error?.message.hasSuffix(" without a proxy; give proxy= too") == true)
    }

    @Test("keep the proxy's password from the options that are handed on, and from everything printed")
    func silence() throws {
        let plan = try plan("ro,proxy=http://me:hunter2@p:1")
        let credentials = Credentials(user: [0x41], password: Secret("x"))
        let record = SettingsRecord(plan: plan, credentials: credentials)
        var shown = "\(plan) \(record)"
        dump(plan, to: &shown)
        dump(record, to: &shown)
        #expect(!shown.contains("hunter2"))
        #expect(record.optionTexts.map { String(decoding: $0, as: UTF8.self) } == ["ro"])
        let error = #expect(throws: MountOptions.Invalid.self) { try parse("proxy=http://me:hunter2@p") }
        #expect(error?.reason.contains("hunter2") == false)
        let ranges = ProcessSecrets.secretRanges(in: [Array("-oro,proxy=http://me:hunter2@p:1,rw".utf8)])
        #expect(ranges == [[11..<32]])
    }

    @Test("hand the proxy to the mounting process, with its password")
    func handover() throws {
        let plan = try plan("proxy=socks5://me:hunter2@p:1,active_ports=2000-3000")
        let record = SettingsRecord(plan: plan, credentials: Credentials(user: [0x41], password: Secret("x")))
        let again = try MountPlan(trusting: try #require(SettingsRecord(decoding: record.encoded)))
        #expect(again.proxy?.kind == .socks5)
        #expect(again.proxy?.password?.bytes == Array("hunter2".utf8))
        #expect(again.options.network.activePorts == 2000...3000)
    }

    @Test("take user and password for the proxy from a file that nobody else can read")
    func file() throws {
        try withTemporaryDirectory { directory in
            let path = directory.path + "/proxy"
            let file = open(path, O_WRONLY | O_CREAT, 0o600)
            _ = "username=me\npassword=hunter2\n".withCString { write(file, $0, strlen($0)) }
            close(file)
            let proxy = try #require(try parse("proxy=http://p:1,proxy_credentials=\(path)").completeProxy())
            #expect(proxy.user == Array("me".utf8))
            #expect(proxy.password?.bytes == Array("hunter2".utf8))

            chmod(path, 0o644)
            #expect(throws: MountFailure.self) {
                try parse("proxy=http://p:1,proxy_credentials=\(path)").completeProxy()
            }
            #expect(throws: MountFailure.self) { try parse("proxy_credentials=\(path)").completeProxy() }
        }
    }

    @Test("do not allow active mode through a proxy")
    func contradiction() throws {
        for text in ["active,proxy=http://p:1", "data=active,proxy=socks5://p"] {
            let failure = #expect(throws: MountFailure.self) { try plan(text) }
            #expect(failure?.code == .usage)
            let line = failure?.line(program: "ftpfs") ?? ""
            #expect(line.contains("active mode does not work through a proxy"))
        }
        #expect(try plan("data=auto,proxy=http://p:1").proxy != nil)
    }
}
