import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// The command: what it says and returns, and that nothing is left behind.
    @Suite struct CommandLine {
        /// Something wrong with a command line, as a script that ends by running `ftpfs`.
        ///
        /// The script finds `$FTPFS`, `$HOST`, `$PORT` and `$CREDENTIALS` of a server that runs, and an empty directory
        /// `$MOUNT`; it is in an empty directory.
        struct Mistake: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let script: String
            let exit: Int32
            /// What the one line has to name: the cause.
            let cause: String

            init(_ description: String, _ script: String, exit: Int32, cause: String) {
                testDescription = description
                self.script = script
                self.exit = exit
                self.cause = cause
            }
        }

        static let mistakes = [
            Mistake(
                "a wrong password",
                "printf 'username=ftpfs\\npassword=wrong\\n' >c; chmod 600 c; "
                    + "$FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=c",
                exit: 32, cause: "530|login|password"),
            Mistake(
                "an unknown host", "$FTPFS ftp://no-such-host.invalid/ $MOUNT -o credentials=$CREDENTIALS", exit: 32,
                cause: "no-such-host.invalid"),
            Mistake(
                "a port that nothing listens on", "$FTPFS ftp://$HOST:1/ $MOUNT -o credentials=$CREDENTIALS", exit: 32,
                cause: "refused"),
            Mistake(
                "a server that is not FTP",
                """
                python3 -c '
                import socket
                server = socket.create_server(("127.0.0.1", 0))
                print(server.getsockname()[1], flush=True)
                while True:
                    client = server.accept()[0]
                    client.sendall(b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n")
                    client.recv(100)
                    client.close()
                ' >port &
                trap "kill $!" EXIT
                until test -s port; do sleep 0.01; done
                $FTPFS ftp://$HOST:$(cat port)/ $MOUNT -o credentials=$CREDENTIALS
                """, exit: 32, cause: "FTP"),
            Mistake(
                "a directory that is not on the server",
                "$FTPFS ftp://$HOST:$PORT/no/such/directory $MOUNT -o credentials=$CREDENTIALS", exit: 32,
                cause: "no/such/directory"),
            Mistake(
                "a mount point that does not exist",
                "$FTPFS ftp://$HOST:$PORT/ $MOUNT/nothing -o credentials=$CREDENTIALS", exit: 1, cause: "nothing"),
            Mistake(
                "a mount point that is a file",
                "touch file; $FTPFS ftp://$HOST:$PORT/ $PWD/file -o credentials=$CREDENTIALS", exit: 1,
                cause: "directory"),
            Mistake(
                "a mount point that is not empty",
                "mkdir full; touch full/file; $FTPFS ftp://$HOST:$PORT/ $PWD/full -o credentials=$CREDENTIALS", exit: 1,
                cause: "empty"),
            Mistake(
                "a credentials file that is not there",
                "$FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=$PWD/nothing", exit: 1, cause: "nothing"),
            Mistake(
                "a credentials file that others can read",
                "cp $CREDENTIALS open; chmod 644 open; $FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=$PWD/open",
                exit: 1, cause: "open"),
            Mistake(
                "an unknown option",
                "$FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=$CREDENTIALS,conections=2", exit: 1,
                cause: "conections.*connections"),
            Mistake("no mount point", "$FTPFS ftp://$HOST:$PORT/", exit: 1, cause: "(?i)mount ?point"),
        ]

        @Test(arguments: mistakes)
        func `a mistake gives one line and an exit code, and leaves nothing`(_ mistake: Mistake) throws {
            let work = try Workplace()

            let outcome = try work.run(mistake.script)

            #expect(outcome.exit == .code(mistake.exit), "\(outcome)")
            #expect(outcome.output == "")
            #expect(outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(outcome)")
            #expect(outcome.errors.contains(try Regex(mistake.cause)), "\(outcome)")
            #expect(!outcome.errors.contains("horse"))
            #expect(try work.leavesNothing(), "\(work.left())")
        }

        @Test func `the command returns when the mount answers, and umount ends its process`() throws {
            let work = try Workplace()

            let outcome = try work.run(
                """
                echo hello >"$ROOT/hello"
                $FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=$CREDENTIALS,spool_dir=$PWD/spool
                test "$(cat $MOUNT/hello)" = hello
                grep " $MOUNT " /proc/self/mountinfo
                ! tr '\\0' ' ' </proc/$(pgrep -n -f " $MOUNT")/cmdline | grep horse
                fusermount3 -u $MOUNT
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.output.contains("ftp"), "the mount table names the server: \(outcome)")
            #expect(!outcome.output.contains("horse"))
            #expect(try work.leavesNothing(), "\(work.left())")
        }

        @Test(arguments: ["TERM", "INT"])
        func `a signal unmounts`(_ signal: String) throws {
            let work = try Workplace()

            let outcome = try work.run(
                """
                $FTPFS ftp://$HOST:$PORT/ $MOUNT -o credentials=$CREDENTIALS,spool_dir=$PWD/spool
                kill -\(signal) $(pgrep -n -f " $MOUNT")
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(try work.leavesNothing(), "\(work.left())")
        }

        /// A server that is known to run, and a place to run the command in.
        final class Workplace {
            private let server: TestServer
            private let directory: TemporaryDirectory
            private let mount: String

            init() throws {
                server = try TestServer.shared(.proFTPD)
                directory = try TemporaryDirectory("command")
                mount = try directory.makeDirectory("mount")
                try Files.write(
                    "username=\(server.user)\npassword=\(server.password)\n", to: directory.path("credentials"))
            }

            deinit {
                _ = try? run("fusermount3 -u -z $MOUNT; pkill -KILL -f \" $MOUNT\"")
            }

            func run(_ script: String) throws -> Shell.Outcome {
                try Shell.run(
                    "set -e; mkdir -p \"$WORK\"; cd \"$WORK\"\n" + script,
                    [
                        "FTPFS": Repository.program, "HOST": server.host, "PORT": String(server.port),
                        "MOUNT": mount, "CREDENTIALS": directory.path("credentials"), "ROOT": server.root,
                        "WORK": directory.path("work"), "LC_ALL": "C",
                    ])
            }

            /// What is still there: mounts and processes.
            func left() -> String {
                let script = "grep \" $MOUNT\" /proc/self/mountinfo || true; pgrep -a -f \" $MOUNT\" || true"
                return (try? run(script).output) ?? ""
            }

            /// Whether, after a moment, neither the mount nor a process is there.
            func leavesNothing() throws -> Bool {
                try waitUntil(within: .seconds(10)) {
                    try run("! grep -q \" $MOUNT\" /proc/self/mountinfo && ! pgrep -f \" $MOUNT\" >/dev/null").succeeded
                }
            }
        }
    }
}
