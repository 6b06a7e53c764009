import Logging
import Threading
import Vocabulary

/// The transfers of an upload. All of this happens inside the file's gate. What becomes of one that broke is in
/// `FileSystem+Broken`.
extension FileSystem {
    /// What an upload has brought about.
    struct Sent {
        /// How long the file is on the server.
        var size: Int64
        /// Its mode, if that was set.
        var mode: UInt32?
        /// Whether the server has made the file, so that it has the mode that the server gives.
        var isMadeAnew: Bool
    }

    /// Sends all that the server lacks when this is called.
    func send(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Sent {
        try resolveBroken(content, cancellation)
        let seen = tree.withLock { $0.seenWrites }
        var appends = store.capabilities.appends && !seen.isBroken(.append)
        var patches = !seen.isBroken(.patch)
        while true {
            var (plan, target) = content.state.withLock {
                $0.plan(appends: appends, replacesStart: store.capabilities.replacesStart)
            }
            if case .patch = plan, !patches { plan = .whole }
            switch plan {
            case .nothing:
                break
            case .append(let range):
                guard try append(range, target, of: content, cancellation) else {
                    appends = false
                    continue
                }
            case .patch(let ranges):
                guard try patch(ranges, target, of: content, cancellation) else {
                    patches = false
                    continue
                }
            case .whole:
                target = try sendWhole(content, cancellation)
            }
            if hasGivenWay(content) { continue }
            if target == .temporary, try !isAsLongAsMeant(content, cancellation) { continue }
            let mode = target == .temporary ? try publish(content, cancellation) : nil
            discardTemporary(of: content)
            return content.state.withLock {
                Sent(size: $0.serverSize, mode: mode, isMadeAnew: $0.isMadeAnew)
            }
        }
    }

    // MARK: - Where things are

    /// Runs `body` with the path of a file, or of its temporary name beside it.
    func atTarget<Result>(
        _ target: UploadPlan.Target, of content: FileContent, _ body: (RemotePath) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let temporary = target == .temporary ? content.state.withLock { $0.temporary } : nil
        return try atPath(of: content.inode) { path throws(StoreError) in
            try body(temporary.map { path.parent.appending($0) } ?? path)
        }
    }

    /// Ends a stream that reads the file which is about to be written: some servers (vsftpd) lock a file that is being
    /// read, and the transfer would wait for a reader of ours that waits for its program. Who still wants to read
    /// begins anew.
    func endReading(of content: FileContent) {
        let version = tree.withLock { tree -> UInt64? in
            guard let inode = tree.inodes[content.inode], inode.readers > 0 else { return nil }
            return tree.inodes.takeVersion()
        }
        guard let version else { return }
        // Another version is another content: what is read of the present one ends.
        content.reader.read(0..<0, size: nil, version: version, Cancellation()) { _ in }
    }

    /// Until when a size that we have made is taken for what the server has.
    var trustedUntil: Instant { configuration.now().advanced(by: configuration.dirTTL) }

    // MARK: - The first of a kind

    /// Looks, after the first transfer of its kind, whether the file is as long as it should be.
    ///
    /// - Parameter told: how long it is, if the server has said it behind the transfer.
    /// - Throws: `inputOutput` when it is shorter.
    func checkFirst(
        _ kind: SeenWrites.Kind, size expected: Int64, told: Int64? = nil, of content: FileContent,
        _ cancellation: Cancellation
    ) throws(StoreError) {
        guard tree.withLock({ $0.seenWrites.isOpen(kind) }) else { return }
        let size = if let told { told } else { try serverSize(of: content, cancellation) }
        let finding = tree.withLock { [size] tree in tree.seenWrites.note(kind, size: size, expected: expected) }
        guard finding == .broken else { return }
        throw StoreError(
            .inputOutput,
            "the server has not kept the rest of a file of which a part was written: \(size ?? 0) bytes are there"
                + " instead of \(expected)")
    }

    // MARK: - The bytes

    /// Sends bytes through an open transfer, and waits for the server's word.
    ///
    /// What else is wished of the file leaves with the last of them, where that is possible.
    ///
    /// - Returns: false when an upload that went on behind a broken one has not come to the length that was meant; it is of
    ///   no use then.
    /// - Parameter head: up to where the transfer has got them already.
    /// - Parameter check: what has to be made sure before that word is believed.
    @discardableResult
    func feed(
        _ stream: any RemoteWriteStream, _ range: Range<Int64>, behind head: Int64 = 0, of content: FileContent,
        _ target: UploadPlan.Target, _ cancellation: Cancellation, check: () throws(StoreError) -> Void = {}
    ) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try handOver(range, behind: head, of: content, to: stream, cancellation)
            let usual = tree.withLock { $0.usualFileMode }
            // A temporary file gets its mode before it takes the place of the old one.
            let errands =
                target == .name ? content.state.withLock { $0.errands(usualMode: usual) } : UploadErrands()
            let outcome = try stream.finish(doing: errands, cancellation: cancellation)
            content.state.withLock { $0.settle(errands, outcome) }
        } catch {
            stream.abort()
            content.state.withLock { $0.broke(mayGoOn: stream.mayGoOn) }
            throw error
        }
        try check()
        guard try isAsLongAsMeant(content, target, cancellation) else { return false }
        content.state.withLock { $0.confirmed(trustedUntil: trustedUntil) }
        return true
    }
}
