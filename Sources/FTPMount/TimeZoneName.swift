import FTPClient
import FTPProtocol
import SystemPackage

/// The zone that `timezone=` names.
enum TimeZoneName {
    /// Where the time zone database is on every Linux that has one (tzfile(5)).
    private static let database = "/usr/share/zoneinfo"
    /// The longest name in the database has 30 bytes.
    private static let maximumLength = 64

    /// `auto`, `UTC`, `+HH:MM`, `-HH:MM`, or the name of a zone. Reads a file for a name.
    ///
    /// - Returns: `nil` for anything else, and for a name that the database does not have.
    static func parse(_ text: [UInt8]) -> ServerTimeZone? {
        guard text.count <= maximumLength, let name = String(validating: text, as: UTF8.self) else { return nil }
        switch name {
        case "auto": return .automatic
        case "UTC", "utc", "GMT", "Z": return .fixed(0)
        default: return offset(text).map { .fixed($0) } ?? rules(name).map { .rules($0) }
        }
    }

    /// Seconds east of UTC from `+05:45`, `-3:30`, `+0545`, `+2`.
    private static func offset(_ text: [UInt8]) -> Int64? {
        guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        var parts = text.dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        if parts.count == 1, parts[0].count == 4 { parts = [parts[0].prefix(2), parts[0].suffix(2)] }
        guard (1...2).contains(parts.count), parts[0].count <= 2, let hours = OptionValue.decimal(Array(parts[0]))
        else {
            return nil
        }
        var minutes = 0
        if parts.count == 2 {
            guard parts[1].count == 2, let value = OptionValue.decimal(Array(parts[1])) else { return nil }
            minutes = value
        }
        // Zones reach from −12 to +14 hours.
        guard minutes < 60, hours * 60 + minutes <= 14 * 60 else { return nil }
        let seconds = Int64(hours * 60 + minutes) * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    private static func rules(_ name: String) -> ZoneRules? {
        // A name and nothing that could lead elsewhere: letters, digits, and `_ + - /` inside.
        let isName = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "_+-/".utf8.contains(byte)
        }
        guard isName, name.first != "/", !name.isEmpty else { return nil }
        guard let file = try? FileDescriptor.open("\(database)/\(name)", .readOnly, options: [.closeOnExec]) else {
            return nil
        }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: ZoneRules.maximumFileSize + 1)
        var length = 0
        while length < bytes.count {
            guard
                let count = try? bytes.withUnsafeMutableBytes({ buffer in
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[length...]))
                })
            else { return nil }
            if count == 0 { break }
            length += count
        }
        return ZoneRules(parsing: Array(bytes[..<length]))
    }
}
