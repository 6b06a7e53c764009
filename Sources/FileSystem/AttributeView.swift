import Vocabulary

/// What `stat(2)` shows, made of what the server says, what is known here, and the mount's options.
///
/// - The link count is 1, of directories too: it tells find(1) and fts(3) that the number of sub-directories is not
///   known. Any other number would be believed, and sub-directories skipped. 0 is for what has been unlinked.
/// - A file whose size the server does not say shows 0; it is opened for direct reading, which ignores the size.
/// - Of the server's permission bits only 0777 are shown. Its set-user-id bits speak of its users, not of ours.
struct AttributeView: Sendable {
    /// Permission bits where neither the server nor the options say any.
    static let defaultFileMode: UInt32 = 0o644
    static let defaultDirectoryMode: UInt32 = 0o755

    private let uid: UInt32
    private let gid: UInt32
    private let fileMode: UInt32?
    private let directoryMode: UInt32?
    private let kept: UInt32

    init(_ configuration: FileSystemConfiguration) {
        uid = configuration.uid
        gid = configuration.gid
        fileMode = configuration.fileMode
        directoryMode = configuration.dirMode
        kept = 0o777 & ~(configuration.umask ?? 0)
    }

    /// All of it.
    func attributes(of inode: Inode) -> Attributes {
        Attributes(
            inode: inode.number, kind: inode.kind, mode: mode(of: inode), linkCount: inode.link == .linked ? 1 : 0,
            userID: uid, groupID: gid, size: size(of: inode), modified: modified(of: inode))
    }

    /// The permission bits.
    func mode(of inode: Inode) -> UInt32 {
        switch inode.kind {
        case .file: (fileMode ?? inode.ownMode ?? inode.attributes.mode ?? Self.defaultFileMode) & kept
        case .directory: (directoryMode ?? inode.ownMode ?? inode.attributes.mode ?? Self.defaultDirectoryMode) & kept
        case .symbolicLink: 0o777
        }
    }

    /// The modification time; the epoch where the server does not say any.
    func modified(of inode: Inode) -> Timestamp {
        inode.local?.modified ?? inode.ownTime?.time ?? inode.attributes.modified ?? Timestamp(seconds: 0)
    }

    private func size(of inode: Inode) -> Int64 {
        switch inode.kind {
        case .file: inode.local?.size ?? inode.attributes.size ?? 0
        case .directory: inode.attributes.size ?? 0
        case .symbolicLink: Int64(inode.attributes.linkTarget?.count ?? 0)
        }
    }
}
