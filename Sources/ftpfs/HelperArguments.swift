import ArgumentParser
import FTPMount

/// `mount.ftpfs URL MOUNTPOINT [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]`: how mount(8) calls a helper (section
/// EXTERNAL HELPERS).
struct HelperArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "mount.ftpfs",
        abstract: "Mount a directory of an FTP server, for mount(8).",
        discussion: OptionHelp.text,
        version: Version.current)

    @Argument(help: "The directory of the server.")
    var url: String

    @Argument(help: "An empty directory of this machine.")
    var mountpoint: String

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Options, separated by commas; see above.", valueName: "options"))
    var options: [String] = []

    @Flag(name: .customShort("s"), help: "Drop unknown options.")
    var isSloppy = false

    @Flag(name: .customShort("f"), help: "Check everything, mount nothing.")
    var isFake = false

    @Flag(name: .customShort("n"), help: "Taken, and without effect: there is no /etc/mtab.")
    var writesNoTable = false

    @Flag(name: .customShort("v"), help: "Say what is mounted where.")
    var isVerbose = false

    @Option(
        name: .customShort("N"),
        help: ArgumentHelp("Taken; mount(8) has entered the namespace already.", valueName: "namespace"))
    var namespace: String?

    @Option(
        name: .customShort("t"), help: ArgumentHelp("Taken, and without effect: there is one type.", valueName: "type"))
    var type: String?

    func run(as program: String) -> FTPMount.ExitCode {
        var request = MountRequest(
            program: program, source: url, mountPoint: mountpoint, optionTexts: options.map { Array($0.utf8) })
        request.ignoresUnknownOptions = isSloppy
        request.isFake = isFake
        request.isVerbose = isVerbose
        return Mounting.mount(request)
    }
}
