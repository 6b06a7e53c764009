import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// The mount helper under the real mount(8), with a real fstab. All of that is in a mount namespace of its own, where
    /// `/usr/sbin` holds nothing but the helper's links: the machine's own files stay as they are.
    @Suite(.enabled(if: geteuid() == 0, "mount(8) with a helper needs root"), .timeLimit(.minutes(5)))
    struct Helper {
        @Test func `mount -a, mount POINT, findmnt, df and umount do what one expects`() throws {
            let outcome = try Namespace().run(
                """
                mkdir "$WORK/a b" "$WORK/second"
                line "ftp://$HOST:$PORT/ $WORK/mnt fuse.ftpfs credentials=$CREDENTIALS,spool_dir=$WORK/spool,_netdev,nofail,noauto,x-systemd.automount,uid=1000 0 0"
                line "ftp://$HOST:$PORT/sub $WORK/a\\040b ftpfs credentials=$CREDENTIALS,spool_dir=$WORK/spool2,defaults,comment=\\"x,y\\" 0 0"
                line "curlftpfs#$HOST:$PORT $WORK/second fuse.ftpfs credentials=$CREDENTIALS,spool_dir=$WORK/spool3,noatime,utf8 0 0"
                m -a 2>"$WORK/notes"
                grep -q 'mount.fuse.ftpfs: warning: the option utf8 does nothing here' "$WORK/notes"
                ! mountpoint -q "$WORK/mnt"
                m "$WORK/mnt"
                echo "type $(findmnt -no FSTYPE "$WORK/mnt") source $(findmnt -no SOURCE "$WORK/mnt")"
                echo "blank $(findmnt -no SOURCE "$WORK/a b")"
                echo "df $(df --output=fstype,source "$WORK/mnt" | tail -n 1 | tr -s ' ')"
                findmnt -no OPTIONS "$WORK/second" | grep -q noatime
                test "$(cat "$WORK/mnt/hello")" = hello
                test "$(cat "$WORK/a b/inner")" = inner
                stat -c 'owner %u' "$WORK/mnt/hello"
                umount "$WORK/mnt"
                ! mountpoint -q "$WORK/mnt"
                umount "$WORK/second" "$WORK/a b"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(
                outcome.output == """
                    type fuse.ftpfs source ftp://\(outcome.place)/
                    blank ftp://\(outcome.place)/sub
                    df fuse.ftpfs ftp://\(outcome.place)/
                    owner 1000

                    """, "\(outcome)")
        }

        @Test func `mount -o remount changes what the kernel can, and says what cannot be changed`() throws {
            let outcome = try Namespace().run(
                """
                line "ftp://$HOST:$PORT/ $WORK/mnt ftpfs credentials=$CREDENTIALS,spool_dir=$WORK/spool,dir_ttl=3 0 0"
                m "$WORK/mnt"
                m -o remount,ro "$WORK/mnt"
                ! touch "$WORK/mnt/new" 2>/dev/null
                findmnt -no OPTIONS "$WORK/mnt" | cut -d, -f1
                "$FTPFS" status "$WORK/mnt" | grep -o ', read only'; "$FTPFS" list | grep " $WORK/mnt " | grep -o 'read only$'
                m -o remount,rw,noexec "$WORK/mnt"
                ! "$FTPFS" status "$WORK/mnt" | grep 'read only'
                touch "$WORK/mnt/new"; test -e "$ROOT/new"
                findmnt -no OPTIONS "$WORK/mnt" | grep -o noexec
                exec 5>"$WORK/mnt/open"
                m -o remount,ro "$WORK/mnt" && exit 9 || echo "code $?"
                exec 5>&-
                m -o remount,dir_ttl=4 "$WORK/mnt" && exit 9 || echo "code $?"
                umount "$WORK/mnt"
                m -o remount,ro "$WORK/mnt" && exit 9 || echo "code $?"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(
                outcome.output.split(separator: "\n") == [
                    "ro", ", read only", "read only", "noexec", "code 32", "code 32", "code 1",
                ], "\(outcome)")
            #expect(outcome.errors.contains("cannot become read only while files in it are open"))
            #expect(outcome.errors.contains("the option dir_ttl=4 cannot be changed while it is mounted"))
        }

        @Test func `a user may mount and unmount what fstab lets users mount`() throws {
            let outcome = try Namespace().run(
                """
                chown nobody "$WORK/mnt" "$WORK" "$CREDENTIALS"; chmod 755 "$WORK"
                line "ftp://$HOST:$PORT/ $WORK/mnt fuse.ftpfs credentials=$CREDENTIALS,spool_dir=$WORK/spool,user,noauto 0 0"
                # mount(8) reads no other fstab than this for an ordinary user.
                mount --bind "$WORK/fstab" /etc/fstab
                setpriv --reuid=nobody --regid=nogroup --clear-groups mount "$WORK/mnt"
                findmnt -no OPTIONS "$WORK/mnt" | grep -o 'user_id=[0-9]*'
                setpriv --reuid=nobody --regid=nogroup --clear-groups cat "$WORK/mnt/hello"
                setpriv --reuid=nobody --regid=nogroup --clear-groups umount "$WORK/mnt"
                ! mountpoint -q "$WORK/mnt"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.output == "user_id=65534\nhello\n", "\(outcome)")
        }

        /// Every option that mount(8) passes on or that scripts pass by themselves, and what the mount table then has of it.
        static let generic: [(option: String, shown: String?)] = [
            ("ro", "ro"), ("rw", "rw"), ("suid", nil), ("nosuid", "nosuid"), ("dev", nil), ("nodev", "nodev"),
            ("exec", nil), ("noexec", "noexec"), ("sync", "sync"), ("async", nil), ("dirsync", "dirsync"),
            ("noatime", "noatime"), ("atime", nil), ("nodiratime", nil), ("diratime", nil),
            ("nosymfollow", "nosymfollow"),
            ("symfollow", nil), ("relatime", nil), ("norelatime", nil), ("strictatime", nil), ("nostrictatime", nil),
            ("lazytime", nil), ("nolazytime", nil), ("defaults", nil), ("auto", nil), ("noauto", nil), ("user", nil),
            ("users", nil), ("nouser", nil), ("nousers", nil), ("owner", nil), ("group", nil), ("_netdev", nil),
            ("nofail", nil), ("uhelper=x", nil), ("helper=x", nil), ("silent", nil), ("loud", nil), ("mand", nil),
            ("nomand", nil), ("iversion", nil), ("noiversion", nil), ("intr", nil), ("nointr", nil), ("comment=x", nil),
            ("no_remote_lock", nil), ("x-systemd.automount", nil), ("x-systemd.idle-timeout=60", nil),
            ("x-systemd.requires=network.target", nil), ("X-mount.mkdir", nil), ("private", nil), ("rshared", nil),
            ("allow_other", "allow_other"), ("default_permissions", "default_permissions"),
        ]

        @Test func `every generic option is taken, by mount(8) or by the helper`() throws {
            let namespace = try Namespace()
            let words = Self.generic.map(\.option).joined(separator: " ")
            // Called directly, as by autofs and scripts, since mount(8) keeps some for itself; several at a time take long.
            let outcome = try namespace.run(
                """
                for option in \(words); do
                    /sbin/mount.ftpfs "ftp://$HOST:$PORT/" "$WORK/mnt" -n -o \
                        "credentials=$CREDENTIALS,spool_dir=$WORK/spool,$option" -t fuse.ftpfs || exit 3
                    echo "$option $(findmnt -no OPTIONS "$WORK/mnt")"
                    umount "$WORK/mnt"
                done
                """)

            #expect(outcome.succeeded, "\(outcome)")
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.count == Self.generic.count)
            for (line, row) in zip(lines, Self.generic) {
                guard let shown = row.shown else { continue }
                let words = line.split { $0 == " " || $0 == "," }.dropFirst()
                #expect(words.contains(Substring(shown)), "\(line)")
            }
        }

        @Test func `the letters of mount(8), exit codes, and an environment that is empty`() throws {
            let outcome = try Namespace().run(
                """
                H="env -i /sbin/mount.fuse.ftpfs"; S="ftp://$HOST:$PORT/ $WORK/mnt"
                O="credentials=$CREDENTIALS,spool_dir=$WORK/spool"
                code() { "$@" && echo 0 || echo $?; }
                code $H $S -f -o $O; ! mountpoint -q "$WORK/mnt"
                code $H $S -sfnv -N /proc/self/ns/mnt -t fuse.ftpfs -o $O,unheard_of
                code $H $S -o $O,unheard_of 2>"$WORK/unknown"
                code $H $S -v -o $O; mountpoint -q "$WORK/mnt"
                code $H $S -o $O 2>"$WORK/busy"
                code env -i /usr/bin/umount "$WORK/mnt"
                code $H "ftp://$HOST:1/" "$WORK/mnt" -o $O 2>"$WORK/refused"
                code $H $S -o $O,spool_dir=/proc/none 2>"$WORK/spool-failure"
                wc -l <"$WORK/unknown"; wc -l <"$WORK/busy"; wc -l <"$WORK/refused"; wc -l <"$WORK/spool-failure"
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(
                outcome.output.split(separator: "\n").joined(separator: " ") == "0 0 1 0 1 0 32 2 1 1 1 1", "\(outcome)"
            )
        }

        @Test func `a service is told when the mount answers and when it ends`() throws {
            let outcome = try Namespace().run(
                """
                python3 - <<'END'
                import os, signal, socket, subprocess
                path = os.environ["WORK"] + "/notify"
                manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                manager.bind(path)
                manager.settimeout(30)
                env = dict(os.environ, NOTIFY_SOCKET=path)
                place = f"ftp://{env['HOST']}:{env['PORT']}/"
                options = f"credentials={env['CREDENTIALS']},spool_dir={env['WORK']}/spool"
                child = subprocess.Popen([env["FTPFS"], place, env["WORK"] + "/mnt", "-f", "-o", options], env=env,
                                         stderr=subprocess.DEVNULL)
                print(manager.recv(4096).decode().split("\\n")[0], os.path.ismount(env["WORK"] + "/mnt"))
                child.send_signal(signal.SIGTERM)
                print(manager.recv(4096).decode().split("\\n")[0], child.wait(30))
                END
                """)

            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.output == "READY=1 True\nSTOPPING=1 0\n", "\(outcome)")
        }
    }

    /// A mount namespace with a server, an fstab and the helper where mount(8) looks for it.
    final class Namespace {
        private let server: TestServer
        private let directory: TemporaryDirectory

        init() throws {
            server = try TestServer.shared(.proFTPD)
            directory = try TemporaryDirectory("helper")
        }

        /// What a script did, and where its server was.
        @dynamicMemberLookup
        struct Outcome: CustomStringConvertible {
            let shell: Shell.Outcome
            let place: String
            var description: String { shell.description }
            subscript<Value>(dynamicMember path: KeyPath<Shell.Outcome, Value>) -> Value { shell[keyPath: path] }
        }

        /// Runs a script there. `line` adds a line to the fstab, `m` is mount(8) with it. Whatever it leaves mounted goes with
        /// the namespace; no process is left behind either.
        func run(_ script: String) throws -> Outcome {
            let prelude = """
                set -eu
                \(Mounts.leavingOthers)
                mount -t tmpfs none /usr/sbin
                ln -s "$FTPFS" /usr/sbin/mount.ftpfs
                ln -s "$FTPFS" /usr/sbin/mount.fuse.ftpfs
                mkdir -p "$WORK/mnt"; : >"$WORK/fstab"
                printf 'username=%s\\npassword=%s\\n' "$LOGIN" "$SECRET" >"$CREDENTIALS"; chmod 600 "$CREDENTIALS"
                mkdir -p "$ROOT/sub"; echo hello >"$ROOT/hello"; echo inner >"$ROOT/sub/inner"
                chown -R --reference="$ROOT" "$ROOT/sub" "$ROOT/hello"
                line() { printf '%s\\n' "$1" >>"$WORK/fstab"; }
                m() { mount -T "$WORK/fstab" "$@"; }
                end() { for place in mnt 'a b' second; do umount -l "$WORK/$place" 2>/dev/null || true; done; }
                trap end EXIT
                """
            let work = directory.path("work")
            let outcome = try Shell.run(
                ["unshare", "-m", "bash", "-c", prelude + "\n" + script],
                [
                    "FTPFS": Repository.program, "HOST": server.host, "PORT": String(server.port), "WORK": work,
                    "CREDENTIALS": work + "/credentials", "ROOT": server.root, "LOGIN": server.user,
                    "SECRET": server.password, "LC_ALL": "C",
                ], timeout: .seconds(200))
            return Outcome(shell: outcome, place: "\(server.host):\(server.port)")
        }
    }
}
