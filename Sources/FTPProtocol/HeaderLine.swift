/// Lines around a listing of `ls` that name no entry.
enum HeaderLine {
    /// Reads `total 20` in any language (two words, of which the second is a number), and `directory:`.
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        let text = line.trimmed
        if text.isEmpty { return .nothing }
        if text.last == ASCII.colon, !isMessage(text) { return .currentDirectory(Array(text.dropLast())) }
        var words = Words(text)
        guard words.next() != nil, let second = words.next(), words.next() == nil,
            let first = second.first, ASCII.isDigit(first)
        else { return .notMine }
        return .nothing
    }

    /// Whether the line is what a program complains, `ls: .: Permission denied:`, and not a directory.
    private static func isMessage(_ text: ArraySlice<UInt8>) -> Bool {
        zip(text, text.dropFirst()).contains { $0 == ASCII.colon && ASCII.isBlank($1) }
    }
}
