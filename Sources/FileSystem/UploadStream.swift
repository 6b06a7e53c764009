/// Decides when a file that is being written begins to be sent, and what the thread that sends it does next. No lock,
/// no clock, no I/O: its owner (``WriteState``) tells it what happens.
///
/// ## Rules
/// 1. A file is sent while it is written once ``threshold`` bytes have come one after the other. A smaller one is sent
///    at its close by one command, and the program does not wait longer for that.
/// 2. Only what was written counts, and only up to the first gap (the *frontier*): a file that is first given its size
///    and then filled is not sent as zeros.
/// 3. A write behind what has been sent does not end the stream: those bytes are sent again afterwards, alone where the
///    server allows it. A program that keeps coming back (``maximumReturns``) is no sequential writer, and its
///    file is sent at the close.
/// 4. The stream *pauses* when the program writes nothing for a while, or when others need the connection: it ends the
///    transfer properly, so that the server has all that was sent, and goes on later behind it. So it needs no
///    connection of its own, and nobody waits for a program that thinks.
/// 5. A close makes it *finish*: it sends up to the end that the file had at the close, however much is written
///    meanwhile. A truncation or an unlink *abandons* it.
struct UploadStream: Hashable, Sendable {
    /// From how many bytes in a row on. A file of less is written in the time that a command takes; and `cp`, `tar` and
    /// compilers write by 128 KiB at the most, so two such writes tell that there will be more.
    static let threshold: Int64 = 256 << 10
    /// How much is handed to the transfer at a time. Other wishes are looked at in between: 4 MiB take a second on a
    /// line of 32 Mbit/s.
    static let piece: Int64 = 4 << 20
    /// How far a program may be ahead of the transfer before it is slowed down: far more than any line holds, little
    /// beside the memory of a machine, and a program's progress bar stays true.
    static let maximumLag: Int64 = 32 << 20
    /// How often a program may go back. Writers of archives fill in a header or two at the end.
    static let maximumReturns = 16

    /// How it is to end.
    enum End: Hashable, Sendable {
        /// Here; it may go on later.
        case pause
        /// When everything up to this offset has been sent.
        case finish(at: Int64)
        /// At once, and what has been sent is of no use.
        case abandon
    }

    /// What the sending thread does next.
    enum Step: Hashable, Sendable {
        case send(Range<Int64>)
        /// Nothing is there to be sent.
        case wait
        /// End the transfer properly.
        case finish
        case abandon
    }

    private enum Phase: Hashable {
        /// Not for this content.
        case off
        case resting
        /// A thread has been asked for.
        case requested
        case running(End?)
    }

    private var phase = Phase.resting
    /// Up to where the bytes have been handed to the transfer.
    private(set) var reach: Int64 = 0
    /// Up to where they have been written without a gap.
    private var frontier: Int64 = 0
    private var returns = 0

    /// Whether a thread sends.
    var isRunning: Bool { if case .running = phase { true } else { false } }

    /// How far the program is ahead of a transfer that is under way.
    var lag: Int64 { if case .running(nil) = phase { frontier - reach } else { 0 } }

    /// Begins anew: what is written from this offset on can be sent behind what the server has.
    mutating func reset(at offset: Int64) {
        self = UploadStream()
        reach = offset
        frontier = offset
    }

    // MARK: - The program

    /// Notes a write.
    ///
    /// - Returns: whether a thread has to be asked for, which calls ``begin()``.
    mutating func wrote(_ range: Range<Int64>) -> Bool {
        if phase == .off { return false }
        if range.lowerBound <= frontier { frontier = max(frontier, range.upperBound) }
        if range.lowerBound < reach {
            returns += 1
            if returns > Self.maximumReturns {
                switch phase {
                case .running: phase = .running(.abandon)
                case .off, .resting, .requested: phase = .off
                }
            }
        }
        guard phase == .resting, frontier - reach >= Self.threshold else { return false }
        phase = .requested
        return true
    }

    /// Somebody wants it to end. A finish may be asked for again, further on; an abandoned one stays that.
    ///
    /// - Returns: whether a transfer is under way, which is to be waited for.
    @discardableResult
    mutating func end(_ end: End) -> Bool {
        switch (phase, end) {
        case (.off, _), (.resting, _):
            return false
        case (.requested, _):
            phase = .resting
            return false
        case (.running(.abandon?), _):
            return true
        case (.running(.finish(let before)?), .finish(let now)):
            phase = .running(.finish(at: max(before, now)))
            return true
        case (.running(.finish?), .pause):
            return true
        case (.running, _):
            phase = .running(end)
            return true
        }
    }

    // MARK: - The thread

    /// The thread is there.
    ///
    /// - Returns: whether it is still wanted.
    mutating func begin() -> Bool {
        guard phase == .requested else { return false }
        phase = .running(nil)
        return true
    }

    /// The thread cannot begin now; a later write asks again.
    mutating func decline() {
        if phase == .requested || isRunning { phase = .resting }
    }

    /// What to do next.
    ///
    /// - Parameter isIdle: whether nothing has come for a while.
    func next(isIdle: Bool) -> Step {
        guard case .running(let end) = phase else { return .abandon }
        switch end {
        case .abandon:
            return .abandon
        case .pause:
            return .finish
        case .finish(let goal):
            return reach < goal ? .send(reach..<min(goal, reach + Self.piece)) : .finish
        case nil:
            if reach < frontier { return .send(reach..<min(frontier, reach + Self.piece)) }
            return isIdle ? .finish : .wait
        }
    }

    /// Bytes have been handed to the transfer.
    mutating func sent(to offset: Int64) {
        reach = max(reach, offset)
        frontier = max(frontier, reach)
    }

    /// The transfer has ended as ``next(isIdle:)`` said.
    mutating func ended() {
        if isRunning { phase = .resting }
    }

    /// The transfer has failed: no other one for this content, until it has been sent in another way.
    mutating func failed() {
        phase = .off
    }
}
