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
