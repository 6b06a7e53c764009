import Vocabulary

/// A line of HP NonStop: the name, the code of the kind of file, the size, the date and the time, the owner, the security.
///
///     File         Code             EOF  Last Modification    Owner  RWEP
///     REPORT        101             204  6-Apr-07 14:21:18 255, 0 "oooo"
enum NonStopLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let name = words.next(), let code = words.next() else { return .notMine }
        if name.equalsIgnoringCase("file"), code.equalsIgnoringCase("code") { return .header }
        // Behind the code may be a mark for a file that is open or broken.
        guard let first = code.first, ASCII.isDigit(first), code.drop(while: ASCII.isDigit).count <= 1,
            let size = words.next()?.decimal, let date = words.next().flatMap(DashedDate.parse),
            let time = words.next().flatMap(ClockTime.init), let owner = words.next(), isOwner(owner)
        else { return .notMine }
        return .entry(
            name: name, kind: .file, size: size, modified: time.on(date), precision: time.precision, isLocalTime: true)
    }

    /// `255,255`, or the first half of `255, 0`.
    private static func isOwner(_ word: ArraySlice<UInt8>) -> Bool {
        word.contains(ASCII.comma) && word.allSatisfy { ASCII.isDigit($0) || $0 == ASCII.comma }
    }
}
