import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// A name service that takes every question and answers none: nobody hangs for that either. In a network and mount
    /// namespace with an `/etc/hosts` and an `/etc/resolv.conf` of its own, and the server of `ftpfs serve`.
    @Suite(.enabled(if: geteuid() == 0, "namespaces need root"), .timeLimit(.minutes(3)))
    struct NameService {
        private static func run(_ script: String) throws -> Shell.Outcome {
            let prelude = """
                set -eu
                \(Mounts.leavingOthers)
                python3 - <<'END'
                import fcntl, socket, struct
                SIOCSIFFLAGS, IFF_UP = 0x8914, 1
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
                END
                know() { printf '127.0.0.1 %s\\n' localhost "$@" >"$WORK/hosts"; }
                know server.example
                # Nothing but a signal or a limit of ours ends a question within the patience of this test.
                printf 'nameserver 127.0.0.1\\noptions timeout:30 attempts:5\\n' >"$WORK/resolv.conf"
                mount --bind "$WORK/hosts" /etc/hosts
                mount --bind "$WORK/resolv.conf" /etc/resolv.conf
                silent() {
                    exec python3 -c 'import os, socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("127.0.0.1", 53))
                while True: os.write(1, b"x" if s.recv(512) else b"")' >"$WORK/questions"
                }
                silent & named=$!
                mkdir "$WORK/root" "$WORK/root/sub" "$WORK/mnt"
                serve() { "$FTPFS" serve "$WORK/root" --listen 127.0.0.1 --port 2121 >"$WORK/server.log" & server=$!; }
                serve
                end() { umount -l "$WORK/mnt" 2>/dev/null || true; kill $named $server ${mount-} 2>/dev/null || true; }
                trap end EXIT
                # until_so CONDITION: looks for half a minute at most.
                until_so() { for _ in $(seq 300); do if eval "$1"; then return; fi; sleep 0.1; done; echo "never: $1"; exit 1; }
                until_so 'grep -q " 0100007F:0035 " /proc/net/udp'
                until_so 'test -s "$WORK/server.log"'
                """
            let directory = try TemporaryDirectory("names")
            return try Shell.run(
                ["unshare", "-m", "-n", "bash", "-c", prelude + "\n" + script],
                ["FTPFS": Repository.program, "WORK": directory.path(""), "LC_ALL": "C"], timeout: .seconds(120))
        }

        @Test func `mounting ends with the cause after the limit, and at once by a signal`() throws {
            let outcome = try Self.run(
                """
                mount() { exec "$FTPFS" ftp://other.example/ "$WORK/mnt" -f -o "spool_dir=$WORK/spool,$1" 2>"$WORK/said"; }
                code=0; (mount retrans=0) || code=$?
                echo "code $code: $(tail -n 1 "$WORK/said")"
                mount retrans=0 & mount=$!
                asked=$(stat -c %s "$WORK/questions"); until_so 'test $(stat -c %s "$WORK/questions") -gt $asked'
                kill -TERM $mount; code=0; wait $mount || code=$?
                echo "code $code: $(tail -n 1 "$WORK/said")"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(
                outcome.output == """
                    code 32: ftpfs: other.example: the name service did not answer in time
                    code 8: ftpfs: other.example: interrupted

                    """, "\(outcome)")
        }

        @Test func `a program that waits for it is ended by a signal, and what is known is answered all the same`()
            throws
        {
            let outcome = try Self.run(
                """
                options=spool_dir=$WORK/spool,dir_ttl=600,timeout=600,hard,connections=1
                "$FTPFS" ftp://server.example:2121/ "$WORK/mnt" -f -o "$options" 2>"$WORK/log" & mount=$!
                until_so 'mountpoint -q "$WORK/mnt"'
                ls "$WORK/mnt"; df "$WORK/mnt" >/dev/null
                know nobody.example
                kill $server; wait $server || true
                serve
                for signal in TERM KILL; do
                    asked=$(stat -c %s "$WORK/questions")
                    ls "$WORK/mnt/sub" & reader=$!
                    until_so 'test $(stat -c %s "$WORK/questions") -gt $asked'
                    kill -$signal $reader; code=0; wait $reader || code=$?
                    echo "ended: $code"
                done
                ls "$WORK/mnt"; df "$WORK/mnt" >/dev/null
                "$FTPFS" status "$WORK/mnt" | grep -o 'the name service did not answer in time' | head -1
                umount "$WORK/mnt"; wait $mount; echo "unmounted: $?"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(
                outcome.output == """
                    sub
                    ended: 143
                    ended: 137
                    sub
                    the name service did not answer in time
                    unmounted: 0

                    """, "\(outcome)")
        }
    }
}
