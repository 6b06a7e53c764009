#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Removes the mount that a process left behind when it ended without being able to.
enum DeadMount {
    /// Detaches our mount at a path, if there is one: by the system call as root, else by fusermount3(1). Never waits for
    /// a server: the process that would ask it is gone.
    static func detach(_ mountPoint: String) {
        guard MountTable.current().type(at: mountPoint) == "fuse.ftpfs" else { return }
        if umount2(mountPoint, Int32(MNT_DETACH)) == 0 { return }
        var process = pid_t()
        let code = withArgumentVector(["fusermount3", "-u", "-q", "-z", "--", mountPoint]) { vector in
            posix_spawnp(&process, "fusermount3", nil, nil, vector, environ)
        }
        guard code == 0 else { return }
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }
}
