import TestSupport
import Testing

extension Mounts {
    /// The attributes `user.ftpfs.*`, with `xattr`; and that nobody pays for them without it.
    @Suite(.timeLimit(.minutes(3))) struct ExtendedAttributes {
        /// getxattr(2) and listxattr(2), one line each: the value, or the error.
        static let ask = """
            python3 - "$@" <<'END'
            import os, sys
            path = sys.argv[1]
            for name in sys.argv[2:]:
                try:
                    print(name, os.getxattr(path, name).decode())
                except OSError as error:
                    print(name, os.strerror(error.errno))
            try:
                print(os.listxattr(path))
            except OSError as error:
                print(os.strerror(error.errno))
            END
            """

        /// Of "hello" and a line end.
        static let sha1 = "f572d396fae9206628714fb2ce00f72e94f2258f"
        static let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

        @Test(arguments: TestServer.Kind.available)
        func `say where a file is, how it is, and what it counts to`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind, given: "mkdir 'a b' c; echo hello >'a b/file'; echo hello >c/file", options: ["xattr"])
            let outcome = try mounted.run(
                "set -- 'a b/file' user.ftpfs.url user.ftpfs.state user.ftpfs.checksum user.ftpfs.none security.capability\n"
                    + Self.ask)
            let lines = outcome.output.split(separator: "\n").map(String.init)

            #expect(outcome.succeeded && lines.count == 6, "\(outcome)")
            #expect(lines.first == "user.ftpfs.url \(mounted.server.endpoint.url("own"))/a%20b/file")
            #expect(lines[1] == "user.ftpfs.state clean")
            // ProFTPD's mod_digest; the others have no command for it. With a blank in the name only one of its commands works.
            #expect(
                lines[2] == "user.ftpfs.checksum " + (kind == .proFTPD ? "sha1:\(Self.sha1)" : "No data available"))
            let plain = try mounted.run("set -- c/file user.ftpfs.checksum\n" + Self.ask).output
            #expect(
                plain.hasPrefix(
                    "user.ftpfs.checksum " + (kind == .proFTPD ? "sha256:\(Self.sha256)" : "No data available") + "\n"))
            #expect(
                Array(lines[3...]) == [
                    "user.ftpfs.none No data available", "security.capability No data available",
                    "Operation not supported",
                ])
        }

        @Test func `a file that is being written is dirty or under way, and has no checksum`() throws {
            let mounted = try Mounted(.proFTPD, given: ":", options: ["xattr"])
            let outcome = try mounted.run(
                """
                python3 - <<'END'
                import os
                file = open("new", "wb", buffering=0)
                file.write(b"text")
                print(os.getxattr("new", "user.ftpfs.state").decode())
                try:
                    print(os.getxattr("new", "user.ftpfs.checksum").decode())
                except OSError as error:
                    print(os.strerror(error.errno))
                file.close()
                print(os.getxattr("new", "user.ftpfs.state").decode())
                END
                """)
            let lines = outcome.output.split(separator: "\n")

            #expect(outcome.succeeded && lines.count == 3, "\(outcome)")
            #expect(lines.first == "dirty" || lines.first?.hasPrefix("uploading ") == true, "\(outcome)")
            #expect(lines.dropFirst() == ["No data available", "clean"])
        }

        @Test func `without the option nothing is asked twice, and with it no server is asked`() throws {
            let plain = try Mounted(.proFTPD, given: "for n in 1 2 3; do echo $n >$n; done")
            let asked = try plain.run("set -- 1 user.ftpfs.url user.ftpfs.state\n" + Self.ask)
            #expect(
                asked.output
                    == "user.ftpfs.url Operation not supported\nuser.ftpfs.state Operation not supported\nOperation not supported\n",
                "\(asked)")

            let with = try Mounted(.proFTPD, given: "for n in 1 2 3; do echo $n >$n; done", options: ["xattr"])
            _ = try with.run("ls -l")
            let commands = try with.commands(
                while: "ls -l; set -- 1 user.ftpfs.url user.ftpfs.state security.selinux system.posix_acl_access\n"
                    + Self.ask)
            #expect(commands.commands.isEmpty, "\(commands)")
        }
    }

    /// What people see on a terminal of 80 columns.
    @Suite(.timeLimit(.minutes(3))) struct Terminals {
        /// Runs a command on a terminal of so many columns and prints what it wrote there, escape sequences and all.
        static let terminal = """
            on() {
                python3 - "$@" <<'END'
            import fcntl, os, pty, struct, sys, termios
            columns, command = int(sys.argv[1]), sys.argv[2:]
            process, terminal = pty.fork()
            if process == 0:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
                os.execvp(command[0], command)
            while True:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    break
                if not data:
                    break
                sys.stdout.buffer.write(data)
            sys.stdout.flush()
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
            END
            }
            """

        /// The lines without what colours and moves the cursor (ECMA-48), each redrawing one by itself.
        private func lines(_ text: String) throws -> [String] {
            let bare = text.replacing(try Regex("\u{1B}\\[[0-9;]*[A-Za-z]"), with: "")
            return bare.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.map(String.init)
        }

        /// A big file that is read, while the mount is asked for its status, at 80 columns.
        @Test func `status with a transfer under way, probe, and unmount fit into 80 columns`() throws {
            let name = "a-file-with-a-rather-long-name-that-would-not-fit-into-a-line-beside-everything-else"
            let mounted = try Mounted(
                .proFTPD, given: "truncate -s 300M \(name)-to-read", options: ["uid=0", "gid=0", "dir_ttl=30"])
            let script = """
                \(Self.terminal)
                export TERM=xterm; unset NO_COLOR
                # It has read a part, and its stream waits for it to go on.
                (head -c 8M >/dev/null; touch "$WORK/begun"; exec sleep 100) <"$MOUNT/\(name)-to-read" & reader=$!
                until test -e "$WORK/begun"; do sleep 0.05; done
                on 80 "$FTPFS" status "$MOUNT"
                kill $reader; wait $reader || true
                on 80 "$FTPFS" probe "$URL" -o "credentials=$CREDENTIALS"
                head -c 20M /dev/zero >"$MOUNT/new"
                on 80 env NO_COLOR=1 "$FTPFS" status "$MOUNT" >"$WORK/plain"
                ! grep -q $'\\033' "$WORK/plain"
                "$FTPFS" status "$MOUNT" >"$WORK/piped"; ! grep -q $'\\033' "$WORK/piped"
                on 80 "$FTPFS" unmount "$MOUNT"
                """
            let directory = try TemporaryDirectory("terminal")
            try Files.write(
                "username=\(mounted.server.user)\npassword=\(mounted.server.password)\n",
                to: directory.path("credentials"))
            let outcome = try Shell.run(
                "set -eu; export LC_ALL=C.UTF-8\n" + script,
                [
                    "MOUNT": mounted.mount.path, "FTPFS": Repository.program, "WORK": directory.path,
                    "URL": mounted.server.endpoint.url("own"), "CREDENTIALS": directory.path("credentials"),
                ], timeout: .seconds(120))

            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.output.contains("\u{1B}[1m"), "there are colours on a terminal")
            let lines = try lines(outcome.output)
            #expect(
                lines.contains { $0.contains("Connections: ") } && lines.contains { $0.contains("reading") },
                "\(outcome)")
            // A path is not broken, however long the tests' directory has made it.
            for line in lines where !line.contains("/ftpfs-mount-") { #expect(line.count <= 80, "\(line)") }
        }
    }
}
