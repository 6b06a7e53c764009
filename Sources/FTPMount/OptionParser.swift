import Vocabulary

extension MountOptions {
    /// What is wrong with the text behind `-o`.
    package struct Invalid: Error, Hashable, Sendable {
        /// The option, what is wrong, and what is allowed.
        package let reason: String
    }

    /// Reads the texts of all `-o`, in their order; of an option that comes twice, the later one counts.
    ///
    /// - Parameter ignoringUnknown: drops options that nobody knows (mount(8)'s `-s`) instead of refusing them.
    /// - Throws: ``Invalid`` for an unknown option, with the nearest known name, and for a value that is not allowed.
    package init(parsing texts: [[UInt8]], ignoringUnknown: Bool = false) throws(Invalid) {
        self.init()
        var names: Set<String> = []
        for text in texts {
            for item in OptionList(text).items {
                names.insert(item.name)
                try apply(item, ignoringUnknown: ignoringUnknown)
            }
        }
        try checkTogether(names)
    }

    private mutating func apply(_ item: OptionList.Item, ignoringUnknown: Bool) throws(Invalid) {
        if let option = MountOption.named(item.name) {
            return try apply(option, item)
        }
        if let borrowed = BorrowedOption.named(item.name) {
            return try apply(borrowed, item)
        }
        if item.value == nil, ForeignOption.kernel.contains(item.name) {
            return kernelOptions.append(item.name)
        }
        if item.name == "remount", item.value == nil {
            isRemount = true
            return
        }
        guard !ForeignOption.isDropped(item), !ignoringUnknown else { return }
        let known = MountOption.table.flatMap { [$0.name] + $0.aliases } + ForeignOption.kernel.sorted()
        let name = printable(item.name.utf8)
        let hint = nearestWord(to: item.name, among: known).map { "did you mean \($0)?" } ?? "see ftpfs --help"
        throw Invalid(reason: "unknown option \(name); \(hint)")
    }

    private mutating func apply(_ option: MountOption, _ item: OptionList.Item) throws(Invalid) {
        guard let placeholder = option.placeholder else {
            if item.value != nil { throw Invalid(reason: "option \(item.name) takes no value") }
            _ = option.apply(&self, [])
            return
        }
        // `user` alone is a word of mount(8); its row says so.
        guard let value = item.value ?? (option.name == "user" ? [] : nil) else {
            throw Invalid(reason: "option \(item.name) needs a value; write \(item.name)=\(placeholder)")
        }
        guard option.apply(&self, value) else {
            let shown = option.isSecret ? "" : " '\(printable(value))'"
            throw Invalid(reason: "option \(item.name): the value\(shown) must be \(option.allowed)")
        }
    }
}

extension MountOptions {
    private mutating func apply(_ borrowed: BorrowedOption, _ item: OptionList.Item) throws(Invalid) {
        switch borrowed.meaning {
        case .nothing(let reason):
            notes.append("the option \(borrowed.name) does nothing here: \(reason.filter { $0 != "`" })")
        case .refusal(let reason):
            throw Invalid(reason: "the option \(borrowed.name) cannot be used: \(reason.filter { $0 != "`" })")
        case .options(let translate):
            if let value = item.value, borrowed.placeholder == nil {
                throw Invalid(reason: "option \(item.name) takes no value, and was given '\(printable(value))'")
            }
            if item.value == nil, let placeholder = borrowed.placeholder {
                throw Invalid(reason: "option \(item.name) needs a value; write \(item.name)=\(placeholder)")
            }
            guard let options = translate(item.value ?? []) else {
                throw Invalid(
                    reason:
                        "option \(item.name): the value '\(printable(item.value ?? []))' must be \(borrowed.allowed)")
            }
            for option in options {
                for part in OptionList(Array(option.utf8)).items {
                    if let known = MountOption.named(part.name) { try apply(known, part) }
                }
            }
        }
    }

    /// What a single option cannot see.
    private func checkTogether(_ names: Set<String>) throws(Invalid) {
        guard names.contains("pass"), !names.isDisjoint(with: ["cert", "key"]) else { return }
        // It would go to the server as the user's password.
        throw Invalid(
            reason: "beside cert= and key= the option pass= would be the key's (curlftpfs) or the user's (cifs); "
                + "use a key without a password, and write password= for the user's")
    }
}

extension MountOption {
    /// The option of that name or alias.
    package static func named(_ name: String) -> MountOption? { byName[name] }

    private static let byName: [String: MountOption] = {
        var index: [String: MountOption] = [:]
        for option in table {
            for name in [option.name] + option.aliases { index[name] = option }
        }
        return index
    }()
}

extension OptionList {
    /// The texts of all `-o` without the options that say where user and password come from.
    package static func withoutCredentials(_ texts: [[UInt8]]) -> [[UInt8]] {
        texts.flatMap { OptionList($0).items }
            .filter { MountOption.named($0.name)?.isCredential != true }
            .map(\.escaped)
    }
}
