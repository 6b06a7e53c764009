/// A date of three numbers in a listing.
///
/// A year of four digits in front is followed by the month, and where periods stand between the numbers the day is first.
/// Everything else is the server's habit: the numbers are kept, and the lines of the listing decide together in which
/// order they are read (``DateOrderVotes``).
struct NumericDate {
    /// How a year may be written that has not four digits.
    struct YearForms: OptionSet {
        let rawValue: UInt8
        /// Two digits: 70...99 in the 20th century, else in the 21st.
        static let short = YearForms(rawValue: 1)
        /// Three digits behind the day: the years since 1900, as programs print them that were not made for 2000.
        static let since1900 = YearForms(rawValue: 2)
    }

    /// Midnight of the day, unless the listing shows another order.
    let civil: CivilTime
    private let first: Int16
    private let middle: Int16
    private let last: Int16
    /// Whether the year is among the numbers as it is, and not in two digits.
    private let hasCentury: Bool
    /// The orders that the writing allows, one bit each.
    private let allowed: UInt8

    /// - Parameter orders: those that are tried for ``civil``, the likelier ones first.
    /// - Returns: `nil` when the numbers are no date in any of them.
    init?(
        _ word: ArraySlice<UInt8>, years: YearForms = [],
        orders: [DateOrder] = [.monthDayYear, .dayMonthYear, .yearMonthDay]
    ) {
        // The longest form is `2024-06-10`.
        guard word.count <= 10, let firstEnd = word.firstIndex(where: { !ASCII.isDigit($0) }) else { return nil }
        let separator = word[firstEnd]
        guard separator == ASCII.minus || separator == ASCII.slash || separator == ASCII.period,
            let middleEnd = word[(firstEnd + 1)...].firstIndex(of: separator),
            let middle = word[(firstEnd + 1)..<middleEnd].oneOrTwoDigits
        else { return nil }
        let (front, back) = (word[..<firstEnd], word[(middleEnd + 1)...])
        let numbers: (first: Int, last: Int)
        var hasCentury = true
        var allowed = Self.bit(.yearMonthDay)
        if let year = front.fourDigits {
            guard let day = back.oneOrTwoDigits else { return nil }
            numbers = (Int(year), day)
        } else {
            guard let number = front.oneOrTwoDigits else { return nil }
            allowed = Self.bit(.dayMonthYear)
            if separator != ASCII.period { allowed |= Self.bit(.monthDayYear) }
            if let year = back.fourDigits {
                numbers = (number, Int(year))
            } else if back.count == 3, years.contains(.since1900), let since = back.decimal {
                numbers = (number, 1900 + Int(since))
            } else if back.count == 2, years.contains(.short), let short = back.oneOrTwoDigits {
                numbers = (number, short)
                hasCentury = false
                if front.count == 2, separator != ASCII.period { allowed |= Self.bit(.yearMonthDay) }
            } else {
                return nil
            }
        }
        (first, self.middle, last) = (Int16(numbers.first), Int16(middle), Int16(numbers.last))
        self.hasCentury = hasCentury
        self.allowed = allowed
        for order in orders where allowed & Self.bit(order) != 0 {
            if let civil = Self.civil(order, numbers.first, middle, numbers.last, hasCentury) {
                self.civil = civil
                return
            }
        }
        return nil
    }

    private static func bit(_ order: DateOrder) -> UInt8 { 1 << UInt8(order.rawValue) }

    /// Midnight of the day with the numbers in that order; `nil` when they are no date.
    func civil(_ order: DateOrder) -> CivilTime? {
        guard allowed & Self.bit(order) != 0 else { return nil }
        return Self.civil(order, Int(first), Int(middle), Int(last), hasCentury)
    }

    private static func civil(
        _ order: DateOrder, _ first: Int, _ middle: Int, _ last: Int, _ hasCentury: Bool
    ) -> CivilTime? {
        func year(_ number: Int) -> Int64 {
            hasCentury ? Int64(number) : number < 70 ? 2000 + Int64(number) : 1900 + Int64(number)
        }
        return switch order {
        case .monthDayYear: CivilTime(year: year(last), month: first, day: middle)
        case .dayMonthYear: CivilTime(year: year(last), month: middle, day: first)
        case .yearMonthDay: CivilTime(year: year(first), month: middle, day: last)
        }
    }

    /// Midnight of the day in the first order of these in which the numbers are a date.
    func civil(preferring orders: [DateOrder]) -> CivilTime? {
        for order in orders {
            if let civil = civil(order) { return civil }
        }
        return nil
    }

    /// Whether the order of the numbers is the server's habit, so that this date says something about others.
    var isHabit: Bool { allowed.nonzeroBitCount > 1 }
}

/// A date with a name for the month beside its day: `24-APR-2003`, `6-Apr-07`, `Feb-28-1998`.
enum DashedDate {
    /// Midnight of the day; `nil` when the word is no such date.
    static func parse(_ word: ArraySlice<UInt8>) -> CivilTime? {
        // The longest name of a month that is looked up has 16 bytes.
        guard word.count <= 24, let firstEnd = word.firstIndex(of: ASCII.minus),
            let middleEnd = word[(firstEnd + 1)...].firstIndex(of: ASCII.minus)
        else { return nil }
        let (front, middle, back) = (word[..<firstEnd], word[(firstEnd + 1)..<middleEnd], word[(middleEnd + 1)...])
        let isDayFirst = front.first.map(ASCII.isDigit) ?? false
        guard let day = (isDayFirst ? front : middle).oneOrTwoDigits,
            let month = MonthNames.month(isDayFirst ? middle : front)
        else { return nil }
        if let year = back.fourDigits { return CivilTime(year: year, month: month, day: day) }
        guard back.count == 2, let short = back.oneOrTwoDigits else { return nil }
        return CivilTime(year: Int64(short < 70 ? 2000 + short : 1900 + short), month: month, day: day)
    }
}
