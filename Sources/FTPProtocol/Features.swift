import Vocabulary

/// What a server says it can do, from its reply to `FEAT` (RFC 2389 §3.2).
///
///     feat-response = "211-" *text CRLF 1*( SP feature CRLF ) "211 End" CRLF
///     feature       = label [ SP parameters ]
///
/// A label may come on several lines (`AUTH TLS`, `AUTH SSL`). Servers leave the leading blank out, or put `211-` in
/// front, which ``ReplyParser`` has taken off. A claim is only a hint: commands that are listed here may still fail.
package struct Features: Hashable, Sendable {
    /// One fact that `MLST` and `MLSD` can send (RFC 3659 §7.8).
    package struct Fact: Hashable, Sendable {
        /// The name in small letters: `type`, `size`, `unix.mode`.
        package let name: String
        /// Whether the server sends it without `OPTS MLST`.
        package let enabledByDefault: Bool
    }

    /// What is known of a server that does not answer `FEAT`: nothing.
    package static let none = Features()

    private struct Line: Hashable, Sendable {
        /// In capital letters.
        let label: [UInt8]
        let parameters: [UInt8]
    }

    private var lines: [Line] = []

    private init() {}

    /// Reads a reply to `FEAT`. A refusal, and a reply of one line ("no features"), give ``none``.
    package init(parsing reply: Reply) {
        guard reply.category == .completion, reply.lines.count > 2 else { return }
        for text in reply.lines[1..<(reply.lines.count - 1)] {
            let text = text.trimmed
            let label = text.prefix { !ASCII.isBlank($0) }
            if label.isEmpty { continue }
            let parameters = text[label.endIndex...].trimmed
            lines.append(Line(label: label.map(ASCII.uppercased), parameters: Array(parameters)))
        }
    }

    /// Whether a line with this label was sent; the case of letters does not matter.
    package func contains(_ name: String) -> Bool {
        let label = name.utf8.map(ASCII.uppercased)
        return lines.contains { $0.label == label }
    }

    /// The labels in the server's order, each once, made fit for a message.
    package var labels: [String] {
        var seen: Set<[UInt8]> = []
        return lines.map(\.label).filter { seen.insert($0).inserted }.map { printable($0) }
    }

    /// What follows the label on the first line that has it: empty for nothing, `nil` when there is no such line.
    package func parameters(of name: String) -> [UInt8]? {
        let label = name.utf8.map(ASCII.uppercased)
        return lines.first { $0.label == label }?.parameters
    }

    /// What follows the label on each line that has it, in the server's order.
    package func allParameters(of name: String) -> [[UInt8]] {
        let label = name.utf8.map(ASCII.uppercased)
        return lines.filter { $0.label == label }.map(\.parameters)
    }

    /// The words of all lines with this label in capital letters, separated by blanks, `;` or `,`:
    /// `AUTH TLS;SSL;TLS-P` and two lines `AUTH TLS`, `AUTH SSL` alike (RFC 4217 §6).
    package func words(of name: String) -> [String] {
        allParameters(of: name).flatMap { parameters in
            parameters.split { ASCII.isBlank($0) || $0 == ASCII.semicolon || $0 == ASCII.comma }
                .map { String(decoding: $0.map(ASCII.uppercased), as: UTF8.self) }
        }
    }

    /// The facts that `MLST` and `MLSD` can send, in the server's order (RFC 3659 §7.8). Empty when it has none.
    ///
    ///     mlst-feat = SP "MLST" [ SP factname [ "*" ] *( ";" factname [ "*" ] ) [ ";" ] ]
    package var mlstFacts: [Fact] {
        allParameters(of: "MLST").flatMap { parameters in
            parameters.split(separator: ASCII.semicolon).compactMap { word in
                let word = word.trimmed
                let isEnabled = word.last == ASCII.asterisk
                let name = isEnabled ? word.dropLast() : word
                if name.isEmpty { return nil }
                return Fact(
                    name: String(decoding: name.map(ASCII.lowercased), as: UTF8.self), enabledByDefault: isEnabled)
            }
        }
    }
}
