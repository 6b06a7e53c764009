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

    /// The same as long flags; see ``LongOption``.
    let longFlags: [LongFlag] =
        MountOption.table.flatMap { option in
            option.names.map {
                LongFlag(
                    name: "--" + $0.replacing("_", with: "-"), kind: option.valueKind,
                    help: option.help.filter { $0 != "`" })
            }
        }

    /// A flag that stands for an option of `-o`.
    struct LongFlag {
        /// With its dashes.
        let name: String
        /// What its value is completed from; `nil` when it takes none.
        let kind: MountOption.ValueKind?
        let help: String
    }

    /// The flags that a value follows as a word of its own.
    var valueFlags: [String] {
        let own = commands.flatMap(\.flags).filter { $0.value != nil }.flatMap(\.names)
        return Set(own + longFlags.filter { $0.kind != nil }.map(\.name)).sorted()
    }

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

    /// Whether all that can be behind `-o` can be a long flag too.
    var takesLongFlags: Bool { !isHelper && flags.contains { $0.value == "OPTIONS" } }

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
    /// How a form is called in the completions: by its word, without one `mount`, and the helper by its name.
    var called: String { word ?? (name == "ftpfs" ? "mount" : name) }
}
