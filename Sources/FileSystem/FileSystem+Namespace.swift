import Logging
import Threading
package import Vocabulary

/// Making and removing names.
///
/// Each of these asks the store, and on success tells the caches at once, so that nobody has to list the directory
/// again. When the store contradicts what the caches say (`exists`, `notFound`), they are out of date and are thrown
/// away.
extension FileSystem {
    /// Makes a directory.
    package func makeDirectory(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, _ request: Request
    ) throws(StoreError) -> EntryAnswer {
        try requireAbsent(name, in: parent, request)
        try changing(parent, request) { path throws(StoreError) in
            try store.makeDirectory(path.appending(name), cancellation: request.cancellation)
        }
        var attributes = RemoteAttributes(kind: .directory, modified: configuration.wallClock())
        if let mode = modeToSend(mode, default: AttributeView.defaultDirectoryMode) {
            do throws(StoreError) {
                try atPath(of: parent) { path throws(StoreError) in
                    try store.setMode(path.appending(name), to: mode, cancellation: request.cancellation)
                }
                attributes.mode = mode
            } catch {
                // The directory is there, with the mode that the server gives; mkdir(2) may be content with that.
                logger.warning("the mode of a new directory could not be set: \(error)")
            }
        }
        return try added(name, in: parent, attributes) { tree, inode in
            tree.directories.setEmpty(inode.number, at: configuration.now())
            if !store.capabilities.setsMode { inode.ownMode = mode & 0o777 }
        }
    }

    /// Makes a symbolic link.
    package func makeSymbolicLink(
        _ name: FileName, in parent: InodeNumber, target: [UInt8], _ request: Request
    ) throws(StoreError) -> EntryAnswer {
        try requireAbsent(name, in: parent, request)
        guard store.capabilities.makesSymbolicLinks else {
            throw StoreError(.unsupported, "the server cannot make symbolic links")
        }
        try changing(parent, request) { path throws(StoreError) in
            try store.makeSymbolicLink(path.appending(name), target: target, cancellation: request.cancellation)
        }
        let attributes = RemoteAttributes(
            kind: .symbolicLink, modified: configuration.wallClock(), linkTarget: target)
        return try added(name, in: parent, attributes) { _, _ in }
    }

    /// Removes a name that is not a directory.
    package func unlink(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) {
        try requireWritable()
        let target = try requireNamed(name, in: parent, request)
        guard target.kind != .directory else { throw StoreError(.isDirectory, "\(name)") }
        if let content = target.content {
            try unlinkOpen(name, in: parent, content, request)
        } else {
            try changing(parent, request) { path throws(StoreError) in
                try store.removeFile(path.appending(name), cancellation: request.cancellation)
            }
            removed(name, in: parent)
        }
    }

    /// Removes an empty directory.
    package func removeDirectory(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) {
        try requireWritable()
        let target = try requireNamed(name, in: parent, request)
        guard target.kind == .directory else { throw StoreError(.notDirectory, "\(name)") }
        try evacuate(target, request)
        try removeDirectoryOnServer(name, in: parent, request)
        removed(name, in: parent)
    }

    // MARK: - What a name stands for

    /// What a name stands for when it is about to be changed.
    struct Named: Sendable {
        let kind: FileKind
        let attributes: RemoteAttributes
        /// The live inode, if there is one.
        let inode: InodeNumber?
        /// What its handles share, if it is open.
        let content: FileContent?
    }

    /// What a name stands for; `nil` for none.
    func named(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) -> Named? {
        try resolve(name, in: parent, request) { tree, directory, knowledge -> Named? in
            guard case .present(let entry, _) = knowledge else { return nil }
            let inode = tree.inodes.child(name, of: directory).flatMap { $0.kind == entry.attributes.kind ? $0 : nil }
            return Named(
                kind: entry.attributes.kind, attributes: entry.attributes, inode: inode?.number, content: inode?.content
            )
        }
    }

    func requireNamed(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) -> Named {
        guard let named = try named(name, in: parent, request) else { throw .noEntry(name) }
        return named
    }

    private func requireAbsent(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) {
        try requireWritable()
        if try named(name, in: parent, request) != nil { throw StoreError(.exists, "\(name)") }
    }

    // MARK: - Changing

    /// Runs a change of the names in a directory; if the store contradicts the caches, they go.
    func changing(
        _ parent: InodeNumber, _ request: Request, _ body: (RemotePath) throws(StoreError) -> Void
    ) throws(StoreError) {
        do throws(StoreError) {
            try atPath(of: parent, body)
        } catch {
            // Also when nobody knows whether it was done: the next look tells.
            tree.withLock { $0.directories.expire(parent) }
            throw error
        }
    }

    /// Notes a new entry, and counts a lookup on it.
    private func added(
        _ name: FileName, in parent: InodeNumber, _ attributes: RemoteAttributes,
        _ body: (inout Tree, Inode) -> Void
    ) throws(StoreError) -> EntryAnswer {
        try tree.withLock { tree throws(StoreError) in
            let directory = try tree.directory(parent)
            if let old = tree.inodes.child(name, of: directory) { tree.detach(old) }
            let entry = DirectoryRecord.Entry(attributes: attributes, origin: .own, seen: configuration.now())
            tree.directories.set(name, in: parent, entry)
            tree.touch(directory, at: configuration.wallClock())
            let inode = tree.intern(name, in: directory, entry)
            if let time = attributes.modified { inode.ownTime = .guessed(time) }
            body(&tree, inode)
            return tree.countedEntry(inode, remaining: configuration.dirTTL)
        }
    }

    /// Notes that a name is gone.
    private func removed(_ name: FileName, in parent: InodeNumber) {
        tree.withLock { tree in
            tree.directories.remove(name, in: parent)
            guard let directory = tree.inodes[parent] else { return }
            tree.touch(directory, at: configuration.wallClock())
            if let inode = tree.inodes.child(name, of: directory) { tree.detach(inode) }
        }
    }

    // MARK: - Open files

    /// Removes the name of a file that is open; its handles keep working.
    ///
    /// What is here in full needs nothing of the server any more. Otherwise the file stays there, under a name that
    /// nobody sees, until its last handle is closed.
    private func unlinkOpen(
        _ name: FileName, in parent: InodeNumber, _ content: FileContent, _ request: Request
    ) throws(StoreError) {
        try withoutUploads(of: [content], unlinking: content, request) { () throws(StoreError) in
            let (isWhole, isPending, isBroken) = content.state.withLock {
                ($0.isWhole, $0.isPending, $0.mustReplace && !$0.replacesContent)
            }
            if isWhole {
                discardTemporary(of: content)
                if !isPending {
                    try changing(parent, request) { path throws(StoreError) in
                        try leaving(content, .removed) { () throws(StoreError) in
                            do throws(StoreError) {
                                try store.removeFile(path.appending(name), cancellation: request.cancellation)
                            } catch  where error.kind == .notFound && isBroken {
                                // A new file whose upload came to nothing.
                            }
                        }
                    }
                }
                removed(name, in: parent)
            } else {
                try hide(name, in: parent, content.inode, request)
                removeHiddenIfClosed(content.inode)
            }
        }
    }

    /// Renames a file on the server to a name that nobody sees. Inside its gate.
    func hide(
        _ name: FileName, in parent: InodeNumber, _ inode: InodeNumber, _ request: Request
    ) throws(StoreError) {
        let hidden = try TemporaryName.make()
        do throws(StoreError) {
            try changing(parent, request) { path throws(StoreError) in
                try store.rename(
                    path.appending(name), to: path.appending(hidden), cancellation: request.cancellation)
            }
        } catch  where error.isRefusal {
            throw StoreError(.busy, "open here, and the server does not rename it: \(error)")
        }
        tree.withLock { tree in
            tree.directories.remove(name, in: parent)
            tree.directories.hide(hidden, in: parent, true)
            guard let directory = tree.inodes[parent], let inode = tree.inodes[inode] else { return }
            tree.touch(directory, at: configuration.wallClock())
            inode.link = .hidden
            tree.inodes.move(inode, to: directory, hidden)
        }
    }

    /// Makes a directory empty in which only hidden files are left: they move to the directory above.
    func evacuate(_ target: Named, _ request: Request) throws(StoreError) {
        guard let number = target.inode else { return }
        let (hidden, hasPending, parent) = tree.withLock { tree -> (Set<FileName>, Bool, InodeNumber?) in
            let record = tree.directories.record(of: number)
            return (record?.hidden ?? [], record?.hasPendingEntries ?? false, tree.inodes[number]?.place?.parent)
        }
        if hasPending { throw StoreError(.notEmpty, "files in it are being written") }
        guard !hidden.isEmpty, let parent else { return }
        let isEmpty = try withListing(of: number, request) { _, _, snapshot in snapshot.isEmpty }
        guard isEmpty else { throw StoreError(.notEmpty, "the directory has entries") }
        for name in hidden {
            let (from, to) = try tree.withLock { tree throws(StoreError) in
                (try tree.path(of: number).appending(name), try tree.path(of: parent).appending(name))
            }
            try store.rename(from, to: to, cancellation: request.cancellation)
            tree.withLock { tree in
                tree.directories.hide(name, in: number, false)
                tree.directories.hide(name, in: parent, true)
                guard let old = tree.inodes[number], let new = tree.inodes[parent],
                    let inode = tree.inodes.child(name, of: old)
                else { return }
                tree.inodes.move(inode, to: new, name)
            }
        }
    }

    /// Runs `body` while none of these files is being uploaded, and none begins to be.
    ///
    /// - Parameter victim: the one whose name goes. An upload of it is given up, since nobody will see it; if `body`
    ///   fails, it is as dirty as before.
    func withoutUploads(
        of contents: [FileContent], unlinking victim: FileContent?, _ request: Request,
        _ body: () throws(StoreError) -> Void
    ) throws(StoreError) {
        let upload = victim?.state.withLock { state in
            state.isUnlinked = true
            return state.transfer
        }
        var entered: [FileContent] = []
        defer { for content in entered { content.gate.leave() } }
        do throws(StoreError) {
            upload?.cancel()
            for content in contents.sorted(by: { $0.inode.rawValue < $1.inode.rawValue }) {
                try content.enterGate(ending: content === victim ? .abandon : .pause, request.cancellation)
                entered.append(content)
            }
            try body()
            if let victim { discard(victim) }
        } catch {
            victim?.state.withLock { $0.isUnlinked = false }
            throw error
        }
    }
}
