import Threading

/// What is known of a transfer that broke, by the rules of ``LateBytes``.
extension WriteState {
    /// A transfer begins to open.
    ///
    /// - Parameter isAtEnd: whether its bytes go to the end of the file, wherever that is.
    mutating func opens(at start: Int64, isAtEnd: Bool) {
        (openedAt, opensAtEnd) = (start, isAtEnd)
    }

    /// The transfer of the present attempt has failed.
    ///
    /// - Parameter mayGoOn: whether the server may not be done with it.
    mutating func broke(mayGoOn: Bool) {
        guard mayGoOn, let attempt, !attempt.isConfirmed, openedAt < attempt.reach else { return }
        noteLate(openedAt..<attempt.reach, isAtEnd: opensAtEnd, at: attempt.target)
    }

    /// A transfer of a range in the middle of the file has failed.
    mutating func patchBroke(_ range: Range<Int64>, mayGoOn: Bool) {
        if mayGoOn { noteLate(range, isAtEnd: false, at: .name) }
    }

    private mutating func noteLate(_ range: Range<Int64>, isAtEnd: Bool, at target: UploadPlan.Target) {
        // What has been written again since it was handed over is dirty once more.
        let isStale = map.dirty.ranges.contains { $0.overlaps(range) }
        noteLate(LateBytes(range, isAtEnd: isAtEnd, isStale: isStale), at: target)
    }

    /// Bytes may come late.
    mutating func noteLate(_ bytes: LateBytes, at target: UploadPlan.Target) {
        late[target] = late[target]?.joined(bytes) ?? bytes
    }

    /// Forgets what cannot come any more.
    ///
    /// - Parameter isAnswered: whether a look at the file of that name, or at the temporary one, has been answered.
    mutating func looked(at target: UploadPlan.Target, now: Instant, isAnswered: Bool = true) {
        if isAnswered { late[target]?.seen(at: now) }
        if late[target]?.havePassed(at: now) == true { late[target] = nil }
    }

    /// Whether nothing more may be sent to the file that has the name.
    var needsNewFile: Bool { late[.name]?.needsNewFile ?? false }

    /// Whether what is sent to a target next has to say where it belongs.
    func mustPlace(at target: UploadPlan.Target) -> Bool { late[target] != nil }

    /// The content here has been changed.
    mutating func changedLate(_ range: Range<Int64>) {
        for target in late.keys { late[target]?.changed(range) }
    }

    /// What is known of an attempt that broke: so much of it has arrived.
    ///
    /// - Parameter size: the size of the file that it went to; `nil`: what arrived is of no use.
    /// - Returns: whether it can be gone on with.
    mutating func resolveBroken(size: Int64?, trustedUntil instant: Instant) -> Bool {
        guard let broken = attempt, !broken.isConfirmed else { return true }
        guard let size, broken.isFirst, size >= broken.start, size <= broken.reach else {
            abandonAttempt()
            return false
        }
        if let bytes = late[broken.target] {
            if size == broken.reach, bytes.range.upperBound <= size {
                late[broken.target] = nil
            } else if bytes.needsNewFile {
                abandonAttempt()
                return false
            }
        }
        map.giveBack(from: size)
        attempt?.reach = size
        confirmed(trustedUntil: instant)
        isResumed = true
        return true
    }

    /// What was sent is of no use. Some of it may be on the server.
    mutating func abandonAttempt() {
        if attempt != nil { hasLeftParts = true }
        attempt = nil
        isResumed = false
        map.giveBack()
    }
}
