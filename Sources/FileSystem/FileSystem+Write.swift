import Threading
import Vocabulary

/// Writing: into the spool, always. Onto the server while a program writes on (`FileSystem+Stream`), and at flush and
/// fsync (`FileSystem+Upload`).
///
/// Nothing of an existing file has to be here before it can be changed: the ``ExtentMap`` knows which bytes are.
extension FileSystem {
    /// Writes all the bytes, or throws.
    package func write(
        _ handle: HandleID, offset: Int64, bytes: UnsafeRawBufferPointer, isPage: Bool, _ request: Request
    ) throws(StoreError) {
        try requireWritable()
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        guard file.flags.contains(.write) else { throw StoreError(.badHandle, "not open for writing") }
        guard offset >= 0 else { throw StoreError(.invalidArgument, "negative offset") }
        guard !bytes.isEmpty else { return }
        let isAppend = file.flags.contains(.append) && !isPage
        var hasMadeRoom = false
        var isLastTry = false
        while true {
            do throws(StoreError) {
                switch try file.content.write(bytes, at: offset, isAppend: isAppend) {
                case .written(let size, let revision, let wantsStream):
                    note(file.inode, size: size, revision: revision)
                    if wantsStream, writeBack == nil { startStream(of: file.content) }
                    return waitForStream(of: file.content, request.cancellation)
                case .needsPreparation:
                    try prepare(file.content, request.cancellation)
                }
            } catch  where error.kind == .noSpace {
                if isLastTry { throw error }
                // What waited may have been sent just now, so that nothing does any more.
                if hasMadeRoom { isLastTry = try !waitForRoom(request.cancellation) }
                hasMadeRoom = true
                dropCleanContents()
            }
        }
    }

    /// Sends what is unsent, if this handle can have written it; with `writeback`, later.
    ///
    /// A shell that redirects into a file opens it, moves the descriptor to its place, and closes the first one, all before
    /// a byte is written. That close need not make the file on the server, since the same process will close it once more:
    /// a file that was made or emptied, and not written since, waits for that one. So does not who closes the last
    /// descriptor that can be seen; his close is the one whose result counts.
    package func flush(_ handle: HandleID, _ request: Request) throws(StoreError) {
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        let isUntouched = file.content.state.withLock { $0.isUntouched }
        let isOnly = isUntouched && tree.withLock { $0.inodes[file.inode]?.handles == 1 }
        // A reader's close is not the moment to send what somebody else is still writing. But he may have made the file.
        guard file.flags.contains(.write) || isOnly else { return }
        if isOnly && request.holdsOpen(file.inode) { return }
        try secure(file.content, request.cancellation)
    }

    /// Sends what is unsent.
    package func fsync(_ handle: HandleID, _ request: Request) throws(StoreError) {
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        try upload(file.content, request.cancellation)
    }

    /// Cuts or extends a file that has handles; what has to be sent for that is sent later.
    func truncate(_ content: FileContent, to size: Int64, _ cancellation: Cancellation) throws(StoreError) {
        // Not during an upload: it would find the file shorter than it was told.
        // What is being appended had better arrive: else nobody knows how long the server's file is.
        let isAppending = content.state.withLock { !$0.mustReplace && size > 0 }
        // What nobody waits for, and nobody will see, is not sent to its end.
        if size == 0 { content.state.withLock { $0.isBackground ? $0.transfer : nil }?.cancel() }
        try content.enterGate(ending: isAppending ? .pause : .abandon, cancellation)
        defer { content.gate.leave() }
        if !content.state.withLock({ $0.isLocal }) {
            let known = tree.withLock { $0.inodes[content.inode]?.attributes.size }
            if known == size { return }
            if size == 0 {
                let revision = content.state.withLock { state in
                    state.beginEmpty(serverSize: known)
                    return state.revision
                }
                return note(content.inode, size: 0, revision: revision)
            }
            try begin(content, cancellation)
        }
        let revision = try content.truncate(to: size)
        if content.state.withLock({ $0.isDirty || $0.isUnlinked }) {
            note(content.inode, size: size, revision: revision)
        } else {
            // It was cut back to what the server has.
            tree.withLock { $0.inodes[content.inode]?.local = nil }
        }
    }

    // MARK: - Before the first byte

    /// Finds out what a write needs to know of the server's file.
    private func prepare(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        try content.gate.enter(cancellation)
        defer { content.gate.leave() }
        // Somebody may have done it while this thread waited.
        if !content.state.withLock({ $0.isLocal }) { try begin(content, cancellation) }
    }

    /// Begins with the server's file as it is. Inside the gate.
    private func begin(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        // Asked inside the gate: while an upload ends, the tree does not know yet how long it has made the file.
        let (known, version, madeAt) = tree.withLock { tree in
            let inode = tree.inodes[content.inode]
            return (inode?.attributes.size, inode?.version ?? 0, inode.flatMap { tree.ownChange(of: $0) })
        }
        let size = if let known { known } else { try serverSize(of: content, cancellation) }
        if let size {
            let trusted = madeAt?.advanced(by: configuration.dirTTL)
            content.state.withLock { $0.begin(serverSize: size, version: version, trustedUntil: trusted) }
        } else {
            try fetchAll(content, version, cancellation)
        }
    }

    // MARK: - Afterwards

    /// Notes for `stat` what the content has become.
    func note(_ number: InodeNumber, size: Int64, revision: UInt64) {
        let time = configuration.wallClock()
        tree.withLock { tree in
            guard let inode = tree.inodes[number], revision > inode.sentRevision else { return }
            if let local = inode.local, local.revision > revision { return }
            inode.local = Inode.LocalContent(size: size, modified: time, revision: revision)
        }
    }

    /// Makes room in the spool: what is only kept for reading again can be had from the server.
    private func dropCleanContents() {
        for content in tree.withLock({ $0.openContents }) where content.gate.tryEnter() {
            content.state.withLock { $0.dropClean(unless: nil) }
            content.gate.leave()
        }
    }
}

extension Tree {
    /// When we gave a file the size that it is known to have; `nil` if a listing says it.
    fileprivate func ownChange(of inode: Inode) -> Instant? {
        guard let place = inode.place, let entry = directories.record(of: place.parent)?.entries[place.name],
            entry.origin == .own
        else { return nil }
        return entry.seen
    }
}
