import Vocabulary

/// What one line of a listing turned out to be.
enum LineReading {
    /// An entry of the directory.
    case entry(LineEntry)
    /// The directory itself, by this name.
    case currentDirectory([UInt8])
    /// `.` or `..`.
    case itself
    /// A line that names nothing and that no other format has: the titles of columns.
    case header
    /// A line that belongs to the format but names nothing new: a total, the parent directory, an empty line.
    case nothing
    /// The first half of an entry, which goes on in the next line.
    case incomplete
    /// A line of this format that is broken, or whose name is not one.
    case broken
    /// A line of another format.
    case notMine
}

/// An entry, and what is needed to make it final when all lines are known.
struct LineEntry {
    var entry: ListingEntry
    /// Which of several versions of a file this is, where the server keeps them; the highest counts.
    var version: Int64?
    /// The date as numbers, where their order is the server's habit.
    var date: NumericDate?
    /// Whether the line shows that the listing has its format. A word alone does not, but is an entry in some.
    var isEvidence = true
}

extension LineReading {
    /// An entry with a name from a listing; broken if it is no name.
    static func entry(
        name: ArraySlice<UInt8>, kind: ListingEntry.Kind, size: Int64?, modified: Timestamp?,
        precision: ListingEntry.Precision, mode: UInt32? = nil, linkTarget: [UInt8]? = nil, isLocalTime: Bool = false,
        version: Int64? = nil, date: NumericDate? = nil, isEvidence: Bool = true
    ) -> LineReading {
        do throws(FileName.Invalid) {
            var entry = ListingEntry(
                name: try FileName(validating: name), kind: kind, size: kind == .file ? size : nil, modified: modified,
                precision: precision, mode: mode, linkTarget: linkTarget.flatMap(target))
            entry.isLocalTime = isLocalTime
            return .entry(LineEntry(entry: entry, version: version, date: date, isEvidence: isEvidence))
        } catch {
            return error == .dotOrDotDot ? .itself : .broken
        }
    }
    /// The target of a link if it can be one: no path holds NUL, and none with a line end has come over the wire whole.
    static func target(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.contains { $0 == ASCII.nul || $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed } ? nil : bytes
    }
}
