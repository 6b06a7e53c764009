/// What a journal says when it is read from its beginning: which files still wait to be sent. Pure.
struct JournalReplay {
    /// A frame of a file that still waits.
    struct Frame: Hashable, Sendable {
        var offset: Int64
        var length: Int
        /// Whether it says what the server was about to be told: that counts longer than the entry that it was said of.
        var isBegun = false
    }

    /// What is known of one file: the entry as its records have left it, and where they are.
    private(set) var entries: [UInt64: JournalEntry] = [:]
    private(set) var frames: [UInt64: [Frame]] = [:]
    /// The largest numbers seen.
    private(set) var lastID: UInt64 = 0
    private(set) var lastSequence: UInt64 = 0

    /// The entries in the order of their last records.
    var pending: [JournalEntry] { entries.values.sorted { $0.sequence < $1.sequence } }

    /// Reads all frames from an offset on.
    ///
    /// - Returns: where they end: at a zero length, or at a frame that is not whole.
    mutating func read(_ bytes: [UInt8], from start: Int) -> Int {
        var offset = start
        while offset < bytes.count, let (record, length) = JournalRecord.read(bytes[offset...]) {
            take(record, Frame(offset: Int64(offset), length: length))
            offset += length
        }
        return offset
    }

    /// Takes one record, which is in that frame.
    mutating func take(_ record: JournalRecord, _ frame: Frame) {
        switch record {
        case .pending(let entry):
            lastID = max(lastID, entry.id)
            lastSequence = max(lastSequence, entry.sequence)
            // Two threads that close the same file can write their records in another order than they took their numbers.
            if let known = entries[entry.id], known.sequence > entry.sequence { return }
            var entry = entry
            if let known = entries[entry.id] {
                entry.isBegun = entry.isBegun || known.isBegun
                entry.sent = known.sent
            }
            entries[entry.id] = entry
            frames[entry.id] = Self.frames(with: frame, after: frames[entry.id] ?? [])
        case .attributes(let id, let mode, let time):
            guard entries[id] != nil else { return }
            entries[id]?.content.mode = mode
            entries[id]?.content.time = time
            if let mode { entries[id]?.shownMode = mode }
            if let time { entries[id]?.modified = time }
            frames[id]?.append(frame)
        case .begun(let id, let content):
            guard var entry = entries[id] else { return }
            if let content {
                entry.sent = Array((entry.sent.filter { $0 != content } + [content]).suffix(JournalEntry.maximumSent))
            } else {
                entry.isBegun = true
            }
            entries[id] = entry
            frames[id] = Self.frames(frames[id] ?? [], begunBy: frame)
        case .leaving(let id, let leaving):
            guard entries[id] != nil else { return }
            entries[id]?.leaving = leaving
            frames[id]?.append(frame)
        case .staying(let id):
            guard entries[id] != nil else { return }
            entries[id]?.leaving = nil
            frames[id]?.append(frame)
        case .settled(let id, let sequence):
            guard let entry = entries[id], entry.sequence <= sequence else { return }
            entries[id] = nil
            frames[id] = nil
        }
    }

    /// The frames that count when a file has a new entry. The entry comes first: nothing is said of a file without one.
    static func frames(with entry: Frame, after old: [Frame]) -> [Frame] {
        [entry] + old.filter(\.isBegun)
    }

    /// The frames that count when the server is about to be told of a file, with those of the last times.
    static func frames(_ old: [Frame], begunBy frame: Frame) -> [Frame] {
        var frame = frame
        frame.isBegun = true
        var frames = old + [frame]
        let begun = frames.indices.filter { frames[$0].isBegun }
        for index in begun.dropLast(JournalEntry.maximumSent).reversed() { frames.remove(at: index) }
        return frames
    }
}
