#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Colours, and how wide a line may be (ECMA-48 §8.3.117). Meaning is never in a colour alone.
struct TerminalStyle: Hashable {
    /// Whether there are colours.
    var isColoured: Bool
    /// How many characters a line may have.
    var columns: Int

    /// What suits a file, a pipe, and tests.
    static let plain = TerminalStyle(isColoured: false, columns: 80)

    /// Narrower than that nothing useful can be shown; a terminal that says so will break the lines.
    private static let fewestColumns = 40

    /// What suits a descriptor: no colours where it is no terminal, where `NO_COLOR` is set (no-color.org), or where
    /// TERM says that there are none.
    static func suiting(_ descriptor: Int32) -> TerminalStyle {
        guard isatty(descriptor) == 1 else { return .plain }
        let wishesNone = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? true
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return TerminalStyle(
            isColoured: !wishesNone && !isDumb, columns: isKnown ? max(fewestColumns, Int(size.ws_col)) : 80)
    }

    func bold(_ text: String) -> String { with("1", text) }
    func dim(_ text: String) -> String { with("2", text) }
    func red(_ text: String) -> String { with("31", text) }
    func green(_ text: String) -> String { with("32", text) }
    func yellow(_ text: String) -> String { with("33", text) }
    func cyan(_ text: String) -> String { with("36", text) }

    private func with(_ code: String, _ text: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Texts that fit into a line.
enum Layout {
    /// A text with blanks behind it.
    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A text with blanks before it.
    static func right(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// A text without blanks at its end.
    static func trimmed(_ text: String) -> String {
        var text = text
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    /// The end of a text that is too long: of a path the more telling part.
    static func ending(_ text: String, within width: Int) -> String {
        text.count <= width ? text : "..." + text.suffix(max(0, width - 3))
    }

    /// The words of a text in lines of at most so many characters; longer words get a line of their own.
    static func folded(_ text: String, within width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// `[#####-----]`
    static func bar(_ done: Int64, of total: Int64, width: Int) -> String {
        let inside = max(1, width - 2)
        let filled = Int(Quantity.percent(done, of: total)) * inside / 100
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: inside - filled) + "]"
    }
}
