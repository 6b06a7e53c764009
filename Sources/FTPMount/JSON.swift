/// A value of JSON (RFC 8259), for output that programs read. Foundation's encoder would bring a library that takes longer to
/// load than a mount takes to come up.
enum JSON {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    /// The order is kept; names are to be different.
    case object([(String, JSON)])

    /// The text, on several lines that are indented by two blanks.
    var text: String { text(indentedBy: "") }

    /// The text on one line, without a line end: what goes over a socket.
    var line: String {
        switch self {
        case .null, .bool, .integer, .string: text
        case .array(let values): "[" + values.map(\.line).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\(Self.quoted($0.0)):\($0.1.line)" }.joined(separator: ",") + "}"
        }
    }

    private func text(indentedBy indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .string(let value): return Self.quoted(value)
        case .array(let values):
            return Self.enclosed("[", values.map { $0.text(indentedBy: inner) }, "]", indent, inner)
        case .object(let members):
            let lines = members.map { "\(Self.quoted($0.0)): \($0.1.text(indentedBy: inner))" }
            return Self.enclosed("{", lines, "}", indent, inner)
        }
    }

    private static func enclosed(
        _ open: String, _ lines: [String], _ close: String, _ indent: String, _ inner: String
    ) -> String {
        if lines.isEmpty { return open + close }
        return "\(open)\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)\(close)"
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and control characters have to be escaped.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
