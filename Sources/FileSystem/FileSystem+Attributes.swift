import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension FileSystem {
    /// What `stat` shows.
    package func attributes(
        of inode: InodeNumber, handle: HandleID?, _ request: Request
    ) throws(StoreError) -> AttributesAnswer {
        try withCurrent(inode, request) { tree, inode, remaining in
            AttributesAnswer(attributes: tree.attributes(of: inode), timeToLive: remaining)
        }
    }

    /// What a symbolic link points to, as it looks from where the link is now (``RemoteStore/shownTarget(_:ofLinkAt:)``).
    package func readLink(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> [UInt8] {
        let known = try withCurrent(inode, request) { _, inode, _ throws(StoreError) -> [UInt8]? in
            guard inode.kind == .symbolicLink else { throw StoreError(.invalidArgument, "not a symbolic link") }
            return inode.attributes.linkTarget
        }
        if let known { return try shown(known, inode) }
        let attributes = try atPath(of: inode) { path throws(StoreError) in
            try store.look(at: path, cancellation: request.cancellation)
        }
        guard let target = attributes?.linkTarget else {
            throw StoreError(.inputOutput, "the server does not say what the link points to")
        }
        tree.withLock { $0.inodes[inode]?.attributes.linkTarget = target }
        return try shown(target, inode)
    }

    private func shown(_ target: [UInt8], _ inode: InodeNumber) throws(StoreError) -> [UInt8] {
        let path = try tree.withLock { tree throws(StoreError) in try tree.path(of: inode) }
        return try store.shownTarget(target, ofLinkAt: path)
    }

    /// Whether the caller may do something, as far as it is known here.
    ///
    /// Whether the *server* lets us read or write is not in the permission bits: they speak of its users, and nobody
    /// knows which of them we are. So reading and writing are allowed, and the operation itself tells. But a file
    /// without any execute bit cannot be run by anybody, root included; shells and make ask that way.
    package func access(_ inode: InodeNumber, mask: UInt32, _ request: Request) throws(StoreError) {
        if mask & UInt32(W_OK) != 0 { try requireWritable() }
        guard mask & UInt32(X_OK) != 0, !configuration.defaultPermissions else { return }
        let isExecutable = try tree.withLock { tree throws(StoreError) in
            let inode = try tree.inode(inode)
            return inode.kind != .file || tree.view.mode(of: inode) & 0o111 != 0
        }
        guard isExecutable else { throw StoreError(.denied, "no execute bit") }
    }
}
