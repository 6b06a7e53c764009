import Vocabulary

/// One line of `dir`, which IIS and other servers on Windows print for `LIST`.
///
///     04-06-00  03:47PM                  242 name
///     04-06-2000  15:47       <DIR>          name
///
/// The date, the time with or without AM and PM, a size or a mark, the name. A time has the server's own zone.
enum DOSLine {
    /// The columns of IIS from the end of the date to the end of the size.
    private static let widthFromDateToSize = 30

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let dateWord = words.next(), let date = NumericDate(dateWord, years: .short) else {
            return .notMine
        }
        guard let timeWord = words.next(), var clock = HalfDayClock(timeWord) else { return .broken }
        guard var field = words.next() else { return .broken }
        if clock.half == nil, let half = HalfDayClock.half(field) {
            guard let next = words.next() else { return .broken }
            clock.half = half
            field = next
        }
        guard let modified = clock.on(date.civil) else { return .broken }
        let rest = line[field.endIndex...]
        let name = rest.drop(while: ASCII.isBlank)
        if name.isEmpty { return .broken }
        if field.first == ASCII.less {
            return marked(field, name: name, modified: modified, date: date)
        }
        guard let size = field.groupedDecimal else { return .broken }
        // Where the columns are those of IIS the name follows one blank, and may itself begin with others. Elsewhere
        // the blanks are the server's.
        let isIIS = field.endIndex - dateWord.endIndex == widthFromDateToSize
        return .entry(
            name: isIIS ? rest.dropFirst() : name, kind: .file, size: size, modified: modified, precision: .minute,
            isLocalTime: true, date: date)
    }

    /// A line with `<DIR>` or another mark in the place of the size.
    ///
    /// Links of Windows are shown as what they lead to: the server follows them, and their targets are paths of its
    /// own system, which mean nothing on this side.
    private static func marked(
        _ mark: ArraySlice<UInt8>, name: ArraySlice<UInt8>, modified: Timestamp, date: NumericDate
    ) -> LineReading {
        let kind: ListingEntry.Kind
        var name = name
        if mark.equalsIgnoringCase("<dir>") {
            kind = .directory
        } else if mark.equalsIgnoringCase("<junction>") || mark.equalsIgnoringCase("<symlinkd>") {
            kind = .directory
            name = withoutTarget(name)
        } else if mark.equalsIgnoringCase("<symlink>") {
            kind = .file
            name = withoutTarget(name)
        } else {
            return .broken
        }
        return .entry(
            name: name, kind: kind, size: nil, modified: modified, precision: .minute, isLocalTime: true,
            date: date)
    }

    /// The name without ` [C:\target]` or ` => target`. Neither `>`, `:` nor `\` can be in a name on Windows.
    private static func withoutTarget(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var position = name.startIndex
        while let blank = name[position...].firstIndex(of: ASCII.blank) {
            let rest = name[(blank + 1)...]
            if rest.starts(with: [ASCII.equals, ASCII.greater, ASCII.blank]) { return name[..<blank] }
            if rest.first == ASCII.openBracket, rest.last == ASCII.closeBracket {
                return rest.contains { $0 == ASCII.colon || $0 == ASCII.backslash } ? name[..<blank] : name
            }
            position = blank + 1
        }
        return name
    }
}

/// A time of day that may be of twelve hours.
struct HalfDayClock {
    enum Half {
        case morning
        case afternoon
    }

    let time: ClockTime
    var half: Half?

    /// `15:47`, `03:47PM`, `3:47p`.
    init?(_ word: ArraySlice<UInt8>) {
        let start = word.firstIndex(where: ASCII.isLetter) ?? word.endIndex
        guard let time = ClockTime(word[..<start]) else { return nil }
        self.time = time
        if start < word.endIndex {
            guard let half = Self.half(word[start...]) else { return nil }
            self.half = half
        }
    }

    /// `AM`, `PM`, `a`, `p`.
    static func half(_ word: ArraySlice<UInt8>) -> Half? {
        if word.equalsIgnoringCase("am") || word.equalsIgnoringCase("a") { return .morning }
        if word.equalsIgnoringCase("pm") || word.equalsIgnoringCase("p") { return .afternoon }
        return nil
    }

    /// This time on a day; `nil` for an hour that a clock of twelve hours does not have.
    func on(_ date: CivilTime) -> Timestamp? {
        var moment = time.on(date)
        guard let half else { return moment }
        guard (1...12).contains(time.hour) else { return nil }
        if time.hour == 12 { moment.seconds -= 12 * 3_600 }
        if half == .afternoon { moment.seconds += 12 * 3_600 }
        return moment
    }
}
