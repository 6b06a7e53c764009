/// What the process ends with: mount(8)'s return codes, because mount(8) passes its helper's on as its own.
package enum ExitCode: Int32, Sendable, CaseIterable {
    /// The mount answers; or `--help` and `--version` have been printed.
    case success = 0
    /// The request itself cannot be met: a wrong argument or option, a mount point that is not fit, a credentials
    /// file that is not private, no password to be had.
    case usage = 1
    /// The machine refuses: no memory, no descriptor, no thread, a spool directory or log file that cannot be made.
    case system = 2
    /// A fault of this program: the mounting process ended without a word.
    case internalFault = 4
    /// Interrupted by the user before the mount was there.
    case interrupted = 8
    /// The server or the kernel said no: unknown host, refused, login incorrect, no such directory, fusermount3.
    case mountFailed = 32
}
