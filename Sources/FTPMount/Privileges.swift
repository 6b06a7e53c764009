import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A user whom the mount is served as.
package struct ServingUser: Hashable, Sendable {
    package let name: String
    package let id: UInt32
    package let group: UInt32
    package let home: String
}

/// Serving a mount as an ordinary user that root has asked for: `setuid=USER`, as mount.fuse3(8) has it.
///
/// Only mount(2) needs root. So the process becomes the user before it makes its spool and its sockets, and before it hears
/// the first byte of a server; it is root once more for the one call that mounts, and gives that up for good. What the kernel
/// notes as the owner of the mount is that user, who may unmount it with fusermount3, as this process does at its end.
///
/// A password file and a log file that only root can open are opened before; files of `tls_ca=`, `tls_cert=` and `tls_key=` must
/// be readable for the user.
struct Privileges {
    private let user: ServingUser?

    /// Becomes the user, with its groups and its home, in a way that can be undone for the mount.
    ///
    /// All threads of the process change together (nptl(7)).
    ///
    /// - Parameter user: `nil`: everything stays as it is.
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) when this process is not root's.
    init(servingAs user: ServingUser?) throws(MountFailure) {
        self.user = user
        guard let user else { return }
        guard geteuid() == 0 else {
            throw MountFailure(.usage, "setuid= is for root", remedy: "leave it out: the mount is served as you")
        }
        // A user's runtime and cache directories are found by these.
        setenv("HOME", user.home, 1)
        for name in ["XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] { unsetenv(name) }
        // The real user is what the mount will belong to; the saved one stays root.
        let failed =
            initgroups(user.name, user.group) != 0 || setgid(user.group) != 0 || setreuid(user.id, 0) != 0
            || seteuid(user.id) != 0
        if failed { throw Self.failure(user, errno) }
        // A change of users makes the kernel forget it.
        Hardening.apply()
    }

    /// Runs what needs root, and gives root up for good, whether it has succeeded or not.
    func asRootForTheLastTime<Result>(_ body: () throws(MountFailure) -> Result) throws(MountFailure) -> Result {
        guard let user else { return try body() }
        guard seteuid(0) == 0 else { throw Self.failure(user, errno) }
        let result: Result
        do throws(MountFailure) {
            result = try body()
        } catch {
            try Self.drop(to: user)
            throw error
        }
        try Self.drop(to: user)
        return result
    }

    private static func drop(to user: ServingUser) throws(MountFailure) {
        // With root as the effective user this sets all three (setuid(2)); then there is no way back.
        guard setuid(user.id) == 0, setuid(0) != 0 else { throw failure(user, errno) }
        Hardening.apply()
    }

    private static func failure(_ user: ServingUser, _ code: Int32) -> MountFailure {
        MountFailure(.system, "cannot become the user \(user.name): \(Errno(rawValue: code))")
    }
}
