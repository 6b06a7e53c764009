import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Looks at a mount point, and at the FUSE device, before libfuse does: it says more clearly what is wrong.
enum MountPoint {
    /// Checks that a path can be mounted on.
    ///
    /// Blocks no longer than the file system that holds it.
    ///
    /// - Returns: the absolute path, free of symbolic links, which stays right when the working directory changes.
    static func checked(_ path: FilePath, allowNonEmpty: Bool) throws(FuseError) -> FilePath {
        guard let resolved = realpath(path.string, nil) else { throw unusable(path, Errno(rawValue: errno)) }
        defer { free(resolved) }
        let absolute = FilePath(platformString: resolved)
        var attributes = stat()
        guard stat(resolved, &attributes) == 0 else { throw unusable(path, Errno(rawValue: errno)) }
        guard attributes.st_mode & S_IFMT == S_IFDIR else { throw .mountPointNotDirectory(path) }
        if !allowNonEmpty && !isEmpty(resolved) { throw .mountPointNotEmpty(path) }
        return absolute
    }

    /// Checks that the FUSE device can be opened. Opening it has no effect of its own.
    static func checkDevice() throws(FuseError) {
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device < 0 else {
            close(device)
            return
        }
        switch errno {
        case EACCES, EPERM: throw .deviceNotPermitted
        default: throw .deviceMissing
        }
    }

    private static func unusable(_ path: FilePath, _ error: Errno) -> FuseError {
        switch error {
        case .noSuchFileOrDirectory: .mountPointMissing(path)
        case .notDirectory: .mountPointNotDirectory(path)
        case .socketNotConnected: .mountPointStale(path)
        default: .mountPointUnusable(path, error)
        }
    }

    /// A directory that cannot be read counts as empty: the kernel, or fusermount3, decides then.
    private static func isEmpty(_ path: UnsafePointer<CChar>) -> Bool {
        guard let directory = opendir(path) else { return true }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let isDotOrDotDot = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
                    strcmp($0, ".") == 0 || strcmp($0, "..") == 0
                }
            }
            if !isDotOrDotDot { return false }
        }
        return true
    }
}
