import Threading
import Vocabulary

/// Appending.
///
/// Of a file that only grew, the new bytes are sent alone, but only if they belong where they will go: the
/// server's size must be the offset at which they begin. A look tells (one round trip, `SIZE` where there is one); after
/// an upload of our own none is needed for a while. If the size is another one, somebody else has changed the file.
/// Bytes written with O_APPEND then follow what is there, wherever that ends, as O_APPEND promises; all others belong
/// to their offsets, so they are laid over the server's content, and the whole is sent.
///
/// ## Round trips
/// Bytes written with O_APPEND go out with the command, and that with the look, in one flight: what the look tells only says
/// where they are. All others wait for the look, and then go out with the command. So an append is begun before the server
/// has said anything; what broke then may be in the file, and is looked for before it is sent again.
extension FileSystem {
    /// - Returns: false when the plan does not hold: the server has no command for it, or another file than we knew.
    func append(
        _ range: Range<Int64>, _ target: UploadPlan.Target, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        switch target {
        case .name:
            return try appendToName(range, of: content, cancellation)
        case .temporary:
            try checkTemporary(range.lowerBound, of: content, cancellation)
            let stream = try openAppend(
                at: range.lowerBound, target, of: content, whenWanted: givingWay(content), cancellation)
            guard let stream else { return false }
            return try feed(stream, range, of: content, target, cancellation)
        }
    }

    private func appendToName(
        _ range: Range<Int64>, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Bool {
        let question: SizeQuestion
        switch try checkEnd(range.lowerBound, of: content, cancellation) {
        case .elsewhere: return false
        case .asExpected: question = .none
        case .wherever: question = .tell
        }
        do throws(StoreError) {
            let first = Self.head(of: range)
            guard let stream = try beginAppend(range, first, question, of: content, cancellation) else { return false }
            noteEnd(range.lowerBound, stream.sizeBefore, question, of: content)
            let isCheckable = !store.capabilities.isProven && !content.state.withLock { $0.isSkewed }
            return try feed(stream, range, behind: first.upperBound, of: content, .name, cancellation) {
                () throws(StoreError) in
                // One that gave way goes on later.
                if isCheckable, !content.state.withLock({ $0.isInterrupted }) {
                    try checkFirst(.append, size: range.upperBound, of: content, cancellation)
                }
            }
        } catch  where error.kind == .inputOutput {
            // The confirmation may be all that is missing. What cannot be looked at now is looked at before the next attempt.
            let isThere = (try? hasArrived(content, cancellation)) ?? false
            if !isThere { throw error }
            return true
        }
    }

    /// Begins an append with its first bytes. From here on they may be in the file, unless the server refuses it.
    ///
    /// - Returns: `nil` when the server has no command for it.
    private func beginAppend(
        _ range: Range<Int64>, _ first: Range<Int64>, _ question: SizeQuestion, of content: FileContent,
        _ cancellation: Cancellation
    ) throws(StoreError) -> (any RemoteWriteStream)? {
        let wasTouched = content.state.withLock { state in
            defer {
                state.beginAttempt(.name, from: range.lowerBound, isAppend: true)
                state.hand(over: first)
            }
            return state.isTouched
        }
        do throws(StoreError) {
            let stream = try withHead(first, of: range, content) { head throws(StoreError) in
                try openAppend(
                    at: range.lowerBound, .name, head: head, size: question, of: content,
                    whenWanted: givingWay(content), cancellation)
            }
            if stream == nil { content.state.withLock { $0.appendRefused(wasTouched: wasTouched) } }
            return stream
        } catch {
            content.state.withLock { state in
                if error.isVerdict { state.appendRefused(wasTouched: wasTouched) }
                state.broke(mayGoOn: error.mayGoOn)
            }
            throw error
        }
    }

    /// Notes where the server's file ended when bytes were appended to it, wherever that was.
    private func noteEnd(_ end: Int64, _ answer: SizeAnswer, _ question: SizeQuestion, of content: FileContent) {
        guard question == .tell, answer != .size(end) else { return }
        let size: Int64? =
            switch answer {
            case .size(let size): size
            // Whoever appends to a file that was moved away, as logs are, makes a new one.
            case .noFile: 0
            case .unknown: nil
            }
        content.state.withLock { $0.appendsElsewhere(thanAt: size) }
    }

    /// Where bytes for the end of a file go.
    private enum End {
        /// Where they belong.
        case asExpected
        /// To the end, wherever that is; the answer comes with the transfer.
        case wherever
        /// Not there: another plan is needed.
        case elsewhere
    }

    /// Makes sure that bytes for the end of a file belong there.
    private func checkEnd(
        _ end: Int64, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> End {
        let (isTrusted, isAppendOnly, isWhole) = content.state.withLock { state in
            let isKnown = state.isSizeTrusted(at: configuration.now())
            return (isKnown || (state.isAppendOnly && state.sizeTrustedUntil != nil), state.isAppendOnly, state.isWhole)
        }
        if isTrusted { return .asExpected }
        // Of what is whole here, a file that has gone is made anew.
        if isAppendOnly, !isWhole, store.capabilities.looksInFlight, store.capabilities.isProven { return .wherever }
        let size: Int64?
        do throws(StoreError) {
            size = try serverSize(of: content, cancellation)
        } catch  where error.kind == .notFound {
            guard isWhole else {
                throw StoreError(.changedRemotely, "the file was removed on the server while it was changed here")
            }
            try content.rebase(onto: 0)
            return .elsewhere
        }
        if size == end { return .asExpected }
        if isAppendOnly {
            content.state.withLock { $0.appendsElsewhere(thanAt: size) }
            return .asExpected
        }
        try content.rebase(onto: size ?? end)
        return .elsewhere
    }

    /// Makes sure that a temporary file is still there before something is appended to it: appending makes a file that
    /// is missing, and it would hold the rest alone.
    func checkTemporary(
        _ end: Int64, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) {
        do throws(StoreError) {
            let size = try atTarget(.temporary, of: content) { path throws(StoreError) in
                try store.size(of: path, cancellation: cancellation)
            }
            if size == end { return }
        } catch  where error.isRefusal {
            // It is gone.
        }
        content.state.withLock { $0.abandonAttempt() }
        throw StoreError(.changedRemotely, "the part of the file that had been sent was changed on the server")
    }

    /// Opens a transfer for the end of a file: `APPE`, or a write at that very offset. The latter only where it was seen
    /// that a server heeds the offset: another one would cut the file. Where bytes may come late (``LateBytes``), nothing but
    /// the latter.
    ///
    /// - Parameter head: its first bytes, which have been handed over.
    /// - Parameter question: what has to be known of the size before.
    /// - Returns: `nil` when the server has neither.
    func openAppend(
        at end: Int64, _ target: UploadPlan.Target, head: UploadHead? = nil, size question: SizeQuestion = .none,
        of content: FileContent, whenWanted: (@Sendable () -> Void)?, _ cancellation: Cancellation
    ) throws(StoreError) -> (any RemoteWriteStream)? {
        if target == .name { endReading(of: content) }
        let mustPlace = content.state.withLock { $0.mustPlace(at: target) }
        for mode in mustPlace ? [.at(end)] : [RemoteWriteMode.append, .at(end)] {
            if mode != .append {
                if end == 0 { continue }
                guard try keepsTail(content, cancellation) else { continue }
            }
            content.state.withLock { $0.opens(at: end, isAtEnd: mode == .append) }
            do throws(StoreError) {
                return try atTarget(target, of: content) { path throws(StoreError) in
                    try store.openWrite(
                        path, mode: mode, head: head, size: question, whenWanted: whenWanted, cancellation: cancellation
                    )
                }
            } catch  where error.kind == .unsupported {
                continue
            } catch {
                noteHeld(error, target, of: content)
                throw error
            }
        }
        return nil
    }
}
