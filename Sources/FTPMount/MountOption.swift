import Vocabulary

/// One option of `-o`: its names, what it takes, and what it does. ``table`` holds them all; the parser, the help,
/// the README and the search for the nearest name read that table, so that they cannot disagree.
package struct MountOption: Sendable {
    /// The name that the documentation uses.
    package let name: String
    /// Names that mean the same, mostly for lines that were written for another program.
    package let aliases: [String]
    /// What stands for the value in the documentation; `nil` for an option without one.
    package let placeholder: String?
    /// Which values are allowed, as the end of the sentence "… must be".
    package let allowed: String
    /// The value that holds when the option is not given, for the documentation.
    package let standard: String
    /// What it does, one line of Markdown.
    package let help: String
    /// Whether it says where user and password come from. Such an option is done with before the mounting process
    /// starts, and is not handed to it.
    package let isCredential: Bool
    /// Whether its value must not be seen in `ps`.
    package let isSecret: Bool
    /// Puts a value in; false when it is not allowed. An option without a value gets an empty one.
    let apply: @Sendable (inout MountOptions, [UInt8]) -> Bool

    init(
        _ name: String, aliases: [String] = [], value placeholder: String? = nil, allowed: String = "",
        standard: String = "", isCredential: Bool = false, isSecret: Bool = false, _ help: String,
        apply: @escaping @Sendable (inout MountOptions, [UInt8]) -> Bool
    ) {
        self.name = name
        self.aliases = aliases
        self.placeholder = placeholder
        self.allowed = allowed
        self.standard = standard
        self.help = help
        self.isCredential = isCredential
        self.isSecret = isSecret
        self.apply = apply
    }
}

extension MountOption {
    /// An option without a value.
    static func flag(
        _ name: String, _ help: String, apply: @escaping @Sendable (inout MountOptions) -> Void
    ) -> MountOption {
        MountOption(name, help) { options, _ in
            apply(&options)
            return true
        }
    }

    /// An option that takes a whole number of a range.
    static func number(
        _ name: String, aliases: [String] = [], in range: ClosedRange<Int>, standard: String, _ help: String,
        apply: @escaping @Sendable (inout MountOptions, Int) -> Void
    ) -> MountOption {
        MountOption(
            name, aliases: aliases, value: "N", allowed: "a whole number of \(range.lowerBound) to \(range.upperBound)",
            standard: standard, help
        ) { options, text in
            guard let number = decimal(text), range.contains(number) else { return false }
            apply(&options, number)
            return true
        }
    }

    /// An option that takes a span of time in seconds, with a fraction if need be.
    static func seconds(
        _ name: String, aliases: [String] = [], in range: ClosedRange<Int>, standard: String, _ help: String,
        apply: @escaping @Sendable (inout MountOptions, Duration) -> Void
    ) -> MountOption {
        MountOption(
            name, aliases: aliases, value: "SECONDS",
            allowed: "a number of seconds of \(range.lowerBound) to \(range.upperBound)", standard: standard, help
        ) { options, text in
            guard let span = OptionValue.seconds(text),
                (Duration.seconds(range.lowerBound)...Duration.seconds(range.upperBound)).contains(span)
            else { return false }
            apply(&options, span)
            return true
        }
    }

    /// An option that takes permission bits in octal.
    static func mode(
        _ name: String, standard: String, _ help: String,
        apply: @escaping @Sendable (inout MountOptions, UInt32) -> Void
    ) -> MountOption {
        MountOption(name, value: "MODE", allowed: "an octal number of 0 to 777", standard: standard, help) {
            options, text in
            guard let bits = OptionValue.octal(text), bits <= 0o777 else { return false }
            apply(&options, bits)
            return true
        }
    }

    /// An option that takes a path of this machine.
    static func path(
        _ name: String, _ placeholder: String, aliases: [String] = [], standard: String, isCredential: Bool = false,
        _ help: String, apply: @escaping @Sendable (inout MountOptions, String) -> Void
    ) -> MountOption {
        MountOption(
            name, aliases: aliases, value: placeholder, allowed: "a path", standard: standard,
            isCredential: isCredential, help
        ) { options, text in
            guard !text.isEmpty, let path = String(validating: text, as: UTF8.self) else { return false }
            apply(&options, path)
            return true
        }
    }
}

/// How the texts of option values are read.
enum OptionValue {
    /// A whole number in decimal digits, without a sign.
    static func decimal(_ text: [UInt8]) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(String(decoding: text, as: UTF8.self))
    }

    /// Octal digits.
    static func octal(_ text: [UInt8]) -> UInt32? {
        guard !text.isEmpty, text.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        return UInt32(String(decoding: text, as: UTF8.self), radix: 8)
    }

    /// Seconds with at most nine digits behind a point.
    static func seconds(_ text: [UInt8]) -> Duration? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        // Nine digits before the point are 31 years: no option allows more, and nothing can overflow.
        guard let whole = parts.first.flatMap({ decimal(Array($0)) }), whole < 1_000_000_000 else { return nil }
        guard parts.count == 2 else { return .seconds(whole) }
        guard parts[1].count <= 9, let fraction = decimal(Array(parts[1])) else { return nil }
        let scale = (parts[1].count..<9).reduce(1) { product, _ in product * 10 }
        return .seconds(whole) + .nanoseconds(fraction * scale)
    }

    /// A number of bytes: digits, and K, M, G or T for powers of 1024.
    static func size(_ text: [UInt8]) -> Int64? {
        var digits = text
        var shift = 0
        switch digits.last {
        case UInt8(ascii: "k"), UInt8(ascii: "K"): shift = 10
        case UInt8(ascii: "m"), UInt8(ascii: "M"): shift = 20
        case UInt8(ascii: "g"), UInt8(ascii: "G"): shift = 30
        case UInt8(ascii: "t"), UInt8(ascii: "T"): shift = 40
        case UInt8(ascii: "p"), UInt8(ascii: "P"): shift = 50
        default: break
        }
        if shift > 0 { digits.removeLast() }
        guard let number = decimal(digits) else { return nil }
        let (bytes, overflow) = Int64(number).multipliedReportingOverflow(by: 1 << Int64(shift))
        return overflow ? nil : bytes
    }
}

private func decimal(_ text: [UInt8]) -> Int? { OptionValue.decimal(text) }
