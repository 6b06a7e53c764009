import TestSupport
import Testing

extension Mounts {
    /// Temporary files that a mount which was killed has left on the server.
    @Suite(.timeLimit(.minutes(5))) struct Clean {
        @Test(arguments: TestServer.Kind.available)
        func `status shows what was left on the server, and clean removes what is old`(
            _ kind: TestServer.Kind
        ) throws {
            let server = try TestServer(kind)
            let (old, young) = ("sub/.ftpfs-0123456789abcdef-report.odt", ".ftpfs-fedcba9876543210-young")
            let given = try Shell.run(
                """
                set -eu; cd "$ROOT"; mkdir sub; echo kept >sub/file
                echo old >"$OLD"; touch -d '3 hours ago' "$OLD"; echo young >"$YOUNG"; touch -d '30 minutes ago' "$YOUNG"
                chown -R --reference=. .
                """, ["ROOT": server.root, "OLD": old, "YOUNG": young])
            try #require(given.succeeded, "\(given)")
            let mount = try MountedFileSystem(server)
            #expect(waitUntil(within: .seconds(20)) { mount.log().contains(" is mounted on ") })
            func ftpfs(_ arguments: String...) throws -> Shell.Outcome {
                try Shell.run([Repository.program] + arguments)
            }

            #expect(try Shell.run(["find", mount.path]).output.contains(".ftpfs-") == false)
            let status = try ftpfs("status", mount.path)
            #expect(status.output.contains("Left on the server: 1 temporary file, 4 bytes"), "\(status)")
            #expect(status.output.contains("/sub/.ftpfs-0123456789abcdef-report.odt"))
            #expect(status.output.contains("ftpfs clean \(mount.path) removes them"))
            #expect(try ftpfs("status", "--json", mount.path).output.contains("\"left_over_files\": 1"))

            let clean = try ftpfs("clean", mount.path)
            #expect(clean.succeeded && clean.output == "removed /\(old)\n", "\(clean)")
            let left = try Shell.run("cd \"$ROOT\"; find . -type f | sort", ["ROOT": server.root]).output
            #expect(left == "./\(young)\n./sub/file\n")
            #expect(!(try ftpfs("status", mount.path).output.contains("Left on the server")))
            #expect(try ftpfs("clean", mount.path).output == "")
            #expect(try mount.unmount() == .code(0))
        }
    }
}
