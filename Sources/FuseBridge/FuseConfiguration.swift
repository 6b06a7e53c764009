package import SystemPackage

/// How a file system is mounted and served.
package struct FuseConfiguration: Sendable {
    /// The directory to mount on.
    package var mountPoint: FilePath
    /// What /proc/mounts shows as the source. World-readable: never with a password.
    package var source: String
    /// The type shown there is `fuse.` and this.
    package var subtype = "ftpfs"
    /// The kernel refuses every change with EROFS.
    package var readOnly = false
    /// Other users than the one who mounts may use it. An ordinary user needs `user_allow_other` in /etc/fuse.conf.
    package var allowOther = false
    /// Root may use it besides the one who mounts. An ordinary user needs `user_allow_other`, too.
    package var allowRoot = false
    /// The kernel checks the permission bits. Without it, whoever may use the mount may do what the server allows.
    package var defaultPermissions = false
    /// Mounting over a directory that holds something is no error.
    package var allowNonEmpty = false
    /// Further options of mount(8), one each, unescaped: `nodev`, `noexec`, `noatime`, `sync`, …
    package var kernelOptions: [String] = []
    /// How many requests are worked on at a time.
    ///
    /// A request that waits for the network holds its thread (reads do not: they are answered by the thread that brings
    /// the bytes). 128 is more than the programs of one machine wait for in practice, and costs no more than the stacks
    /// that were really touched; when they are all busy, interrupts and `forget` still get through.
    package var maximumThreads: UInt32 = 128
    /// Files have the attributes `user.ftpfs.*`. Every program that asks for any attribute then asks this process.
    package var extendedAttributes = false
    /// libfuse logs every request.
    package var debug = false

    /// The usual way to mount on a directory.
    package init(mountPoint: FilePath, source: String) {
        self.mountPoint = mountPoint
        self.source = source
    }
}
