import Logging
import SystemPackage
import Threading
package import Vocabulary

/// Opening, making and closing files.
///
/// An open is the moment at which this mount promises to show what other clients have closed before (close-to-open):
/// what is known is no older than the time to live. If the content is then the one of the last open, or the one that
/// was written here, the kernel keeps its pages.
extension FileSystem {
    /// Opens a file.
    package func open(_ inode: InodeNumber, flags: OpenFlags, _ request: Request) throws(StoreError) -> OpenAnswer {
        if !flags.isDisjoint(with: [.write, .append, .truncate]) { try requireWritable() }
        let (answer, content) = try withCurrent(inode, request) {
            tree, inode, _ throws(StoreError) -> (OpenAnswer, FileContent) in
            guard inode.kind == .file else {
                throw StoreError(inode.kind == .directory ? .isDirectory : .invalidArgument, "not a file")
            }
            let isSame = inode.versionAtOpen == inode.version && isTold(inode)
            inode.versionAtOpen = inode.version
            let content = inode.content ?? makeContent(of: inode.number, WriteState(), reader: inode.readerAhead)
            inode.readerAhead = nil
            let handle = tree.open(inode, content, flags)
            let hasSize = inode.attributes.size != nil || inode.local != nil
            return (OpenAnswer(handle: handle, keepCache: isSame, directIO: !hasSize), content)
        }
        if writeBack != nil { content.state.withLock { $0.spool }?.unpark() }
        if flags.contains(.read) { content.reader.opened() }
        dropOutdated(content)
        if flags.contains(.truncate) {
            do throws(StoreError) {
                try truncate(content, to: 0, request.cancellation)
            } catch {
                release(answer.handle)
                throw error
            }
        }
        return OpenAnswer(
            handle: answer.handle, keepCache: answer.keepCache, directIO: answer.directIO,
            isReadOnly: flags.isDisjoint(with: [.write, .append, .truncate]))
    }

    /// Makes a file and opens it.
    ///
    /// Nothing is sent: the file exists here, and goes to the server with its content at the first flush, so that
    /// making, writing and closing a file is one upload. What refuses it (permissions, quota) is then the error of
    /// `close`; but a name that the store can never have is refused now.
    package func create(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, flags: OpenFlags, _ request: Request
    ) throws(StoreError) -> CreateAnswer {
        try requireWritable()
        let time = configuration.wallClock()
        let made = try resolve(name, in: parent, request) {
            tree, directory, knowledge throws(StoreError) -> Created in
            if case .present(let entry, let remaining) = knowledge {
                if flags.contains(.exclusive) { throw StoreError(.exists, "\(name)") }
                let inode = tree.intern(name, in: directory, entry)
                return .found(tree.countedEntry(inode, remaining: remaining))
            }
            try store.check(newName: name)
            let now = configuration.now()
            // A file of that name that is known here, but not on the server any more, has been removed there.
            if let old = tree.inodes.child(name, of: directory) { tree.detach(old) }
            let attributes = RemoteAttributes(kind: .file, size: 0, modified: time, mode: mode & 0o777)
            let entry = DirectoryRecord.Entry(attributes: attributes, origin: .pending, seen: now)
            tree.directories.set(name, in: parent, entry)
            let inode = tree.intern(name, in: directory, entry)
            var state = WriteState()
            state.beginPending(mode: modeToSend(mode, default: AttributeView.defaultFileMode))
            if !store.capabilities.setsMode { inode.ownMode = mode & 0o777 }
            inode.local = Inode.LocalContent(size: 0, modified: time, revision: state.revision)
            inode.versionAtOpen = inode.version
            let content = makeContent(of: inode.number, state)
            let handle = tree.open(inode, content, flags)
            tree.touch(directory, at: time)
            return .made(
                CreateAnswer(
                    entry: tree.countedEntry(inode, remaining: configuration.dirTTL),
                    open: OpenAnswer(handle: handle, keepCache: true, directIO: false)))
        }
        switch made {
        case .made(let answer):
            return answer
        case .found(let entry):
            do throws(StoreError) {
                return CreateAnswer(entry: entry, open: try open(entry.attributes.inode, flags: flags, request))
            } catch {
                forget(entry.attributes.inode, count: 1)
                throw error
            }
        }
    }

    /// Closes a file. What is still unsent is sent now; if that fails, nobody is left to tell but the log, and the
    /// content stays in the spool.
    package func release(_ handle: HandleID) {
        _ = close(handle, sendsUnsent: true)
    }

    /// Closes a file.
    ///
    /// - Returns: what was kept because it could not be sent.
    func close(_ handle: HandleID, sendsUnsent: Bool) -> UnsentFile? {
        let taken = tree.withLock { tree -> (file: HandleTable.File, isLast: Bool)? in
            guard let file = tree.handles.removeFile(handle) else { return nil }
            return (file, tree.inodes[file.inode].map { $0.handles - $0.queueHolds == 1 } ?? false)
        }
        guard let (file, isLast) = taken else { return nil }
        if sendsUnsent && isLast {
            if file.content.state.withLock({ $0.shouldTryAgain }) {
                // The reason is in the log by then, and again when the content is kept.
                try? secure(file.content, Cancellation())
            }
            if writeBack != nil { file.content.state.withLock { $0.spool }?.park() }
        }
        return close(file, isLast: tree.withLock { $0.inodes[file.inode]?.handles == 1 })
    }

    /// What becomes of a handle that has been taken out of the table: the one closing path.
    private func close(_ file: HandleTable.File, isLast: Bool) -> UnsentFile? {
        let content = file.content
        if isLast { discardTemporary(of: content) }
        let closed = tree.withLock { tree -> Closed in
            guard let inode = tree.inodes[file.inode] else { return Closed() }
            var closed = Closed()
            inode.handles -= 1
            if file.flags.contains(.write) { inode.writers -= 1 }
            if file.flags.contains(.read) {
                inode.readers -= 1
                closed.wasLastReader = inode.readers == 0
            }
            guard inode.handles == 0 else { return closed }
            closed.wasLast = true
            closed.path = tree.inodes.path(of: inode)
            closed.isHidden = inode.link == .hidden
            closed.place = inode.link == .linked ? inode.place : nil
            closed.removes = inode.takeRemoval()
            inode.content = nil
            inode.local = nil
            if !closed.isHidden { tree.dropUnheld(inode) }
            return closed
        }
        if closed.wasLastReader { content.reader.released() }
        guard closed.wasLast else { return nil }
        if closed.removes { removeHidden(file.inode) }
        // Only now: until then another handle, also one of the mount itself, could still send it, or fail to.
        let (isDirty, isLeft) = content.state.withLock { ($0.isDirty, $0.isLeft) }
        guard isDirty else { return nil }
        if let place = closed.place {
            // What the server has now, only a listing can say; and what the kernel has is not that.
            tree.withLock { tree in
                tree.inodes[file.inode]?.version = tree.inodes.takeVersion()
                tree.directories.remove(place.name, in: place.parent)
                tree.directories.expire(place.parent)
            }
        }
        return isLeft ? nil : keepUnsent(content, at: closed.path ?? .root)
    }

    private struct Closed {
        var wasLastReader = false
        var wasLast = false
        var isHidden = false
        var removes = false
        var path: RemotePath?
        var place: (parent: InodeNumber, name: FileName)?
    }

    private enum Created: Sendable {
        case made(CreateAnswer)
        case found(EntryAnswer)
    }

    /// How many ranges the note beside a kept file names.
    private static let maximumNamedRanges = 100

    /// Keeps what could not be sent, under a name that says what it is.
    private func keepUnsent(_ content: FileContent, at path: RemotePath) -> UnsentFile {
        let (file, description, reason) = content.state.withLock { state in
            let ranges = state.unsentRanges.prefix(Self.maximumNamedRanges)
            return (
                state.spool,
                ranges.map { "bytes \($0.lowerBound) to \($0.upperBound)" }.joined(separator: ", ")
                    + (state.unsentRanges.count > ranges.count ? " and more" : "") + " of \(state.size)",
                state.failure?.error ?? StoreError(.timedOut, "there was no time left to send it")
            )
        }
        let place = file.map { spool.keep($0, of: path, description, because: reason) }
        let whereabouts = place.map { "its content is kept in \($0)" } ?? "it was empty"
        logger.error("\(path): not sent: \(reason); \(whereabouts)")
        return UnsentFile(path: path, keptAt: place, reason: reason)
    }

    /// Removes the server's file behind a hidden name if its last handle was closed while it got that name: a close does not
    /// wait for what is going on with the file.
    func removeHiddenIfClosed(_ number: InodeNumber) {
        if tree.withLock({ $0.inodes[number]?.takeRemoval() ?? false }) { removeHidden(number) }
    }

    /// Removes the server's file behind a name that was unlinked while open.
    func removeHidden(_ number: InodeNumber) {
        let failure: StoreError?
        do throws(StoreError) {
            try atPath(of: number) { path throws(StoreError) in
                try store.removeFile(path, cancellation: Cancellation())
            }
            failure = nil
        } catch {
            failure = error
        }
        tree.withLock { tree in
            guard let inode = tree.inodes[number], let place = inode.place else { return }
            tree.directories.hide(place.name, in: place.parent, false)
            // If it could not be removed, it shows from now on, so that somebody can.
            if failure != nil { tree.directories.expire(place.parent) }
            tree.detach(inode)
        }
        if let failure { logger.error("a file that was unlinked while open could not be removed: \(failure)") }
    }

    /// Drops what is here of a file if the server has something else by now, and notes what it has.
    private func dropOutdated(_ content: FileContent) {
        // Only between transfers: while one ends, the content is clean already, and its version not yet in the tree.
        guard content.gate.tryEnter() else { return }
        defer { content.gate.leave() }
        let known = tree.withLock { tree in tree.inodes[content.inode].map { ($0.version, RemoteBase(of: $0)) } }
        guard let (version, base) = known else { return }
        content.state.withLock { state in
            state.dropClean(unless: version)
            if !state.isDirty { state.base = base }
        }
    }

    /// What the handles of a file share.
    ///
    /// It refers back to this file system; that ends with its last handle.
    ///
    /// - Parameter known: a reader of the file that has begun ahead of the open.
    func makeContent(of inode: InodeNumber, _ state: WriteState, reader known: FileReader? = nil) -> FileContent {
        FileContent(inode: inode, reader: known ?? makeReader(of: inode), spool: spool, state: state)
    }

    /// What reads a file. It refers back to this file system.
    func makeReader(of inode: InodeNumber) -> FileReader {
        let source = FileReader.Source(
            open: { [self] offset, urgency, cancellation throws(StoreError) in
                try atPath(of: inode) { path throws(StoreError) in
                    let known = tree.withLock { $0.inodes[inode]?.expected }
                    let stream = try store.openRead(
                        path, from: offset, expecting: known ?? RemoteAttributes(kind: .file), urgency: urgency,
                        cancellation: cancellation)
                    return FileReader.Opened(stream: stream, path: path)
                }
            },
            isStill: { [self] path in
                // Who renames or unlinks it is in its gate; so is an upload, which may wait for this very reader.
                if let content = tree.withLock({ $0.inodes[inode]?.content }) {
                    guard content.gate.tryEnter() else { return false }
                    content.gate.leave()
                }
                return tree.withLock { tree in tree.inodes[inode].flatMap { tree.inodes.path(of: $0) } == path }
            },
            spareStreams: { [store] in store.spareStreams },
            endFound: { [self] version, end in correctSize(of: inode, version, end) },
            failed: { [self] error in
                guard error.kind == .changedRemotely || error.kind == .notFound else { return }
                tree.withLock { tree in
                    if let parent = tree.inodes[inode]?.place?.parent { tree.directories.expire(parent) }
                    // The request that fails may be the kernel's read-ahead, whose error nobody hears. What is written here
                    // meanwhile is no change by others.
                    if error.kind == .changedRemotely, tree.inodes[inode]?.writers == 0 { tree.handles.outdate(inode) }
                }
            })
        return FileReader(cache: chunks, pool: streams, source: source)
    }

    /// Notes that a file ends elsewhere than its listing says.
    private func correctSize(of number: InodeNumber, _ version: UInt64, _ end: Int64) {
        tree.withLock { tree in
            guard let inode = tree.inodes[number], inode.version == version else { return }
            var attributes = inode.attributes
            attributes.size = end
            tree.learn(inode, at: configuration.now(), attributes)
        }
    }

    /// Whether a change of the content since the listing would show in its time. In a time that is cut to the minute,
    /// a second change within that minute does not; until the minute is over, the kernel must not rely on it.
    private func isTold(_ inode: Inode) -> Bool {
        if inode.ownTime != nil || inode.local != nil { return true }
        guard let modified = inode.attributes.modified else { return false }
        let precision = inode.attributes.timePrecision
        guard precision != .second else { return true }
        let (age, overflow) = configuration.wallClock().seconds.subtractingReportingOverflow(modified.seconds)
        return overflow || age >= precision.seconds
    }

    /// The mode that a new thing has to be given, if it differs from what a server usually gives in more than the
    /// bits that let a group or others write: umask 002 here and 022 there are no reason for a round trip per file.
    func modeToSend(_ mode: UInt32, default usual: UInt32) -> UInt32? {
        guard store.capabilities.setsMode, mode & 0o755 != usual & 0o755 else { return nil }
        return mode & 0o777
    }
}

extension Tree {
    /// Notes one more handle on a file.
    fileprivate mutating func open(_ inode: Inode, _ content: FileContent, _ flags: OpenFlags) -> HandleID {
        // A content's revisions begin anew.
        if inode.content == nil { inode.sentRevision = 0 }
        inode.content = content
        inode.handles += 1
        if flags.contains(.read) { inode.readers += 1 }
        if flags.contains(.write) { inode.writers += 1 }
        return handles.add(HandleTable.File(inode: inode.number, flags: flags, content: content))
    }
}
