import Vocabulary

/// A line of Connect:Enterprise: flags of the batch, the protocol, its users, then columns as those of `ls -l`.
///
///     -C--E-----FTP B BCC3I1       7670  3029921 Jan 13 07:42 report.dat
enum ConnectEnterpriseLine {
    private static let flagCount = 10

    static func read(_ line: ArraySlice<UInt8>, now: Timestamp) -> LineReading {
        var words = Words(line)
        guard let flags = words.next(), flags.startIndex == line.startIndex, flags.count >= flagCount,
            flags.allSatisfy({ $0 == ASCII.minus || (0x41...0x5A).contains($0) }), flags.contains(ASCII.minus)
        else { return .notMine }
        guard let columns = DatedColumns(in: line, from: flags.endIndex, kind: .file, now: now) else { return .broken }
        return .entry(
            name: line[columns.date.end...].dropFirst(), kind: .file, size: columns.size, modified: columns.date.time,
            precision: columns.date.precision, isLocalTime: !columns.date.hasZone, date: columns.date.numbers)
    }
}
