import Logging
import Threading
import Vocabulary

/// Sending what was written, and what the mount knows afterwards.
///
/// An upload holds the file's gate, so there is one at a time; writing goes on meanwhile, into the spool, and what it
/// changes is sent next time. When it returns, the server has acknowledged every byte that was here when it began.
///
/// What is sent how is decided by ``UploadPlan``; the transfers are in `FileSystem+Sending`, the exchange of an old
/// content for a new one in `FileSystem+Replacing`.
///
/// ## The modification time
/// The server stamps an upload with its own clock, which a look could tell; that would cost
/// a round trip for each file written. Instead our own clock's time is shown, and the first listing that shows the
/// file with the size we sent corrects it without counting as a change (``OwnTime/guessed(_:)``).
///
/// ## The mode
/// A new file has whatever mode the server gives. It is set only where a program wants another one: each `chmod`
/// that changes nothing would cost a round trip for each file of a `tar x`. What the server gives is learned from the
/// listings, or by one look when it first matters.
extension FileSystem {
    /// Sends what is unsent of a file, if anything is.
    ///
    /// - Parameter job: why nobody waits for it; who called then reports what goes wrong.
    /// - Throws: why it is not all on the server; it then stays unsent, in the spool.
    func upload(
        _ content: FileContent, for job: WriteBack.Job? = nil, _ cancellation: Cancellation
    ) throws(StoreError) {
        guard let end = content.state.withLock({ $0.isDirty ? $0.size : nil }) else { return }
        while true {
            // Not below a directory that is about to move. Outside the gate: the rename goes through all of them.
            try tree.wait(cancellation: cancellation) { tree -> Void? in
                tree.isMoving(content.inode, onServer: false) ? nil : ()
            }
            try content.enterGate(ending: .finish(at: end), cancellation)
            defer { content.gate.leave() }
            // A rename that is announced from here on finds the gate taken.
            guard !tree.withLock({ $0.isMoving(content.inode, onServer: false) }) else { continue }
            return try uploadInsideGate(content, for: job, cancellation)
        }
    }

    /// The same for who is inside the gate.
    func uploadInsideGate(
        _ content: FileContent, for job: WriteBack.Job? = nil, _ cancellation: Cancellation
    ) throws(StoreError) {
        let isBackground = job != nil
        // What the server said to the stream, while the program wrote, it would say again.
        if let refusal = content.state.withLock({ $0.isDirty ? $0.takeStreamRefusal() : nil }) {
            report(refusal, content)
            throw refusal
        }
        let sequence = isBackground ? nil : writeBack?.journal.lastSequence
        try cancellation.withChild { child throws(StoreError) in
            let begun = content.state.withLock { state -> UInt64? in
                guard state.beginUpload(child) else { return nil }
                state.isBackground = isBackground
                return state.revision
            }
            guard let revision = begun else { return }
            defer { content.state.withLock { $0.isBackground = false } }
            do throws(StoreError) {
                if try checkForConflict(content, child) {
                    let sent = try sendPersistently(content, isBackground: isBackground, child)
                    conclude(content, revision: revision, sent, child)
                } else {
                    giveUp(content)
                }
                // Who waits for the gate may rename the file, and a later mount must not send it again under its old name.
                if let job { settle(job) }
                if let sequence { settleIfSent(content, upTo: sequence) }
            } catch {
                let isWanted = content.state.withLock { state in
                    state.uploadFailed(error)
                    return !state.isUnlinked
                }
                guard isWanted else { return }
                if !isBackground { report(error, content) }
                throw error
            }
        }
    }

    /// One line for the log.
    func report(_ error: StoreError, _ content: FileContent) {
        let path = tree.withLock { tree in
            tree.inodes[content.inode].flatMap { tree.inodes.path(of: $0) }?.description ?? "a file without a name"
        }
        let spooled = content.state.withLock { $0.spool?.path }
        logger.error("\(path): not sent: \(error)\(spooled.map { "; its content is in \($0)" } ?? "")")
    }

    // MARK: - Afterwards

    /// - Parameter revision: the state of the content that is on the server.
    private func conclude(
        _ content: FileContent, revision: UInt64, _ sent: Sent, _ cancellation: Cancellation
    ) {
        let version = tree.withLock { $0.inodes.takeVersion() }
        let settled = content.state.withLock { $0.takeSettled() }
        var mode = settled.mode.map { $0 & 0o777 } ?? sent.mode
        var ownMode: UInt32?
        var wished = settled.time.map { OwnTime.stored($0) }
        while let wishes = content.state.withLock({ $0.nextWishes(version: version) }) {
            let stored = set(wishes, of: content, isMadeAnew: sent.isMadeAnew, cancellation)
            if let wanted = wishes.mode {
                if stored.modeError == nil { mode = wanted & 0o777 } else { ownMode = wanted & 0o777 }
            }
            if let wanted = wishes.time {
                wished = stored.timeError == nil ? .stored(wanted) : .kept(wanted, beside: nil)
            }
        }
        content.state.withLock { $0.base = RemoteBase(size: sent.size, modified: nil) }
        let now = configuration.wallClock()
        tree.withLock { tree in
            guard let inode = tree.inodes[content.inode] else { return }
            // The time of the last write, which is in view already: it shall not jump with the close.
            let time = wished ?? .guessed(inode.local?.modified ?? now)
            inode.sentRevision = max(inode.sentRevision, revision)
            if let local = inode.local, local.revision <= revision { inode.local = nil }
            // The kernel has what it wrote itself: its pages stay.
            inode.version = version
            inode.versionAtOpen = version
            inode.ownTime = time
            if let ownMode { inode.ownMode = ownMode }
            if mode != nil { inode.ownMode = nil }
            inode.hasUsualMode = sent.isMadeAnew && mode == nil
            let known = sent.isMadeAnew ? tree.usualFileMode : inode.attributes.mode
            let attributes = RemoteAttributes(
                kind: .file, size: sent.size, modified: time.time, mode: mode ?? known,
                linkTarget: inode.attributes.linkTarget)
            tree.learn(inode, at: configuration.now(), attributes)
        }
        content.state.withLock { state in
            if writeBack != nil, !state.isDirty { state.spool?.markSent() }
            // Our bytes did not go to the offsets that the spool has them at: what is right is on the server.
            if state.isSkewed { state.dropClean(unless: nil) }
        }
    }
}
