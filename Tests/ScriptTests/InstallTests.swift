import TestSupport
import Testing

/// `scripts/install` puts everything where it is looked for, and takes away all of it.
@Suite(.timeLimit(.minutes(1))) struct InstallTests {
    static let places = [
        "usr/local/bin/ftpfs", "sbin/mount.ftpfs", "sbin/mount.fuse.ftpfs", "usr/local/share/man/man8/ftpfs.8.gz",
        "usr/local/share/man/man8/mount.ftpfs.8.gz", "usr/local/share/bash-completion/completions/ftpfs",
        "usr/local/share/bash-completion/completions/mount.ftpfs",
        "usr/local/share/zsh/site-functions/_ftpfs", "usr/local/share/fish/vendor_completions.d/ftpfs.fish",
    ]

    @Test func `what is installed is there, and is gone afterwards`() throws {
        let directory = try TemporaryDirectory("install")
        func install(_ arguments: String...) throws {
            let outcome = try Shell.run(
                [Repository.script("install"), "--destdir", directory.path("root")] + arguments)
            #expect(outcome.succeeded, "\(outcome)")
        }
        func files() throws -> Set<String> {
            let found = try Shell.run("cd '\(directory.path("root"))' && find . -not -type d -printf '%P\\n'").output
            return Set(found.split(separator: "\n").map(String.init))
        }

        try install("--program", Repository.program)
        let installed = try files()
        #expect(installed.isSuperset(of: Self.places), "\(installed)")
        let link = try Shell.run(["readlink", directory.path("root/sbin/mount.ftpfs")]).output
        #expect(link == "/usr/local/bin/ftpfs\n")

        try install("--uninstall")
        #expect(try files().isEmpty)
    }
}
