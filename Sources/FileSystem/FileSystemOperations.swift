package import Threading
package import Vocabulary

/// The operations of a mounted file system, in the order and the terms of libfuse's low-level API (fuse_lowlevel.h),
/// but without naming it: what the bridge calls, and ``FileSystem`` implements.
///
/// Any thread may call anything at any time. A call blocks only where it must ask the store or the local disk; what the
/// caches know is answered at once. A blocked call ends with ``StoreError/Kind/cancelled`` when its request is cancelled.
package protocol FileSystemOperations: Sendable {
    /// Finds a name. Counts one lookup on the result (see ``forget(_:count:)``).
    ///
    /// - Returns: ``LookupAnswer/absent(timeToLive:)`` for a name that does not exist.
    func lookup(
        _ name: FileName, in parent: InodeNumber, _ request: Request
    ) throws(StoreError) -> LookupAnswer

    /// The kernel drops `count` of the lookups it holds on an inode. At zero the number may stand for something else.
    func forget(_ inode: InodeNumber, count: UInt64)

    /// What `stat` shows.
    func attributes(of inode: InodeNumber, handle: HandleID?, _ request: Request) throws(StoreError) -> AttributesAnswer

    /// Changes what is set in `change`, nothing else.
    func setAttributes(
        of inode: InodeNumber, to change: AttributeChange, handle: HandleID?, _ request: Request
    ) throws(StoreError) -> AttributesAnswer

    /// What a symbolic link points to.
    func readLink(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> [UInt8]

    /// Makes a directory. Counts one lookup.
    func makeDirectory(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, _ request: Request
    ) throws(StoreError) -> EntryAnswer

    /// Makes a symbolic link. Counts one lookup.
    func makeSymbolicLink(
        _ name: FileName, in parent: InodeNumber, target: [UInt8], _ request: Request
    ) throws(StoreError) -> EntryAnswer

    /// Removes a name that is not a directory. Handles open on it keep working.
    func unlink(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError)

    /// Removes an empty directory.
    func removeDirectory(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError)

    /// Renames, replacing what is at the target unless the options say otherwise.
    func rename(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber,
        options: RenameOptions, _ request: Request
    ) throws(StoreError)

    /// Opens a file. `flags` never holds O_CREAT, O_EXCL or O_NOCTTY: the kernel has dealt with those.
    func open(_ inode: InodeNumber, flags: OpenFlags, _ request: Request) throws(StoreError) -> OpenAnswer

    /// Makes a file and opens it. Counts one lookup.
    func create(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, flags: OpenFlags, _ request: Request
    ) throws(StoreError) -> CreateAnswer

    /// Reads. The answer comes on this thread if the bytes are here, else later on another one; exactly once.
    ///
    /// Fewer bytes than asked for mean that the file ends there.
    func read(
        _ handle: HandleID, offset: Int64, length: Int, _ request: Request,
        completion: @escaping @Sendable (ReadAnswer) -> Void)

    /// Writes all the bytes, or throws. With O_APPEND the kernel has set the offset to the end it knows of.
    ///
    /// - Parameter isPage: the kernel writes back a page of a mapping, by whichever handle it finds: the offset counts,
    ///   also where that handle appends.
    func write(
        _ handle: HandleID, offset: Int64, bytes: UnsafeRawBufferPointer, isPage: Bool, _ request: Request
    ) throws(StoreError)

    /// One descriptor of the handle was closed: whatever is unsent is sent now, and its failure is `close()`'s.
    func flush(_ handle: HandleID, _ request: Request) throws(StoreError)

    /// Sends whatever is unsent and returns once the server has acknowledged it.
    func fsync(_ handle: HandleID, _ request: Request) throws(StoreError)

    /// The last descriptor of the handle is gone.
    func release(_ handle: HandleID)

    /// Opens a directory for reading.
    func openDirectory(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> OpenAnswer

    /// Reads a directory from an offset that an earlier item gave (0: from the start), `.` and `..` first.
    ///
    /// - Parameters:
    ///   - withAttributes: whether the items carry an ``EntryAnswer`` (readdirplus). Each such item, but `.` and `..`,
    ///     counts one lookup, if `add` took it.
    ///   - add: takes one item; `false` when it has no room for it, which ends the call.
    func readDirectory(
        _ handle: HandleID, from offset: UInt64, withAttributes: Bool, _ request: Request,
        add: (DirectoryItem) -> Bool
    ) throws(StoreError)

    /// The directory handle is gone.
    func releaseDirectory(_ handle: HandleID)

    /// What `df` shows. Never waits for the network.
    func space() -> SpaceAnswer

    /// Whether the caller may do what `mask` says (R_OK, W_OK, X_OK bits), as far as it can be known without asking.
    func access(_ inode: InodeNumber, mask: UInt32, _ request: Request) throws(StoreError)

    /// The value of an extended attribute, by its name behind the prefix that all of ours have; `nil` where there is none.
    func extendedAttribute(
        _ name: String, of inode: InodeNumber, _ request: Request
    ) throws(StoreError) -> [UInt8]?
}

extension FileSystemOperations {
    /// For file systems without such attributes.
    package func extendedAttribute(
        _ name: String, of inode: InodeNumber, _ request: Request
    ) throws(StoreError) -> [UInt8]? { nil }
}

/// The number of an inode, unique among all that the kernel knows at a time; 1 is the root.
package struct InodeNumber: Hashable, Sendable {
    package let rawValue: UInt64
    /// The directory that is mounted (FUSE_ROOT_ID).
    package static let root = InodeNumber(1)

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// An open file or directory; never used twice in the life of a mount.
package struct HandleID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Who asks, and whether the answer is still wanted.
package struct Request: Sendable {
    /// The caller's user and group.
    package let userID: UInt32
    package let groupID: UInt32
    /// Fires when nobody waits any more.
    package let cancellation: Cancellation
    /// Whether the caller has a descriptor of this file, besides one that it is closing. False where it cannot be seen.
    package let holdsOpen: @Sendable (InodeNumber) -> Bool

    package init(
        userID: UInt32, groupID: UInt32, cancellation: Cancellation,
        holdsOpen: @escaping @Sendable (InodeNumber) -> Bool = { _ in false }
    ) {
        self.userID = userID
        self.groupID = groupID
        self.cancellation = cancellation
        self.holdsOpen = holdsOpen
    }
}

/// What `stat(2)` shows of an inode.
///
/// Times other than the modification are the same as it: FTP has no others.
package struct Attributes: Hashable, Sendable {
    package var inode: InodeNumber
    package var kind: FileKind
    /// Permission bits only (07777); the kind is in ``kind``.
    package var mode: UInt32
    package var linkCount: UInt32
    package var userID: UInt32
    package var groupID: UInt32
    package var size: Int64
    package var modified: Timestamp

    package init(
        inode: InodeNumber, kind: FileKind, mode: UInt32, linkCount: UInt32, userID: UInt32, groupID: UInt32,
        size: Int64, modified: Timestamp
    ) {
        self.inode = inode
        self.kind = kind
        self.mode = mode
        self.linkCount = linkCount
        self.userID = userID
        self.groupID = groupID
        self.size = size
        self.modified = modified
    }
}

/// Attributes, and how long the kernel may take them as true.
package struct AttributesAnswer: Hashable, Sendable {
    package var attributes: Attributes
    package var timeToLive: Duration

    package init(attributes: Attributes, timeToLive: Duration) {
        self.attributes = attributes
        self.timeToLive = timeToLive
    }
}

/// A name found or made; the inode of ``attributes`` has been counted.
package struct EntryAnswer: Hashable, Sendable {
    package var attributes: Attributes
    /// How long the kernel may take the attributes as true.
    package var attributesTimeToLive: Duration
    /// How long the kernel may take it as true that the name stands for this inode.
    package var entryTimeToLive: Duration

    package init(attributes: Attributes, attributesTimeToLive: Duration, entryTimeToLive: Duration) {
        self.attributes = attributes
        self.attributesTimeToLive = attributesTimeToLive
        self.entryTimeToLive = entryTimeToLive
    }
}

/// The answer to a lookup.
package enum LookupAnswer: Hashable, Sendable {
    case found(EntryAnswer)
    /// There is no such name, and the kernel may remember that for so long (zero: not at all).
    case absent(timeToLive: Duration)
}

/// An open file or directory.
package struct OpenAnswer: Hashable, Sendable {
    package var handle: HandleID
    /// The kernel keeps the pages (for a directory: the entries) that it has of it: nothing changed since.
    package var keepCache: Bool
    /// Reads bypass the kernel's pages: the size is not known in advance.
    package var directIO: Bool
    /// Nothing can be unsent when a descriptor is closed: no ``FileSystemOperations/flush(_:_:)`` is wanted.
    package var isReadOnly: Bool

    package init(handle: HandleID, keepCache: Bool, directIO: Bool, isReadOnly: Bool = false) {
        self.handle = handle
        self.keepCache = keepCache
        self.directIO = directIO
        self.isReadOnly = isReadOnly
    }
}

/// A file made and opened.
package struct CreateAnswer: Hashable, Sendable {
    package var entry: EntryAnswer
    package var open: OpenAnswer

    package init(entry: EntryAnswer, open: OpenAnswer) {
        self.entry = entry
        self.open = open
    }
}

/// The answer to a read.
package enum ReadAnswer {
    /// The bytes, as pieces to be joined. Valid only during the call of the completion.
    case bytes([UnsafeRawBufferPointer])
    case failed(StoreError)
}

/// One name for a reader of a directory.
package struct DirectoryItem: Sendable {
    /// The name's bytes; `.` and `..` too, which are no `FileName`.
    package var name: [UInt8]
    package var inode: InodeNumber
    package var kind: FileKind
    /// Where to go on behind this item.
    package var nextOffset: UInt64
    /// The entry; `nil` for `.` and `..`, and where attributes were not asked for.
    package var entry: EntryAnswer?

    package init(
        name: [UInt8], inode: InodeNumber, kind: FileKind, nextOffset: UInt64, entry: EntryAnswer?
    ) {
        self.name = name
        self.inode = inode
        self.kind = kind
        self.nextOffset = nextOffset
        self.entry = entry
    }
}

/// What to change of an inode; `nil` means: leave it.
package struct AttributeChange: Hashable, Sendable {
    package var mode: UInt32?
    package var userID: UInt32?
    package var groupID: UInt32?
    package var size: Int64?
    package var modified: TimeChange?

    /// A new time.
    package enum TimeChange: Hashable, Sendable {
        case now
        case to(Timestamp)
    }

    package init(
        mode: UInt32? = nil, userID: UInt32? = nil, groupID: UInt32? = nil, size: Int64? = nil,
        modified: TimeChange? = nil
    ) {
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.size = size
        self.modified = modified
    }
}

/// How a file is opened: open(2)'s flags, as far as a file system sees them.
package struct OpenFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reading is allowed.
    package static let read = OpenFlags(rawValue: 1 << 0)
    /// Writing is allowed.
    package static let write = OpenFlags(rawValue: 1 << 1)
    /// Every write goes to the end (O_APPEND).
    package static let append = OpenFlags(rawValue: 1 << 2)
    /// The content goes first (O_TRUNC).
    package static let truncate = OpenFlags(rawValue: 1 << 3)
    /// The file must not exist yet (O_EXCL, with ``FileSystemOperations/create(_:in:mode:flags:_:)``).
    package static let exclusive = OpenFlags(rawValue: 1 << 4)
}

/// renameat2(2)'s flags.
package struct RenameOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The target must not exist (RENAME_NOREPLACE).
    package static let noReplace = RenameOptions(rawValue: 1 << 0)
    /// Both change places (RENAME_EXCHANGE); never supported, FTP cannot.
    package static let exchange = RenameOptions(rawValue: 1 << 1)
}

/// What statvfs(3) shows.
package struct SpaceAnswer: Hashable, Sendable {
    /// Bytes in all, and bytes that are free.
    package var total: UInt64
    package var free: UInt64
    package var blockSize: UInt32

    package init(total: UInt64, free: UInt64, blockSize: UInt32) {
        self.total = total
        self.free = free
        self.blockSize = blockSize
    }
}
