/// What the kernel asks for; the raw value is the word in the log.
enum Operation: String, Sendable {
    case lookup, getattr, setattr, readlink, mknod, mkdir, symlink, unlink, rmdir, rename
    case open, create, read, write, flush, fsync, opendir, readdir, access, getxattr

    /// Whether it changes something on the server. When the mount ends, such a request is let finish (its own deadlines
    /// bound it); the others are cancelled.
    var changes: Bool {
        switch self {
        case .setattr, .mknod, .mkdir, .symlink, .unlink, .rmdir, .rename, .create, .write, .flush, .fsync: true
        case .lookup, .getattr, .readlink, .open, .read, .opendir, .readdir, .access, .getxattr: false
        }
    }
}
