package import SystemPackage
package import Threading
package import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// How a mount shows and handles what the store has: the options of the mount, and the clocks.
package struct FileSystemConfiguration: Sendable {
    /// How long a listing is taken as true, for names that are in it and for names that are not.
    package var dirTTL: Duration = .seconds(10)
    /// The owner that everything has.
    package var uid: UInt32 = 0
    /// The group that everything has.
    package var gid: UInt32 = 0
    /// Permission bits of every file, whatever the server says (`file_mode` of mount.cifs(8)).
    package var fileMode: UInt32?
    /// Permission bits of every directory, whatever the server says (`dir_mode` of mount.cifs(8)).
    package var dirMode: UInt32?
    /// Permission bits that are taken off everywhere, also off ``fileMode`` and ``dirMode``.
    package var umask: UInt32?
    /// Whether every change is refused.
    package var readOnly = false
    /// Whether the kernel checks permission bits itself; `access` then has nothing to say about them.
    package var defaultPermissions = false
    /// Where what is written waits until the server has it. It exists, and belongs to this mount alone.
    package var spoolDirectory: FilePath
    /// How many bytes of what is being written may lie in ``spoolDirectory``; the disk's reserve bounds it in any case.
    package var spoolSize: Int64 = .max
    /// Whether a new content is written over the old one on the server, instead of beside it until it is complete.
    package var replacesInPlace = false
    /// After how long a file that is sent while it is written, and is not written any more, gives its connection up.
    /// Shorter than any server's limit for a data connection; and a program that computes for a second between two
    /// writes need not begin anew.
    package var streamPatience: Duration = .seconds(2)
    /// How many bytes of file content are kept in memory, for all files together.
    package var cacheSize = 64 << 20
    /// Whether directories are listed and small files fetched ahead of a program that goes through them in order.
    package var prefetch = false
    /// What `df` shows as size and as free space while nobody knows better. FTP has no command for it, and programs
    /// that look before they write must not be stopped by a guess: 1 PiB, which nobody takes for a disk.
    package var reportedSize: UInt64 = 1 << 50
    /// The pauses before further attempts at an upload that was cut off; `nil` ends them. One call for each upload that
    /// somebody waits for.
    package var retries: @Sendable () -> (() -> Duration?) = { { nil } }
    /// How a file's place on the server is written, for who asks for it; `nil`: nobody can.
    package var place: (@Sendable (RemotePath) -> [UInt8])?
    /// The clock behind every time to live.
    package var now: @Sendable () -> Instant = { Instant.now }
    /// The clock behind the modification times of what is written here.
    package var wallClock: @Sendable () -> Timestamp = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }

    /// The defaults, with a directory for the spool.
    package init(spoolDirectory: FilePath) {
        self.spoolDirectory = spoolDirectory
    }
}
