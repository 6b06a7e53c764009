import FileSystem
package import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Where this mount keeps what has been written and not yet been sent: a directory of its own that only this user can
/// enter, below one in which nobody else can put another in its place.
///
/// The parent is `spool_dir=`, else `$XDG_CACHE_HOME/ftpfs`, else `~/.cache/ftpfs`, and `/var/cache/ftpfs` for root.
/// A mount removes its own directory when it ends and nothing is left in it. What a killed mount left behind stays:
/// it may be the only copy of somebody's work. Each mount holds a lock on its directory, by which the next one can
/// tell the empty leavings from a directory in use.
///
/// With `writeback` it is the same directory whenever that source is mounted (`SpoolDirectory+Source.swift`).
package struct SpoolDirectory: Sendable {
    /// The directory of this mount; absolute.
    package let path: FilePath
    /// Directories of mounts that were killed, with something in them.
    package let abandoned: [FilePath]
    private let lock: FileDescriptor?
    /// What is in it besides what was written: it goes with the directory.
    private let ownFiles: [String]

    /// Makes the directories that are missing, and one for this mount.
    ///
    /// - Parameter chosen: what `spool_dir=` says.
    /// - Throws: ``MountFailure`` (``ExitCode/system``) when one cannot be made, or others can change the parent.
    package init(chosen: String?) throws(MountFailure) {
        let parent = try Self.parent(chosen: chosen)
        try Self.make(parent)
        abandoned = Self.removeLeavings(in: parent)
        (path, lock) = try Self.makeLocked(in: parent)
        ownFiles = []
    }

    /// The directory of a mount that writes nothing, on a machine where none can be made. By the Filesystem Hierarchy Standard's
    /// convention there never is one of that name.
    static let unneeded = SpoolDirectory("/nonexistent", lock: nil, ownFiles: [])

    /// A directory that is there already, and locked.
    init(_ path: FilePath, lock: FileDescriptor?, ownFiles: [String]) {
        self.path = path
        self.lock = lock
        self.ownFiles = ownFiles
        abandoned = []
    }

    /// Removes the directory unless something is left in it.
    ///
    /// - Returns: whether it is gone.
    package func remove() -> Bool {
        defer {
            // Not only by closing it: a child between fork(2) and execve(2) has the same lock open.
            if let lock {
                flock(lock.rawValue, LOCK_UN)
                try? lock.close()
            }
        }
        let isEmpty = Self.names(in: path).allSatisfy { name in
            // A directory in it goes if it is empty.
            ownFiles.contains(name) || rmdir(path.appending(name).string) == 0
        }
        guard isEmpty else { return false }
        for name in ownFiles { unlink(path.appending(name).string) }
        // Somebody may have removed it before.
        return rmdir(path.string) == 0 || errno == ENOENT
    }

    /// The names in a directory but `.` and `..`.
    static func names(in directory: FilePath) -> [String] {
        guard let stream = opendir(directory.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let text = String(decoding: name, as: UTF8.self)
            if text != "." && text != ".." { names.append(text) }
        }
        return names.sorted()
    }

    private static func parent(chosen: String?) throws(MountFailure) -> FilePath {
        if let chosen { return FilePath(MountPoint.absolute(chosen)) }
        if geteuid() == 0 { return "/var/cache/ftpfs" }
        // The XDG Base Directory Specification: a relative path there is to be ignored.
        if let cache = getenv("XDG_CACHE_HOME").map({ String(cString: $0) }), cache.hasPrefix("/") {
            return FilePath(cache).appending("ftpfs")
        }
        guard let home = Accounts.homeDirectory() else {
            throw MountFailure(
                .system, "no home directory for the spool", remedy: "give -o spool_dir=DIRECTORY")
        }
        return FilePath(home).appending(".cache").appending("ftpfs")
    }

    /// Makes a directory and those above it, each for its owner only, and checks that it is nobody else's.
    static func make(_ directory: FilePath) throws(MountFailure) {
        if mkdir(directory.string, 0o700) != 0 {
            switch errno {
            case EEXIST: break
            case ENOENT where !directory.removingLastComponent().isEmpty:
                try makeParents(directory.removingLastComponent())
                if mkdir(directory.string, 0o700) != 0, errno != EEXIST {
                    throw failure(directory, Errno(rawValue: errno))
                }
            default: throw failure(directory, Errno(rawValue: errno))
            }
        }
        var status = stat()
        guard stat(directory.string, &status) == 0 else { throw failure(directory, Errno(rawValue: errno)) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw failure(directory, .notDirectory) }
        // In a sticky directory like /var/tmp only the owner of an entry can rename or remove it.
        let isOpen = status.st_mode & 0o022 != 0 && status.st_mode & S_ISVTX == 0
        guard status.st_uid == geteuid() || status.st_uid == 0, !isOpen else {
            throw MountFailure(
                .system, "spool directory \(directory) can be changed by other users",
                remedy: "run chmod 700 on it, or give -o spool_dir=DIRECTORY")
        }
    }

    private static func makeParents(_ directory: FilePath) throws(MountFailure) {
        if mkdir(directory.string, 0o700) == 0 || errno == EEXIST { return }
        let above = directory.removingLastComponent()
        guard errno == ENOENT, !above.isEmpty, above != directory else {
            throw failure(directory, Errno(rawValue: errno))
        }
        try makeParents(above)
        if mkdir(directory.string, 0o700) != 0, errno != EEXIST { throw failure(directory, Errno(rawValue: errno)) }
    }

    /// Makes a directory and locks it. Another mount that tidies up may take it for a leaving before it is locked; then
    /// it is gone, and another one is made.
    private static func makeLocked(in parent: FilePath) throws(MountFailure) -> (FilePath, FileDescriptor) {
        // Each round loses a race of microseconds; ten in a row do not happen.
        for _ in 0..<10 {
            var template = Array((parent.string + "/mount-XXXXXX").utf8CString)
            guard mkdtemp(&template) != nil else { throw failure(parent, Errno(rawValue: errno)) }
            let path = FilePath(platformString: template)
            guard let lock = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory]) else {
                continue
            }
            var status = stat()
            let isOurs = flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 && fstat(lock.rawValue, &status) == 0
            if isOurs, status.st_nlink > 0 { return (path, lock) }
            try? lock.close()
        }
        throw failure(parent, .resourceBusy)
    }

    /// Removes empty directories that no mount holds a lock on.
    ///
    /// - Returns: those that are not empty.
    private static func removeLeavings(in parent: FilePath) -> [FilePath] {
        names(in: parent).filter { $0.hasPrefix("mount-") }.compactMap { name in
            let path = parent.appending(name)
            guard let lock = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory]) else {
                return nil
            }
            defer { try? lock.close() }
            guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else { return nil }
            Spool.removeEmpty(in: path)
            return rmdir(path.string) != 0 && errno == ENOTEMPTY ? path : nil
        }
    }

    static func failure(_ directory: FilePath, _ error: Errno) -> MountFailure {
        MountFailure(
            .system, "spool directory \(directory) cannot be made: \(error)",
            remedy: "give -o spool_dir=DIRECTORY that you can write to")
    }
}
