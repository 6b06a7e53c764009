import Vocabulary

/// A line of Novell NetWare: the kind, the rights in brackets, then columns as those of `ls -l`.
///
///     d [R----F--] supervisor            512       Jan 16 18:53    login
///     - [R----F--] rhesus             214059       Oct 20 15:27    cx.exe
enum NetWareLine {
    static func read(_ line: ArraySlice<UInt8>, now: Timestamp) -> LineReading {
        guard let first = line.first, first == UInt8(ascii: "d") || first == ASCII.minus else { return .notMine }
        let rights = line.dropFirst().drop(while: ASCII.isBlank)
        guard rights.first == ASCII.openBracket, let end = rights.firstIndex(of: ASCII.closeBracket),
            rights[..<end].dropFirst().allSatisfy({ ASCII.isLetter($0) || $0 == ASCII.minus })
        else { return .notMine }
        let kind = first == ASCII.minus ? ListingEntry.Kind.file : .directory
        guard let columns = DatedColumns(in: line, from: end + 1, kind: kind, now: now) else { return .broken }
        return .entry(
            name: line[columns.date.end...].drop(while: ASCII.isBlank), kind: kind, size: columns.size,
            modified: columns.date.time, precision: columns.date.precision, isLocalTime: !columns.date.hasZone,
            date: columns.date.numbers)
    }
}
