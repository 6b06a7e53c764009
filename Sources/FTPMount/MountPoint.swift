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
    /// A mount of ours whose process was killed is taken away: nobody can use it, and nothing but this program can tell
    /// that it may go.
    ///
    /// - Parameter report: told of a mount that was taken away; `nil`: it stays, and is a failure.
    /// - Throws: ``MountFailure`` (``ExitCode/usage``).
    package init(
        checking path: String, acceptsNonEmpty: Bool, report: ((String) -> Void)? = nil
    ) throws(MountFailure) {
        // Made absolute it would be the working directory, which nobody meant.
        guard !path.isEmpty else { throw Self.failure(ENOENT, path) }
        if let report { Self.removeDead(Self.absolute(path), as: path, report) }
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
        if type == MountTable.ownType, isDead(absolute) { throw failure(ENOTCONN, path) }
        throw MountFailure(
            .usage, "\(path) is a mount point already (\(type))", remedy: "unmount it first with umount \(path)")
    }

    /// Of our own mounts only: they answer statfs without asking a server, and ENOTCONN once their process is gone. (stat
    /// is no proof: the kernel may answer it from its cache.)
    private static func isDead(_ absolute: String) -> Bool {
        var space = statvfs()
        return statvfs(absolute, &space) != 0 && errno == ENOTCONN
    }

    /// How many dead mounts may lie on top of each other. With `nonempty` each crash could leave one; nobody does so often.
    private static let deepest = 16

    private static func removeDead(_ absolute: String, as path: String, _ report: (String) -> Void) {
        for _ in 0..<deepest {
            guard let mount = MountTable.current().entries.last(where: { $0.mountPoint == absolute }),
                mount.type == MountTable.ownType, isDead(absolute)
            else { return }
            DeadMount.detach(absolute)
            let isLeft = MountTable.current().entries.contains(mount)
            if isLeft { return }
            report("\(path): removed the dead mount of \(mount.source), whose process is gone")
        }
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
