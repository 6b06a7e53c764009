import FTPProtocol
import Testing

/// What is said to proxies, and what is made of their answers.
@Suite struct ProxyHandshakeTests {
    /// How a handshake ends that hears these answers, byte by byte or at once.
    private func outcome(
        _ handshake: any ProxyHandshake, hearing answers: [[UInt8]], piece: Int
    ) -> (said: [[UInt8]], left: [UInt8], refusal: ProxyRefusal?, isEstablished: Bool) {
        var handshake = handshake
        var said = [handshake.opening]
        for (index, answer) in answers.enumerated() {
            var rest = answer
            while !rest.isEmpty {
                do throws(ProxyRefusal) {
                    let (used, step) = try handshake.consume(Array(rest.prefix(piece)))
                    rest.removeFirst(used)
                    switch step {
                    case .receive: continue
                    case .send(let bytes): said.append(bytes)
                    case .established: return (said, rest + answers[(index + 1)...].joined(), nil, true)
                    }
                } catch {
                    return (said, rest, error, false)
                }
            }
        }
        return (said, [], nil, false)
    }

    // MARK: HTTP

    @Test(
        arguments: [
            (
                ProxyTarget.name(bytes("ftp.example.com")), nil,
                "CONNECT ftp.example.com:21 HTTP/1.1\r\nHost: ftp.example.com:21\r\n\r\n"
            ),
            (.ipv4([192, 0, 2, 1]), nil, "CONNECT 192.0.2.1:21 HTTP/1.1\r\nHost: 192.0.2.1:21\r\n\r\n"),
            (
                .ipv6([0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]), nil,
                "CONNECT [2001:db8:0:0:0:0:0:1]:21 HTTP/1.1\r\nHost: [2001:db8:0:0:0:0:0:1]:21\r\n\r\n"
            ),
            (
                .name(bytes("h")), ProxyLogin(user: bytes("Aladdin"), password: bytes("open sesame")),
                "CONNECT h:21 HTTP/1.1\r\nHost: h:21\r\n"
                    + "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
            ),
            (
                .name(bytes("h")), ProxyLogin(user: [0xFF], password: [0xFE, 0x3A, 0x0A]),
                "CONNECT h:21 HTTP/1.1\r\nHost: h:21\r\nProxy-Authorization: Basic /zr+Ogo=\r\n\r\n"
            ),
        ] as [(ProxyTarget, ProxyLogin?, String)])
    func `an HTTP proxy is asked with CONNECT`(_ target: ProxyTarget, _ login: ProxyLogin?, _ request: String) {
        #expect(HTTPConnectHandshake(to: target, port: 21, login: login).opening == bytes(request))
    }

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\r\n\r\n", "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 299 x\r\nA: b\r\nC: d\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nTransfer-Encoding: chunked\r\n\r\n",
        ], [1, 4096])
    func `any 2yz header of HTTP is a connection, and what follows is the other end's`(_ header: String, _ piece: Int) {
        let handshake = HTTPConnectHandshake(to: .name(bytes("h")), port: 21, login: nil)
        let end = outcome(handshake, hearing: [bytes(header + "220 Welcome\r\n")], piece: piece)
        #expect(end.isEstablished)
        #expect(end.left == bytes("220 Welcome\r\n"))
    }

    @Test(
        arguments: [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", .authentication),
            ("HTTP/1.0 401 Unauthorized\r\n\r\n", .authentication),
            ("HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", .refused("403 Forbidden")),
            ("HTTP/1.1 502 \u{1B}[31m\r\n\r\n", .refused("502 \\x1b[31m")),
            ("HTTP/1.1 302 Found\r\n\r\n", .refused("302 Found")),
            ("HTTP/1.1 banana\r\n\r\n", .notAProxy(bytes("HTTP/1.1 banana\r"))),
            ("HTTP/1.1 99\r\n\r\n", .notAProxy(bytes("HTTP/1.1 99\r"))),
            ("\r\n\r\n", .notAProxy(bytes("\r"))), ("\n\n", .notAProxy([])),
            ("220 FTP\r\n", .notAProxy(bytes("2"))), ("SSH-2.0", .notAProxy(bytes("S"))),
        ] as [(String, ProxyRefusal)])
    func `other answers are refusals`(_ answer: String, _ refusal: ProxyRefusal) {
        let handshake = HTTPConnectHandshake(to: .name(bytes("h")), port: 21, login: nil)
        #expect(outcome(handshake, hearing: [bytes(answer)], piece: 1).refusal == refusal)
    }

    @Test func `a header without end is left at 16 KiB`() {
        var handshake = HTTPConnectHandshake(to: .name(bytes("h")), port: 21, login: nil)
        let start = bytes("HTTP/1.1 200 OK\r\nX: ")
        #expect(throws: ProxyRefusal.notAProxy(bytes("HTTP/1.1 200 OK\r"))) {
            _ = try handshake.consume(start + [UInt8](repeating: 0x78, count: 16 * 1024))
        }
    }

    // MARK: SOCKS

    private static let success: [UInt8] = [5, 0, 0, 1, 1, 2, 3, 4, 5, 6]

    @Test(arguments: [1, 4096])
    func `a SOCKS proxy resolves the name, and asks for a login if it likes`(_ piece: Int) throws {
        let login = ProxyLogin(user: bytes("me"), password: bytes("pw"))
        let connect: [UInt8] = [5, 1, 0, 3, 1, 0x68, 0, 21]
        let plain = try #require(SOCKS5Handshake(to: .name(bytes("h")), port: 21, login: nil))
        let first = outcome(plain, hearing: [[5, 0], Self.success + bytes("220")], piece: piece)
        #expect(first.said == [[5, 1, 0], connect])
        #expect(first.isEstablished && first.left == bytes("220"))

        let known = try #require(SOCKS5Handshake(to: .name(bytes("h")), port: 21, login: login))
        let asked = outcome(known, hearing: [[5, 2], [1, 0], Self.success], piece: piece)
        #expect(asked.said == [[5, 2, 0, 2], [1, 2, 0x6D, 0x65, 2, 0x70, 0x77], connect])
        #expect(asked.isEstablished)
        let unasked = outcome(known, hearing: [[5, 0], Self.success], piece: piece)
        #expect(unasked.said == [[5, 2, 0, 2], connect])
        #expect(unasked.isEstablished)
    }

    @Test(
        arguments: [
            (.ipv4([1, 2, 3, 4]), [5, 1, 0, 1, 1, 2, 3, 4, 0x12, 0x34]),
            (.ipv6([UInt8](0..<16)), [5, 1, 0, 4] + [UInt8](0..<16) + [0x12, 0x34]),
        ] as [(ProxyTarget, [UInt8])])
    func `a SOCKS proxy gets addresses as they are`(_ target: ProxyTarget, _ request: [UInt8]) throws {
        let handshake = try #require(SOCKS5Handshake(to: target, port: 0x1234, login: nil))
        #expect(outcome(handshake, hearing: [[5, 0]], piece: 1).said.last == request)
    }

    @Test(
        arguments: [
            [5, 0, 0, 1, 0, 0, 0, 0, 0, 0], [5, 0, 0, 4] + [UInt8](repeating: 0, count: 18), [5, 0, 0, 3, 0, 1, 2],
            [5, 0, 0, 3, 3, 0x61, 0x62, 0x63, 1, 2], [5, 0, 0, 3, 255] + [UInt8](repeating: 7, count: 257),
        ], [1, 4096])
    func `whatever address the last answer of SOCKS names, its length is known`(_ answer: [UInt8], _ piece: Int) throws
    {
        let handshake = try #require(SOCKS5Handshake(to: .ipv4([1, 2, 3, 4]), port: 21, login: nil))
        let end = outcome(handshake, hearing: [[5, 0], answer + [0x32]], piece: piece)
        #expect(end.isEstablished && end.left == [0x32])
    }

    @Test(
        arguments: [
            ([[5, 0xFF]], .authentication), ([[5, 2]], .authentication), ([[4, 0]], .notAProxy([4])),
            ([[5, 1]], .refused("it wants a way of logging in that nobody offered (1)")),
            ([bytes("HTTP/1.1 400")], .notAProxy([0x48])),
            ([[5, 0], [5, 5]], .refused("the connection was refused")),
            ([[5, 0], [5, 2]], .refused("its rules do not allow this connection")),
            ([[5, 0], [5, 99]], .refused("it says 99")), ([[5, 0], [5, 0, 0, 9, 0]], .notAProxy([5, 0, 0, 9, 0])),
            ([[5, 0], [0x32]], .notAProxy([0x32])),
        ] as [([[UInt8]], ProxyRefusal)])
    func `other answers of SOCKS are refusals`(_ answers: [[UInt8]], _ refusal: ProxyRefusal) throws {
        let handshake = try #require(SOCKS5Handshake(to: .name(bytes("h")), port: 21, login: nil))
        #expect(outcome(handshake, hearing: answers, piece: 1).refusal == refusal)
    }

    @Test func `a wrong login is a refusal`() throws {
        let login = ProxyLogin(user: bytes("me"), password: [])
        let handshake = try #require(SOCKS5Handshake(to: .name(bytes("h")), port: 21, login: login))
        #expect(outcome(handshake, hearing: [[5, 2], [1, 1]], piece: 1).refusal == .authentication)
        #expect(outcome(handshake, hearing: [[5, 2], [9, 0]], piece: 1).refusal == .notAProxy([9]))
    }

    @Test func `what SOCKS cannot say is not tried`() {
        let long = [UInt8](repeating: 0x61, count: 256)
        #expect(SOCKS5Handshake(to: .name(long), port: 21, login: nil) == nil)
        #expect(SOCKS5Handshake(to: .name([]), port: 21, login: nil) == nil)
        let target = ProxyTarget.name([0x61])
        #expect(SOCKS5Handshake(to: target, port: 21, login: ProxyLogin(user: long, password: [])) == nil)
        #expect(SOCKS5Handshake(to: target, port: 21, login: ProxyLogin(user: [], password: [])) == nil)
        #expect(SOCKS5Handshake(to: target, port: 21, login: ProxyLogin(user: [1], password: long)) == nil)
    }

    @Test func `whatever a proxy says, a handshake uses what it gets or ends`() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let pieces = [
            "HTTP/1.1 ", "200", " OK", "\r\n", "\n", "\r", "407 ", "\u{5}\0", "\u{5}\u{2}", "\u{1}\0", "\0", "\u{3}",
        ]
        for round in 0..<4000 {
            let login = ProxyLogin(user: [1], password: [2])
            var handshake: any ProxyHandshake =
                round % 2 == 0
                ? HTTPConnectHandshake(to: .name([0x61]), port: 1, login: login)
                : try #require(SOCKS5Handshake(to: .name([0x61]), port: 1, login: login))
            var input: [UInt8] = []
            for _ in 0..<random(12) {
                input += random(4) == 0 ? [UInt8(random(256))] : bytes(pieces[random(pieces.count)])
            }
            while !input.isEmpty {
                guard let (used, step) = try? handshake.consume(Array(input.prefix(1 + random(5)))) else { break }
                try #require(used >= 1 && used <= input.count)
                input.removeFirst(used)
                if step == .established { break }
            }
        }
    }

    @Test func `a login shows no password when it is printed`() {
        let login = ProxyLogin(user: bytes("me"), password: bytes("hunter2"))
        var dumped = ""
        dump(login, to: &dumped)
        #expect(!"\(login)\(dumped)".contains("hunter2"))
    }
}
