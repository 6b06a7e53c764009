import TestSupport
import Testing

extension Mounts {
    /// The server fails: programs get an error in time, and the mount lives on.
    ///
    /// Each test has a server of its own, whose transfers are slow enough to be in the middle of one for certain.
    @Suite struct Faults {
        /// Ten seconds for ``Mounted/large``: far more than it takes to see that a transfer has begun.
        static let rate = 2 << 20

        /// What a program may take to get its error: several times the `timeout=2` of the mount, since a busy machine and
        /// a repeated attempt are no fault, and far below what a person calls hanging.
        static let patience = Duration.seconds(30)

        struct Mounted {
            let server: TestServer
            let mount: MountedFileSystem
            /// The size of the file `large`.
            static let large = 20 << 20

            init(_ kind: TestServer.Kind) throws {
                server = try TestServer(kind, bytesPerSecond: Faults.rate)
                let outcome = try Shell.run(
                    """
                    set -eu; cd "$ROOT"
                    head -c \(Self.large) /dev/zero >large; echo small >small; mkdir other; echo inside >other/file
                    chown -R --reference=. .
                    """, ["ROOT": server.root])
                guard outcome.succeeded else { throw TestFailure("given: \(outcome)") }
                mount = try MountedFileSystem(
                    server, options: ["timeout=2", "retrans=0", "connect_timeout=2", "dir_ttl=1"])
            }

            /// Starts a program and returns once the server has announced the transfer with this verb.
            func begin(_ arguments: [String], until verb: String, in directory: TemporaryDirectory) throws
                -> ChildProcess
            {
                let mark = mount.mark()
                let program = try ChildProcess(
                    arguments, output: directory.path("output"), errors: directory.path("errors"))
                let hasBegun = waitUntil(within: Faults.patience) {
                    let lines = mount.commands(since: mark).lines
                    guard let sent = lines.firstIndex(where: { $0.isCommand && $0.verb == verb }) else { return false }
                    return lines[sent...].contains { !$0.isCommand && $0.text.hasPrefix("1") }
                }
                guard hasBegun else {
                    program.kill()
                    throw TestFailure("no \(verb) began:\n\(mount.log(since: mark))")
                }
                return program
            }

            /// `umount` succeeds and the process ends with 0.
            func expectCleanUnmount() throws {
                let exit = try mount.unmount(within: Faults.patience)
                #expect(exit == .code(0), "\(mount.holders())\(mount.log())")
            }

            /// Whether the mount works: reads, writes and lists, with the bytes compared.
            func works() throws -> Bool {
                let outcome = try Shell.run(
                    """
                    set -eu
                    test "$(cat "$MOUNT/small")" = small
                    ls "$MOUNT/other" >/dev/null
                    echo written >"$MOUNT/new"
                    test "$(cat "$ROOT/new")" = written
                    rm "$MOUNT/new"
                    """, ["MOUNT": mount.path, "ROOT": server.root])
                return outcome.succeeded
            }
        }

        @Test(arguments: TestServer.Kind.real)
        func `killed during a download: the reader gets an error, later all is well`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind)
            let output = try TemporaryDirectory("program")
            let reader = try mounted.begin(["cat", "\(mounted.mount.path)/large"], until: "RETR", in: output)

            try mounted.server.kill()
            let exit = reader.wait(within: Self.patience)
            reader.kill()
            #expect(exit == .code(1), "\(mounted.mount.log())")

            try mounted.server.restart()
            #expect(try waitUntil(within: Self.patience) { try mounted.works() }, "\(mounted.mount.log())")
            try mounted.expectCleanUnmount()
        }

        @Test(arguments: TestServer.Kind.real)
        func `killed during an upload: the writer gets an error, later all is well`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind)
            let output = try TemporaryDirectory("program")
            let writer = try mounted.begin(
                ["cp", "\(mounted.server.root)/large", "\(mounted.mount.path)/copy"], until: "STOR", in: output)

            try mounted.server.kill()
            let exit = writer.wait(within: Self.patience)
            writer.kill()
            #expect(exit == .code(1), "\(mounted.mount.log())")

            try mounted.server.restart()
            #expect(try waitUntil(within: Self.patience) { try mounted.works() }, "\(mounted.mount.log())")
            try mounted.expectCleanUnmount()
        }

        @Test(arguments: TestServer.Kind.real)
        func `silent during a download: the reader gets an error, later all is well`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind)
            let output = try TemporaryDirectory("program")
            let reader = try mounted.begin(["cat", "\(mounted.mount.path)/large"], until: "RETR", in: output)

            try mounted.server.pause()
            let listing = try Shell.run(["ls", "\(mounted.mount.path)/other"], timeout: Self.patience)
            let exit = reader.wait(within: Self.patience)
            reader.kill()
            #expect(exit == .code(1), "\(mounted.mount.log())")
            #expect(listing.exit == .code(2), "\(listing)\(mounted.mount.log())")

            try mounted.server.resume()
            #expect(try waitUntil(within: Self.patience) { try mounted.works() }, "\(mounted.mount.log())")
            try mounted.expectCleanUnmount()
        }

        @Test(arguments: TestServer.Kind.real)
        func `silent: umount works all the same`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind)
            #expect(try mounted.works())

            try mounted.server.pause()
            try mounted.expectCleanUnmount()
            try mounted.server.resume()
        }

        @Test(arguments: TestServer.Kind.real)
        func `killed: umount works all the same, also while a program waits`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind)
            let output = try TemporaryDirectory("program")
            let reader = try mounted.begin(["cat", "\(mounted.mount.path)/large"], until: "RETR", in: output)

            try mounted.server.kill()
            #expect(reader.wait(within: Self.patience) != nil)
            reader.kill()
            try mounted.expectCleanUnmount()
        }
    }
}
