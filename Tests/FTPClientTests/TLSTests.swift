import COpenSSL
import FTPProtocol
@preconcurrency import Glibc
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// How TLS begins on the control connection, and whom it trusts.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct TLSTests {
    private typealias Step = TLSPeer.Step
    private let cancellation = Cancellation()

    /// What an explicit login consists of, to the end of the handshake.
    static let upgrade: [TLSPeer.Step] = [
        .send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .secure,
    ]
    /// The rest of the login.
    static let login: [TLSPeer.Step] = [
        .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"), .send(["230 Welcome"]), .expect("FEAT"),
        .send(["500 What?"]), .expect("PBSZ 0"), .send(["200 Fine"]), .expect("PROT P"), .send(["200 Private"]),
    ]

    private func server(
        _ peer: TLSPeer, host: String = "127.0.0.1", _ change: (inout TLSSettings) -> Void
    ) -> SharedServer {
        SharedServer(Self.configuration(peer.port, host: host, change))
    }

    static func configuration(
        _ port: UInt16, host: String = "127.0.0.1", connections: Int = 1, _ change: (inout TLSSettings) -> Void
    ) -> ClientConfiguration {
        var configuration = ClientConfiguration(
            host: host, port: port, user: Array("me".utf8), password: Secret("secret"), connections: connections)
        // A script that went wrong shall show soon.
        configuration.timeouts.establish = .seconds(10)
        configuration.timeouts.reply = .seconds(10)
        configuration.tls.mode = .explicit
        change(&configuration.tls)
        return configuration
    }

    private func refusal(of server: SharedServer) -> FTPError? {
        do throws(FTPError) {
            _ = try Session.establish(server, id: 1, cancellation)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Who is trusted

    @Test(
        "a certificate of an authority that is given, for the name and for the address",
        arguments: ["localhost", "127.0.0.1"])
    func trusted(host: String) throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let peer = try TLSPeer(.init(certificate: try TestCertificate(issuer: authority)), Self.upgrade + Self.login)
        try authority.withFile { path in
            let server = server(peer, host: host) { $0.authorities = path }
            let session = try Session.establish(server, id: 1, cancellation)
            #expect(session.security?.protectsData == true)
            #expect(server.known.tls.observed?.version == .tls13)
        }
        #expect(peer.outcome() == [])
    }

    @Test("a key that is pinned, whoever signed it, for which name and until when")
    func pinned() throws {
        let certificate = try TestCertificate("x", names: "DNS:elsewhere.example", days: -9..<(-1))
        let peer = try TLSPeer(.init(certificate: certificate), Self.upgrade + Self.login)
        _ = try Session.establish(server(peer) { $0.pin = certificate.pin }, id: 1, cancellation)
        #expect(peer.outcome() == [])
    }

    @Test("anybody, if the user wants that")
    func unverified() throws {
        let peer = try TLSPeer(.init(certificate: try TestCertificate()), Self.upgrade + Self.login)
        _ = try Session.establish(server(peer) { $0.verifies = false }, id: 1, cancellation)
        #expect(peer.outcome() == [])
    }

    /// A certificate that is not good enough: how it is made, and what is said.
    struct Unfit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var names = "DNS:localhost,IP:127.0.0.1"
        var days = -1..<1
        var isSigned = true
        var trustsAuthority = true
        let problem: CertificateProblem
        let words: String
    }

    @Test(
        "a certificate that is not good enough ends the connection before the password, and the error has the pin",
        arguments: [
            Unfit(
                testDescription: "signed by itself", isSigned: false, trustsAuthority: false, problem: .selfSigned,
                words: "signed by itself"),
            Unfit(
                testDescription: "signed by somebody unknown", trustsAuthority: false,
                problem: .unknownIssuer("Authority"), words: "does not trust (Authority)"),
            Unfit(
                testDescription: "for another host", names: "DNS:a.example,DNS:b.example",
                problem: .otherHost("127.0.0.1", names: ["a.example", "b.example"]),
                words: "not for 127.0.0.1 but for a.ex"),
            Unfit(
                testDescription: "for a name, where the URL has an address", names: "DNS:localhost",
                problem: .otherHost("127.0.0.1", names: ["localhost"]), words: "but for localhost"),
        ])
    func unfit(_ row: Unfit) throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let certificate = try TestCertificate(names: row.names, issuer: row.isSigned ? authority : nil, days: row.days)
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        let error = try authority.withFile { path in
            refusal(of: server(peer) { if row.trustsAuthority { $0.authorities = path } })
        }
        #expect(error == .certificateRejected(row.problem, pin: certificate.pin))
        #expect("\(error.map { "\($0)" } ?? "")".contains(row.words))
        #expect("\(error.map { "\($0)" } ?? "")".contains("tls_pin=\(certificate.pin)"))
        #expect(peer.outcome() == [])
    }

    @Test("a certificate that has expired, or is not valid yet", arguments: [-3..<(-1), 1..<3])
    func wrongTime(days: Range<Int>) throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let peer = try TLSPeer(
            .init(certificate: try TestCertificate(issuer: authority, days: days)),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        let error = try authority.withFile { path in refusal(of: server(peer) { $0.authorities = path }) }
        switch error {
        case .certificateRejected(.expired(let date), _): #expect(days.upperBound < 0 && date.count == 10)
        case .certificateRejected(.notYetValid(let date), _): #expect(days.lowerBound > 0 && date.count == 10)
        default: Issue.record("\(error.map { "\($0)" } ?? "no error")")
        }
        #expect(peer.outcome() == [])
    }

    @Test("another key than the pinned one, also with a certificate of a trusted authority")
    func otherKey() throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let certificate = try TestCertificate(issuer: authority)
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        let error = try authority.withFile { path in
            refusal(
                of: server(peer) {
                    $0.authorities = path
                    $0.pin = authority.pin
                })
        }
        #expect(error == .certificateRejected(.otherKey, pin: certificate.pin))
        #expect(peer.outcome() == [])
    }

    @Test("a pinned key does not help against an authority that is given too")
    func pinAndAuthority() throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        let error = try authority.withFile { path in
            refusal(
                of: server(peer) {
                    $0.authorities = path
                    $0.pin = certificate.pin
                })
        }
        #expect(error == .certificateRejected(.selfSigned, pin: certificate.pin))
        #expect(peer.outcome() == [])
    }

    // MARK: How it begins

    @Test("bytes in plain text behind the answer to AUTH end the connection")
    func injection() throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on", "230 You are in"]), .expect("(the end)")])
        let error = refusal(of: server(peer) { $0.pin = certificate.pin })
        guard case .tlsFailed(let text) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect(text.contains("plain text where TLS was to begin"))
        #expect(peer.outcome() == [])
    }

    @Test("AUTH SSL where AUTH TLS is not known, and 334 for 234", arguments: ["234 Go on", "334 Go on"])
    func oldName(answer: String) throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [
                .send(["220 Hello"]), .expect("AUTH TLS"), .send(["504 What?"]), .expect("AUTH SSL"), .send([answer]),
                .secure,
            ] + Self.login)
        _ = try Session.establish(server(peer) { $0.pin = certificate.pin }, id: 1, cancellation)
        #expect(peer.outcome() == [])
    }

    static let refused: [TLSPeer.Step] = [
        .send(["220 Hello"]), .expect("AUTH TLS"), .send(["502 What?"]), .expect("AUTH SSL"), .send(["502 What?"]),
    ]
    private static let loginInClear: [TLSPeer.Step] = [
        .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"), .send(["230 Welcome"]), .expect("FEAT"),
        .send(["500 What?"]),
    ]

    @Test("a server without TLS is not logged in to when TLS is demanded")
    func refusedExplicit() throws {
        let peer = try TLSPeer(.init(certificate: try TestCertificate()), Self.refused + [.expect("QUIT")])
        let reply = Reply(code: 502, lines: [Array("What?".utf8)])
        #expect(refusal(of: server(peer) { _ in }) == .tlsRefused(command: "AUTH TLS", reply))
        #expect(peer.outcome() == [])
    }

    @Test("with tls=auto a server without TLS is used in the clear, and asked once only")
    func refusedAuto() throws {
        let peer = try TLSPeer(
            .init(certificate: try TestCertificate()),
            Self.refused + Self.loginInClear + [
                .accept, .send(["220 Hello"]), .expect("USER me"), .send(["331 Password?"]), .expect("PASS secret"),
                .send(["230 Welcome"]),
            ])
        let server = server(peer) { $0.mode = .auto }
        let first = try Session.establish(server, id: 1, cancellation)
        #expect(first.security == nil)
        #expect(try Session.establish(server, id: 2, cancellation).security == nil)
        #expect(peer.outcome() == [])
    }

    @Test("with tls=auto a server that had TLS once may not refuse it later")
    func refusedLater() throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate), Self.upgrade + Self.login + [.accept] + Self.refused + [.expect("QUIT")])
        let server = server(peer) {
            $0.mode = .auto
            $0.pin = certificate.pin
        }
        let first = try Session.establish(server, id: 1, cancellation)
        #expect(first.security != nil)
        guard case .tlsRefused = refusal(of: server) else {
            Issue.record("logged in without TLS")
            return
        }
        #expect(peer.outcome() == [])
    }

    @Test("TLS from the first byte, also where PBSZ and PROT are not known", arguments: ["200 Fine", "502 What?"])
    func implicit(answer: String) throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate),
            [.secure, .send(["220 Hello"])] + Self.loginInClear + [
                .expect("PBSZ 0"), .send([answer]), .expect("PROT P"), .send([answer]),
            ])
        let server = server(peer) {
            $0.mode = .implicit
            $0.pin = certificate.pin
        }
        #expect(try Session.establish(server, id: 1, cancellation).security?.protectsData == true)
        #expect(peer.outcome() == [])
    }

    @Test("a server that speaks plain text where TLS comes first")
    func plainText() throws {
        let peer = try TLSPeer(
            .init(certificate: try TestCertificate()), [.sendInClear(["220 This is plain FTP"]), .awaitEnd])
        guard case .tlsFailed(let text) = refusal(of: server(peer) { $0.mode = .implicit }) else {
            Issue.record("no tlsFailed")
            return
        }
        #expect(text.contains("plain text") && text.contains("ftpes://"))
    }

    @Test("a server that is too old")
    func tooOld() throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: TLS1_2_VERSION),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        let error = refusal(
            of: server(peer) {
                $0.pin = certificate.pin
                $0.minimum = .tls13
            })
        guard case .tlsFailed(let text) = error else {
            Issue.record("no tlsFailed")
            return
        }
        #expect(text.contains("no version of TLS in common"))
        #expect(peer.outcome() == [])
    }

    @Test("PROT P refused: an error, that says what to do")
    func protectionRefused() throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate),
            Self.upgrade + Self.loginInClear + [
                .expect("PBSZ 0"), .send(["200 Fine"]), .expect("PROT P"), .send(["534 No"]), .expect("QUIT"),
            ])
        let error = refusal(of: server(peer) { $0.pin = certificate.pin })
        #expect(error == .tlsRefused(command: "PROT P", Reply(code: 534, lines: [Array("No".utf8)])))
        #expect("\(error.map { "\($0)" } ?? "")".contains("tls_data=clear"))
        #expect(peer.outcome() == [])
    }

    @Test("data in the clear, if the user wants that and the server allows it", arguments: [true, false])
    func dataInClear(isAllowed: Bool) throws {
        let certificate = try TestCertificate()
        let answer: [TLSPeer.Step] =
            isAllowed ? [.send(["200 Fine"])] : [.send(["534 No"]), .expect("PROT P"), .send(["200 Better"])]
        let peer = try TLSPeer(
            .init(certificate: certificate),
            Self.upgrade + Self.loginInClear + [.expect("PBSZ 0"), .send(["200 Fine"]), .expect("PROT C")] + answer)
        let server = server(peer) {
            $0.pin = certificate.pin
            $0.protectsData = false
        }
        #expect(try Session.establish(server, id: 1, cancellation).security?.protectsData == !isAllowed)
        #expect(peer.outcome() == [])
    }

    @Test(
        "a server that lets nobody in without TLS: the error says what to do",
        arguments: [
            "530 Non-anonymous sessions must use encryption.", "550 SSL/TLS required on the control channel",
            "421 Sorry, cleartext sessions and weak ciphers are not accepted on this server.",
        ])
    func encryptionDemanded(answer: String) throws {
        let peer = try TLSPeer(
            .init(certificate: try TestCertificate()),
            [.send(["220 Hello"]), .expect("USER me"), .send([answer]), .awaitEnd])
        let error = refusal(of: server(peer) { $0.mode = .off })
        guard case .loginRefused = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("mount with tls=explicit"))
        #expect(peer.outcome() == [])
    }

    // MARK: This side's certificate

    @Test("this side's certificate is shown to a server that asks")
    func ownCertificate() throws {
        let authority = try TestCertificate("Authority", isAuthority: true)
        let own = try TestCertificate("me", issuer: authority)
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate, clientAuthority: authority), Self.upgrade + Self.login)
        try own.withFile { path in
            let server = server(peer) {
                $0.pin = certificate.pin
                $0.certificate = path
                $0.key = Secret(own.keyPEM)
            }
            _ = try Session.establish(server, id: 1, cancellation)
        }
        #expect(peer.outcome() == [])
    }

    @Test("a server that asks in vain", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func ownCertificateMissing(version: Int32) throws {
        let certificate = try TestCertificate()
        let peer = try TLSPeer(
            .init(certificate: certificate, maximum: version, clientAuthority: try TestCertificate("Authority")),
            [.send(["220 Hello"]), .expect("AUTH TLS"), .send(["234 Go on"]), .failToSecure])
        guard case .tlsFailed(let text) = refusal(of: server(peer) { $0.pin = certificate.pin }) else {
            Issue.record("no tlsFailed")
            return
        }
        #expect(text.contains("tls_cert="))
        #expect(peer.outcome() == [])
    }

    @Test("files that are no certificate, no key, or another's key")
    func wrongFiles() throws {
        let own = try TestCertificate("me")
        func reason(_ change: (inout TLSSettings) -> Void) -> String {
            let server = SharedServer(Self.configuration(1, change))
            do throws(FTPError) {
                _ = try server.tlsContext()
                return ""
            } catch {
                if case .tlsSettings(let text) = error { return text }
                return "another error: \(error)"
            }
        }
        #expect(reason { $0.authorities = "/none" }.contains("tls_ca=/none cannot be read: No such file"))
        #expect(reason { $0.authorities = "/dev/null" }.contains("holds no certificate"))
        #expect(reason { $0.certificate = "/dev/null" }.contains("tls_cert=/dev/null holds no certificate"))
        try own.withFile { path in
            #expect(reason { $0.certificate = path }.contains("the key for tls_cert= cannot be used"))
            let other = try TestCertificate("other")
            #expect(
                reason {
                    $0.certificate = path
                    $0.key = Secret(other.keyPEM)
                }.contains("does not belong"))
        }
    }

    // MARK: Values

    @Test(
        "a pin is read in the forms that people have it in",
        arguments: [
            ("sha256:00" + String(repeating: "ff", count: 31), true),
            ("sha256:" + Array(repeating: "AB", count: 32).joined(separator: ":"), true),
            ("sha256:" + String(repeating: "A", count: 43) + "=", true),
            ("sha256//" + String(repeating: "/", count: 42) + "8=", true),
            ("sha256:" + String(repeating: "f", count: 63), false),
            ("sha256:" + String(repeating: "A", count: 60), false),
            (String(repeating: "f", count: 64), false),
            ("sha1:" + String(repeating: "f", count: 40), false),
            ("sha256:", false), ("", false), ("sha256:" + String(repeating: "A", count: 100_000), false),
        ])
    func pins(text: String, isGood: Bool) throws {
        let pin = CertificatePin(parsing: Array(text.utf8))
        #expect((pin != nil) == isGood)
        if let pin { #expect(CertificatePin(parsing: Array("\(pin)".utf8)) == pin) }
    }
}
