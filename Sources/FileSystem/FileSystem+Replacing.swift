import Logging
import Threading
import Vocabulary

/// How a file gets another content in one step.
///
/// What somebody could miss is replaced by a whole: the new content goes to a temporary name beside the file
/// (``TemporaryName``), gets the mode of the old one, and is renamed over it. Whatever breaks before that leaves the
/// old content as it was. Without that step go
/// - a new file, or one that was empty: nothing can be lost. It grows under its own name, as on a local disk;
/// - a file that becomes empty: that is one step;
/// - a file that is shown in the place of a symbolic link on the server (`symlinks=follow`): the link stays;
/// - a file in a directory that takes no other names, or on a server that takes the rename back in any way: said once in the
///   log;
/// - every file, with `inplace`, for the sake of links and owners on the server.
extension FileSystem {
    /// Sends all of a file. Inside its gate.
    ///
    /// - Returns: where to.
    func sendWhole(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> UploadPlan.Target {
        try fetchMissing(content, cancellation)
        let (size, wanted) = content.state.withLock { state -> (Int64, UploadPlan.Target) in
            // An earlier part at a temporary name is of no use any more.
            if state.attempt != nil { state.abandonAttempt() }
            let mustBeNew = state.needsNewFile || state.replacesContent && state.size > 0
            return (state.size, mustBeNew ? .temporary : .name)
        }
        let (stream, target, head) = try openWhole(wanted, size: size, of: content, cancellation)
        try feed(stream, 0..<size, behind: head, of: content, target, cancellation)
        return target
    }

    /// Begins to send all of a file, with its first bytes.
    ///
    /// - Returns: also up to where the transfer has got them.
    private func openWhole(
        _ wanted: UploadPlan.Target, size: Int64, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> (stream: any RemoteWriteStream, target: UploadPlan.Target, head: Int64) {
        let first = Self.head(of: 0..<size)
        content.state.withLock { $0.handHead(first) }
        do throws(StoreError) {
            let (stream, target) = try withHead(first, of: 0..<size, content) { head throws(StoreError) in
                try openWhole(wanted, head: head, of: content, whenWanted: givingWay(content), cancellation)
            }
            return (stream, target, first.upperBound)
        } catch {
            content.state.withLock { $0.takeBackHead() }
            throw error
        }
    }

    /// Begins to send all of a file.
    ///
    /// - Parameter wanted: where to; a temporary name may have to be given up for the file's own.
    /// - Parameter head: its first bytes, which have been handed over.
    func openWhole(
        _ wanted: UploadPlan.Target, head: UploadHead? = nil, of content: FileContent,
        whenWanted: (@Sendable () -> Void)?, _ cancellation: Cancellation
    ) throws(StoreError) -> (stream: any RemoteWriteStream, target: UploadPlan.Target) {
        var target = wanted
        discardTemporary(of: content)
        if target == .temporary, !allowsTemporary(beside: content) {
            try requireOwnName(of: content)
            target = .name
        }
        if target == .temporary { try nameTemporary(of: content) }
        var isRepeated = false
        while true {
            // Whatever comes of the command: a file may be there from here on.
            content.state.withLock { state in
                if target == .name { state.mayExist() }
                state.opens(at: 0, isAtEnd: false)
            }
            do throws(StoreError) {
                if target == .name { endReading(of: content) }
                let stream = try atTarget(target, of: content) { path throws(StoreError) in
                    try store.openWrite(
                        path, mode: .replace, head: head, size: .none, whenWanted: whenWanted,
                        cancellation: cancellation)
                }
                content.state.withLock { $0.beginAttempt(target, from: 0, isAppend: false) }
                return (stream, target)
            } catch  where error.kind == .inputOutput && !isRepeated && allowsTemporary(beside: content) {
                // The server may still carry the command out, whenever it comes to it, and empty what it names.
                logger.notice("a lost connection: sending the file under another name (\(error))")
                isRepeated = true
                noteLostCommand(error, target, of: content)
                // What the first attempt may have made under its name has no use any more.
                discardTemporary(of: content)
                target = .temporary
                try nameTemporary(of: content)
            } catch  where target == .temporary && error.isRefusal {
                refuseTemporaries(beside: content, error)
                content.state.withLock { $0.forgetTemporary() }
                try requireOwnName(of: content)
                target = .name
            } catch {
                noteLostCommand(error, target, of: content)
                throw error
            }
        }
    }

    private func nameTemporary(of content: FileContent) throws(StoreError) {
        let name = tree.withLock { $0.inodes[content.inode]?.place?.name }
        let temporary = try TemporaryName.make(for: name)
        content.state.withLock { $0.useTemporary(temporary) }
    }

    /// Puts the temporary file, which is complete, in the place of the old one.
    ///
    /// - Parameter isRepeated: whether it has been gone before.
    /// - Returns: the mode that was set.
    func publish(
        _ content: FileContent, isRepeated: Bool = false, _ cancellation: Cancellation
    ) throws(StoreError) -> UInt32? {
        let known = tree.withLock { tree in
            tree.inodes[content.inode].flatMap { $0.ownMode == nil ? $0.attributes.mode : nil }
        }
        let wished = content.state.withLock { $0.takeWantedMode() }
        var mode: UInt32?
        if let wanted = wished ?? known, store.capabilities.setsMode {
            if set(mode: wanted, of: content, .temporary, isMadeAnew: true, cancellation) { mode = wanted & 0o777 }
        }
        guard let temporary = content.state.withLock({ $0.temporary }) else { return mode }
        content.state.withLock { $0.mayBeReplaced() }
        do throws(StoreError) {
            try atPath(of: content.inode) { path throws(StoreError) in
                try store.rename(path.parent.appending(temporary), to: path, cancellation: cancellation)
            }
        } catch  where error.kind == .notFound && !isRepeated {
            // It is not there any more. If the answer to an earlier rename was lost, that one may have been done.
            if try wasPublished(content, cancellation) { return mode }
            content.state.withLock { $0.forgetTemporary() }
            guard try sendWhole(content, cancellation) == .temporary else { return mode }
            return try publish(content, isRepeated: true, cancellation) ?? mode
        } catch  where error.isRefusal {
            refuseTemporaries(beside: content, error)
            content.state.withLock { $0.abandonAttempt() }
            _ = try sendWhole(content, cancellation)
            return mode
        } catch {
            content.state.withLock { $0.mayBePublished = true }
            throw error
        }
        content.state.withLock { $0.published(trustedUntil: trustedUntil) }
        return mode
    }

    /// Whether a rename whose answer was lost has been done, after the temporary file was found to be gone.
    private func wasPublished(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        guard let reach = content.state.withLock({ $0.mayBePublished ? $0.attempt?.reach : nil }),
            try serverSize(of: content, cancellation) == reach
        else { return false }
        content.state.withLock { $0.published(trustedUntil: trustedUntil) }
        return true
    }

    /// Removes a temporary file that has no purpose any more; if that fails, it is left to be found.
    func discardTemporary(of content: FileContent) {
        guard content.state.withLock({ $0.temporary }) != nil else { return }
        do throws(StoreError) {
            try atTarget(.temporary, of: content) { path throws(StoreError) in
                try store.removeFile(path, cancellation: Cancellation())
            }
        } catch {
            logger.info("a temporary file could not be removed: \(error)")
        }
        content.state.withLock { $0.forgetTemporary() }
    }

    // MARK: - Where it is possible

    func allowsTemporary(beside content: FileContent) -> Bool {
        if configuration.replacesInPlace { return false }
        return tree.withLock { tree in
            // A link on the server would be replaced, and not the file that it leads to.
            if tree.inodes[content.inode]?.attributes.linkTarget != nil { return false }
            let parent = tree.inodes[content.inode]?.place.flatMap { tree.inodes[$0.parent] }
            return parent?.refusesTemporaries != true
        }
    }

    private func refuseTemporaries(beside content: FileContent, _ error: StoreError) {
        let path = tree.withLock { tree -> RemotePath? in
            guard let parent = tree.inodes[content.inode]?.place.flatMap({ tree.inodes[$0.parent] }) else { return nil }
            parent.refusesTemporaries = true
            defer { tree.hasRefusedTemporaries = true }
            return tree.hasRefusedTemporaries ? nil : tree.inodes.path(of: parent)
        }
        guard let path else { return }
        logger.warning(
            "\(path): files there are written over in place, a complete one cannot take their place: \(error)")
    }
}
