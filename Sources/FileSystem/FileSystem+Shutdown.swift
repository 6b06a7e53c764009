package import SystemPackage
package import Threading
package import Vocabulary

/// What could not be sent before a mount ended.
package struct UnsentFile: Hashable, Sendable {
    /// Where it belongs.
    package let path: RemotePath
    /// Where its content is kept; `nil` when it is empty.
    package let keptAt: FilePath?
    /// Why it was not sent.
    package let reason: StoreError
}

extension FileSystem {
    /// Ends everything: sends what is unsent, as far as that is possible until the deadline, and closes all files and
    /// streams.
    ///
    /// Call it when no operation comes in any more. Blocks until the deadline at most, and for what the store takes
    /// to end a call that has been cancelled.
    ///
    /// - Returns: what could not be sent; it is kept in the spool.
    package func shutdown(deadline: Deadline) -> [UnsentFile] {
        endAhead()
        _ = drainUploads(until: deadline) { _ in }
        endSpace()
        sendEverything(until: deadline)
        let handles = tree.withLock { (Array($0.handles.files.keys), Array($0.handles.directories.keys)) }
        let unsent = handles.0.compactMap { close($0, sendsUnsent: false) }
        for handle in handles.1 { releaseDirectory(handle) }
        streams.close()
        errands.close()
        feeders.close()
        listingsAhead.close()
        chunks.removeAll()
        tree.withLock { tree in
            for inode in Array(tree.inodes.all) { tree.forget(inode.number, count: inode.lookups) }
            tree.directories.removeAll()
        }
        spool.close()
        return unsent
    }

    /// Uploads all that is dirty, several files at a time.
    private func sendEverything(until deadline: Deadline) {
        let contents = tree.withLock { $0.openContents }.filter { $0.state.withLock { $0.isDirty && !$0.isLeft } }
        guard !contents.isEmpty else { return }
        let cancellation = Cancellation()
        let left = Monitor(contents.count)
        for content in contents {
            let send: @Sendable () -> Void = { [self] in
                // What fails is found dirty afterwards, and reported.
                try? upload(content, cancellation)
                left.withLockThenWake { $0 -= 1 }
            }
            do throws(StoreError) { try feeders.submit(send) } catch { left.withLock { $0 -= 1 } }
        }
        if left.wait(until: deadline, for: { $0 == 0 ? () : nil }) == nil {
            cancellation.cancel()
            // The store ends a cancelled call at once; its own deadlines bound the wait in any case.
            _ = left.wait(until: .never) { $0 == 0 ? () : nil }
        }
    }
}
