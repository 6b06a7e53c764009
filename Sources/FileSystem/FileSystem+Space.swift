import Logging
import Threading

/// What `df` shows.
///
/// Nobody who asks for it ever waits: what was last heard is shown, and where that is old, it is asked for anew behind it
/// (``SpaceKnowledge``). Before the server has said anything, and where it never does, there is so much room that no
/// program is stopped by a guess (``FileSystemConfiguration/reportedSize``).
extension FileSystem {
    /// What `df` shows, as far as it is known.
    package func space() -> SpaceAnswer {
        let (known, wantsQuestion) = room.withLock { room in
            (room.answer, room.wantsQuestion(at: configuration.now()))
        }
        if wantsQuestion {
            do throws(StoreError) { try errands.submit { [self] in askForSpace() } } catch { noteSpace(nil) }
        }
        let total = known.map { $0.total ?? max(configuration.reportedSize, $0.free) } ?? configuration.reportedSize
        // 4 KiB: programs multiply block counts with it, and a larger unit makes some of them round small files up.
        return SpaceAnswer(total: total, free: known?.free ?? total, blockSize: 4096)
    }

    private func askForSpace() {
        do throws(StoreError) {
            noteSpace(.success(try store.space(cancellation: room.withLock { $0.cancellation })))
        } catch {
            logger.debug("how much room there is could not be found out: \(error)")
            noteSpace(.failure(error))
        }
    }

    private func noteSpace(_ result: Result<RemoteSpace?, StoreError>?) {
        let now = configuration.now()
        room.withLockThenWake { $0.answered(result, at: now) }
    }

    /// Ends a question that is under way, for the end of the mount.
    func endSpace() {
        room.withLock { $0.cancellation }.cancel()
    }
}

/// What is known of the room on the server, and when to ask again. No lock, no clock, no I/O.
struct SpaceKnowledge: Sendable {
    /// How long an answer is shown before another one is asked for. What watches a disk looks every few seconds to
    /// minutes; one command in half of one is nothing.
    static let timeToLive = Duration.seconds(30)

    /// What the server said last.
    private(set) var answer: RemoteSpace?
    /// Ends the question that is under way.
    let cancellation = Cancellation()
    private var askedAt: Instant?
    private var isAsking = false
    private var isHopeless = false

    /// Whether somebody should ask now, who then calls ``answered(_:at:)``.
    mutating func wantsQuestion(at now: Instant) -> Bool {
        guard !isHopeless, !isAsking else { return false }
        if let askedAt, now.since(askedAt) < Self.timeToLive { return false }
        isAsking = true
        return true
    }

    /// The question has ended.
    ///
    /// - Parameter result: `nil`: it was not asked.
    mutating func answered(_ result: Result<RemoteSpace?, StoreError>?, at now: Instant) {
        isAsking = false
        askedAt = now
        switch result {
        case .success(let space):
            answer = space
            isHopeless = space == nil
        case .failure, nil:
            // It may be known later; what was known before is still the best guess.
            break
        }
    }
}
