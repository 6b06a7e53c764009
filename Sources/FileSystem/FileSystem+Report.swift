package import Threading
package import Vocabulary

/// What of one open file the server lacks, and how far sending it has come; a copy.
package struct UnsentReport: Hashable, Sendable {
    /// Where it belongs.
    package let path: RemotePath
    /// Where the present transfer goes: ``path``, or a temporary name beside it.
    package let target: RemotePath
    /// How long the file is.
    package let size: Int64
    /// How many bytes the server lacks, or has not confirmed.
    package let unsent: Int64
    /// Whether a transfer is under way.
    package let isSending: Bool
    /// Up to where the file has been handed over, where the transfer goes along with the writing; `nil` otherwise.
    package let streamed: Int64?
    /// Where the transfer under way began in the file.
    package let start: Int64
    /// Why the last attempt failed.
    package let failure: StoreError?
}

extension FileSystem {
    /// The open files of which something is not on the server. Blocks for no longer than it takes to look at them.
    package var unsentFiles: [UnsentReport] {
        let contents = tree.withLock { tree in
            tree.openContents.compactMap { content in
                tree.inodes[content.inode].flatMap { tree.inodes.path(of: $0) }.map { (content, $0) }
            }
        }
        return contents.compactMap { content, path in
            content.state.withLock { state in
                guard state.isDirty else { return nil }
                let ranges = state.unsentRanges
                let target = state.attempt?.target == .temporary ? state.temporary : nil
                return UnsentReport(
                    path: path, target: target.map { path.parent.appending($0) } ?? path, size: state.size,
                    unsent: ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) },
                    isSending: state.transfer != nil,
                    streamed: state.stream.isRunning ? state.stream.reach : nil, start: state.attempt?.start ?? 0,
                    failure: state.failure?.error)
            }
        }.sorted { $0.path.joined.lexicographicallyPrecedes($1.path.joined) }
    }

    /// How many bytes of file content may be kept in memory.
    package var cacheCapacity: Int { chunks.capacity }

    /// Sends everything that the server lacks now, several files at a time, and waits for its verdict.
    ///
    /// Blocks as long as that takes; the store's deadlines bound each step. When cancelled it returns at once, and the
    /// files go on being sent.
    ///
    /// - Returns: what could not be sent, and why; it stays in the spool. `nil`: cancelled.
    package func sendEverything(_ cancellation: Cancellation) -> [(path: RemotePath, reason: StoreError)]? {
        let contents = tree.withLock { $0.openContents }.filter { $0.state.withLock { $0.isDirty && !$0.isLeft } }
        let outcome = Monitor((left: contents.count, failures: [(path: RemotePath, reason: StoreError)]()))
        for content in contents {
            let send: @Sendable () -> Void = { [self] in
                var failure: StoreError?
                // Nobody can take this back: who has asked for it may be gone while others rely on it.
                do throws(StoreError) { try upload(content, Cancellation()) } catch { failure = error }
                let path = tree.withLock { tree in tree.inodes[content.inode].flatMap { tree.inodes.path(of: $0) } }
                outcome.withLockThenWake { outcome in
                    outcome.left -= 1
                    if let failure { outcome.failures.append((path ?? .root, failure)) }
                }
            }
            do throws(StoreError) {
                try feeders.submit(send)
            } catch {
                outcome.withLock { outcome in
                    outcome.left -= 1
                    outcome.failures.append((.root, error))
                }
            }
        }
        let done = outcome.wait(until: .never, cancellation: cancellation) { outcome in
            outcome.left == 0 ? outcome.failures : nil
        }
        guard case .ready(let failures) = done else { return nil }
        // What waited (`writeback`) is told that it has been sent, and what has come to wait meanwhile is sent too.
        while failures.isEmpty, !waitForUploads(until: .after(.seconds(1))) {
            if cancellation.isCancelled { return nil }
        }
        return failures
    }
}

extension FileSystem {
    /// What is kept on this side of files whose content the server may not have. Reads two local directories.
    package var keptFiles: KeptFiles { spool.kept }
}
