import Logging
import Threading
package import Vocabulary

/// Renaming: what the kernel's rename(2) promises, over a server that promises less.
///
/// 1. The inode moves, and with it everything below; paths follow from that. Directory records belong to inodes, so
///    they stay true.
/// 2. What is unsent of the file goes first, so that the server's file is complete when it appears under its new name.
/// 3. A target that is open here is unlinked as `unlink` would do it, so that its handles keep working.
/// 4. An empty directory as target is removed first: servers refuse to replace it. A file is replaced by the store.
/// 5. No upload runs meanwhile in what moves or goes (``withoutUploads(of:unlinking:_:_:)``).
extension FileSystem {
    /// Renames.
    package func rename(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber,
        options: RenameOptions, _ request: Request
    ) throws(StoreError) {
        try requireWritable()
        if options.contains(.exchange) { throw StoreError(.invalidArgument, "FTP cannot exchange two names") }
        let source = try requireNamed(name, in: parent, request)
        let target = try named(newName, in: newParent, request)
        if options.contains(.noReplace), target != nil { throw StoreError(.exists, "\(newName)") }
        if parent == newParent && name == newName { return }
        try check(source, onto: target, in: newParent)

        if target == nil, try moveWaiting(name, in: parent, to: newName, in: newParent, source) { return }
        let directory = source.kind == .directory ? source.inode : nil
        if directory != nil { try sendWhatWaits(self.contents(in: source), request.cancellation) }
        let move = directory.map { directory in tree.withLock { $0.announceMove(of: directory) } }
        defer { if let move { tree.withLockThenWake { $0.endMove(move) } } }
        var contents = contents(in: source)
        if let content = target?.content { contents.append(content) }
        try withoutUploads(of: contents, unlinking: target?.content, request) { () throws(StoreError) in
            if let content = source.content { try uploadInsideGate(content, request.cancellation) }
            // What was closed below a directory since it was looked through.
            for content in contents where directory != nil && content !== target?.content && isWaiting(content) {
                try uploadInsideGate(content, request.cancellation)
            }
            let victim = try clear(target, newName, in: newParent, request)
            if let move { tree.withLock { $0.beginMove(move) } }
            do throws(StoreError) {
                try renameOnServer(
                    name, in: parent, to: newName, in: newParent, over: target?.content,
                    replacing: !options.contains(.noReplace), request)
            } catch {
                if let victim { bringBack(victim, as: newName, in: newParent) }
                tree.withLock { tree in
                    tree.directories.expire(parent)
                    tree.directories.expire(newParent)
                }
                throw error
            }
            moved(name, in: parent, to: newName, in: newParent, source)
            if let victim {
                tree.withLock { $0.inodes[victim]?.isBeingReplaced = false }
                removeHiddenIfClosed(victim)
            }
        }
    }

    /// Gives a file another name of which the server has never heard, without a command.
    ///
    /// - Returns: false if it has to be done on the server.
    private func moveWaiting(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber, _ source: Named
    ) throws(StoreError) -> Bool {
        guard let writeBack, let content = source.content, isWaiting(content), content.gate.tryEnter() else {
            return false
        }
        defer { content.gate.leave() }
        guard content.state.withLock({ $0.isPending }) else { return false }
        try store.check(newName: newName)
        moved(name, in: parent, to: newName, in: newParent, source)
        tree.withLock { tree in
            if let inode = tree.inodes[content.inode] { pin(inode, &tree) }
        }
        return try commit(content, writeBack)
    }

    // MARK: - Before

    private func check(_ source: Named, onto target: Named?, in newParent: InodeNumber) throws(StoreError) {
        if source.kind == .directory, let moving = source.inode {
            let isInside = tree.withLock { tree in
                tree.inodes[newParent].map { tree.inodes.isInside($0, moving) } ?? false
            }
            if isInside { throw StoreError(.invalidArgument, "a directory cannot move into itself") }
        }
        switch (source.kind, target?.kind) {
        case (_, nil), (.directory, .directory): break
        case (.directory, _): throw StoreError(.notDirectory, "the target is no directory")
        case (_, .directory): throw StoreError(.isDirectory, "the target is a directory")
        default: break
        }
    }

    /// All open files that a rename of this moves.
    private func contents(in source: Named) -> [FileContent] {
        guard source.kind == .directory, let number = source.inode else { return source.content.map { [$0] } ?? [] }
        return tree.withLock { tree in
            var contents: [InodeNumber: FileContent] = [:]
            for file in tree.handles.files.values {
                if let inode = tree.inodes[file.inode], tree.inodes.isInside(inode, number) {
                    contents[file.inode] = file.content
                }
            }
            return Array(contents.values)
        }
    }

    /// Takes an open target, or an empty directory, out of the way.
    ///
    /// - Returns: the file that was hidden for it.
    private func clear(
        _ target: Named?, _ name: FileName, in parent: InodeNumber, _ request: Request
    ) throws(StoreError) -> InodeNumber? {
        guard let target else { return nil }
        if target.kind == .directory {
            try evacuate(target, request)
            try removeDirectoryOnServer(name, in: parent, request)
            return nil
        }
        guard let content = target.content else { return nil }
        discardTemporary(of: content)
        if content.state.withLock({ $0.isWhole }) { return nil }
        tree.withLock { $0.inodes[content.inode]?.isBeingReplaced = true }
        do throws(StoreError) {
            try hide(name, in: parent, content.inode, request)
        } catch {
            tree.withLock { tree in
                guard let inode = tree.inodes[content.inode] else { return }
                inode.isBeingReplaced = false
                tree.dropUnheld(inode)
            }
            throw error
        }
        return content.inode
    }

    // MARK: - The rename

    private func renameOnServer(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber,
        over victim: FileContent?, replacing: Bool, _ request: Request
    ) throws(StoreError) {
        let (from, to) = try tree.withLock { tree throws(StoreError) in
            (try tree.path(of: parent).appending(name), try tree.path(of: newParent).appending(newName))
        }
        func rename() throws(StoreError) {
            try store.rename(from, to: to, replacing: replacing, cancellation: request.cancellation)
        }
        if let victim { try leaving(victim, .replaced(by: from), rename) } else { try rename() }
    }

    // MARK: - After

    private func moved(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber, _ source: Named
    ) {
        tree.withLock { tree in
            tree.directories.remove(name, in: parent)
            guard let from = tree.inodes[parent], let to = tree.inodes[newParent] else { return }
            tree.touch(from, at: configuration.wallClock())
            tree.touch(to, at: configuration.wallClock())
            if let old = tree.inodes.child(newName, of: to) { tree.detach(old) }
            let inode = tree.inodes.child(name, of: from)
            let attributes = inode?.attributes ?? source.attributes
            tree.directories.set(
                newName, in: newParent,
                DirectoryRecord.Entry(attributes: attributes, origin: .own, seen: configuration.now()))
            if let inode { tree.inodes.move(inode, to: to, newName) }
        }
    }

    /// Gives a hidden file its name back, also if its last handle has been closed meanwhile. If that cannot be done, it stays
    /// under the hidden name: it is the only copy.
    private func bringBack(_ number: InodeNumber, as name: FileName, in parent: InodeNumber) {
        do throws(StoreError) {
            let (from, to) = try tree.withLock { tree throws(StoreError) in
                (try tree.path(of: number), try tree.path(of: parent).appending(name))
            }
            try store.rename(from, to: to, cancellation: Cancellation())
        } catch {
            logger.error("\(name): the target of a failed rename could not be brought back: \(error)")
            return
        }
        tree.withLock { tree in
            guard let inode = tree.inodes[number], let place = inode.place, let directory = tree.inodes[parent] else {
                return
            }
            tree.directories.hide(place.name, in: place.parent, false)
            inode.link = .linked
            inode.isBeingReplaced = false
            tree.inodes.move(inode, to: directory, name)
            tree.learn(inode, at: configuration.now(), inode.attributes)
            tree.dropUnheld(inode)
        }
    }
}
