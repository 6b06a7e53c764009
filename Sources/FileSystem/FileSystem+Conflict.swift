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
/// its time. The look is a listing of the directory, which serves all files that are sent there within two seconds. What it
/// shows may be older than something that was done here since; so a difference is one only if a look at the file itself
/// shows it, too.
///
/// If it is another one, it stays as it is, and ours goes beside it as `NAME.conflict-YYYYMMDD-HHMMSS` (UTC), said in one
/// line of the log. The content is here under that name, too, from then on.
///
/// Not a conflict are
/// - bytes that are only appended: they follow whatever is there, as O_APPEND promises;
/// - a file that has gone: nothing can be overwritten;
/// - what an earlier transfer of ours has left, which was cut off, or of whose end this process or the one before
///   has not heard: a file in which our content, or the beginning of it, is found, or the content that the journal says
///   was about to be sent (``SentContent``);
/// - what has taken the place of a file of ours that was about to be removed or replaced when the process before this one
///   ended: then nothing is sent.
extension FileSystem {
    /// How old a listing may be that says what the server has. A burst of small files shares one.
    private static let sightTime = Duration.seconds(2)
    /// How much of each end of the server's file is compared with ours: that somebody else's file has the same length,
    /// and agrees with ours at both ends, and is another one, does not happen.
    private static let comparedLength: Int64 = 1 << 20

    /// Makes sure that sending a file overwrites nothing that somebody else has put there. Inside its gate.
    ///
    /// - Returns: whether it is to be sent at all.
    /// - Throws: when the server cannot be asked.
    func checkForConflict(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        guard let writeBack else { return true }
        if try hasLeft(content, cancellation) {
            logger.notice("a file that was being removed or replaced when the last mount ended is not sent any more")
            return false
        }
        let (isAppendOnly, isTouched, isBegun, wasSent, base) = content.state.withLock {
            // To a new file, or an emptied one, nothing is appended on the server.
            ($0.isAppendOnly && !$0.mustReplace, $0.isTouched, $0.former.isBegun, !$0.former.sent.isEmpty, $0.base)
        }
        if isAppendOnly {
            if isBegun || wasSent { try skipWhatArrived(content, cancellation) }
        } else if !isTouched, let seen = try seenOnServer(content, cancellation), base?.isSame(as: seen) != true {
            let isOurs = isBegun ? true : try isOurs(seen, content, cancellation)
            if !isOurs, let now = try look(at: content, cancellation), base?.isSame(as: now) != true {
                try sidestep(content, from: base, now, writeBack, cancellation)
            }
        }
        noteBeginning(of: content, try sample(of: content))
        return true
    }

    /// What has to be remembered of a content; `nil` when a part of it is on the server alone.
    private func sample(of content: FileContent) throws(StoreError) -> SentContent? {
        let (isWhole, size, spool) = content.state.withLock { ($0.isWhole, $0.size, $0.spool) }
        guard isWhole else { return nil }
        let (head, tail) = SentContent.samples(of: size)
        let headSum = Checksum.crc32((try spool?.bytes(in: head) ?? [])[...])
        if size <= SentContent.sampleLength { return SentContent(size: size, head: headSum, tail: headSum) }
        return SentContent(size: size, head: headSum, tail: Checksum.crc32((try spool?.bytes(in: tail) ?? [])[...]))
    }

    /// Writes down, for the process that may have to go on, what is about to be sent.
    ///
    /// - Parameter sent: `nil` when that is not known.
    func noteBeginning(of content: FileContent, _ sent: SentContent?) {
        let known = content.state.withLock { $0.journalID }
        guard let writeBack, let id = known, writeBack.isWaiting(id) else { return }
        try? writeBack.journal.append(.begun(id: id, content: sent), isDurable: false)
    }

    // MARK: - A name that was about to go

    /// Whether the name of a file has gone that was about to go when the process before this one ended.
    private func hasLeft(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        let (leaving, base) = content.state.withLock { ($0.presentLeaving, $0.base) }
        guard let leaving else { return false }
        let seen = try seenOnServer(content, cancellation)
        switch leaving {
        case .removed:
            return seen == nil
        case .replaced(let path):
            // It was there, in full. While it still is, it has not been renamed.
            guard let seen, base?.isSame(as: seen) != true else { return false }
            return try store.look(at: path, cancellation: cancellation) == nil
        }
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
        return try look(at: content, cancellation)
    }

    /// Asks the server for a file itself; `nil`: there is none.
    private func look(
        at content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> RemoteAttributes? {
        try atPath(of: content.inode) { path throws(StoreError) in
            try store.look(at: path, cancellation: cancellation)
        }
    }

    // MARK: - Comparing

    /// Whether what the server has is nothing but what an earlier transfer of ours has left.
    private func isOurs(
        _ seen: RemoteAttributes, _ content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        if try isBeginning(seen, of: content, cancellation) { return true }
        return try wasSent(seen, of: content, cancellation)
    }

    /// Whether the server's file is the beginning of ours, or all of it, as far as both ends tell.
    private func isBeginning(
        _ seen: RemoteAttributes, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        let (isWhole, size, spool) = content.state.withLock { ($0.isWhole, $0.size, $0.spool) }
        guard isWhole, seen.kind == .file, let length = seen.size, length <= size else { return false }
        let tail = max(Self.comparedLength, length - Self.comparedLength)
        for range in [0..<min(length, Self.comparedLength), min(tail, length)..<length] where !range.isEmpty {
            guard try isSame(range, seen, content, spool, cancellation) else { return false }
        }
        return true
    }

    /// Whether the server's file is a content that the process before this one was about to send, or of a longer one the
    /// beginning.
    private func wasSent(
        _ seen: RemoteAttributes, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        guard seen.kind == .file, let length = seen.size else { return false }
        let sent = content.state.withLock { $0.former.sent }.filter { sent in
            length == sent.size || length < sent.size && (length == 0 || length >= SentContent.sampleLength)
        }
        if sent.isEmpty || length == 0 { return !sent.isEmpty }
        let (head, tail) = SentContent.samples(of: length)
        let headSum = try checksum(head, seen, content, cancellation)
        let candidates = sent.filter { $0.head == headSum }
        if candidates.isEmpty || candidates.contains(where: { length < $0.size }) { return !candidates.isEmpty }
        let tailSum = length <= SentContent.sampleLength ? headSum : try checksum(tail, seen, content, cancellation)
        return candidates.contains { $0.tail == tailSum }
    }

    /// The checksum of a range of the server's file; `nil`: it ends before.
    private func checksum(
        _ range: Range<Int64>, _ seen: RemoteAttributes, _ content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> UInt32? {
        var bytes: [UInt8] = []
        let isThere = try read(range, seen, content, cancellation) { part, _ in
            bytes += part
            return true
        }
        return isThere ? Checksum.crc32(bytes[...]) : nil
    }

    private func isSame(
        _ range: Range<Int64>, _ seen: RemoteAttributes, _ content: FileContent, _ spool: SpoolFile?,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        guard let spool else { return false }
        return try read(range, seen, content, cancellation) { theirs, position throws(StoreError) in
            try spool.bytes(in: position..<position + Int64(theirs.count)).elementsEqual(theirs)
        }
    }

    /// Reads a range of the server's file, for as long as `body` says that it wants more.
    ///
    /// - Parameter body: gets the next bytes, and where they are.
    /// - Returns: whether all of it was read.
    private func read(
        _ range: Range<Int64>, _ seen: RemoteAttributes, _ content: FileContent, _ cancellation: Cancellation,
        _ body: (Slice<UnsafeMutableRawBufferPointer>, Int64) throws(StoreError) -> Bool
    ) throws(StoreError) -> Bool {
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openRead(path, from: range.lowerBound, expecting: seen, cancellation: cancellation)
        }
        defer { stream.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let room = Int(min(Int64(buffer.count), range.upperBound - position))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
            let count = try stream.read(into: part, cancellation: cancellation)
            guard count > 0, try body(buffer[..<count], position) else { return false }
            position += Int64(count)
        }
        return true
    }

    /// Finds out how much of what is to be appended the process before this one has appended.
    private func skipWhatArrived(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        let (known, size) = content.state.withLock { ($0.serverSize, $0.size) }
        guard let end = try serverSize(of: content, cancellation), end > known, end <= size else { return }
        guard end == size || !content.state.withLock({ $0.needsNewFile }),
            try isOurs(known..<end, of: content, cancellation)
        else { return }
        content.state.withLock { $0.appended(to: end, trustedUntil: trustedUntil) }
    }

    /// Whether a range at the end of the server's file is what belongs there of ours.
    func isOurs(
        _ range: Range<Int64>, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        if range.isEmpty { return true }
        let seen = RemoteAttributes(kind: .file, size: range.upperBound)
        return try isSame(range, seen, content, content.state.withLock { $0.spool }, cancellation)
    }

    // MARK: - Beside it

    /// Gives our content another name.
    ///
    /// - Parameters:
    ///   - base: what the server had when the content began.
    ///   - seen: what it has now.
    private func sidestep(
        _ content: FileContent, from base: RemoteBase?, _ seen: RemoteAttributes, _ writeBack: WriteBack,
        _ cancellation: Cancellation
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
            "\(moved.old): changed on the server while a new content waited here; that is sent as \(moved.new)",
            metadata: ["before": "\(base.map { "\($0)" } ?? "nothing")", "now": "\(RemoteBase(of: seen))"])
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

extension RemoteBase: CustomStringConvertible {
    /// What the server shows.
    init(of seen: RemoteAttributes) {
        self.init(size: seen.size, modified: seen.modified, precision: seen.timePrecision)
    }

    var description: String {
        let time = modified.map { ", written at \($0.seconds)" } ?? ""
        return size.map { "\($0) bytes\(time)" } ?? "a file\(time)"
    }

    /// What is known of an inode whose content is on the server.
    init(of inode: Inode) {
        let modified: Timestamp?
        var precision = TimePrecision.second
        switch inode.ownTime {
        case nil: (modified, precision) = (inode.attributes.modified, inode.attributes.timePrecision)
        case .shown(_, as: let listed, let coarse): (modified, precision) = (listed, coarse)
        case .stored(let time): modified = time
        case .kept(_, let listed): modified = listed
        // Our clock's time; the server's own is not known yet.
        case .guessed: modified = nil
        }
        self.init(size: inode.attributes.size, modified: modified, precision: precision)
    }
}
