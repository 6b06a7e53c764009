import Threading
import Vocabulary

/// Everything that is known of names, inodes and handles: the state of the file system's main monitor.
///
/// Whatever is in here is decided in microseconds: no call into the store, no disk, no callback runs under this lock.
struct Tree {
    var inodes: InodeTable
    var directories: DirectoryCache
    var handles = HandleTable()
    let view: AttributeView
    /// The permission bits that the server gives a new file; `nil` until it has been seen.
    var usualFileMode: UInt32?
    /// Whether one was looked at for that.
    var hasAskedForUsualMode = false
    /// Whether the log says already that somewhere no temporary names can be used.
    var hasRefusedTemporaries = false
    /// Names of which the kernel has been told that they do not exist.
    var absences = AbsentNames()
    /// What listings have shown of files under temporary names, by directory.
    var temporaryFiles: [InodeNumber: [RemoteEntry]] = [:]
    /// What the server has been seen to do with bytes for a part of a file.
    var seenWrites = SeenWrites()
    /// Directories that are being renamed, or are about to be.
    private var moving: [UInt64: (directory: InodeNumber, isOnServer: Bool)] = [:]
    private var lastMove: UInt64 = 0
    /// How many renames of directories have ended.
    private(set) var moves: UInt64 = 0

    /// What a symbolic link at a path shows, given what the server says (``RemoteStore/shownTarget(_:ofLinkAt:)``).
    private let showTarget: @Sendable ([UInt8], RemotePath) throws(StoreError) -> [UInt8]

    init(
        configuration: FileSystemConfiguration,
        showTarget: @escaping @Sendable ([UInt8], RemotePath) throws(StoreError) -> [UInt8] = { target, _ in target }
    ) {
        self.showTarget = showTarget
        let root = RemoteAttributes(kind: .directory, modified: configuration.wallClock())
        inodes = InodeTable(root: root)
        directories = DirectoryCache(timeToLive: configuration.dirTTL)
        view = AttributeView(configuration)
    }

    /// Whether a listing of the parent that is still true has a directory.
    mutating func isKnown(_ number: InodeNumber, at now: Instant) -> Bool {
        guard let place = inodes[number]?.place else { return false }
        let knowledge = directories.knowledge(of: place.name, in: place.parent, at: now, acceptStale: false)
        guard case .present(let entry, let remaining) = knowledge else { return false }
        return remaining > .zero && entry.attributes.kind == .directory
    }

    /// What `stat` shows of an inode.
    func attributes(of inode: Inode) -> Attributes {
        var attributes = view.attributes(of: inode)
        // lstat(2) tells the length of what readlink(2) returns.
        if inode.kind == .symbolicLink, let target = inode.attributes.linkTarget, let path = inodes.path(of: inode),
            let shown = try? showTarget(target, path)
        {
            attributes.size = Int64(shown.count)
        }
        return attributes
    }

    /// An inode that the kernel names.
    func inode(_ number: InodeNumber) throws(StoreError) -> Inode {
        guard let inode = inodes[number] else { throw .unknownInode }
        return inode
    }

    /// A directory that the kernel names.
    func directory(_ number: InodeNumber) throws(StoreError) -> Inode {
        let inode = try inode(number)
        guard inode.kind == .directory else { throw StoreError(.notDirectory, "inode \(number.rawValue)") }
        return inode
    }

    /// Where an inode is now.
    func path(of number: InodeNumber) throws(StoreError) -> RemotePath {
        let inode = try inode(number)
        guard let path = inodes.path(of: inode) else { throw .noEntry("inode \(number.rawValue), unlinked") }
        return path
    }

    /// Notes that a directory is about to be renamed: no upload begins below it.
    mutating func announceMove(of directory: InodeNumber) -> UInt64 {
        lastMove += 1
        moving[lastMove] = (directory, false)
        return lastMove
    }

    /// Notes that the server is told now: until the end, nobody knows which paths are the right ones.
    mutating func beginMove(_ move: UInt64) { moving[move]?.isOnServer = true }

    /// Notes that it has ended, and that the tree knows how.
    mutating func endMove(_ move: UInt64) {
        moving[move] = nil
        moves += 1
    }

    /// Whether a directory on the way to an inode, or the inode itself, is being renamed.
    ///
    /// - Parameter onServer: only what the server has been told counts.
    func isMoving(_ number: InodeNumber, onServer: Bool) -> Bool {
        guard !moving.isEmpty, let inode = inodes[number] else { return false }
        return moving.values.contains { ($0.isOnServer || !onServer) && inodes.isInside(inode, $0.directory) }
    }

    /// An open file.
    func file(_ handle: HandleID) throws(StoreError) -> HandleTable.File {
        guard let file = handles.files[handle] else { throw .unknownHandle }
        return file
    }

    /// The inode of a known entry, brought up to date with it.
    ///
    /// - Parameter hash: the parent's, if the caller has it.
    mutating func intern(
        _ name: FileName, in parent: Inode, hash: PathHash? = nil, _ entry: DirectoryRecord.Entry
    ) -> Inode {
        let inode = inodes.intern(name, in: parent, hash: hash, entry.attributes)
        settle()
        refresh(inode, entry)
        // What was known of our own change has gone with the inode: its time may be our clock's, which the server's file need
        // not have.
        if entry.origin == .own, inode.kind == .file, inode.ownTime == nil, inode.lookups == 0, inode.handles == 0,
            let time = entry.attributes.modified
        {
            inode.ownTime = .guessed(time)
        }
        return inode
    }

    /// Takes what an entry says for what its inode is, and finds out whether somebody else has changed the content.
    mutating func refresh(_ inode: Inode, _ entry: DirectoryRecord.Entry) {
        let before = inode.attributes
        inode.attributes = entry.attributes
        guard entry.origin == .server else { return }
        if inode.hasUsualMode, let mode = entry.attributes.mode {
            inode.hasUsualMode = false
            usualFileMode = mode
        }
        guard inode.kind != .file || entry.attributes.size == before.size else {
            inode.ownTime = nil
            inode.version = inodes.takeVersion()
            return
        }
        let isSame: Bool
        if let own = inode.ownTime {
            switch own.compared(with: entry.attributes.modified, precision: entry.attributes.timePrecision) {
            case .holds(let next): (inode.ownTime, isSame) = (next, true)
            case .adopted: (inode.ownTime, isSame) = (nil, true)
            case .contradicted: (inode.ownTime, isSame) = (nil, false)
            }
        } else {
            isSame = entry.attributes.modified == before.modified
        }
        if !isSame { inode.version = inodes.takeVersion() }
    }

    /// The answer for a found or made entry, with one lookup more on it.
    func countedEntry(_ inode: Inode, remaining: Duration) -> EntryAnswer {
        inode.lookups += 1
        return EntryAnswer(
            attributes: attributes(of: inode), attributesTimeToLive: remaining, entryTimeToLive: remaining)
    }

    /// Notes our own change to the attributes of an inode, here and in its directory.
    mutating func learn(
        _ inode: Inode, at now: Instant, origin: DirectoryRecord.Origin = .own, _ attributes: RemoteAttributes
    ) {
        inode.attributes = attributes
        guard let place = inode.place, inode.link == .linked else { return }
        directories.set(
            place.name, in: place.parent, DirectoryRecord.Entry(attributes: attributes, origin: origin, seen: now))
    }

    /// Notes that the names in a directory were changed here: it has a new modification time.
    mutating func touch(_ directory: Inode, at time: Timestamp) {
        directory.ownTime = .guessed(time)
        directory.attributes.modified = time
        guard let place = directory.place else { return }
        directories.amend(place.name, in: place.parent) { entry in
            if entry.attributes.modified != nil { entry.attributes.modified = time }
        }
    }

    /// Takes an inode's name away. Who holds it keeps it.
    mutating func detach(_ inode: Inode) {
        inodes.detach(inode)
        settle()
    }

    /// Counts lookups that the kernel gives back.
    mutating func forget(_ number: InodeNumber, count: UInt64) {
        inodes.forget(number, count: count)
        settle()
    }

    /// Drops an inode if nobody holds it.
    mutating func dropUnheld(_ inode: Inode) {
        inodes.dropUnheld(from: inode)
        settle()
    }

    /// Forgets what is kept about inodes that have been dropped.
    private mutating func settle() {
        for number in inodes.takeDropped() { directories.forget(number) }
    }
}
