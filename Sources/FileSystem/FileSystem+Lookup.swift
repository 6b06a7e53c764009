import Logging
import Threading
package import Vocabulary

/// How the file system finds out what a name stands for.
///
/// A name that is not known, or not any more, costs a listing of its directory: one round trip, after which all names
/// in it are known for the time to live, those that do not exist too. Only where the server does not list the
/// directory (one can pass through it, but not read it), or not all of it, single names are asked for.
extension FileSystem {
    /// Finds a name.
    package func lookup(
        _ name: FileName, in parent: InodeNumber, _ request: Request
    ) throws(StoreError) -> LookupAnswer {
        try resolve(name, in: parent, request) { tree, directory, knowledge in
            switch knowledge {
            case .present(let entry, let remaining):
                let inode = tree.intern(name, in: directory, entry)
                return .found(tree.countedEntry(inode, remaining: remaining))
            case .absent(let remaining):
                if remaining > .zero { tree.absences.note(name, in: parent) }
                return .absent(timeToLive: remaining)
            case .unknown:
                return .absent(timeToLive: .zero)
            }
        }
    }

    /// Counts lookups that the kernel gives back.
    package func forget(_ inode: InodeNumber, count: UInt64) {
        let lost = tree.withLock { tree in
            let before = tree.inodes.overForgotten
            tree.forget(inode, count: count)
            return tree.inodes.overForgotten &- before
        }
        if lost > 0 { logger.warning("forget: inode \(inode.rawValue): \(lost) lookups more than were counted") }
    }

    /// Runs `body`, with the tree locked, when it is known what a name stands for; asks the store if it must.
    ///
    /// `body` never sees `unknown`.
    func resolve<Answer: Sendable>(
        _ name: FileName, in parent: InodeNumber, _ request: Request,
        _ body: (inout Tree, Inode, DirectoryRecord.Knowledge) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        // A listing can be contradicted while it comes in (a failed operation throws it away). Twice is bad luck.
        for attempt in 0..<4 {
            let answer = try tree.withLock { tree throws(StoreError) -> Answer? in
                let directory = try tree.directory(parent)
                let knowledge = tree.directories.knowledge(
                    of: name, in: parent, at: configuration.now(), acceptStale: attempt > 0)
                if case .unknown = knowledge { return nil }
                return try body(&tree, directory, knowledge)
            }
            if let answer { return answer }
            let mustAsk = tree.withLock {
                $0.directories.mustAskForEach(parent, at: configuration.now(), acceptStale: attempt > 0)
            }
            if mustAsk { return try look(at: name, in: parent, request, body) }
            do throws(StoreError) {
                try list(parent, request)
            } catch  where error.refusesListing {
                return try look(at: name, in: parent, request, body)
            }
        }
        throw StoreError(.busy, "the directory of \(name) changes faster than it can be listed")
    }

    /// Runs `body`, with the tree locked, when what is known of an inode is no older than the time to live.
    ///
    /// - Parameter body: gets the inode, and for how long its attributes may be taken as true.
    func withCurrent<Answer: Sendable>(
        _ number: InodeNumber, _ request: Request,
        _ body: (inout Tree, Inode, Duration) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        let known = try tree.withLock { tree throws(StoreError) -> Current<Answer> in
            let inode = try tree.inode(number)
            // The root has no directory to be listed in; what is being written is known here alone.
            guard let place = inode.place, inode.link == .linked, inode.local == nil else {
                return .answer(try body(&tree, inode, configuration.dirTTL))
            }
            return .ask(place.name, in: place.parent)
        }
        switch known {
        case .answer(let answer):
            return answer
        case .ask(let name, let parent):
            return try resolve(name, in: parent, request) { tree, _, knowledge throws(StoreError) in
                let inode = try tree.inode(number)
                if case .present(let entry, let remaining) = knowledge, entry.attributes.kind == inode.kind {
                    tree.refresh(inode, entry)
                    return try body(&tree, inode, remaining)
                }
                // It was removed, or replaced by something else, on the server, or moved here meanwhile. Who has it
                // open can go on.
                let hasMoved = inode.place?.name != name || inode.place?.parent != parent
                guard inode.handles > 0 || hasMoved else { throw .noEntry(name) }
                return try body(&tree, inode, .zero)
            }
        }
    }

    /// Lists a directory, or waits for the listing that somebody else has asked for.
    func list(_ directory: InodeNumber, _ request: Request) throws(StoreError) {
        let (flight, isNew) = tree.withLock { $0.directories.joinListing(of: directory, at: configuration.now()) }
        if isNew {
            do throws(StoreError) {
                try errands.submit { [self] in run(flight, of: directory) }
            } catch {
                finish(flight, of: directory, .failure(error))
            }
        }
        try flight.wait(request.cancellation)
    }

    /// Carries a listing out. Blocks as long as the store does.
    func run(_ flight: ListingFlight, of directory: InodeNumber) {
        let result: Result<DirectoryRecord.Listed, StoreError>
        do throws(StoreError) {
            let isKnown = tree.withLock { $0.isKnown(directory, at: configuration.now()) }
            let listing = try atPath(of: directory) { path throws(StoreError) in
                try store.listing(
                    of: path, isKnown: isKnown, urgency: flight.urgency, cancellation: flight.cancellation)
            }
            // Needs no lock: a large one takes a while.
            let entries = EntryTable(of: listing.entries, askedAt: flight.startedAt)
            let temporary = listing.entries.lazy.filter {
                TemporaryName.matches($0.name) && $0.attributes.kind == .file
            }
            let noted = Array(temporary.prefix(Self.maximumLeftOvers))
            tree.withLock { $0.noteTemporaryFiles(noted, in: directory) }
            result = .success(.init(entries: entries, isPartial: !listing.isComplete))
        } catch {
            result = .failure(error)
        }
        finish(flight, of: directory, result)
    }

    func finish(
        _ flight: ListingFlight, of directory: InodeNumber,
        _ result: Result<DirectoryRecord.Listed, StoreError>
    ) {
        tree.withLock { tree in
            tree.directories.finishListing(flight, of: directory, at: configuration.now(), result)
            guard case .failure(let error) = result, error.kind == .notFound || error.kind == .notDirectory else {
                return
            }
            // The directory is gone, so what its parent's listing says is out of date.
            tree.directories.expire(directory)
            if let parent = tree.inodes[directory]?.place?.parent { tree.directories.expire(parent) }
        }
        flight.finish(result.map { _ in () })
    }

    /// Asks for a single name.
    private func look<Answer: Sendable>(
        at name: FileName, in parent: InodeNumber, _ request: Request,
        _ body: (inout Tree, Inode, DirectoryRecord.Knowledge) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        let askedAt = configuration.now()
        let attributes = try atPath(of: parent) { path throws(StoreError) in
            try store.look(at: path.appending(name), cancellation: request.cancellation)
        }
        return try tree.withLock { tree throws(StoreError) in
            let directory = try tree.directory(parent)
            guard let attributes else {
                return try body(&tree, directory, .absent(remaining: configuration.dirTTL))
            }
            let entry = DirectoryRecord.Entry(attributes: attributes, origin: .server, seen: askedAt)
            tree.directories.set(name, in: parent, entry)
            return try body(&tree, directory, .present(entry, remaining: configuration.dirTTL))
        }
    }

    private enum Current<Answer: Sendable>: Sendable {
        case answer(Answer)
        case ask(FileName, in: InodeNumber)
    }
}
