import SystemPackage
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Directories for the tests, outside of any mount.
enum Scratch {
    static func make(owner: String?) throws -> FilePath {
        var template = Array("/tmp/ftpfs-bridge-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let directory = FilePath(platformString: template)
        chmod(directory.string, 0o755)
        let mountPoint = directory.appending("mnt").string
        mkdir(mountPoint, 0o755)
        if let owner, let entry = getpwnam(owner) { chown(mountPoint, entry.pointee.pw_uid, entry.pointee.pw_gid) }
        return directory
    }

    static func remove(_ directory: FilePath) {
        // One file system only: should an unmount have failed, nothing inside the mount is touched.
        _ = try? Program(["rm", "-rf", "--one-file-system", directory.string], output: "/dev/null").end()
    }

    /// `MemoryMount`, which is built beside the tests.
    static func program() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else { throw Errno(rawValue: errno) }
        return FilePath(platformString: buffer).removingLastComponent().appending("MemoryMount").string
    }

    /// A copy of it that every user can reach.
    static func publicProgram(in directory: FilePath) throws -> String {
        let copy = directory.appending("MemoryMount").string
        _ = try Program(["cp", program(), copy], output: "/dev/null").end()
        return copy
    }
}

/// What of this machine the tests need.
enum Machine {
    /// Whether FUSE can be used at all.
    static let hasFuse = access("/dev/fuse", R_OK | W_OK) == 0
    /// Whether every user may open the device.
    static let fuseIsPublic: Bool = {
        var attributes = stat()
        return stat("/dev/fuse", &attributes) == 0 && attributes.st_mode & 0o006 == 0o006
    }()
    /// Whether ordinary users may let others use their mounts.
    static let fuseConfAllowsOther =
        (try? Program(["grep", "-q", "^user_allow_other", "/etc/fuse.conf"], output: "/dev/null").end()) == 0
    /// Whether tests may act as another user.
    static let isRoot = geteuid() == 0
}

/// All tests that mount, one after the other.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Machine.hasFuse, "needs /dev/fuse"))
struct MountTests {}
