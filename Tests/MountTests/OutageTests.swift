import EmbeddedFTPServer
import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// The network or the server fails for a while: programs wait and go on where they were, whoever does not want to wait is let
    /// go at once, and an administrator is told what happens.
    @Suite struct Outages {
        static let patience = Duration.seconds(60)

        // MARK: Going on

        @Test(arguments: TestServer.Kind.real)
        func `an address translator forgets all connections: a reader and who asks next notice nothing`(
            _ kind: TestServer.Kind
        ) throws {
            let server = try TestServer(kind, bytesPerSecond: 1 << 20)
            let given = try Shell.run(
                """
                cd "$ROOT" && mkdir idle && echo inside >idle/file && head -c 3000000 /dev/urandom >large &&
                chown -R --reference=. .
                """, ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let place = try TemporaryDirectory("forgetful")
            let forget = place.path("forget")
            let proxy = try TestProxy(.socks5, forget: forget)
            let mount = try MountedFileSystem(
                server, options: ["proxy=socks5://127.0.0.1:\(proxy.port)", "timeout=2", "dir_ttl=600"])
            let reader = try ChildProcess(
                ["cmp", "\(mount.path)/large", "\(server.root)/large"], output: place.path("output"),
                errors: place.path("output"))
            defer { reader.kill() }
            let isBusy = waitUntil(within: Self.patience) {
                mount.commands().lines.contains { !$0.isCommand && $0.text.hasPrefix("1") }
            }
            try #require(isBusy, "\(mount.log())")

            try Files.write("", to: forget)
            let listed = try Shell.run(["cat", "\(mount.path)/idle/file"], timeout: Self.patience)

            #expect(listed.output == "inside\n", "\(listed)\(mount.log().suffix(10_000))")
            let exit = reader.wait(within: Self.patience)
            #expect(exit == .code(0), "\(Files.text(place.path("output")))\(mount.log().suffix(10_000))")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        @Test(arguments: TestServer.Kind.real)
        func `a file that changed while the server was away gives ESTALE, and its new content when opened again`(
            _ kind: TestServer.Kind
        ) throws {
            let server = try TestServer(kind, bytesPerSecond: 1 << 20)
            let given = try Shell.run(
                "cd \"$ROOT\" && head -c 8000000 /dev/zero >large && chown --reference=. large", ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let place = try TemporaryDirectory("stale")
            let mount = try MountedFileSystem(server)
            let reader = try ChildProcess(
                ["env", "LC_ALL=C", "cat", "\(mount.path)/large"], output: place.path("output"),
                errors: place.path("errors"))
            defer { reader.kill() }
            // The first bytes are with the program, so that it must not get the rest of another file.
            let isBusy = waitUntil(within: Self.patience) { Files.size(place.path("output")) > 0 }
            try #require(isBusy, "\(mount.log())")

            try server.kill()
            let changed = try Shell.run(
                """
                cd "$ROOT" && head -c 7000000 /dev/urandom >large && touch -d '2 hours ago' large &&
                chown --reference=. large
                """, ["ROOT": server.root])
            #expect(changed.succeeded, "\(changed)")
            try server.restart()

            #expect(reader.wait(within: Self.patience) == .code(1), "\(mount.log().suffix(10_000))")
            let said = Files.text(place.path("errors"))
            #expect(said.contains("Stale file handle"), "\(said)\(mount.log().suffix(10_000))")
            let again = try Shell.run(["cmp", "\(mount.path)/large", "\(server.root)/large"], timeout: Self.patience)
            #expect(again.succeeded, "\(again)\(mount.log().suffix(10_000))")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        // MARK: Being let go

        /// Where a server can fall silent, as rules for the embedded one, and a program that then waits for it. `new` stands for
        /// the next connection.
        struct Silence: Sendable, CustomTestStringConvertible {
            let name: String
            var rules: [FaultPlan.Rule] = []
            /// A shell command, `$MOUNT` being where it works.
            let program: String
            /// What the server has been asked when it waits for certain.
            let verb: String

            var testDescription: String { name }

            static let drop = FaultPlan.Rule.everyCommand(.dropControl(.beforeDoing)).onConnection(1)
        }

        static let silences: [Silence] = [
            Silence(
                name: "greeting", rules: [Silence.drop, .every(FaultPlan.greeting, .hang)],
                program: "ls \"$MOUNT/unseen\"",
                verb: FaultPlan.greeting),
            Silence(
                name: "login", rules: [Silence.drop, .every("PASS", .hang)], program: "ls \"$MOUNT/unseen\"",
                verb: "PASS"),
            Silence(name: "reply", rules: [.every("MLSD", .hang)], program: "ls \"$MOUNT/unseen\"", verb: "MLSD"),
            Silence(name: "passive", rules: [.every("EPSV", .hang)], program: "cat \"$MOUNT/file\"", verb: "EPSV"),
            Silence(
                name: "data", rules: [.every("RETR", .stallData(afterBytes: 1))], program: "cat \"$MOUNT/file\"",
                verb: "RETR"),
            Silence(
                name: "final reply", rules: [.every("STOR", .noFinalReply)], program: "echo x >\"$MOUNT/new\"",
                verb: "STOR"),
            Silence(name: "change", rules: [.every("MKD", .hang)], program: "mkdir \"$MOUNT/made\"", verb: "MKD"),
        ]

        @Test(arguments: silences, [SIGINT, SIGKILL])
        func `a program that waits for a silent server is ended by a signal, in whatever phase`(
            _ silence: Silence, _ signal: Int32
        ) throws {
            let server = try SecureServer(nil)
            let given = try Shell.run(
                "cd \"$ROOT\" && mkdir unseen && head -c 300000 /dev/zero >file", ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            // Nothing but the signal ends it within the patience of this test.
            let mount = try MountedFileSystem(
                server.endpoint, name: "silent",
                options: ["timeout=600", "hard", "connections=1", "pipelining=off", "dir_ttl=600"])
            let place = try TemporaryDirectory("silent")
            let warm = try Shell.run("ls \"$MOUNT\"; df \"$MOUNT\"", ["MOUNT": mount.path])
            #expect(warm.succeeded, "\(warm)")
            let mark = server.server.transcript.mark
            server.server.setFaults(FaultPlan(silence.rules))

            let waiting = try ChildProcess(
                ["bash", "-c", "exec 2>/dev/null; \(silence.program)"], environment: ["MOUNT": mount.path],
                output: place.path("output"), errors: place.path("output"))
            defer { waiting.kill() }
            let hasAsked = waitUntil(within: Self.patience) {
                silence.verb == FaultPlan.greeting
                    ? server.server.openConnections > 0 && Self.isWaiting(waiting.pid)
                    : server.server.transcript.since(mark).verbs.contains(silence.verb)
            }
            #expect(hasAsked, "\(mount.log().suffix(3000))")
            waiting.signal(signal)

            #expect(waiting.wait(within: Self.patience) != nil, "\(mount.log().suffix(3000))")
            // What is known is answered all the same.
            let cached = try Shell.run("ls \"$MOUNT\" && df \"$MOUNT\"", ["MOUNT": mount.path], timeout: Self.patience)
            #expect(cached.succeeded, "\(cached)\(mount.log().suffix(3000))")
            // What a killed writer has left is sent at the end, on a connection that works.
            server.server.setFaults(.none)
            server.server.dropAllConnections()
            #expect(try mount.unmount(within: Self.patience) == .code(0), "\(mount.log().suffix(3000))")
        }

        /// Whether a shell, or what it has started, waits in a request to the mount (proc(5)).
        private static func isWaiting(_ shell: Int32) -> Bool {
            let children = Files.text("/proc/\(shell)/task/\(shell)/children").split(separator: " ").map(String.init)
            return ([String(shell)] + children).contains { process in
                ["wchan", "stack"].contains { Files.text("/proc/\(process)/\($0)").contains("fuse") }
            }
        }

        // MARK: Being told

        @Test func `status, the log and SIGUSR1 tell of an outage: since when, why, what is next, and who waits`()
            throws
        {
            let server = try TestServer(.vsftpd)
            let given = try Shell.run(
                "cd \"$ROOT\" && mkdir unseen && chown --reference=. unseen", ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let mount = try MountedFileSystem(server, options: ["hard"])
            let place = try TemporaryDirectory("told")

            try server.kill()
            let waiting = try ChildProcess(
                ["ls", "\(mount.path)/unseen"], output: place.path("output"), errors: place.path("output"))
            defer { waiting.kill() }
            var text = ""
            // A request is shown when it is older than any should be.
            let isTold = try waitUntil(within: Self.patience) {
                text = try Shell.run([Repository.program, "status", mount.path]).output
                return text.contains("not been reachable") && text.contains("Requests: 1 without an answer")
            }
            #expect(isTold, "\(text)")
            for part in ["cannot connect to 127.0.0.1: Connection refused", "requests wait until it works", "  ls ("] {
                #expect(text.contains(part), "\(part): \(text)")
            }
            let mark = mount.mark()
            kill(mount.pid, SIGUSR1)
            let isDumped = waitUntil(within: Self.patience) {
                mount.log(since: mark).contains("status: The server has not been reachable")
            }
            #expect(isDumped, "\(mount.log(since: mark))")

            try server.restart()
            #expect(waiting.wait(within: Self.patience) == .code(0), "\(mount.log().suffix(3000))")
            let log = mount.log()
            // One line at its beginning, however often it is tried, and one at its end.
            let begins = log.split(separator: "\n").filter { $0.contains("warning: 127.0.0.1 cannot be reached: ") }
            #expect(begins.count == 1, "\(begins)")
            #expect(log.contains("notice: 127.0.0.1 works again, after "))
            #expect(!log.contains(server.password))
            let after = try Shell.run([Repository.program, "status", mount.path])
            #expect(!after.output.contains("not been reachable"), "\(after)")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        // MARK: The process is killed

        @Test func `a dead mount in which programs are is replaced all the same`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("inside")
            let directory = try place.makeDirectory("mount")
            let credentials = place.path("credentials")
            try Files.write("username=\(server.user)\npassword=\(server.password)\n", to: credentials)
            let given = try Shell.run(
                "mkdir -p \"$ROOT/inside\" && echo x >\"$ROOT/inside/file\" && chown -R --reference=\"$ROOT\" \"$ROOT/inside\"",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            defer {
                _ = try? Shell.run(
                    "umount -l \"$M\"; umount -l \"$M\"; rm -rf \"$ROOT/inside\"",
                    ["M": directory, "ROOT": server.root])
            }
            let arguments = [
                Repository.program, server.endpoint.url(""), directory, "-o",
                "credentials=\(credentials),spool_dir=\(place.path("spool"))",
            ]
            let first = try Shell.run(arguments)
            #expect(first.succeeded, "\(first)")
            // One has its working directory in it, the other one a file open.
            let inside = try ChildProcess(
                [
                    "bash", "-c",
                    "cd \"$0/inside\" && exec 9<file && read line <&9 && echo \"$line\" && while :; do sleep 0.1; done",
                    directory,
                ], output: place.path("output"), errors: place.path("output"))
            defer { inside.kill() }
            try #require(waitUntil(within: Self.patience) { Files.text(place.path("output")) == "x\n" })
            let killed = try Shell.run(
                """
                pid=$("$FTPFS" status --json "$M" | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*')
                kill -9 $pid; while LC_ALL=C stat -f "$M" >/dev/null 2>&1; do :; done
                """, ["FTPFS": Repository.program, "M": directory])
            #expect(killed.succeeded, "\(killed)")

            let second = try Shell.run(arguments)
            #expect(second.succeeded, "\(second)")
            #expect(second.errors.contains("removed the dead mount of ftp://"), "\(second)")
            let listed = try Shell.run("cat \"$M/inside/file\" && umount \"$M\"", ["M": directory])
            #expect(listed.output == "x\n", "\(listed)")
            // Who was inside gets errors, and can be ended.
            inside.signal(SIGTERM)
            #expect(inside.wait(within: Self.patience) != nil)
        }
    }
}
