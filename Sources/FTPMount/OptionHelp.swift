/// The option table as text.
package enum OptionHelp {
    /// What stands above the table in `--help`.
    static let title = "OPTIONS OF -o"
    static let foreignNote =
        "What /etc/fstab brings along (defaults, user, nofail, _netdev, x-systemd.*, ...) is taken and dropped."

    /// For `--help`, in lines of at most 79 columns: the parser would break longer ones without regard to the table.
    package static var text: String {
        let width = 26
        let lines = MountOption.table.flatMap { option in
            let help = (option.help + standard(option)).filter { $0 != "`" }
            let label = "  \(synopsis(option))"
            // A long one has a line of its own.
            let texts = (label.count < width ? [] : [""]) + folded(help, columns: 79 - width)
            return texts.enumerated().map { index, text in
                text.isEmpty ? label : padded(index == 0 ? label : "", to: width) + text
            }
        }
        let notes = [
            "For the kernel: \(ForeignOption.kernel.sorted().joined(separator: " ")).",
            foreignNote,
            "Words of curlftpfs, sshfs, cifs, nfs and rclone are understood, or it is said why they cannot be.",
            "A comma in a value is written \\,; or the value is put into double quotes.",
            "Each can also be written as a flag: --dir-ttl=5 is -o dir_ttl=5.",
        ]
        return ([title] + lines + [""] + notes.flatMap { folded($0, columns: 79) })
            .joined(separator: "\n")
    }

    /// For the README: the same as a Markdown table.
    package static var markdown: String {
        let rows = MountOption.table.map { option in
            let names = [synopsis(option)] + option.aliases
            // A bar in a cell would end it, even between backticks.
            let cell = names.map { "`\($0)`" }.joined(separator: ", ").split(separator: "|").joined(separator: "\\|")
            return "| \(cell) | \(option.help) | \(option.standard) |"
        }
        return (["| option | meaning | default |", "| --- | --- | --- |"] + rows).joined(separator: "\n")
    }

    private static func synopsis(_ option: MountOption) -> String {
        option.placeholder.map { "\(option.name)=\($0)" } ?? option.name
    }

    private static func standard(_ option: MountOption) -> String {
        option.standard.isEmpty ? "" : " (\(option.standard))"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// The words of a text in lines of at most so many columns.
    private static func folded(_ text: String, columns: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
