import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// One file on the local disk that holds what was written to a remote one: every byte at its own offset, with holes
/// where the content is only on the server.
///
/// Calls block for as long as the local disk does. Any thread may call; who orders writes is the owner.
final class SpoolFile: Sendable {
    let descriptor: FileDescriptor
    private let location: Monitor<Location>
    private let spool: Spool

    private struct Location {
        var path: FilePath
        var isKept = false
        /// How many bytes of it count, for the gauge: holes take no room.
        var held: Int64 = 0
    }

    init(descriptor: FileDescriptor, path: FilePath, spool: Spool) {
        self.descriptor = descriptor
        self.spool = spool
        location = Monitor(Location(path: path))
    }

    deinit {
        let (path, isKept, held) = location.withLock { ($0.path, $0.isKept, $0.held) }
        if !isKept { _ = path.withPlatformString { Glibc.unlink($0) } }
        try? descriptor.close()
        spool.count(-held)
    }

    /// Where it is, for messages.
    var path: FilePath { location.withLock { $0.path } }

    /// Writes all the bytes at an offset.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StoreError) {
        do {
            try descriptor.writeAll(toAbsoluteOffset: offset, bytes)
        } catch {
            throw StoreError(localDisk: error, "write to \(path)")
        }
    }

    /// Reads as many bytes as there are, up to the size of the buffer.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(StoreError) -> Int {
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

    /// Cuts or extends it; what is added reads as zeros.
    func truncate(to size: Int64) throws(StoreError) {
        do {
            try descriptor.resize(to: size)
        } catch {
            throw StoreError(localDisk: error, "truncate \(path)")
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
            let target = location.path.removingLastComponent().appending(name)
            let failed = location.path.withPlatformString { old in
                target.withPlatformString { Glibc.rename(old, $0) }
            }
            if failed == 0 { location.path = target }
            return location.path
        }
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
        self.init(kind, "spool: \(what): \(errno)")
    }
}
