/// What a directory holds, as a server listed it.
package struct Listing: Sendable {
    /// The entries in the server's order, each name once: the first line with it wins. Never `.` or `..`.
    package var entries: [ListingEntry] = []
    /// How many lines were left out because they could not be understood, or named something that is not a name.
    /// Headers, totals, empty lines, `.`, `..` and repetitions do not count.
    package internal(set) var skipped = 0
    /// The beginning of the first line that was left out, printable, for one line of a log.
    package internal(set) var firstSkipped: String?
    /// The directory that the server says this is: the name of the `cdir` line of `MLSD`, or a header `dir:`.
    ///
    /// A hint that shows a server which ignores the argument of `LIST` and lists its current directory.
    package internal(set) var currentDirectory: [UInt8]?

    /// Whether `.` or `..` was among the lines: a sign that the server shows all names, also those with a period in
    /// front.
    package internal(set) var showsItself = false

    /// How the server writes its listings, as far as is known after these lines: for the next parser of the same server.
    /// `nil` for `MLSD`, and when nothing was known before and there was no entry.
    package internal(set) var style: ListingStyle?

    /// An empty directory.
    package init() {}

    /// Adds an entry whose name is not there yet.
    package mutating func add(_ entry: ListingEntry) { entries.append(entry) }

    /// The same listing with changed entries, which keep their names.
    package func replacingEntries(_ change: (ListingEntry) -> ListingEntry) -> Listing {
        var result = self
        result.entries = entries.map(change)
        return result
    }
}
