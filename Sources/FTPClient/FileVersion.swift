package import FTPProtocol
package import Vocabulary

/// What tells one content of a file from another without reading it.
package struct FileVersion: Hashable, Sendable {
    /// Bytes; `nil`: not known.
    package var size: Int64?
    /// When the content was last changed; `nil`: not known.
    package var modified: Timestamp?
    /// How coarse ``modified`` is.
    package var precision: ListingEntry.Precision

    /// A version of which this much is known.
    package init(size: Int64?, modified: Timestamp?, precision: ListingEntry.Precision = .second) {
        self.size = size
        self.modified = modified
        self.precision = precision
    }

    /// Whether both may be the same content, as far as they say.
    ///
    /// Sizes must be equal. Times in whole seconds must be equal; fractions are not compared, since `MDTM` and `MLST`
    /// of one server differ in them. A time from `LIST` is in the server's zone and cut to the minute: two moments then
    /// belong together if they differ by a multiple of a quarter of an hour, the unit of all zones in use. A day says
    /// nothing.
    package func mayEqual(_ other: FileVersion) -> Bool {
        if let size, let othersSize = other.size, size != othersSize { return false }
        guard let modified, let othersModified = other.modified else { return true }
        let (mine, others) = (modified.seconds, othersModified.seconds)
        if precision == .day || other.precision == .day { return true }
        if precision == .second, other.precision == .second { return mine == others }
        let (difference, overflow) = Self.minute(mine).subtractingReportingOverflow(Self.minute(others))
        return !overflow && difference % 15 == 0
    }

    private static func minute(_ seconds: Int64) -> Int64 {
        // Rounded towards the past, as `ls` does, also before 1970.
        let quotient = seconds / 60
        return seconds % 60 < 0 ? quotient - 1 : quotient
    }
}
