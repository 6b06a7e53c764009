import Testing

/// Everything that mounts a file system, one test after the other: the machine has two cores, a mount is a process of its
/// own, and a test that waits for it blocks its thread.
@Suite(.serialized)
enum Mounts {
    /// What a shell script begins with in a mount namespace of its own. The mounts of other tests would live on there after
    /// their umount, and keep their programs waiting.
    static let leavingOthers = """
        mount --make-rprivate /
        awk '{for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) ~ /^fuse/) print $5}' /proc/self/mountinfo |
            while read -r path; do umount --lazy "$(printf '%b' "$path")"; done
        """
}
