import Vocabulary

/// What the server had of a file when its local content began, as far as a later look can be compared with it.
struct RemoteBase: Hashable, Sendable {
    /// `nil`: not known.
    var size: Int64?
    /// `nil`: not known, as after an upload of our own that no listing has shown yet.
    var modified: Timestamp?
    var precision = TimePrecision.second

    /// Whether a file that the server shows now can be the same.
    func isSame(as seen: RemoteAttributes) -> Bool {
        guard seen.kind == .file else { return false }
        if let size, let now = seen.size, size != now { return false }
        guard let modified, let now = seen.modified else { return true }
        return seen.timePrecision.agree(modified, now) || precision.agree(now, modified)
    }
}

/// What has to be written down of a ``WriteState`` so that another process can send the content.
struct SavedContent: Hashable, Sendable {
    var size: Int64
    /// How long the server's file is that the ranges lie in.
    var serverSize: Int64
    /// Whether what the server has under this name counts for nothing.
    var mustReplace: Bool
    /// Whether the server has something under this name that somebody could miss.
    var replacesContent: Bool
    /// Whether the server has never heard of the file.
    var isNew: Bool
    /// Whether all of it belongs to the end, wherever that is by then.
    var isAppendOnly: Bool
    /// What is here, and has to be sent.
    var ranges: [Range<Int64>]
    /// What is to be set when it has been sent.
    var mode: UInt32?
    var time: Timestamp?
    /// What the server had when the content began; `nil`: nothing.
    var base: RemoteBase?
}

/// A file that waits to be sent, as the journal has it.
struct JournalEntry: Hashable, Sendable {
    /// Which file; the same in all records about it.
    var id: UInt64
    /// The order of the records: a later one of the same file takes the place of an earlier one.
    var sequence: UInt64
    var path: RemotePath
    /// The name of the file in the spool directory that holds the bytes, each at its offset, unless they are ``inline``;
    /// empty when there is none.
    var spoolName: [UInt8]
    var content: SavedContent
    /// What `stat` shows until it has been sent.
    var modified: Timestamp
    var shownMode: UInt32?
    /// The bytes of the ranges, one after the other, when they are few.
    var inline: [UInt8]?
    /// Whether the server's file may hold parts of an earlier content of ours.
    var isTouched = false
    /// Whether it may hold parts of this one, or of an earlier one of which nothing more is known.
    var isBegun = false
    /// What the server may hold in full: contents that were about to be sent. From records of their own.
    var sent: [SentContent] = []
    /// The name was about to go. From a record of its own.
    var leaving: Leaving?

    /// The most ``sent`` that are remembered: a file that is written anew while it is sent, again and again, has one for each
    /// time; a mount that was killed has at most one transfer of a file under way, and the one before it.
    static let maximumSent = 8
}

/// Why a name was about to go when it was written down.
enum Leaving: Hashable, Sendable {
    /// The file was to be removed.
    case removed
    /// Another one, which the server had under this path, was to take its place.
    case replaced(by: RemotePath)
}

/// One record of the journal of what waits to be sent (``Journal``): values to bytes and back, without any I/O.
///
/// ## On disk
/// A record is a frame: the length of its payload and the payload's CRC-32 in four bytes each, then the payload. All numbers have
/// their lowest byte first. A length of zero ends the journal: the file is filled with zeros in advance. So does a frame
/// whose sum is wrong or that is cut: it was being written when the machine stopped, and nobody has been told that
/// it was there.
enum JournalRecord: Hashable, Sendable {
    /// A file has to be sent.
    case pending(JournalEntry)
    /// It is to have another mode or time, or no particular time any more.
    case attributes(id: UInt64, mode: UInt32?, time: Timestamp?)
    /// The server is about to be told of it: from here on its file may hold this content, or parts of it. A later content of
    /// the file changes nothing about that: when it is sent, this is what it finds.
    ///
    /// - Parameter content: what is about to be sent; `nil`: not known, as when only parts are sent.
    case begun(id: UInt64, content: SentContent?)
    /// The server is about to be told that the name goes, with what waits for it; until it is settled, only a look tells
    /// whether it has.
    case leaving(id: UInt64, Leaving)
    /// It has not gone: the server has refused that.
    case staying(id: UInt64)
    /// Everything up to a record of that number is done: sent, cancelled, or put aside.
    case settled(id: UInt64, sequence: UInt64)

    /// How long a payload may be. Far more than a path and the ranges of a very fragmented file take.
    static let maximumLength = 1 << 20
    static let frameLength = 8

    /// The frame.
    var frame: [UInt8] {
        var payload = ByteWriter()
        switch self {
        case .pending(let entry):
            payload.put(UInt8(1))
            payload.put(entry)
        case .attributes(let id, let mode, let time):
            payload.put(UInt8(2))
            payload.put(id)
            payload.put(mode)
            payload.put(time)
        case .begun(let id, let content):
            payload.put(UInt8(3))
            payload.put(id)
            if let content {
                payload.put(content.size)
                payload.put(content.head)
                payload.put(content.tail)
            }
        case .settled(let id, let sequence):
            payload.put(UInt8(4))
            payload.put(id)
            payload.put(sequence)
        case .leaving(let id, let leaving):
            payload.put(UInt8(5))
            payload.put(id)
            if case .replaced(let path) = leaving { payload.put(path.joined) }
        case .staying(let id):
            payload.put(UInt8(6))
            payload.put(id)
        }
        var frame = ByteWriter()
        frame.put(UInt32(truncatingIfNeeded: payload.bytes.count))
        frame.put(Checksum.crc32(payload.bytes[...]))
        return frame.bytes + payload.bytes
    }

    /// Reads the frame at the beginning of some bytes.
    ///
    /// - Returns: the record and the length of its frame; `nil` where there is no whole one.
    static func read(_ bytes: ArraySlice<UInt8>) -> (record: JournalRecord, length: Int)? {
        var head = ByteReader(bytes.prefix(frameLength))
        guard let count = head.uint32(), let sum = head.uint32(), count > 0, count <= maximumLength else { return nil }
        let payload = bytes.dropFirst(frameLength).prefix(Int(count))
        guard payload.count == Int(count), Checksum.crc32(payload) == sum else { return nil }
        var reader = ByteReader(payload)
        guard let record = record(&reader) else { return nil }
        return (record, frameLength + payload.count)
    }

    private static func record(_ reader: inout ByteReader) -> JournalRecord? {
        guard let kind = reader.uint8() else { return nil }
        switch kind {
        case 1:
            return reader.entry().map { .pending($0) }
        case 2:
            guard let id = reader.uint64(), let mode = reader.optionalUInt32(), let time = reader.optionalTime() else {
                return nil
            }
            return .attributes(id: id, mode: mode, time: time)
        case 3:
            guard let id = reader.uint64() else { return nil }
            if reader.rest == 0 { return .begun(id: id, content: nil) }
            guard let size = reader.int64(), size >= 0, let head = reader.uint32(), let tail = reader.uint32() else {
                return nil
            }
            return .begun(id: id, content: SentContent(size: size, head: head, tail: tail))
        case 4:
            guard let id = reader.uint64(), let sequence = reader.uint64() else { return nil }
            return .settled(id: id, sequence: sequence)
        case 5:
            guard let id = reader.uint64() else { return nil }
            if reader.rest == 0 { return .leaving(id: id, .removed) }
            return reader.path().map { .leaving(id: id, .replaced(by: $0)) }
        case 6:
            return reader.uint64().map { .staying(id: $0) }
        default:
            return nil
        }
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ entry: JournalEntry) {
        let content = entry.content
        put(entry.id)
        put(entry.sequence)
        put(entry.path.joined)
        put(entry.spoolName)
        put(content.size)
        put(content.serverSize)
        let flags = [
            content.mustReplace, content.replacesContent, content.isNew, content.isAppendOnly, content.base != nil,
            entry.inline != nil, entry.isTouched, entry.isBegun,
        ]
        put(flags.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
        put(UInt32(truncatingIfNeeded: content.ranges.count))
        for range in content.ranges {
            put(range.lowerBound)
            put(range.upperBound)
        }
        put(content.mode)
        put(content.time)
        put(Optional(entry.modified))
        put(entry.shownMode)
        if let base = content.base {
            put(base.size ?? -1)
            put(base.modified)
            put(UInt8(base.precision == .second ? 0 : base.precision == .minute ? 1 : 2))
        }
        if let inline = entry.inline { put(inline) }
    }
}

extension ByteReader {
    fileprivate mutating func entry() -> JournalEntry? {
        guard let id = uint64(), let sequence = uint64(), let path = path(), let spoolName = byteString(),
            let size = int64(), let serverSize = int64(), let flags = uint8(), let ranges = ranges(),
            let mode = optionalUInt32(), let time = optionalTime(), let shown = optionalTime(), let modified = shown,
            let shownMode = optionalUInt32(), size >= 0, serverSize >= 0
        else { return nil }
        func has(_ flag: UInt8) -> Bool { flags & (1 << flag) != 0 }
        var base: RemoteBase?
        if has(4) {
            guard let baseSize = int64(), let time = optionalTime(), let precision = uint8() else { return nil }
            base = RemoteBase(
                size: baseSize < 0 ? nil : baseSize, modified: time,
                precision: precision == 0 ? .second : precision == 1 ? .minute : .day)
        }
        var inline: [UInt8]?
        if has(5) {
            guard let bytes = byteString() else { return nil }
            inline = bytes
        }
        let content = SavedContent(
            size: size, serverSize: serverSize, mustReplace: has(0), replacesContent: has(1), isNew: has(2),
            isAppendOnly: has(3), ranges: ranges, mode: mode, time: time, base: base)
        return JournalEntry(
            id: id, sequence: sequence, path: path, spoolName: spoolName, content: content, modified: modified,
            shownMode: shownMode, inline: inline, isTouched: has(6),
            isBegun: has(7))
    }

    fileprivate mutating func path() -> RemotePath? {
        guard let bytes = byteString() else { return nil }
        let names = bytes.split(separator: 0x2F, omittingEmptySubsequences: false).compactMap {
            try? FileName(validating: Array($0))
        }
        let path = RemotePath(names)
        return path.joined == bytes && !path.isRoot ? path : nil
    }

    private mutating func ranges() -> [Range<Int64>]? {
        guard let count = uint32(), Int(count) <= rest / 16 else { return nil }
        var ranges: [Range<Int64>] = []
        for _ in 0..<count {
            guard let lower = int64(), let upper = int64(), lower >= ranges.last?.upperBound ?? 0, lower < upper else {
                return nil
            }
            ranges.append(lower..<upper)
        }
        return ranges
    }
}
