import FTPClient

/// What a probe found, for people as lines of a table that can be printed one by one, for programs as JSON.
struct ProbeReport {
    /// Room for the longest title.
    private static let titleWidth = 42
    /// How wide a line may be; `nil`: as wide as it is.
    var columns: Int?
    /// Whether there are colours.
    var style = TerminalStyle.plain
    private var findings: [Finding] = []

    /// Adds a finding.
    ///
    /// - Returns: its line of the table, behind a heading when it is the first of its section.
    mutating func add(_ finding: Finding) -> String {
        let isFirst = findings.last?.section != finding.section
        findings.append(finding)
        let title = finding.title + String(repeating: " ", count: max(1, Self.titleWidth - finding.title.count))
        let note = finding.outcome.note.map { "  (\($0))" } ?? ""
        let heading = isFirst ? (findings.count > 1 ? "\n" : "") + style.bold(Self.heading(finding.section)) + "\n" : ""
        let value = Self.text(finding.outcome.value)
        let line = lines("  \(title)", "\(value)\(note)")
        return heading + coloured(line, finding.outcome.value, value, behind: 2 + title.count)
    }

    /// The line with its `yes` in green, or its `no` in yellow: not everything that a server cannot do is a fault.
    private func coloured(_ line: String, _ value: Finding.Value, _ word: String, behind width: Int) -> String {
        let colour: (String) -> String
        switch value {
        case .yes: colour = style.green
        case .no: colour = style.yellow
        case .unknown: colour = style.dim
        case .text, .number: return line
        }
        return line.prefix(width) + colour(word) + line.dropFirst(width + word.count)
    }

    /// A title and what belongs to it, on further lines below it where one is too short. A word that has no room there, such as
    /// a key's hash value, stands below its title as a whole: it is there to be copied.
    private func lines(_ title: String, _ text: String) -> String {
        guard let columns, title.count + text.count > columns else { return "\(title)\(text)\n" }
        guard text.split(separator: " ").allSatisfy({ $0.count <= columns - title.count }) else {
            return Layout.trimmed(title) + "\n" + String(repeating: " ", count: 4) + text + "\n"
        }
        let indent = String(repeating: " ", count: title.count)
        return Layout.folded(text, within: max(20, columns - title.count)).enumerated().map { index, line in
            (index == 0 ? title : indent) + line + "\n"
        }.joined()
    }

    /// An object with one member per section, each with one member per finding: its value, the unit of a number, and the
    /// note where there is one.
    var json: JSON {
        .object(
            Finding.Section.allCases.compactMap { section in
                let members = findings.filter { $0.section == section }.map { ($0.key, Self.json($0.outcome)) }
                return members.isEmpty ? nil : (section.rawValue, .object(members))
            })
    }

    private static func heading(_ section: Finding.Section) -> String {
        switch section {
        case .connection: "The connection"
        case .security: "Security"
        case .data: "Data connections"
        case .listing: "Directories and times"
        case .files: "Files"
        case .names: "Names that are kept"
        case .limits: "Limits"
        case .rate: "Rate over one connection"
        }
    }

    private static func text(_ value: Finding.Value) -> String {
        switch value {
        case .yes: "yes"
        case .no: "no"
        case .unknown: "not known"
        case .text(let text): text
        case .number(let number, let unit): text(number, unit)
        }
    }

    private static func text(_ number: Int64, _ unit: Finding.Unit) -> String {
        switch unit {
        case .count: "\(number)"
        case .seconds: "\(number) s"
        case .microseconds: number < 1000 ? "\(number) µs" : "\(decimal(number, per: 1000)) ms"
        case .bytesPerSecond: Quantity.rate(number)
        }
    }

    /// With one digit behind the point.
    private static func decimal(_ number: Int64, per unit: Int64) -> String {
        let tenths = number / (unit / 10)
        return "\(tenths / 10).\((tenths % 10).magnitude)"
    }

    private static func json(_ outcome: Finding.Outcome) -> JSON {
        var members: [(String, JSON)]
        switch outcome.value {
        case .yes: members = [("value", .bool(true))]
        case .no: members = [("value", .bool(false))]
        case .unknown: members = [("value", .null)]
        case .text(let text): members = [("value", .string(text))]
        case .number(let number, let unit):
            members = [("value", .integer(number)), ("unit", .string(unit.rawValue))]
        }
        if let note = outcome.note { members.append(("note", .string(note))) }
        return .object(members)
    }
}
