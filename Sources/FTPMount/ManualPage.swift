/// The manual pages, ftpfs(8) and mount.ftpfs(8): the option table and the commands, and what has to be said around them
/// (`ManualPage+Prose.swift`).
package enum ManualPage {
    /// ftpfs(8).
    ///
    /// - Parameters:
    ///   - commands: all forms of the command line, the mount first.
    package static func program(_ commands: [CommandDescription]) -> String {
        var page = ManualText()
        head(&page, "FTPFS", name: "ftpfs", "mount a directory of an FTP server")
        page.section("SYNOPSIS")
        for (index, command) in commands.enumerated() { synopsis(&page, command, isFirst: index == 0) }
        page.section("DESCRIPTION")
        for text in programDescription { page.paragraph(text) }
        page.section("COMMANDS")
        page.macro(".Bl -tag -width Ds")
        for command in commands { entry(&page, command) }
        page.macro(".El")
        options(&page)
        for (title, texts) in programSections { section(&page, title, texts) }
        files(&page)
        ending(&page, examples: programExamples, seeAlso: ["fusermount3 1", "netrc 5", "mount 8", "mount.ftpfs 8"])
        return page.text
    }

    /// mount.ftpfs(8).
    ///
    /// - Parameters:
    ///   - helper: the form that mount(8) calls.
    package static func helper(_ helper: CommandDescription) -> String {
        var page = ManualText()
        head(&page, "MOUNT.FTPFS", name: "mount.ftpfs", "mount a directory of an FTP server, for mount(8)")
        page.section("SYNOPSIS")
        synopsis(&page, helper, isFirst: true)
        page.section("DESCRIPTION")
        for text in helperDescription { page.paragraph(text) }
        page.macro(".Bl -tag -width Ds")
        arguments(&page, helper)
        page.macro(".El")
        options(&page)
        section(&page, "SYSTEMD", systemd)
        files(&page)
        ending(&page, examples: helperExamples, seeAlso: ["fstab 5", "systemd.mount 5", "ftpfs 8", "mount 8"])
        return page.text
    }

    private static func head(_ page: inout ManualText, _ title: String, name: String, _ purpose: String) {
        page.macro(".Dd \(Version.date)")
        page.macro(".Dt \(title) 8")
        page.macro(".Os")
        page.section("NAME")
        page.macro(".Nm \(name)")
        page.macro(".Nd \(purpose)")
    }

    private static func synopsis(_ page: inout ManualText, _ command: CommandDescription, isFirst: Bool) {
        // The first name of a page stands for itself from then on.
        let words = command.name.split(separator: " ")
        page.macro(".Nm")
        if !isFirst { page.macro(words.dropFirst().map { ".Cm \($0)" }.joined(separator: "\n")) }
        for argument in command.arguments where !isAboutItself(argument) {
            let text =
                argument.isPositional
                ? "Ar \(argument.value ?? "")" : flag(argument.names.first ?? "", argument.value)
            page.macro(argument.isOptional || !argument.isPositional ? ".Op \(text)" : ".\(text)")
        }
    }

    /// `--help` and `--version`, which every command has.
    private static func isAboutItself(_ argument: CommandDescription.Argument) -> Bool {
        argument.names.contains("--help") || argument.names.contains("--version")
    }

    /// A flag in mdoc's words: `Fl o Ar OPTIONS`, `Fl Fl watch`.
    private static func flag(_ name: String, _ value: String?) -> String {
        let word = ManualText.argument(String(name.drop { $0 == "-" }))
        return (name.hasPrefix("--") ? "Fl Fl " : "Fl ") + word + (value.map { " Ar \($0)" } ?? "")
    }

    private static func entry(_ page: inout ManualText, _ command: CommandDescription) {
        page.macro(".It Nm \(command.name)")
        page.say(command.abstract)
        // That of the mount is the option table.
        if !command.discussion.hasPrefix(OptionHelp.title) { page.say(command.discussion) }
        page.macro(".Bl -tag -width Ds")
        arguments(&page, command)
        page.macro(".El")
    }

    private static func arguments(_ page: inout ManualText, _ command: CommandDescription) {
        for argument in command.arguments {
            let names = argument.names.map { flag($0, argument.value) }.joined(separator: " , ")
            page.macro(".It \(argument.isPositional ? "Ar \(argument.value ?? "")" : names)")
            page.say(argument.help)
        }
    }

    private static func options(_ page: inout ManualText) {
        page.section("MOUNT OPTIONS")
        for text in optionIntroduction { page.paragraph(text) }
        page.macro(".Bl -tag -width Ds")
        for option in MountOption.table {
            let value = option.placeholder.map { "=\($0)" } ?? ""
            let names = ["\(option.name)\(value)"] + option.aliases
            page.macro(".It " + names.map { "Cm \(ManualText.argument($0))" }.joined(separator: " , "))
            page.say(sentence(option.help))
            if !option.standard.isEmpty { page.say("Default: \(option.standard).") }
        }
        page.macro(".El")
        page.paragraph(
            "The kernel's own options are taken as well: "
                + ForeignOption.kernel.sorted().map { "`\($0)`" }.joined(separator: ", ") + ".")
        page.paragraph(OptionHelp.foreignNote)
    }

    /// With a capital letter in front and a point behind it, but for a word that is to be written as it stands.
    private static func sentence(_ help: String) -> String {
        let capital = help.first.map { String($0).uppercased() + help.dropFirst() } ?? ""
        return (help.hasPrefix("curlftpfs") ? help : capital) + (help.hasSuffix(".") ? "" : ".")
    }

    private static func section(_ page: inout ManualText, _ title: String, _ texts: [String]) {
        page.section(title)
        for text in texts { page.paragraph(text) }
    }

    private static func files(_ page: inout ManualText) {
        page.section("FILES")
        page.macro(".Bl -tag -width Ds")
        for (path, meaning) in fileTable {
            page.macro(".It Pa \(ManualText.argument(path))")
            page.say(meaning)
        }
        page.macro(".El")
    }

    private static func ending(_ page: inout ManualText, examples: [(String, [String])], seeAlso: [String]) {
        page.section("EXIT STATUS")
        page.macro(".Bl -tag -width Ds")
        for code in ExitCode.allCases {
            page.macro(".It \(code.rawValue)")
            page.say(code.meaning)
        }
        page.macro(".El")
        page.section("EXAMPLES")
        for (text, lines) in examples {
            page.paragraph(text)
            page.example(lines)
        }
        page.section("SEE ALSO")
        page.macro(seeAlso.map { ".Xr \($0)" }.joined(separator: " ,\n"))
    }
}
