import ArgumentParser
import FTPMount

/// `ftpfs demo [--stay]`
struct DemoArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs demo",
        abstract: "Show a mount at work.",
        discussion: """
            Serves a directory with a few files to this machine, mounts it in a temporary place, reads and writes there by \
            ordinary programs, and takes all of it away again, also when it is interrupted.
            """,
        version: Version.current)

    @Flag(help: "Leave the mount there for looking around, until Ctrl-C.")
    var stay = false

    func run(as program: String) -> FTPMount.ExitCode { DemoCommand.run(staying: stay, program: program) }
}
