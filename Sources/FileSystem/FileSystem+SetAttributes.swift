import Threading
import Vocabulary

/// Changing attributes.
///
/// FTP stores few of them, and programs set them all: `cp -a`, `rsync -a` and `tar x` fail if one of these calls
/// does. The rule is: never a lie about data, and patience with the rest.
/// - Size: always done, or an error.
/// - Mode and modification time: stored if the server can. If it cannot (`unsupported`), they are kept here and shown
///   for the life of the inode, so that whoever set them finds them.
/// - Owner and group: there is no command for them. Setting what is shown already is fine. The superuser's changes
///   are ignored, as on other file systems without owners (cifs without Unix extensions does the same); a change of
///   the group alone is ignored too, since `rsync -a` of an ordinary user asks for it. Another owner asked for by an
///   ordinary user is EPERM.
/// - The root of the mount, directories' times that the server refuses, and times of symbolic links (the commands
///   would follow the link) are kept here.
extension FileSystem {
    /// Changes what is set in `change`.
    package func setAttributes(
        of inode: InodeNumber, to change: AttributeChange, handle: HandleID?, _ request: Request
    ) throws(StoreError) -> AttributesAnswer {
        if change != AttributeChange() { try requireWritable() }
        try checkOwner(change, request)
        if let size = change.size { try setSize(of: inode, to: size, handle, request) }
        if let mode = change.mode { try setMode(of: inode, to: mode & 0o7777, request) }
        if let time = change.modified { try setTime(of: inode, to: time, request) }
        if change.mode != nil || change.modified != nil { noteWishes(of: inode) }
        return try attributes(of: inode, handle: handle, request)
    }

    private func checkOwner(_ change: AttributeChange, _ request: Request) throws(StoreError) {
        guard let user = change.userID, user != configuration.uid, request.userID != 0 else { return }
        throw StoreError(.notPermitted, "FTP cannot change owners")
    }

    // MARK: - Size

    private func setSize(
        of number: InodeNumber, to size: Int64, _ handle: HandleID?, _ request: Request
    ) throws(StoreError) {
        guard size >= 0 else { throw StoreError(.invalidArgument, "negative size") }
        // As an open file, if only for this moment: then the rules of those are the only ones.
        let open = try open(number, flags: .write, request)
        defer { release(open.handle) }
        let (content, hasWriters) = try tree.withLock { tree throws(StoreError) in
            (try tree.file(open.handle).content, try tree.inode(number).writers > 1)
        }
        try truncate(content, to: size, request.cancellation)
        // Who has it open for writing sends it at his close; otherwise nobody would.
        if !hasWriters { try secure(content, request.cancellation) }
    }

    // MARK: - Mode

    private func setMode(of number: InodeNumber, to mode: UInt32, _ request: Request) throws(StoreError) {
        let (content, isKnown, isStorable) = try withCurrent(number, request) {
            _, inode, _ -> (FileContent?, Bool, Bool) in
            (inode.content, inode.attributes.mode == mode && inode.ownMode == nil, hasPlace(forAttributesOf: inode))
        }
        if let content, content.state.withLock({ $0.wish(.mode(mode)) }) {
            return tree.withLock { tree in
                guard let inode = tree.inodes[number] else { return }
                inode.attributes.mode = mode & 0o777
                guard let place = inode.place else { return }
                tree.directories.amend(place.name, in: place.parent) { $0.attributes.mode = mode & 0o777 }
            }
        }
        if isKnown { return }
        var isStored = false
        if isStorable && store.capabilities.setsMode {
            do throws(StoreError) {
                try atPath(of: number) { path throws(StoreError) in
                    try store.setMode(path, to: mode, cancellation: request.cancellation)
                }
                isStored = true
            } catch  where error.kind == .unsupported {
                // Kept here.
            }
        }
        tree.withLock { tree in
            guard let inode = tree.inodes[number] else { return }
            inode.ownMode = isStored ? nil : mode & 0o777
            guard isStored else { return }
            var attributes = inode.attributes
            attributes.mode = mode & 0o777
            tree.learn(inode, at: configuration.now(), attributes)
        }
    }

    // MARK: - Time

    private func setTime(
        of number: InodeNumber, to change: AttributeChange.TimeChange, _ request: Request
    ) throws(StoreError) {
        let time: Timestamp
        let wish: WriteState.Wish
        switch change {
        case .to(let wanted): (time, wish) = (wanted, .time(wanted))
        case .now: (time, wish) = (configuration.wallClock(), .timeOfUpload)
        }
        let (content, isStorable, kind) = try withCurrent(number, request) {
            _, inode, _ -> (FileContent?, Bool, FileKind) in
            (inode.content, hasPlace(forAttributesOf: inode), inode.kind)
        }
        if let content, content.state.withLock({ $0.wish(wish) }) {
            return tree.withLock { $0.inodes[number]?.local?.modified = time }
        }
        var isStored = false
        if isStorable && store.capabilities.setsModificationTime {
            do throws(StoreError) {
                try atPath(of: number) { path throws(StoreError) in
                    if kind == .directory {
                        try store.setDirectoryTime(path, to: time, cancellation: request.cancellation)
                    } else {
                        try store.setModificationTime(path, to: time, cancellation: request.cancellation)
                    }
                }
                isStored = true
            } catch  where error.kind == .unsupported || (kind == .directory && error.isRefusal) {
                // Kept here.
            }
        }
        tree.withLock { tree in
            guard let inode = tree.inodes[number] else { return }
            guard isStored else {
                // Beside a guess the listed time is not known yet: the first listing will say it.
                let isGuess = if case .guessed = inode.ownTime { true } else { false }
                inode.ownTime = .kept(time, beside: isGuess ? nil : inode.attributes.modified)
                return
            }
            inode.ownTime = .stored(time)
            var attributes = inode.attributes
            attributes.modified = time
            attributes.timePrecision = .second
            // The content is the same, whatever its time: the kernel keeps its pages.
            tree.learn(inode, at: configuration.now(), attributes)
        }
    }

    /// Whether the server has a place for attributes of this thing.
    private func hasPlace(forAttributesOf inode: Inode) -> Bool {
        inode.number != .root && inode.kind != .symbolicLink && inode.link != .gone
    }
}

extension StoreError {
    /// Whether the server answered, and said no.
    var isRefusal: Bool {
        switch kind {
        case .notFound, .exists, .notEmpty, .notDirectory, .isDirectory, .denied, .notPermitted, .invalidArgument,
            .nameTooLong, .busy, .readOnly, .unsupported:
            true
        case .noSpace, .quotaExceeded, .tooLarge, .changedRemotely, .timedOut, .unreachable, .inputOutput,
            .protocolViolation, .cancelled, .badHandle, .noResources:
            false
        }
    }
}
