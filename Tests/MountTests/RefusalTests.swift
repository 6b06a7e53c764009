import TestSupport
import Testing

extension Mounts {
    /// What a mount does not do is refused at once, with the right error.
    @Suite struct Refusals {
        /// A command and the end of what it says.
        struct Row: Sendable, CustomTestStringConvertible {
            let command: String
            let error: String

            var testDescription: String { command }
        }

        static let readOnly = [
            Row(command: "echo new >new", error: "Read-only file system"),
            Row(command: "echo more >>file", error: "Read-only file system"),
            Row(command: "rm file", error: "Read-only file system"),
            Row(command: "mv file other", error: "Read-only file system"),
            Row(command: "mkdir new", error: "Read-only file system"),
            Row(command: "rmdir directory", error: "Read-only file system"),
            Row(command: "chmod 600 file", error: "Read-only file system"),
            Row(command: "truncate -s 0 file", error: "Read-only file system"),
            Row(command: "touch -d 2001-01-01 file", error: "Read-only file system"),
        ]

        /// FTP has no word for any of these.
        static let impossible = [
            Row(command: "ln file hard-link", error: "Operation not (supported|permitted)"),
            Row(command: "mkfifo fifo", error: "Operation not (supported|permitted)"),
            Row(command: "mknod device c 1 3", error: "Operation not (supported|permitted)"),
        ]

        @Test(arguments: TestServer.Kind.available)
        func `a read-only mount reads, and changes nothing`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "echo text >file; mkdir directory", options: ["ro"])

            #expect(try mounted.run("cat file").output == "text\n")
            for row in Self.readOnly { try mounted.expect(row) }
            #expect(mounted.mount.commands().commands.allSatisfy { !Self.changing.contains($0.verb) })
        }

        static let changing: Set = ["STOR", "APPE", "DELE", "RNFR", "MKD", "RMD", "SITE", "MFMT"]

        @Test(arguments: TestServer.Kind.available)
        func `what FTP cannot do is refused`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "echo text >file")

            for row in Self.impossible { try mounted.expect(row) }
            #expect(try mounted.run("ls").output == "file\n")
        }
    }

    /// A mount of a directory that a shell script has filled on the server's side.
    struct Mounted {
        let server: TestServer
        let mount: MountedFileSystem

        /// - Parameter given: runs in the directory, on the server's side.
        init(_ kind: TestServer.Kind, given: String, options: [String] = []) throws {
            server = try TestServer.shared(kind)
            let outcome = try Shell.run(
                """
                set -eu
                rm -rf "$ROOT/own"; mkdir "$ROOT/own"; cd "$ROOT/own"
                \(given)
                chown -R --reference="$ROOT" "$ROOT/own"
                """, ["ROOT": server.root])
            guard outcome.succeeded else { throw TestFailure("given: \(outcome)") }
            mount = try MountedFileSystem(server, "own", options: options)
        }

        /// Runs a script in the mount; `$OWN` is its directory on the server's side.
        func run(_ script: String) throws -> Shell.Outcome {
            try Shell.run(
                "set -eu; export LC_ALL=C; cd \"$MOUNT\"; \(script)",
                ["MOUNT": mount.path, "OWN": "\(server.root)/own"])
        }

        /// The command fails with the error.
        func expect(_ row: Refusals.Row) throws {
            let outcome = try run(row.command)
            #expect(!outcome.succeeded, "\(row.command)")
            let words = try Regex(row.error)
            #expect(outcome.errors.contains(words), "\(row.command): \(outcome)\n\(mount.log())")
        }

        /// What is sent while a script runs in the mount.
        func commands(while script: String) throws -> CommandTrace {
            let mark = mount.mark()
            let outcome = try run(script)
            guard outcome.succeeded else { throw TestFailure("\(script): \(outcome)\n\(mount.log(since: mark))") }
            return mount.commands(since: mark)
        }
    }
}
