import Vocabulary

/// A time of day in a listing: `9:05`, `21:05`, `21:05:59`, `21:05:59.123456789`, and `24:00`, which is the end of
/// the day.
struct ClockTime {
    /// 0...24.
    let hour: Int
    let minute: Int
    let second: Int
    let nanoseconds: UInt32
    let hasSeconds: Bool

    var precision: ListingEntry.Precision { hasSeconds ? .second : .minute }

    init?(_ word: ArraySlice<UInt8>) {
        // The longest form has 18 characters.
        guard word.count <= 18, let colon = word.firstIndex(of: ASCII.colon),
            let hour = word[..<colon].oneOrTwoDigits
        else { return nil }
        let rest = word[(colon + 1)...]
        guard rest.count >= 2, let minute = rest.prefix(2).oneOrTwoDigits else { return nil }
        let afterMinute = rest.dropFirst(2)
        var second = 0
        var nanoseconds: UInt32 = 0
        if let separator = afterMinute.first {
            guard separator == ASCII.colon, afterMinute.count >= 3,
                let value = afterMinute.dropFirst().prefix(2).oneOrTwoDigits
            else { return nil }
            second = value
            let fraction = afterMinute.dropFirst(3)
            if let period = fraction.first {
                guard period == ASCII.period, let digits = TimeValue.nanoseconds(fraction.dropFirst()) else {
                    return nil
                }
                nanoseconds = digits
            }
        }
        guard hour < 24 || (hour == 24 && minute == 0 && second == 0), minute < 60, second < 60 else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanoseconds = nanoseconds
        hasSeconds = !afterMinute.isEmpty
    }

    /// This time on a day, whose own time of day does not count.
    func on(_ date: CivilTime) -> Timestamp {
        // Cannot overflow: dates in listings have years of four digits, or are near a `now` cut to what seconds hold.
        Timestamp(
            seconds: date.days &* 86_400 &+ Int64(hour * 3_600 + minute * 60 + second), nanoseconds: nanoseconds)
    }
}

/// A date of three numbers in a listing.
///
/// A year of four digits in front is followed by the month. Otherwise the year is last, and the month first, as
/// Windows prints it by default; with periods, or when the first number cannot be a month, the day is first.
struct NumericDate {
    /// Midnight of the day.
    let civil: CivilTime

    /// - Parameter allowsShortYear: whether a year of two digits is one: 70...99 in the 20th century, else in the 21st.
    init?(_ word: ArraySlice<UInt8>, allowsShortYear: Bool = false) {
        guard word.count <= 10,
            let separator = word.first(where: { !ASCII.isDigit($0) }),
            separator == ASCII.minus || separator == ASCII.slash || separator == ASCII.period
        else { return nil }
        let parts = word.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 3, let middle = parts[1].oneOrTwoDigits else { return nil }
        let date: CivilTime?
        if let year = parts[0].fourDigits {
            guard let day = parts[2].oneOrTwoDigits else { return nil }
            date = CivilTime(year: year, month: middle, day: day)
        } else {
            guard let first = parts[0].oneOrTwoDigits, let year = Self.year(parts[2], allowsShortYear) else {
                return nil
            }
            let isDayFirst = separator == ASCII.period || first > 12
            date = CivilTime(year: year, month: isDayFirst ? middle : first, day: isDayFirst ? first : middle)
        }
        guard let date else { return nil }
        civil = date
    }

    private static func year(_ digits: ArraySlice<UInt8>, _ allowsShortYear: Bool) -> Int64? {
        if let year = digits.fourDigits { return year }
        guard allowsShortYear, digits.count == 2, let year = digits.decimal else { return nil }
        return year < 70 ? 2000 + year : 1900 + year
    }
}
