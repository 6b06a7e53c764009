import Vocabulary

/// The date in a line of `ls -l`.
///
/// | form | where |
/// | --- | --- |
/// | `Jan  4 00:03`, `Jan  4  2001` | `ls` in the C locale |
/// | `4 Jan 00:03`, `30. Jan., 12:40`, `8月 17日 20:10` | `ls` in other locales |
/// | `Jan  4 00:03:59 2001` | `ls -lT` of the BSDs |
/// | `2001-01-04 00:03`, `2001/01/04`, `04-01-2001 00:03` | `ls --time-style=long-iso`, and servers with ideas |
/// | `2001-01-04 00:03:59.123456789 +0100` | `ls --full-time` |
/// | `01-04 2001`, `01-04 00:03` | `ls --time-style=iso` |
///
/// A date without a year is the last one that is not more than a day after `now`: a server to the east of its client is
/// up to 14 hours ahead, and clocks are wrong. All times but those with an offset are the server's own.
struct UnixDate {
    /// `nil` for the name of a month in a language that is not known.
    let time: Timestamp?
    let precision: ListingEntry.Precision
    /// Where the date ends in the line.
    let end: Int
    /// Whether the column of the time is missing, so that the blanks behind the date are not of the name.
    let isPadded: Bool
    /// Whether the line tells the zone, and ``time`` is in UTC.
    let hasZone: Bool
    /// The numbers of a date whose order is the server's habit.
    let numbers: NumericDate?

    /// Reads the date that begins with the word `first`, if one does. The words are slices of `line`.
    ///
    /// - Returns: `nil` when no date begins here, or when it does not exist.
    init?(
        first: ArraySlice<UInt8>, second: ArraySlice<UInt8>?, third: ArraySlice<UInt8>?, in line: ArraySlice<UInt8>,
        now: Timestamp
    ) {
        guard let found = Self.named(first, second, third, line, now) ?? Self.numeric(first, second, line, now) else {
            return nil
        }
        self = found
    }

    private init(
        _ time: Timestamp?, _ precision: ListingEntry.Precision, end: Int, isPadded: Bool = false,
        hasZone: Bool = false, numbers: NumericDate? = nil
    ) {
        self.time = time
        self.precision = precision
        self.end = end
        self.isPadded = isPadded
        self.hasZone = hasZone
        self.numbers = numbers
    }

    // MARK: Months by name

    private static func named(
        _ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>?, _ third: ArraySlice<UInt8>?,
        _ line: ArraySlice<UInt8>, _ now: Timestamp
    ) -> UnixDate? {
        guard let second else { return nil }
        // Cheapest first: every word before the date is asked whether it is a month.
        if let third, let last = YearOrTime(third) {
            if let day = day(second) {
                guard let month = MonthNames.lookUp(first) else { return nil }
                return named(month, day, last, third.endIndex, line, now)
            }
            if let day = day(first) {
                guard let month = MonthNames.lookUp(second) else { return nil }
                return named(month, day, last, third.endIndex, line, now)
            }
        }
        // `17日20:10`: the day and the time in one word.
        let digits = second.prefix(while: ASCII.isDigit)
        let sign = second[digits.endIndex...].prefix { $0 >= 0x80 }
        if !sign.isEmpty, let day = digits.oneOrTwoDigits, let time = ClockTime(second[sign.endIndex...]),
            let month = MonthNames.lookUp(first)
        {
            return named(month, day, .time(time), second.endIndex, line, now)
        }
        return nil
    }

    private static func named(
        _ month: MonthNames.Lookup, _ day: Int, _ last: YearOrTime, _ end: Int, _ line: ArraySlice<UInt8>,
        _ now: Timestamp
    ) -> UnixDate? {
        switch last {
        case .year(let year):
            guard case .month(let month) = month else { return UnixDate(nil, .day, end: end) }
            return CivilTime(year: year, month: month, day: day).map { UnixDate($0.timestamp, .day, end: end) }
        case .time(let time):
            var words = Words(line[end...])
            if time.hasSeconds, let word = words.next(), let year = word.fourDigits {
                guard case .month(let month) = month else { return UnixDate(nil, .second, end: word.endIndex) }
                return CivilTime(year: year, month: month, day: day)
                    .map { UnixDate(time.on($0), .second, end: word.endIndex) }
            }
            guard case .month(let month) = month else { return UnixDate(nil, time.precision, end: end) }
            return latest(month: month, day: day, time, now: now).map { UnixDate($0, time.precision, end: end) }
        }
    }

    /// A day of a month: `4`, `04`, `30.`, `17日`.
    private static func day(_ word: ArraySlice<UInt8>) -> Int? {
        let digits = word.prefix(while: ASCII.isDigit)
        let rest = word[digits.endIndex...]
        guard rest.allSatisfy({ $0 == ASCII.period || $0 == ASCII.comma || $0 >= 0x80 }),
            let day = digits.oneOrTwoDigits, (1...31).contains(day)
        else { return nil }
        return day
    }

    // MARK: Months by number

    private static func numeric(
        _ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>?, _ line: ArraySlice<UInt8>, _ now: Timestamp
    ) -> UnixDate? {
        guard let digit = first.first, ASCII.isDigit(digit), first.count <= 10 else { return nil }
        if let date = NumericDate(first) {
            guard let time = second.flatMap(ClockTime.init) else {
                return UnixDate(date.civil.timestamp, .day, end: first.endIndex, isPadded: true, numbers: date)
            }
            var end = second?.endIndex ?? first.endIndex
            var moment = time.on(date.civil)
            var words = Words(line[end...])
            var hasZone = false
            if time.hasSeconds, let word = words.next(), let offset = offset(word) {
                moment.seconds -= offset
                end = word.endIndex
                hasZone = true
            }
            return UnixDate(moment, time.precision, end: end, hasZone: hasZone, numbers: date)
        }
        // `09-26 2000` and `09-26 12:40`.
        guard let minus = first.firstIndex(of: ASCII.minus), let month = first[..<minus].oneOrTwoDigits,
            let day = first[(minus + 1)...].oneOrTwoDigits, let second, let last = YearOrTime(second)
        else { return nil }
        switch last {
        case .year(let year):
            return CivilTime(year: year, month: month, day: day)
                .map { UnixDate($0.timestamp, .day, end: second.endIndex) }
        case .time(let time):
            return latest(month: month, day: day, time, now: now)
                .map { UnixDate($0, time.precision, end: second.endIndex) }
        }
    }

    /// Seconds east of UTC from `+0100` or `-0330`.
    private static func offset(_ word: ArraySlice<UInt8>) -> Int64? {
        guard let sign = word.first, sign == ASCII.plus || sign == ASCII.minus,
            let value = word.dropFirst().fourDigits, value / 100 <= 14, value % 100 < 60
        else { return nil }
        let seconds = (value / 100 * 60 + value % 100) * 60
        return sign == ASCII.minus ? -seconds : seconds
    }

    // MARK: Dates without a year

    /// How far into the future a date without a year may be; see above.
    private static let tolerance: Int64 = 86_400
    /// How many years to look back: a 29th of February may be eight years ago, around 1900 and 2100.
    private static let yearsBack: Int64 = 8

    private static func latest(month: Int, day: Int, _ time: ClockTime, now: Timestamp) -> Timestamp? {
        let (sum, overflowed) = now.seconds.addingReportingOverflow(tolerance)
        let limit = overflowed ? Int64.max : sum
        let lastYear = CivilTime(seconds: limit).year
        for year in stride(from: lastYear, through: lastYear - yearsBack, by: -1) {
            guard let date = CivilTime(year: year, month: month, day: day) else { continue }
            let moment = time.on(date)
            if moment.seconds <= limit { return moment }
        }
        return nil
    }
}

/// The last word of a date.
private enum YearOrTime {
    case year(Int64)
    case time(ClockTime)

    init?(_ word: ArraySlice<UInt8>) {
        guard let first = word.first, ASCII.isDigit(first) else { return nil }
        if let year = word.fourDigits {
            self = .year(year)
        } else if let time = ClockTime(word) {
            self = .time(time)
        } else {
            return nil
        }
    }
}
