package import Vocabulary

/// Moments as `MDTM`, `MFMT` and the facts of `MLSD` write them: `YYYYMMDDHHMMSS[.fraction]` in UTC (RFC 3659 §2.3).
package enum TimeValue {
    /// Reads a moment.
    ///
    /// Beside the form of the RFC: without seconds; and with a year of five digits, `19100` for 2000, which servers
    /// send that print "19" and the years since 1900. A second 60 is the first second of the next minute. Digits of
    /// the fraction beyond the ninth are cut.
    ///
    /// - Returns: `nil` for any other form, and for a date or a time of day that does not exist.
    package static func parse(_ bytes: some Collection<UInt8>) -> Timestamp? {
        let digits = Array(bytes.prefix { $0 != ASCII.period })
        let fraction = bytes.dropFirst(digits.count + 1)
        // The longest form has 15 digits.
        guard digits.count <= 15, digits.allSatisfy(ASCII.isDigit) else { return nil }
        func number(_ start: Int, _ count: Int) -> Int {
            digits[start..<(start + count)].reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
        }
        let year: Int
        let rest: Int
        switch digits.count {
        case 12, 14:
            year = number(0, 4)
            rest = 4
        case 15 where number(0, 3) == 191:
            year = 1900 + number(2, 3)
            rest = 5
        default:
            return nil
        }
        let second = digits.count == 12 ? 0 : number(rest + 8, 2)
        guard second <= 60, let nanoseconds = nanoseconds(fraction),
            let time = CivilTime(
                year: Int64(year), month: number(rest, 2), day: number(rest + 2, 2), hour: number(rest + 4, 2),
                minute: number(rest + 6, 2), second: min(second, 59))
        else { return nil }
        return Timestamp(seconds: time.seconds + (second == 60 ? 1 : 0), nanoseconds: nanoseconds)
    }

    /// Writes a moment in whole seconds, as `MFMT` and `MDTM` take it: 14 digits. A fraction is cut.
    ///
    /// - Returns: `nil` outside of the years 0...9999, which have no four digits.
    package static func format(_ time: Timestamp) -> String? {
        let civil = CivilTime(seconds: time.seconds)
        guard (0...9999).contains(civil.year) else { return nil }
        return padded(Int(civil.year), 4) + padded(civil.month, 2) + padded(civil.day, 2) + padded(civil.hour, 2)
            + padded(civil.minute, 2) + padded(civil.second, 2)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The digits behind the period as nanoseconds; `nil` when one is not a digit.
    static func nanoseconds(_ fraction: some Collection<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var weight: UInt32 = 100_000_000
        for byte in fraction {
            guard ASCII.isDigit(byte) else { return nil }
            value += UInt32(byte - ASCII.zero) * weight
            weight /= 10
        }
        return value
    }
}
