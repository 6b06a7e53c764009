internal import Vocabulary

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// A moment as a date of the Gregorian calendar in UTC.
struct CivilTime {
    var year: Int64
    /// 1...12.
    var month: Int
    /// 1...31.
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    /// The date of a moment. Days are counted in eras of 400 years that begin on a 1st of March, so that the leap day
    /// is the last of its year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    init(_ time: Timestamp) {
        // Years 0 to 9999: no others can be written with four digits, and within them the arithmetic cannot overflow.
        let seconds = min(max(time.seconds, -62_167_219_200), 253_402_300_799)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let ofDay = Int(seconds - days * 86_400)
        (hour, minute, second) = (ofDay / 3600, ofDay / 60 % 60, ofDay % 60)
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * fromMarch + 2) / 5 + 1)
        month = Int(fromMarch < 10 ? fromMarch + 3 : fromMarch - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Reads `YYYYMMDDHHMMSS`, with or without a fraction of a second (RFC 3659 §2.3).
    static func parse(_ bytes: some Sequence<UInt8>) -> Timestamp? {
        let text = Array(bytes)
        let whole = text.prefix { $0 != UInt8(ascii: ".") }
        guard whole.count == 14, text.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int64 { whole[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let (year, month, day) = (number(0..<4), number(4..<6), number(6..<8))
        let (hour, minute, second) = (number(8..<10), number(10..<12), number(12..<14))
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60 else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Timestamp(seconds: days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    /// `YYYYMMDDHHMMSS`.
    var digits: String {
        padded(year, 4) + padded(month, 2) + padded(day, 2) + padded(hour, 2) + padded(minute, 2) + padded(second, 2)
    }

    /// `Jan`, `Feb`, …
    var monthName: String { Self.monthNames[month - 1] }

    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// What the machine's clock says.
func currentTime() -> Timestamp {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: UInt32(clamping: now.tv_nsec))
}

/// A number with leading zeros, or what stands in for them.
func padded(_ number: some BinaryInteger, _ width: Int, with filler: Character = "0") -> String {
    let digits = String(number)
    return String(repeating: filler, count: max(0, width - digits.count)) + digits
}
