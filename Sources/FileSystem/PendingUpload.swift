package import Threading
package import Vocabulary

/// A file that was closed here and is not on the server yet (`writeback`).
package struct PendingUpload: Hashable, Sendable {
    /// Where it belongs; `nil` for one that has just lost its name.
    package let path: RemotePath?
    /// How long it is, and how many bytes of that a transfer has taken.
    package let size: Int64
    package let sent: Int64
    /// Whether a transfer is under way.
    package let isSending: Bool
    /// How often it has been tried, and why the last attempt failed.
    package let attempts: Int
    package let lastError: StoreError?
    /// When it is tried next, by the clock of the mount (``FileSystemConfiguration/now``).
    package let nextAttempt: Instant
}

extension FileSystem {
    /// The files that wait to be sent, in the order in which they will be. Blocks nobody for longer than it takes to look
    /// at them.
    package var pendingUploads: [PendingUpload] {
        guard let writeBack else { return [] }
        let waiting = writeBack.waiting
        let paths = tree.withLock { tree in
            waiting.map { item in tree.inodes[item.content.inode].flatMap { tree.inodes.path(of: $0) } }
        }
        return zip(waiting, paths).map { item, path in
            let (size, sent) = item.content.state.withLock { ($0.size, $0.attempt?.reach ?? 0) }
            return PendingUpload(
                path: path, size: size, sent: sent, isSending: item.entry.isSending, attempts: item.entry.attempts,
                lastError: item.entry.lastError, nextAttempt: item.entry.due)
        }
    }

    /// Sends all that waits now, and waits until it has been sent, or put aside.
    ///
    /// - Returns: false when the deadline came first.
    package func waitForUploads(until deadline: Deadline) -> Bool {
        guard let writeBack else { return true }
        writeBack.urge(nil, at: configuration.now())
        return writeBack.waitUntilEmpty(deadline)
    }
}
