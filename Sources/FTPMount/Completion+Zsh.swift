/// Completion for zsh.
package enum ZshCompletion {
    /// The file of the completion, `_ftpfs`.
    ///
    /// - Parameters:
    ///   - commands: all forms of the command line, the mount first.
    package static func text(_ commands: [CommandDescription]) -> String {
        let data = CompletionData(commands: commands)
        let cases = data.commands.map { command in
            "        \(command.called)) _arguments -S \(command.takesLongFlags ? "$long " : "")\(specifications(command)) ;;"
        }
        return """
            #compdef ftpfs mount.ftpfs mount.fuse.ftpfs
            # zsh completion for ftpfs(8) and mount.ftpfs(8). Made by `ftpfs generate _ftpfs`.

            # The words of -o, with commas between them.
            _ftpfs_options() {
                _values -s , 'mount option' \\
            \(optionSpecifications().map { "        \($0)" }.joined(separator: " \\\n"))
            }

            _ftpfs_mounts() {
                local -a mounts=("${(@f)$(ftpfs list --plain 2>/dev/null)}")
                compadd -- ${mounts:#}
            }

            _ftpfs_urls() { compadd -S '' -- ftp:// ftpes:// ftps:// }

            _ftpfs_first() {
                local -a commands=(
            \(data.subcommands.map { "        \(quoted("\($0.text):\($0.help)"))" }.joined(separator: "\n"))
                )
                _describe command commands
                _ftpfs_urls
            }

            _ftpfs() {
                # The options of a mount as flags.
                local -a long=(
            \(data.longFlags.map { "        \(longSpecification($0))" }.joined(separator: "\n"))
                )
                local command=mount
                if [[ ${words[1]:t} == mount.* ]]; then
                    command=mount.ftpfs
                elif (( CURRENT > 2 )) && [[ $words[2] == (\(data.subcommands.map(\.text).joined(separator: "|"))) ]]; then
                    command=$words[2]
                    shift words
                    (( CURRENT-- ))
                elif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
                    _ftpfs_first
                    return
                fi
                case $command in
            \(cases.joined(separator: "\n"))
                esac
            }

            _ftpfs "$@"

            """
    }

    /// `'--json[Print JSON.]' '1:mount point:_ftpfs_mounts'`
    private static func specifications(_ command: CommandDescription) -> String {
        let flags = command.flags.flatMap { flag in
            flag.names.map { name -> String in
                let value =
                    switch flag.value {
                    case nil: ""
                    case "OPTIONS": ":options:_ftpfs_options"
                    case let value?:
                        ":\(value.lowercased()):"
                            + (flag.choices.isEmpty ? "_files" : "(\(flag.choices.joined(separator: " ")))")
                    }
                return quoted("\(name)[\(bracketed(flag.help))]\(value)")
            }
        }
        let places = command.places.enumerated().map { index, place -> String in
            let action =
                switch place {
                case .url: "_ftpfs_urls"
                case .mount: "_ftpfs_mounts"
                case .directory: "_files -/"
                case .path: "_files"
                case .words(let words): "(\(words.joined(separator: " ")))"
                }
            let name = command.positionals[index].value?.lowercased() ?? ""
            return quoted("\(index + 1):\(name):\(action)")
        }
        return (flags + places).joined(separator: " ")
    }

    private static func optionSpecifications() -> [String] {
        let own = MountOption.table.flatMap { option in
            option.names.map { name in
                quoted("\(name)[\(bracketed(option.help.filter { $0 != "`" }))]\(value(of: option.valueKind))")
            }
        }
        return own + ForeignOption.usual.map { quoted("\($0)[see mount(8)]") }
    }

    private static func longSpecification(_ flag: CompletionData.LongFlag) -> String {
        quoted("\(flag.name)\(flag.kind == nil ? "" : "=")[\(bracketed(flag.help))]\(value(of: flag.kind))")
    }

    /// What follows in a specification for a value.
    private static func value(of kind: MountOption.ValueKind?) -> String {
        switch kind {
        case nil: ""
        case .words(let words): ":value:(\(words.joined(separator: " ")))"
        case .file: ":file:_files"
        case .directory: ":directory:_files -/"
        case .user: ":user:_users"
        case .group: ":group:_groups"
        case .free: ":value: "
        }
    }

    /// A text between brackets.
    private static func bracketed(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("[", with: "\\[").replacing("]", with: "\\]")
            .replacing(":", with: "\\:")
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
