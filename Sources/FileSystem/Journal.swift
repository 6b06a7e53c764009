import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The file that says what waits to be sent, so that another process can go on after a crash: records one behind the
/// other (``JournalRecord``), in a directory that belongs to this mount alone.
///
/// ## How a record becomes durable
/// A record is written at once, in the order of the calls; that is enough to survive the death of this process. Who needs
/// more waits for fdatasync(2). One thread does that for all that have written meanwhile, so that many files that are
/// closed at the same time cost one wait of the disk and not one each. The file is filled with zeros ahead of the
/// records: an fdatasync that need not tell the disk of a new length is several times cheaper.
///
/// ## How it stays small
/// When most of it is about files that have been sent, the records that still count are copied to a new file, which takes the
/// place of the old one in one step.
///
/// Calls block for as long as the local disk does; the writes happen under the lock, which keeps them in order.
final class Journal: Sendable {
    static let fileName = "journal"
    private static let nextName = "journal.new"
    private static let magic = Array("ftpfsJ1\n".utf8)
    /// How much is filled with zeros at a time: a hundred small files, in a write of a millisecond.
    private static let step: Int64 = 1 << 20
    /// What may be in it in vain before it is written anew: less than a second's work for a disk, and rare.
    private static let waste: Int64 = 8 << 20

    fileprivate struct State {
        var file: FileDescriptor
        /// Where the next frame goes, and up to where the file is filled.
        var end: Int64
        var filled: Int64
        var frames: [UInt64: Live] = [:]
        var liveLength: Int64 = 0
        var lastSequence: UInt64
        /// Counts records; up to which of them all are durable.
        var written: UInt64 = 0
        var durable: UInt64 = 0
        var isSyncing = false
        var failure: StoreError?
    }

    fileprivate struct Live {
        var sequence: UInt64
        var frames: [JournalReplay.Frame]
    }

    private let directory: FilePath
    private let state: Monitor<State>

    /// Opens the journal of a directory, or makes one.
    ///
    /// - Returns: the journal, and what it says.
    static func open(in directory: FilePath) throws(StoreError) -> (journal: Journal, replay: JournalReplay) {
        _ = directory.appending(nextName).withPlatformString { Glibc.unlink($0) }
        do {
            let file = try FileDescriptor.open(
                directory.appending(fileName), .readWrite, options: [.create, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            do {
                let length = try file.seek(offset: 0, from: .end)
                var bytes = [UInt8](repeating: 0, count: Int(length))
                let count = try bytes.withUnsafeMutableBytes { try readAll(file, into: $0) }
                bytes.removeLast(bytes.count - count)
                var replay = JournalReplay()
                var end = magic.count
                if bytes.starts(with: magic) {
                    end = replay.read(bytes, from: magic.count)
                } else {
                    try file.writeAll(toAbsoluteOffset: 0, magic)
                }
                // What is behind the last whole frame is nothing, and must not be taken for something later.
                try file.resize(to: Int64(end))
                let journal = Journal(directory, file, end: Int64(end), replay)
                try syncDirectory(directory)
                return (journal, replay)
            } catch {
                try? file.close()
                throw error
            }
        } catch {
            throw StoreError(localDisk: error, "open the journal in \(directory)")
        }
    }

    private init(_ directory: FilePath, _ file: FileDescriptor, end: Int64, _ replay: JournalReplay) {
        self.directory = directory
        var state = State(file: file, end: end, filled: end, lastSequence: replay.lastSequence)
        for (id, frames) in replay.frames {
            state.frames[id] = Live(sequence: replay.entries[id]?.sequence ?? 0, frames: frames)
            state.liveLength += frames.reduce(0) { $0 + Int64($1.length) }
        }
        self.state = Monitor(state)
    }

    deinit {
        state.withLock { try? $0.file.close() }
    }

    /// Whether no file waits.
    var isEmpty: Bool { state.withLock { $0.frames.isEmpty } }

    /// The number of the last entry.
    var lastSequence: UInt64 { state.withLock { $0.lastSequence } }

    /// A number for the next entry.
    func takeSequence() -> UInt64 {
        state.withLock { state in
            state.lastSequence += 1
            return state.lastSequence
        }
    }

    /// Writes a record.
    ///
    /// - Parameter isDurable: whether to wait until the disk has it. Without that it survives this process, but not the machine.
    /// - Throws: when the local disk does not take it, or nobody would find it there.
    func append(_ record: JournalRecord, isDurable: Bool) throws(StoreError) {
        let frame = record.frame
        let ticket = try state.withLock { state throws(StoreError) -> UInt64 in
            do {
                if isDurable, Self.isRemoved(state.file) { throw Errno.noSuchFileOrDirectory }
                let wasted = state.end - state.liveLength
                if wasted > Self.waste, wasted > state.liveLength { try compact(&state) }
                try write(frame, record, &state)
            } catch {
                throw StoreError(localDisk: error, "write the journal in \(directory)")
            }
            state.written += 1
            return state.written
        }
        if isDurable { try sync(to: ticket) }
    }

    /// Removes the file, if nobody waits.
    func remove() {
        state.withLock { state in
            guard state.frames.isEmpty else { return }
            _ = directory.appending(Self.fileName).withPlatformString { Glibc.unlink($0) }
        }
    }

    // MARK: - Writing

    private func write(_ frame: [UInt8], _ record: JournalRecord, _ state: inout State) throws {
        let next = state.end + Int64(frame.count)
        if next + Self.step / 2 > state.filled {
            let zeros = [UInt8](repeating: 0, count: Int(Self.step) + frame.count)
            try state.file.writeAll(toAbsoluteOffset: max(state.filled, state.end), zeros)
            state.filled = max(state.filled, state.end) + Int64(zeros.count)
        }
        try state.file.writeAll(toAbsoluteOffset: state.end, frame)
        state.note(record, JournalReplay.Frame(offset: state.end, length: frame.count))
        state.end = next
    }

    private func sync(to ticket: UInt64) throws(StoreError) {
        while true {
            let leads = state.wait(until: .never) { state -> (file: FileDescriptor, ticket: UInt64)?? in
                if state.durable >= ticket || state.failure != nil { return .some(nil) }
                if state.isSyncing { return nil }
                state.isSyncing = true
                return .some((state.file, state.written))
            }
            guard let leads, let (file, reached) = leads else { break }
            let failed = fdatasync(file.rawValue) != 0 ? Errno(rawValue: errno) : nil
            state.withLockThenWake { state in
                state.isSyncing = false
                if let failed {
                    // After a failed fdatasync nobody knows what of the file is on the disk (fsync(2), NOTES).
                    state.failure = StoreError(localDisk: failed, "fdatasync of the journal in \(directory)")
                } else {
                    state.durable = max(state.durable, reached)
                }
            }
        }
        if let failure = state.withLock({ $0.durable >= ticket ? nil : $0.failure }) { throw failure }
    }

    /// Writes the records that count to a new file.
    private func compact(_ state: inout State) throws {
        // Who syncs has the old file in hand; it must not be closed under him.
        guard !state.isSyncing else { return }
        let path = directory.appending(Self.nextName)
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
        do {
            try file.writeAll(toAbsoluteOffset: 0, Self.magic)
            var end = Int64(Self.magic.count)
            var frames = state.frames
            for (id, live) in state.frames.sorted(by: { $0.value.sequence < $1.value.sequence }) {
                for (index, frame) in live.frames.enumerated() {
                    var bytes = [UInt8](repeating: 0, count: frame.length)
                    _ = try bytes.withUnsafeMutableBytes { buffer in
                        try Self.readAll(state.file, into: buffer, at: frame.offset)
                    }
                    try file.writeAll(toAbsoluteOffset: end, bytes)
                    frames[id]?.frames[index].offset = end
                    end += Int64(frame.length)
                }
            }
            guard fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            let failed = path.withPlatformString { old in
                directory.appending(Self.fileName).withPlatformString { Glibc.rename(old, $0) }
            }
            guard failed == 0 else { throw Errno(rawValue: errno) }
            try Self.syncDirectory(directory)
            try? state.file.close()
            state.file = file
            state.frames = frames
            state.end = end
            state.filled = end
            state.durable = state.written
        } catch {
            try? file.close()
            throw error
        }
    }

    // MARK: - The disk

    /// Whether a file has no name any more: somebody has tidied up, and after a crash it would be gone.
    private static func isRemoved(_ file: FileDescriptor) -> Bool {
        var status = stat()
        return fstat(file.rawValue, &status) == 0 && status.st_nlink == 0
    }

    private static func readAll(
        _ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at start: Int64 = 0
    ) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try file.read(fromAbsoluteOffset: start + Int64(done), into: rest)
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Makes the names in a directory durable.
    static func syncDirectory(_ directory: FilePath) throws {
        let descriptor = try FileDescriptor.open(directory, .readOnly, options: [.closeOnExec, .directory])
        defer { try? descriptor.close() }
        guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
}

extension Journal.State {
    /// Notes which frames count.
    fileprivate mutating func note(_ record: JournalRecord, _ frame: JournalReplay.Frame) {
        switch record {
        case .pending(let entry):
            let old = frames[entry.id]
            if let old, old.sequence > entry.sequence { return }
            forget(entry.id)
            keep(entry.id, entry.sequence, JournalReplay.frames(with: frame, after: old?.frames ?? []))
        case .begun(let id, _):
            guard let old = frames[id] else { return }
            forget(id)
            keep(id, old.sequence, JournalReplay.frames(old.frames, begunBy: frame))
        case .attributes(let id, mode: _, time: _), .leaving(let id, _), .staying(let id):
            guard frames[id] != nil else { return }
            frames[id]?.frames.append(frame)
            liveLength += Int64(frame.length)
        case .settled(let id, let sequence):
            if let live = frames[id], live.sequence <= sequence { forget(id) }
        }
    }

    private mutating func keep(_ id: UInt64, _ sequence: UInt64, _ counting: [JournalReplay.Frame]) {
        frames[id] = .init(sequence: sequence, frames: counting)
        liveLength += counting.reduce(0) { $0 + Int64($1.length) }
    }

    private mutating func forget(_ id: UInt64) {
        guard let live = frames.removeValue(forKey: id) else { return }
        liveLength -= live.frames.reduce(0) { $0 + Int64($1.length) }
    }
}
