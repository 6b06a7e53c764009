import ArgumentParser
import FTPMount

/// `ftpfs generate FILE`: prints one of the files that come from the tables of the program. For who builds packages; it is
/// not in the help.
struct GenerateArguments: ParsableCommand, Runnable {
    /// The files, by the names under which they are installed.
    enum File: String, CaseIterable, ExpressibleByArgument {
        case manual = "ftpfs.8"
        case helperManual = "mount.ftpfs.8"
        case bash = "ftpfs.bash"
        case zsh = "_ftpfs"
        case fish = "ftpfs.fish"
        /// The table in the documentation.
        case options = "options.md"
    }

    static let configuration = CommandConfiguration(
        commandName: "ftpfs generate",
        abstract: "Print a manual page, a shell's completion, or the table of options.",
        shouldDisplay: false)

    @Argument(help: "The file to print.")
    var file: File

    func run(as program: String) -> FTPMount.ExitCode {
        print(Self.text(of: file), terminator: "")
        return .success
    }

    /// The text of a file.
    static func text(of file: File) -> String {
        let commands = CommandForm.described
        return switch file {
        case .manual: ManualPage.program(commands)
        case .helperManual: ManualPage.helper(CommandForm.describedHelper)
        case .bash: BashCompletion.text(commands + [CommandForm.describedHelper])
        case .zsh: ZshCompletion.text(commands + [CommandForm.describedHelper])
        case .fish: FishCompletion.text(commands + [CommandForm.describedHelper])
        case .options: OptionHelp.markdown + "\n"
        }
    }
}

extension CommandForm {
    /// The mount, and the commands in the order of their names; without second names and what nobody needs to know.
    static var described: [CommandDescription] {
        let hidden: Set = ["mount", "umount", "generate"]
        let words = commands.keys.filter { !hidden.contains($0) }.sorted()
        return [description("ftpfs", MountArguments.self)]
            + words.compactMap { word in commands[word].map { description("ftpfs \(word)", $0) } }
    }

    /// The form that mount(8) calls.
    static var describedHelper: CommandDescription { description("mount.ftpfs", HelperArguments.self) }

    private static func description(_ name: String, _ form: any ParsableArguments.Type) -> CommandDescription {
        CommandDescription(name: name, parserDump: form._dumpHelp())
    }
}
