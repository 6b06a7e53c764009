import Threading
import Vocabulary

/// The records of all directories, bounded in memory, and the listings under way. Lives in the tree's monitor.
struct DirectoryCache {
    /// How many entries are kept. One costs some 150 bytes, so a full cache is about 150 MB, and a tree of the size
    /// of a kernel source (80,000 files) fits many times.
    static let maximumEntries = 1_000_000

    private struct Listing {
        let flight: ListingFlight
        var changes: DirectoryRecord.ListingChanges = [:]
    }

    private var records: BoundedCache<InodeNumber, DirectoryRecord>
    private var listings: [InodeNumber: Listing] = [:]
    private var lastGeneration: UInt64 = 0
    private let timeToLive: Duration

    init(timeToLive: Duration, maximumEntries: Int = Self.maximumEntries) {
        self.timeToLive = timeToLive
        records = BoundedCache(limit: maximumEntries)
    }

    /// How many entries are kept.
    var entryCount: Int { records.cost - records.count }

    /// How many requests wait for a listing.
    var waiterCount: Int { listings.values.reduce(0) { $0 + $1.flight.waiterCount } }

    /// What is known of a name: see ``DirectoryRecord/knowledge(of:probablyAt:at:_:acceptStale:)``.
    mutating func knowledge(
        of name: FileName, probablyAt place: Int? = nil, in directory: InodeNumber, at now: Instant, acceptStale: Bool
    ) -> DirectoryRecord.Knowledge {
        records.update(directory, cost: \.cost) {
            $0.knowledge(of: name, probablyAt: place, at: now, timeToLive, acceptStale: acceptStale)
        } ?? .unknown
    }

    /// The record of a directory; `nil` when nothing is known.
    func record(of directory: InodeNumber) -> DirectoryRecord? { records.peek(directory) }

    /// Whether the listing of a directory may still be taken as true.
    func isFresh(_ directory: InodeNumber, at now: Instant) -> Bool {
        records.peek(directory)?.isFresh(at: now, timeToLive) ?? false
    }

    /// Whether a name that is not known has to be asked for by itself: the server has just refused to list the
    /// directory, or has cut the listing short.
    ///
    /// - Parameter acceptStale: as for ``knowledge(of:in:at:acceptStale:)``.
    func mustAskForEach(_ directory: InodeNumber, at now: Instant, acceptStale: Bool) -> Bool {
        guard let record = records.peek(directory) else { return false }
        if record.isRefused(at: now, timeToLive) { return true }
        return record.isPartial && (acceptStale || record.isFresh(at: now, timeToLive))
    }

    /// Whether the server has just refused to list a directory.
    func isRefused(_ directory: InodeNumber, at now: Instant) -> Bool {
        records.peek(directory)?.isRefused(at: now, timeToLive) ?? false
    }

    /// Notes an entry: our own change, or what a look at it said.
    mutating func set(_ name: FileName, in directory: InodeNumber, _ entry: DirectoryRecord.Entry) {
        listings[directory]?.changes[name] = .some(entry)
        let next = takeGeneration()
        change(directory) { $0.set(name, entry, generation: next) }
    }

    /// Notes that a name is gone.
    mutating func remove(_ name: FileName, in directory: InodeNumber) {
        listings[directory]?.changes[name] = .some(nil)
        let next = takeGeneration()
        change(directory) { $0.remove(name, generation: next) }
    }

    /// Changes the attributes of an entry, if it is known.
    mutating func amend(
        _ name: FileName, in directory: InodeNumber, _ body: (inout DirectoryRecord.Entry) -> Void
    ) {
        guard var entry = records.peek(directory)?.entries[name] else { return }
        body(&entry)
        set(name, in: directory, entry)
    }

    /// Hides a name of the server's, or shows it again.
    mutating func hide(_ name: FileName, in directory: InodeNumber, _ isHidden: Bool) {
        change(directory) { $0.hide(name, isHidden) }
    }

    /// The empty listing of a directory that was just made.
    mutating func setEmpty(_ directory: InodeNumber, at now: Instant) {
        let next = takeGeneration()
        change(directory) { $0.replace(with: EntryTable(), askedAt: now, changes: [:], generation: next) }
    }

    /// Takes nothing as true that is known of a directory's names: the server contradicted it. Neither is a listing that is
    /// under way: it was asked for before.
    mutating func expire(_ directory: InodeNumber) {
        listings[directory] = nil
        if records.peek(directory) != nil { change(directory) { $0.expire() } }
    }

    /// The next look at a directory is to be a new one, also if a listing is under way.
    mutating func refresh(_ directory: InodeNumber) {
        // Its result would be older than the wish; who waits for it finds nothing and asks again.
        listings[directory] = nil
        if records.peek(directory) != nil { change(directory) { $0.refresh() } }
    }

    /// Forgets a directory that is gone.
    mutating func forget(_ directory: InodeNumber) {
        records.remove(directory)
        listings[directory] = nil
    }

    /// Forgets everything.
    mutating func removeAll() {
        records.removeAll()
        listings = [:]
    }

    /// The listing of a directory that is under way, with one waiter more; or a new one, which the caller starts.
    mutating func joinListing(of directory: InodeNumber, at now: Instant) -> (flight: ListingFlight, isNew: Bool) {
        if let flight = listings[directory]?.flight, flight.join() { return (flight, false) }
        let flight = ListingFlight(startedAt: now)
        _ = flight.join()
        listings[directory] = Listing(flight: flight)
        return (flight, true)
    }

    /// A new listing that nobody waits for yet; `nil` when there is no need for one, or one is under way.
    mutating func startListingAhead(of directory: InodeNumber, at now: Instant) -> ListingFlight? {
        guard listings[directory] == nil, !isFresh(directory, at: now), !isRefused(directory, at: now) else {
            return nil
        }
        let flight = ListingFlight(startedAt: now, isAhead: true)
        _ = flight.join()
        listings[directory] = Listing(flight: flight)
        return flight
    }

    /// Takes the result of a listing, unless another one has taken its place.
    mutating func finishListing(
        _ flight: ListingFlight, of directory: InodeNumber, at now: Instant,
        _ result: Result<DirectoryRecord.Listed, StoreError>
    ) {
        guard let listing = listings[directory], listing.flight === flight else { return }
        listings[directory] = nil
        let next = takeGeneration()
        switch result {
        case .success(let listed):
            change(directory) {
                $0.replace(
                    with: listed.entries, askedAt: flight.startedAt, taking: now.since(flight.startedAt),
                    changes: listing.changes, isPartial: listed.isPartial, generation: next)
            }
        case .failure(let error) where error.refusesListing:
            change(directory) { $0.refuse(at: flight.startedAt) }
        case .failure:
            break
        }
    }

    private mutating func takeGeneration() -> UInt64 {
        lastGeneration += 1
        return lastGeneration
    }

    private mutating func change(_ directory: InodeNumber, _ body: (inout DirectoryRecord) -> Void) {
        if records.peek(directory) == nil {
            records.insert(DirectoryRecord(generation: takeGeneration()), for: directory, cost: 1)
        }
        records.update(directory, cost: \.cost, body)
        records.trim { $0.isReplaceable }
    }
}

extension StoreError {
    /// Whether a directory cannot be listed although it is there: names in it can still be asked for one by one.
    var refusesListing: Bool { kind == .denied || kind == .unsupported || kind == .notPermitted }
}
