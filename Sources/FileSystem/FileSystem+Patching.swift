import Logging
import Threading
import Vocabulary

/// Changing a part of a large file.
///
/// Ranges are written over in place, each by a transfer of its own, on servers that were seen to leave the rest alone:
/// by this mount, with a scratch file, or, of the products in the client's table, by those who made the table. Either way
/// the first patch of a mount is followed by a look at the size (``SeenWrites``).
/// That is not one step: when the connection breaks in the middle, a part of the ranges is in the server's file.
/// All of them stay dirty then, and in the spool; sending them again puts it right.
extension FileSystem {
    /// - Returns: false when the server does not do it.
    func patch(
        _ ranges: [Range<Int64>], _ target: UploadPlan.Target, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        guard try keepsTail(content, cancellation) else { return false }
        if target == .name {
            let (isTrusted, known) = content.state.withLock {
                ($0.isSizeTrusted(at: configuration.now()), $0.serverSize)
            }
            if !isTrusted, let size = try serverSize(of: content, cancellation), size != known {
                try content.rebase(onto: size)
                return false
            }
        }
        let spool = content.state.withLock { state in
            state.patch(ranges)
            return state.spool
        }
        do throws(StoreError) {
            for range in ranges {
                if target == .name { endReading(of: content) }
                let stream = try atTarget(target, of: content) { path throws(StoreError) in
                    try store.openWrite(
                        path, mode: range.lowerBound == 0 ? .over(range.upperBound) : .at(range.lowerBound),
                        whenWanted: nil, cancellation: cancellation)
                }
                do throws(StoreError) {
                    if let spool {
                        try spool.send(range, through: stream, cancellation)
                    }
                    try stream.finish(cancellation: cancellation)
                } catch {
                    stream.abort()
                    throw error
                }
            }
            if target == .name {
                let end = content.state.withLock { max($0.serverSize, ranges.last?.upperBound ?? 0) }
                try checkFirst(.patch, size: end, of: content, cancellation)
            }
        } catch {
            content.state.withLock { target == .name ? $0.patchFailed() : $0.abandonAttempt() }
            if target == .name, error.kind != .unsupported {
                logger.error("a change may be on the server in part only, until the rest, which is kept, is sent too")
            }
            if error.kind == .unsupported { return false }
            throw error
        }
        content.state.withLock { $0.patched(target, trustedUntil: trustedUntil) }
        return true
    }

    func keepsTail(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        let scratch = try TemporaryName.make()
        do throws(StoreError) {
            return try atPath(of: content.inode) { path throws(StoreError) in
                try store.keepsTail(scratch: path.parent.appending(scratch), cancellation: cancellation)
            }
        } catch  where error.isRefusal {
            return false
        }
    }
}
