import Threading
import Vocabulary

/// Reading directories.
///
/// What makes it hard, and who deals with it:
/// 1. Offsets must mean the same for the life of the handle, while names come and go: a handle holds a
///    ``DirectorySnapshot``, and an offset is a place in it.
/// 2. rewinddir(3) must show what has changed: reading from offset 0 again takes another snapshot.
/// 3. readdirplus hands out lookups, and only what the reader had room for counts: each is counted before `add` and
///    taken back if that refuses.
/// 4. The numbers shown must be those that `stat` shows later: ``InodeTable/number(of:in:hash:)``.
extension FileSystem {
    /// Opens a directory. Never waits: df(1) opens whatever it is asked about, and must not hang with the server. If the
    /// listing is too old, or there is none, the first read asks for it.
    package func openDirectory(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> OpenAnswer {
        try tree.withLock { tree throws(StoreError) in
            let directory = try tree.directory(inode)
            let isFresh = tree.directories.isFresh(inode, at: configuration.now())
            let isSame = isFresh && tree.directories.record(of: inode)?.generation == directory.versionAtOpen
            directory.handles += 1
            let handle = tree.handles.add(HandleTable.Directory(inode: inode))
            return OpenAnswer(handle: handle, keepCache: isSame, directIO: false)
        }
    }

    /// Reads a directory.
    package func readDirectory(
        _ handle: HandleID, from offset: UInt64, withAttributes: Bool, _ request: Request,
        add: (DirectoryItem) -> Bool
    ) throws(StoreError) {
        let (open, snapshot) = try snapshot(for: handle, from: offset, request)
        guard var index = Int(exactly: offset) else { return }
        let prefix = try tree.withLock { tree throws(StoreError) in
            // An unlinked directory has no path; its snapshot can still be read to the end.
            PathHash(tree.inodes.path(of: try tree.directory(open.inode)) ?? .root)
        }
        while index < snapshot.places.count + 2 {
            let item = try tree.withLock { tree throws(StoreError) in
                try tree.directoryItem(
                    index, of: open.inode, snapshot, prefix, withAttributes: withAttributes, at: configuration.now())
            }
            index += 1
            guard let item else { continue }
            guard add(item) else {
                if item.entry != nil { forget(item.inode, count: 1) }
                return
            }
        }
    }

    /// Closes a directory.
    package func releaseDirectory(_ handle: HandleID) {
        tree.withLock { tree in
            guard let open = tree.handles.removeDirectory(handle), let inode = tree.inodes[open.inode] else { return }
            inode.handles -= 1
            tree.dropUnheld(inode)
        }
    }

    /// The names that a handle shows; new ones when it is read from the start.
    private func snapshot(
        for handle: HandleID, from offset: UInt64, _ request: Request
    ) throws(StoreError) -> (HandleTable.Directory, DirectorySnapshot) {
        var open = try tree.withLock { tree throws(StoreError) -> HandleTable.Directory in
            guard let open = tree.handles.directories[handle] else { throw .unknownHandle }
            return open
        }
        if offset > 0, let snapshot = open.snapshot { return (open, snapshot) }
        noteReading(ofDirectory: open.inode)
        let snapshot = try withListing(of: open.inode, request) { _, directory, snapshot in
            directory.versionAtOpen = snapshot.generation
            return snapshot
        }
        noteListing(of: open.inode)
        open.snapshot = snapshot
        tree.withLock { [open] in $0.handles.update(handle, open) }
        return (open, snapshot)
    }

    /// Runs `body`, with the tree locked, with all names of a directory, no older than the time to live.
    func withListing<Answer: Sendable>(
        of number: InodeNumber, _ request: Request,
        _ body: (inout Tree, Inode, DirectorySnapshot) throws(StoreError) -> Answer
    ) throws(StoreError) -> Answer {
        for attempt in 0..<4 {
            let record = try tree.withLock { tree throws(StoreError) -> DirectoryRecord? in
                _ = try tree.directory(number)
                let record = tree.directories.record(of: number)
                let isUsable =
                    attempt > 0
                    ? record?.listedAt != nil
                    : tree.directories.isFresh(number, at: configuration.now())
                return isUsable ? record : nil
            }
            if let record {
                let snapshot = record.snapshot()
                return try tree.withLock { tree throws(StoreError) in
                    try body(&tree, try tree.directory(number), snapshot)
                }
            }
            try list(number, request)
        }
        throw StoreError(.busy, "the directory changes faster than it can be listed")
    }
}

extension Tree {
    /// One item of an open directory; `nil` for a name that is gone by now.
    fileprivate mutating func directoryItem(
        _ index: Int, of number: InodeNumber, _ snapshot: DirectorySnapshot, _ prefix: PathHash, withAttributes: Bool,
        at now: Instant
    ) throws(StoreError) -> DirectoryItem? {
        let directory = try directory(number)
        let next = UInt64(index + 1)
        if index < 2 {
            let shown = index == 0 ? number : directory.place?.parent ?? .root
            let name: [UInt8] = Array(repeating: UInt8(ascii: "."), count: index + 1)
            return DirectoryItem(name: name, inode: shown, kind: .directory, nextOffset: next, entry: nil)
        }
        guard let item = snapshot.places[index - 2] else { return nil }
        guard withAttributes else {
            return DirectoryItem(
                name: item.name.bytes, inode: inodes.number(of: item.name, in: directory, hash: prefix),
                kind: item.entry.attributes.kind, nextOffset: next, entry: nil)
        }
        let knowledge = directories.knowledge(
            of: item.name, probablyAt: index - 2, in: number, at: now, acceptStale: true)
        let entry: DirectoryRecord.Entry
        let remaining: Duration
        switch knowledge {
        case .present(let known, let left): (entry, remaining) = (known, left)
        case .absent: return nil
        // The record has been thrown away meanwhile: the snapshot is what we have, for this moment.
        case .unknown:
            (entry, remaining) = (.init(attributes: item.entry.attributes, origin: .server, seen: now), .zero)
        }
        guard directory.link == .linked else { return nil }
        let inode = intern(item.name, in: directory, hash: prefix, entry)
        let answer = countedEntry(inode, remaining: remaining)
        return DirectoryItem(
            name: item.name.bytes, inode: inode.number, kind: inode.kind, nextOffset: next, entry: answer)
    }
}
