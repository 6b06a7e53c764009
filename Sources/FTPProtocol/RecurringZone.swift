/// A zone whose clocks are set in the same way each year: the form of `TZ` that POSIX defines (IEEE Std 1003.1, §8.3),
/// with the names in angle brackets and the hours beyond a day that RFC 8536 §3.3.1 allows.
///
///     tz     = name offset [ name [ offset ] "," rule "," rule ]        ; the offset is WEST of UTC
///     rule   = date [ "/" time ]
///     date   = "M" month "." week "." weekday / "J" day-without-29-February / day-from-0
///
///     NST3:30NDT,M3.2.0,M11.1.0      IST-1GMT0,M10.5.0,M3.5.0/1      <+0545>-5:45
struct RecurringZone: Hashable, Sendable {
    private struct Rule: Hashable, Sendable {
        enum Day: Hashable, Sendable {
            /// The weekday (0 is Sunday) of the week 1...5 of a month, 5 being the last.
            case weekday(Int, week: Int, month: Int)
            /// 1...365, the 29th of February never counted.
            case julian(Int)
            /// 0...365.
            case ofYear(Int)
        }

        var day: Day
        /// Seconds from the midnight that begins the day.
        var time: Int64
    }

    private struct Summer: Hashable, Sendable {
        var offset: Int64
        var start: Rule
        var end: Rule
    }

    private var standard: Int64
    private var summer: Summer?

    /// - Returns: `nil` for anything else, also for a zone with summer time but without rules for it.
    init?(parsing text: ArraySlice<UInt8>) {
        var reader = Reader(rest: text)
        guard reader.skipName(), let west = reader.time(maximumHours: 24) else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else { return }
        guard reader.skipName() else { return nil }
        var offset = standard + 3_600
        if reader.rest.first != ASCII.comma {
            guard let west = reader.time(maximumHours: 24) else { return nil }
            offset = -west
        }
        guard let start = reader.rule(), let end = reader.rule(), reader.rest.isEmpty else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// The offset at a moment, in seconds east of UTC.
    func offset(at moment: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilTime(seconds: moment &+ standard).year
        guard let start = Self.midnight(of: summer.start, year), let end = Self.midnight(of: summer.end, year) else {
            return standard
        }
        // The start is told in standard time, the end in summer time.
        let from = start + summer.start.time - standard
        let to = end + summer.end.time - summer.offset
        let isSummer = from < to ? (from..<to).contains(moment) : !(to..<from).contains(moment)
        return isSummer ? summer.offset : standard
    }

    /// The midnight that begins the day of a rule, in seconds; `nil` far outside of the years that have dates.
    private static func midnight(of rule: Rule, _ year: Int64) -> Int64? {
        guard (-1_000_000...1_000_000).contains(year) else { return nil }
        switch rule.day {
        case .weekday(let weekday, let week, let month):
            guard let first = CivilTime(year: year, month: month, day: 1)?.days else { return nil }
            // 1970-01-01 was a Thursday.
            let firstWeekday = Int(((first + 4) % 7 + 7) % 7)
            var day = 1 + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            while day > CivilTime.daysInMonth(month, year: year) { day -= 7 }
            return (first + Int64(day) - 1) * 86_400
        case .julian(let number):
            guard let first = CivilTime(year: year, month: 1, day: 1)?.days else { return nil }
            let leapDay = CivilTime.isLeap(year) && number > 59 ? 1 : 0
            return (first + Int64(number - 1 + leapDay)) * 86_400
        case .ofYear(let number):
            guard let first = CivilTime(year: year, month: 1, day: 1)?.days else { return nil }
            return (first + Int64(number)) * 86_400
        }
    }

    /// Takes the text apart, piece by piece.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// Letters, or anything in angle brackets; at least three of them.
        mutating func skipName() -> Bool {
            if skip(0x3C) {
                guard let end = rest.firstIndex(of: 0x3E), end - rest.startIndex >= 3 else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let name = rest.prefix(while: ASCII.isLetter)
            rest = rest.dropFirst(name.count)
            return name.count >= 3
        }

        mutating func number(in range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix(while: ASCII.isDigit)
            guard (1...3).contains(digits.count), let value = digits.decimal.map({ Int($0) }), range.contains(value)
            else { return nil }
            rest = rest.dropFirst(digits.count)
            return value
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time(maximumHours: Int) -> Int64? {
            let isNegative = skip(ASCII.minus)
            if !isNegative { _ = skip(ASCII.plus) }
            guard let hours = number(in: 0...maximumHours) else { return nil }
            var seconds = hours * 3_600
            if skip(ASCII.colon) {
                guard let minutes = number(in: 0...59) else { return nil }
                seconds += minutes * 60
                if skip(ASCII.colon) {
                    guard let rest = number(in: 0...59) else { return nil }
                    seconds += rest
                }
            }
            return Int64(isNegative ? -seconds : seconds)
        }

        /// A comma and a rule.
        mutating func rule() -> Rule? {
            guard skip(ASCII.comma), let day = day() else { return nil }
            // 02:00 where nothing is said.
            guard skip(ASCII.slash) else { return Rule(day: day, time: 7_200) }
            return time(maximumHours: 167).map { Rule(day: day, time: $0) }
        }

        private mutating func day() -> Rule.Day? {
            if skip(UInt8(ascii: "M")) {
                guard let month = number(in: 1...12), skip(ASCII.period), let week = number(in: 1...5),
                    skip(ASCII.period), let weekday = number(in: 0...6)
                else { return nil }
                return .weekday(weekday, week: week, month: month)
            }
            if skip(UInt8(ascii: "J")) { return number(in: 1...365).map { .julian($0) } }
            return number(in: 0...365).map { .ofYear($0) }
        }
    }
}
