import Vocabulary

/// A line of a router of Nortel: the name, the size, the date, the day of the week, the time.
///
///     config            3739326  06/03/04  Thur.   10:20:03
enum WellfleetLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let name = words.next(), let size = words.next()?.decimal,
            let date = words.next().flatMap({ NumericDate($0, years: .short) }),
            let day = words.next(), day.count >= 3, day.allSatisfy({ ASCII.isLetter($0) || $0 == ASCII.period }),
            let time = words.next().flatMap(ClockTime.init), words.next() == nil
        else { return .notMine }
        return .entry(
            name: name, kind: .file, size: size, modified: time.on(date.civil), precision: time.precision,
            isLocalTime: true, date: date)
    }
}
