import SystemPackage
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The directory to mount on: looked at before anything is asked of the server, so that a slip costs no wait.
package struct MountPoint: Hashable, Sendable {
    /// The absolute path without symbolic links, as `/proc/mounts` will show it.
    package let path: String

    /// Checks that something can be mounted there: a directory, empty unless `acceptsNonEmpty`, and not a mount point
    /// already. autofs's own mount at the place does not count: it is what asks for this one.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``).
    package init(checking path: String, acceptsNonEmpty: Bool) throws(MountFailure) {
        // A look at the kernel's table first: touching a mount whose server is gone could take long.
        let table = MountTable.current()
        try Self.refuseMounted(Self.absolute(path), as: path, in: table)
        guard let resolved = realpath(path, nil) else { throw Self.failure(errno, path) }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        try Self.refuseMounted(self.path, as: path, in: table)
        var status = stat()
        guard stat(self.path, &status) == 0 else { throw Self.failure(errno, path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw MountFailure(.usage, "mount point \(path) is not a directory", remedy: "choose a directory")
        }
        if !acceptsNonEmpty, try !Self.isEmpty(self.path, as: path) {
            throw MountFailure(
                .usage, "mount point \(path) is not empty", remedy: "choose an empty directory, or give -o nonempty")
        }
    }

    private static func refuseMounted(
        _ absolute: String, as path: String, in table: MountTable
    ) throws(MountFailure) {
        guard let type = table.type(at: absolute), type != "autofs" else { return }
        // Of our own mounts only: they answer statfs without asking a server, and ENOTCONN once their process is gone.
        // (stat is no proof: the kernel may answer it from its cache.)
        var space = statvfs()
        if type == "fuse.ftpfs", statvfs(absolute, &space) != 0, errno == ENOTCONN { throw failure(ENOTCONN, path) }
        throw MountFailure(
            .usage, "\(path) is a mount point already (\(type))", remedy: "unmount it first with umount \(path)")
    }

    private static func failure(_ code: Int32, _ path: String) -> MountFailure {
        switch code {
        case ENOENT:
            MountFailure(.usage, "mount point \(path) does not exist", remedy: "make it with mkdir \(path)")
        case ENOTDIR:
            MountFailure(.usage, "mount point \(path) is not a directory", remedy: "choose a directory")
        case ENOTCONN:
            MountFailure(
                .usage, "\(path) holds a dead mount, whose process is gone",
                remedy: "remove it with fusermount3 -uz \(path)")
        default:
            MountFailure(.usage, "mount point \(path): \(Errno(rawValue: code))")
        }
    }

    private static func isEmpty(_ resolved: String, as path: String) throws(MountFailure) -> Bool {
        guard let directory = opendir(resolved) else { throw failure(errno, path) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { return false }
        }
        return true
    }

    /// A path made absolute by its text alone.
    static func absolute(_ path: String) -> String {
        var text = path
        if !text.hasPrefix("/"), let current = getcwd(nil, 0) {
            defer { free(current) }
            text = String(cString: current) + "/" + text
        }
        return FilePath(text).lexicallyNormalized().string
    }
}
