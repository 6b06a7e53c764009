/// Decides what the one stream of a file does. No lock, no I/O: events in, ``step(isCrowded:)`` out.
///
/// A stream brings the bytes from some offset on. These things make it hard to use one well:
/// 1. The kernel's read-ahead comes out of order: several requests are under way, and the threads that carry them
///    overtake each other. So a request a little ahead of the stream waits for it to get there (``skipDistance``),
///    and a file's first stream begins at 0 if the first request is no farther than that.
/// 2. A reader that stops must not move bytes for nothing, and one that goes on must not wait. So the stream runs
///    ahead of the furthest request by a window, which starts small and doubles as the reader goes on.
/// 3. A reader that jumps about wants single pieces. After a jump the window is closed; it opens with the next
///    request in sequence.
/// 4. Several readers share the stream. The oldest request that waits decides where it goes, so that nobody starves.
///
/// The owner knows what is cached. It says of each request which part is missing, and takes a request back when it is
/// answered.
struct ReadPlanner {
    /// The size of a piece of cache, and where a stream begins: at its multiples. The kernel reads ahead in requests
    /// of up to 128 KiB (32 pages for an unprivileged FUSE mount), so that a request touches one chunk or two, and a
    /// random read wastes little.
    static let chunkSize: Int64 = 128 << 10
    /// A gap up to which reading on is better than a new stream: 1 MiB takes 80 ms at 100 Mbit/s, and a new stream
    /// (abort, REST, RETR) costs some three round trips of 20 ms and the server's patience.
    static let skipDistance: Int64 = 1 << 20
    /// The window of a reader that begins: one request of the kernel ahead.
    static let firstWindow: Int64 = 128 << 10
    /// The largest window: 8 MiB is what a link of 1 Gbit/s holds in 64 ms.
    static let largestWindow: Int64 = 8 << 20

    /// What the worker does next.
    enum Step: Hashable {
        /// Open a stream at this offset.
        case open(at: Int64)
        /// Take the next bytes.
        case read
        /// The file should end here: take the end, and no more bytes than show that it does not.
        case drain
        /// Close the stream.
        case close
        /// Wait: the reader is far enough behind.
        case pause
        /// Nothing to do, and no stream: the thread can go.
        case rest
    }

    private enum Stream: Hashable {
        /// Valid transitions: opening.
        case none
        /// Being opened at an offset. Valid transitions: open, none.
        case opening(at: Int64)
        /// The next byte is this one. Valid transitions: none.
        case open(at: Int64)
    }

    /// Where the file ends, as far as it is known.
    private(set) var end: Int64?
    /// What the cache can bear as a window.
    var windowLimit = Self.largestWindow

    private var stream = Stream.none
    private var waiting: [(id: UInt64, missing: Range<Int64>)] = []
    private var hasOpened = false
    private var isInterrupted = false
    private var isReleased = false
    /// The end of the furthest request of this run, and the window that is open behind it.
    private var furthest: Int64 = 0
    private var window: Int64 = Self.firstWindow
    private var grownAt: Int64 = 0

    /// A planner for a file of that size; `nil` when it is not known.
    init(end: Int64?) {
        self.end = end
    }

    /// Where the stream is; `nil` when there is none.
    var position: Int64? {
        if case .open(let position) = stream { position } else { nil }
    }

    /// What the worker does next.
    ///
    /// - Parameter isCrowded: other files wait for a thread: a stream that is only kept for later gives way.
    func step(isCrowded: Bool) -> Step {
        switch stream {
        case .none:
            return isReleased || waiting.isEmpty ? .rest : .open(at: start)
        case .opening:
            return .pause
        case .open(let position):
            if isReleased || isInterrupted { return .close }
            if let end, position >= end { return .drain }
            if let oldest = waiting.first { return reaches(oldest.missing.lowerBound, from: position) ? .read : .close }
            if position < furthest + min(window, windowLimit) { return .read }
            return isCrowded ? .close : .pause
        }
    }

    // MARK: - What readers do

    /// A request came.
    ///
    /// - Parameter missing: the part for which it waits, from its first missing byte on; `nil` when it has been
    ///   answered.
    /// - Returns: whether the stream is of no use for it, and for nobody else, so that a wait in it should be cut
    ///   short.
    mutating func requested(_ range: Range<Int64>, missing: Range<Int64>?, id: UInt64) -> Bool {
        noteProgress(range)
        guard let missing else { return false }
        waiting.append((id, missing))
        guard waiting.count == 1, !isInterrupted else { return false }
        switch stream {
        case .none: return false
        case .opening(let position), .open(let position):
            isInterrupted = !reaches(missing.lowerBound, from: position)
            return isInterrupted
        }
    }

    /// A request was answered, or nobody wants it any more.
    mutating func settled(_ id: UInt64) {
        waiting.removeAll { $0.id == id }
    }

    /// Nobody has the file open for reading.
    ///
    /// - Returns: whether there is a stream to cut short.
    mutating func released() -> Bool {
        isReleased = true
        return stream != .none
    }

    /// Somebody has opened it again.
    mutating func reopened() {
        isReleased = false
    }

    /// The file is another one now, and all that was read of it is void.
    ///
    /// - Returns: whether there is a stream to cut short.
    mutating func restarted(end: Int64?) -> Bool {
        self.end = end
        waiting = []
        hasOpened = false
        isInterrupted = stream != .none
        return isInterrupted
    }

    // MARK: - What the stream does

    /// The worker begins to open a stream.
    mutating func opening(at offset: Int64) {
        stream = .opening(at: offset)
        isInterrupted = false
        window = hasOpened || offset > 0 ? 0 : Self.firstWindow
        hasOpened = true
        furthest = offset
        for (_, missing) in waiting where reaches(missing.lowerBound, from: offset) {
            furthest = max(furthest, missing.upperBound)
        }
        grownAt = furthest
    }

    /// The stream is open.
    mutating func opened() {
        if case .opening(let offset) = stream { stream = .open(at: offset) }
    }

    /// Bytes came, and are in the cache.
    mutating func arrived(_ count: Int64) {
        guard case .open(let position) = stream else { return }
        let next = position + count
        stream = .open(at: next)
        for index in waiting.indices where (position..<next).contains(waiting[index].missing.lowerBound) {
            waiting[index].missing = next..<max(next, waiting[index].missing.upperBound)
        }
    }

    /// The server says that the file ends here.
    ///
    /// - Returns: the size, if it is not the one we knew.
    mutating func ended() -> Int64? {
        guard case .open(let position) = stream else { return nil }
        stream = .none
        guard !isInterrupted, end.map({ position < $0 }) ?? true else { return nil }
        end = position
        return position
    }

    /// The stream was closed.
    mutating func closed() {
        stream = .none
    }

    /// The stream, or the attempt to open it, failed.
    ///
    /// - Returns: the requests that are answered with the error: all that wait, unless it was we who cut it short.
    mutating func failed() -> [UInt64] {
        stream = .none
        guard !isInterrupted, !isReleased else { return [] }
        defer { waiting = [] }
        return waiting.map(\.id)
    }

    // MARK: - Rules

    /// Where a new stream begins: early enough for all requests that are close to the oldest one.
    private var start: Int64 {
        guard let oldest = waiting.first?.missing.lowerBound else { return 0 }
        let earliest =
            waiting.map(\.missing.lowerBound)
            .filter { $0 < oldest && oldest - $0 <= Self.skipDistance }.min() ?? oldest
        if !hasOpened && earliest <= Self.skipDistance { return 0 }
        return earliest - earliest % Self.chunkSize
    }

    /// Whether the stream gets from one offset to another by reading on.
    private func reaches(_ offset: Int64, from position: Int64) -> Bool {
        offset >= position && offset - position <= max(Self.skipDistance, min(window, windowLimit))
    }

    /// Opens the window as the reader goes on.
    private mutating func noteProgress(_ range: Range<Int64>) {
        guard stream != .none, range.upperBound > furthest,
            range.lowerBound - furthest <= max(Self.skipDistance, min(window, windowLimit))
        else { return }
        furthest = range.upperBound
        guard furthest - grownAt >= window else { return }
        window = min(max(Self.firstWindow, window * 2), Self.largestWindow)
        grownAt = furthest
    }
}
