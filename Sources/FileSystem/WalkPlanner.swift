import Vocabulary

/// Sees which directories are read, recognises a walk through a tree, and says which directories to list ahead of it.
/// No lock, no I/O: events in, actions out.
///
/// ## How a walk is recognised
/// Two directories of one parent are read that are neighbours in one of the orders in which programs go through names
/// (``SiblingOrder``), or a directory and then the first of those below it. From then on the walk is expected to go on in that order, and in each directory to go through the
/// directories below it first: what `find`, `ls -R`, `du`, `rsync` and `tar` do. One directory that is read alone, or
/// several in no order, start nothing.
///
/// ## How far ahead
/// What lies ahead is a line of directories (``Walk/line``). So many of its first are listed, or being listed, as
/// ``distance`` says: few at first, twice as many each time the walk meets a listing that is still on its way, half as many
/// when one had become too old before the walk came. So a walk that stops is left alone after a few listings, and one that
/// is slow does not list what it cannot use in time. Places that the walk has passed by are dropped.
struct WalkPlanner {
    enum Action: Hashable {
        /// List this directory; tell ``listed(_:_:children:)``.
        case list(Place)
        /// The listing of this one is of no use any more, whether it has come or not.
        case drop(Place)
    }

    /// How the reading of a directory came about.
    enum Outcome: Hashable {
        /// It was not listed ahead.
        case none
        /// It had been listed ahead, or is being listed.
        case used
        /// It had been listed ahead too early: what is known of it is too old by now.
        case outdated
    }

    private enum Progress: Hashable {
        case expected
        case underWay
        case listed
    }

    private struct Item {
        let place: Place
        var progress = Progress.expected
        /// How often the walk has read something that was expected after it.
        var passed = 0
    }

    private struct Walk {
        let order: SiblingOrder.Kind
        var line: [Item]
        var distance = WalkPlanner.firstDistance
        /// The directory that was read last, if its own ones are not in the line yet, and where they belong.
        var current: (place: Place, index: Int)?
    }

    /// Enough for the connections that there usually are.
    static let firstDistance = 4
    /// Listings that have not been used yet: of the size of what a walk meets within the shortest useful time to live.
    static let largestDistance = 32
    /// How many are asked for at a time: more than there are connections only wait in another place.
    static let atOnce = 6
    /// How many walks are followed: who walks in five places has too few connections to gain anything.
    static let mostWalks = 4
    /// How many directories are expected: beyond that it is recognised anew.
    static let longestLine = 4096
    /// A directory that was passed by so often is not expected any more.
    static let patience = 8

    private var walks: [Walk] = []
    /// The directory that was read last in a parent; the newest last.
    private var recent: [Place] = []
    private static let recentCount = 16
    /// The directory that was read last of all.
    private var lastNumber: InodeNumber?

    /// How many directories are being listed ahead.
    var underWay: Int { walks.reduce(0) { $0 + $1.line.count { $0.progress == .underWay } } }

    /// How many directories the walk that was met last is expected to read, for all that is known yet.
    var expected: Int { walks.last?.line.count ?? 0 }

    /// A directory is being read from its start.
    ///
    /// - Parameters:
    ///   - number: what it is.
    ///   - isFresh: what is known of it is new enough.
    ///   - siblings: the directories of its parent; asked for only when they matter.
    mutating func entered(
        _ place: Place, _ number: InodeNumber, isFresh: Bool, siblings: () -> SiblingOrder?
    ) -> (outcome: Outcome, actions: [Action]) {
        let last = recent.first { $0.parent == place.parent }
        let isBelowLast = lastNumber == place.parent
        lastNumber = number
        recent.removeAll { $0.parent == place.parent }
        recent = recent.suffix(Self.recentCount - 1) + [place]
        if let index = walks.firstIndex(where: { $0.line.contains { $0.place == place } }) {
            walks.append(walks.remove(at: index))
            return met(place, isFresh)
        }
        guard last != place, last != nil || isBelowLast, !walks.contains(where: { $0.current?.place == place }),
            let order = siblings(), let kind = order.kind(from: last?.name, to: place.name),
            let index = order.index(of: place.name, kind)
        else { return (.none, []) }
        let rest = order.names(kind)[(index + 1)...].prefix(Self.longestLine)
        var actions: [Action] = []
        if walks.count == Self.mostWalks { actions += Self.drops(walks.removeFirst().line) }
        walks.append(Walk(order: kind, line: rest.map { Item(place: Place(parent: place.parent, name: $0)) }))
        walks[walks.count - 1].current = (place, 0)
        return (.none, actions + next())
    }

    /// The root is being read from its start: it has no place, and no siblings.
    mutating func entered(_ root: InodeNumber) { lastNumber = root }

    /// Whether the directories below this one are asked for, once it has been read.
    func expectsChildren(of place: Place) -> Bool { walks.contains { $0.current?.place == place } }

    /// A directory has been listed, ahead or because somebody reads it.
    ///
    /// - Parameters:
    ///   - number: what it is; `nil` when it could not be listed.
    ///   - children: the directories below it.
    mutating func listed(_ place: Place, _ number: InodeNumber?, children: SiblingOrder?) -> [Action] {
        var actions: [Action] = []
        if let walk = walks.firstIndex(where: { $0.line.contains { $0.place == place } }),
            let index = walks[walk].line.firstIndex(where: { $0.place == place })
        {
            walks[walk].line[index].progress = .listed
            actions += insert(children, of: number, into: walk, at: index + 1)
            if number == nil { actions += Self.drops([walks[walk].line.remove(at: index)]) }
        } else {
            if let walk = walks.firstIndex(where: { $0.current?.place == place }) {
                actions += insert(children, of: number, into: walk, at: walks[walk].current?.index ?? 0)
                walks[walk].current = nil
            }
            actions.append(.drop(place))
        }
        return actions + next()
    }

    /// A directory cannot be listed now, for want of connections; perhaps when the walk has gone on.
    mutating func postponed(_ place: Place) {
        for walk in walks.indices {
            guard let index = walks[walk].line.firstIndex(where: { $0.place == place && $0.progress == .underWay })
            else { continue }
            walks[walk].line[index].progress = .expected
        }
    }

    /// Forgets all walks.
    mutating func end() -> [Action] {
        defer {
            walks = []
            recent = []
        }
        return walks.flatMap { Self.drops($0.line) }
    }

    // MARK: - Rules

    /// The last of the walks has come to a directory of its line.
    private mutating func met(_ place: Place, _ isFresh: Bool) -> (Outcome, [Action]) {
        let walk = walks.count - 1
        guard let index = walks[walk].line.firstIndex(where: { $0.place == place }) else { return (.none, []) }
        var actions: [Action] = []
        let outcome: Outcome
        let item = walks[walk].line.remove(at: index)
        walks[walk].current = (place, index)
        switch item.progress {
        case .expected:
            outcome = .none
        case .underWay:
            outcome = .used
            walks[walk].distance = min(walks[walk].distance * 2, Self.largestDistance)
        case .listed:
            // Its own directories are in the line already.
            walks[walk].current = nil
            outcome = isFresh ? .used : .outdated
            if !isFresh { walks[walk].distance = max(walks[walk].distance / 2, 1) }
            actions.append(.drop(place))
        }
        for passed in 0..<index { walks[walk].line[passed].passed += 1 }
        let gone = walks[walk].line.filter { $0.passed >= Self.patience }
        if !gone.isEmpty {
            walks[walk].line.removeAll { $0.passed >= Self.patience }
            if walks[walk].current != nil { walks[walk].current?.index = max(0, index - gone.count) }
        }
        return (outcome, actions + Self.drops(gone) + next())
    }

    /// Puts the directories below one into the line, which loses its end if it gets too long.
    private mutating func insert(
        _ children: SiblingOrder?, of number: InodeNumber?, into walk: Int, at index: Int
    ) -> [Action] {
        guard let children, let number else { return [] }
        let items = children.names(walks[walk].order).prefix(Self.longestLine)
            .map { Item(place: Place(parent: number, name: $0)) }
        walks[walk].line.insert(contentsOf: items, at: min(index, walks[walk].line.count))
        let excess = max(0, walks[walk].line.count - Self.longestLine)
        defer { walks[walk].line.removeLast(excess) }
        return Self.drops(walks[walk].line.suffix(excess))
    }

    private static func drops(_ items: some Sequence<Item>) -> [Action] {
        items.compactMap { $0.progress == .expected ? nil : .drop($0.place) }
    }

    /// What can be listed now, for the walk that was met last first.
    private mutating func next() -> [Action] {
        var actions: [Action] = []
        var free = Self.atOnce - underWay
        for walk in walks.indices.reversed() {
            var ahead = walks[walk].line.count { $0.progress != .expected }
            for index in walks[walk].line.indices {
                guard free > 0, ahead < walks[walk].distance else { break }
                guard walks[walk].line[index].progress == .expected else { continue }
                walks[walk].line[index].progress = .underWay
                actions.append(.list(walks[walk].line[index].place))
                free -= 1
                ahead += 1
            }
        }
        return actions
    }
}
