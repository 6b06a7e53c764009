import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// `writeback` through a mount, on real servers: what a close promises holds, whatever happens to the process.
    @Suite struct WriteBack {
        /// A server, and a spool directory that outlives the mounts of a test.
        struct Place {
            let server: TestServer
            let scratch: TemporaryDirectory

            init(_ kind: TestServer.Kind, bytesPerSecond: Int = 0) throws {
                server = try TestServer(kind, bytesPerSecond: bytesPerSecond)
                scratch = try TemporaryDirectory("writeback")
            }

            func mount(_ options: String...) throws -> MountedFileSystem {
                try MountedFileSystem(server, options: ["writeback", "spool_dir=\(scratch.path("spool"))"] + options)
            }

            func run(_ script: String, _ mount: MountedFileSystem? = nil) throws -> Shell.Outcome {
                try Shell.run(
                    "set -eu; export LC_ALL=C\n\(script)",
                    ["ROOT": server.root, "SCRATCH": scratch.path, "MOUNT": mount?.path ?? ""])
            }

            /// What is left in the spool directory.
            func spooled() throws -> String { try run("find \"$SCRATCH/spool\" -mindepth 1").output }
        }

        @Test func `where somebody removes the spool directory, close waits for the server, as without writeback`()
            throws
        {
            let place = try Place(.vsftpd)
            let mount = try place.mount("writeback_delay=60")
            let outcome = try place.run(
                """
                echo waits >"$MOUNT/waits"; test ! -e "$ROOT/waits"
                rm -rf "$SCRATCH"/spool/*
                for size in 6 100000; do
                    head -c $size /dev/urandom >"$SCRATCH/content"
                    cp "$SCRATCH/content" "$MOUNT/$size"
                    cmp "$SCRATCH/content" "$ROOT/$size"
                done
                """, mount)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(mount.log().contains("somebody has removed the spool directory: mount anew"))
            #expect(try mount.unmount() == .code(0))
            #expect(try place.run("cat \"$ROOT/waits\"").output == "waits\n")
        }

        @Test(arguments: TestServer.Kind.real)
        func `files are here at once, on the server after the unmount, and nothing is left`(
            _ kind: TestServer.Kind
        ) throws {
            let place = try Place(kind)
            let mount = try place.mount("writeback_delay=60")
            let outcome = try place.run(
                """
                cd "$MOUNT"
                mkdir sub
                for number in $(seq 30); do echo "file $number" >sub/$number; done
                test -z "$(ls "$ROOT/sub")"
                test "$(ls sub | wc -l)" = 30
                test "$(cat sub/7)" = "file 7"
                chmod 600 sub/1
                touch -d '2001-02-03 04:05:06 UTC' sub/2
                mv sub/3 sub/three
                rm sub/4
                echo more >>sub/5
                head -c 3000000 /dev/urandom >"$SCRATCH/large"
                cp "$SCRATCH/large" large
                cmp "$SCRATCH/large" large
                echo synced >synced
                sync synced
                test "$(cat "$ROOT/synced")" = synced
                test -z "$(ls "$ROOT/sub")"
                mv sub renamed
                test "$(cat "$ROOT/renamed/7")" = "file 7"
                echo last >renamed/last
                test ! -e "$ROOT/renamed/last"
                """, mount)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(try mount.unmount() == .code(0))
            let result = try place.run(
                """
                cd "$ROOT"
                cmp "$SCRATCH/large" large
                test "$(ls renamed | wc -l)" = 30
                test "$(cat renamed/three)" = "file 3"
                test "$(cat renamed/5)" = "file 5
                more"
                test "$(cat renamed/last)" = last
                test "$(stat -c %a renamed/1)" = 600
                """)
            #expect(result.succeeded, "\(result)\n\(mount.log())")
            #expect(try place.spooled() == "", "\(mount.log())")
        }

        @Test func `an unmount without the server ends, and the next mount sends what was left`() throws {
            let place = try Place(.vsftpd)
            let first = try place.mount("timeout=2", "connect_timeout=2", "writeback_delay=60")
            #expect(try place.run("cd \"$MOUNT\"; for n in $(seq 20); do echo $n >$n; done", first).succeeded)
            try place.server.kill()
            #expect(try first.unmount(within: .seconds(120)) == .code(0), "\(first.log())")
            #expect(first.log().contains("20 files are left for the next mount"))

            try place.server.restart()
            let second = try place.mount()
            #expect(
                try place.run("cd \"$MOUNT\"; test \"$(ls | wc -l)\" = 20; test \"$(cat 7)\" = 7", second).succeeded)
            #expect(try second.unmount() == .code(0))
            #expect(try place.run("cd \"$ROOT\"; test \"$(ls | wc -l)\" = 20; test \"$(cat 7)\" = 7").succeeded)
            #expect(try place.spooled() == "")
        }

        /// The server takes ten seconds for the file; whoever waited for it to the end would find it whole.
        @Test(arguments: TestServer.Kind.real)
        func `with a single connection the mount can be used while a large file is sent`(_ kind: TestServer.Kind) throws
        {
            let place = try Place(kind, bytesPerSecond: 2 << 20)
            #expect(try place.run("mkdir \"$ROOT/other\"").succeeded)
            let mount = try place.mount("connections=1", "writeback_delay=0")
            let outcome = try place.run(
                """
                head -c 20000000 /dev/urandom >"$SCRATCH/large"
                cp "$SCRATCH/large" "$MOUNT/large"
                until test -s "$ROOT/large"; do sleep 0.1; done
                ls "$MOUNT/other"
                test "$(stat -c %s "$ROOT/large")" -lt 20000000
                """, mount)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(try mount.unmount(within: .seconds(60)) == .code(0))
            #expect(try place.run("cmp \"$SCRATCH/large\" \"$ROOT/large\"").succeeded, "\(mount.log())")
        }

        @Test func `a change on the server is kept, and ours goes beside it`() throws {
            let place = try Place(.vsftpd)
            #expect(try place.run("echo old >\"$ROOT/file\"; chmod 666 \"$ROOT/file\"").succeeded)
            let mount = try place.mount("writeback_delay=60")
            #expect(try place.run("echo ours >\"$MOUNT/file\"; echo somebody >\"$ROOT/file\"", mount).succeeded)
            #expect(try mount.unmount() == .code(0))
            let outcome = try place.run(
                """
                cd "$ROOT"
                test "$(cat file)" = somebody
                test "$(cat file.conflict-*)" = ours
                test "$(ls | wc -l)" = 2
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(mount.log().contains("changed on the server while a new content waited here"))
        }

        @Test func `what the server refuses is in lost+found, with the reason`() throws {
            let place = try Place(.vsftpd)
            #expect(try place.run("mkdir \"$ROOT/closed\"; chmod 555 \"$ROOT/closed\"").succeeded)
            let mount = try place.mount("writeback_delay=0")
            #expect(try place.run("echo precious >\"$MOUNT/closed/file\"; echo fine >\"$MOUNT/file\"", mount).succeeded)
            #expect(try mount.unmount() == .code(0), "\(mount.log())")
            let outcome = try place.run(
                """
                test "$(cat "$ROOT/file")" = fine
                cd "$SCRATCH"/spool/*/lost+found
                test "$(cat unsent-*file)" = precious
                grep -q "path: /closed/file" unsent-*.txt
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mount.log())")
            #expect(mount.log().contains("/closed/file: not sent"))
        }

        @Test func `a second mount with writeback waits for the first, and is refused while that lasts`() throws {
            let place = try Place(.vsftpd)
            let first = try place.mount()
            #expect(throws: TestFailure.self) { _ = try place.mount("connect_timeout=1") }
            #expect(try first.unmount() == .code(0))
            #expect(try place.mount().unmount() == .code(0))
        }

        /// How often the next test kills a mount: `FTPFS_KILL_ROUNDS`, else some.
        static let rounds = getenv("FTPFS_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 8

        /// Works on files, and says what they must be.
        static let program = "\(Scenario.directory)/writeback.py"

        @Test(.timeLimit(.minutes(60)))
        func `killed at any moment: every file whose close has returned gets to the server, whole`() throws {
            let place = try Place(.vsftpd)
            var waited = 0
            for round in 0..<Self.rounds {
                // Half of the rounds send while the program writes on.
                let mount = try place.mount("writeback_delay=\(round % 2)")
                let output = try TemporaryDirectory("kill")
                let record = output.path("record")
                let writer = try ChildProcess(
                    ["python3", Self.program, "write", mount.path, record, "\(round)"],
                    output: output.path("output"), errors: output.path("output"))
                // After the first line: until then the directory is not in the mount.
                let goal = Int.random(in: 1...200)
                _ = waitUntil(within: .seconds(20)) {
                    Files.text(record).count { $0 == "\n" } >= goal || writer.poll() != nil
                }
                usleep(UInt32.random(in: 0...20_000))
                mount.kill()
                _ = writer.wait(within: .seconds(20))
                writer.kill()

                let next = try place.mount()
                #expect(try place.run("ls \"$MOUNT\"", next).succeeded)
                if next.log().contains("wait to be sent since the last mount") { waited += 1 }
                let end = try next.unmount(within: .seconds(60))
                #expect(end == .code(0), "round \(round)\n\(next.log())")
                let outcome = try Shell.run(
                    ["python3", Self.program, "check", place.server.root, record, "\(round)"])
                #expect(outcome.succeeded, "round \(round), killed after \(goal) lines\n\(outcome)\n\(next.log())")
                if !outcome.succeeded || end != .code(0) { break }
            }
            print("killed \(Self.rounds) times; \(waited) times something had to be sent by the next mount")
        }
    }
}
