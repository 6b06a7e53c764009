/// How a file takes the place of another one on a server whose `RNTO` does not replace (IIS, FileZilla Server, whatever
/// runs on Windows). No I/O: outcomes go in, the next action comes out.
///
///     direct ── done ───────────────────────────────────────────────────────────────► success
///       │ refused: look
///       ├── the source is gone, the target is there: it was done all the same ───────► success
///       ├── the target is a file, and may be replaced ──► aside
///       └── anything else ──────────────────────────────────────────────────────────► failure, nothing changed
///     aside:    target → aside ── done ──► move
///       └── refused, or nobody knows: look; moved ──► move;  not moved ─────────────► failure, nothing changed
///     move:     source → target ── done ──► discard
///       ├── refused, or nobody knows: look
///       │     the source is gone, the target is there ──► discard
///       │     the source is there, the target is not ──► restore
///       └── neither, or it cannot be looked ────────────────────────────────────────► failure, both files are there
///     restore:  aside → target ── done ─────────────────────────────────────────────► failure, as it was
///       └── not done: look; restored? ──────────────────────────────────────────────► failure, and the log says where
///     discard:  remove aside ── done or not ────────────────────────────────────────► success; what is left is logged
///
/// At no point is there one copy only of something that is still wanted: the old file is removed when the new one has
/// been seen, or confirmed, in its place, and the new one is never touched but by the rename itself.
///
/// The old file is beside its name, so that it is on the same disk, under a name that begins with `.ftpfs-`.
struct ReplacingRename: Equatable {
    /// The three names that play a part.
    enum Name: Hashable, Sendable {
        case source
        case target
        /// Where the old file waits.
        case aside
    }

    /// How an action ended.
    enum Outcome: Equatable {
        case done
        /// The server has not done it.
        case refused(FTPError)
        /// Nobody knows: the connection was lost, or the answer did not come.
        case unknown(FTPError)
        /// What a look found.
        case found(Places)
        /// The look failed.
        case unseen(FTPError)
    }

    /// What there is, as far as it was looked for.
    struct Places: Equatable {
        var source: Bool
        var target: Bool
        var aside = false
        /// Whether source and target are both files, so that the one may take the place of the other.
        var areFiles = true
    }

    enum Action: Equatable {
        case rename(Name, to: Name)
        case remove(Name)
        case look
        /// `leftover`: the old file could not be removed.
        case succeed(leftover: Bool)
        /// `stranded`: the old file is not in its place, or nobody knows.
        case fail(FTPError, stranded: Bool)
    }

    private enum Step: Equatable {
        case direct
        case aside
        case move
        case restore
        case discard
    }

    private let replaces: Bool
    private var step = Step.direct
    /// Why the last rename was not done.
    private var reason: FTPError?

    /// - Parameter replaces: whether a file at the target may go.
    init(replaces: Bool) {
        self.replaces = replaces
    }

    /// What to begin with.
    var first: Action { .rename(.source, to: .target) }

    /// Whether the old file may be out of its place, so that what comes must be done whether or not anybody waits for it.
    var isCommitted: Bool { step != .direct }

    mutating func ended(_ outcome: Outcome) -> Action {
        switch step {
        case .direct: direct(outcome)
        case .aside: aside(outcome)
        case .move: move(outcome)
        case .restore: restore(outcome)
        case .discard: discard(outcome)
        }
    }

    private mutating func direct(_ outcome: Outcome) -> Action {
        switch outcome {
        case .done:
            return .succeed(leftover: false)
        case .refused(let error):
            // Only RNTO is about the target, and only it may have been done in spite of its answer.
            guard case .refused("RNTO", _) = error else { return .fail(error, stranded: false) }
            reason = error
            return .look
        case .unknown(let error):
            return .fail(error, stranded: false)
        case .found(let places):
            if !places.source, places.target { return .succeed(leftover: false) }
            guard replaces, places.source, places.target, places.areFiles else { return failure(stranded: false) }
            step = .aside
            return .rename(.target, to: .aside)
        case .unseen:
            return failure(stranded: false)
        }
    }

    private mutating func aside(_ outcome: Outcome) -> Action {
        switch outcome {
        case .done:
            return begin(.move, .rename(.source, to: .target))
        case .refused:
            // Why the target was not replaced says more than why it did not go away.
            return .look
        case .unknown(let error):
            reason = error
            return .look
        case .found(let places):
            if places.aside, !places.target { return begin(.move, .rename(.source, to: .target)) }
            return failure(stranded: !places.target)
        case .unseen:
            return failure(stranded: true)
        }
    }

    private mutating func move(_ outcome: Outcome) -> Action {
        switch outcome {
        case .done:
            return begin(.discard, .remove(.aside))
        case .refused(let error), .unknown(let error):
            reason = error
            return .look
        case .found(let places):
            if !places.source, places.target { return begin(.discard, .remove(.aside)) }
            // Somebody else has made a file there, or the source has gone: nothing may be overwritten.
            guard places.source, !places.target else { return failure(stranded: true) }
            return begin(.restore, .rename(.aside, to: .target))
        case .unseen:
            return failure(stranded: true)
        }
    }

    private mutating func restore(_ outcome: Outcome) -> Action {
        switch outcome {
        case .done: failure(stranded: false)
        case .refused, .unknown: .look
        case .found(let places): failure(stranded: places.aside || !places.target)
        case .unseen: failure(stranded: true)
        }
    }

    private func discard(_ outcome: Outcome) -> Action {
        .succeed(leftover: outcome != .done)
    }

    private mutating func begin(_ next: Step, _ action: Action) -> Action {
        step = next
        return action
    }

    private func failure(stranded: Bool) -> Action {
        .fail(reason ?? .closed, stranded: stranded)
    }
}
