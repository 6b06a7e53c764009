import EmbeddedFTPServer
import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// Many files and large ones by TLS, with one connection and with several.
    ///
    /// In the ordinary run the large file has 64 MiB, far more than all buffers on the way, and the small files are read
    /// with one connection and written with several. `FTPFS_BULK_MIB=1024` says how large, and that all is done with both.
    @Suite(.timeLimit(.minutes(60))) struct Bulk {
        struct Row: Sendable, CustomTestStringConvertible {
            let cell: Matrix.Cell
            let connections: Int

            var testDescription: String { "\(cell.testDescription), connections=\(connections)" }

            static let all = TestServer.Kind.available.flatMap { kind in
                [1, 4].map { Row(cell: .init(kind: kind, security: .explicit, family: .ipv4), connections: $0) }
            }
        }

        static let wanted = getenv("FTPFS_BULK_MIB").flatMap { Int(String(cString: $0)) }

        static let given = """
            mkdir many
            for number in $(seq 1000); do echo "the content of $number" >many/file-$number; done
            head -c ${MEBIBYTES}M /dev/urandom >down
            """

        static let readMany = """
            test "$(ls many | wc -l)" = 1000
            cat many/* | cmp - <(cat "$ROOT"/many/*)
            """

        static let writeMany = """
            cp -r "$ROOT/many" copy
            diff -r "$ROOT/many" "$ROOT/copy"
            test "$(ls copy | wc -l)" = 1000
            """

        static let moveLarge = """
            cmp down "$ROOT/down"
            cp "$ROOT/down" up
            cmp "$ROOT/down" "$ROOT/up"
            """

        @Test(arguments: Row.all)
        func `reads and writes 1000 small files and a large one`(_ row: Row) throws {
            let opposite = try row.cell.start()
            let mebibytes = Self.wanted ?? 64
            let many = row.connections == 1 ? [Self.readMany] : [Self.writeMany]
            let work = (Self.wanted == nil ? many : [Self.readMany, Self.writeMany]) + [Self.moveLarge]
            let places = ["ROOT": opposite.root, "MEBIBYTES": String(mebibytes)]
            // 1 MiB a second is a tenth of what the slowest machine does.
            let limit = Duration.seconds(120 + mebibytes)
            let given = try Shell.run(
                "set -eu; cd \"$ROOT\"; \(Self.given)\nchown -R --reference=. .", places, timeout: limit)
            try #require(given.succeeded, "\(given)")

            let mount = try MountedFileSystem(
                opposite.endpoint, name: "\(row.cell.kind)", options: ["connections=\(row.connections)"])
            let outcome = try Shell.run(
                "set -eu; export LC_ALL=C; cd \"$MOUNT\"\n\(work.joined(separator: "\n"))",
                places.merging(["MOUNT": mount.path]) { $1 }, timeout: limit)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log().suffix(20_000))")
            #expect(try mount.unmount() == .code(0))

            #expect(mount.commands().controlConnections <= row.connections)
            try opposite.expectResumption(in: mount.log(), row.cell)
        }
    }
}
