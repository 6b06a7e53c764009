import COpenSSL
import FTPProtocol
@preconcurrency import Glibc
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Data connections with TLS: resuming, how they end, and what servers demand of them.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct TLSDataTests {
    private typealias Step = TLSPeer.Step
    private let cancellation = Cancellation()
    private let certificate: TestCertificate

    init() throws {
        certificate = try TestCertificate()
    }

    private static let login = TLSTests.upgrade + TLSTests.login + begin
    private static let begin: [TLSPeer.Step] = [
        .expect("TYPE I"), .send(["200 Fine"]), .expect("PWD"), .send(["500 What?"]),
    ]

    /// A second login of a client that knows the server's features already.
    private static let secondLogin: [TLSPeer.Step] =
        [.accept] + TLSTests.upgrade + [
            .expect("USER me"), .send(["230 Welcome"]), .expect("PBSZ 0"), .send(["200 Fine"]), .expect("PROT P"),
            .send(["200 Private"]),
        ]

    /// A plain listing of the root that has one name.
    private static func list(resumed: Bool, _ name: String) -> [TLSPeer.Step] {
        [
            .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: resumed), .data(line(name)),
            .endData(notify: true), .send(["226 Done"]),
        ]
    }

    /// With the directory itself: `LIST -a` is believed when it shows what `LIST` leaves out.
    private static func line(_ name: String) -> String {
        "drwxr-xr-x 1 me me 5 Jan 01 2020 .\r\n-rw-r--r-- 1 me me 5 Jan 01 2020 \(name)\r\n"
    }

    private func client(
        _ peer: TLSPeer, connections: Int = 1, _ change: (inout TLSSettings) -> Void = { _ in }
    ) -> Client {
        Client(
            configuration: TLSTests.configuration(peer.port, connections: connections) {
                $0.pin = certificate.pin
                change(&$0)
            })
    }

    private func names(_ client: Client) throws -> [String] {
        try client.list(.root, cancellation: cancellation).map { "\($0.name)" }
    }

    private func read(_ client: Client, size: Int64?) throws(FTPError) -> String {
        let path: RemotePath
        do { path = try remote("file") } catch { throw .invalidArgument("\(error)") }
        let stream = try client.openRead(
            path, from: 0, expecting: FileVersion(size: size, modified: nil), cancellation: cancellation)
        defer { stream.close() }
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { buffer.deallocate() }
        while case let count = try stream.read(into: buffer, cancellation: cancellation), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(_ client: Client, _ bytes: [UInt8]) throws {
        let stream = try client.openWrite(try remote("file"), .replace, cancellation: cancellation)
        try withLocalFile(bytes) { file in
            try stream.send(from: file, range: 0..<Int64(bytes.count), cancellation: cancellation)
        }
        try stream.finish(cancellation: cancellation)
    }

    private static func store(resumed: Bool, _ text: String) -> [TLSPeer.Step] {
        [
            .passive, .expect("STOR file"), .send(["150 Go"]), .secureData(resumed: resumed), .receive(text),
            .send(["226 Thanks"]),
        ]
    }

    private static func retrieve(_ text: String, notify: Bool) -> [TLSPeer.Step] {
        [
            .passive, .expect("RETR file"), .send(["150 Here"]), .secureData(resumed: true), .data(text),
            .endData(notify: notify), .send(["226 Done"]),
        ]
    }

    // MARK: Resuming

    @Test(
        "every data connection resumes the session of its control connection",
        arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func resuming(version: Int32) throws {
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: version),
            TLSTests.upgrade + TLSTests.login + Self.list(resumed: true, "a") + Self.list(resumed: true, "b")
                + Self.begin + Self.store(resumed: true, "one") + Self.store(resumed: true, "two"))
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(try names(client) == ["b"])
        try write(client, Array("one".utf8))
        try write(client, Array("two".utf8))
        #expect(peer.outcome() == [])
        let observed = try #require(client.observedTLS)
        #expect(observed.version.rawValue == version)
        #expect(observed.resumedDataConnections == 4 && observed.otherDataConnections == 0)
    }

    @Test("a server that takes each session once gets another each time, also when only uploads bring new ones")
    func sessionsForOneUse() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate, takesSessionsOnce: true),
            Self.login + (0..<6).flatMap { Self.store(resumed: true, "text \($0)") })
        let client = client(peer)
        defer { client.close() }
        for number in 0..<6 { try write(client, Array("text \(number)".utf8)) }
        #expect(peer.outcome() == [])
    }

    @Test(
        "a transfer that was broken off takes nothing from the session",
        arguments: [(TLS1_2_VERSION, false), (TLS1_3_VERSION, false), (TLS1_3_VERSION, true)])
    func brokenOff(version: Int32, takesSessionsOnce: Bool) throws {
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: version, takesSessionsOnce: takesSessionsOnce),
            Self.login + [
                .passive, .expect("RETR file"), .send(["150 Here"]), .secureData(resumed: true), .data("some"),
                .expect("ABOR"), .expect("PWD"), .endData(notify: false),
                .send(["426 Aborted", "226 So", "257 \"/\""]),
            ] + Self.store(resumed: true, "x"))
        let client = client(peer)
        defer { client.close() }
        let stream = try client.openRead(
            try remote("file"), from: 0, expecting: FileVersion(size: nil, modified: nil), cancellation: cancellation)
        stream.close()
        try write(client, Array("x".utf8))
        #expect(peer.outcome() == [])
    }

    @Test(
        "a transfer that ended in a mess takes nothing from the session", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func garbage(version: Int32) throws {
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: version),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true),
                .dataInClear(String(repeating: "x", count: 100)), .send(["426 What was that?"]),
                .endData(notify: false),
            ] + Self.list(resumed: true, "a"))
        let client = client(peer)
        defer { client.close() }
        // The listing is asked for once more.
        #expect(try names(client) == ["a"])
        #expect(peer.outcome() == [])
    }

    @Test("a server that says nothing before the handshake")
    func silentBeforeHandshake() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .secureData(resumed: true), .send(["150 Here"]), .data(Self.line("a")),
                .endData(notify: true), .send(["226 Done"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(peer.outcome() == [])
    }

    @Test("a server that does not recognise sessions of TLS 1.3 is used with TLS 1.2 from then on")
    func fallback() throws {
        var script = TLSTests.upgrade + TLSTests.login
        script += [
            .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true), .endData(notify: true),
            .send(["522 SSL connection failed: session reuse required"]),
        ]
        script += Self.secondLogin + Self.list(resumed: true, "a")
        let peer = try TLSPeer(.init(certificate: certificate), script)
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(client.observedTLS?.version == .tls12)
        #expect(peer.outcome() == [])
    }

    @Test("a server that does not recognise sessions of TLS 1.2 either: an error that says so")
    func noFallbackLeft() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: TLS1_2_VERSION),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true), .endData(notify: true),
                .send(["425 Unable to build data connection: Operation not permitted"]), .awaitEnd,
            ])
        let client = client(peer)
        do throws(FTPError) {
            _ = try client.list(.root, cancellation: cancellation)
            Issue.record("no error")
        } catch {
            guard case .tlsFailed(let text) = error else { throw error }
            #expect(text.contains("did not recognise it with TLS 1.2 either"))
            #expect(text.contains("Operation not permitted"))
        }
        client.close()
        #expect(peer.outcome() == [])
    }

    @Test("with tls_min=1.3 there is no way back to TLS 1.2")
    func fallbackForbidden() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true), .endData(notify: true),
                .send(["522 SSL connection failed: session reuse required"]), .awaitEnd,
            ])
        let client = client(peer) { $0.minimum = .tls13 }
        do throws(FTPError) {
            _ = try client.list(.root, cancellation: cancellation)
            Issue.record("no error")
        } catch {
            guard case .tlsFailed(let text) = error else { throw error }
            #expect(text.contains("tls_min=1.2"))
        }
        client.close()
        #expect(peer.outcome() == [])
    }

    @Test(
        "whether a reply is about sessions",
        arguments: [
            ("522 SSL connection failed: session reuse required", true, true),
            ("425 Unable to build data connection: TLS session of data connection not resumed.", true, true),
            (
                "450 TLS session of data connection has not resumed or the session does not match the control connection",
                true, true
            ),
            ("425 Unable to build data connection: Operation not permitted", true, true),
            ("425 No data connection", false, true), ("425 No data connection", true, false),
            ("522 What?", false, true), ("450 resume.pdf: file busy", true, false),
            ("550 tls-reuse.txt: no such file", false, false), ("426 Aborted", false, false),
        ])
    func aboutReuse(_ line: String, hasResumed: Bool, isAboutReuse: Bool) throws {
        let reply = Reply(code: try #require(UInt16(line.prefix(3))), lines: [Array(line.utf8.dropFirst(4))])
        #expect(Session.isAboutReuse(reply, hasResumed: hasResumed) == isAboutReuse)
    }

    @Test("sessions age: a connection whose session the server will have forgotten is not kept")
    func age() throws {
        let peer = try TLSPeer(.init(certificate: certificate), TLSTests.upgrade + TLSTests.login)
        let server = SharedServer(TLSTests.configuration(peer.port) { $0.pin = certificate.pin })
        let session = try Session.establish(server, id: 1, cancellation)
        let store = try #require(session.security?.store)
        #expect(!session.hasOutlivedTLSSession)
        #expect(!store.hasExpired(at: time(nil) + 7000))
        #expect(store.hasExpired(at: time(nil) + 7300))
        #expect(peer.outcome() == [])
    }

    @Test("a connection whose session has become too old is replaced, and TLS 1.3 stays")
    func stale() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true), .endData(notify: true),
                .send(["522 SSL connection failed: session reuse required"]), .awaitEnd,
            ])
        let server = SharedServer(TLSTests.configuration(peer.port) { $0.pin = certificate.pin })
        let session = try Session.establish(server, id: 1, cancellation)
        session.security?.since = Instant.now.advanced(by: .seconds(-3600))
        do throws(FTPError) {
            _ = try session.list(.root, cancellation)
            Issue.record("no error")
        } catch {
            #expect(error.leftNothingDone)
            #expect("\(error)".contains("too old"))
        }
        #expect(session.condition == .dead)
        #expect(server.known.tls.maximum == nil)
        #expect(peer.outcome() == [])
    }

    @Test("new keys, and new handshakes, in the middle of everything", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func renewal(version: Int32) throws {
        let text = String(repeating: "0123456789abcdef", count: 64 * 1024)
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: version),
            Self.login + [
                .renewControl, .passive, .expect("RETR file"), .send(["150 Here"]), .secureData(resumed: true),
                .data("con"), .renewData, .data("tent"), .endData(notify: true), .renewControl, .send(["226 Done"]),
                .passive, .expect("STOR file"), .send(["150 Go"]), .secureData(resumed: true), .renewData,
                .take(100_000),
                .renewData, .renewControl, .receive(String(text.dropFirst(100_000))), .send(["226 Thanks"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try read(client, size: 7) == "content")
        try write(client, Array(text.utf8))
        #expect(peer.outcome() == [])
    }

    // MARK: The end of the data

    @Test("a download that ends without close_notify is whole when the reply and the size say so")
    func cutButWhole() throws {
        let peer = try TLSPeer(.init(certificate: certificate), Self.login + Self.retrieve("content", notify: false))
        let client = client(peer)
        defer { client.close() }
        #expect(try read(client, size: 7) == "content")
        #expect(peer.outcome() == [])
    }

    @Test("a download that ends without close_notify before its size is gone on with, where the bytes are missing")
    func cutAndShort() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [
                // One whose REST is trusted.
                .send(["220 (vsFTPd)"]), .expect("AUTH TLS"), .send(["234 Go on"]), .secure,
            ] + TLSTests.login + Self.begin + Self.retrieve("cont", notify: false) + [
                .expect("SIZE file"), .send(["213 7"]), .expect("MDTM file"), .send(["500 What?"]), .passive,
                .expect("REST 4"), .send(["350 Go on"]), .expect("RETR file"), .send(["150 Here"]),
                .secureData(resumed: true), .data("ent"), .endData(notify: true), .send(["226 Done"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try read(client, size: 7) == "content")
        #expect(peer.outcome() == [])
    }

    @Test("a download that ends without close_notify and with an error is an error")
    func cutAndRefused() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            Self.login + [
                .passive, .expect("RETR file"), .send(["150 Here"]), .secureData(resumed: true), .data("cont"),
                .endData(notify: false), .send(["452 Disk trouble"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(throws: FTPError.refused(verb: "RETR", Reply(code: 452, lines: [Array("Disk trouble".utf8)]))) {
            try read(client, size: nil)
        }
        #expect(peer.outcome() == [])
    }

    @Test("a listing that ends without close_notify counts when the server confirms it")
    func listingCut() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .secureData(resumed: true), .data(Self.line("a")),
                .endData(notify: false), .send(["226 Done"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(peer.outcome() == [])
    }

    @Test("a server that has nothing to send and shakes no hands")
    func emptyWithoutHandshake() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["226 Nothing here"]), .cutData,
                .passive, .expect("LIST"), .send(["226 Nothing here"]), .cutData,
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == [])
        #expect(peer.outcome() == [])
    }

    @Test("a server that ends the data connection before the handshake has the last word")
    func refusedBeforeHandshake() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            Self.login + [
                .passive, .expect("RETR file"), .send(["150 Here"]), .cutData, .send(["550 Changed my mind"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(throws: FTPError.refused(verb: "RETR", Reply(code: 550, lines: [Array("Changed my mind".utf8)]))) {
            try read(client, size: nil)
        }
        #expect(peer.outcome() == [])
    }

    @Test("an upload is broken off as soon as the server says why, though it takes no more bytes")
    func uploadRefused() throws {
        let peer = try TLSPeer(
            .init(certificate: certificate),
            Self.login + [
                .passive, .expect("STOR file"), .send(["150 Go"]), .secureData(resumed: true), .take(100_000),
                .send(["452 Disk full"]), .awaitEnd,
            ])
        let client = client(peer)
        // More than both sides' buffers hold.
        let bytes = [UInt8](repeating: 7, count: 32 * 1024 * 1024)
        #expect(throws: FTPError.refused(verb: "STOR", Reply(code: 452, lines: [Array("Disk full".utf8)]))) {
            try write(client, bytes)
        }
        client.close()
        #expect(peer.outcome() == [])
    }

    @Test("an upload larger than all buffers arrives whole")
    func largeUpload() throws {
        let text = String(repeating: "0123456789abcdef", count: 512 * 1024)
        let peer = try TLSPeer(.init(certificate: certificate), Self.login + Self.store(resumed: true, text))
        let client = client(peer)
        defer { client.close() }
        try write(client, Array(text.utf8))
        #expect(peer.outcome() == [])
    }

    // MARK: Who is at the other end

    @Test("another certificate on a data connection is refused")
    func changedCertificate() throws {
        let other = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate, dataCertificate: other),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(["150 Here"]), .failToSecureData, .awaitEnd,
            ])
        let client = client(peer)
        #expect(throws: FTPError.certificateRejected(.changed, pin: other.pin)) {
            try client.list(.root, cancellation: cancellation)
        }
        client.close()
        #expect(peer.outcome() == [])
    }

    @Test(
        "a server that wants data to be encrypted gets that, though the user would do without",
        arguments: [
            ("LIST -a", "521 Data connections must be encrypted."), ("LIST -a", "522 Not with this PROT setting"),
            ("EPSV", "550 SSL/TLS required on the data channel."),
        ])
    func demandedLater(command: String, answer: String) throws {
        var script = TLSTests.upgrade + TLSTests.login.dropLast(2)
        script += [.expect("PROT C"), .send(["200 Clear"])]
        if command != "EPSV" { script.append(.passive) }
        script += [.expect(command), .send([answer])]
        script += Self.secondLogin + Self.list(resumed: true, "a")
        let peer = try TLSPeer(.init(certificate: certificate), script)
        let client = client(peer) { $0.protectsData = false }
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(peer.outcome() == [])
    }

    // MARK: What OpenSSL holds

    @Test("replies that came in one record with others are seen without the socket saying so")
    func severalRepliesInOneRecord() throws {
        // The first lines fill the buffer of the control connection; the end of the reply stays with OpenSSL.
        let long = ["150-Here"] + Array(repeating: " " + String(repeating: "x", count: 98), count: 120) + ["150 Now"]
        let peer = try TLSPeer(
            .init(certificate: certificate),
            TLSTests.upgrade + TLSTests.login + [
                .passive, .expect("LIST -a"), .send(long), .secureData(resumed: true), .data(Self.line("a")),
                .endData(notify: true), .send(["226 Done"]),
            ])
        let client = client(peer)
        defer { client.close() }
        #expect(try names(client) == ["a"])
        #expect(peer.outcome() == [])
    }
}
