/// The words of a manual page in mdoc(7), the form that both groff and mandoc read. The lines are kept short and a new
/// sentence begins a new line, as mandoc's lint wants it.
struct ManualText {
    private(set) var lines: [String] = []

    /// A macro line, as it is.
    mutating func macro(_ line: String) { lines.append(line) }

    /// A section.
    mutating func section(_ title: String) { macro(".Sh \(title)") }

    /// A paragraph of running text, in which backticks enclose what is to be written literally.
    mutating func paragraph(_ text: String) {
        if let last = lines.last, !last.hasPrefix(".Sh"), !last.hasPrefix(".Ss"), !last.hasPrefix(".It") {
            macro(".Pp")
        }
        say(text)
    }

    /// Running text that goes on in the same paragraph.
    mutating func say(_ text: String) {
        for sentence in Self.sentences(of: Self.marked(text)) {
            // Folded before it is escaped, so that no escape is torn; the escapes make it longer, but not to 80.
            lines += Layout.folded(sentence, within: 66).map { Self.unmarked(Self.literal($0)) }
        }
    }

    /// An example, indented and as it stands.
    mutating func example(_ text: [String]) {
        macro(".Bd -literal -offset indent")
        lines += text.map { Self.literal($0) }
        macro(".Ed")
    }

    /// The whole page.
    var text: String { lines.joined(separator: "\n") + "\n" }

    /// Where bold begins and ends, as characters that no text has and no line break comes between.
    private static let (bold, roman) = ("\u{1}", "\u{2}")

    /// Backticks by their meaning: every second one ends what the one before began.
    private static func marked(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { index, part in index.isMultiple(of: 2) ? String(part) : bold + part + roman }.joined()
    }

    private static func unmarked(_ line: String) -> String {
        line.replacing(bold, with: "\\fB").replacing(roman, with: "\\fP")
    }

    /// One argument of a macro: no blank ends it, and it is not taken for a macro itself.
    static func argument(_ text: String) -> String {
        let text = literal(text)
        return text.contains(" ") || text.isEmpty ? "\"\(text)\"" : (text.count <= 3 ? "\\&\(text)" : text)
    }

    /// Characters that mean something to troff, by their escapes; a minus sign that can be pasted into a shell.
    private static func literal(_ text: String) -> String {
        guarded(
            text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("\"", with: "\\(dq")
                .replacing("~", with: "\\(ti").replacing("^", with: "\\(ha"))
    }

    /// A line that begins with a point or an apostrophe would be a request.
    private static func guarded(_ line: String) -> String {
        line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)" : line
    }

    /// The sentences of a text: a point and a blank end one, before a capital letter.
    private static func sentences(of text: String) -> [String] {
        var sentences: [String] = []
        for word in text.split(separator: " ") {
            if let last = sentences.last, !(last.hasSuffix(".") && word.first?.isUppercase == true) {
                sentences[sentences.count - 1] = "\(last) \(word)"
            } else {
                sentences.append(String(word))
            }
        }
        return sentences
    }
}
