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

            # What the value of an option can be, where there is something to choose from; in `found`.
            _ftpfs_values() {
                local name=${1//-/_} value=$2 IFS=$'\\n'
                found=()
                case $name in
            \(data.values.map(valueCase).joined(separator: "\n"))
                esac
            }

            # The words of -o behind the last comma, or the values of the last one.
            _ftpfs_options() {
                local list=$1 before='' item found=() IFS=$' \\t\\n'
                [[ $list == *,* ]] && before=${list%,*},
                item=${list##*,}
                if [[ $item != *=* ]]; then
                    found=($(compgen -W '\(words(data.options.map(\.text)))' -- "$item"))
                    COMPREPLY=("${found[@]/#/$before}")
                    return
                fi
                _ftpfs_values "${item%%=*}" "${item#*=}"
                COMPREPLY=("${found[@]/#/$before${item%%=*}=}")
            }

            # The long flags of the options, and their values.
            _ftpfs_long() {
                local found=() IFS=$' \\t\\n'
                if [[ $1 == *=* ]]; then
                    found=${1%%=*}
                    _ftpfs_values "${found#--}" "${1#*=}"
                    COMPREPLY=("${found[@]/#/${1%%=*}=}")
                else
                    COMPREPLY+=($(compgen -W '\(words(data.longFlags.map { $0.kind == nil ? $0.name : "\($0.name)=" }))' -- "$1"))
                    [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == *= ]] && compopt -o nospace 2>/dev/null
                fi
            }

            _ftpfs_mounts() { ftpfs list --plain 2>/dev/null; }

            _ftpfs() {
                local line=${COMP_LINE:0:COMP_POINT} words=() current previous command=mount place found=() IFS=$' \\t\\n'
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
                    case $command in
                        \(data.commands.filter(\.takesLongFlags).map(\.called).joined(separator: " | "))) _ftpfs_long "$current" ;;
                    esac
                elif [[ $previous == --* ]] && _ftpfs_values "${previous#--}" "$current" && [[ ${#found[@]} != 0 ]]; then
                    COMPREPLY=("${found[@]}")
                else
                    # Which place it is: what stands before it, without flags and their values.
                    local count=0 index
                    for ((index = 0; index < ${#words[@]} - 1; index++)); do
                        case ${words[index]} in
                            \(data.valueFlags.joined(separator: " | "))) index=$((index + 1)) ;;
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
            "            \(command.called)) COMPREPLY=($(compgen -W '\(names)' -- \"$current\")) ;;"
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
            return "            \(command.called):\(index)) COMPREPLY=($(compgen \(action) ;;"
        }
    }

    private static func choices(_ data: CompletionData) -> String {
        data.commands.flatMap { command in
            command.flags.filter { !$0.choices.isEmpty }.flatMap { flag in
                flag.names.map {
                    "    ['\(command.called) \($0)']='\(flag.choices.joined(separator: " "))'"
                }
            }
        }.joined(separator: "\n")
    }
}
