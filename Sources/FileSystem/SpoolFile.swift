import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// One file on the local disk that holds what was written to a remote one: every byte at its own offset, with holes
/// where the content is only on the server.
///
/// Thousands of files can wait to be sent, and a process has few descriptors: a file that no program has open is *parked*,
/// and opened for each use. A small one has no file at all, but a slot of a common one (``SpoolSlots``).
///
/// Calls block for as long as the local disk does. Any thread may call; who orders writes is the owner.
///
/// Lock order: ``location`` is held while the local disk makes a file, or a slot is read or written.
final class SpoolFile: Sendable {
    let location: Monitor<Location>
    let spool: Spool
    let slots: SpoolSlots?

    struct Location {
        var path: FilePath
        /// Where it is while it is small; it has no descriptor then.
        var slot: SpoolSlots.Slot?
        var descriptor: FileDescriptor?
        /// How many uses of the descriptor are under way.
        var users = 0
        var isParked = false
        var isKept = false
        /// Whether the directory is known to have its name on the disk.
        var hasDurableName = false
        /// Whether a record of the journal names it.
        var isInJournal = false
        /// Whether the server has all that it holds.
        var isSent = false
        /// How many bytes of it count, for the gauge: holes take no room.
        var held: Int64 = 0
    }

    init(descriptor: FileDescriptor, path: FilePath, spool: Spool) {
        self.spool = spool
        slots = nil
        location = Monitor(Location(path: path, descriptor: descriptor))
    }

    /// An empty one.
    init(_ slot: SpoolSlots.Slot, of slots: SpoolSlots, spool: Spool) {
        self.spool = spool
        self.slots = slots
        location = Monitor(Location(path: slots.path, slot: slot))
    }

    /// A file that another process has left. It is opened when it is needed.
    ///
    /// - Parameter held: how many of its bytes count.
    init(adopting path: FilePath, held: Int64, spool: Spool) {
        self.spool = spool
        slots = nil
        location = Monitor(
            Location(path: path, isParked: true, hasDurableName: true, isInJournal: true, held: held))
        spool.count(held)
    }

    deinit {
        let (path, slot, descriptor, isKept, held) = location.withLock {
            ($0.path, $0.slot, $0.descriptor, $0.isKept, $0.held)
        }
        if !isKept {
            if let slot { slots?.giveBack(slot) } else { _ = path.withPlatformString { Glibc.unlink($0) } }
        }
        try? descriptor?.close()
        spool.count(-held)
    }

    // MARK: - The descriptor

    /// Runs `body` with a descriptor from which the content can be read, and which stays open meanwhile.
    ///
    /// Of a slot it is a copy in memory: sendfile(2) hands over pages, and those of a slot will have another content.
    func withDescriptor<Result>(
        _ body: (FileDescriptor) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        guard let copy = try copyOfSlot() else { return try withFile(body) }
        defer { try? copy.close() }
        return try body(copy)
    }

    /// Runs `body` with the descriptor of the file, which stays open meanwhile; a content in a slot moves to a file first.
    private func withFile<Result>(
        _ body: (FileDescriptor) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let descriptor = try location.withLock { location throws(StoreError) -> FileDescriptor in
            try moveOut(&location)
            do {
                let descriptor =
                    try location.descriptor
                    ?? FileDescriptor.open(location.path, .readWrite, options: [.closeOnExec, .noFollow])
                location.descriptor = descriptor
                location.users += 1
                return descriptor
            } catch {
                throw StoreError(localDisk: error, "open \(location.path)")
            }
        }
        defer {
            location.withLock { location in
                location.users -= 1
                location.closeIfUnused()
            }
        }
        return try body(descriptor)
    }

    /// No program has it open: the descriptor is closed, and opened when it is needed.
    func park() {
        location.withLock { location in
            location.isParked = true
            location.closeIfUnused()
        }
    }

    /// A program has it open.
    func unpark() {
        location.withLock { $0.isParked = false }
    }

    /// Hands a range to a transfer.
    func send(
        _ range: Range<Int64>, through stream: any RemoteWriteStream, _ cancellation: Cancellation
    ) throws(StoreError) {
        try withDescriptor { descriptor throws(StoreError) in
            try stream.send(from: descriptor, range: range, cancellation: cancellation)
        }
    }

    // MARK: - Durability

    /// Whether a record of the journal names it, so that its bytes must not be cut.
    var isInJournal: Bool { location.withLock { $0.isInJournal } }

    /// Returns when the disk has all that was written, and the name.
    func makeDurable() throws(StoreError) {
        try withFile { descriptor throws(StoreError) in
            guard fdatasync(descriptor.rawValue) == 0 else {
                throw StoreError(localDisk: Errno(rawValue: errno), "fdatasync of \(path)")
            }
        }
        let directory = location.withLock { location -> FilePath? in
            location.isInJournal = true
            return location.hasDurableName ? nil : location.path.removingLastComponent()
        }
        guard let directory else { return }
        do {
            try Journal.syncDirectory(directory)
        } catch {
            throw StoreError(localDisk: error, "fsync of \(directory)")
        }
        location.withLock { $0.hasDurableName = true }
    }

    /// The server has all that it holds: if this process is killed, nobody needs it. The next one knows by its mode
    /// (``Spool/sentMode``; an empty slot), which costs a microsecond, and no wait of the disk.
    func markSent() {
        location.withLock { location in
            guard !location.isKept, !location.isSent else { return }
            location.isSent = mark(location, sent: true)
        }
    }

    /// It is about to be changed.
    private func unmarkSent() {
        location.withLock { location in
            guard location.isSent else { return }
            location.isSent = false
            _ = mark(location, sent: false)
        }
    }

    private func mark(_ location: Location, sent: Bool) -> Bool {
        if let slot = location.slot { return slots?.mark(slot, sent: sent) ?? false }
        return location.path.withPlatformString { chmod($0, sent ? Spool.sentMode : Spool.mode) } == 0
    }

    /// Lets it outlive this program where it is.
    func leave() {
        location.withLock { location in
            location.isKept = true
            if location.slot != nil { slots?.keep() }
        }
    }

    /// Its name in the spool directory.
    var name: String {
        location.withLock { location in
            if let slot = location.slot, let slots { return slots.name(of: slot) }
            return location.path.lastComponent?.string ?? ""
        }
    }

    /// Where it is, for messages.
    var path: FilePath { location.withLock { $0.path } }

    /// Writes all the bytes at an offset.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StoreError) {
        unmarkSent()
        let (end, overflow) = offset.addingReportingOverflow(Int64(bytes.count))
        let isWritten: Void? = try inSlot(upTo: overflow ? .max : end) { slot, slots in
            try slots.write(bytes, at: offset, in: &slot)
        }
        if isWritten != nil { return }
        try withFile { descriptor throws(StoreError) in
            do {
                try descriptor.writeAll(toAbsoluteOffset: offset, bytes)
            } catch {
                throw StoreError(localDisk: error, "write to \(path)")
            }
        }
    }

    /// Reads as many bytes as there are, up to the size of the buffer.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(StoreError) -> Int {
        let count = try inSlot { slot, slots in try slots.read(into: buffer, at: offset, of: slot) }
        if let count { return count }
        return try withFile { descriptor throws(StoreError) in
            var done = 0
            while done < buffer.count {
                do {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                    let count = try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
                    if count == 0 { break }
                    done += count
                } catch {
                    throw StoreError(localDisk: error, "read from \(path)")
                }
            }
            return done
        }
    }

    /// The bytes of a range; zeros where the file does not reach.
    func bytes(in range: Range<Int64>) throws(StoreError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        _ = try read(into: buffer, at: range.lowerBound)
        return Array(buffer)
    }

    /// Writes all the bytes at an offset.
    func write(_ bytes: ArraySlice<UInt8>, at offset: Int64) throws(StoreError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(buffer), at: offset)
    }

    /// Cuts or extends it; what is added reads as zeros.
    func truncate(to size: Int64) throws(StoreError) {
        unmarkSent()
        let isDone: Void? = try inSlot(upTo: size) { slot, slots in try slots.truncate(&slot, to: size) }
        if isDone != nil { return }
        try withFile { descriptor throws(StoreError) in
            do {
                try descriptor.resize(to: size)
            } catch {
                throw StoreError(localDisk: error, "truncate \(path)")
            }
        }
    }

    /// Puts zeros into a range.
    func erase(_ range: Range<Int64>) throws(StoreError) {
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 16)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(Int64(zeros.count), range.upperBound - offset))
            try write(UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: offset)
            offset += Int64(count)
        }
    }

    /// Says how many of its bytes count.
    func holds(_ count: Int64) {
        let change = location.withLock { location in
            defer { location.held = count }
            return count - location.held
        }
        if change != 0 { spool.count(change) }
    }

    /// Gives it a name that says what it is, and lets it outlive this program.
    ///
    /// - Returns: where it is now; the old place if it could not be renamed.
    func keep(as name: String) -> FilePath {
        location.withLock { location in
            location.isKept = true
            do throws(StoreError) {
                try moveOut(&location)
            } catch {
                // It stays where it is, with the others.
                slots?.keep()
                return location.path
            }
            let target = location.path.removingLastComponent().appending(name)
            let failed = location.path.withPlatformString { old in
                target.withPlatformString { Glibc.rename(old, $0) }
            }
            if failed == 0 { location.path = target }
            return location.path
        }
    }
}

extension SpoolFile.Location {
    fileprivate mutating func closeIfUnused() {
        guard isParked, users == 0, let open = descriptor else { return }
        descriptor = nil
        try? open.close()
    }
}

extension StoreError {
    /// A failure of the local disk.
    init(localDisk error: any Error, _ what: String) {
        let errno = error as? Errno ?? .ioError
        let kind: Kind
        switch errno {
        case .noSpace: kind = .noSpace
        case .diskQuotaExceeded: kind = .quotaExceeded
        case .fileTooLarge: kind = .tooLarge
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory: kind = .noResources
        default: kind = .inputOutput
        }
        self.init(kind, "spool: \(what): \(errno)\(Self.remedy(errno))")
    }

    /// What helps, for the line in the log; it begins with "; ".
    private static func remedy(_ errno: Errno) -> String {
        switch errno {
        case .readOnlyFileSystem, .permissionDenied, .notPermitted:
            "; make that directory writable, or mount with spool_dir= elsewhere"
        case .noSpace, .diskQuotaExceeded: "; free space there, or mount with spool_dir= on another disk"
        case .noSuchFileOrDirectory: "; somebody has removed the spool directory: mount anew"
        case .ioError: "; check that disk, or mount with spool_dir= on another one"
        case .tooManyOpenFiles: "; allow more open files (ulimit -n, LimitNOFILE= of a service)"
        case .tooManyOpenFilesInSystem: "; allow more open files (sysctl fs.file-max)"
        default: ""
        }
    }
}
