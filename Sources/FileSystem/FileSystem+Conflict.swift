import Logging
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What happens when somebody else changes a file on the server whose new content still waits here (`writeback`).
///
/// Between the open of a file and the moment at which its content is sent there can be hours, and a restart. So before
/// a file is sent, a look tells whether the server's file is what it was when the local content began: there or not, its size,
/// its time. The look is a listing of the directory, which serves all files that are sent there within two seconds.
///
/// If it is another one, it stays as it is, and ours goes beside it as `NAME.conflict-YYYYMMDD-HHMMSS` (UTC), said in one
/// line of the log. The content is here under that name, too, from then on.
///
/// Not a conflict are
/// - bytes that are only appended: they follow whatever is there, as O_APPEND promises;
/// - a file that has gone: nothing can be overwritten;
/// - what an earlier transfer of ours has left, which was cut off, or of whose end this process or the one before
///   has not heard: a file in which our content, or the beginning of it, is found.
extension FileSystem {
    /// How old a listing may be that says what the server has. A burst of small files shares one.
    private static let sightTime = Duration.seconds(2)
    /// How much of each end of the server's file is compared with ours: that somebody else's file has the same length,
    /// and agrees with ours at both ends, and is another one, does not happen.
    private static let comparedLength: Int64 = 1 << 20

    /// Makes sure that sending a file overwrites nothing that somebody else has put there. Inside its gate.
    ///
    /// - Throws: when the server cannot be asked.
    func checkForConflict(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        guard let writeBack else { return }
        let (isAppendOnly, isTouched, isBegun, base, id) = content.state.withLock {
            // To a new file, or an emptied one, nothing is appended on the server.
            ($0.isAppendOnly && !$0.mustReplace, $0.isTouched, $0.isBegun, $0.base, $0.journalID)
        }
        if isAppendOnly {
            if isBegun { try skipWhatArrived(content, cancellation) }
        } else if !isTouched, let seen = try seenOnServer(content, cancellation), base?.isSame(as: seen) != true {
            let isWhole = content.state.withLock { $0.isWhole }
            let isOurs = isWhole ? try isBeginning(seen, of: content, cancellation) : isBegun
            if !isOurs { try sidestep(content, writeBack, cancellation) }
        }
        guard let id, writeBack.isWaiting(id) else { return }
        // For the process that may have to go on.
        try? writeBack.journal.append(.begun(id: id), isDurable: false)
    }

    // MARK: - Looking

    fileprivate enum Sight: Sendable {
        case known(RemoteAttributes?)
        case list(InodeNumber)
        case ask
    }

    /// What the server has under a file's name; `nil`: nothing.
    private func seenOnServer(
        _ content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> RemoteAttributes? {
        let oldest = configuration.now().advanced(by: .zero - Self.sightTime)
        let request = Request(userID: configuration.uid, groupID: configuration.gid, cancellation: cancellation)
        // A listing that was under way when the name was changed here says nothing of it; the next one does.
        for _ in 0..<2 {
            let sight = tree.withLock { $0.sight(of: content.inode, noOlderThan: oldest, at: configuration.now()) }
            guard case .list(let directory) = sight else {
                if case .known(let attributes) = sight { return attributes }
                break
            }
            do throws(StoreError) {
                try list(directory, request)
            } catch  where error.refusesListing {
                break
            }
        }
        return try atPath(of: content.inode) { path throws(StoreError) in
            try store.look(at: path, cancellation: cancellation)
        }
    }

    // MARK: - Comparing

    /// Whether the server's file is the beginning of ours, or all of it, as far as both ends tell.
    private func isBeginning(
        _ seen: RemoteAttributes, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        let (size, spool) = content.state.withLock { ($0.size, $0.spool) }
        guard seen.kind == .file, let length = seen.size, length <= size else { return false }
        let tail = max(Self.comparedLength, length - Self.comparedLength)
        for range in [0..<min(length, Self.comparedLength), min(tail, length)..<length] where !range.isEmpty {
            guard try isSame(range, seen, content, spool, cancellation) else { return false }
        }
        return true
    }

    private func isSame(
        _ range: Range<Int64>, _ seen: RemoteAttributes, _ content: FileContent, _ spool: SpoolFile?,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openRead(path, from: range.lowerBound, expecting: seen, cancellation: cancellation)
        }
        defer { stream.close() }
        guard let spool else { return false }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let room = Int(min(Int64(buffer.count), range.upperBound - position))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
            let count = try stream.read(into: part, cancellation: cancellation)
            let theirs = buffer[..<count]
            guard count > 0, try spool.bytes(in: position..<position + Int64(count)).elementsEqual(theirs) else {
                return false
            }
            position += Int64(count)
        }
        return true
    }

    /// Finds out how much of what is to be appended the process before this one has appended.
    private func skipWhatArrived(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        let (known, size, spool) = content.state.withLock { ($0.serverSize, $0.size, $0.spool) }
        guard let end = try serverSize(of: content, cancellation), end > known, end <= size else { return }
        let seen = RemoteAttributes(kind: .file, size: end)
        guard try isSame(known..<end, seen, content, spool, cancellation) else { return }
        content.state.withLock { $0.appended(to: end, trustedUntil: trustedUntil) }
    }

    // MARK: - Beside it

    /// Gives our content another name.
    private func sidestep(
        _ content: FileContent, _ writeBack: WriteBack, _ cancellation: Cancellation
    ) throws(StoreError) {
        discardTemporary(of: content)
        // What was not written here is taken from the server as it is now.
        try fetchMissing(content, cancellation)
        let time = configuration.wallClock()
        let moved = try tree.withLock { tree throws(StoreError) -> (old: RemotePath, new: RemotePath)? in
            guard let inode = tree.inodes[content.inode], let place = inode.place,
                let parent = tree.inodes[place.parent], let old = tree.inodes.path(of: inode)
            else { return nil }
            var name = try Self.conflictName(place.name, time, 1)
            for number in 2..<100 where tree.isTaken(name, in: parent) {
                name = try Self.conflictName(place.name, time, number)
            }
            tree.directories.remove(place.name, in: place.parent)
            tree.directories.expire(place.parent)
            tree.inodes.move(inode, to: parent, name)
            var attributes = inode.attributes
            attributes.size = 0
            tree.directories.set(
                name, in: place.parent,
                DirectoryRecord.Entry(attributes: attributes, origin: .pending, seen: configuration.now()))
            return (old, old.parent.appending(name))
        }
        guard let moved else { return }
        content.state.withLock { $0.becomeNew() }
        logger.warning(
            "\(moved.old): changed on the server while a new content waited here; that is sent as \(moved.new)")
        _ = try commit(content, writeBack, delay: .zero)
    }

    /// `NAME.conflict-YYYYMMDD-HHMMSS`, in UTC; of a long name, the beginning.
    private static func conflictName(
        _ name: FileName, _ time: Timestamp, _ number: Int
    ) throws(StoreError) -> FileName {
        var seconds = time_t(time.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int32, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = digits(parts.tm_year &+ 1900, 4) + digits(parts.tm_mon &+ 1, 2) + digits(parts.tm_mday, 2)
        let clock = digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2)
        let suffix = Array(".conflict-\(date)-\(clock)\(number > 1 ? "-\(number)" : "")".utf8)
        do throws(FileName.Invalid) {
            return try FileName(validating: name.bytes.prefix(FileName.maximumLength - suffix.count) + suffix)
        } catch {
            throw StoreError(.invalidArgument, "conflict name: \(error)")
        }
    }
}

extension Tree {
    /// Whether a name is known to stand for something.
    fileprivate func isTaken(_ name: FileName, in directory: Inode) -> Bool {
        directory.children[name] != nil || directories.record(of: directory.number)?.entries[name] != nil
    }

    /// What is known of what the server has under a file's name.
    fileprivate func sight(
        of number: InodeNumber, noOlderThan oldest: Instant, at now: Instant
    ) -> FileSystem.Sight {
        guard let place = inodes[number]?.place else { return .known(nil) }
        guard let record = directories.record(of: place.parent) else { return .list(place.parent) }
        if let entry = record.entries[place.name] {
            if let sighting = record.sightings[place.name], sighting.at >= oldest { return .known(sighting.attributes) }
            if entry.origin == .server, entry.seen >= oldest { return .known(entry.attributes) }
        } else if let listed = record.listedAt, listed >= oldest, !record.isPartial {
            return .known(nil)
        }
        return directories.mustAskForEach(place.parent, at: now, acceptStale: false) ? .ask : .list(place.parent)
    }
}

extension RemoteBase {
    /// What is known of an inode whose content is on the server.
    init(of inode: Inode) {
        let modified: Timestamp?
        switch inode.ownTime {
        case nil: modified = inode.attributes.modified
        case .stored(let time): modified = time
        case .kept(_, let listed): modified = listed
        // Our clock's time; the server's own is not known yet.
        case .guessed: modified = nil
        }
        self.init(
            size: inode.attributes.size, modified: modified,
            precision: inode.ownTime == nil ? inode.attributes.timePrecision : .second)
    }
}
