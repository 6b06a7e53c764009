import ArgumentParser
import FTPMount

/// `ftpfs clean MOUNTPOINT`
struct CleanArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs clean",
        abstract: "Remove temporary files that mounts have left on the server.",
        discussion: """
            A mount that is killed can leave files named .ftpfs-* on the server, which no mount shows. Those in the \
            directories that this mount has listed, and that nobody has written for an hour, are removed; \
            ftpfs status shows them.
            """,
        version: Version.current)

    @Argument(help: "Where it is mounted.")
    var mountpoint: String

    func run(as program: String) -> FTPMount.ExitCode { CleanCommand.run(mountpoint, program: program) }
}
