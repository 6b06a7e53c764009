import Threading

/// How much of everything there is now. All of it is zero after the shutdown of a mount that has no handles left.
package struct Statistics: Hashable, Sendable {
    /// Inodes that the kernel or a handle holds, without the root.
    package var inodes: Int
    /// Open files and directories.
    package var handles: Int
    /// Names in the directory cache.
    package var directoryEntries: Int
    /// Requests that wait for a listing.
    package var waitingForListings: Int
    /// Streams of files that there are, or that wait for a thread.
    package var streams: Int
    /// File content in memory, in bytes.
    package var cachedBytes: Int
    /// Files of which something is not on the server.
    package var dirtyFiles: Int
    /// What the spool's files reach over, in bytes.
    package var spoolBytes: Int64

    /// The counts; zero where nothing is said.
    package init(
        inodes: Int = 0, handles: Int = 0, directoryEntries: Int = 0, waitingForListings: Int = 0, streams: Int = 0,
        cachedBytes: Int = 0, dirtyFiles: Int = 0, spoolBytes: Int64 = 0
    ) {
        self.inodes = inodes
        self.handles = handles
        self.directoryEntries = directoryEntries
        self.waitingForListings = waitingForListings
        self.streams = streams
        self.cachedBytes = cachedBytes
        self.dirtyFiles = dirtyFiles
        self.spoolBytes = spoolBytes
    }
}

extension FileSystem {
    /// Counts. Blocks nobody for longer than it takes to look at the open files.
    package var statistics: Statistics {
        var (statistics, contents) = tree.withLock { tree in
            let counts = Statistics(
                inodes: tree.inodes.count, handles: tree.handles.count,
                directoryEntries: tree.directories.entryCount, waitingForListings: tree.directories.waiterCount)
            return (counts, tree.openContents)
        }
        statistics.streams = streams.runningCount
        statistics.cachedBytes = chunks.byteCount
        statistics.dirtyFiles = contents.count { $0.state.withLock { $0.isDirty } }
        statistics.spoolBytes = spool.byteCount
        return statistics
    }
}

extension Tree {
    /// What the handles share, each once.
    var openContents: [FileContent] {
        var contents: [InodeNumber: FileContent] = [:]
        for file in handles.files.values { contents[file.inode] = file.content }
        return Array(contents.values)
    }
}
