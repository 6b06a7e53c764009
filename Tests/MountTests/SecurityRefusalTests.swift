import EmbeddedFTPServer
import TestSupport
import Testing

extension Mounts {
    /// Servers that are not who they should be, or do not protect what they should: no mount, and one line that says why.
    @Suite(.timeLimit(.minutes(5))) struct SecurityRefusals {
        /// A server and a command line.
        struct Row: Sendable, CustomTestStringConvertible {
            let testDescription: String
            /// `nil`: the server speaks no TLS.
            let policy: @Sendable () throws -> TLSPolicy?
            /// What goes wrong besides.
            var faults: [FaultPlan.Rule] = []
            /// How the URL begins.
            let scheme: String
            /// The options for the server: `$PIN` is its key's, `$CA` its certificate's file, `$OTHER_PIN` and `$OTHER_CA`
            /// are those of a stranger.
            let options: String
            /// What the line has to name; `nil`: the mount comes up.
            let cause: String?

            init(
                _ description: String, _ scheme: String, _ options: String, fault: FaultPlan.Rule? = nil,
                _ policy: @escaping @Sendable () throws -> TLSPolicy?, refused cause: String?
            ) {
                testDescription = description
                self.policy = policy
                self.scheme = scheme
                self.options = options
                self.cause = cause
                faults = fault.map { [$0] } ?? []
            }
        }

        static let rows = [
            // Certificates.
            Row(
                "nobody vouches for the certificate", "ftpes", "timeout=5", { try .strict(.explicit) },
                refused: "tls_pin=$PIN"),
            Row("likewise, implicit", "ftps", "timeout=5", { try .strict(.implicit) }, refused: "tls_pin=$PIN"),
            Row(
                "a stranger's authority", "ftpes", "tls_ca=$OTHER_CA", { try .strict(.explicit) },
                refused: "tls_pin=$PIN"),
            Row("its authority", "ftpes", "tls_ca=$CA", { try .strict(.explicit) }, refused: nil),
            Row("the pin that the error shows", "ftpes", "tls_pin=$PIN", { try .strict(.explicit) }, refused: nil),
            Row("a stranger's pin", "ftpes", "tls_pin=$OTHER_PIN", { try .strict(.explicit) }, refused: "tls_pin="),
            Row(
                "the certificate is for another host", "ftpes", "tls_ca=$CA",
                { TLSPolicy(.explicit, identity: try TLSIdentity(names: "DNS:example.org")) },
                refused: "127\\.0\\.0\\.1"),
            Row(
                "the certificate has expired", "ftps", "tls_ca=$CA",
                { TLSPolicy(.implicit, identity: try TLSIdentity(validFrom: -7200, validUntil: -3600)) },
                refused: "expired.*tls_pin=$PIN"),
            Row(
                "for another host and expired, but pinned", "ftpes", "tls_pin=$PIN",
                {
                    let names = "DNS:example.org"
                    let identity = try TLSIdentity(names: names, validFrom: -7200, validUntil: -3600)
                    return TLSPolicy(.explicit, identity: identity)
                }, refused: nil),
            Row("any certificate", "ftpes", "tls_verify=no", { try .strict(.explicit) }, refused: nil),
            // No TLS.
            Row("explicit, and the server has no TLS", "ftpes", "timeout=5", { nil }, refused: "AUTH TLS"),
            Row("implicit, and the server has no TLS", "ftps", "timeout=5", { nil }, refused: "plain text"),
            Row("auto, and the server has no TLS", "ftp", "tls=auto", { nil }, refused: nil),
            Row(
                "auto, and the server demands it", "ftp", "tls=auto,tls_ca=$CA", { try .strict(.explicit) },
                refused: nil),
            Row(
                "auto does not trust everybody", "ftp", "tls=auto", { try .strict(.explicit) }, refused: "tls_pin=$PIN"),
            Row("off, and the server demands it", "ftp", "timeout=5", { try .strict(.explicit) }, refused: "(?i)tls"),
            Row(
                "only AUTH SSL", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.mechanisms = ["SSL"]
                    return policy
                }, refused: nil),
            // Versions.
            Row(
                "older than wanted", "ftpes", "tls_ca=$CA,tls_min=1.3",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.versions = .tls12 ... .tls12
                    return policy
                }, refused: "version of TLS"),
            // Data connections.
            Row(
                "PROT P is refused", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy(.explicit)
                    policy.refusesPrivateData = true
                    return policy
                }, refused: "PROT P.*tls_data=clear"),
            Row(
                "PROT P is refused, and that is fine", "ftpes", "tls_ca=$CA,tls_data=clear",
                {
                    var policy = try TLSPolicy(.explicit)
                    policy.refusesPrivateData = true
                    return policy
                }, refused: nil),
            Row(
                "sessions are demanded and not resumed under TLS 1.3", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.refusesResumptionUnderTLS13 = true
                    return policy
                }, refused: nil),
            Row(
                "likewise, and the server hangs up", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.refusesResumptionUnderTLS13 = true
                    policy.hangsUpWithoutSessionReuse = true
                    return policy
                }, refused: nil),
            Row(
                "each ticket is good once", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.acceptsTicketsOnce = true
                    return policy
                }, refused: nil),
            Row(
                "the end of downloads is waited for", "ftps", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.implicit)
                    policy.requiresCloseNotifyOfDownloads = true
                    return policy
                }, refused: nil),
            // Attacks and failures.
            Row(
                "bytes in the clear follow the reply to AUTH", "ftpes", "tls_ca=$CA",
                fault: .every("AUTH", .appendToReply(Array("230 Welcome\r\n".utf8))), { try .strict(.explicit) },
                refused: "plain text"),
            Row(
                "the handshake stalls", "ftpes", "tls_ca=$CA,connect_timeout=2",
                fault: .every(FaultPlan.handshake, .stallHandshake), { try .strict(.explicit) },
                refused: "TLS handshake in time"),
            Row(
                "downloads end without close_notify", "ftpes", "tls_ca=$CA", fault: .every("RETR", .omitCloseNotify),
                { try .strict(.explicit) }, refused: nil),
            Row(
                "nobody vouches for this client", "ftpes", "tls_ca=$CA",
                {
                    var policy = try TLSPolicy.strict(.explicit)
                    policy.clientAuthority = policy.identity.certificate
                    return policy
                }, refused: "tls_cert="),
        ]

        @Test(arguments: rows)
        func `mounts what can be trusted, and nothing else`(_ row: Row) throws {
            let policy = try row.policy()
            let server = try SecureServer(policy, trusted: false, row.faults)
            let attempt = try MountAttempt(server, policy)

            let outcome = try attempt.run(row.scheme, row.options)

            if let cause = row.cause {
                let words = try Regex(attempt.filled(cause))
                #expect(outcome.exit == .code(32), "\(outcome)\n\(server.server.transcript)")
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
                #expect(outcome.errors.contains(words), "\(outcome)")
                #expect(!outcome.errors.contains("horse"))
            } else {
                #expect(outcome.succeeded, "\(outcome)\n\(server.server.transcript)\n\(attempt.log())")
            }
            #expect(try attempt.leavesNothing())
        }

        @Test func `a client's certificate is shown to a server that wants one`() throws {
            let own = try TLSIdentity()
            var policy = try TLSPolicy.strict(.explicit)
            policy.clientAuthority = own.certificate
            let server = try SecureServer(policy, trusted: false)
            let file = try server.file("client.pem", own.certificate + own.privateKey)
            let attempt = try MountAttempt(server, policy)

            let outcome = try attempt.run("ftpes", "tls_ca=$CA,tls_cert=\(file)")

            #expect(outcome.succeeded, "\(outcome)\n\(attempt.log())")
        }

        @Test func `the server of 'ftpfs serve --tls' is trusted by the option that it prints`() throws {
            let directory = try TemporaryDirectory("serve")
            let served = try directory.makeDirectory("served")
            let outcome = try Shell.run(
                """
                set -eu
                mkdir mount; echo hello >"$SERVED/file"
                "$FTPFS" serve "$SERVED" --tls explicit --listen ::1 >printed &
                trap 'umount mount 2>/dev/null || true; kill $!; wait $! || true' EXIT
                until test "$(wc -l <printed)" = 2; do sleep 0.01; done
                url=$(sed -n 1p printed) option=$(sed -n 's/^-o //p' printed)
                case $url in ftpes://\\[::1\\]:*) ;; *) echo "the URL is $url"; exit 1 ;; esac
                "$FTPFS" "$url" mount -o "spool_dir=$PWD/spool,$option"
                test "$(cat mount/file)" = hello
                """.replacing("mkdir mount", with: "cd \"$WORK\"; mkdir mount"),
                ["FTPFS": Repository.program, "SERVED": served, "WORK": directory.path])
            #expect(outcome.succeeded, "\(outcome)")
        }
    }

    /// One run of the command against a server, with what it leaves behind.
    final class MountAttempt {
        private let server: SecureServer
        private let directory: TemporaryDirectory
        private let words: [String: String]

        init(_ server: SecureServer, _ policy: TLSPolicy?) throws {
            self.server = server
            directory = try TemporaryDirectory("attempt")
            let stranger = try TLSIdentity()
            words = [
                "$PIN": policy.map { Self.pin($0.identity) } ?? "", "$OTHER_PIN": Self.pin(stranger),
                "$CA": try policy.map { try server.file("server.pem", $0.identity.certificate) } ?? "",
                "$OTHER_CA": try server.file("other.pem", stranger.certificate),
            ]
            _ = try directory.makeDirectory("mount")
            try Files.write("username=ftpfs\npassword=correct horse\n", to: directory.path("credentials"))
            try Files.write("hello\n", to: server.root + "/file")
        }

        deinit {
            _ = try? shell("umount --lazy mount || fusermount3 -u -z mount")
        }

        private static func pin(_ identity: TLSIdentity) -> String {
            "sha256:" + identity.publicKeyDigest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }

        /// The text with its `$` words filled in.
        func filled(_ text: String) -> String {
            // The longer ones first: one is the end of another.
            words.sorted { $0.key.count > $1.key.count }.reduce(text) { $0.replacing($1.key, with: $1.value) }
        }

        /// Mounts, reads and writes a file, and unmounts.
        func run(_ scheme: String, _ options: String) throws -> Shell.Outcome {
            try shell(
                """
                "$FTPFS" \(scheme)://127.0.0.1:\(server.endpoint.port)/ mount \
                    -o "credentials=$PWD/credentials,spool_dir=$PWD/spool,log_file=$PWD/log,\(filled(options))" || exit
                test "$(cat mount/file)" = hello
                head -c 300000 /dev/urandom >new
                cp new mount/new
                cmp new "$ROOT/new"
                cmp new mount/new
                fusermount3 -u mount
                """)
        }

        /// The mount's log.
        func log() -> String { Files.text(directory.path("log")) }

        /// Whether, after a moment, neither the mount nor a process is there.
        func leavesNothing() throws -> Bool {
            try waitUntil(within: .seconds(10)) {
                try shell("! grep -q \" $PWD/mount \" /proc/self/mountinfo && ! pgrep -f \" $PWD/mount\" >/dev/null")
                    .succeeded
            }
        }

        private func shell(_ script: String) throws -> Shell.Outcome {
            try Shell.run(
                "set -eu; export LC_ALL=C; cd \"$WORK\"\n\(script)",
                ["FTPFS": Repository.program, "WORK": directory.path, "ROOT": server.root])
        }
    }
}
