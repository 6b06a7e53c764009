/// Options of `-o` that are not ours: what the kernel takes, and the words that mount(8), systemd, autofs and the
/// habits of `/etc/fstab` bring along (util-linux, libmount/src/optmap.c; systemd.mount(5)).
package enum ForeignOption {
    /// Goes to libfuse, which knows them all.
    static let kernel: Set<String> = [
        "nosuid", "nodev", "exec", "noexec", "sync", "async", "dirsync", "atime", "noatime",
        "nosymfollow",
    ]

    /// Means something to mount(8) alone, or nothing for a file system without a disk. `suid` and `dev` are never granted:
    /// whoever can write on the server would be root here.
    static let dropped: Set<String> = [
        "defaults", "suid", "dev", "auto", "noauto", "nouser", "users", "nousers", "owner", "noowner", "group",
        "nogroup",
        "_netdev", "nofail", "silent", "loud", "mand", "nomand", "iversion", "noiversion", "relatime", "norelatime",
        "strictatime", "nostrictatime", "lazytime", "nolazytime", "diratime", "nodiratime", "symfollow", "intr",
        "nointr",
        "no_remote_lock", "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
    ]

    /// The same, by how they begin.
    static let droppedPrefixes = [
        "x-", "X-", "comment=", "uhelper=", "helper=", "loop", "offset=", "sizelimit=", "encryption=", "verity.",
        // What /proc/mounts says of a FUSE mount, which mount(8) repeats for a remount (fs/fuse/inode.c).
        "user_id=", "group_id=", "rootmode=", "fd=", "blksize=",
    ]

    /// Whether an option as it was written is to be dropped.
    static func isDropped(_ item: OptionList.Item) -> Bool {
        if item.value == nil, dropped.contains(item.name) { return true }
        let text = item.value == nil ? item.name : item.name + "="
        return droppedPrefixes.contains { text.hasPrefix($0) }
    }
}
