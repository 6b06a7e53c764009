import Vocabulary

/// A line of OS/2: the size, attributes, perhaps `DIR`, the date with the years since 1900, the time, the name.
///
///         0 DIR       02-11-103  16:15  work
///     46633      A    04-23-103  10:57  report.txt
enum OS2Line {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let size = words.next()?.decimal else { return .notMine }
        var kind = ListingEntry.Kind.file
        // Attributes and `DIR`, in any order; at most one of each.
        for _ in 0..<3 {
            guard let word = words.next() else { return .notMine }
            if let date = NumericDate(word, years: [.short, .since1900]) {
                guard let time = words.next().flatMap(ClockTime.init) else { return .notMine }
                return .entry(
                    name: words.rest.drop(while: ASCII.isBlank), kind: kind, size: size, modified: time.on(date.civil),
                    precision: time.precision, isLocalTime: true, date: date)
            }
            if word.equalsIgnoringCase("dir") {
                kind = .directory
            } else if !(word.count <= 4 && word.allSatisfy { "RSHA".utf8.contains($0) }) {
                return .notMine
            }
        }
        return .notMine
    }
}
