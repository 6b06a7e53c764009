import Logging
package import Threading
package import Vocabulary

/// A file on the server that some mount has made for its own purposes, and that nobody seems to use any more.
package struct LeftOver: Hashable, Sendable {
    /// Where it is.
    package let path: RemotePath
    /// The beginning of the name of the file whose place it was to take; `nil`: it was for something else.
    package let original: [UInt8]?
    /// Bytes; `nil`: the server does not say.
    package let size: Int64?
    /// When it was last written, by the server's clock.
    package let modified: Timestamp
}

/// Files under temporary names (``TemporaryName``) that listings have shown.
///
/// A mount that is killed leaves them on the server: no listing of a mount shows them, so they are shown here. One that this
/// mount uses is not left over. Whether another mount uses one, nothing can tell but its age: a file that is being sent is
/// written all the time, one that is unlinked and open may be old. So nothing removes them by itself, and who
/// removes them says how old they have to be.
extension FileSystem {
    /// How many of one directory are remembered, so that a hostile listing costs little.
    static let maximumLeftOvers = 1000

    /// Those in the directories that have been listed, in the order of their paths.
    ///
    /// - Parameter age: how long ago, by both clocks, they must have been written last. Those of which no time is known are
    ///   not among them.
    package func leftOvers(olderThan age: Duration) -> [LeftOver] {
        let inUse = Set(tree.withLock { $0.openContents }.compactMap { $0.state.withLock { $0.temporary } })
        let now = configuration.wallClock()
        return tree.withLock { tree in
            tree.temporaryFiles.flatMap { number, entries -> [LeftOver] in
                guard let directory = tree.inodes[number], let path = tree.inodes.path(of: directory) else { return [] }
                let hidden = tree.directories.record(of: number)?.hidden ?? []
                return entries.compactMap { entry in
                    guard !inUse.contains(entry.name), !hidden.contains(entry.name),
                        let modified = entry.attributes.modified
                    else { return nil }
                    let (seconds, overflow) = now.seconds.subtractingReportingOverflow(modified.seconds)
                    guard overflow || .seconds(seconds) >= age else { return nil }
                    return LeftOver(
                        path: path.appending(entry.name), original: TemporaryName.original(of: entry.name),
                        size: entry.attributes.size, modified: modified)
                }
            }.sorted { $0.path.joined.lexicographicallyPrecedes($1.path.joined) }
        }
    }

    /// Removes those that are so old. One round trip each.
    ///
    /// - Returns: what was removed, and what was not, with the reason.
    package func removeLeftOvers(
        olderThan age: Duration, cancellation: Cancellation
    ) -> [(file: LeftOver, error: StoreError?)] {
        leftOvers(olderThan: age).map { file in
            do throws(StoreError) {
                try requireWritable()
                try store.removeFile(file.path, cancellation: cancellation)
                logger.notice("\(file.path): removed, it was left over")
            } catch {
                guard error.kind == .notFound else { return (file, error) }
            }
            tree.withLock { $0.forgetTemporaryFile(file.path) }
            return (file, nil)
        }
    }
}

extension Tree {
    /// Notes what a listing has shown of temporary names.
    mutating func noteTemporaryFiles(_ entries: [RemoteEntry], in directory: InodeNumber) {
        temporaryFiles[directory] = entries.isEmpty ? nil : entries
    }

    fileprivate mutating func forgetTemporaryFile(_ path: RemotePath) {
        for (number, entries) in temporaryFiles {
            guard let directory = inodes[number], inodes.path(of: directory) == path.parent else { continue }
            noteTemporaryFiles(entries.filter { $0.name != path.name }, in: number)
        }
    }
}
