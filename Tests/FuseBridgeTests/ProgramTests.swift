import Testing
import Threading

extension MountTests {
    /// Ordinary programs find an ordinary file system.
    @Suite(.serialized) struct ProgramTests {
        struct Script: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var script: String
            var text: String
        }

        @Test(arguments: [
            Script(
                testDescription: "ls -la", script: "ls -la | sed -n 's/ \\+/ /g;/hello/p;/blocked/p'",
                text: "drwxr-xr-x 1 root root 0 Sep 9 2001 blocked\n-rw-r--r-- 1 root root 12 Sep 9 2001 hello\n"),
            Script(testDescription: "cat", script: "cat hello", text: "hello world\n"),
            Script(
                testDescription: "cat of a file whose reads another thread answers", script: "cat later",
                text: "later world\n"),
            Script(
                testDescription: "cat of a file whose reads nobody answers: EIO, not a hang",
                script: "cat dropped || true", text: "cat: dropped: Input/output error\n"),
            Script(
                testDescription: "a name that is not there", script: "cat none || true",
                text: "cat: none: No such file or directory\n"),
            Script(
                testDescription: "a directory of 10,000 entries",
                script: "find many -type f | wc -l; ls -l many | wc -l",
                text: "10000\n10001\n"),
            Script(
                testDescription: "dd and cp of 20 MiB, compared",
                script: """
                    dd if=/dev/urandom of="$W/random" bs=1M count=20 status=none
                    dd if="$W/random" of=one bs=777777 status=none
                    cp one two; cmp two "$W/random"; stat -c %s two; rm one two
                    """,
                text: "20971520\n"),
            Script(
                testDescription: "dd conv=notrunc in the middle",
                script: "printf abcdef >f; printf XY | dd of=f bs=1 seek=2 conv=notrunc status=none; cat f; rm f",
                text: "abXYef"),
            Script(
                testDescription: "O_APPEND", script: "echo a >f; echo b >>f; echo c >>f; cat f; rm f", text: "a\nb\nc\n"
            ),
            Script(testDescription: "O_TRUNC", script: "echo long >f; echo s >f; cat f; rm f", text: "s\n"),
            Script(
                testDescription: "O_EXCL", script: "set -C; echo a >f; (echo b >f) 2>\"$W/err\" || cat f; rm f",
                text: "a\n"),
            Script(
                testDescription: "truncate up and down",
                script: "printf abc >f; truncate -s 5 f; od -An -c f; truncate -s 2 f; cat f; rm f",
                text: "   a   b   c  \\0  \\0\nab"),
            Script(
                testDescription: "touch -d, also before 1970",
                script: "for t in 2001-02-03T04:05:06.123456789 1960-01-01; do touch -d $t f; stat -c %y f; done; rm f",
                text: "2001-02-03 04:05:06.123456789 +0000\n1960-01-01 00:00:00.000000000 +0000\n"),
            Script(
                testDescription: "chmod and chown",
                script: "echo >f; chmod 640 f; chown 7:8 f; stat -c '%a %u %g' f; rm f",
                text: "640 7 8\n"),
            Script(
                testDescription: "mv within, over another file, and of a directory",
                script: """
                    mkdir d e; echo 1 >d/f; echo 2 >e/f; mv d/f e/f; cat e/f; mv e d/; cat d/e/f
                    mv -n d/e/f d/e/f2; ls d/e; rm -r d
                    """,
                text: "1\n1\nf2\n"),
            Script(
                testDescription: "an open file keeps its content when its name goes",
                script: "echo kept >f; exec 3<f; rm f; ls f 2>/dev/null || cat <&3", text: "kept\n"),
            Script(
                testDescription: "rmdir of a full directory", script: "mkdir d; echo >d/f; rmdir d || rm -r d",
                text: "rmdir: failed to remove 'd': Directory not empty\n"),
            Script(
                testDescription: "symbolic links", script: "ln -s hello l; readlink l; cat l; stat -c %F l; rm l",
                text: "hello\nhello world\nsymbolic link\n"),
            Script(
                testDescription: "what FTP cannot do: EPERM at once",
                script: "ln hello h || mkfifo p || mknod c c 1 3 || true",
                text: """
                    ln: failed to create hard link 'h' => 'hello': Operation not permitted
                    mkfifo: cannot create fifo 'p': Operation not permitted
                    mknod: c: Operation not permitted

                    """),
            Script(
                testDescription: "mknod of a regular file",
                script: "python3 -c 'import os, stat; os.mknod(\"r\", 0o640 | stat.S_IFREG)'; stat -c '%F %a' r; rm r",
                text: "regular empty file 640\n"),
            Script(
                testDescription: "extended attributes: EOPNOTSUPP",
                script: "python3 -c 'import os; os.getxattr(\"hello\", \"user.a\")' 2>&1 | tail -1",
                text: "OSError: [Errno 95] Operation not supported: 'hello'\n"),
            Script(
                testDescription: "names: blanks, signs, UTF-8, bytes that are not UTF-8, 255 bytes",
                script: """
                    n=$(printf '%0255d' 7)
                    for f in 'a b' '#%[]*?' 'é' "$(printf 'x\\377')" "$n"; do echo 1 >"$f"; cat "$f"; rm "$f"; done
                    """,
                text: "1\n1\n1\n1\n1\n"),
            Script(
                testDescription: "a name with a newline: not there, and not to be made",
                script: "n=\"$(printf 'a\\nb')\"; cat \"$n\" 2>&1 | tail -c 26; (echo >\"$n\") 2>&1 | tail -c 17",
                text: "No such file or directory\nInvalid argument\n"),
            Script(
                testDescription: "a name of 256 bytes", script: "cat \"$(printf '%0256d' 7)\" 2>&1 | tail -c 19",
                text: "File name too long\n"),
            Script(
                testDescription: "df", script: "df -k . | awk 'NR==2 {print $(NF-4), $(NF-3), $(NF-2)}'",
                text: "8388608 6291456 2097152\n"),
            Script(
                testDescription: "the mount table: source and type",
                script: "awk -v m=\"$M\" '$2 == m {print $1, $3}' /proc/mounts",
                text: "memory,\\040with\\040a\\040\\134comma fuse.memory\n"),
            Script(
                testDescription: "locks hold between programs of this machine",
                script: "exec 3<hello; flock -n 3; (exec 4<hello; flock -n 4) || echo locked", text: "locked\n"),
            Script(
                testDescription: "mmap, read and written",
                script: """
                    head -c 8192 /dev/zero | tr '\\0' x >m
                    python3 -c 'import mmap
                    f = open("m", "r+b"); m = mmap.mmap(f.fileno(), 0)
                    m[4096:4100] = b"abcd"; m.flush()'
                    dd if=m bs=1 skip=4094 count=8 status=none; rm m
                    """,
                text: "xxabcdxx"),
        ])
        func ordinaryPrograms(_ script: Script) throws {
            let mount = try MountedMemory()
            let (code, text) = try mount.run(script.script)
            #expect(text == script.text)
            #expect(code == 0)
        }

        @Test func nothingIsLeftBehind() throws {
            // Given a mount in which files were made, looked at and removed,
            let mount = try MountedMemory()
            let before = try mount.run("cat status").text
            _ = try mount.run(
                "for i in 1 2 3 4 5 6 7 8; do echo $i >f$i; mkdir d$i; ls -la d$i >/dev/null; done; rm -r f? d?")
            // then their nodes and handles are gone, because every lookup was given back.
            #expect(waitUntil(.after(.seconds(30))) { (try? mount.run("cat status").text) == before })
        }

        @Test func aReadOnlyMountRefusesChanges() throws {
            let mount = try MountedMemory(["ro"])
            #expect(try mount.run("cat hello; touch new || true").text.hasSuffix("Read-only file system\n"))
        }

        @Test func whatTheKernelIsToldToForgetItAsksForAgain() throws {
            // Given content that the kernel may keep for an hour,
            let mount = try MountedMemory(["ttl=3600"])
            #expect(try mount.run("cat hello").text == "hello world\n")
            // when it changes and the kernel is told,
            mount.server.signal(10)  // SIGUSR1
            // then the new content shows.
            #expect(waitUntil(.after(.seconds(30))) { (try? mount.run("cat hello").text) == "changed world\n" })
        }

        @Test func manyProgramsAtOnce() throws {
            let mount = try MountedMemory()
            let programs = try (0..<8).map { number in
                try mount.start(
                    """
                    for i in 1 2 3 4 5; do
                        mkdir d\(number); seq 20000 >d\(number)/f; cp d\(number)/f d\(number)/g
                        cmp d\(number)/f d\(number)/g; cat later >/dev/null; ls many >/dev/null; rm -r d\(number)
                    done
                    """)
            }
            for program in programs {
                #expect(program.end(within: .seconds(120)) == 0)
                #expect(program.text == "")
            }
        }
    }
}
