import Logging
import Threading
import Vocabulary

/// Working ahead of programs that go through directories: see ``WalkPlanner``, ``FetchPlanner`` and ``AheadState``.
extension FileSystem {
    /// What the work ahead was good for so far.
    package var aheadStatistics: AheadStatistics { ahead.withLock { $0.statistics } }

    /// With an older truth than that nothing would be left of a listing when somebody comes for it.
    private static var shortestTimeToLive: Duration { .seconds(1) }
    /// In a larger directory putting names in order would take longer than the round trips it saves.
    private static var mostSiblings: Int { 20_000 }

    // MARK: - Directories

    /// Lists the root, which whoever has asked for the mount looks at next: its way to the server and back passes while the
    /// kernel mounts. Does not wait; a failure is for whoever asks again.
    package func listRootAhead() {
        guard configuration.prefetch else { return }
        let (flight, isNew) = tree.withLock { $0.directories.joinListing(of: .root, at: configuration.now()) }
        guard isNew else { return flight.giveUp() }
        do throws(StoreError) {
            try errands.submit { [self] in
                run(flight, of: .root)
                flight.giveUp()
            }
        } catch {
            finish(flight, of: .root, .failure(error))
        }
    }

    /// A directory is about to be read from its start.
    func noteReading(ofDirectory number: InodeNumber) {
        guard configuration.prefetch, configuration.dirTTL >= Self.shortestTimeToLive else { return }
        let known = tree.withLock { tree -> (Place, isFresh: Bool)? in
            guard let place = tree.inodes[number]?.place else { return nil }
            return (
                Place(parent: place.parent, name: place.name), tree.directories.isFresh(number, at: configuration.now())
            )
        }
        guard let (place, isFresh) = known else {
            // The root: what is read next may be below it.
            ahead.withLock { $0.walks.entered(number) }
            return
        }
        let actions = ahead.withLock { ahead -> [WalkPlanner.Action] in
            guard !ahead.isClosed else { return [] }
            let (outcome, actions) = ahead.walks.entered(place, number, isFresh: isFresh) {
                directories(of: place.parent)
            }
            switch outcome {
            case .none: break
            case .used: ahead.statistics.listedUsed += 1
            case .outdated: ahead.statistics.listedOutdated += 1
            }
            return actions
        }
        carryOut(actions)
    }

    /// A directory has been read, and with it listed.
    func noteListing(of number: InodeNumber) {
        guard configuration.prefetch else { return }
        let place = tree.withLock { tree in
            tree.inodes[number]?.place.map { Place(parent: $0.parent, name: $0.name) }
        }
        guard let place else { return }
        let actions = ahead.withLock { ahead -> [WalkPlanner.Action] in
            guard !ahead.isClosed, ahead.walks.expectsChildren(of: place), ahead.listings[place] == nil else {
                return []
            }
            return ahead.walks.listed(place, number, children: directories(of: number))
        }
        carryOut(actions)
    }

    private func carryOut(_ actions: [WalkPlanner.Action]) {
        var rest = actions[...]
        while let action = rest.popFirst() {
            switch action {
            case .list(let place):
                guard mayBegin({ ($0.walks.expected, hasBegun: !$0.listings.isEmpty) }) else {
                    ahead.withLock { $0.walks.postponed(place) }
                    continue
                }
                if !listAhead(place) { rest += settled(place, nil) }
            case .drop(let place):
                guard let dropped = ahead.withLock({ $0.listings.removeValue(forKey: place) }) else { continue }
                dropped.flight.giveUp()
                letGo(dropped.number)
            }
        }
    }

    /// Starts to list a directory; false if there is no need, or no way.
    private func listAhead(_ place: Place) -> Bool {
        let started = tree.withLock { tree -> (InodeNumber, ListingFlight)? in
            let now = configuration.now()
            guard let inode = tree.known(place, .directory, at: now),
                let flight = tree.directories.startListingAhead(of: inode.number, at: now)
            else { return nil }
            inode.isAwaited = true
            return (inode.number, flight)
        }
        guard let (number, flight) = started else { return false }
        let isOpen = ahead.withLock { ahead in
            guard !ahead.isClosed else { return false }
            ahead.listings[place] = (number, flight)
            return true
        }
        do throws(StoreError) {
            guard isOpen else { throw .cancelled }
            try listingsAhead.submit { [self] in
                run(flight, of: number)
                let isListed = tree.withLock { $0.directories.isFresh(number, at: configuration.now()) }
                carryOut(settled(place, isListed ? number : nil))
            }
            return true
        } catch {
            finish(flight, of: number, .failure(error))
            _ = ahead.withLock { $0.listings.removeValue(forKey: place) }
            letGo(number)
            return false
        }
    }

    /// A listing ahead has come, or will not come.
    private func settled(_ place: Place, _ number: InodeNumber?) -> [WalkPlanner.Action] {
        ahead.withLock { ahead -> [WalkPlanner.Action] in
            guard !ahead.isClosed else { return [] }
            if number != nil { ahead.statistics.listed += 1 }
            return ahead.walks.listed(place, number, children: number.flatMap { directories(of: $0) })
        }
    }

    // MARK: - Files

    /// A file is being read from its start.
    func noteReading(ofFile number: InodeNumber) {
        guard configuration.prefetch else { return }
        let place = tree.withLock { tree -> Place? in
            guard let inode = tree.inodes[number], inode.link == .linked else { return nil }
            return inode.place.map { Place(parent: $0.parent, name: $0.name) }
        }
        guard let place else { return }
        let actions = ahead.withLock { ahead -> [FetchPlanner.Action] in
            guard !ahead.isClosed else { return [] }
            return ahead.fetches.began(place) { files(of: place.parent) }
        }
        carryOut(actions)
    }

    private func carryOut(_ actions: [FetchPlanner.Action]) {
        var rest = actions[...]
        while let action = rest.popFirst() {
            switch action {
            case .fetch(let place, let size):
                guard mayBegin({ ($0.fetches.expected, hasBegun: !$0.files.isEmpty) }) else {
                    ahead.withLock { $0.fetches.postponed(place) }
                    continue
                }
                if !fetch(place, size) { rest += fetched(place, false) }
            case .drop(let place):
                if let dropped = ahead.withLock({ $0.files.removeValue(forKey: place) }) { end(dropped) }
            }
        }
    }

    /// Starts to fetch a file; false if there is no need, or no way.
    private func fetch(_ place: Place, _ size: Int64) -> Bool {
        let known = tree.withLock { tree -> (AheadState.Fetch, version: UInt64)? in
            guard let inode = tree.known(place, .file, at: configuration.now()), inode.handles == 0,
                inode.readerAhead == nil, inode.local == nil, inode.attributes.size == size
            else { return nil }
            let fetch = AheadState.Fetch(number: inode.number, reader: makeReader(of: inode.number))
            inode.isAwaited = true
            inode.readerAhead = fetch.reader
            return (fetch, inode.version)
        }
        guard let (fetch, version) = known else { return false }
        let isOpen = ahead.withLock { ahead in
            if !ahead.isClosed { ahead.files[place] = fetch }
            return !ahead.isClosed
        }
        guard isOpen else {
            end(fetch)
            return false
        }
        fetch.reader.read(0..<size, size: size, version: version, isAhead: true, fetch.cancellation) { [self] answer in
            if case .bytes = answer {
                carryOut(fetched(place, true))
            } else {
                carryOut(fetched(place, false))
            }
        }
        return true
    }

    private func fetched(_ place: Place, _ isHere: Bool) -> [FetchPlanner.Action] {
        ahead.withLock { ahead in
            guard !ahead.isClosed else { return [] }
            if isHere { ahead.statistics.fetched += 1 }
            return ahead.fetches.fetched(place, isHere)
        }
    }

    /// Gives up what was fetched ahead, unless somebody has opened it meanwhile.
    private func end(_ fetch: AheadState.Fetch) {
        let isUnused = tree.withLock { tree -> Bool in
            guard let inode = tree.inodes[fetch.number], inode.readerAhead === fetch.reader else { return false }
            inode.readerAhead = nil
            return true
        }
        if isUnused {
            fetch.cancellation.cancel()
            fetch.reader.released()
        } else {
            ahead.withLock { $0.statistics.fetchedUsed += 1 }
        }
        letGo(fetch.number)
    }

    // MARK: - Both

    /// Gives up everything that is under way ahead, and begins nothing more.
    func endAhead() {
        let (listings, files, statistics) = ahead.withLock { ahead in
            ahead.isClosed = true
            defer {
                ahead.listings = [:]
                ahead.files = [:]
                ahead.walks = WalkPlanner()
            }
            return (ahead.listings, ahead.files, ahead.statistics)
        }
        for listing in listings.values {
            listing.flight.giveUp()
            letGo(listing.number)
        }
        for fetch in files.values { end(fetch) }
        logger.debug("ahead: \(statistics)")
    }

    /// Whether there are connections for what is expected, or some of it is under way already.
    private func mayBegin(_ outlook: (AheadState) -> (expected: Int, hasBegun: Bool)) -> Bool {
        let (expected, hasBegun) = ahead.withLock { outlook($0) }
        return hasBegun || store.admitsAhead(pieces: expected)
    }

    private func letGo(_ number: InodeNumber) {
        tree.withLock { tree in
            guard let inode = tree.inodes[number] else { return }
            inode.isAwaited = false
            tree.dropUnheld(inode)
        }
    }

    /// The directories in a directory, as far as they are known.
    private func directories(of directory: InodeNumber) -> SiblingOrder? {
        known(directory, in: knownWalkOrders) { record, prefix in
            let names = record.entries.items.compactMap { $0.entry.attributes.kind == .directory ? $0.name : nil }
            return names.isEmpty ? nil : SiblingOrder(names, in: prefix)
        }
    }

    private func files(of directory: InodeNumber) -> FetchPlanner.Files? {
        known(directory, in: knownFiles) { record, prefix in
            let items = record.entries.items.filter { $0.entry.attributes.kind == .file }
            let sizes = items.compactMap { item in item.entry.attributes.size.map { (item.name, $0) } }
            return FetchPlanner.Files(
                order: SiblingOrder(items.map(\.name), in: prefix),
                sizes: Dictionary(sizes, uniquingKeysWith: { first, _ in first }))
        }
    }

    private func known<Value: Sendable>(
        _ directory: InodeNumber, in orders: Monitor<KnownOrders<Value>>,
        make: (DirectoryRecord, PathHash) -> Value?
    ) -> Value? {
        guard let (record, prefix) = listing(of: directory) else { return nil }
        let key = KnownOrders<Value>.Key(
            directory: directory, generation: record.generation, listedAt: record.listedAt)
        if let value = orders.withLock({ $0.value(of: key) }) { return value }
        guard let value = make(record, prefix) else { return nil }
        orders.withLock { $0.insert(value, for: key) }
        return value
    }

    private func listing(of directory: InodeNumber) -> (DirectoryRecord, PathHash)? {
        tree.withLock { tree in
            guard let record = tree.directories.record(of: directory), record.listedAt != nil,
                record.entries.count <= Self.mostSiblings,
                let path = tree.inodes[directory].flatMap({ tree.inodes.path(of: $0) })
            else { return nil }
            return (record, PathHash(path))
        }
    }
}

extension Tree {
    /// The inode of something that is known to be there, of that kind.
    fileprivate mutating func known(_ place: Place, _ kind: FileKind, at now: Instant) -> Inode? {
        guard let parent = inodes[place.parent], parent.kind == .directory,
            case .present(let entry, _) = directories.knowledge(
                of: place.name, in: place.parent, at: now, acceptStale: false),
            entry.attributes.kind == kind, entry.origin != .pending
        else { return nil }
        return intern(place.name, in: parent, entry)
    }
}
