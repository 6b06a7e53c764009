import Vocabulary

/// Sees which files are read from their start, recognises a program that reads the files of a directory one after the
/// other, and says which to fetch ahead of it. No lock, no I/O: events in, actions out.
///
/// ## How a run is recognised
/// Two files of one directory are read that are neighbours in one of the orders in which programs go through names
/// (``SiblingOrder``; other kinds of things in between do not count). Behind a run that has proven itself, the first file of
/// another directory is enough, so that `cp -r` and `grep -r` do not begin anew in each. One file that is read, or several
/// in no order, start nothing; and two reads out of the order end a run.
///
/// ## How much
/// Files up to ``largestFile``, whole; what is larger has a stream of its own that runs ahead. So many of them as ``Run/distance``
/// says: few at first, twice as many each time the reader meets one that is still on its way. All together not more bytes
/// than the share of the cache that the owner gives, so that they are still there when the reader comes.
struct FetchPlanner {
    enum Action: Hashable {
        /// Fetch this file, which has so many bytes; tell ``fetched(_:_:)``.
        case fetch(Place, size: Int64)
        /// It is of no use any more, whether it has come or not.
        case drop(Place)
    }

    /// The files of a directory, and their sizes as far as the server says them.
    struct Files {
        let order: SiblingOrder
        let sizes: [FileName: Int64]
    }

    private struct Run {
        let directory: InodeNumber
        let order: SiblingOrder.Kind
        let files: Files
        let names: [FileName]
        /// The file that was read last, and the first one not yet considered.
        var current: Int
        var next: Int
        var distance: Int
        var hits = 0
        var strikes = 0
        /// What was fetched and not read yet; true: it is here.
        var ahead: [Int: Bool] = [:]

        func size(_ index: Int) -> Int64 { files.sizes[names[index]] ?? 0 }
    }

    /// Larger files take a link of 100 Mbit/s longer than the round trips that fetching ahead saves.
    static let largestFile: Int64 = 1 << 20
    /// Enough for the connections that there usually are.
    static let firstDistance = 4
    /// Of small files a link of 100 ms round trip takes so many in a third of a second per connection.
    static let largestDistance = 32
    /// How many are fetched at a time: more than there are connections only wait in another place.
    static let atOnce = 6
    /// How many runs are followed: a program goes down into directories and comes back.
    static let mostRuns = 4
    /// A run that is believed in another directory.
    static let proof = 4

    /// How many bytes may be here that nobody has read yet.
    let limit: Int64
    private var runs: [Run] = []
    /// The file that was read last in a directory; the newest last.
    private var recent: [Place] = []
    private static let recentCount = 16

    init(limit: Int64) {
        self.limit = limit
    }

    /// How many files the run that was met last is expected to read.
    var expected: Int { runs.last.map { $0.names.count - $0.current - 1 } ?? 0 }

    /// A file is being read from its start.
    ///
    /// - Parameter siblings: the files of its directory; asked for only when they matter.
    mutating func began(_ place: Place, siblings: () -> Files?) -> [Action] {
        let last = recent.first { $0.parent == place.parent }
        recent.removeAll { $0.parent == place.parent }
        recent = recent.suffix(Self.recentCount - 1) + [place]
        if let index = runs.firstIndex(where: { $0.directory == place.parent }) {
            runs.append(runs.remove(at: index))
            return goOn(to: place)
        }
        guard last != place else { return [] }
        if let last {
            guard let files = siblings(), let kind = files.order.kind(from: last.name, to: place.name) else {
                return []
            }
            return start(place, files, kind, distance: Self.firstDistance)
        }
        guard let proven = runs.last(where: { $0.hits >= Self.proof }), let files = siblings(),
            files.order.index(of: place.name, proven.order) == 0
        else { return [] }
        return start(place, files, proven.order, distance: proven.distance)
    }

    /// A file has been fetched.
    mutating func fetched(_ place: Place, _ isHere: Bool) -> [Action] {
        guard let run = runs.firstIndex(where: { $0.directory == place.parent }),
            let index = runs[run].files.order.index(of: place.name, runs[run].order), runs[run].ahead[index] != nil
        else { return [.drop(place)] + next() }
        runs[run].ahead[index] = isHere ? true : nil
        return (isHere ? [] : [.drop(place)]) + next()
    }

    /// A file cannot be fetched now, for want of connections; perhaps when the run has gone on.
    mutating func postponed(_ place: Place) {
        guard let run = runs.firstIndex(where: { $0.directory == place.parent }),
            let index = runs[run].files.order.index(of: place.name, runs[run].order),
            runs[run].ahead.removeValue(forKey: index) != nil
        else { return }
        runs[run].next = max(min(runs[run].next, index), runs[run].current + 1)
    }

    /// Forgets all runs.
    mutating func end() -> [Action] {
        defer {
            runs = []
            recent = []
        }
        return runs.flatMap { Self.drops($0) }
    }

    // MARK: - Rules

    private mutating func start(_ place: Place, _ files: Files, _ kind: SiblingOrder.Kind, distance: Int) -> [Action] {
        guard let index = files.order.index(of: place.name, kind) else { return [] }
        let actions = runs.count == Self.mostRuns ? Self.drops(runs.removeFirst()) : []
        runs.append(
            Run(
                directory: place.parent, order: kind, files: files, names: files.order.names(kind), current: index,
                next: index + 1, distance: distance))
        return actions + next()
    }

    /// The last of the runs, whose directory it is, sees another read.
    private mutating func goOn(to place: Place) -> [Action] {
        let run = runs.count - 1
        let index = runs[run].files.order.index(of: place.name, runs[run].order)
        guard let index, index >= runs[run].current, index <= max(runs[run].next, runs[run].current + 1) else {
            runs[run].strikes += 1
            return runs[run].strikes < 2 ? [] : Self.drops(runs.remove(at: run))
        }
        guard index > runs[run].current else { return [] }
        runs[run].strikes = 0
        runs[run].current = index
        runs[run].next = max(runs[run].next, index + 1)
        if let isHere = runs[run].ahead.removeValue(forKey: index) {
            runs[run].hits += 1
            if !isHere { runs[run].distance = min(runs[run].distance * 2, Self.largestDistance) }
        }
        let passed = runs[run].ahead.keys.filter { $0 < index }.sorted()
        for index in passed { runs[run].ahead[index] = nil }
        let drops = passed.map { Action.drop(Place(parent: place.parent, name: runs[run].names[$0])) }
        return [.drop(place)] + drops + next()
    }

    private static func drops(_ run: Run) -> [Action] {
        run.ahead.keys.sorted().map { .drop(Place(parent: run.directory, name: run.names[$0])) }
    }

    /// What can be fetched now, for the run that was met last first.
    private mutating func next() -> [Action] {
        var actions: [Action] = []
        var free = Self.atOnce - runs.reduce(0) { $0 + $1.ahead.values.count { !$0 } }
        var room = limit - runs.reduce(0) { sum, run in sum + run.ahead.keys.reduce(0) { $0 + run.size($1) } }
        for run in runs.indices.reversed() {
            while free > 0, runs[run].ahead.count < runs[run].distance, runs[run].next < runs[run].names.count {
                let index = runs[run].next
                let size = runs[run].size(index)
                // Large files are passed over, but not endlessly: behind many of them nothing is near.
                guard index - runs[run].current <= Self.largestDistance * 2 else { break }
                if (1...Self.largestFile).contains(size) {
                    guard size <= room else { break }
                    runs[run].ahead[index] = false
                    actions.append(.fetch(Place(parent: runs[run].directory, name: runs[run].names[index]), size: size))
                    free -= 1
                    room -= size
                }
                runs[run].next += 1
            }
        }
        return actions
    }
}
