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
        var question = SizeQuestion.none
        if target == .name {
            let (isTrusted, known) = content.state.withLock {
                ($0.isSizeTrusted(at: configuration.now()), $0.serverSize)
            }
            if !isTrusted, store.capabilities.looksInFlight {
                question = .require(known)
            } else if !isTrusted, try isElsewhere(than: known, content, cancellation) {
                return false
            }
        }
        content.state.withLock { $0.patch(ranges) }
        var size: Int64?
        do throws(StoreError) {
            for range in ranges {
                let isLast = range == ranges.last
                let stream: any RemoteWriteStream
                do throws(StoreError) {
                    stream = try openPatch(range, target, question, of: content, cancellation)
                } catch  where error.kind == .changedRemotely && question != .none {
                    content.state.withLock { $0.patchFailed() }
                    // What it is now is asked for once more, since nothing depends on how long that takes.
                    if try !isElsewhere(than: content.state.withLock { $0.serverSize }, content, cancellation) {
                        throw error
                    }
                    return false
                }
                question = .none
                do throws(StoreError) {
                    if let spool = content.state.withLock({ $0.spool }) {
                        try spool.send(range, through: stream, cancellation)
                    }
                    let isAsked = isLast && target == .name && tree.withLock { $0.seenWrites.isOpen(.patch) }
                    size = try stream.finish(doing: UploadErrands(asksSize: isAsked), cancellation: cancellation).size
                } catch {
                    stream.abort()
                    if target == .name { content.state.withLock { $0.patchBroke(range, mayGoOn: stream.mayGoOn) } }
                    throw error
                }
            }
            if target == .name {
                let end = content.state.withLock { max($0.serverSize, ranges.last?.upperBound ?? 0) }
                try checkFirst(.patch, size: end, told: size, of: content, cancellation)
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

    /// Begins to write over a range, with its first bytes.
    private func openPatch(
        _ range: Range<Int64>, _ target: UploadPlan.Target, _ question: SizeQuestion, of content: FileContent,
        _ cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        if target == .name { endReading(of: content) }
        let mode = range.lowerBound == 0 ? RemoteWriteMode.over(range.upperBound) : .at(range.lowerBound)
        return try withHead(Self.head(of: range), of: range, content) { head throws(StoreError) in
            try atTarget(target, of: content) { path throws(StoreError) in
                do throws(StoreError) {
                    return try store.openWrite(
                        path, mode: mode, head: head, size: question, whenWanted: nil, cancellation: cancellation)
                } catch {
                    noteHeld(error, target, of: content)
                    if target == .name { content.state.withLock { $0.patchBroke(range, mayGoOn: error.mayGoOn) } }
                    throw error
                }
            }
        }
    }

    /// Whether the server's file has another length than we knew. What was written here is then laid over it.
    private func isElsewhere(
        than known: Int64, _ content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        guard let size = try serverSize(of: content, cancellation), size != known else { return false }
        try content.rebase(onto: size)
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
