import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// What a mount needs of this machine runs out, or is taken away: programs get errors, the log has the cause and what
    /// helps, and it works again as soon as there is some.
    @Suite struct Resources {
        static let patience = Duration.seconds(30)

        // MARK: The spool directory

        @Test func `a read-only spool directory: writing fails with the remedy in the log, everything else works`()
            throws
        {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("read-only")
            let disk = try place.makeDirectory("disk")
            let made = try Shell.run("mount -t tmpfs -o size=8m,mode=700 tmpfs \"$D\"", ["D": disk])
            try #require(made.succeeded, "\(made)")
            defer { _ = try? Shell.run("umount -l \"$D\"", ["D": disk]) }
            let given = try Shell.run(
                "echo content >\"$ROOT/of-the-server\" && chown --reference=\"$ROOT\" \"$ROOT/of-the-server\"",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let mount = try MountedFileSystem(server, options: ["spool_dir=\(disk)/spool"])
            let outcome = try Shell.run(
                """
                mount -o remount,ro "$D" || exit 2
                (LC_ALL=C; echo x >"$MOUNT/new") 2>&1 | grep -q 'Input/output error' || exit 3
                test "$(cat "$MOUNT/of-the-server")" = content || exit 4
                mkdir "$MOUNT/directory" && rmdir "$MOUNT/directory" && rm "$MOUNT/of-the-server" || exit 5
                mount -o remount,rw "$D" || exit 6
                echo again >"$MOUNT/new" && test "$(cat "$ROOT/new")" = again && rm "$MOUNT/new"
                """, ["MOUNT": mount.path, "ROOT": server.root, "D": disk])
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            let line = mount.log().split(separator: "\n").first { $0.contains("Read-only file system") }
            #expect(line?.contains("make that directory writable, or mount with spool_dir= elsewhere") ?? false)
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        @Test func `a read-only mount needs no spool directory`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("unneeded")
            let file = place.path("file")
            try Files.write("", to: file)
            let mount = try MountedFileSystem(server, options: ["ro", "spool_dir=\(file)/spool"])
            let outcome = try Shell.run(
                """
                ls "$MOUNT" >/dev/null && "$FTPFS" status "$MOUNT" >/dev/null || exit 2
                (LC_ALL=C; echo x >"$MOUNT/new") 2>&1 | grep -q 'Read-only file system' || exit 3
                """, ["MOUNT": mount.path, "FTPFS": Repository.program])
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
            #expect(!mount.log().contains("is left in"))
        }

        @Test func `a spool directory that somebody removes is made again, and what is open goes on`() throws {
            let server = try TestServer.shared(.vsftpd)
            let place = try TemporaryDirectory("removed")
            let parent = try place.makeDirectory("spool")
            let mount = try MountedFileSystem(server, options: ["spool_dir=\(parent)"])
            let outcome = try Shell.run(
                """
                # Longer than what lies in one file together with others, which is open and goes on without a name.
                head -c 50000 /dev/urandom >"$SPOOL/large"
                exec 8>"$MOUNT/open" && cat "$SPOOL/large" >&8 || exit 2
                rm -rf "$SPOOL"/mount-* || exit 3
                cat "$SPOOL/large" >&8 || exit 4
                exec 8>&- || exit 5
                cat "$SPOOL/large" "$SPOOL/large" | cmp - "$ROOT/open" || exit 6
                cp "$SPOOL/large" "$MOUNT/new" && cmp "$SPOOL/large" "$ROOT/new" || exit 7
                test "$(stat -c %a "$SPOOL"/mount-*)" = 700 || exit 8
                cp "$SPOOL/large" "$SPOOL.large"
                rm -rf "$SPOOL" "$MOUNT/open" "$MOUNT/new"
                (LC_ALL=C; cp "$SPOOL.large" "$MOUNT/newer") 2>&1 | grep -q 'Input/output error' || exit 9
                rm -f "$MOUNT/newer" && echo small >"$MOUNT/small" && test "$(cat "$ROOT/small")" = small || exit 10
                rm "$MOUNT/small" && ls "$MOUNT" >/dev/null
                """, ["MOUNT": mount.path, "ROOT": server.root, "SPOOL": parent])
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            #expect(mount.log().contains("somebody has removed the spool directory: mount anew"))
            #expect(try mount.unmount(within: Self.patience) == .code(0))
            #expect(!mount.log().contains("is left in"), "it names a directory that is not there")
        }

        // MARK: Descriptors

        @Test func `with a few descriptors more than it has: errors at most, then it works`() throws {
            let server = try TestServer.shared(.vsftpd)
            let given = try Shell.run(
                "mkdir -p \"$ROOT/few\" && cd \"$ROOT/few\" && for i in $(seq 120); do echo $i >$i; done; chown -R --reference=\"$ROOT\" .",
                ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            defer { _ = try? Shell.run("rm -rf \"$ROOT/few\"", ["ROOT": server.root]) }
            // Each connection takes two of them.
            let mount = try MountedFileSystem(server, "few", options: ["connections=8"])
            let outcome = try Shell.run(
                """
                prlimit --pid $PID --nofile=$(($(ls /proc/$PID/fd | wc -l) + 4)):
                for i in $(seq 60); do eval "exec $((i + 20))>\\"\\$MOUNT/new$i\\"" && echo x >&$((i + 20)); done 2>"$MOUNT.errors"
                grep -vE 'Too many open files in system' "$MOUNT.errors" | grep -v '^ *$'
                for i in $(seq 60); do eval "exec $((i + 20))>&-" ; done 2>/dev/null
                # All that many programs read at once is right, or an error.
                seq 120 | xargs -P 30 -I{} sh -c 'read=$(cat "$MOUNT/{}" 2>/dev/null) && test "$read" != {} && echo "{} is $read"'
                prlimit --pid $PID --nofile=1024:
                test "$(cat "$MOUNT"/[0-9]* | wc -l)" = 120 || echo "not all of them"
                echo again >"$MOUNT/again" && rm -f "$MOUNT"/new* || echo "it does not write again"
                """, ["MOUNT": mount.path, "PID": String(mount.pid)], timeout: .seconds(120))
            #expect(outcome.output == "", "\(outcome)\(mount.log().suffix(5000))")
            #expect(mount.log().contains("Too many open files; allow more open files (ulimit -n"))
            #expect(mount.isRunning)
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        // MARK: Memory

        /// No program written in Swift survives a failed allocation. So memory is bounded, and this is the bound: with
        /// `cache_size=16M`, 150 MiB suffice for what is below, in a debug build.
        @Test(
            .enabled(
                if: getenv("TSAN_OPTIONS") == nil && getenv("ASAN_OPTIONS") == nil,
                "a sanitizer's own memory would be measured"))
        func `large directories, many files and large ones fit into 150 MiB`() throws {
            let server = try TestServer.shared(.vsftpd)
            let given = try Shell.run(
                """
                set -eu
                mkdir -p "$ROOT/memory/large" "$ROOT/memory/many"; cd "$ROOT/memory/large"
                seq -f 'a-rather-long-name-of-a-file-%06.0f.txt' 30000 | xargs touch
                cd ../many; for i in $(seq 300); do echo $i >$i; done
                head -c 60000000 /dev/urandom >../data; chown -R --reference="$ROOT" ..
                """, ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            defer { _ = try? Shell.run("rm -rf \"$ROOT/memory\"", ["ROOT": server.root]) }
            let mount = try MountedFileSystem(server, "memory", options: ["cache_size=16M"])
            let group = MemoryGroup(holding: mount.pid, limit: 150 << 20)
            defer { group?.remove() }
            let outcome = try Shell.run(
                """
                set -eu
                test $(ls -l "$MOUNT/large" | wc -l) = 30001
                test $(ls -l "$MOUNT/large" | wc -l) = 30001
                test $(cat "$MOUNT"/many/* | wc -l) = 300
                seq 30 | xargs -P 30 -I{} sh -c 'cmp "$MOUNT/data" "$ROOT/memory/data" && cp "$MOUNT/many/{}" "$MOUNT/many/copy{}"'
                cp "$MOUNT/data" "$MOUNT/copy" && cmp "$MOUNT/copy" "$ROOT/memory/data"
                """, ["MOUNT": mount.path, "ROOT": server.root], timeout: .seconds(300))
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            let peak = Self.peakMemory(of: mount.pid)
            #expect((1...(150 << 10)).contains(peak), "\(peak) KiB")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
        }

        /// What a process has had in memory at most (proc(5), `VmHWM`), in KiB; 0 when it is gone.
        private static func peakMemory(of process: Int32) -> Int {
            let line = Files.text("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }

        // MARK: Nothing is left

        @Test(arguments: TestServer.Kind.real)
        func `when the programs have ended, nothing is held any more`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let mount = try MountedFileSystem(server)
            let outcome = try Shell.run(
                """
                set -eu; cd "$MOUNT"; mkdir gauges; cd gauges; mkdir tree; for i in $(seq 20); do echo $i >tree/$i; done
                head -c 3000000 /dev/urandom >large; cp large other; cmp large other
                # A reader that goes away in the middle, one at random places, a writer that is killed, a file without a name.
                head -c 4096 large >/dev/null; dd if=large bs=4096 skip=300 count=1 status=none >/dev/null
                (exec 9>killed; echo x >&9; kill -KILL $BASHPID) || true
                exec 8>unnamed; rm unnamed; echo x >&8; exec 8>&-
                grep -r 7 tree >/dev/null; cat tree/* >/dev/null; ls -lR >/dev/null; mv tree moved; cd ..; rm -r gauges
                """, ["MOUNT": mount.path])
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(5000))")
            var left: [String] = []
            // The kernel tells of the last close behind the program's back.
            let isFree = try waitUntil(within: Self.patience) {
                left = try Self.held(mount.path)
                return left.isEmpty
            }
            #expect(isFree, "\(left)")
            #expect(try mount.unmount(within: Self.patience) == .code(0))
            #expect(!mount.log().contains("is left in"))
        }

        /// What the status of a mount says that is held, apart from what is kept for the next program.
        private static func held(_ path: String) throws -> [String] {
            let outcome = try Shell.run(
                [
                    "python3", "-c",
                    """
                    import json, subprocess, sys
                    status = json.loads(subprocess.check_output([sys.argv[1], "status", "--json", sys.argv[2]]))
                    cache = status["cache"]
                    for name in "handles", "streams", "spool_bytes":
                        if cache[name]: print(name, cache[name])
                    for name in "waiting_for_connection", "unanswered_requests", "unsent_files", "unsent_bytes":
                        if status[name]: print(name, status[name])
                    for connection in status["connections"]:
                        if connection["state"] != "idle": print(connection["state"], connection["command"])
                    """, Repository.program, path,
                ])
            guard outcome.succeeded else { throw TestFailure("status: \(outcome)") }
            return outcome.output.split(separator: "\n").map(String.init)
        }
    }
}

/// A bound that the kernel enforces on the memory of a process: a group of cgroups(7), where this user may make one.
private struct MemoryGroup {
    private let path: String

    /// `nil` where there is no such thing.
    init?(holding process: Int32, limit: Int) {
        let name = "ftpfs-test-\(process)"
        let (isFirst, isSecond) = (
            access("/sys/fs/cgroup/memory/memory.limit_in_bytes", W_OK) == 0,
            access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0
        )
        guard isFirst || isSecond else { return nil }
        path = isFirst ? "/sys/fs/cgroup/memory/\(name)" : "/sys/fs/cgroup/\(name)"
        guard mkdir(path, 0o755) == 0 else { return nil }
        do {
            try Files.write(String(limit), to: "\(path)/\(isFirst ? "memory.limit_in_bytes" : "memory.max")")
            try Files.write(String(process), to: "\(path)/cgroup.procs")
        } catch {
            remove()
            return nil
        }
    }

    /// Its process has to have ended, or goes back where all are.
    func remove() {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        for process in Files.text("\(path)/cgroup.procs").split(separator: "\n") {
            try? Files.write(String(process), to: "/\(parent)/cgroup.procs")
        }
        rmdir(path)
    }
}
