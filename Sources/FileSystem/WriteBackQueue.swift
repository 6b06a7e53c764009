import Threading

/// Which of the files that wait to be sent is sent next, and what follows from how that went. No lock, no clock, no I/O: its
/// owner (``WriteBack``) locks, tells what happened, and does what is answered.
///
/// ## Rules
/// 1. A file is sent some time after its last close (the *delay*): what programs do to a file right after closing it (set its
///    time, rename it, write it once more) then costs nothing.
/// 2. The file that is due longest is next; what somebody waits for is due at once.
/// 3. Several files are sent at a time, up to a number; but beyond the first only as long as that takes no connection
///    from anybody else.
/// 4. What failed is tried again after a time that doubles, up to ``longestBackoff``, for ever: as long as a server cannot
///    be reached, nobody can say that it does not want the file.
/// 5. What the server *refused* is tried a few times, since its reasons may pass (``patience(with:)``), and then put aside.
/// 6. When the mount ends, everything is due, and is tried again soon; that is given up when nothing succeeds any more
///    (``isDrained``).
struct WriteBackQueue {
    /// The first time between two attempts, and the longest: a server that was away is noticed within five minutes, and
    /// one that is overloaded is asked twelve times an hour.
    static let firstBackoff = Duration.seconds(1)
    static let longestBackoff = Duration.seconds(300)
    /// The time between two attempts while the mount ends: somebody waits for that.
    static let backoffAtEnd = Duration.seconds(2)
    /// How many failures in a row, for each file that can be sent at a time, show at the end that nothing goes any more.
    static let failuresAtEnd = 3

    /// How an attempt ended.
    enum Outcome: Hashable {
        /// Everything that the journal says up to this record is on the server.
        case sent(sequence: UInt64)
        case failed(StoreError)
    }

    /// What the owner does then.
    enum Action: Hashable {
        /// Nothing of it waits any more.
        case settle
        /// It will come again.
        case wait
        /// It is put aside.
        case putAside(StoreError)
    }

    /// A file that waits.
    struct Entry: Hashable {
        /// The last record of the journal about it.
        var sequence: UInt64
        var due: Instant
        var isSending = false
        /// Attempts since it was last written.
        var attempts = 0
        var refusals = 0
        var lastError: StoreError?
    }

    private(set) var entries: [UInt64: Entry] = [:]
    private var order = DueHeap()
    private(set) var sendingCount = 0
    /// How many may be sent at a time.
    let limit: Int
    private(set) var isDraining = false
    private var failuresInARow = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// How many files wait.
    var count: Int { entries.count }

    /// When the next one is due; `nil`: none waits for its time.
    var nextDue: Instant? {
        mutating get {
            dropStale()
            return order.first?.due
        }
    }

    /// Whether there is no use in waiting any longer at the end of the mount.
    var isDrained: Bool {
        entries.isEmpty || sendingCount == 0 && failuresInARow >= Self.failuresAtEnd * min(limit, entries.count)
    }

    /// The journal has a record of a file that has to be sent.
    mutating func committed(_ id: UInt64, sequence: UInt64, due: Instant) {
        var entry = entries[id] ?? Entry(sequence: sequence, due: due)
        entry.sequence = max(entry.sequence, sequence)
        entry.due = due
        entry.attempts = 0
        entry.refusals = 0
        entry.lastError = nil
        entries[id] = entry
        if !entry.isSending { order.insert(id, due) }
    }

    /// Somebody waits for these files; `nil`: for all.
    mutating func urge(_ ids: [UInt64]?, at now: Instant) {
        for id in ids ?? Array(entries.keys) {
            guard let entry = entries[id], entry.due > now else { continue }
            entries[id]?.due = now
            if !entry.isSending { order.insert(id, now) }
        }
    }

    /// The mount ends.
    mutating func drain(at now: Instant) {
        isDraining = true
        failuresInARow = 0
        urge(nil, at: now)
    }

    /// What to send now, if anything is due and may be sent.
    ///
    /// - Parameter spare: how many transfers could begin without anybody having to wait for a connection.
    mutating func next(at now: Instant, spare: Int) -> UInt64? {
        guard sendingCount < limit, sendingCount == 0 || spare > 0 else { return nil }
        dropStale()
        guard let first = order.first, first.due <= now else { return nil }
        order.removeFirst()
        entries[first.id]?.isSending = true
        entries[first.id]?.attempts += 1
        sendingCount += 1
        return first.id
    }

    /// An attempt has ended.
    mutating func ended(_ id: UInt64, _ outcome: Outcome, at now: Instant) -> Action {
        sendingCount -= 1
        // Cancelled meanwhile.
        guard var entry = entries[id] else { return .wait }
        entry.isSending = false
        defer {
            if entries[id] != nil {
                entries[id] = entry
                order.insert(id, entry.due)
            }
        }
        switch outcome {
        case .sent(let sequence):
            failuresInARow = 0
            if entry.sequence <= sequence {
                entries[id] = nil
                return .settle
            }
        case .failed(let error) where error.kind == .cancelled:
            // Something else was to be done with the file first.
            entry.due = max(entry.due, now.advanced(by: Self.firstBackoff))
        case .failed(let error):
            failuresInARow += 1
            entry.lastError = error
            if let patience = Self.patience(with: error.kind) {
                entry.refusals += 1
                if entry.refusals >= patience { return putAside(&entry, error, now) }
            }
            entry.due = now.advanced(by: backoff(after: entry.attempts))
        }
        return .wait
    }

    /// Nothing of it is wanted any more.
    mutating func remove(_ id: UInt64) {
        entries[id] = nil
    }

    private func putAside(_ entry: inout Entry, _ error: StoreError, _ now: Instant) -> Action {
        // Until the owner has done it, and if it cannot be done now since a program has the file open.
        entry.due = now.advanced(by: isDraining ? Self.backoffAtEnd : Self.longestBackoff)
        return .putAside(error)
    }

    private func backoff(after attempts: Int) -> Duration {
        if isDraining { return Self.backoffAtEnd }
        // 2^9 s is longer than the longest.
        return min(Self.firstBackoff * (1 << min(max(attempts - 1, 0), 9)), Self.longestBackoff)
    }

    /// How often the server may refuse a file with that answer; `nil`: the answer says nothing about the file.
    static func patience(with kind: StoreError.Kind) -> Int? {
        switch kind {
        case .invalidArgument, .nameTooLong, .tooLarge, .isDirectory, .notDirectory:
            // What the name or the size is will not change.
            1
        case .denied, .notPermitted, .notFound, .exists, .notEmpty, .readOnly, .unsupported, .changedRemotely:
            // Servers answer so in passing too: while somebody else moves things about, or an account is changed.
            3
        case .noSpace, .quotaExceeded, .busy:
            // Twelve attempts take 18 minutes: time to make room.
            12
        case .timedOut, .unreachable, .inputOutput, .protocolViolation, .cancelled, .badHandle, .noResources:
            nil
        }
    }

    /// Places in the heap that an entry has left are passed over.
    private mutating func dropStale() {
        while let first = order.first {
            if let entry = entries[first.id], !entry.isSending, entry.due == first.due { return }
            order.removeFirst()
        }
    }
}

/// Files by the moment at which they are due, the earliest first; of equal ones, the one that came first.
private struct DueHeap {
    struct Place {
        let due: Instant
        let serial: UInt64
        let id: UInt64

        func isBefore(_ other: Place) -> Bool { (due, serial) < (other.due, other.serial) }
    }

    private var places: [Place] = []
    private var lastSerial: UInt64 = 0

    var first: Place? { places.first }

    mutating func insert(_ id: UInt64, _ due: Instant) {
        lastSerial += 1
        places.append(Place(due: due, serial: lastSerial, id: id))
        var child = places.count - 1
        while child > 0, places[child].isBefore(places[(child - 1) / 2]) {
            places.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = places.popLast(), !places.isEmpty else { return }
        places[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < places.count {
                if places[child].isBefore(places[least]) { least = child }
            }
            if least == parent { return }
            places.swapAt(parent, least)
            parent = least
        }
    }
}
