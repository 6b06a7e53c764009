/// The words of a line: what stands between blanks and tabs, from the left.
struct Words: IteratorProtocol {
    /// What is left of the line.
    private(set) var rest: ArraySlice<UInt8>

    init(_ line: ArraySlice<UInt8>) { rest = line }

    /// The next word, never empty; `nil` at the end of the line.
    mutating func next() -> ArraySlice<UInt8>? {
        guard let start = rest.firstIndex(where: { !ASCII.isBlank($0) }) else {
            rest = rest[rest.endIndex...]
            return nil
        }
        let end = rest[start...].firstIndex(where: ASCII.isBlank) ?? rest.endIndex
        let word = rest[start..<end]
        rest = rest[end...]
        return word
    }
}

extension ArraySlice<UInt8> {
    /// The number that the bytes are, whose digits may be grouped by threes: `1234`, `1,234`, `1.234`, `1'234`.
    var groupedDecimal: Int64? {
        if let decimal { return decimal }
        guard let separator = first(where: { !ASCII.isDigit($0) }),
            separator == ASCII.comma || separator == ASCII.period || separator == ASCII.apostrophe
        else { return nil }
        let groups = split(separator: separator, omittingEmptySubsequences: false)
        guard groups.count > 1, let first = groups.first, (1...3).contains(first.count),
            groups.dropFirst().allSatisfy({ $0.count == 3 })
        else { return nil }
        return filter { $0 != separator }.decimal
    }

    /// The number that one or two digits are; used for days, months and hours.
    var oneOrTwoDigits: Int? {
        guard count == 1 || count == 2, allSatisfy(ASCII.isDigit) else { return nil }
        return reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
    }

    /// Permission bits (07777) from octal digits; the type of the file, which some servers add, is cut.
    var octalMode: UInt32? {
        // 22 octal digits would fill 64 bits; 8 are more than any mode has.
        guard (1...8).contains(count) else { return nil }
        var mode: UInt32 = 0
        for byte in self {
            guard byte >= ASCII.zero, byte < ASCII.zero + 8 else { return nil }
            mode = mode << 3 | UInt32(byte - ASCII.zero)
        }
        return mode & 0o7777
    }

    /// The number that exactly four digits are: a year.
    var fourDigits: Int64? { count == 4 ? decimal : nil }
}
