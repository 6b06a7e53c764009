import TestSupport
import Testing

/// The examples for systemd, autofs and /etc/fstab are right as far as a machine can say it.
@Suite("The examples")
struct ExampleTests {
    private static let folder = Repository.script("examples")

    @Test(
        "of units are what systemd takes",
        .enabled(if: (try? Shell.run("command -v systemd-analyze").succeeded) ?? false, "needs systemd-analyze"))
    func units() throws {
        // It looks for the programs too: here is one under the name of each.
        let outcome = try Shell.run(
            """
            set -eu
            work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
            for unit in "$FOLDER"/systemd/*; do
                sed 's|/usr/bin/ftpfs|/bin/true|' "$unit" >"$work/$(basename "$unit")"
            done
            cd "$work"
            SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no ./mnt-projects.mount ./mnt-projects.automount \
                ./ftpfs-projects.service 2>&1 | grep -E 'ftpfs|projects' || true
            """, ["FOLDER": Self.folder, "LC_ALL": "C"], timeout: .seconds(120))

        #expect(outcome.succeeded && outcome.output.isEmpty, "\(outcome)")
    }

    private static let hasAutofs =
        (try? Shell.run("test $(id -u) = 0 && grep -qw autofs /proc/filesystems").succeeded) ?? false

    /// Runs a script that lets a program mount which has a view of this machine to itself, and compares what it saw.
    private func expect(_ script: String, _ output: String) throws {
        let outcome = try Shell.run([Repository.script(script), Repository.program], timeout: .seconds(240))

        // A machine on which it cannot be tried says so: there may be no overlays.
        if outcome.exit == .code(77) {
            #expect(outcome.errors.contains("LEFT OUT: "), "\(outcome)")
            return
        }
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output == output, "\(outcome)")
    }

    @Test(
        "of autofs mount when somebody looks, and let go when nobody does: its real daemon", .timeLimit(.minutes(5)),
        .enabled(if: hasAutofs, "needs root and a kernel with autofs"))
    func autofs() throws {
        try expect(
            "packaging/try-autofs",
            """
            before: 0 mounts
            read: hello
            mounted: fuse.ftpfs rw
            written: new
            archive: read only
            other: none
            idle: unmounted
            again: hello
            ended: unmounted

            """)
    }

    @Test(
        "of systemd and fstab do what they say: a real systemd as process 1", .timeLimit(.minutes(5)),
        .enabled(if: hasAutofs, "needs root and a kernel with autofs"))
    func systemd() throws {
        try expect(
            "packaging/try-systemd",
            """
            fstab: nothing is mounted until somebody looks
            fstab: hello
            fstab: ftp://ftp.example.com/archive ro
            fstab: unmounted when nobody looked for a second
            fstab: hello, again
            units: hello
            units: new
            units: active
            units: stopped
            service: when it is started, the mount is there
            service: hello
            service: killed, and there again
            service: stopped

            """)
    }

    @Test("of fstab have six fields, and findmnt finds nothing wrong but that server and places are not here")
    func fstab() throws {
        let outcome = try Shell.run(
            """
            set -eu
            grep -v '^#' "$FOLDER/fstab" | awk 'NF && NF != 6 { print "fields:", NF }'
            findmnt --fstab --tab-file "$FOLDER/fstab" --noheadings --list --output FSTYPE,TARGET | tr -s ' '
            """, ["FOLDER": Self.folder, "LC_ALL": "C"])

        #expect(
            outcome.output == "ftpfs /mnt/projects\nftpfs /mnt/archive\nfuse.ftpfs /home/me/site\n", "\(outcome)")
    }
}
