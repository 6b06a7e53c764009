import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// What goes wrong around a mount does not reach the programs that use it, or reaches them as an error and never as a
    /// hang.
    @Suite struct Survival {
        /// Far below what a person calls hanging, far above what a busy machine needs for what asks nobody.
        static let patience = Duration.seconds(30)

        // MARK: The server comes and goes

        @Test(arguments: TestServer.Kind.real)
        func `killed and started anew during twenty reads and writes: nobody notices`(_ kind: TestServer.Kind) throws {
            let server = try TestServer(kind, bytesPerSecond: 2 << 20)
            let given = try Shell.run(
                """
                set -eu; cd "$ROOT"
                for i in $(seq 10); do head -c 4000000 /dev/urandom >in$i; done
                chown -R --reference=. .
                """, ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let mount = try MountedFileSystem(server)
            let output = try TemporaryDirectory("program")
            let copies = try ChildProcess(
                [
                    "bash", "-c",
                    """
                    for i in $(seq 10); do
                        cmp "$0/in$i" "$1/in$i" & pids="$pids $!"
                        (cp "$1/in$i" "$0/out$i" && cmp "$1/in$i" "$1/out$i") & pids="$pids $!"
                    done
                    code=0
                    for pid in $pids; do wait $pid || code=1; done
                    exit $code
                    """, mount.path, server.root,
                ], output: output.path("output"), errors: output.path("errors"))
            defer { copies.kill() }
            let isBusy = waitUntil(within: Self.patience) {
                let verbs = mount.commands().lines.filter(\.isCommand).map(\.verb)
                return verbs.contains("RETR") && verbs.contains("STOR")
            }
            try #require(isBusy, "\(mount.log())")

            try server.kill()
            try server.restart()

            let exit = copies.wait(within: .seconds(100))
            let said = Files.text(output.path("output")) + Files.text(output.path("errors"))
            #expect(exit == .code(0), "\(said)\(mount.log().suffix(20_000))")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
            let left = try Shell.run("ls -A \"$ROOT\" | grep '^\\.ftpfs' || true", ["ROOT": server.root])
            #expect(left.output == "", "left over: \(left.output)")
        }

        @Test(arguments: TestServer.Kind.real)
        func `paused: df, a cached ls and a cached stat do not wait, and an interrupt ends what does`(
            _ kind: TestServer.Kind
        ) throws {
            let server = try TestServer(kind)
            let given = try Shell.run(
                "cd \"$ROOT\" && mkdir seen unseen && touch seen/file && chown -R --reference=. .",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let mount = try MountedFileSystem(server, options: ["hard", "dir_ttl=600"])
            let warm = try Shell.run("ls -l \"$MOUNT\" \"$MOUNT/seen\"; df \"$MOUNT\"", ["MOUNT": mount.path])
            #expect(warm.succeeded, "\(warm)")

            try server.pause()
            defer { try? server.resume() }
            let mark = mount.mark()
            let cached = try Shell.run(
                "df \"$MOUNT\" && ls -l \"$MOUNT/seen\" && stat \"$MOUNT/seen/file\"", ["MOUNT": mount.path],
                timeout: Self.patience)
            #expect(cached.succeeded, "\(cached)\(mount.log(since: mark))")
            // Two programs that wait for the server; a signal that they could catch, and one that they cannot.
            for signal in [SIGINT, SIGKILL] {
                let output = try TemporaryDirectory("program")
                let waiting = try ChildProcess(
                    ["ls", "\(mount.path)/unseen"], output: output.path("output"), errors: output.path("errors"))
                defer { waiting.kill() }
                let asks = waitUntil(within: Self.patience) { Self.isWaiting(waiting.pid) }
                #expect(asks)
                waiting.signal(signal)
                #expect(waiting.wait(within: Self.patience) == .signal(signal))
            }
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        /// Whether a process waits in a request to the mount (proc(5): the kernel function in which it sleeps).
        private static func isWaiting(_ process: Int32) -> Bool {
            Files.text("/proc/\(process)/wchan").contains("fuse")
                || Files.text("/proc/\(process)/stack").contains("fuse")
        }

        // MARK: The process is killed

        @Test func `a dead mount is taken away by the next one, which says so`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("dead")
            let directory = try place.makeDirectory("mount")
            let credentials = place.path("credentials")
            try Files.write("username=\(server.user)\npassword=\(server.password)\n", to: credentials)
            let options = "credentials=\(credentials),spool_dir=\(place.path("spool"))"
            defer { _ = try? Shell.run("umount -l \"$M\"; umount -l \"$M\"", ["M": directory]) }
            let arguments = [Repository.program, server.endpoint.url(""), directory, "-o", options]

            let first = try Shell.run(arguments)
            #expect(first.succeeded, "\(first)")
            let killed = try Shell.run(
                "kill -9 $(\"$FTPFS\" status --json \"$M\" | grep -o '\"pid\": *[0-9]*' | grep -o '[0-9]*')",
                ["FTPFS": Repository.program, "M": directory])
            #expect(killed.succeeded, "\(killed)")
            let isDead = try waitUntil(within: Self.patience) {
                try Shell.run("LC_ALL=C stat -f \"$M\"", ["M": directory]).errors.contains("not connected")
            }
            #expect(isDead)

            let second = try Shell.run(arguments)
            #expect(second.succeeded, "\(second)")
            #expect(second.errors.contains("removed the dead mount of ftp://"), "\(second)")
            let listed = try Shell.run("ls \"$M\" && umount \"$M\"", ["M": directory])
            #expect(listed.succeeded, "\(listed)")
        }

        // MARK: Resources

        @Test func `out of descriptors: errors, no crash, and it works again`() throws {
            let server = try TestServer.shared(.vsftpd)
            let given = try Shell.run(
                "mkdir -p \"$ROOT/many\" && cd \"$ROOT/many\" && for i in $(seq 200); do echo $i >$i; done; chown -R --reference=\"$ROOT\" .",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            defer { _ = try? Shell.run("rm -rf \"$ROOT/many\"", ["ROOT": server.root]) }
            let mount = try MountedFileSystem(server, "many")
            let outcome = try Shell.run(
                """
                ls "$MOUNT" >/dev/null
                used=$(ls /proc/$PID/fd | wc -l)
                prlimit --pid $PID --nofile=$((used + 2)):
                # Each written file has a spool file of its own.
                exec 9>/dev/null
                for i in $(seq 60); do eval "exec $((i + 20))>\\"\\$MOUNT/new$i\\"" 2>/dev/null && echo x >&$((i + 20)); done 2>/dev/null
                for i in $(seq 60); do eval "exec $((i + 20))>&-" ; done 2>/dev/null
                prlimit --pid $PID --nofile=1024:
                cat "$MOUNT"/[0-9]* >/dev/null && echo again >"$MOUNT/again" && rm -f "$MOUNT"/new*
                """, ["MOUNT": mount.path, "PID": String(mount.pid)])
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            #expect(mount.isRunning)
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        @Test func `a full disk under the spool: ENOSPC, and what was there before stays`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("full")
            let disk = try place.makeDirectory("disk")
            let made = try Shell.run("mount -t tmpfs -o size=2m,mode=700 tmpfs \"$D\"", ["D": disk])
            try #require(made.succeeded, "\(made)")
            defer { _ = try? Shell.run("umount -l \"$D\"", ["D": disk]) }
            // Options later in the list win.
            let mount = try MountedFileSystem(server, options: ["spool_dir=\(disk)/spool"])
            let outcome = try Shell.run(
                """
                echo before >"$MOUNT/kept" || exit 2
                LC_ALL=C dd if=/dev/zero of="$MOUNT/kept" bs=64k count=200 conv=notrunc 2>&1 | grep -q 'No space left' || exit 3
                head -c 6 "$ROOT/kept"; rm -f "$MOUNT/kept" || exit 4
                echo after >"$MOUNT/small" && cat "$MOUNT/small" && rm "$MOUNT/small"
                """, ["MOUNT": mount.path, "ROOT": server.root])
            #expect(outcome.exit == .code(0), "\(outcome)\(mount.log().suffix(5000))")
            #expect(mount.isRunning)
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        // MARK: Rights

        @Test func `setuid and device bits are never honoured, whatever is asked for`() throws {
            let server = try TestServer.shared(.vsftpd)
            let given = try Shell.run(
                "cp /bin/true \"$ROOT/program\" && chown --reference=\"$ROOT\" \"$ROOT/program\" && chmod 6755 \"$ROOT/program\"",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            defer { _ = try? Shell.run("rm -f \"$ROOT/program\"", ["ROOT": server.root]) }
            let mount = try MountedFileSystem(server, options: ["suid", "dev"])
            let line = Files.text("/proc/self/mountinfo").split(separator: "\n").first {
                $0.contains(" \(mount.path) ")
            }
            let options = line?.split(separator: " ")[5].split(separator: ",") ?? []
            #expect(options.contains("nosuid") && options.contains("nodev"), "\(String(describing: line))")
            let mode = try Shell.run(["stat", "-c", "%a", "\(mount.path)/program"])
            #expect(mode.output == "755\n", "\(mode)")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
        func `with setuid the mount is served by that user, who alone can use and unmount it`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = "/var/tmp/ftpfs-setuid-\(getpid())"
            let environment = [
                "D": place, "FTPFS": Repository.program, "URL": server.endpoint.url(), "LOGIN": server.user,
                "FTPFS_PASSWORD": server.password,
            ]
            defer { _ = try? Shell.run("umount -l \"$D/mount\"; rm -rf --one-file-system -- \"$D\"", environment) }
            let outcome = try Shell.run(
                """
                set -eu
                mkdir -p "$D/mount" "$D/spool"; chmod 755 "$D"; chown nobody "$D/spool"
                "$FTPFS" "$URL" "$D/mount" -o "setuid=nobody,username=$LOGIN,spool_dir=$D/spool"
                process=$("$FTPFS" status --json "$D/mount" | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*')
                user=$(id -u nobody)
                test "$(awk '/^Uid:/ {print $2 "," $3 "," $4 "," $5}' /proc/$process/status)" = $user,$user,$user,$user
                test "$(awk '/^Groups:/ {print NF}' /proc/$process/status)" -le 2
                echo "root: $(ls "$D/mount" 2>&1 >/dev/null)"
                setpriv --reuid nobody --regid nogroup --clear-groups sh -c '
                    echo hello >"$D/mount/of-nobody" && cat "$D/mount/of-nobody" && rm "$D/mount/of-nobody" &&
                    stat -c %U "$D/mount" && fusermount3 -u "$D/mount"'
                """, environment)
            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.output.contains("Permission denied"), "root may use it: \(outcome)")
            #expect(outcome.output.hasSuffix("hello\nnobody\n"), "\(outcome)")
        }
    }
}
