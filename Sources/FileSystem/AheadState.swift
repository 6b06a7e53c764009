import Threading

/// What has been asked for ahead of anybody's wish, and what is expected: the state of one monitor.
///
/// Nothing here is waited for by a request, and no failure of it is shown to anybody: what could not be had ahead is asked
/// for again by whoever wants it.
struct AheadState {
    struct Fetch {
        let number: InodeNumber
        let reader: FileReader
        let cancellation = Cancellation()
    }

    var walks = WalkPlanner()
    var fetches: FetchPlanner
    /// Directories that are being listed, or are, ahead. Their inodes are held (``Inode/isAwaited``).
    var listings: [Place: (number: InodeNumber, flight: ListingFlight)] = [:]
    /// Files that are being fetched, or are, ahead. Their inodes are held, too.
    var files: [Place: Fetch] = [:]
    var statistics = AheadStatistics()
    var isClosed = false

    /// - Parameter cacheSize: of which a quarter may be filled with what nobody has asked for yet.
    init(cacheSize: Int) {
        fetches = FetchPlanner(limit: Int64(cacheSize / 4))
    }
}

/// What the work ahead was good for.
package struct AheadStatistics: Hashable, Sendable {
    /// Directories listed ahead, those of them that somebody read, and those that were too old when somebody did.
    package var listed = 0
    package var listedUsed = 0
    package var listedOutdated = 0
    /// Files fetched ahead, and those of them that somebody opened.
    package var fetched = 0
    package var fetchedUsed = 0

    /// Nothing yet.
    package init() {}
}
