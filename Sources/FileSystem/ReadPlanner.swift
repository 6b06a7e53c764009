/// Decides what the streams of a file do. No lock, no I/O: events in, ``step(_:isCrowded:)`` out.
///
/// A stream brings the bytes from some offset on. These things make it hard to use one well:
/// 1. The kernel's read-ahead comes out of order: several requests are under way, and the threads that carry them
///    overtake each other. So a request a little ahead of a stream waits for it to get there (``skipDistance``),
///    and a file's first stream begins at 0 if the first request is read-ahead and not far from that.
/// 2. A reader that stops must not move bytes for nothing, and one that goes on must not wait. So the stream runs
///    ahead of the furthest request by a window, which starts small and doubles as the reader goes on: to
///    ``steadyWindow``, and further only if a reader has emptied it while the stream was paused, that is, up to what the
///    link holds (``ReadLane``). What the link brings meanwhile waits in the socket, by TCP's own flow control.
/// 3. A reader that jumps about wants single pieces. After a jump the window is closed; it opens with the next
///    request in sequence. Such a stream begins at the request, and is given up at once after some jumps, so that the
///    connection is in order again when the next request comes.
/// 4. Several readers at distant places each get a stream (a *lane*), as long as there are connections that nobody
///    else wants (``laneLimit``). A lane that has not been gone on with is used for the next jump. Beyond that the readers
///    share: the oldest request that waits for a lane decides where it goes, so that nobody starves.
///
/// The owner knows what is cached. It says of each request which part is missing, and takes a request back when it is
/// answered.
struct ReadPlanner {
    typealias LaneID = Int

    /// The size of a piece of cache, the unit of memory, and the most that one recv(2) takes. Each recv(2) costs an
    /// acknowledgement and a round of locks: from a server on the same machine, 1 GiB took 0.55 s of processor time in pieces
    /// of 128 KiB, and 0.45 s so. Smaller than the kernel's largest requests, and than a processor's second cache (1 MiB).
    static let chunkSize: Int64 = 256 << 10
    /// The most that is taken at once for a reader that has jumped: what it did not ask for is copied for nothing, mostly.
    static let pieceSize: Int64 = 64 << 10
    /// How close to the end of a run a new one begins that goes on with it: the kernel's usual read-ahead.
    static let nearDistance: Int64 = 128 << 10
    /// A gap up to which reading on is better than a new stream: 1 MiB takes 80 ms at 100 Mbit/s, and a new stream
    /// (abort, REST, RETR) costs some three round trips of 20 ms and the server's patience.
    static let skipDistance: Int64 = 1 << 20
    /// A gap up to which a request waits for a stream that others wait for: three of the kernel's largest requests, and
    /// one more.
    static let joinDistance: Int64 = 4 << 20
    /// The window of a reader that begins: little, so that the head of a large file stays cheap.
    static let firstWindow: Int64 = 128 << 10
    /// The window of a reader that goes on: two of the kernel's largest requests, so that one is here while the other is
    /// on its way; and small enough to stay in a processor's cache.
    static let steadyWindow: Int64 = 2 << 20
    /// The largest window: 8 MiB is what a link of 1 Gbit/s holds in 64 ms.
    static let largestWindow: Int64 = 8 << 20
    /// Where a stream begins: at a multiple of this. The page in front is often wanted next, and with it a page that was
    /// asked for still comes in the first flight of a TCP connection (10 segments, 14 KiB; RFC 6928).
    static let startUnit: Int64 = 8 << 10
    /// After so many jumps in a row a stream is not kept for the next request.
    static let jumpsToDistrust = 3

    /// Where the file ends, as far as it is known.
    private(set) var end: Int64?
    /// What the cache can bear as a window.
    var windowLimit = Self.largestWindow
    /// How many streams the file may have now, at least 1.
    var laneLimit = 1

    private var lanes: [LaneID: ReadLane] = [:]
    private var waiting: [(id: UInt64, missing: Range<Int64>, lane: LaneID)] = []
    private var hasOpened = false
    private var isReleased = false
    private var uses: UInt64 = 0
    /// Where the last runs ended, newest last: who goes on there is no stranger.
    private var recentEnds: [Int64] = []
    private var jumps = 0
    private static let recentEndCount = 8

    /// A planner for a file of that size; `nil` when it is not known.
    init(end: Int64?) {
        self.end = end
    }

    /// How many lanes have a stream, or are to open one.
    var laneCount: Int { lanes.count }

    /// Where the stream of a lane is; `nil` when there is none.
    func position(of lane: LaneID) -> Int64? {
        if case .open(let position)? = lanes[lane]?.stream { position } else { nil }
    }

    /// How many bytes the stream of a lane takes at once, at most.
    func mostAtOnce(_ lane: LaneID) -> Int { Int(lanes[lane]?.isRun ?? false ? Self.chunkSize : Self.pieceSize) }

    /// Whether the stream of a lane is to be closed, whatever it still brings.
    func isInterrupted(_ lane: LaneID) -> Bool { lanes[lane]?.isInterrupted ?? false }

    /// The requests that wait for a lane.
    func waiting(for lane: LaneID) -> [UInt64] {
        waiting.compactMap { $0.lane == lane ? $0.id : nil }
    }

    /// What the worker of a lane does next.
    ///
    /// - Parameter isCrowded: other files wait for a thread: a stream that is only kept for later gives way.
    mutating func step(_ id: LaneID, isCrowded: Bool) -> Step {
        guard var lane = lanes[id] else { return .rest }
        let oldest = waiting.first { $0.lane == id }?.missing.lowerBound
        switch lane.stream {
        case .none:
            guard !isReleased, oldest != nil else {
                lanes[id] = nil
                return .rest
            }
            return .open(at: start(of: id))
        case .opening:
            return .pause
        case .open(let position):
            if lane.isInterrupted { return .close }
            if let end, position >= end { return .drain }
            if isReleased { return .close }
            if let oldest {
                lane.resume()
                lanes[id] = lane
                return lane.reaches(oldest, windowLimit) ? .read : .close
            }
            let runs = lane.runsAhead(windowLimit)
            lanes[id] = lane
            if runs { return .read }
            return isCrowded || (jumps >= Self.jumpsToDistrust && lane.length < 2) ? .close : .pause
        }
    }

    // MARK: - What readers do

    /// A request came.
    ///
    /// - Parameter missing: the part for which it waits, from its first missing byte on; `nil` when it has been
    ///   answered.
    mutating func requested(_ range: Range<Int64>, missing: Range<Int64>?, id: UInt64) -> Reaction {
        uses += 1
        var reaction = Reaction()
        if let going = laneContinued(by: range) {
            lanes[going]?.advance(to: range.upperBound, missed: missing != nil)
            lanes[going]?.lastUse = uses
            jumps = 0
            reaction.wakes = lanes[going]?.wantsToResume(windowLimit) ?? false
        }
        guard let missing else { return reaction }
        let (lane, isCut) = place(missing.lowerBound)
        waiting.append((id, missing, lane))
        reaction.lane = lane
        if isCut { reaction.interrupted = lane }
        reaction.wakes = true
        return reaction
    }

    /// Something else of a request is missing than before.
    mutating func missing(_ range: Range<Int64>, _ id: UInt64) {
        for index in waiting.indices where waiting[index].id == id { waiting[index].missing = range }
    }

    /// A request was answered, or nobody wants it any more.
    mutating func settled(_ id: UInt64) {
        waiting.removeAll { $0.id == id }
    }

    /// Nobody has the file open for reading.
    ///
    /// A program closes a file as soon as it has the last byte, which is before the server has said that the transfer is
    /// complete. That answer is waited for: to abort a transfer that is over would cost two round trips for nothing.
    ///
    /// - Returns: the lanes that have a stream to cut short.
    mutating func released() -> [LaneID] {
        isReleased = true
        return lanes.compactMap { id, lane in lane.stream != .none && !isAtEnd(lane) ? id : nil }
    }

    /// Somebody has opened it again.
    mutating func reopened() {
        isReleased = false
    }

    /// The file is another one now, and all that was read of it is void.
    ///
    /// - Returns: the lanes that have a stream to cut short.
    mutating func restarted(end: Int64?) -> [LaneID] {
        self.end = end
        waiting = []
        hasOpened = false
        recentEnds = []
        jumps = 0
        let cut = lanes.keys.filter { lanes[$0]?.stream != ReadLane.Stream.none }
        for id in cut { lanes[id]?.isInterrupted = true }
        return cut
    }

    // MARK: - What the streams do

    /// The worker begins to open a stream.
    mutating func opening(_ id: LaneID, at offset: Int64) {
        guard var lane = lanes[id] else { return }
        let near = waiting.filter { $0.lane == id && $0.missing.lowerBound - offset <= Self.skipDistance }
        let first = near.map(\.missing.lowerBound).min() ?? offset
        let follows = !hasOpened && offset == 0 || recentEnds.contains { abs(first - $0) <= Self.nearDistance }
        jumps = follows ? 0 : jumps + 1
        lane.begin(at: offset, upTo: near.map(\.missing.upperBound).max() ?? offset, follows: follows)
        lane.lastUse = uses
        lanes[id] = lane
        hasOpened = true
    }

    /// The stream is open.
    mutating func opened(_ id: LaneID) {
        if case .opening(let offset)? = lanes[id]?.stream { lanes[id]?.stream = .open(at: offset) }
    }

    /// Bytes came, and are in the cache.
    mutating func arrived(_ count: Int64, _ id: LaneID) {
        guard case .open(let position)? = lanes[id]?.stream else { return }
        let next = position + count
        lanes[id]?.stream = .open(at: next)
        for index in waiting.indices where (position..<next).contains(waiting[index].missing.lowerBound) {
            waiting[index].missing = next..<max(next, waiting[index].missing.upperBound)
        }
    }

    /// The server says that the file ends here.
    ///
    /// - Returns: the size, if it is not the one we knew.
    mutating func ended(_ id: LaneID) -> Int64? {
        guard let lane = lanes[id], case .open(let position) = lane.stream else { return nil }
        closed(id)
        guard !lane.isInterrupted, end.map({ position < $0 }) ?? true else { return nil }
        end = position
        return position
    }

    /// The stream was closed.
    mutating func closed(_ id: LaneID) {
        guard let lane = lanes[id] else { return }
        if lane.stream != .none, lane.furthest > 0 {
            recentEnds.removeAll { abs($0 - lane.furthest) <= Self.nearDistance }
            recentEnds = recentEnds.suffix(Self.recentEndCount - 1) + [lane.furthest]
        }
        lanes[id]?.stream = .none
        lanes[id]?.isInterrupted = false
    }

    /// The stream, or the attempt to open it, failed.
    ///
    /// - Returns: the requests that are answered with the error: all that wait for it, unless it was we who cut it short.
    mutating func failed(_ id: LaneID) -> [UInt64] {
        let wasInterrupted = lanes[id]?.isInterrupted ?? true
        closed(id)
        guard !wasInterrupted, !isReleased else { return [] }
        defer { waiting.removeAll { $0.lane == id } }
        return waiting(for: id)
    }

    // MARK: - Rules

    /// Whether a stream has brought every byte that the server announced.
    private func isAtEnd(_ lane: ReadLane) -> Bool {
        guard case .open(let position) = lane.stream, let end else { return false }
        return position >= end
    }

    private func laneContinued(by range: Range<Int64>) -> LaneID? {
        lanes.filter { $0.value.continues(range, windowLimit) }
            .min { abs($0.value.furthest - range.lowerBound) < abs($1.value.furthest - range.lowerBound) }?.key
    }

    /// The lane that brings what is at an offset, and whether its present stream is cut short for that.
    private mutating func place(_ offset: Int64) -> (LaneID, isCut: Bool) {
        let reaching = lanes.filter { $0.value.reaches(offset, windowLimit) }
        if let nearest = reaching.max(by: { ($0.value.position ?? 0) < ($1.value.position ?? 0) }) {
            return (nearest.key, false)
        }
        func isFree(_ id: LaneID) -> Bool { !waiting.contains { $0.lane == id } }
        // Others wait for a lane close by: this is of the same read-ahead, and its turn will come.
        let busy = lanes.filter { id, lane in
            guard !lane.isInterrupted, !isFree(id) else { return false }
            guard let position = lane.position else {
                return waiting.contains { $0.lane == id && abs($0.missing.lowerBound - offset) <= Self.skipDistance }
            }
            return (position...position + Self.joinDistance).contains(offset)
        }
        if let nearest = busy.max(by: { ($0.value.position ?? 0) < ($1.value.position ?? 0) }) {
            return (nearest.key, false)
        }
        // One that is about to begin a little further on begins here instead.
        let late = lanes.first { _, lane in
            guard case .opening(let start) = lane.stream, !lane.isInterrupted else { return false }
            return start > offset && start - offset <= Self.skipDistance
        }
        if let late { return (late.key, cut(late.key)) }
        // So does one that has not begun, or is about to begin anew.
        if let idle = lanes.first(where: { $0.value.stream == .none || $0.value.isInterrupted }),
            isFree(idle.key) || lanes.count >= laneLimit
        {
            return (idle.key, false)
        }
        let isKnown = recentEnds.contains { abs($0 - offset) <= Self.skipDistance }
        let strangers = lanes.filter { isFree($0.key) && $0.value.length < 2 }
        let room = lanes.count < laneLimit
        if !(isKnown && room), let oldest = strangers.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            return (oldest.key, cut(oldest.key))
        }
        if room { return (addLane(), false) }
        let candidates = lanes.filter { isFree($0.key) }
        if let oldest = candidates.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            return (oldest.key, cut(oldest.key))
        }
        // All are busy: behind those who wait for the one that was used longest ago.
        return (lanes.min { $0.value.lastUse < $1.value.lastUse }?.key ?? addLane(), false)
    }

    private mutating func cut(_ id: LaneID) -> Bool {
        guard lanes[id]?.stream != ReadLane.Stream.none else { return false }
        lanes[id]?.isInterrupted = true
        return true
    }

    private mutating func addLane() -> LaneID {
        let id = (0...lanes.count).first { lanes[$0] == nil } ?? lanes.count
        lanes[id] = ReadLane()
        return id
    }

    /// Where a new stream of a lane begins: early enough for all requests that are close to the oldest one.
    private func start(of id: LaneID) -> Int64 {
        let missing = waiting.filter { $0.lane == id }.map(\.missing)
        guard let oldest = missing.first?.lowerBound else { return 0 }
        func start(for offset: Int64) -> Int64 { offset - offset % Self.startUnit }
        // From where it begins it must get to the oldest request by reading on (``ReadLane/reaches(_:_:)``): else it would be
        // closed as soon as it is open, and opened there again, for ever.
        let first =
            missing.filter { $0.lowerBound <= oldest && oldest - start(for: $0.lowerBound) <= Self.skipDistance }
            .min { $0.lowerBound < $1.lowerBound }
        guard let first else { return oldest }
        // Of eight requests of one read-ahead, the last may come first.
        let reach = min(8 * Int64(first.count), Self.skipDistance)
        if !hasOpened, first.lowerBound <= reach, oldest <= Self.skipDistance { return 0 }
        return start(for: first.lowerBound)
    }
}
