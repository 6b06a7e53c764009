import Vocabulary

/// A line of numbers as Unix keeps them: the mode, the owner, the group, the size, the seconds since 1970, the name.
///
///     0100644   500  101   12345    123456789       report.txt
enum NumericLine {
    /// Seconds up to the end of the year 9999, the last that other commands can name.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let mode = words.next(), (6...7).contains(mode.count), let permissions = mode.octalMode,
            let kind = kind(mode), words.next()?.decimal != nil, words.next()?.decimal != nil,
            let size = words.next()?.decimal, let seconds = words.next()?.decimal, times.contains(seconds)
        else { return .notMine }
        return .entry(
            name: words.rest.drop(while: ASCII.isBlank), kind: kind, size: size, modified: Timestamp(seconds: seconds),
            precision: .second, mode: permissions)
    }

    /// What the digits in front of the last four are: S_IFMT of stat(2).
    private static func kind(_ mode: ArraySlice<UInt8>) -> ListingEntry.Kind? {
        switch mode.dropLast(4).decimal {
        case 4: .directory
        case 10: .file
        case 12: .symbolicLink
        default: nil
        }
    }
}
