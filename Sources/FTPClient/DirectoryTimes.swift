/// Whether a server sets the times of directories: some (vsftpd, pyftpdlib) do so for files only, and say 550, which may be about
/// this one directory as well. No I/O.
///
/// `tar x`, `cp -a` and `rsync -a` set the time of each directory, so it matters whether that is tried in vain.
struct DirectoryTimes: Hashable, Sendable {
    /// How many refusals in a row are enough: one may be about a directory of somebody else.
    static let enough = 2

    private var refusals = 0
    private var isProven = false

    /// Whether to try.
    var isWorthTrying: Bool { isProven || refusals < Self.enough }

    /// A time was set.
    mutating func succeeded() { isProven = true }

    /// The server has refused to set one.
    mutating func refused() { refusals += 1 }
}
