/// Lines around a listing of `ls` that name no entry.
enum HeaderLine {
    /// Reads `total 20` in any language (two words, of which the second is a number), and `directory:`.
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        let text = line.trimmed
        if text.isEmpty { return .nothing }
        if text.last == ASCII.colon, !isMessage(text) { return .currentDirectory(Array(text.dropLast())) }
        var words = Words(text)
        guard words.next() != nil, let second = words.next(), words.next() == nil, isNumber(second) else {
            return .notMine
        }
        return .nothing
    }

    /// `20`, `1,234`, `12K`, `4.0M`.
    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        guard let first = word.first, let last = word.last, ASCII.isDigit(first) else { return false }
        let digits = ASCII.isLetter(last) ? word.dropLast() : word
        return digits.allSatisfy { ASCII.isDigit($0) || $0 == ASCII.period || $0 == ASCII.comma }
    }

    /// Whether the line is what a program complains, `ls: .: Permission denied:`, and not a directory.
    private static func isMessage(_ text: ArraySlice<UInt8>) -> Bool {
        zip(text, text.dropFirst()).contains { $0 == ASCII.colon && ASCII.isBlank($1) }
    }
}
