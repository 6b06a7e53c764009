import Vocabulary

/// A line of IBM i: the owner, the size, the date and the time, the type, the name.
///
///     QSYS            77824 02/23/00 15:09:55 *DIR       home/
///     QPGMR        36598356 29.06.13 15:45:09 *FILE      DATA.FILE
///     QPGMR                                   *MEM       DATA.FILE.MBR
enum OS400Line {
    /// The types that hold other objects by their system's rules for paths. A `*FILE` does not always: a `/` tells.
    private static let directories = ["*dir", "*ddir", "*lib", "*flr"]

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard words.next() != nil, var word = words.next() else { return .notMine }
        var size: Int64?
        var date: NumericDate?
        var modified: Timestamp?
        if word.first != ASCII.asterisk {
            guard let bytes = word.decimal, let dateWord = words.next(),
                let numbers = NumericDate(dateWord, years: .short, orders: TextFormat.os400.dateOrders),
                let time = words.next().flatMap(ClockTime.init), let type = words.next()
            else { return .notMine }
            (size, date, modified, word) = (bytes, numbers, time.on(numbers.civil), type)
        }
        guard word.first == ASCII.asterisk, word.count > 1, word.dropFirst().allSatisfy(ASCII.isLetter) else {
            return .notMine
        }
        var name = words.rest.drop(while: ASCII.isBlank)
        var kind = ListingEntry.Kind.file
        if directories.contains(where: { word.equalsIgnoringCase($0) }) { kind = .directory }
        if word.equalsIgnoringCase("*symlnk") { kind = .symbolicLink }
        if name.count > 1, name.last == ASCII.slash {
            name = name.dropLast()
            kind = .directory
        }
        return .entry(
            name: name, kind: kind, size: size, modified: modified, precision: .second, isLocalTime: true, date: date)
    }
}
