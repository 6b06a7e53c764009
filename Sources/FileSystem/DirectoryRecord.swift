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
///
/// ## How long a listing lasts
/// For the time to live, from when it was asked for; but never less than ``leastUses`` times as long as it took to come.
/// Else one `ls -l` of a directory so large, or on a line so slow, that its listing takes about as long as that would ask for it
/// over and over, each time because the last one has just become too old.
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

    private(set) var entries = EntryTable()
    /// When the listing behind the entries was asked for; `nil`: there is none, only single names are known.
    private(set) var listedAt: Instant?
    /// How long it lasts at least.
    private var leastLife = Duration.zero
    /// Enough for a program to go through all of it as slowly as it came, twice.
    private static let leastUses = 3
    /// Whether the listing was cut short: a name that is not in it may exist.
    private(set) var isPartial = false
    /// When the server last refused to list the directory.
    private(set) var refusedAt: Instant?
    /// Another number whenever the set of names or kinds is another one. Numbers are unique in the mount.
    private(set) var generation: UInt64
    /// Names on the server that stand for files unlinked here while open. Nobody sees them.
    private(set) var hidden: Set<FileName> = []
    private var pendingCount = 0
    /// What the server had under the names that are ``Origin/pending``, when they were last listed.
    private(set) var sightings: [FileName: Sighting] = [:]

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
        remaining(of: listedAt, at: now, life(timeToLive)) > .zero
    }

    /// Whether the server has refused a listing so recently that asking again is useless.
    func isRefused(at now: Instant, _ timeToLive: Duration) -> Bool {
        remaining(of: refusedAt, at: now, timeToLive) > .zero
    }

    /// What is known of a name.
    ///
    /// - Parameters:
    ///   - place: where it was among the entries, if the caller has seen it there.
    ///   - acceptStale: the server has just been asked: what is here is as new as it can be, also with a time to live of
    ///     zero.
    func knowledge(
        of name: FileName, probablyAt place: Int? = nil, at now: Instant, _ timeToLive: Duration, acceptStale: Bool
    ) -> Knowledge {
        if hidden.contains(name) { return .absent(remaining: .zero) }
        let listing = remaining(of: listedAt, at: now, life(timeToLive))
        if let entry = place.map({ entries.entry(of: name, probablyAt: $0) }) ?? entries[name] {
            if entry.origin == .pending { return .present(entry, remaining: timeToLive) }
            let left = max(listing, remaining(of: entry.seen, at: now, timeToLive))
            return left > .zero || acceptStale ? .present(entry, remaining: left) : .unknown
        }
        guard listedAt != nil, !isPartial, listing > .zero || acceptStale else { return .unknown }
        return .absent(remaining: listing)
    }

    /// Puts an entry in, or in the place of another one of that name.
    mutating func set(_ name: FileName, _ entry: Entry, generation next: UInt64) {
        let old = entries[name]
        if old?.attributes.kind != entry.attributes.kind { generation = next }
        count(old, -1)
        count(entry, 1)
        // What was seen before it became pending, is of another content.
        if entry.origin != .pending || old?.origin != .pending { sightings[name] = nil }
        entries[name] = entry
    }

    /// Takes a name out.
    mutating func remove(_ name: FileName, generation next: UInt64) {
        sightings[name] = nil
        guard let old = entries[name] else { return }
        entries[name] = nil
        count(old, -1)
        generation = next
    }

    /// Takes a listing.
    ///
    /// - Parameters:
    ///   - listed: what is in it.
    ///   - instant: when it was asked for.
    ///   - duration: how long it took to come.
    ///   - changes: what was changed here since then.
    ///   - isPartial: whether it was cut short.
    mutating func replace(
        with listed: EntryTable, askedAt instant: Instant, taking duration: Duration = .zero, changes: ListingChanges,
        isPartial: Bool = false, generation next: UInt64
    ) {
        let before = entries
        self.isPartial = isPartial
        entries = listed
        for name in hidden { entries[name] = nil }
        for (name, change) in changes { entries[name] = change }
        sightings = [:]
        if pendingCount > 0 {
            for item in before.items where item.entry.origin == .pending && entries[item.name]?.origin != .pending {
                entries[item.name] = item.entry
                sightings[item.name] = Sighting(attributes: listed[item.name]?.attributes, at: instant)
            }
        }
        // In a listing there is nothing pending.
        if pendingCount > 0 || !changes.isEmpty {
            pendingCount = entries.items.reduce(0) { $0 + ($1.entry.origin == .pending ? 1 : 0) }
        }
        listedAt = instant
        leastLife = duration * Self.leastUses
        refusedAt = nil
        if !entries.hasSameKinds(as: before) { generation = next }
    }

    /// What a listing has brought.
    struct Listed: Sendable {
        var entries: EntryTable
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
        let pending = pendingCount > 0 ? entries.items.filter { $0.entry.origin == .pending } : []
        entries = EntryTable()
        for item in pending { entries[item.name] = item.entry }
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

    /// All names in their order, as they are now.
    func snapshot() -> DirectorySnapshot { DirectorySnapshot(places: entries.places, generation: generation) }

    private mutating func count(_ entry: Entry?, _ step: Int) {
        if entry?.origin == .pending { pendingCount += step }
    }

    /// How long the listing lasts. Who wants a time to live of zero wants none.
    private func life(_ timeToLive: Duration) -> Duration {
        timeToLive > .zero ? max(timeToLive, leastLife) : .zero
    }

    private func remaining(of instant: Instant?, at now: Instant, _ timeToLive: Duration) -> Duration {
        guard let instant else { return .zero }
        return max(.zero, instant.advanced(by: timeToLive).since(now))
    }
}

/// The names of a directory at one moment, for a reader that comes back for more.
struct DirectorySnapshot: Sendable {
    /// The places of ``EntryTable``; `nil` is an empty one.
    let places: [EntryTable.Item?]
    /// The record's generation at that moment.
    let generation: UInt64

    /// Whether there is nothing.
    var isEmpty: Bool { places.allSatisfy { $0 == nil } }
}
