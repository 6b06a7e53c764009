package import Vocabulary

/// A date and a time of day of the proleptic Gregorian calendar without a zone, and the way to and from seconds.
///
/// The conversion is the one of Howard Hinnant's "chrono-compatible low-level date algorithms": eras of 400 years with
/// years that begin in March, so that the leap day is the last day of its year. There is no table and no loop, and
/// every value of its type gives a result or `nil`, never a trap.
package struct CivilTime: Hashable, Sendable {
    /// May be zero or negative: the year 0 is the one before the year 1.
    package let year: Int64
    /// 1...12.
    package let month: Int
    /// 1...31.
    package let day: Int
    /// 0...23.
    package let hour: Int
    /// 0...59.
    package let minute: Int
    /// 0...59.
    package let second: Int

    /// The years that seconds in an `Int64` can name, cut to a round number.
    private static let years: ClosedRange<Int64> = -290_000_000_000...290_000_000_000
    private static let secondsPerDay: Int64 = 86_400
    /// 400 years always have this many days.
    private static let daysPerEra: Int64 = 146_097
    /// From 0000-03-01 to 1970-01-01.
    private static let daysToEpoch: Int64 = 719_468

    /// A date that exists, and a time of day: a 30th of February or a minute 60 gives `nil`.
    package init?(year: Int64, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard Self.years.contains(year), (1...12).contains(month),
            day >= 1, day <= Self.daysInMonth(month, year: year),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The date and time of day of any number of seconds since 1970-01-01T00:00:00Z, in UTC.
    package init(seconds: Int64) {
        let (days, rest) = Self.floorDivide(seconds, by: Self.secondsPerDay)
        let (era, dayOfEra) = Self.floorDivide(days + Self.daysToEpoch, by: Self.daysPerEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = Int(rest / 3_600)
        minute = Int(rest / 60 % 60)
        second = Int(rest % 60)
    }

    /// Days from 1970-01-01 to this date; negative before it.
    package var days: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = Self.floorDivide(marchYear, by: 400)
        let monthFromMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * Self.daysPerEra + dayOfEra - Self.daysToEpoch
    }

    /// Seconds from 1970-01-01T00:00:00 to this moment, taking it as UTC; negative before it.
    package var seconds: Int64 {
        // The sum always fits, because the years are limited or come from seconds. The product alone may not, on the
        // first day that seconds can name; wrapping around there and back gives the right sum.
        days &* Self.secondsPerDay &+ secondOfDay
    }

    /// Seconds since midnight, 0 ..< 86400.
    var secondOfDay: Int64 { Int64(hour * 3_600 + minute * 60 + second) }

    /// This moment, taken as UTC.
    package var timestamp: Timestamp { Timestamp(seconds: seconds) }

    /// How many days a month (1...12) has.
    package static func daysInMonth(_ month: Int, year: Int64) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Whether the year has a 29th of February.
    package static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The quotient rounded down, and the remainder, which is never negative. `divisor` is positive.
    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
