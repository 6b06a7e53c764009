/// A word of another program's `-o`, so that a line of `/etc/fstab` that was written for that program keeps working when
/// its type is changed. It means options of ours, or nothing here, or something that cannot be had; what was given for a
/// reason is never dropped in silence.
package struct BorrowedOption: Sendable {
    /// What a word comes to.
    package enum Meaning: Sendable {
        /// The same as these options of ours; `nil` for a value that is not allowed.
        case options(@Sendable (_ value: [UInt8]) -> [String]?)
        /// Nothing is to be done, and a line says why.
        case nothing(String)
        /// No mount; the reason, and what to write instead.
        case refusal(String)
    }

    /// The word.
    package let name: String
    /// What stands for its value; `nil` for a word without one.
    package let placeholder: String?
    /// Which values are allowed, as the end of the sentence "… must be".
    package let allowed: String
    /// Whether its value must not be seen in `ps`.
    package let isSecret: Bool
    /// For the documentation: what it comes to, in Markdown.
    package let help: String
    /// What it comes to.
    let meaning: Meaning

    /// A word of that name.
    package static func named(_ name: String) -> BorrowedOption? { byName[name] }

    private static let byName = Dictionary(
        table.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// As it is written.
    package var synopsis: String { placeholder.map { "\(name)=\($0)" } ?? name }

    /// The table of the documentation.
    package static var markdown: String {
        let rows = table.map { option in
            let cell = option.synopsis.split(separator: "|").joined(separator: "\\|")
            return "| `\(cell)` | \(option.help) |"
        }
        return (["| word | here |", "| --- | --- |"] + rows).joined(separator: "\n")
    }
}

// MARK: - Rows

extension BorrowedOption {
    /// A word without a value that stands for options of ours.
    static func flag(_ name: String, _ options: String...) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: nil, allowed: "", isSecret: false, help: shown(options),
            meaning: .options { _ in options })
    }

    /// A word whose value an option of ours takes as it is.
    static func value(_ name: String, _ placeholder: String, of option: String) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: placeholder, allowed: "what `\(option)=` takes", isSecret: false,
            help: "`\(option)=\(placeholder)`"
        ) { value in
            String(validating: value, as: UTF8.self).map { ["\(option)=\($0)"] }
        }
    }

    /// A word that takes one of a few others.
    static func choice(_ name: String, _ values: [(word: String, options: [String])]) -> BorrowedOption {
        let words = values.map(\.word)
        let help = values.map { "`\($0.word)`: \($0.options.isEmpty ? "as it is here" : shown($0.options))" }
        return BorrowedOption(
            name: name, placeholder: words.joined(separator: "|"), allowed: "one of " + words.joined(separator: ", "),
            isSecret: false, help: help.joined(separator: "; ")
        ) { value in
            values.first { Array($0.word.utf8) == value }?.options
        }
    }

    /// A word that comes to nothing, for the reason given.
    static func nothing(_ name: String, value placeholder: String? = nil, _ reason: String) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: placeholder, allowed: "", isSecret: false, help: "nothing: \(reason)",
            meaning: .nothing(reason))
    }

    /// A word that is refused, with the reason and what to do.
    static func refused(
        _ name: String, value placeholder: String? = nil, isSecret: Bool = false, _ reason: String
    ) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: placeholder, allowed: "", isSecret: isSecret, help: "refused: \(reason)",
            meaning: .refusal(reason))
    }

    /// A word whose value is translated.
    init(
        name: String, placeholder: String?, allowed: String, isSecret: Bool, help: String,
        translate: @escaping @Sendable ([UInt8]) -> [String]?
    ) {
        self.init(
            name: name, placeholder: placeholder, allowed: allowed, isSecret: isSecret, help: help,
            meaning: .options(translate))
    }

    private static func shown(_ options: [String]) -> String {
        options.isEmpty ? "as it is here" : options.map { "`\($0)`" }.joined(separator: ", ")
    }
}
