/// Numbers as people read them.
enum Quantity {
    /// Bytes with a decimal unit and at most four digits: `712 bytes`, `12.4 MB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
        guard count.magnitude >= 1000 else { return count == 1 ? "1 byte" : "\(count) bytes" }
        var value = Double(count) / 1000
        var unit = 0
        // What would be rounded up to 1000 belongs to the next unit.
        while value.magnitude >= 999.95, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return "\(tenths(value)) \(units[unit])"
    }

    /// Bytes per second.
    static func rate(_ bytesPerSecond: Int64) -> String { "\(bytes(bytesPerSecond))/s" }

    /// Seconds, with the two largest units: `5 s`, `3 min 12 s`, `2 h 5 min`, `12 d 3 h`.
    static func span(_ seconds: Int64) -> String {
        let units: [(name: String, seconds: Int64)] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        var rest = max(0, seconds)
        var parts: [String] = []
        for unit in units {
            let count = rest / unit.seconds
            rest %= unit.seconds
            if count > 0 || (unit.name == "s" && parts.isEmpty) { parts.append("\(count) \(unit.name)") }
            // What follows a unit that is missing would be too exact.
            if parts.count == 2 || (!parts.isEmpty && count == 0) { break }
        }
        return parts.joined(separator: " ")
    }

    /// A number with its noun: `1 file`, `3 files`.
    static func count(_ number: Int64, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// Of 100; between 0 and 99 as long as something is missing.
    static func percent(_ done: Int64, of total: Int64) -> Int64 {
        guard total > 0 else { return 100 }
        if done >= total { return 100 }
        return min(99, Int64(Double(max(0, done)) / Double(total) * 100))
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\((tenths % 10).magnitude)"
    }
}
