import Vocabulary

/// A line of EPLF: facts with commas, a tab, the name (D. J. Bernstein, "Easily Parsed LIST Format", cr.yp.to/ftp/list/eplf.html).
///
///     +i8388621.29609,m824255902,/,\tdev
///     +i8388621.44468,m839956783,r,s10376,\tRFCEPLF
enum EPLFLine {
    /// Seconds up to the end of the year 9999, the last that other commands can name.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        guard line.first == ASCII.plus, let tab = line.firstIndex(of: ASCII.tab) else { return .notMine }
        var kind = ListingEntry.Kind.file
        var size: Int64?
        var modified: Timestamp?
        var mode: UInt32?
        for fact in line[..<tab].dropFirst().split(separator: ASCII.comma) {
            let value = fact.dropFirst()
            switch UnicodeScalar(fact.first ?? 0) {
            case "/" where value.isEmpty:
                kind = .directory
            case "s":
                size = value.decimal
            case "m":
                modified = value.decimal.flatMap { times.contains($0) ? Timestamp(seconds: $0) : nil }
            case "u" where value.first == UInt8(ascii: "p"):
                mode = value.dropFirst().octalMode
            default:
                // `r`, may be retrieved; `i`, an identifier; and what is not defined yet.
                break
            }
        }
        return .entry(
            name: line[(tab + 1)...], kind: kind, size: size, modified: modified, precision: .second, mode: mode)
    }
}
