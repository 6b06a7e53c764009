import Vocabulary

/// Long flags: every option of `-o` can also be written `--NAME`, `--NAME=VALUE` or `--NAME VALUE`, with `-` for `_` if one
/// likes. They come from the same table, and become `-o` before anything else looks at the arguments.
package enum LongOption {
    /// The arguments with `-o` for each long flag that is one of the options; others stay as they are, and so does all
    /// behind `--`.
    package static func rewritten(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument != "--" else { return result + [argument] + rest }
            guard argument.hasPrefix("--") else {
                result.append(argument)
                continue
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = name(of: String(parts.first ?? ""))
            guard let takesValue = takesValue(name) else {
                result.append(argument)
                continue
            }
            var value = parts.count == 2 ? String(parts[1]) : nil
            // Without one it is said later that the option needs a value.
            if value == nil, takesValue { value = rest.popFirst() }
            let item = OptionList.Item(name: name, value: value.map { Array($0.utf8) }, valueRange: 0..<0)
            result += ["-o", String(decoding: item.escaped, as: UTF8.self)]
        }
        return result
    }

    /// The flag that the first unknown one of the arguments most likely was to be; `nil` when none is near, or none is unknown.
    package static func nearest(toUnknownIn arguments: [String]) -> String? {
        let flags = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
        let names = flags.map { name(of: String($0.dropFirst(2).prefix { $0 != "=" })) }
        guard let unknown = names.first(where: { takesValue($0) == nil }) else { return nil }
        return nearestWord(to: unknown, among: MountOption.table.flatMap(\.names)).map {
            "--" + $0.replacing("_", with: "-")
        }
    }

    /// The name that the tables have for a flag: `dir-ttl` is `dir_ttl`; words that have capitals keep them.
    static func name(of flag: String) -> String {
        String(decoding: flag.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }

    /// `nil` for what is no option.
    private static func takesValue(_ name: String) -> Bool? {
        if let option = MountOption.named(name) { return option.placeholder != nil }
        return BorrowedOption.named(name).map { $0.placeholder != nil }
    }
}

extension MountOption {
    /// Whether the value of an option of that name must not be seen in `ps`.
    static func isSecret(_ name: String) -> Bool {
        named(name)?.isSecret ?? BorrowedOption.named(name)?.isSecret ?? false
    }
}
