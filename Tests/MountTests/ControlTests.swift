import TestSupport
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// The commands that talk to a mount that runs.
    @Suite(.timeLimit(.minutes(10))) struct Control {
        private func ftpfs(_ arguments: String..., environment: [String: String] = [:]) throws -> Shell.Outcome {
            try Shell.run([Repository.program] + arguments, environment)
        }

        /// A mount that can be asked: the kernel has it a moment before.
        private func mounted(
            _ server: TestServer, _ path: String = "", options: [String] = []
        ) throws -> MountedFileSystem {
            let mount = try MountedFileSystem(server, path, options: options)
            guard waitUntil(within: .seconds(20), { mount.log().contains(" is mounted on ") }) else {
                throw TestFailure("the mount does not answer: \(mount.log())")
            }
            return mount
        }

        private func write(_ path: String, _ text: String) throws {
            let outcome = try Shell.run("printf %s \"$TEXT\" >\"$PLACE\"", ["PLACE": path, "TEXT": text])
            guard outcome.succeeded else { throw TestFailure("writing \(path): \(outcome)") }
        }

        /// A program that has written to a file in the mount, and keeps it open until its value goes.
        private final class Writer: Sendable {
            private let process: ChildProcess
            private let directory: TemporaryDirectory

            /// - Parameter bytes: how many.
            init(_ path: String, bytes: Int) throws {
                directory = try TemporaryDirectory("writer")
                let ready = directory.path("ready")
                let script = """
                    import os, signal, sys
                    file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
                    rest = int(sys.argv[2])
                    while rest > 0: rest -= os.write(file, b"x" * min(rest, 65536))
                    open(sys.argv[3], "w").close()
                    signal.pause()
                    """
                process = try ChildProcess(
                    ["python3", "-c", script, path, String(bytes), ready], output: directory.path("out"),
                    errors: directory.path("out"))
                guard waitUntil(within: .seconds(20), { access(ready, F_OK) == 0 || process.poll() != nil }),
                    process.poll() == nil
                else {
                    process.kill()
                    throw TestFailure("the writer did not come so far: \(Files.text(directory.path("out")))")
                }
            }

            func end() { process.kill() }

            deinit { process.kill() }
        }

        // MARK: status

        @Test func `the status shows a transfer while it runs`() throws {
            // Half a minute at this rate; it is ended long before.
            let server = try TestServer(.vsftpd, bytesPerSecond: 1_000_000)
            _ = try Shell.run("head -c 30000000 /dev/zero >\"$ROOT/big\"", ["ROOT": server.root])
            let mount = try mounted(server)
            let reading = try ChildProcess(["cat", "\(mount.path)/big"], output: "/dev/null", errors: "/dev/null")
            defer { reading.kill() }
            var text = ""
            #expect(
                try waitUntil(within: .seconds(20)) {
                    text = try ftpfs("status", mount.path).output
                    return text.contains("reading") && text.contains(" % of 30.0 MB")
                }, "\(text)")
            #expect(text.contains("ftp://127.0.0.1:\(server.port)/ on \(mount.path)\n"))
            #expect(text.contains("vsFTPd") && text.contains("/big") && text.contains("MB/s"))
            #expect(!text.contains("\u{1B}") && !text.contains(server.password))
            // Where the tests have their files is as long as it is.
            for line in text.split(separator: "\n") where !line.contains("/ftpfs-mount-") {
                #expect(line.count <= 80, "\(line)")
            }
            let json = try Shell.run(
                """
                $FTPFS status $MOUNT --json | python3 -c '
                import json, sys
                status = json.load(sys.stdin)
                reading = [c for c in status["connections"] if c["state"] == "reading"]
                print(len(reading), reading[0]["total_bytes"], reading[0]["bytes"] > 0, status["state"], status["pid"])
                '
                """, ["FTPFS": Repository.program, "MOUNT": mount.path])
            #expect(json.output == "1 30000000 True serving \(mount.pid)\n", "\(json)")
            let metrics = try ftpfs("status", mount.path, "--prometheus")
            #expect(metrics.output.contains("ftpfs_connections{mount_point=\"\(mount.path)\",state=\"reading\"} 1\n"))
        }

        @Test func `the status shows the encryption`() throws {
            let server = try TestServer(.proFTPD, .explicit)
            let mount = try mounted(server)
            let text = try ftpfs("status", mount.path).output
            #expect(text.contains(#/encryption   TLS 1\.[23], \w+/#), "\(text)")
            #expect(text.contains("ProFTPD"))
        }

        @Test func `the status shows what went wrong`() throws {
            let server = try TestServer(.proFTPD)
            // Else the root has been listed, and nobody has to be asked.
            let mount = try mounted(server, options: ["prefetch=off", "retrans=0"])
            try server.kill()
            _ = try Shell.run(["stat", "\(mount.path)/x"])
            let text = try ftpfs("status", mount.path).output
            #expect(text.contains("Recent problems\n") && text.contains("cannot be reached"), "\(text)")
        }

        @Test func `without a mount point the status is of all mounts, and watching ends with the mount`() throws {
            let server = try TestServer.shared(.proFTPD)
            let mount = try mounted(server)
            let all = try ftpfs("status", "--json")
            #expect(all.output.hasPrefix("[") && all.output.contains("\"mount_point\": \"\(mount.path)\""))
            let place = try TemporaryDirectory("watch")
            let watch = try ChildProcess(
                [Repository.program, "status", "--watch", mount.path], output: place.path("out"),
                errors: place.path("errors"))
            defer { watch.kill() }
            #expect(
                waitUntil(within: .seconds(20)) {
                    Files.text(place.path("out")).split(separator: "\n").count { $0.contains(" on \(mount.path)") } >= 2
                })
            #expect(try mount.unmount() == .code(0))
            #expect(watch.wait(within: .seconds(20)) == .code(0), "\(Files.text(place.path("errors")))")
        }

        // MARK: refresh

        @Test(arguments: TestServer.Kind.available)
        func `refresh shows at once what has changed on the server`(_ kind: TestServer.Kind) throws {
            let server = try TestServer(kind)
            let before = try Shell.run(
                "cd \"$ROOT\"; mkdir -p d/e; echo old >d/file; echo x >d/gone; echo x >d/e/deep; chmod -R a+rX d",
                ["ROOT": server.root])
            #expect(before.succeeded, "\(before)")
            let mount = try mounted(server, options: ["dir_ttl=3600"])
            let look = """
                cd "$MOUNT"
                ls . d d/e | tr '\\n' ' '; cat d/file; stat -c %n d/gone d/new new 2>&1 | sed 's/.*statx //' | tr '\\n' ' '
                """
            let environment = ["MOUNT": mount.path]
            let first = try Shell.run(look, environment).output
            #expect(first.contains("old\nd/gone 'd/new': No such file or directory 'new'"), "\(first)")
            let change = try Shell.run(
                """
                cd "$ROOT"; echo new >d/file; touch -r d/e/deep d/file; rm d/gone; echo x >d/new; echo x >new; echo x >d/e/n
                chmod a+r d/file d/new new d/e/n
                """, ["ROOT": server.root])
            #expect(change.succeeded, "\(change)")
            #expect(try Shell.run(look, environment).output == first)

            let outcome = try ftpfs("refresh", mount.path)

            #expect(outcome.succeeded && outcome.output == "" && outcome.errors == "", "\(outcome)")
            let second = try Shell.run(look, environment).output
            #expect(second.contains("new\n'd/gone': No such file or directory d/new new"), "\(second)")
            #expect(second.contains("deep n "))
        }

        @Test func `refresh takes a place in the mount, also the directory that one is in`() throws {
            let server = try TestServer.shared(.proFTPD)
            let root = "\(server.root)/refresh"
            _ = try Shell.run(
                "rm -rf \"$ROOT\"; mkdir -p \"$ROOT/a\" \"$ROOT/b\"; chmod -R a+rwX \"$ROOT\"", ["ROOT": root])
            let mount = try mounted(server, "refresh", options: ["dir_ttl=3600"])
            let outcome = try Shell.run(
                """
                cd "$MOUNT/a"; ls . ../b; echo 1 >"$ROOT/a/1"; echo 1 >"$ROOT/b/1"; chmod a+r "$ROOT"/*/1
                $FTPFS refresh . && $FTPFS refresh ./1 && ls . && ls ../b && pwd && /bin/pwd && cat 1
                """, ["MOUNT": mount.path, "ROOT": root, "FTPFS": Repository.program])
            #expect(outcome.output == ".:\n\n../b:\n1\n\(mount.path)/a\n\(mount.path)/a\n1\n", "\(outcome)")
        }

        @Test func `SIGHUP refreshes, and SIGUSR1 writes the status into the log`() throws {
            let server = try TestServer.shared(.pyftpdlib)
            let mount = try mounted(server, options: ["dir_ttl=3600"])
            let environment = ["MOUNT": mount.path, "ROOT": server.root, "PROCESS": "\(mount.pid)"]
            _ = try Shell.run("rm -f \"$ROOT/hup\"; ls \"$MOUNT\"; stat \"$MOUNT/hup\"", environment)
            _ = try Shell.run("echo 1 >\"$ROOT/hup\"; chmod a+r \"$ROOT/hup\"; kill -HUP $PROCESS", environment)
            #expect(waitUntil(within: .seconds(20)) { mount.log().contains("SIGHUP: ") })
            #expect(try Shell.run("cat \"$MOUNT/hup\"", environment).output == "1\n")
            _ = try Shell.run("kill -USR1 $PROCESS", environment)
            #expect(waitUntil(within: .seconds(20)) { mount.log().contains("status: Recent problems") })
            #expect(mount.log().contains("status:   serving for "))
            #expect(mount.isRunning)
        }

        // MARK: flush and unmount

        @Test(arguments: TestServer.Kind.real)
        func `flush sends what is written, while the program has it open`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let file = "\(server.root)/flushed"
            unlink(file)
            let mount = try mounted(server)
            let writer = try Writer("\(mount.path)/flushed", bytes: 100_000)
            #expect(Files.size(file) == 0)
            let status = try ftpfs("status", mount.path).output
            #expect(status.contains("Uploads: 1 file, 100.0 kB unsent\n") && status.contains("/flushed"), "\(status)")
            let outcome = try ftpfs("flush", mount.path)
            #expect(outcome.succeeded && outcome.errors == "", "\(outcome)")
            #expect(Files.size(file) == 100_000)
            #expect(try ftpfs("status", mount.path).output.contains("Uploads: nothing is unsent\n"))
            writer.end()
        }

        @Test func `unmount sends, waits for the process, and leaves nothing`() throws {
            let server = try TestServer.shared(.vsftpd)
            let mount = try mounted(server)
            try write("\(mount.path)/before", "hello")
            let outcome = try ftpfs("unmount", mount.path)
            #expect(outcome.succeeded && outcome.output == "" && outcome.errors == "", "\(outcome)")
            #expect(!mount.isMounted)
            #expect(Files.text("\(server.root)/before") == "hello")
            // It has told its last word, and has nothing left to do but to end.
            #expect(waitUntil(within: .seconds(10)) { !mount.isRunning })
            let again = try ftpfs("unmount", mount.path)
            #expect(again.exit == .code(1) && again.errors.contains("is not in an ftpfs mount; see ftpfs list"))
        }

        @Test func `unmount names who uses the mount, and has sent what was written`() throws {
            let server = try TestServer.shared(.proFTPD)
            let mount = try mounted(server)
            let writer = try Writer("\(mount.path)/used", bytes: 10_000)
            let outcome = try ftpfs("unmount", mount.path)
            #expect(outcome.exit == .code(32), "\(outcome)")
            #expect(
                outcome.errors.contains(#/is in use by python3[\w.]* \(\d+\); end that, or give --lazy/#), "\(outcome)")
            #expect(mount.isMounted && Files.size("\(server.root)/used") == 10_000)
            // Taken away all the same: who has a file open can go on with it.
            #expect(try ftpfs("unmount", "--lazy", mount.path).succeeded)
            #expect(!mount.isMounted && mount.isRunning)
            #expect(try ftpfs("list").output.contains("detached  \(mount.path)"))
            writer.end()
            #expect(waitUntil(within: .seconds(20)) { !mount.isRunning })
        }

        @Test func `what cannot be sent keeps the mount, and is named`() throws {
            let server = try TestServer(.proFTPD)
            let mount = try mounted(server, options: ["timeout=2"])
            let writer = try Writer("\(mount.path)/lost", bytes: 10_000)
            try server.kill()
            let outcome = try ftpfs("unmount", mount.path)
            #expect(outcome.exit == .code(32), "\(outcome)")
            let lines = outcome.errors.split(separator: "\n")
            #expect(lines.count == 2, "\(outcome)")
            #expect(lines.first?.contains("/lost was not sent: ") == true, "\(outcome)")
            #expect(lines.last?.contains("stays mounted, because not everything could be sent; try again") == true)
            #expect(mount.isMounted && mount.isRunning)
            try server.restart()
            #expect(try waitUntil(within: .seconds(20)) { try ftpfs("flush", mount.path).succeeded })
            #expect(Files.size("\(server.root)/lost") == 10_000)
            writer.end()
            #expect(try ftpfs("unmount", mount.path).succeeded)
        }

        @Test
        func `with writeback, unmount waits until everything is on the server, and the status shows what is left`()
            throws
        {
            // Two seconds for each of the files.
            let server = try TestServer(.vsftpd, bytesPerSecond: 1_000_000)
            let mount = try mounted(server, options: ["writeback"])
            let environment = ["MOUNT": mount.path]
            let made = try Shell.run("for i in 1 2 3; do head -c 2000000 /dev/zero >\"$MOUNT/$i\"; done", environment)
            #expect(made.succeeded, "\(made)")
            // However long the questions take, not everything is sent before they are answered.
            try server.pause()
            defer { try? server.resume() }
            let status = try ftpfs("status", mount.path).output
            #expect(status.contains(#/Uploads: \d files?, \d\.\d MB unsent/#) && status.contains("/3\n"), "\(status)")
            #expect(try ftpfs("list").output.contains(#/unsent/#))
            // Taken away by other means: its process is still there, and can be waited for.
            #expect(try Shell.run("fusermount3 -u \"$MOUNT\"", environment).succeeded)
            #expect(try ftpfs("list").output.contains("ending    \(mount.path)"))
            try server.resume()
            let outcome = try ftpfs("unmount", mount.path)
            #expect(outcome.succeeded && outcome.errors == "", "\(outcome)")
            for name in ["1", "2", "3"] { #expect(Files.size("\(server.root)/\(name)") == 2_000_000) }
        }

        // MARK: list, and dead mounts

        @Test func `list shows mounts that serve and mounts that are dead, and unmount removes those`() throws {
            let server = try TestServer.shared(.proFTPD)
            let mount = try mounted(server)
            /// Its line says this; the columns are as wide as the mounts of others need it.
            func isListed(as state: String) throws -> Bool {
                try ftpfs("list").output.split(separator: "\n").contains { line in
                    line.split(separator: " ").elementsEqual([
                        state[...], mount.path[...], "ftp://127.0.0.1:\(server.port)/",
                    ])
                }
            }
            #expect(try isListed(as: "serving"))
            let json = try ftpfs("list", "--json").output
            #expect(json.contains("\"mount_point\": \"\(mount.path)\"") && json.contains("\"pid\": \(mount.pid)"))
            kill(mount.pid, SIGKILL)
            #expect(waitUntil(within: .seconds(10)) { !mount.isRunning })
            #expect(try isListed(as: "dead"))
            let status = try ftpfs("status", mount.path)
            #expect(status.exit == .code(32))
            #expect(
                status.errors.hasSuffix(
                    "\(mount.path): the process of this mount is gone; run ftpfs unmount \(mount.path)\n"))
            #expect(try ftpfs("unmount", mount.path).succeeded)
            #expect(!mount.isMounted)
            #expect(try !ftpfs("list").output.contains(mount.path))
        }

        @Test func `a mount whose process is stopped is silent, and hangs nobody`() throws {
            let server = try TestServer.shared(.proFTPD)
            let mount = try mounted(server)
            kill(mount.pid, SIGSTOP)
            defer { kill(mount.pid, SIGCONT) }
            #expect(try ftpfs("list").output.contains("silent    \(mount.path)"))
        }

        // MARK: who may

        @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
        func `other users are refused`() throws {
            let server = try TestServer.shared(.proFTPD)
            let mount = try mounted(server)
            let place = try TemporaryDirectory("other")
            let script = """
                set -e
                cp "$FTPFS" "$PLACE/ftpfs"; chmod 755 "$PLACE/ftpfs"
                other() { setpriv --reuid 4711 --regid 4711 --clear-groups "$PLACE/ftpfs" "$@" 2>&1 || echo "exit $?"; }
                other status "$MOUNT"; other flush "$MOUNT"; other refresh "$MOUNT"; other unmount "$MOUNT"
                other unmount --lazy "$MOUNT"; other list
                """
            let environment = ["FTPFS": Repository.program, "PLACE": place.path, "MOUNT": mount.path]
            let refusal = "ftpfs: \(mount.path): this mount belongs to another user; ask its owner, or root\nexit 1\n"
            let outcome = try Shell.run(script, environment)
            #expect(outcome.output == String(repeating: refusal, count: 5), "\(outcome)")
            // Also who gets past the directory: it is not only the file system that keeps others out.
            let capable = """
                cp "$FTPFS" "$PLACE/ftpfs"; chmod 755 "$PLACE/ftpfs"
                setpriv --reuid 4711 --regid 4711 --clear-groups --inh-caps=+dac_override \
                    --ambient-caps=+dac_override "$PLACE/ftpfs" status "$MOUNT"
                """
            let refused = try Shell.run(capable, environment)
            #expect(refused.errors == "ftpfs: \(mount.path): this mount belongs to another user\n", "\(refused)")
            #expect(refused.exit == .code(32))
            #expect(try ftpfs("status", mount.path).succeeded)
        }

        /// fusermount3 wants a name for the user: `nobody` has one everywhere.
        @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"), arguments: [true, false])
        func `an ordinary user asks his own mount, and root may too`(_ hasRuntimeDirectory: Bool) throws {
            let server = try TestServer.shared(.proFTPD)
            let place = try TemporaryDirectory("ordinary")
            let script = """
                cp "$FTPFS" "$PLACE/ftpfs"; chmod 755 "$PLACE/ftpfs"; export HOME="$PLACE" FTPFS_PASSWORD="$PASSWORD"
                mkdir "$PLACE/mnt" "$PLACE/run"; chown 65534:65534 "$PLACE"/mnt "$PLACE/run"; chmod 700 "$PLACE/run"
                mkdir "$PLACE/spool"; chown 65534:65534 "$PLACE/spool"
                own() { setpriv --reuid 65534 --regid 65534 --clear-groups "$PLACE/ftpfs" "$@"; }
                trap 'umount -l "$PLACE/mnt" 2>/dev/null || true; rmdir /tmp/ftpfs-65534 2>/dev/null || true' EXIT
                set -e
                own "$URL" "$PLACE/mnt" -o spool_dir="$PLACE/spool",log_file="$PLACE/spool/log"
                ls "${XDG_RUNTIME_DIR:-/tmp/ftpfs-65534}" | sed "s/.*sock/socket/"
                own list; own status "$PLACE/mnt" | sed -n 2p | cut -d " " -f 3; own refresh "$PLACE/mnt"
                test "$XDG_RUNTIME_DIR" || "$FTPFS" status "$PLACE/mnt" | sed -n 2p | cut -d " " -f 3
                own unmount "$PLACE/mnt"
                ! grep " $PLACE/mnt " /proc/self/mountinfo
                """
            var environment = [
                "FTPFS": Repository.program, "PLACE": place.path, "PASSWORD": server.password,
                "URL": "ftp://\(server.user)@127.0.0.1:\(server.port)/", "XDG_RUNTIME_DIR": "",
            ]
            if hasRuntimeDirectory { environment["XDG_RUNTIME_DIR"] = place.path("run") }
            let outcome = try Shell.run(script, environment)
            let list = "serving   \(place.path)/mnt  ftp://127.0.0.1:\(server.port)/\n"
            let seen = hasRuntimeDirectory ? "ftpfs\n\(list)serving\n" : "socket\n\(list)serving\nserving\n"
            #expect(outcome.succeeded && outcome.output == seen && outcome.errors == "", "\(outcome)")
        }

        // MARK: mistakes

        @Test(arguments: [
            (["status", "/"], 1, "/ is not in an ftpfs mount; see ftpfs list"),
            (["unmount", "/nowhere"], 1, "/nowhere is not in an ftpfs mount; see ftpfs list"),
            (["refresh", "/proc"], 1, "/proc is not in an ftpfs mount; see ftpfs list"),
            (["flush"], 1, "Missing expected argument '<mountpoint>'; see ftpfs --help"),
            (["status", "--json", "--prometheus"], 1, "--json and --prometheus exclude each other; see ftpfs --help"),
        ])
        func `a mistake is one line`(_ arguments: [String], _ code: Int32, _ line: String) throws {
            let outcome = try Shell.run([Repository.program] + arguments)
            #expect(outcome.exit == .code(code) && outcome.output == "", "\(outcome)")
            #expect(outcome.errors == "ftpfs: \(line)\n")
        }

        @Test func `flush, status and unmount want the mount point itself`() throws {
            let mount = try mounted(try TestServer.shared(.proFTPD))
            for command in ["flush", "status", "unmount"] {
                let outcome = try ftpfs(command, "\(mount.path)/a/b")
                #expect(outcome.exit == .code(1))
                #expect(outcome.errors.contains("is inside the mount on \(mount.path); give \(mount.path)"))
            }
        }
    }
}
