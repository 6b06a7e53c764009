import ArgumentParser
import FTPMount

/// `ftpfs probe URL [-o OPTIONS] [--json] [-d]`
struct ProbeArguments: ParsableCommand, Runnable, TakesMountOptions {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs probe",
        abstract: "Find out what an FTP server can do.",
        discussion: """
            Logs in as a mount with the same URL and options would, tries everything that ftpfs can make use of, and \
            prints what works. What writes happens in a directory .ftpfs-probe-* that is removed at the end. The output \
            holds no password, and is what to send with a bug report.
            """,
        version: Version.current)

    @Argument(help: "The directory of the server, as for a mount.")
    var url: String

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Options of a mount, separated by commas.", valueName: "options"))
    var options: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(name: .customShort("d"), help: "Log every command and reply to standard error; passwords are not shown.")
    var isDebug = false

    func run(as program: String) -> FTPMount.ExitCode {
        var request = MountRequest(
            program: program, source: url, mountPoint: "", optionTexts: options.map { Array($0.utf8) })
        request.isDebug = isDebug
        return Probing.probe(request, asJSON: json)
    }
}
