import Logging
import Threading
import Vocabulary

/// Sending what was written, and what the mount knows afterwards.
///
/// An upload holds the file's gate, so there is one at a time; writing goes on meanwhile, into the spool, and what it
/// changes is sent next time. When it returns, the server has acknowledged every byte that was here when it began.
///
/// ## Appending
/// Of a file that only grew, the new bytes are sent alone, but only if they belong where they will go: a
/// look at the file (one round trip) must show the size at which they begin. Otherwise somebody else has changed it.
/// Bytes written with O_APPEND then follow what is there, wherever that ends, as O_APPEND promises; all others belong
/// to their offsets, so the content is fetched, they are laid over it, and the whole is sent. So it is, too, if an
/// append has failed before: a part of it may be there.
///
/// ## The modification time
/// The server stamps an upload with its own clock, which a look could tell; that would cost
/// a round trip for each file written. Instead our own clock's time is shown, and the first listing that shows the
/// file with the size we sent corrects it without counting as a change (``OwnTime/guessed(_:)``).
extension FileSystem {
    /// Sends what is unsent of a file, if anything is.
    ///
    /// - Throws: why it is not all on the server; it then stays unsent, in the spool.
    func upload(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        guard content.state.withLock({ $0.isDirty }) else { return }
        while true {
            // Not below a directory that is about to move. Outside the gate: the rename goes through all of them.
            try tree.wait(cancellation: cancellation) { tree -> Void? in
                tree.isMoving(content.inode, onServer: false) ? nil : ()
            }
            try content.gate.enter(cancellation)
            defer { content.gate.leave() }
            // A rename that is announced from here on finds the gate taken.
            guard !tree.withLock({ $0.isMoving(content.inode, onServer: false) }) else { continue }
            return try uploadInsideGate(content, cancellation)
        }
    }

    /// The same for who is inside the gate.
    func uploadInsideGate(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        try cancellation.withChild { child throws(StoreError) in
            guard let upload = content.state.withLock({ $0.beginUpload(child) }) else { return }
            do throws(StoreError) {
                let size = try send(upload, of: content)
                finish(upload, of: content, size: size)
            } catch {
                let (isWanted, spooled) = content.state.withLock { state in
                    state.uploadFailed(upload, error)
                    return (!state.isUnlinked, state.spool?.path)
                }
                guard isWanted else { return }
                let path = tree.withLock { tree in
                    tree.inodes[content.inode].flatMap { tree.inodes.path(of: $0) }?.description
                        ?? "a file without a name"
                }
                let place = spooled.map { "; its content is in \($0)" } ?? ""
                logger.error("\(path): not sent: \(error)\(place)")
                throw error
            }
        }
    }

    // MARK: - Sending

    /// - Returns: the size that the file has on the server now.
    private func send(_ upload: WriteState.Upload, of content: FileContent) throws(StoreError) -> Int64 {
        guard case .appended(let from, let byAppend) = upload.change else {
            try sendWhole(upload.spool, upload.size, of: content, upload.cancellation)
            return upload.size
        }
        let present = try atPath(of: content.inode) { path throws(StoreError) in
            try store.look(at: path, cancellation: upload.cancellation)
        }
        if let end = present?.size, end == from || (byAppend && !upload.appendFailed) {
            try transfer(upload.spool, from..<upload.size, of: content, .append, upload.cancellation)
            return end + (upload.size - from)
        }
        if present == nil && upload.base > 0 {
            throw StoreError(.changedRemotely, "the file was removed on the server while it was appended to here")
        }
        if present != nil { try fetch(content, upTo: nil, upload.cancellation) }
        let (spool, size) = content.state.withLock { ($0.spool, $0.size) }
        try sendWhole(spool, size, of: content, upload.cancellation)
        return size
    }

    private func sendWhole(
        _ spool: SpoolFile?, _ size: Int64, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) {
        try transfer(spool, 0..<size, of: content, .replace, cancellation)
    }

    private func transfer(
        _ spool: SpoolFile?, _ range: Range<Int64>, of content: FileContent, _ mode: RemoteWriteMode,
        _ cancellation: Cancellation
    ) throws(StoreError) {
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openWrite(path, mode: mode, cancellation: cancellation)
        }
        do throws(StoreError) {
            if let spool, !range.isEmpty {
                try stream.send(from: spool.descriptor, range: range, cancellation: cancellation)
            }
            try stream.finish(cancellation: cancellation)
        } catch {
            stream.abort()
            throw error
        }
    }

    // MARK: - Afterwards

    private func finish(_ upload: WriteState.Upload, of content: FileContent, size: Int64) {
        let version = tree.withLock { $0.inodes.takeVersion() }
        var mode: UInt32?
        var ownMode: UInt32?
        var time = OwnTime.guessed(configuration.wallClock())
        while let wish = content.state.withLock({ $0.nextWish(version: version) }) {
            switch wish {
            case .mode(let wanted):
                if send(mode: wanted, of: content.inode, upload.cancellation) {
                    mode = wanted
                } else {
                    ownMode = wanted
                }
            case .time(let wanted):
                let isStored = send(time: wanted, of: content.inode, upload.cancellation)
                time = isStored ? .stored(wanted) : .kept(wanted, beside: nil)
            case .timeOfUpload:
                break
            }
        }
        tree.withLock { tree in
            guard let inode = tree.inodes[content.inode] else { return }
            inode.sentRevision = max(inode.sentRevision, upload.revision)
            if let local = inode.local, local.revision <= upload.revision { inode.local = nil }
            // The kernel has what it wrote itself: its pages stay.
            inode.version = version
            inode.versionAtOpen = version
            inode.ownTime = time
            if let ownMode { inode.ownMode = ownMode }
            if mode != nil { inode.ownMode = nil }
            let attributes = RemoteAttributes(kind: .file, size: size, modified: time.time, mode: mode)
            tree.learn(inode, at: configuration.now(), attributes)
        }
        // Our bytes did not go to the offsets that the spool has them at: what is right is on the server.
        if size != upload.size { content.state.withLock { $0.dropClean(unless: nil) } }
    }

    /// - Returns: whether the server has it. If not, it is shown here nevertheless: the content is safe, and a program
    ///   that set it (cp -p, rsync -a) has long been told that it worked.
    private func send(mode: UInt32, of inode: InodeNumber, _ cancellation: Cancellation) -> Bool {
        do throws(StoreError) {
            try atPath(of: inode) { path throws(StoreError) in
                try store.setMode(path, to: mode, cancellation: cancellation)
            }
            return true
        } catch {
            logger.warning("the mode of a file that was sent could not be set: \(error)")
            return false
        }
    }

    private func send(time: Timestamp, of inode: InodeNumber, _ cancellation: Cancellation) -> Bool {
        do throws(StoreError) {
            try atPath(of: inode) { path throws(StoreError) in
                try store.setModificationTime(path, to: time, cancellation: cancellation)
            }
            return true
        } catch {
            logger.warning("the modification time of a file that was sent could not be set: \(error)")
            return false
        }
    }
}
