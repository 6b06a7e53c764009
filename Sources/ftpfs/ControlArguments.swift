import ArgumentParser
import FTPMount

/// `ftpfs status [MOUNTPOINT] [--watch] [--json | --prometheus]`
struct StatusArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs status",
        abstract: "Show what a mount is and does.",
        discussion: """
            The server, the connections and what each is doing, transfers with their progress, what is unsent, caches, \
            and what has gone wrong lately. Without a mount point, of all your mounts; for root, of everybody's.
            """,
        version: Version.current)

    @Argument(help: "Where it is mounted.")
    var mountpoint: String?

    @Flag(help: "Show it again each second, until the mount ends.")
    var watch = false

    @Flag(help: "Print JSON; with --watch on one line each time.")
    var json = false

    @Flag(help: "Print Prometheus' text format.")
    var prometheus = false

    func validate() throws {
        if json && prometheus { throw ValidationError("--json and --prometheus exclude each other") }
    }

    func run(as program: String) -> FTPMount.ExitCode {
        let format: StatusCommand.Format = json ? .json : prometheus ? .prometheus : .text
        return StatusCommand.run(mountpoint, as: format, watches: watch, program: program)
    }
}

/// `ftpfs list [--json]`
struct ListArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs list",
        abstract: "List your ftpfs mounts; for root, everybody's.",
        discussion: """
            A mount is 'serving'; or 'ending', when it is unmounted and still sends; 'detached', when it was taken \
            away while somebody used it; 'silent', when its process cannot be asked; or 'dead', when that is gone.
            """,
        version: Version.current)

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the mount points alone, and ask no mount.")
    var plain = false

    func validate() throws {
        if json && plain { throw ValidationError("--json and --plain exclude each other") }
    }

    func run(as program: String) -> FTPMount.ExitCode {
        plain ? ListCommand.runPlain(program: program) : ListCommand.run(asJSON: json, program: program)
    }
}

/// `ftpfs refresh PATH`
struct RefreshArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs refresh",
        abstract: "Look at the server anew.",
        discussion: """
            What is known of the place and of all that is below it, here and in the kernel, is forgotten, so that the \
            next look shows what the server has. What is written here and unsent stays.
            """,
        version: Version.current)

    @Argument(help: "A mount point, or a file or directory in a mount.")
    var path: String

    func run(as program: String) -> FTPMount.ExitCode { RefreshCommand.run(path, program: program) }
}

/// `ftpfs flush MOUNTPOINT`
struct FlushArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs flush",
        abstract: "Send what is unsent, and wait until the server has it.",
        version: Version.current)

    @Argument(help: "Where it is mounted.")
    var mountpoint: String

    func run(as program: String) -> FTPMount.ExitCode { FlushCommand.run(mountpoint, program: program) }
}

/// `ftpfs unmount MOUNTPOINT [--lazy]`
struct UnmountArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs unmount",
        abstract: "Send what is unsent, then unmount.",
        discussion: """
            Returns when the server has everything and the mount's process has ended. If something cannot be sent, or \
            somebody uses the mount, it stays. A mount whose process is gone is removed.
            """,
        version: Version.current)

    @Argument(help: "Where it is mounted.")
    var mountpoint: String

    @Flag(help: "Take the mount away at once, whoever uses it, and wait for nothing.")
    var lazy = false

    func run(as program: String) -> FTPMount.ExitCode {
        UnmountCommand.run(mountpoint, isLazy: lazy, program: program)
    }
}
