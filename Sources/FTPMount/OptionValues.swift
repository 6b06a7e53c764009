extension MountOption {
    /// What a value can be completed from.
    package enum ValueKind: Equatable, Sendable {
        /// One of these words.
        case words([String])
        /// A file or directory of this machine.
        case file
        /// A directory of this machine.
        case directory
        /// A user's name.
        case user
        /// A group's name.
        case group
        /// Something that nobody can guess.
        case free
    }

    /// What its value can be completed from; `nil` when it takes none.
    ///
    /// The placeholder says it: `FILE`, `DIRECTORY`, `USER` and `GROUP` mean what they say, and small letters are
    /// words that are to be written as they stand (`tls=off|auto|explicit|implicit`); or ``allowed`` lists such words.
    package var valueKind: ValueKind? {
        guard let placeholder else { return nil }
        switch placeholder {
        case "FILE", "FILE|DIRECTORY": return .file
        case "DIRECTORY": return .directory
        case "USER": return .user
        case "GROUP": return .group
        default:
            let candidates = [
                placeholder.split(separator: "|").map(String.init), Self.listed(allowed),
            ]
            return candidates.first(where: Self.areWords).map(ValueKind.words) ?? .free
        }
    }

    /// The parts of a text like "passive, active or auto".
    private static func listed(_ text: String) -> [String] {
        text.filter { $0 != "`" }.replacing(" or ", with: ", ").split(separator: ", ").map(String.init)
    }

    /// Whether these are words to be written as they stand: more than one, in small letters and digits.
    private static func areWords(_ texts: [String]) -> Bool {
        texts.count > 1
            && texts.allSatisfy { text in
                text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E }
            }
    }

    /// All names, the first one first.
    package var names: [String] { [name] + aliases }
}

extension ForeignOption {
    /// Those that people write in lines for mount(8), for completions; all others are known too.
    package static let usual: [String] = kernel.sorted() + ["defaults", "noauto", "user", "users", "_netdev", "nofail"]
}
