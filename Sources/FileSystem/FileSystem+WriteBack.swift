import Logging
package import Threading
import Vocabulary

/// Sending files after their close (`writeback`).
///
/// ## What a close does
/// The bytes are in the spool already. The close makes them durable (small ones in the journal itself), writes a record that
/// says where they belong, and returns; `fsync` still waits for the server. When the local disk does not take the record,
/// or too many files wait, the close sends the file like every close without `writeback`.
///
/// ## Order
/// A file that waits is open for the mount itself. So what is done to its name is done in the order of the calls, by
/// the rules for open files: `rename` sends it first, or, if the server has never heard of it, only changes where it
/// will go; `unlink` cancels it; a directory that holds it is not empty. Mode, time, and another content are noted with
/// what waits.
///
/// ## What the server refuses
/// goes to a directory on this side, `lost+found` in the spool directory, with a text beside it; nothing is dropped.
extension FileSystem {
    /// Makes what was written safe, as a close promises it: on this machine with `writeback`, else on the server.
    func secure(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        if let writeBack, content.state.withLock({ $0.isDirty }), writeBack.hasRoom {
            do throws(StoreError) {
                if isSecured(content, writeBack) { return }
                if try commit(content, writeBack) { return }
            } catch {
                logger.warning("a file cannot wait on this machine and is sent at once: \(error)")
            }
        }
        try upload(content, cancellation)
    }

    /// Whether the last record of the journal about a file says all that there is to say.
    private func isSecured(_ content: FileContent, _ writeBack: WriteBack) -> Bool {
        let id = content.state.withLock { $0.securedRevision == $0.revision ? $0.journalID : nil }
        return id.map { writeBack.isWaiting($0) } ?? false
    }

    /// Sends what waits below a directory that is about to move, and waits until it is there.
    ///
    /// - Parameter contents: the open files below it.
    func sendWhatWaits(_ contents: [FileContent], _ cancellation: Cancellation) throws(StoreError) {
        guard let writeBack else { return }
        let ids = contents.compactMap { content in content.state.withLock { $0.isDirty ? $0.journalID : nil } }
        let waiting = ids.filter { writeBack.isWaiting($0) }
        if waiting.isEmpty { return }
        try writeBack.sendNow(waiting, at: configuration.now(), cancellation)
    }

    /// Waits until one of the files that wait has been sent, whose room in the spool is then free.
    ///
    /// - Returns: false when none waits, or none can be sent.
    func waitForRoom(_ cancellation: Cancellation) throws(StoreError) -> Bool {
        try writeBack?.waitForRoom(at: configuration.now(), cancellation) ?? false
    }

    /// Whether a file was closed and waits to be sent.
    func isWaiting(_ content: FileContent) -> Bool {
        guard let writeBack, let id = content.state.withLock({ $0.isDirty ? $0.journalID : nil }) else { return false }
        return writeBack.isWaiting(id)
    }

    /// Writes down what has to be sent.
    ///
    /// - Parameter delay: how long it may wait for more to come; `nil`: as the mount's settings say.
    /// - Returns: false when that would take too long a record.
    func commit(
        _ content: FileContent, _ writeBack: WriteBack, delay: Duration? = nil
    ) throws(StoreError) -> Bool {
        // A directory above may be about to move: the record shall have the name that lasts.
        var place = shown(content)
        while let known = place {
            // The number comes first: of two closes of one file, the later number then has the later content.
            let sequence = writeBack.journal.takeSequence()
            let id = content.state.withLock { state -> UInt64? in state.journalID } ?? writeBack.takeID()
            guard let snapshot = try snapshot(content, id) else { return true }
            guard snapshot.saved.ranges.count <= Self.maximumRanges else { return false }
            if snapshot.inline == nil { try snapshot.file?.makeDurable() }
            let entry = JournalEntry(
                id: snapshot.id, sequence: sequence, path: known.path,
                spoolName: snapshot.file.map { Array($0.name.utf8) } ?? [],
                content: snapshot.saved, modified: known.modified, shownMode: known.mode, inline: snapshot.inline,
                isTouched: snapshot.isTouched)
            try writeBack.journal.append(.pending(entry), isDurable: true)
            let due = configuration.now().advanced(by: delay ?? writeBack.settings.delay)
            // Held before a worker can come upon it.
            let (spare, needsWorkers) = writeBack.committed(
                snapshot.id, content, sequence: sequence, in: snapshot.inline == nil ? snapshot.file : nil, due: due,
                hold: hold(content))
            giveBack(spare, content)
            content.state.withLock { $0.securedRevision = max($0.securedRevision ?? 0, snapshot.revision) }
            if needsWorkers { startWorkers(writeBack) }
            // Somebody may have renamed or removed it meanwhile, and not have known of the record.
            place = shown(content)
            if place?.path == known.path { return true }
        }
        discard(content)
        return true
    }

    /// How many ranges a record may have: 16 bytes each, half of the longest record.
    private static let maximumRanges = 32_000

    private struct Snapshot: Sendable {
        let id: UInt64
        let revision: UInt64
        let saved: SavedContent
        let file: SpoolFile?
        let inline: [UInt8]?
        let isTouched: Bool
    }

    /// What has to be sent now; `nil`: nothing.
    private func snapshot(_ content: FileContent, _ fresh: UInt64) throws(StoreError) -> Snapshot? {
        try content.state.withLock { state throws(StoreError) -> Snapshot? in
            guard let saved = state.saved else { return nil }
            let id = state.journalID ?? fresh
            state.journalID = id
            let inline = try inline(saved.ranges, of: state.spool)
            return Snapshot(
                id: id, revision: state.revision, saved: saved, file: state.spool, inline: inline,
                isTouched: state.isTouched)
        }
    }

    /// The bytes of some ranges, if they are few.
    private func inline(_ ranges: [Range<Int64>], of spool: SpoolFile?) throws(StoreError) -> [UInt8]? {
        let count = ranges.reduce(Int64(0)) { $0 + ($1.upperBound - $1.lowerBound) }
        guard count <= WriteBack.inlineLimit else { return nil }
        var bytes: [UInt8] = []
        for range in ranges { bytes += try spool?.bytes(in: range) ?? [] }
        return bytes
    }

    private struct Shown: Hashable, Sendable {
        let path: RemotePath
        let modified: Timestamp
        let mode: UInt32?
    }

    /// What everybody sees of a file; `nil`: it has no name any more.
    private func shown(_ content: FileContent) -> Shown? {
        tree.withLock { tree in
            guard let inode = tree.inodes[content.inode], inode.link == .linked, let path = tree.inodes.path(of: inode)
            else { return nil }
            return Shown(
                path: path, modified: tree.view.modified(of: inode), mode: inode.ownMode ?? inode.attributes.mode)
        }
    }

    /// Opens a file for the mount itself, and keeps its name in the listing whatever the server says.
    func hold(_ content: FileContent) -> HandleID? {
        tree.withLock { tree -> HandleID? in
            guard let inode = tree.inodes[content.inode], inode.link == .linked else { return nil }
            inode.handles += 1
            inode.queueHolds += 1
            pin(inode, &tree)
            return tree.handles.add(HandleTable.File(inode: inode.number, flags: [], content: content))
        }
    }

    /// The name is ours to say until the content has been sent.
    func pin(_ inode: Inode, _ tree: inout Tree) {
        guard let place = inode.place else { return }
        tree.directories.set(
            place.name, in: place.parent,
            DirectoryRecord.Entry(attributes: inode.attributes, origin: .pending, seen: configuration.now()))
    }

    /// Gives a handle of the mount itself back.
    @discardableResult
    func giveBack(_ handle: HandleID?, _ content: FileContent) -> UnsentFile? {
        guard let handle else { return nil }
        let isSent = content.state.withLock { !$0.isDirty }
        tree.withLock { tree in
            guard let inode = tree.inodes[content.inode] else { return }
            inode.queueHolds -= 1
            // From now on the listings decide.
            guard isSent, inode.queueHolds == 0, let place = inode.place else { return }
            tree.directories.amend(place.name, in: place.parent) { entry in
                if entry.origin == .pending { entry.origin = .own }
            }
        }
        return close(handle, sendsUnsent: false)
    }

    // MARK: - Afterwards

    /// Nothing of a file is wanted any more: it has been unlinked.
    func discard(_ content: FileContent) {
        guard let writeBack, let id = content.state.withLock({ $0.journalID }) else { return }
        let item = writeBack.remove(id)
        settle(id, writeBack.journal.takeSequence(), writeBack)
        giveBack(item?.hold, content)
    }

    /// A file has been sent for somebody who waits: the journal hears of it now, and not when the file is due.
    ///
    /// - Parameter sequence: the last number in the journal when the upload began.
    func settleIfSent(_ content: FileContent, upTo sequence: UInt64) {
        let known = content.state.withLock { $0.isDirty || $0.isUnlinked ? nil : $0.journalID }
        guard let writeBack, let id = known, writeBack.isWaiting(id) else { return }
        settle(id, sequence, writeBack)
        let item = writeBack.remove(id, upTo: sequence)
        giveBack(item?.hold, content)
    }

    /// A file has been sent that waited, unless somebody is about to remove its name: then it waits until that is done.
    func settle(_ job: WriteBack.Job) {
        guard let writeBack, !job.content.state.withLock({ $0.isUnlinked }) else { return }
        settle(job.id, job.sequence, writeBack)
    }

    /// The server is about to be told that a name goes, with what waits for it. If this process ends meanwhile, the next one
    /// looks whether it has gone. Inside the file's gate.
    ///
    /// - Parameter body: tells it.
    func leaving(
        _ content: FileContent, _ reason: Leaving, _ body: () throws(StoreError) -> Void
    ) throws(StoreError) {
        let known = content.state.withLock { $0.journalID }
        guard let writeBack, let id = known, writeBack.isWaiting(id) else { return try body() }
        try? writeBack.journal.append(.leaving(id: id, reason), isDurable: false)
        do throws(StoreError) {
            try body()
        } catch {
            try? writeBack.journal.append(.staying(id: id), isDurable: true)
            throw error
        }
    }

    /// Nothing of a file is to be sent: the server has something else under its name, or nothing, and that is right.
    func giveUp(_ content: FileContent) {
        content.state.withLock { $0.giveUp() }
        tree.withLock { tree in
            guard let inode = tree.inodes[content.inode], let place = inode.place else { return }
            inode.local = nil
            inode.version = tree.inodes.takeVersion()
            tree.directories.remove(place.name, in: place.parent)
            tree.directories.expire(place.parent)
        }
    }

    /// Notes a mode or a time that a file gets which waits.
    func noteWishes(of number: InodeNumber) {
        guard let writeBack, let content = tree.withLock({ $0.inodes[number]?.content }) else { return }
        let wishes = content.state.withLock { state in
            state.isDirty ? state.journalID.map { ($0, state.wantedMode, state.wantedTime) } : nil
        }
        guard let (id, mode, time) = wishes, writeBack.isWaiting(id) else { return }
        do throws(StoreError) {
            // Like on a local disk: a crash of the machine may undo it, as long as nobody asked for a sync.
            try writeBack.journal.append(.attributes(id: id, mode: mode, time: time), isDurable: false)
        } catch {
            logger.warning("a mode or a time would not survive a crash of this mount: \(error)")
        }
    }

    /// The journal may forget a file. Losing this record costs only that it is sent once more.
    private func settle(_ id: UInt64, _ sequence: UInt64, _ writeBack: WriteBack) {
        do throws(StoreError) {
            try writeBack.journal.append(.settled(id: id, sequence: sequence), isDurable: false)
        } catch {
            logger.warning("the journal does not know that a file is done, and the next mount sends it again: \(error)")
        }
    }

    // MARK: - Sending

    func startWorkers(_ writeBack: WriteBack) {
        for _ in 0..<max(1, writeBack.settings.atOnce) {
            do throws(Thread.NotStarted) {
                try Thread.detached(named: "ftpfs send") { [self] in sendWhatWaits(writeBack) }
            } catch {
                logger.error("no thread can be started that sends what waits: error \(error.code)")
            }
        }
    }

    private func sendWhatWaits(_ writeBack: WriteBack) {
        while let outcome = sendNext(writeBack) { writeBack.done(outcome) }
    }

    /// Sends one file, as soon as one is due. When this returns, nothing here refers to it any more.
    ///
    /// - Returns: how that went; `nil`: the mount has ended.
    private func sendNext(_ writeBack: WriteBack) -> WriteBackQueue.Outcome? {
        let next = writeBack.next(now: configuration.now, spare: { store.spareStreams })
        guard let job = next else { return nil }
        let outcome: WriteBackQueue.Outcome
        do throws(StoreError) {
            try upload(job.content, for: job, Cancellation())
            // Somebody is about to remove its name. Until that is done, it waits.
            if job.content.state.withLock({ $0.isUnlinked }) { throw .cancelled }
            settle(job)
            outcome = .sent(sequence: job.sequence)
        } catch {
            outcome = .failed(error)
        }
        let (action, item, news) = writeBack.ended(job, outcome, at: configuration.now())
        say(news)
        switch action {
        case .settle:
            giveBack(item?.hold, job.content)
        case .wait:
            break
        case .putAside(let error):
            putAside(job, error, writeBack)
        }
        return outcome
    }

    private func say(_ news: WriteBack.News) {
        switch news {
        case .nothing: break
        case .interrupted(let error, let waiting):
            logger.warning("\(waiting) files wait to be sent, and are tried again until that works: \(error)")
        case .resumed:
            logger.notice("files that waited are being sent again")
        }
    }

    /// Puts a file aside that the server refuses for good, unless a program has it open, and may change it yet.
    private func putAside(_ job: WriteBack.Job, _ error: StoreError, _ writeBack: WriteBack) {
        let isOpen = tree.withLock { tree in
            tree.inodes[job.content.inode].map { $0.handles > $0.queueHolds } ?? false
        }
        if isOpen { return report(error, job.content) }
        let item = writeBack.remove(job.id)
        // The last handle: what is unsent goes to lost+found.
        giveBack(item?.hold, job.content)
        settle(job.id, job.sequence, writeBack)
    }

    // MARK: - The end of the mount

    /// Sends what waits at the end of a mount, until the deadline, or until nothing succeeds any more. What is left then stays in
    /// the spool directory for the next mount of the same source. Call it before ``shutdown(deadline:)``, which does the same.
    ///
    /// - Parameter progress: called about once a second with the number of files that are left.
    /// - Returns: how many files are left for the next mount.
    package func drainUploads(until deadline: Deadline, progress: (Int) -> Void) -> Int {
        guard let writeBack, !writeBack.isClosed else { return 0 }
        // What programs still have open, or the kernel has only now written back, is closed here.
        for content in tree.withLock({ $0.openContents }) where content.state.withLock({ $0.isDirty }) {
            _ = try? commit(content, writeBack, delay: .zero)
        }
        writeBack.drain(at: configuration.now())
        while !writeBack.waitUntilDrained(deadline.earlier(.after(.seconds(1)))), !deadline.hasPassed {
            progress(writeBack.count)
        }
        for content in writeBack.close() { content.state.withLock { $0.transfer }?.cancel() }
        writeBack.waitUntilIdle()
        let left = writeBack.takeAll()
        for item in left {
            item.journalled?.leave()
            // To ask the server once more would take as long as it is away.
            item.content.state.withLock { state in
                state.isLeft = true
                state.forgetTemporary()
            }
            giveBack(item.hold, item.content)
        }
        if left.isEmpty { writeBack.journal.remove() }
        return left.count
    }
}
