/// One stream of a file, as the ``ReadPlanner`` sees it: where it is, and how far it may run ahead of its reader.
struct ReadLane {
    enum Stream: Hashable {
        /// Valid transitions: opening.
        case none
        /// Being opened at an offset. Valid transitions: open, none.
        case opening(at: Int64)
        /// The next byte is this one. Valid transitions: none.
        case open(at: Int64)
    }

    var stream = Stream.none
    /// Nobody wants what comes from where it is: it is to be closed.
    var isInterrupted = false
    /// When it was last of use; the planner's counter.
    var lastUse: UInt64 = 0
    /// The end of the furthest request of this run.
    private(set) var furthest: Int64 = 0
    /// How many requests followed each other.
    private(set) var length = 0
    /// Whether it is more than a single piece.
    var isRun: Bool { length >= 2 }
    private var window: Int64 = 0
    private var grownAt: Int64 = 0
    /// It runs no further until the reader has used half of the window: so its thread wakes up once for many requests.
    private var isPaused = false
    /// It has been paused since the window last grew: it is the window and not the link that bounds it.
    private var wasPaused = false

    /// The next byte to come; `nil` while there is no stream.
    var position: Int64? {
        switch stream {
        case .none: nil
        case .opening(let position), .open(let position): position
        }
    }

    /// A run begins at an offset, for a request that ends there. Without `follows` it has no window: a reader that
    /// jumps about wants single pieces.
    mutating func begin(at offset: Int64, upTo end: Int64, follows: Bool) {
        stream = .opening(at: offset)
        isInterrupted = false
        window = follows ? ReadPlanner.firstWindow : 0
        length = follows ? 2 : 1
        furthest = end
        grownAt = end
        isPaused = false
        wasPaused = false
    }

    /// Whether the stream gets to an offset by reading on.
    func reaches(_ offset: Int64, _ limit: Int64) -> Bool {
        guard let position, !isInterrupted else { return false }
        return offset >= position && offset - position <= max(ReadPlanner.skipDistance, min(window, limit))
    }

    /// Whether a request goes on with this run.
    func continues(_ range: Range<Int64>, _ limit: Int64) -> Bool {
        stream != .none && !isInterrupted && range.upperBound > furthest
            && range.lowerBound - furthest <= max(ReadPlanner.skipDistance, min(window, limit))
            && furthest - range.lowerBound <= ReadPlanner.skipDistance
    }

    /// The reader goes on: the window opens.
    ///
    /// - Parameter missed: the bytes were not here yet.
    mutating func advance(to end: Int64, missed: Bool) {
        length += 1
        furthest = end
        guard furthest - grownAt >= window else { return }
        // Beyond that a larger window helps only a reader that found it empty although the stream had time.
        guard window < ReadPlanner.steadyWindow || (missed && wasPaused) else { return }
        window = min(max(ReadPlanner.firstWindow, window * 2), ReadPlanner.largestWindow)
        grownAt = furthest
        wasPaused = false
    }

    /// Whether to run further ahead now, with nobody waiting.
    mutating func runsAhead(_ limit: Int64) -> Bool {
        guard case .open(let position) = stream else { return false }
        let window = min(window, limit)
        let ahead = position - furthest
        if isPaused ? ahead * 2 > window : ahead >= window {
            isPaused = true
            wasPaused = true
            return false
        }
        isPaused = window == 0
        return window > 0
    }

    /// Whether the paused thread has something to do now.
    func wantsToResume(_ limit: Int64) -> Bool {
        guard isPaused, case .open(let position) = stream else { return false }
        return (position - furthest) * 2 <= min(window, limit)
    }

    /// Somebody waits for it.
    mutating func resume() { isPaused = false }
}
