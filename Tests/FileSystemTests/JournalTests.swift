import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FileSystem

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What is written down of files that wait, and what another process reads of it.
@Suite struct JournalTests {
    private static func entry(
        _ id: UInt64, _ sequence: UInt64, _ name: String = "f", inline: [UInt8]? = Array("content".utf8)
    ) -> JournalEntry {
        JournalEntry(
            id: id, sequence: sequence, path: path("d/\(name)"), spoolName: Array("open-1".utf8),
            content: SavedContent(
                size: 7, serverSize: 0, mustReplace: true, replacesContent: false, isNew: true, isAppendOnly: false,
                ranges: [0..<7]),
            modified: Timestamp(seconds: 1, nanoseconds: 2), shownMode: 0o644, inline: inline)
    }

    private static let rich: JournalEntry = {
        var entry = JournalTests.entry(7, 9, "\u{e4} b", inline: nil)
        entry.content.isNew = false
        entry.content.isAppendOnly = true
        entry.content.replacesContent = true
        entry.content.serverSize = 1 << 40
        entry.content.size = 1 << 41
        entry.content.ranges = [5..<6, (1 << 40)..<(1 << 41)]
        entry.content.mode = 0o640
        entry.content.time = Timestamp(seconds: -5, nanoseconds: 999_999_999)
        entry.content.base = RemoteBase(size: 3, modified: Timestamp(seconds: 60), precision: .minute)
        entry.shownMode = nil
        entry.isTouched = true
        return entry
    }()

    static let records: [JournalRecord] = [
        .pending(entry(1, 2)), .pending(rich), .pending(entry(3, 4, inline: [])),
        .attributes(id: 5, mode: nil, time: nil),
        .attributes(id: 5, mode: 0o777, time: Timestamp(seconds: 1 << 40)), .begun(id: .max, content: nil),
        .begun(id: 5, content: SentContent(size: 1 << 40, head: 1, tail: .max)), .leaving(id: 6, .removed),
        .leaving(id: 6, .replaced(by: path("d/e f"))), .staying(id: 6), .settled(id: 0, sequence: .max),
    ]

    // MARK: - Records

    @Test(arguments: records) func `a record is read as it was written`(_ record: JournalRecord) throws {
        let frame = record.frame
        let read = try #require(JournalRecord.read(frame[...]))
        #expect(read.record == record)
        #expect(read.length == frame.count)
    }

    @Test(arguments: records) func `a cut record is none, wherever it was cut`(_ record: JournalRecord) {
        let frame = record.frame
        for length in 0..<frame.count {
            #expect(JournalRecord.read(frame.prefix(length)) == nil)
            let zeros = [UInt8](repeating: 0, count: frame.count - length)
            if frame[length...].contains(where: { $0 != 0 }) {
                #expect(JournalRecord.read((frame.prefix(length) + zeros)[...]) == nil)
            }
        }
    }

    @Test(arguments: records) func `a record with one bit changed is none`(_ record: JournalRecord) {
        let frame = record.frame
        for place in frame.indices {
            var changed = frame
            changed[place] ^= 1 << UInt8(place % 8)
            #expect(JournalRecord.read(changed[...]) == nil)
        }
    }

    @Test func `the checksum is that of ISO 3309`() {
        #expect(Checksum.crc32(Array("123456789".utf8)[...]) == 0xCBF4_3926)
    }

    @Test func `a payload that is no record is none, however it is made`() {
        var random = Seeded(5)
        for _ in 0..<2_000 {
            let payload = (0..<Int.random(in: 1...80, using: &random)).map { _ in
                UInt8.random(in: 0...4, using: &random)
            }
            var frame = ByteWriter()
            frame.put(UInt32(payload.count))
            frame.put(Checksum.crc32(payload[...]))
            // It must not trap; what it is taken for must be writable again.
            guard let read = JournalRecord.read((frame.bytes + payload)[...]) else { continue }
            #expect(JournalRecord.read(read.record.frame[...])?.record == read.record)
        }
    }

    // MARK: - Replay

    private static func replay(_ records: [JournalRecord]) -> JournalReplay {
        var replay = JournalReplay()
        _ = replay.read(records.flatMap(\.frame), from: 0)
        return replay
    }

    @Test func `what is settled does not wait, what was written later does`() {
        let replay = Self.replay([
            .pending(Self.entry(1, 1, "a")), .pending(Self.entry(2, 2, "b")), .pending(Self.entry(3, 3, "c")),
            .settled(id: 2, sequence: 2), .pending(Self.entry(1, 4, "a")), .settled(id: 1, sequence: 1),
        ])
        #expect(replay.pending.map(\.id) == [3, 1])
        #expect(replay.lastID == 3)
        #expect(replay.lastSequence == 4)
    }

    @Test func `of two records of one file the one with the later number counts`() {
        let replay = Self.replay([.pending(Self.entry(1, 2, "new")), .pending(Self.entry(1, 1, "old"))])
        #expect(replay.pending.map(\.path) == [path("d/new")])
    }

    @Test func `mode and time are remembered until the next content, a transfer's beginning until all is settled`() {
        let time = Timestamp(seconds: 77)
        let noted: [JournalRecord] = [
            .pending(Self.entry(1, 1)), .attributes(id: 1, mode: 0o600, time: time), .begun(id: 1, content: nil),
        ]
        let entry = Self.replay(noted).pending.first
        #expect(entry?.content.mode == 0o600 && entry?.shownMode == 0o600)
        #expect(entry?.content.time == time && entry?.modified == time)
        #expect(entry?.isBegun == true)
        var next = Self.entry(1, 2)
        next.isBegun = true
        #expect(Self.replay(noted + [.pending(Self.entry(1, 2))]).pending == [next])
        let settled: [JournalRecord] = [.settled(id: 1, sequence: 1), .pending(Self.entry(1, 2))]
        #expect(Self.replay(noted + settled).pending == [Self.entry(1, 2)])
    }

    @Test func `the contents that were about to be sent are remembered, the last of them`() {
        let sent = (0..<20).map { SentContent(size: $0, head: 1, tail: 2) }
        let replay = Self.replay(
            [.pending(Self.entry(1, 1))] + sent.map { .begun(id: 1, content: $0) } + [.pending(Self.entry(1, 2))])
        #expect(replay.pending.first?.sent == Array(sent.suffix(JournalEntry.maximumSent)))
        #expect(replay.frames[1]?.count == 1 + JournalEntry.maximumSent)
    }

    @Test func `a name that was about to go stays when the server has refused that, or a later content has it`() {
        let leaving: [JournalRecord] = [.pending(Self.entry(1, 1)), .leaving(id: 1, .removed)]
        #expect(Self.replay(leaving).pending.first?.leaving == .removed)
        #expect(Self.replay(leaving + [.staying(id: 1)]).pending == [Self.entry(1, 1)])
        #expect(Self.replay(leaving + [.pending(Self.entry(1, 2))]).pending == [Self.entry(1, 2)])
    }

    @Test func `a torn tail ends the journal and spoils nothing before it`() {
        let whole = [JournalRecord.pending(Self.entry(1, 1)), .pending(Self.entry(2, 2))].flatMap(\.frame)
        let torn = JournalRecord.settled(id: 1, sequence: .max).frame
        for length in 0..<torn.count {
            var replay = JournalReplay()
            let end = replay.read(whole + torn.prefix(length) + [0, 0, 0, 0, 0, 0, 0, 0, 0], from: 0)
            #expect(end == whole.count)
            #expect(replay.pending.map(\.id) == [1, 2])
        }
    }

    // MARK: - The file

    private static func inDirectory(_ body: (FilePath) throws -> Void) throws {
        var template = Array("/tmp/ftpfs-journal-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let directory = FilePath(platformString: template)
        defer {
            unlink(directory.appending(Journal.fileName).string)
            rmdir(directory.string)
        }
        try body(directory)
    }

    @Test func `what was written is there when the journal is opened again`() throws {
        try Self.inDirectory { directory throws in
            do {
                let (journal, replay) = try Journal.open(in: directory)
                #expect(replay.pending.isEmpty)
                try journal.append(.pending(Self.entry(1, journal.takeSequence())), isDurable: true)
                try journal.append(.pending(Self.entry(2, journal.takeSequence())), isDurable: false)
                try journal.append(.settled(id: 1, sequence: 1), isDurable: true)
            }
            let (journal, replay) = try Journal.open(in: directory)
            #expect(replay.pending == [Self.entry(2, 2)])
            #expect(journal.takeSequence() == 3)
            try journal.append(.settled(id: 2, sequence: 2), isDurable: true)
            #expect(journal.isEmpty)
            journal.remove()
            #expect(access(directory.appending(Journal.fileName).string, F_OK) != 0)
        }
    }

    @Test func `it is written anew when most of it is done, and keeps what waits`() throws {
        try Self.inDirectory { directory throws in
            do {
                let (journal, _) = try Journal.open(in: directory)
                let content = [UInt8](repeating: 7, count: 32 << 10)
                try journal.append(.pending(Self.entry(1, journal.takeSequence(), "keep")), isDurable: true)
                try journal.append(.begun(id: 1, content: SentContent(size: 9, head: 8, tail: 7)), isDurable: false)
                try journal.append(.pending(Self.entry(1, journal.takeSequence(), "keep")), isDurable: true)
                try journal.append(.attributes(id: 1, mode: 0o600, time: nil), isDurable: false)
                for id in UInt64(2)...2000 {
                    let sequence = journal.takeSequence()
                    try journal.append(.pending(Self.entry(id, sequence, inline: content)), isDurable: false)
                    try journal.append(.settled(id: id, sequence: sequence), isDurable: false)
                }
            }
            var status = stat()
            #expect(stat(directory.appending(Journal.fileName).string, &status) == 0)
            #expect(status.st_size < 12 << 20)
            let (journal, replay) = try Journal.open(in: directory)
            #expect(replay.pending.map(\.id) == [1])
            #expect(replay.pending.first?.content.mode == 0o600)
            #expect(replay.pending.first?.sent == [SentContent(size: 9, head: 8, tail: 7)])
            try journal.append(.settled(id: 1, sequence: 1), isDurable: false)
        }
    }

    @Test func `many threads commit together`() throws {
        try Self.inDirectory { directory throws in
            let (journal, _) = try Journal.open(in: directory)
            let writers = try (0..<8).map { writer in
                try Background {
                    for number in 0..<50 {
                        let id = UInt64(writer * 50 + number)
                        try journal.append(.pending(Self.entry(id, journal.takeSequence())), isDurable: true)
                    }
                }
            }
            for writer in writers { try writer.value() }
            #expect(try Journal.open(in: directory).replay.pending.count == 400)
        }
    }

    @Test func `an entry that waits is the same content afterwards`() throws {
        var state = WriteState(Self.rich, in: nil)
        #expect(state.saved?.ranges == Self.rich.content.ranges)
        #expect(state.saved == Self.rich.content)
        #expect(state.isDirty && !state.isWhole && state.isAppendOnly)
        state.becomeNew()
        #expect(state.saved?.isNew == true)
        #expect(WriteState(Self.entry(1, 1), in: nil).isWhole)
    }
}
