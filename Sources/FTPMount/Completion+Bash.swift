/// Completion for bash. It needs no package `bash-completion`, and reads the line by itself: bash breaks words at `=` and
/// `:`, which are in every option and URL.
package enum BashCompletion {
    /// The file of the completion.
    ///
    /// - Parameters:
    ///   - commands: all forms of the command line, the mount first.
    package static func text(_ commands: [CommandDescription]) -> String {
        let data = CompletionData(commands: commands)
        return """
            # bash completion for ftpfs(8) and mount.ftpfs(8). Made by `ftpfs generate ftpfs.bash`.

            # What flags can be followed by, where that is a list.
            declare -gA _ftpfs_choices=(
            \(choices(data))
            )

            # The words of -o behind the last comma; the values of those that have some to choose from.
            _ftpfs_options() {
                local list=$1 before='' item name value found=()
                [[ $list == *,* ]] && before=${list%,*},
                item=${list##*,}
                if [[ $item != *=* ]]; then
                    found=($(compgen -W '\(words(data.options.map(\.text)))' -- "$item"))
                    COMPREPLY=("${found[@]/#/$before}")
                    return
                fi
                name=${item%%=*} value=${item#*=}
                local IFS=$'\\n'
                case $name in
            \(data.values.map(valueCase).joined(separator: "\n"))
                esac
                COMPREPLY=("${found[@]/#/$before$name=}")
            }

            _ftpfs_mounts() { ftpfs list --plain 2>/dev/null; }

            _ftpfs() {
                local line=${COMP_LINE:0:COMP_POINT} words=() current previous command=mount place IFS=$' \\t\\n'
                # Without -r: a backslash before a blank belongs to the word.
                read -a words <<<"$line"
                [[ $line == *[[:blank:]] ]] && words+=('')
                current=${words[${#words[@]} - 1]}
                previous=${words[${#words[@]} - 2]}
                COMPREPLY=()
                case ${words[0]##*/}:${words[1]} in
                    mount.*) words=("${words[@]:1}") command=mount.ftpfs ;;
            \(data.subcommands.map { "        *:\($0.text)) words=(\"${words[@]:2}\") command=\($0.text) ;;" }.joined(separator: "\n"))
                    *) words=("${words[@]:1}") ;;
                esac
                if [[ ${#words[@]} == 0 ]]; then
                    # The cursor is still at the command's own name.
                    COMPREPLY=("$current")
                elif [[ $previous == -o ]]; then
                    _ftpfs_options "$current"
                    compopt -o nospace 2>/dev/null
                elif [[ $previous == --* && -n ${_ftpfs_choices[$command $previous]} ]]; then
                    COMPREPLY=($(compgen -W "${_ftpfs_choices[$command $previous]}" -- "$current"))
                elif [[ $current == -* ]]; then
                    case $command in
            \(data.commands.map(flagCase).joined(separator: "\n"))
                    esac
                else
                    # Which place it is: what stands before it, without flags and their values.
                    local count=0 index
                    for ((index = 0; index < ${#words[@]} - 1; index++)); do
                        case ${words[index]} in
                            \(valueFlags(data))) index=$((index + 1)) ;;
                            -*) ;;
                            *) count=$((count + 1)) ;;
                        esac
                    done
                    IFS=$'\\n'
                    case $command:$count in
            \(data.commands.flatMap(placeCases).joined(separator: "\n"))
                    esac
                    if [[ ${#words[@]} == 1 && ${COMP_CWORD:-1} == 1 && $command == mount ]]; then
                        IFS=$' \\t\\n'
                        COMPREPLY+=($(compgen -W '\(words(data.subcommands.map(\.text)))' -- "$current"))
                    fi
                fi
                # bash replaces only what stands behind its last break.
                local broken=${current%"${current##*[=:]}"}
                [[ $COMP_WORDBREAKS == *[=:]* ]] && COMPREPLY=("${COMPREPLY[@]#"$broken"}")
            }

            complete -F _ftpfs ftpfs mount.ftpfs mount.fuse.ftpfs

            """
    }

    private static func words(_ texts: [String]) -> String { texts.joined(separator: " ") }

    private static func valueCase(_ value: (names: [String], kind: MountOption.ValueKind)) -> String {
        let call =
            switch value.kind {
            case .words(let words): "-W $'\(words.joined(separator: "\\n"))'"
            case .file: "-f"
            case .directory: "-d"
            case .user: "-u"
            case .group: "-g"
            case .free: ""
            }
        return "        \(value.names.joined(separator: " | "))) found=($(compgen \(call) -- \"$value\")) ;;"
    }

    private static func flagCase(_ command: CommandDescription) -> String {
        let names = words(command.flags.flatMap(\.names))
        return
            "            \(command.word ?? command.unqualified)) COMPREPLY=($(compgen -W '\(names)' -- \"$current\")) ;;"
    }

    private static func placeCases(_ command: CommandDescription) -> [String] {
        command.places.enumerated().map { index, place in
            let action =
                switch place {
                // No blank behind a scheme: the host follows.
                case .url: "-W $'ftp://\\nftpes://\\nftps://' -- \"$current\")); compopt -o nospace 2>/dev/null"
                case .mount: "-W \"$(_ftpfs_mounts)\" -- \"$current\")); compopt -o filenames 2>/dev/null"
                case .directory: "-d -- \"$current\")); compopt -o filenames 2>/dev/null"
                case .path: "-f -- \"$current\")); compopt -o filenames 2>/dev/null"
                case .words(let words): "-W $'\(words.joined(separator: "\\n"))' -- \"$current\"))"
                }
            return "            \(command.word ?? command.unqualified):\(index)) COMPREPLY=($(compgen \(action) ;;"
        }
    }

    private static func choices(_ data: CompletionData) -> String {
        data.commands.flatMap { command in
            command.flags.filter { !$0.choices.isEmpty }.flatMap { flag in
                flag.names.map {
                    "    ['\(command.word ?? command.unqualified) \($0)']='\(flag.choices.joined(separator: " "))'"
                }
            }
        }.joined(separator: "\n")
    }

    /// The flags that a value follows, as a pattern.
    private static func valueFlags(_ data: CompletionData) -> String {
        Set(data.commands.flatMap(\.flags).filter { $0.value != nil }.flatMap(\.names)).sorted()
            .joined(separator: " | ")
    }
}
