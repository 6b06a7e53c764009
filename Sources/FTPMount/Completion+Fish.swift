/// Completion for fish.
package enum FishCompletion {
    /// The file of the completion.
    ///
    /// - Parameters:
    ///   - commands: all forms of the command line, the mount first.
    package static func text(_ commands: [CommandDescription]) -> String {
        let data = CompletionData(commands: commands)
        return """
            # fish completion for ftpfs(8) and mount.ftpfs(8). Made by `ftpfs generate ftpfs.fish`.

            # The words of -o behind the last comma; the values of those that have some to choose from.
            function __ftpfs_options
                set -l list (commandline -ct)
                set -l before (string match -r '^.*,' -- $list)
                set -q before[1]; or set before ''
                set -l item (string replace -r '^.*,' '' -- $list)
                set -l name (string replace -r '=.*' '' -- $item)
                set -l value (string replace -r '^[^=]*=' '' -- $item)
                if not string match -q '*=*' -- $item
            \(data.options.map { "        echo -e \(quoted("\($0.text)\t\($0.help)", prefix: "$before"))" }.joined(separator: "\n"))
                    return
                end
                set -l before "$before$name="
                switch $name
            \(data.values.map(valueCase).joined(separator: "\n"))
                end
            end

            # Whether the words so far have a command, and how many places behind it are taken.
            function __ftpfs_command
                set -l words (commandline -opc)
                set -e words[1]
                if contains -- "$words[1]" \(data.subcommands.map(\.text).joined(separator: " "))
                    echo $words[1]
                else
                    echo mount
                end
            end

            function __ftpfs_place
                set -l words (commandline -opc)
                set -e words[1]
                contains -- "$words[1]" \(data.subcommands.map(\.text).joined(separator: " ")); and set -e words[1]
                set -l count 0
                set -l skip no
                for word in $words
                    if test $skip = yes
                        set skip no
                    else if contains -- $word \(data.valueFlags.joined(separator: " "))
                        set skip yes
                    else if not string match -q -- '-*' $word
                        set count (math $count + 1)
                    end
                end
                echo $count
            end

            function __ftpfs_is
                test (__ftpfs_command) = $argv[1]; or return 1
                set -q argv[2]; or return 0
                test (__ftpfs_place) = $argv[2]
            end

            # Whether the options of a mount can be flags.
            function __ftpfs_takes_options
                contains -- (__ftpfs_command) \(data.commands.filter(\.takesLongFlags).map(\.called).joined(separator: " "))
            end

            \(["ftpfs"].flatMap { lines($0, data) }.joined(separator: "\n"))
            \(["mount.ftpfs", "mount.fuse.ftpfs"].flatMap { helper($0, data) }.joined(separator: "\n"))

            """
    }

    private static func lines(_ program: String, _ data: CompletionData) -> [String] {
        var lines = ["complete -c \(program) -f"]
        for word in data.subcommands {
            lines.append(
                "complete -c \(program) -n '__ftpfs_is mount 0' -a \(word.text) -d \(quoted(word.help))")
        }
        for command in data.commands where !command.isHelper {
            lines += self.command(program, command, condition: "__ftpfs_is \(command.called)")
        }
        return lines + data.longFlags.map { longFlag(program, $0) }
    }

    private static func longFlag(_ program: String, _ flag: CompletionData.LongFlag) -> String {
        let value =
            switch flag.kind {
            case nil: ""
            case .words(let words): " -x -a '\(words.joined(separator: " "))'"
            case .file: " -r -F"
            case .directory: " -x -a '(__fish_complete_directories (commandline -ct))'"
            case .user: " -x -a '(__fish_complete_users)'"
            case .group: " -x -a '(__fish_complete_groups)'"
            case .free: " -x"
            }
        return
            "complete -c \(program) -n __ftpfs_takes_options -l \(flag.name.dropFirst(2))\(value) -d \(quoted(flag.help))"
    }

    private static func helper(_ program: String, _ data: CompletionData) -> [String] {
        data.commands.filter(\.isHelper).flatMap { helper in
            ["complete -c \(program) -f"] + command(program, helper, condition: "__ftpfs_is mount")
        }
    }

    private static func command(
        _ program: String, _ command: CommandDescription, condition: String
    ) -> [String] {
        let places = command.places.enumerated().map { index, place -> String in
            let action =
                switch place {
                case .url: "-a 'ftp:// ftpes:// ftps://'"
                case .mount: "-a '(ftpfs list --plain 2>/dev/null)'"
                case .directory: "-a '(__fish_complete_directories (commandline -ct))'"
                case .path: "-F"
                case .words(let words): "-a '\(words.joined(separator: " "))'"
                }
            return "complete -c \(program) -n '\(condition) \(index)' \(action)"
        }
        let flags = command.flags.map { flag -> String in
            let names = flag.names.map { $0.hasPrefix("--") ? "-l \($0.dropFirst(2))" : "-s \($0.dropFirst())" }
            let value =
                switch flag.value {
                case nil: ""
                case "OPTIONS": " -x -a '(__ftpfs_options)'"
                default: flag.choices.isEmpty ? " -r" : " -x -a '\(flag.choices.joined(separator: " "))'"
                }
            return "complete -c \(program) -n '\(condition)' \(names.joined(separator: " "))\(value)"
                + " -d \(quoted(flag.help))"
        }
        return places + flags
    }

    private static func valueCase(_ value: (names: [String], kind: MountOption.ValueKind)) -> String {
        let action =
            switch value.kind {
            case .words(let words): "string join \\n -- {$before}\(words.joined(separator: " {$before}"))"
            case .file: "__fish_complete_path $value | string replace -r '^' -- $before"
            case .directory: "__fish_complete_directories $value | string replace -r '^' -- $before"
            case .user: "__fish_complete_users | string replace -r '^' -- $before"
            case .group: "__fish_complete_groups | string replace -r '^' -- $before"
            case .free: "true"
            }
        return "        case \(value.names.joined(separator: " "))\n            \(action)"
    }

    private static func quoted(_ text: String, prefix: String = "") -> String {
        let inner = text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        guard !prefix.isEmpty else { return "'\(inner)'" }
        let parts = inner.split(separator: "\t", maxSplits: 1).map(String.init)
        return "\(prefix)'\(parts.first ?? "")'\\t'\(parts.dropFirst().first ?? "")'"
    }
}

extension CommandDescription {
    /// Whether it is the form that mount(8) calls.
    var isHelper: Bool { name.hasPrefix("mount.") }
}
