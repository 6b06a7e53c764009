import EmbeddedFTPServer
import TestSupport
import Testing

extension Mounts {
    /// Every server, in the clear and by TLS, over IPv4 and IPv6: the everyday work on files through a mount, its bytes
    /// compared on the server's side.
    @Suite(.timeLimit(.minutes(5))) struct Matrix {
        /// One way to one server.
        struct Cell: Sendable, CustomTestStringConvertible {
            let kind: TestServer.Kind
            let security: Endpoint.Security
            /// Whether it speaks TLS 1.2 and nothing newer.
            var isOld = false
            let family: Endpoint.Family

            var testDescription: String { "\(kind), TLS \(security)\(isOld ? " 1.2" : ""), \(family)" }

            static let all = TestServer.Kind.available.flatMap { kind in
                [Cell(kind: kind, security: .explicit, isOld: true, family: .ipv4)]
                    + kind.ways.flatMap { security in
                        Endpoint.Family.allCases.map { Cell(kind: kind, security: security, family: $0) }
                    }
            }

            func start() throws -> Opposite {
                guard kind == .embedded else { return .real(try TestServer(kind, security, isOld: isOld, family)) }
                var policy: TLSPolicy? =
                    switch security {
                    case .off: nil
                    case .explicit: try .strict(.explicit)
                    case .implicit: try .strict(.implicit)
                    }
                if isOld { policy?.versions = .tls12 ... .tls12 }
                return .embedded(try SecureServer(policy, family))
            }

            /// Pure-FTPd gives out no tickets under TLS 1.3: there is nothing to resume, and it does not ask for that.
            var resumes: Bool { kind != .pureFTPd || isOld }
        }

        /// On the server's side, before the mount.
        static let given = """
            mkdir sub
            head -c 300000 /dev/urandom >given
            for number in $(seq 20); do echo "file $number" >sub/file-$number; done
            echo old >old
            """

        /// In the mount; `$ROOT` is the server's side.
        static let work = """
            cmp given "$ROOT/given"
            test "$(ls sub)" = "$(ls "$ROOT/sub")"
            cat sub/* | cmp - <(cat "$ROOT"/sub/*)
            head -c 3000000 /dev/urandom >"$SCRATCH/new"
            cp "$SCRATCH/new" written
            cmp "$SCRATCH/new" "$ROOT/written"
            cmp "$SCRATCH/new" written
            echo more >>written
            echo more >>"$SCRATCH/new"
            : >empty
            test -e "$ROOT/empty"
            mkdir made
            mv written made/renamed
            test ! -e "$ROOT/written"
            cmp "$SCRATCH/new" "$ROOT/made/renamed"
            mv old given
            test "$(cat "$ROOT/given")" = old
            test ! -e "$ROOT/old"
            rm sub/file-1
            test ! -e "$ROOT/sub/file-1"
            rm -r sub
            test "$(ls)" = "$(ls "$ROOT")"
            """

        @Test(arguments: Cell.all)
        func `reads, writes, lists, renames and deletes`(_ cell: Cell) throws {
            let opposite = try cell.start()
            let scratch = try TemporaryDirectory("matrix")
            let places = ["ROOT": opposite.root, "SCRATCH": scratch.path]
            let given = try Shell.run(
                "set -eu; cd \"$ROOT\"; \(Self.given)\nchown -R --reference=. .", places)
            try #require(given.succeeded, "\(given)")

            let mount = try MountedFileSystem(opposite.endpoint, name: "\(cell.kind)")
            let outcome = try Shell.run(
                "set -eu; export LC_ALL=C; cd \"$MOUNT\"\n\(Self.work)",
                places.merging(["MOUNT": mount.path]) { $1 })
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(try mount.unmount() == .code(0))

            try opposite.expectResumption(in: mount.log(), cell)
        }
    }

    /// The server of a test: one of the real ones, or the embedded one in this process.
    enum Opposite {
        case real(TestServer)
        case embedded(SecureServer)

        var endpoint: Endpoint {
            switch self {
            case .real(let server): server.endpoint
            case .embedded(let server): server.endpoint
            }
        }

        var root: String {
            switch self {
            case .real(let server): server.root
            case .embedded(let server): server.root
            }
        }

        /// How many data connections have resumed the session of their control connection, and how many have not, as
        /// the server says; `nil`: it says nothing.
        private func resumptions() throws -> (resumed: Int, others: Int)? {
            switch self {
            case .real(let server): return try server.resumptions()
            case .embedded(let server):
                let all = server.server.transcript.dataProtections
                let resumed = all.count { $0.version != nil && $0.resumption == .sameConnection }
                return (resumed, all.count - resumed)
            }
        }

        /// Expects that there were data connections, and that all of them have resumed a session, by what the server has
        /// written down, and by what OpenSSL says on this side.
        ///
        /// - Parameter log: the mount's.
        func expectResumption(in log: String, _ cell: Matrix.Cell) throws {
            let lines = log.split(separator: "\n").filter { $0.contains("] data: TLS") }
            guard cell.security != .off else {
                #expect(lines.isEmpty)
                return
            }
            #expect(!lines.isEmpty, "\(log.suffix(20_000))")
            #expect(lines.allSatisfy { $0.contains(cell.isOld ? "TLS 1.2" : "TLS 1.3") })
            #expect(lines.allSatisfy { $0.contains(cell.resumes ? "session resumed" : "new session") })
            if let seen = try resumptions() {
                #expect(seen.resumed > 0, "the server has not seen what the client has")
                #expect(seen.others == 0)
            }
        }
    }
}
