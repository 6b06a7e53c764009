import Vocabulary

/// The journal of what waits to be sent: whatever a disk has made of it, a mount comes up; and what is read is what was written.
@Sendable func fuzzJournal(_ bytes: [UInt8]) {
    var damaged = JournalReplay()
    let end = damaged.read(bytes, from: 0)
    require((0...bytes.count).contains(end), "it ends at \(end)")

    // No fuzzer guesses checksums: the bytes are taken as payloads, each behind its length.
    var journal: [UInt8] = []
    var rest = bytes[...]
    while let count = rest.popFirst() {
        let frame = frame(rest.prefix(Int(count)))
        rest = rest.dropFirst(Int(count))
        guard let (record, length) = JournalRecord.read(frame[...]) else { continue }
        require(length == frame.count, "\(length) bytes of \(frame.count)")
        require(JournalRecord.read(record.frame[...])?.record == record, "\(record) is read as another one")
        journal += frame
    }
    var replay = JournalReplay()
    require(replay.read(journal, from: 0) == journal.count, "good records are not read")
    for entry in replay.pending {
        require(entry.sent.count <= JournalEntry.maximumSent, "\(entry.sent.count) contents")
        require(replay.frames[entry.id]?.isEmpty == false, "a file without a frame")
        require(entry.id <= replay.lastID && entry.sequence <= replay.lastSequence, "larger than the largest")
    }
}

private func frame(_ payload: ArraySlice<UInt8>) -> [UInt8] {
    var head = ByteWriter()
    head.put(UInt32(truncatingIfNeeded: payload.count))
    head.put(Checksum.crc32(payload))
    return head.bytes + payload
}

/// What a control socket answers, or is asked.
@Sendable func fuzzJSON(_ text: [UInt8]) {
    guard let value = JSON(parsing: text) else { return }
    for written in [value.line, value.text] {
        require(JSON(parsing: written.utf8)?.line == value.line, "\(written) is read as something else")
    }
}

// Stand in for those of RemoteStore.swift, which needs all of the file system. Only what records are compared with.
enum TimePrecision: Hashable, Sendable {
    case second
    case minute
    case day

    func agree(_ coarse: Timestamp, _ fine: Timestamp) -> Bool { coarse == fine }
}

enum FileKind {
    case file
}

struct RemoteAttributes {
    var kind: FileKind
    var size: Int64?
    var modified: Timestamp?
    var timePrecision: TimePrecision
}
