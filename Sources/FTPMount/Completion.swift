/// What the completions of all shells are made of: the option table and the commands as plain lists.
struct CompletionData {
    /// A word to offer, and what it means.
    struct Word {
        let text: String
        let help: String
    }

    let commands: [CommandDescription]

    /// The words that may stand behind `ftpfs`, without the program's own name.
    var subcommands: [Word] {
        commands.filter { $0.word != nil }.map { Word(text: $0.word ?? "", help: $0.abstract) }
    }

    /// The words of `-o`: with `=` behind them where a value follows.
    let options: [Word] =
        MountOption.table.flatMap { option in
            option.names.map {
                Word(text: option.placeholder == nil ? $0 : "\($0)=", help: option.help.filter { $0 != "`" })
            }
        }
        + ForeignOption.usual.map { Word(text: $0, help: "see mount(8)") }

    /// The names of options by what their values are completed from; only those where there is something to offer.
    let values: [(names: [String], kind: MountOption.ValueKind)] =
        MountOption.table.compactMap { option in
            guard let kind = option.valueKind, kind != .free else { return nil }
            return (option.names, kind)
        }
}

extension CommandDescription {
    /// The word behind `ftpfs`; `nil` for a form that is called without one.
    var word: String? { name.split(separator: " ").dropFirst().first.map(String.init) }

    /// The flags, with `=` behind none of them.
    var flags: [Argument] { arguments.filter { !$0.isPositional } }

    /// The arguments that are known by their places.
    var positionals: [Argument] { arguments.filter(\.isPositional) }

    /// What stands at a place, for completion.
    enum Place: Equatable {
        /// A URL of a server.
        case url
        /// Where something is mounted already.
        case mount
        /// A directory of this machine.
        case directory
        /// A file or a directory.
        case path
        /// One of these words.
        case words([String])
    }

    /// The places in their order. Only the forms that mount take a directory that is no mount yet.
    var places: [Place] {
        let isMounting = positionals.contains { $0.value == "URL" }
        return positionals.map { argument in
            if !argument.choices.isEmpty { return .words(argument.choices) }
            return switch argument.value {
            case "URL": .url
            case "MOUNTPOINT": isMounting ? .directory : .mount
            case "DIRECTORY": .directory
            default: .path
            }
        }
    }
}

extension CommandDescription {
    /// How a form without a word of its own is called in the completions: `mount`, and the helper by its name.
    var unqualified: String { name == "ftpfs" ? "mount" : name }
}
