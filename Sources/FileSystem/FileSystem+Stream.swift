import Logging
import Threading
import Vocabulary

/// Sending a file while a program writes it.
///
/// A thread of its own opens the transfer and feeds it with what is written, as ``UploadStream`` says. It holds the
/// file's gate all the while; whoever wants in tells it how to end (``FileContent/enterGate(ending:_:)``). It never
/// decides what the outcome means: what has been confirmed is noted, and the next close does the rest, also if all that
/// was sent so has been lost.
extension FileSystem {
    /// Asks for a thread.
    func startStream(of content: FileContent) {
        do throws(StoreError) {
            try feeders.submit { [self] in runStream(of: content) }
        } catch {
            content.state.withLock { $0.stream.decline() }
        }
    }

    /// Slows a program down that writes faster than the line takes it.
    ///
    /// It is no more than that: when the transfer makes no progress, or waits for a connection that the program itself may
    /// be holding up, the bytes go to the spool as if there were no transfer.
    func waitForStream(of content: FileContent, _ cancellation: Cancellation) {
        var last = content.state.withLock { $0.stream.lag > UploadStream.maximumLag ? $0.stream.reach : nil }
        while let reach = last {
            let outcome = content.state.wait(until: .after(configuration.streamPatience), cancellation: cancellation) {
                state -> Int64?? in
                if state.stream.lag <= UploadStream.maximumLag { return .some(nil) }
                return state.stream.reach > reach ? .some(state.stream.reach) : nil
            }
            guard case .ready(let next) = outcome else { return }
            last = next
        }
    }

    private func runStream(of content: FileContent) {
        guard content.gate.tryEnter() else { return content.state.withLock { $0.stream.decline() } }
        defer { content.gate.leave() }
        // A rename that is announced from here on finds the gate taken.
        if tree.withLock({ $0.isMoving(content.inode, onServer: false) }) {
            return content.state.withLock { $0.stream.decline() }
        }
        let cancellation = Cancellation()
        let target = content.state.withLock { state in
            state.beginStream(cancellation, at: configuration.now())
        }
        guard let target else { return }
        if target == .name { noteBeginning(of: content, nil) }
        do throws(StoreError) {
            let stream = try openStream(target, of: content, cancellation)
            do throws(StoreError) {
                try run(stream, of: content, cancellation)
            } catch {
                stream.abort()
                content.state.withLock { $0.broke(mayGoOn: stream.mayGoOn) }
                throw error
            }
            content.state.withLockThenWake { $0.streamEnded() }
        } catch {
            content.state.withLockThenWake { $0.streamFailed(error) }
            guard error.kind != .cancelled else { return }
            logger.notice("sending a file while it is written was broken off, its close does the rest: \(error)")
        }
    }

    private func openStream(
        _ target: UploadPlan.Target, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        // The store keeps this for as long as the transfer lasts.
        let whenWanted: @Sendable () -> Void = { [weak content] in
            content?.state.withLockThenWake { _ = $0.stream.end(.pause) }
        }
        let (isWhole, reach) = content.state.withLock { state in
            (state.attempt == nil && state.mustReplace, state.stream.reach)
        }
        if isWhole {
            return try openWhole(target, of: content, whenWanted: whenWanted, cancellation).stream
        }
        if target == .temporary { try checkTemporary(reach, of: content, cancellation) }
        let stream = try openAppend(at: reach, target, of: content, whenWanted: whenWanted, cancellation)
        guard let stream else { throw StoreError(.unsupported, "the server has no command for appending") }
        content.state.withLock { state in
            if state.attempt == nil {
                state.beginAttempt(.name, from: reach, isAppend: true)
            } else {
                state.resumeAttempt()
            }
        }
        return stream
    }

    /// Feeds the transfer until it is to end.
    ///
    /// - Throws: also when it is abandoned.
    private func run(
        _ stream: any RemoteWriteStream, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) {
        while true {
            switch nextStep(of: content) {
            case .send(let range):
                let spool = content.state.withLock { state in
                    state.hand(over: range)
                    return state.spool
                }
                guard let spool else { throw StoreError(.inputOutput, "the spool is gone") }
                try spool.send(range, through: stream, cancellation)
                content.state.withLockThenWake { $0.stream.sent(to: range.upperBound) }
            case .wait:
                continue
            case .finish:
                try stream.finish(cancellation: cancellation)
                let target = content.state.withLock { $0.attempt?.target } ?? .name
                guard try isAsLongAsMeant(content, target, cancellation) else {
                    throw StoreError(.inputOutput, "what was sent is not all there")
                }
                return content.state.withLock { $0.confirmed(trustedUntil: trustedUntil) }
            case .abandon:
                throw .cancelled
            }
        }
    }

    private func nextStep(of content: FileContent) -> UploadStream.Step {
        let step = content.state.wait(until: .after(configuration.streamPatience)) { state -> UploadStream.Step? in
            let step = state.stream.next(isIdle: false)
            return step == .wait ? nil : step
        }
        return step ?? content.state.withLock { $0.stream.next(isIdle: true) }
    }
}
