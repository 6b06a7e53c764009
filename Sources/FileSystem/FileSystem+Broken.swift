import Logging
import Threading
import Vocabulary

/// Going on after a transfer that broke, by the rules of ``LateBytes``: this is the one place that asks how much of it has
/// arrived, and that decides whether the answer can be believed.
///
/// An upload that has gone on behind the part of a broken one is believed only when the file has the length that was meant
/// (``isAsLongAsMeant(_:_:)``). If it has not, the whole is sent, to a new file.
extension FileSystem {
    /// From how much on it is worth a look how much of a broken transfer has arrived.
    private static let worthResuming: Int64 = 1 << 20
    /// How much is brought here in order to send it again, rather than to wait until nothing can come late: what a line of
    /// 10 Mbit/s moves there and back in that time (``LateBytes/lifetime``) is about twice that.
    static let maximumFetch: Int64 = 64 << 20

    /// Finds out what became of a transfer that broke, and what can be sent next.
    ///
    /// - Throws: when the server does not answer, or nothing can be sent now.
    func resolveBroken(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        try resolveAttempt(content, cancellation)
        try resolveLate(content, cancellation)
    }

    /// Whether all of an append that broke is there.
    func hasArrived(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        try resolveAttempt(content, cancellation)
        return content.state.withLock { $0.plan(appends: true).plan == .nothing }
    }

    private func resolveAttempt(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        let broken = content.state.withLock { $0.attempt.flatMap { $0.isConfirmed ? nil : $0 } }
        guard let broken else { return }
        var size: Int64?
        if broken.isAppend || broken.reach - broken.start >= Self.worthResuming {
            do throws(StoreError) {
                size = try look(at: broken.target, of: content, cancellation)
            } catch  where error.isRefusal {
                size = nil
            }
        }
        let (goesOn, isLate) = content.state.withLock { [size] state in
            (state.resolveBroken(size: size, trustedUntil: trustedUntil), state.needsNewFile)
        }
        if goesOn { return logger.notice("a broken upload goes on behind the first \(size ?? 0) bytes") }
        // What was there before the append is not there any more, or somebody else's bytes follow it.
        if broken.isAppend, broken.target == .name, !isLate, let size { try content.rebase(onto: size) }
    }

    /// Looks how long a file is, which starts the clock of what may come late to it.
    private func look(
        at target: UploadPlan.Target, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Int64? {
        let size = try atTarget(target, of: content) { path throws(StoreError) in
            try store.size(of: path, cancellation: cancellation)
        }
        content.state.withLock { $0.looked(at: target, now: configuration.now()) }
        return size
    }

    // MARK: - What may come late

    /// Sees to it that a new file can take the place of one to which nothing may be sent.
    private func resolveLate(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        let (mustWait, late, known, isReplaced) = content.state.withLock { state in
            state.looked(at: .name, now: configuration.now(), isAnswered: false)
            return (state.needsNewFile && state.isDirty, state.late[.name], state.serverSize, state.mustReplace)
        }
        guard mustWait, let late else { return }
        if isReplaced { return try requireNewFile(beside: content, cancellation) }
        let size = try look(at: .name, of: content, cancellation)
        guard content.state.withLock({ $0.needsNewFile }) else { return }
        if late.isAtEnd {
            // Somebody else's bytes must not be lost with the old file.
            guard let size, (known...max(known, late.range.upperBound)).contains(size),
                try isOurs(known..<size, of: content, cancellation)
            else { throw Self.tooEarly }
        }
        let missing = content.state.withLock { state in
            state.map.missing(in: 0..<state.size).reduce(Int64(0)) { $0 + ($1.upperBound - $1.lowerBound) }
        }
        guard missing <= Self.maximumFetch else { throw Self.tooEarly }
        try requireNewFile(beside: content, cancellation)
    }

    private func requireNewFile(beside content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        if allowsTemporary(beside: content) {
            return logger.notice("bytes of a broken upload may come late: the whole goes to a new file")
        }
        do throws(StoreError) {
            _ = try look(at: .name, of: content, cancellation)
        } catch  where error.isRefusal {
            // There is none: it may come late all the same.
            content.state.withLock { $0.looked(at: .name, now: configuration.now()) }
        }
        try requireOwnName(of: content)
    }

    /// Makes sure that a file may be sent to under its own name.
    func requireOwnName(of content: FileContent) throws(StoreError) {
        if content.state.withLock({ $0.needsNewFile }) { throw Self.tooEarly }
    }

    private static let tooEarly = StoreError(
        .inputOutput,
        "bytes of an upload that was cut off may still be on their way; it can go on when none can come any more, two minutes"
            + " after the server is there again")

    /// A command that begins a file anew has been lost.
    func noteLostCommand(_ error: StoreError, _ target: UploadPlan.Target, of content: FileContent) {
        guard error.mayGoOn, target == .name else { return }
        content.state.withLock { $0.noteLate(.emptying, at: .name) }
    }

    /// A command that goes on with a file has got no answer. Where bytes may come late, the server has not given up the transfer
    /// that broke, and may keep the file for it as long as that takes (vsftpd locks what is written; a connection that nobody
    /// has ended lasts until its own limit).
    func noteHeld(_ error: StoreError, _ target: UploadPlan.Target, of content: FileContent) {
        guard error.kind == .timedOut else { return }
        content.state.withLock { state in
            if state.mustPlace(at: target) { state.noteLate(.emptying, at: target) }
        }
    }

    // MARK: - The length in the end

    /// ``isAsLongAsMeant(_:_:)`` for a transfer that has just ended: a temporary file is looked at when all has been sent.
    func isAsLongAsMeant(
        _ content: FileContent, _ target: UploadPlan.Target, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        if target == .temporary { return true }
        return try isAsLongAsMeant(content, cancellation)
    }

    /// Whether an upload that went on behind the part of a broken one has come to the length that was meant, before that
    /// counts. All others have. If not, it is of no use, and all that it brought is to be sent again.
    func isAsLongAsMeant(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        let (isDoubtful, attempt, mayBeLonger) = content.state.withLock { state in
            // One that gave way goes on later.
            (state.isResumed && !state.isInterrupted, state.attempt, state.isAppendOnly)
        }
        guard isDoubtful, let attempt else { return true }
        var size: Int64?
        do throws(StoreError) {
            size = try look(at: attempt.target, of: content, cancellation)
        } catch  where error.isRefusal {
            size = nil
        }
        // Others may append to a file that is appended to.
        let isRight = size == attempt.reach || (mayBeLonger && attempt.target == .name && size ?? 0 > attempt.reach)
        content.state.withLock { state in
            state.isResumed = false
            if !isRight { state.distrust() }
        }
        if !isRight {
            logger.warning(
                "an upload that went on behind a broken one came to \(size ?? 0) bytes instead of \(attempt.reach); sending all"
            )
        }
        return isRight
    }
}
