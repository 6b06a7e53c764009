import Testing
import Threading

@testable import EmbeddedFTPServer

extension Servers {
    /// What the server demands of clients that want TLS, and what it refuses.
    @Suite(.enabled(if: isInstalled("python3"), "python3 is not installed"))
    struct SecurityPolicies {
        // MARK: Commands

        /// Commands of a client without TLS, and the codes of their replies.
        struct Row: Sendable, CustomTestStringConvertible {
            let name: String
            let change: @Sendable (inout TLSPolicy) -> Void
            let commands: [String]
            let codes: [Int]

            var testDescription: String { name }
        }

        @Test(arguments: [
            Row(
                name: "AUTH with an unknown mechanism", change: { _ in },
                commands: ["AUTH KERBEROS_V4", "AUTH", "AUTH tls"], codes: [504, 550, 234]),
            Row(
                name: "AUTH SSL only", change: { $0.mechanisms = ["SSL"] }, commands: ["AUTH TLS", "AUTH SSL"],
                codes: [504, 234]),
            Row(
                name: "PBSZ and PROT before AUTH", change: { _ in }, commands: ["PBSZ 0", "PROT P"],
                codes: [503, 503]),
            Row(
                name: "logging in without TLS", change: { $0.requiresTLSForLogin = true },
                commands: ["USER joe", "PASS secret"], codes: [530, 503]),
            Row(
                name: "data without TLS", change: { $0.requiresTLSForData = true },
                commands: ["USER joe", "PASS secret", "EPSV", "LIST", "RETR a.txt", "STOR b.txt"],
                codes: [331, 230, 229, 522, 522, 522]),
        ])
        func `refuses in the clear`(_ row: Row) throws {
            var policy = try TLSPolicy(.explicit)
            row.change(&policy)
            let tree = sampleTree()
            try withSecureServer(tree, policy) { (server) throws in
                let client = try RawClient(server)
                _ = try client.reply()
                #expect(try row.commands.map { try client.code($0) } == row.codes)
                #expect(tree.contents(of: "b.txt") == nil)
            }
        }

        @Test func `knows no AUTH without TLS`() throws {
            try withSession { (_, client) throws in
                #expect(try ["AUTH TLS", "PBSZ 0", "PROT P"].map { try client.code($0) } == [500, 500, 500])
                #expect(try !client.command("FEAT").lines.contains(" AUTH TLS"))
            }
        }

        @Test func `orders PBSZ and PROT as RFC 4217 does`() throws {
            let policy = try TLSPolicy(.explicit)
            try withSecureServer(sampleTree(), policy) { (server) throws in
                let output = try SecureClient.run(
                    server, policy,
                    """
                    c = Client(); c.auth()
                    send = lambda *lines: print(*[outcome(lambda: c.sendcmd(line)) for line in lines])
                    send('AUTH TLS', 'PROT P', 'PBSZ 0', 'PROT S', 'PROT E', 'PROT X', 'PROT P', 'PROT C')
                    c._prot_p = False; send('USER joe', 'PASS secret'); print(len(c.get('a.txt')))
                    print(*c.sendcmd('FEAT').splitlines()[1:5])
                    """)
                #expect(
                    output
                        == """
                        530 503 200 536 536 504 200 200
                        331 230
                        6
                         AUTH TLS  AUTH SSL  PBSZ  PROT
                        """)
                #expect(server.transcript.dataProtections.map(\.version) == [nil])
            }
        }

        @Test(arguments: [
            (Dialect.vsftpd, 530, 522), (.proftpd, 550, 425), (.pureftpd, 421, 522), (.filezilla, 530, 425),
        ])
        func `speaks like the product`(dialect: Dialect, login: Int, refusal: Int) throws {
            var policy = try TLSPolicy(.explicit)
            policy.requiresTLSForLogin = true
            policy.requiresSessionReuse = true
            try withSecureServer(sampleTree(), policy, change: { $0.dialect = dialect }) { (server) throws in
                let client = try RawClient(server)
                _ = try client.reply()
                #expect(try client.code("USER joe") == login)
                let output = try SecureClient.run(
                    server, policy,
                    "c = Client().log_in(); c.reuses = False; print(outcome(lambda: c.get('a.txt')))")
                #expect(output == "\(refusal)")
            }
        }

        /// What one policy does to a client that does all it can.
        struct Demand: Sendable, CustomTestStringConvertible {
            let name: String
            let start: TLSPolicy.Start
            let newest: TLSPolicy.Version
            let change: @Sendable (inout TLSPolicy) -> Void
            let script: String
            let output: String

            init(
                _ name: String, _ start: TLSPolicy.Start = .explicit, newest: TLSPolicy.Version = .tls13,
                change: @escaping @Sendable (inout TLSPolicy) -> Void = { _ in }, _ script: String,
                gives output: String
            ) {
                (self.name, self.start, self.newest, self.change) = (name, start, newest, change)
                (self.script, self.output) = (script, output)
            }

            var testDescription: String { name }
        }

        private static let get = "print(outcome(lambda: c.get('a.txt').decode()))"

        @Test(arguments: [
            Demand(
                "PROT C is refused", change: { $0.requiresTLSForData = true },
                "c = Client().log_in(); print(outcome(c.prot_c))",
                gives: "534"),
            Demand(
                "PROT P is refused", change: { $0.refusesPrivateData = true }, "print(outcome(Client().log_in))",
                gives: "534"),
            Demand(
                "data is private from the start", .implicit, change: { $0.startsWithPrivateData = true },
                "c = Client(); ftplib.FTP.login(c, 'joe', 'secret'); c._prot_p = True; \(get)", gives: "hel"),
            Demand(
                "a session is not reused", change: { $0.requiresSessionReuse = true },
                "c = Client().log_in(); c.reuses = False; \(get); c.reuses = True; \(get)", gives: "522\nhel"),
            Demand(
                "a session is not reused, and the control connection ends",
                change: {
                    $0.requiresSessionReuse = true
                    $0.hangsUpWithoutSessionReuse = true
                }, "c = Client().log_in(); c.reuses = False; \(get); print(outcome(c.pwd))", gives: "522\nEOFError"),
            Demand(
                "a session of another control connection is not the own one",
                change: { $0.requiresSessionReuse = true },
                "d = Client().log_in(); c = Client().log_in(); c.session = d.sock.session; \(get)", gives: "522"),
            Demand(
                "no session is resumed under TLS 1.3",
                change: {
                    $0.requiresSessionReuse = true
                    $0.refusesResumptionUnderTLS13 = true
                }, "c = Client().log_in(); \(get)", gives: "522"),
            Demand(
                "but one is under TLS 1.2", newest: .tls12,
                change: {
                    $0.requiresSessionReuse = true
                    $0.refusesResumptionUnderTLS13 = true
                }, "c = Client().log_in(); \(get)", gives: "hel"),
            Demand(
                "a ticket is good for one resumption",
                change: {
                    $0.requiresSessionReuse = true
                    $0.acceptsTicketsOnce = true
                }, "c = Client().log_in(); c.session = c.sock.session; \(get); \(get)", gives: "hel\n522"),
            Demand(
                "a ticket can be used again", change: { $0.requiresSessionReuse = true },
                "c = Client().log_in(); c.session = c.sock.session; \(get); \(get)", gives: "hel\nhel"),
            Demand(
                "there are no tickets",
                change: {
                    $0.requiresSessionReuse = true
                    $0.ticketsPerHandshake = 0
                }, "c = Client().log_in(); \(get)", gives: "522"),
            Demand(
                "TLS 1.3 only", newest: .tls12, change: { $0.versions = .tls13 ... .tls13 },
                "print(outcome(Client().log_in))",
                gives: "SSLError"),
            Demand(
                "TLS 1.2 only", change: { $0.versions = .tls12 ... .tls12 },
                "c = Client().log_in(); print(c.sock.version())",
                gives: "TLSv1.2"),
            Demand(
                "a client without a certificate", newest: .tls12,
                change: { $0.clientAuthority = $0.identity.certificate }, "print(outcome(Client().log_in))",
                gives: "SSLError"),
        ])
        func `demands`(_ demand: Demand) throws {
            var policy = try TLSPolicy(demand.start)
            demand.change(&policy)
            try withSecureServer(sampleTree(), policy) { (server) throws in
                let output = try SecureClient.run(
                    server, policy, newest: demand.newest.rawValue, demand.script)
                #expect(output == demand.output, "\(server.transcript.protections)")
            }
        }

        @Test func `takes a client with a certificate of its authority`() throws {
            var policy = try TLSPolicy(.explicit)
            let client = try TLSIdentity()
            policy.clientAuthority = client.certificate
            try withTemporaryDirectory { (directory) throws in
                let file = "\(directory)/client.pem"
                try write(client.certificate + client.privateKey, to: file)
                try withSecureServer(sampleTree(), policy) { (server) throws in
                    let output = try SecureClient.run(
                        server, policy,
                        """
                        context.load_cert_chain('\(file)')
                        c = Client().log_in(); print(len(c.get('a.txt')))
                        """)
                    #expect(output == "6")
                }
            }
        }

        @Test(arguments: [TLSPolicy.Version.tls12, .tls13])
        func `tells whose session was resumed`(_ version: TLSPolicy.Version) throws {
            let policy = try TLSPolicy(.explicit)
            try withSecureServer(sampleTree(), policy) { (server) throws in
                _ = try SecureClient.run(
                    server, policy, newest: version.rawValue,
                    """
                    d = Client().log_in(); c = Client().log_in()
                    c.get('a.txt'); c.session = d.sock.session; c.get('a.txt'); c.reuses = False; c.get('a.txt')
                    """)
                let resumptions = server.transcript.dataProtections.map(\.resumption)
                #expect(resumptions == [.sameConnection, .otherConnection, .none])
                #expect(server.transcript.dataProtections.allSatisfy { $0.connection == 2 && $0.version == version })
            }
        }

        // MARK: close_notify

        @Test(arguments: [(true, "STOR", "426", "old"), (true, "APPE", "426", "oldnew"), (false, "STOR", "226", "new")])
        func `an upload without close_notify`(isStrict: Bool, verb: String, code: String, content: String) throws {
            var policy = try TLSPolicy(.explicit)
            policy.requiresCloseNotifyOfUploads = isStrict
            let tree = MemoryTree()
            tree.add("file", text: "old")
            try withSecureServer(tree, policy) { (server) throws in
                // Under 1.3 the tickets that Python leaves unread would make its system reset the connection.
                let output = try SecureClient.run(
                    server, policy, newest: "TLSv1.2",
                    """
                    c = Client().log_in()
                    print(outcome(lambda: c.put('file', b'new', in_order=False, verb='\(verb) ')))
                    print(outcome(lambda: c.put('other', b'other')))
                    """)
                #expect(output == "\(code)\n226")
                #expect(server.transcript.dataProtections.map(\.gotCloseNotify) == [false, true])
                // What STOR has begun cannot be undone; of the rest nothing is kept.
                let kept = isStrict && verb == "STOR" ? nil : bytes(content)
                #expect(tree.contents(of: "file") == kept)
            }
        }

        @Test func `a download whose client sends no close_notify`() throws {
            var policy = try TLSPolicy(.explicit)
            policy.requiresCloseNotifyOfDownloads = true
            try withSecureServer(sampleTree(), policy) { (server) throws in
                let output = try SecureClient.run(
                    server, policy,
                    """
                    c = Client().log_in()
                    connection = c.transfercmd('RETR a.txt'); connection.recv(100); connection.recv(100)
                    connection.close(); print(outcome(c.voidresp)); print(outcome(lambda: c.get('a.txt').decode()))
                    """)
                #expect(output == "426\nhel")
            }
        }

        // MARK: Certificates

        @Test(arguments: [
            ("DNS:localhost,IP:127.0.0.1", -3600, 3600, "220"),
            (
                "DNS:example.org", -3600, 3600,
                "not verified: IP address mismatch, certificate is not valid for '127.0.0.1'."
            ),
            ("IP:127.0.0.1", -7200, -3600, "not verified: certificate has expired"),
            ("IP:127.0.0.1", 3600, 7200, "not verified: certificate is not yet valid"),
        ])
        func `shows a certificate`(names: String, from: Int, until: Int, outcome: String) throws {
            let identity = try TLSIdentity(names: names, validFrom: from, validUntil: until)
            let policy = TLSPolicy(.implicit, identity: identity)
            try withSecureServer(MemoryTree(), policy) { (server) throws in
                let output = try SecureClient.run(server, policy, "print(outcome(lambda: Client().welcome))")
                #expect(output == outcome)
            }
        }

        @Test(.enabled(if: isInstalled("openssl"), "openssl is not installed"))
        func `tells the digests that pins are made of`() throws {
            let identity = try TLSIdentity()
            try withTemporaryDirectory { (directory) throws in
                let file = "\(directory)/certificate.pem"
                try write(identity.certificate, to: file)
                let digest = "| openssl dgst -sha256 | sed 's/.* //'"
                let certificate = try run(["sh", "-c", "openssl x509 -in \(file) -outform DER \(digest)"])
                let key = try run(
                    [
                        "sh", "-c",
                        "openssl x509 -in \(file) -pubkey -noout | openssl pkey -pubin -outform DER \(digest)",
                    ])
                #expect(certificate.output == hex(identity.certificateDigest) + "\n")
                #expect(key.output == hex(identity.publicKeyDigest) + "\n")
            }
        }

        @Test func `takes no certificate that is none, or that is another key's`() throws {
            let (one, other) = (try TLSIdentity(), try TLSIdentity())
            #expect(throws: TLSFailure.self) { try TLSIdentity(certificate: bytes("none"), key: one.privateKey) }
            #expect(throws: TLSFailure.self) { try TLSIdentity(certificate: one.certificate, key: bytes("none")) }
            #expect(throws: TLSFailure.self) { try TLSIdentity(certificate: one.certificate, key: other.privateKey) }
            #expect(try TLSIdentity(certificate: one.certificate, key: one.privateKey).certificate == one.certificate)
        }

        private func hex(_ bytes: [UInt8]) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
