import Vocabulary

/// A line of old versions of VShell: the size, the date with a comma, the time, the name; directories end in `/`.
///
///     176486  Apr 04, 2000 21:06 report.txt
///          0  Dec 12, 2002 02:13 work/
enum VShellLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let size = words.next()?.decimal, let month = words.next().flatMap(MonthNames.month),
            let dayWord = words.next(), dayWord.last == ASCII.comma, let day = dayWord.dropLast().oneOrTwoDigits,
            let year = words.next()?.fourDigits, let date = CivilTime(year: year, month: month, day: day),
            let time = words.next().flatMap(ClockTime.init)
        else { return .notMine }
        let name = words.rest.dropFirst()
        let isDirectory = name.count > 1 && name.last == ASCII.slash
        return .entry(
            name: isDirectory ? name.dropLast() : name, kind: isDirectory ? .directory : .file, size: size,
            modified: time.on(date), precision: time.precision, isLocalTime: true)
    }
}
