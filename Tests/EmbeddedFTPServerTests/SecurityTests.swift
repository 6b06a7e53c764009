import Testing
import Threading

@testable import EmbeddedFTPServer

extension Servers {
    /// TLS as RFC 4217 has it, seen by Python's ftplib and ssl.
    @Suite(.enabled(if: isInstalled("python3"), "python3 is not installed"))
    struct Security {
        /// One way to reach the server.
        struct Way: Sendable, CustomTestStringConvertible {
            let start: TLSPolicy.Start
            let version: TLSPolicy.Version
            let host: String

            var testDescription: String { "\(start), \(version), \(host)" }

            static let all: [Way] = [TLSPolicy.Start.explicit, .implicit].flatMap { start in
                [TLSPolicy.Version.tls12, .tls13].flatMap { version in
                    ["127.0.0.1", "::1"].map { Way(start: start, version: version, host: $0) }
                }
            }
        }

        @Test(arguments: Way.all)
        func `serves over TLS, and sees that each data connection resumes its control connection's session`(_ way: Way)
            throws
        {
            let tree = sampleTree()
            tree.addPattern("big", size: 3_000_000)
            let all = try #require(tree.contents(of: "big"))
            var policy = try TLSPolicy(way.start)
            policy.requiresTLSForLogin = true
            policy.requiresTLSForData = true
            policy.requiresSessionReuse = true
            policy.requiresCloseNotifyOfUploads = true
            policy.requiresCloseNotifyOfDownloads = true
            try withSecureServer(tree, policy, host: way.host) { (server) throws in
                let output = try SecureClient.run(
                    server, policy, host: way.host, newest: way.version.rawValue,
                    """
                    c = Client().log_in()
                    big = c.get('big'); print(len(big))
                    print(c.put('copy', big)[:3], c.put('copy', b'tail', verb='APPE ')[:3])
                    print('copy' in c.nlst())
                    print(c.quit()[:3])
                    """)
                #expect(output == "3000000\n226 226\nTrue\n221", "\(server.transcript)")
                #expect(tree.contents(of: "copy") == all + bytes("tail"))
                let protections = server.transcript.protections
                #expect(protections.allSatisfy { $0.version == way.version })
                #expect(protections.map(\.verb) == [nil, "RETR", "STOR", "APPE", "NLST"])
                #expect(server.transcript.dataProtections.allSatisfy { $0.resumption == .sameConnection })
                #expect(server.transcript.dataProtections.allSatisfy { $0.gotCloseNotify })
            }
        }
    }
}
