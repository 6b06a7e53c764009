import ArgumentParser
import FTPMount

/// `ftpfs [mount] URL MOUNTPOINT [-o OPTIONS] [-f] [-d]`
struct MountArguments: ParsableCommand, Runnable, TakesMountOptions {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs",
        abstract: "Mount a directory of an FTP server.",
        usage: """
            ftpfs URL MOUNTPOINT [-o OPTION[,OPTION...]] [-f] [-d]
            ftpfs unmount MOUNTPOINT [--lazy]
            ftpfs status [MOUNTPOINT] [--watch] [--json | --prometheus]
            ftpfs list [--json]
            ftpfs refresh PATH
            ftpfs flush MOUNTPOINT
            ftpfs probe URL [-o OPTION[,OPTION...]] [--json]
            ftpfs clean MOUNTPOINT
            ftpfs serve DIRECTORY
            ftpfs demo [--stay]
            """,
        discussion: OptionHelp.text,
        version: Version.current)

    @Argument(
        help: """
            The directory of the server: ftp://[USER[:PASSWORD]@]HOST[:PORT]/[PATH], encrypted with ftpes:// or ftps://. PATH \
            starts where the login leads; %2F in front: at the root.
            """)
    var url: String

    @Argument(help: "An empty directory of this machine.")
    var mountpoint: String

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Options, separated by commas; see above.", valueName: "options"))
    var options: [String] = []

    @Flag(name: .customShort("f"), help: "Stay in the foreground and log to standard error.")
    var isForeground = false

    @Flag(name: .customShort("d"), help: "The same, and log every command and reply; passwords are not shown.")
    var isDebug = false

    @Option(help: .private)
    var settingsFd: Int32?

    @Option(help: .private)
    var statusFd: Int32?

    func run(as program: String) -> FTPMount.ExitCode {
        if let settingsFd, let statusFd { return Mounting.serve(settings: settingsFd, status: statusFd) }
        var request = MountRequest(
            program: program, source: url, mountPoint: mountpoint, optionTexts: options.map { Array($0.utf8) })
        request.isForeground = isForeground
        request.isDebug = isDebug
        return Mounting.mount(request)
    }
}
