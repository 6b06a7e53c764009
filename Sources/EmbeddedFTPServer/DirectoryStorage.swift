internal import CLinux
internal import SystemPackage
internal import Vocabulary

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// Serves a directory of this machine and nothing outside of it.
///
/// Every path is opened by openat2(2) with RESOLVE_BENEATH below the directory, so the kernel itself refuses `..` and
/// symbolic links that lead out (absolute ones always do), also while somebody renames directories underneath. What
/// makes, removes or renames a name opens the directory that holds it in that way, and then names only that entry,
/// without following it. The rights are those of the process.
final class DirectoryStorage: ServerStorage {
    private let root: FileDescriptor

    init(_ path: FilePath) throws(Errno) {
        let raw = path.withPlatformString { open($0, clinux_O_PATH | O_DIRECTORY | O_CLOEXEC) }
        guard raw >= 0 else { throw Socket.lastError() }
        root = FileDescriptor(rawValue: raw)
    }

    deinit { try? root.close() }

    // MARK: Looking

    func attributes(of path: ServerPath, following: Bool) throws(StorageError) -> StorageAttributes {
        let file = try openBeneath(path, clinux_O_PATH | (following ? 0 : O_NOFOLLOW))
        defer { try? file.close() }
        return try Self.attributes(of: file)
    }

    func list(_ directory: ServerPath) throws(StorageError) -> [StorageEntry] {
        let opened = try openBeneath(directory, O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(opened.rawValue) else {
            let error = Self.lastError()
            try? opened.close()
            throw error
        }
        // This closes the descriptor, too.
        defer { closedir(stream) }
        var entries: [StorageEntry] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen(pointer)))
                }
            }
            if name == Array(".".utf8) || name == Array("..".utf8) { continue }
            // What is gone again since is not listed.
            guard let attributes = Self.attributes(of: name, in: opened) else { continue }
            let target = attributes.kind == .symbolicLink ? Self.linkTarget(of: name, in: opened) : nil
            entries.append(StorageEntry(name: name, attributes: attributes, linkTarget: target))
        }
        // As ls and the products sort, so that a listing does not change from one time to the next.
        return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    // MARK: Files

    func openRead(_ path: ServerPath) throws(StorageError) -> any StorageReader {
        // O_NONBLOCK: opening a FIFO would wait for a writer.
        let file = try openBeneath(path, O_RDONLY | O_NONBLOCK)
        do throws(StorageError) {
            let attributes = try Self.attributes(of: file)
            guard attributes.kind == .file else { throw .isDirectory }
            return Reader(file: file, size: attributes.size)
        } catch {
            try? file.close()
            throw error
        }
    }

    func openWrite(_ path: ServerPath, mode: StorageWriteMode) throws(StorageError) -> any StorageWriter {
        let flags =
            switch mode {
            case .replace: O_TRUNC
            case .append: O_APPEND
            case .at: Int32(0)
            }
        // 0666 before the umask: what vsftpd and ProFTPD make.
        let file = try openBeneath(path, O_WRONLY | O_CREAT | O_NONBLOCK | flags, mode: 0o666)
        do throws(StorageError) {
            guard try Self.attributes(of: file).kind == .file else { throw .unsupported }
            if case .at(let offset, let cutsTail) = mode {
                if cutsTail, ftruncate(file.rawValue, off_t(offset)) != 0 { throw Self.lastError() }
                if lseek(file.rawValue, off_t(offset), SEEK_SET) < 0 { throw Self.lastError() }
            }
            return Writer(file: file)
        } catch {
            try? file.close()
            throw error
        }
    }

    // MARK: Names

    func makeDirectory(_ path: ServerPath) throws(StorageError) {
        try inParent(of: path, orElse: .exists) { mkdirat($0, $1, 0o777) }
    }

    func removeDirectory(_ path: ServerPath) throws(StorageError) {
        try inParent(of: path, orElse: .denied) { unlinkat($0, $1, AT_REMOVEDIR) }
    }

    func removeFile(_ path: ServerPath) throws(StorageError) {
        try inParent(of: path, orElse: .denied) { unlinkat($0, $1, 0) }
    }

    func rename(_ path: ServerPath, to target: ServerPath, replacing: Bool) throws(StorageError) {
        guard let newName = target.name else { throw .denied }
        let directory = try openBeneath(target.parent, clinux_O_PATH | O_DIRECTORY)
        defer { try? directory.close() }
        try inParent(of: path, orElse: .denied) { parent, name in
            newName.withPlatformString { newName in
                replacing
                    ? renameat(parent, name, directory.rawValue, newName)
                    : clinux_rename_noreplace(parent, name, directory.rawValue, newName)
            }
        }
    }

    func makeSymbolicLink(_ path: ServerPath, target: [UInt8]) throws(StorageError) {
        try inParent(of: path, orElse: .exists) { parent, name in
            target.withPlatformString { symlinkat($0, parent, name) }
        }
    }

    // MARK: Attributes

    func setModificationTime(_ path: ServerPath, to time: Timestamp) throws(StorageError) {
        let times = [
            timespec(tv_sec: 0, tv_nsec: clinux_UTIME_OMIT),
            timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds)),
        ]
        try throughDescriptor(of: path) { utimensat(AT_FDCWD, $0, times, 0) }
    }

    func setMode(_ path: ServerPath, to mode: UInt32) throws(StorageError) {
        try throughDescriptor(of: path) { chmod($0, mode & 0o7777) }
    }

    /// Runs a call on the path of an open descriptor in /proc: on the thing itself, whatever rights it has and whoever
    /// renames it meanwhile.
    private func throughDescriptor(
        of path: ServerPath, _ call: (UnsafePointer<CChar>) -> Int32
    ) throws(StorageError) {
        let file = try openBeneath(path, clinux_O_PATH)
        defer { try? file.close() }
        guard "/proc/self/fd/\(file.rawValue)".withCString(call) == 0 else { throw Self.lastError() }
    }

    // MARK: Opening

    private func openBeneath(
        _ path: ServerPath, _ flags: Int32, mode: mode_t = 0
    ) throws(StorageError) -> FileDescriptor {
        // 0 would end the name early, and another file would be meant.
        guard !path.components.contains(where: { $0.contains(0) }) else { throw .invalidName }
        let name = path.components.isEmpty ? Array(".".utf8) : path.joined
        while true {
            let raw = name.withPlatformString { clinux_open_beneath(root.rawValue, $0, flags, mode) }
            if raw >= 0 { return FileDescriptor(rawValue: raw) }
            // EAGAIN: somebody renamed a directory on the way, and the kernel could not be sure (openat2(2)).
            guard errno == EINTR || errno == EAGAIN else { throw Self.lastError() }
        }
    }

    /// Runs a call on a name in the directory that holds it. The root has no such name: `orElse`.
    private func inParent(
        of path: ServerPath, orElse refusal: StorageError, _ call: (Int32, UnsafePointer<CChar>) -> Int32
    ) throws(StorageError) {
        guard let name = path.name else { throw refusal }
        guard !name.contains(0) else { throw .invalidName }
        let directory = try openBeneath(path.parent, clinux_O_PATH | O_DIRECTORY)
        defer { try? directory.close() }
        guard name.withPlatformString({ call(directory.rawValue, $0) }) == 0 else { throw Self.lastError() }
    }

    private static func attributes(of file: FileDescriptor) throws(StorageError) -> StorageAttributes {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw lastError() }
        return StorageAttributes(status)
    }

    private static func attributes(of name: [UInt8], in directory: FileDescriptor) -> StorageAttributes? {
        var status = stat()
        let result = name.withPlatformString { fstatat(directory.rawValue, $0, &status, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? StorageAttributes(status) : nil
    }

    private static func linkTarget(of name: [UInt8], in directory: FileDescriptor) -> [UInt8]? {
        // PATH_MAX: no longer target can be made.
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = name.withPlatformString { readlinkat(directory.rawValue, $0, &buffer, buffer.count) }
        return count >= 0 ? buffer[..<count].map { UInt8(bitPattern: $0) } : nil
    }

    private static func lastError() -> StorageError { StorageError(Socket.lastError()) }

    // MARK: Open files

    private struct Reader: StorageReader {
        let file: FileDescriptor
        let size: Int64

        var descriptor: FileDescriptor? { file }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(StorageError) -> Int {
            let count = pread(file.rawValue, buffer.baseAddress, buffer.count, off_t(offset))
            guard count >= 0 else { throw DirectoryStorage.lastError() }
            return count
        }

        func close() { try? file.close() }
    }

    private struct Writer: StorageWriter {
        let file: FileDescriptor

        func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
            var rest = bytes
            while !rest.isEmpty {
                let count = Glibc.write(file.rawValue, rest.baseAddress, rest.count)
                if count >= 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if errno != EINTR {
                    throw DirectoryStorage.lastError()
                }
            }
        }

        func close() throws(StorageError) {
            guard Glibc.close(file.rawValue) == 0 else { throw DirectoryStorage.lastError() }
        }
    }
}

extension StorageAttributes {
    fileprivate init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .special
            }
        self.init(
            kind: kind, size: Int64(status.st_size),
            modified: Timestamp(
                seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(clamping: status.st_mtim.tv_nsec)),
            mode: status.st_mode & 0o7777, links: UInt64(status.st_nlink), owner: status.st_uid, group: status.st_gid)
    }
}

extension StorageError {
    /// What an error number of a file system call means here.
    init(_ code: Errno) {
        self =
            switch code {
            case .noSuchFileOrDirectory: .notFound
            case .fileExists: .exists
            case .directoryNotEmpty: .notEmpty
            case .notDirectory: .notDirectory
            case .isDirectory: .isDirectory
            // improperLink (EXDEV) is how openat2(2) refuses to leave the directory.
            case .permissionDenied, .notPermitted, .readOnlyFileSystem, .improperLink: .denied
            case .fileNameTooLong, .invalidArgument, .illegalByteSequence: .invalidName
            case .noSpace, .diskQuotaExceeded: .noSpace
            default: .failed(code)
            }
    }
}

extension Array where Element == UInt8 {
    /// Runs `body` with the bytes as a string of C.
    fileprivate func withPlatformString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (self + [0]).withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                // There is at least the 0, so there is an address.
                characters.baseAddress.map(body) ?? "".withCString(body)
            }
        }
    }
}
