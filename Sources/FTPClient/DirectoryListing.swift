package import FTPProtocol

/// What a directory holds, as far as the server told.
package struct DirectoryListing: Sendable {
    /// The entries in the server's order, each name once. Times are in UTC as far as the server's zone is known.
    package var entries: [ListingEntry]
    /// Whether these are all. When not (the server cut the listing short, or this program did at its limit), a name that
    /// is missing may exist all the same.
    package var isComplete: Bool
}
