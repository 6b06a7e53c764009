import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A directory for a while, with files in it, that only this user can enter.
struct TemporaryTree {
    /// Absolute.
    let path: String

    /// Makes it below `$TMPDIR`, else below /tmp.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/system``).
    init(named name: String) throws(MountFailure) {
        let parent = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw MountFailure(
                .system, "no directory can be made in \(parent): \(Errno(rawValue: errno))", remedy: "set TMPDIR")
        }
        path = FilePath(platformString: template).string
    }

    /// Makes a directory in it.
    func makeDirectory(_ name: String) throws(MountFailure) {
        guard mkdir("\(path)/\(name)", 0o755) == 0 else { throw failure(name) }
    }

    /// Makes a file in it.
    func write(_ content: [UInt8], to name: String) throws(MountFailure) {
        do {
            let file = try FileDescriptor.open(
                FilePath("\(path)/\(name)"), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(content) }
        } catch {
            throw MountFailure(.system, "\(path)/\(name) cannot be written: \(error)")
        }
    }

    /// Makes a symbolic link in it.
    func link(_ name: String, to target: String) throws(MountFailure) {
        guard symlink(target, "\(path)/\(name)") == 0 else { throw failure(name) }
    }

    private func failure(_ name: String) -> MountFailure {
        MountFailure(.system, "\(path)/\(name) cannot be made: \(Errno(rawValue: errno))")
    }

    /// Removes it with all that is in it. Nothing is removed on another file system: what is mounted in it, if anything has
    /// kept that there, stays as it is, and so do the directories above it.
    func remove() {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        Self.remove(path, on: status.st_dev)
    }

    private static func remove(_ path: String, on device: dev_t) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in SpoolDirectory.names(in: FilePath(path)) { remove("\(path)/\(name)", on: device) }
        rmdir(path)
    }
}
