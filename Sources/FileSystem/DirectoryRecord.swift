import Threading
import Vocabulary

/// What is known of the names in one directory, and since when. No lock, no clock, no I/O.
///
/// ## How a listing and our own changes meet
/// A listing tells what the server had at some moment between its question
/// and its answer. A change that we made in that time may be in it or not. So every change is noted with the listing
/// under way (``ListingChanges``), and when the answer comes, it decides about all names but those: for them, what we
/// did last is the truth. No listing is thrown away and asked for again, however busy the directory.
///
/// A name that was made here and is not yet on the server (``Origin/pending``) is in no listing and survives them all.
struct DirectoryRecord {
    /// Where the knowledge of an entry comes from.
    enum Origin: Hashable {
        /// A listing, or a look at this one thing.
        case server
        /// Our own change, which the server has confirmed.
        case own
        /// Our own change, of which the server has not heard yet.
        case pending
    }

    /// One name.
    struct Entry: Hashable {
        var attributes: RemoteAttributes
        var origin: Origin
        /// When it was true.
        var seen: Instant
        /// What the server had under this name when it was last listed, if that is not what the entry shows: the name is
        /// ``Origin/pending``.
        var sighting: Sighting?
        /// Its place among the others: the server's order, then the order of making.
        var position = 0
    }

    /// What a listing has said of a name.
    struct Sighting: Hashable {
        /// `nil`: it was not there.
        var attributes: RemoteAttributes?
        /// When the listing was asked for.
        var at: Instant
    }

    /// What is known of a name.
    enum Knowledge {
        /// It stands for this, for so long.
        case present(Entry, remaining: Duration)
        /// There is no such name, for so long.
        case absent(remaining: Duration)
        /// Only the server knows.
        case unknown
    }

    /// Names changed here while a listing was under way; `nil`: removed.
    typealias ListingChanges = [FileName: Entry?]

    private(set) var entries: [FileName: Entry] = [:]
    /// When the listing behind the entries was asked for; `nil`: there is none, only single names are known.
    private(set) var listedAt: Instant?
    /// Whether the listing was cut short: a name that is not in it may exist.
    private(set) var isPartial = false
    /// When the server last refused to list the directory.
    private(set) var refusedAt: Instant?
    /// Another number whenever the set of names or kinds is another one. Numbers are unique in the mount.
    private(set) var generation: UInt64
    /// Names on the server that stand for files unlinked here while open. Nobody sees them.
    private(set) var hidden: Set<FileName> = []
    private var pendingCount = 0
    private var nextPosition = 0

    init(generation: UInt64) {
        self.generation = generation
    }

    /// What it costs to keep, in entries.
    var cost: Int { entries.count + hidden.count + 1 }

    /// Whether everything in here can be asked for again.
    var isReplaceable: Bool { pendingCount == 0 && hidden.isEmpty }

    /// Whether some names are not on the server yet.
    var hasPendingEntries: Bool { pendingCount > 0 }

    /// Whether the listing may still be taken as true.
    func isFresh(at now: Instant, _ timeToLive: Duration) -> Bool {
        remaining(of: listedAt, at: now, timeToLive) > .zero
    }

    /// Whether the server has refused a listing so recently that asking again is useless.
    func isRefused(at now: Instant, _ timeToLive: Duration) -> Bool {
        remaining(of: refusedAt, at: now, timeToLive) > .zero
    }

    /// What is known of a name.
    ///
    /// - Parameter acceptStale: the server has just been asked: what is here is as new as it can be, also with a time
    ///   to live of zero.
    func knowledge(
        of name: FileName, at now: Instant, _ timeToLive: Duration, acceptStale: Bool
    ) -> Knowledge {
        if hidden.contains(name) { return .absent(remaining: .zero) }
        let listing = remaining(of: listedAt, at: now, timeToLive)
        if let entry = entries[name] {
            if entry.origin == .pending { return .present(entry, remaining: timeToLive) }
            let left = max(listing, remaining(of: entry.seen, at: now, timeToLive))
            return left > .zero || acceptStale ? .present(entry, remaining: left) : .unknown
        }
        guard listedAt != nil, !isPartial, listing > .zero || acceptStale else { return .unknown }
        return .absent(remaining: listing)
    }

    /// Puts an entry in, or in the place of another one of that name.
    mutating func set(_ name: FileName, _ entry: Entry, generation next: UInt64) {
        var entry = entry
        let old = entries[name]
        if old?.attributes.kind != entry.attributes.kind { generation = next }
        entry.position = old?.position ?? takePosition()
        count(old, -1)
        count(entry, 1)
        entries[name] = entry
    }

    /// Takes a name out.
    mutating func remove(_ name: FileName, generation next: UInt64) {
        guard let old = entries.removeValue(forKey: name) else { return }
        count(old, -1)
        generation = next
    }

    /// The entries of a listing, but for the names that are ftpfs's own business. Needs no record, and so no lock: a
    /// large one takes a while.
    static func entries(of listing: [RemoteEntry], askedAt instant: Instant) -> [FileName: Entry] {
        var entries: [FileName: Entry] = Dictionary(minimumCapacity: listing.count)
        for item in listing where entries[item.name] == nil && !TemporaryName.matches(item.name) {
            entries[item.name] = Entry(
                attributes: item.attributes, origin: .server, seen: instant, position: entries.count + 1)
        }
        return entries
    }

    /// Takes a listing.
    ///
    /// - Parameters:
    ///   - listed: what is in it.
    ///   - instant: when it was asked for.
    ///   - changes: what was changed here since then.
    ///   - isPartial: whether it was cut short.
    mutating func replace(
        with listed: [FileName: Entry], askedAt instant: Instant, changes: ListingChanges, isPartial: Bool = false,
        generation next: UInt64
    ) {
        let before = entries
        self.isPartial = isPartial
        entries = listed
        nextPosition = listed.count
        for name in hidden { entries[name] = nil }
        for (name, change) in changes {
            if let entry = change { entries[name] = placed(entry) } else { entries[name] = nil }
        }
        if pendingCount > 0 {
            for (name, entry) in before where entry.origin == .pending && entries[name]?.origin != .pending {
                var entry = entry
                entry.sighting = Sighting(attributes: listed[name]?.attributes, at: instant)
                entries[name] = placed(entry)
            }
        }
        pendingCount = entries.values.count(where: { $0.origin == .pending })
        listedAt = instant
        refusedAt = nil
        let isSame =
            before.count == entries.count
            && entries.allSatisfy { before[$0.key]?.attributes.kind == $0.value.attributes.kind }
        if !isSame { generation = next }
    }

    /// What a listing has brought.
    struct Listed: Sendable {
        var entries: [FileName: Entry]
        var isPartial = false
    }

    /// Notes that the server does not list this directory.
    mutating func refuse(at instant: Instant) {
        refusedAt = instant
        listedAt = nil
    }

    /// Takes nothing in here as true any more, but what the server has not heard of.
    mutating func expire() {
        listedAt = nil
        isPartial = false
        for (name, entry) in entries where entry.origin != .pending { entries[name] = nil }
    }

    /// The same, and the server is to be asked again also where it has just refused.
    mutating func refresh() {
        expire()
        refusedAt = nil
    }

    /// Hides a name of the server's, or shows it again.
    mutating func hide(_ name: FileName, _ isHidden: Bool) {
        if isHidden { hidden.insert(name) } else { hidden.remove(name) }
    }

    /// All names in their order.
    func snapshot() -> DirectorySnapshot {
        let items = entries.map { (name: $0.key, entry: $0.value) }.sorted { $0.entry.position < $1.entry.position }
        return DirectorySnapshot(
            items: items.map { RemoteEntry(name: $0.name, attributes: $0.entry.attributes) }, generation: generation)
    }

    private mutating func takePosition() -> Int {
        nextPosition += 1
        return nextPosition
    }

    private mutating func placed(_ entry: Entry) -> Entry {
        var entry = entry
        entry.position = takePosition()
        return entry
    }

    private mutating func count(_ entry: Entry?, _ step: Int) {
        if entry?.origin == .pending { pendingCount += step }
    }

    private func remaining(of instant: Instant?, at now: Instant, _ timeToLive: Duration) -> Duration {
        guard let instant else { return .zero }
        return max(.zero, instant.advanced(by: timeToLive).since(now))
    }
}

/// The names of a directory at one moment, for a reader that comes back for more.
struct DirectorySnapshot: Sendable {
    let items: [RemoteEntry]
    /// The record's generation at that moment.
    let generation: UInt64
}
