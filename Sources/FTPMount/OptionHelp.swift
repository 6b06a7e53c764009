/// The option table as text.
package enum OptionHelp {
    /// For `--help`: one line for each option.
    package static var text: String {
        let rows = MountOption.table.map { (synopsis($0), $0.help + standard($0)) }
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { "  \($0)\(String(repeating: " ", count: width - $0.count))  \($1)" }
        let kernel = ForeignOption.kernel.sorted().joined(separator: " ")
        return """
            OPTIONS OF -o
            \(lines.joined(separator: "\n").filter { $0 != "`" })

            For the kernel: \(kernel).
            What /etc/fstab brings along (defaults, user, nofail, _netdev, x-systemd.*, ...) is taken and dropped.
            A comma in a value is written \\, or the value is put into double quotes.
            """
    }

    /// For the README: the same as a Markdown table.
    package static var markdown: String {
        let rows = MountOption.table.map { option in
            let names = [synopsis(option)] + option.aliases
            return "| \(names.map { "`\($0)`" }.joined(separator: ", ")) | \(option.help) | \(option.standard) |"
        }
        return (["| option | meaning | default |", "| --- | --- | --- |"] + rows).joined(separator: "\n")
    }

    private static func synopsis(_ option: MountOption) -> String {
        option.placeholder.map { "\(option.name)=\($0)" } ?? option.name
    }

    private static func standard(_ option: MountOption) -> String {
        option.standard.isEmpty ? "" : " (\(option.standard))"
    }
}
