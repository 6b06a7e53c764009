import CFuseBridge
import FileSystem
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

// Values of the file system as libfuse wants them, and back.

extension FileKind {
    /// The type bits of `st_mode` (inode(7)).
    var modeBits: UInt32 {
        switch self {
        case .file: S_IFREG
        case .directory: S_IFDIR
        case .symbolicLink: S_IFLNK
        }
    }
}

extension Duration {
    /// Seconds for a timeout of libfuse's; never negative.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return max(0, Double(seconds) + Double(attoseconds) / 1e18)
    }
}

extension cfuse_attributes {
    init(_ attributes: Attributes) {
        self.init(
            inode: attributes.inode.rawValue, mode: attributes.kind.modeBits | attributes.mode & 0o7777,
            links: attributes.linkCount, user: attributes.userID, group: attributes.groupID, size: attributes.size,
            modified_seconds: attributes.modified.seconds, modified_nanoseconds: attributes.modified.nanoseconds)
    }
}

extension cfuse_entry {
    init(_ answer: EntryAnswer) {
        self.init(
            attributes: cfuse_attributes(answer.attributes),
            attributes_timeout: answer.attributesTimeToLive.inSeconds,
            entry_timeout: answer.entryTimeToLive.inSeconds)
    }
}

extension cfuse_opened {
    init(_ answer: OpenAnswer) {
        self.init(
            handle: answer.handle.rawValue, keep_cache: answer.keepCache, direct_io: answer.directIO,
            no_flush: answer.isReadOnly)
    }
}

extension cfuse_space {
    init(_ space: SpaceAnswer) {
        let blockSize = max(1, space.blockSize)
        self.init(
            blocks: space.total / UInt64(blockSize), free_blocks: space.free / UInt64(blockSize),
            block_size: blockSize)
    }
}

extension AttributeChange {
    init(_ change: cfuse_change) {
        func isSet(_ flag: Int) -> Bool { change.set & UInt32(flag) != 0 }
        self.init(
            mode: isSet(CFUSE_SET_MODE) ? change.mode : nil,
            userID: isSet(CFUSE_SET_USER) ? change.user : nil,
            groupID: isSet(CFUSE_SET_GROUP) ? change.group : nil,
            size: isSet(CFUSE_SET_SIZE) ? change.size : nil,
            // The kernel sends both for "now".
            modified: isSet(CFUSE_SET_MODIFIED_NOW)
                ? .now
                : isSet(CFUSE_SET_MODIFIED)
                    ? .to(Timestamp(seconds: change.modified_seconds, nanoseconds: change.modified_nanoseconds))
                    : nil)
    }
}

extension OpenFlags {
    /// From open(2)'s flags, as far as the kernel passes them on.
    init(kernel flags: Int32) {
        self = []
        switch flags & O_ACCMODE {
        case O_RDONLY: insert(.read)
        case O_WRONLY: insert(.write)
        default: formUnion([.read, .write])
        }
        if flags & O_APPEND != 0 { insert(.append) }
        if flags & O_TRUNC != 0 { insert(.truncate) }
        if flags & O_EXCL != 0 { insert(.exclusive) }
    }
}

extension RenameOptions {
    /// From renameat2(2)'s flags.
    init(kernel flags: UInt32) throws(StoreError) {
        // RENAME_NOREPLACE and RENAME_EXCHANGE of linux/fs.h; RENAME_WHITEOUT is for overlay file systems only.
        let known: [(UInt32, RenameOptions)] = [(1 << 0, .noReplace), (1 << 1, .exchange)]
        self = []
        var rest = flags
        for (flag, option) in known where rest & flag != 0 {
            insert(option)
            rest &= ~flag
        }
        guard rest == 0 else { throw StoreError(.invalidArgument, "unknown flags of a rename") }
    }
}

extension FileName {
    /// The name of something that may exist. One that no server can have is simply not there.
    init(sought name: UnsafePointer<CChar>) throws(StoreError) {
        try self.init(name, ifNeverValid: .notFound)
    }

    /// The name of something to be made.
    init(wanted name: UnsafePointer<CChar>) throws(StoreError) {
        try self.init(name, ifNeverValid: .invalidArgument)
    }

    private init(_ name: UnsafePointer<CChar>, ifNeverValid kind: StoreError.Kind) throws(StoreError) {
        do {
            try self.init(validating: UnsafeRawBufferPointer(start: name, count: strlen(name)))
        } catch .tooLong {
            throw StoreError(.nameTooLong, "the name has more than \(FileName.maximumLength) bytes")
        } catch {
            throw StoreError(kind, "the name cannot be sent to a server")
        }
    }
}
