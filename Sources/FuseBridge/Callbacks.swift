import CFuseBridge

/// The callbacks that the C half forwards to: names, attributes, files, directories (a file each), and the session's own.
/// Each decodes its arguments, asks the file system, and answers. Functions and not methods: C can call only those.
func callbackTable() -> cfuse_operations {
    cfuse_operations(
        ready: onReady, ending: onEnding, interrupted: onInterrupted, log: onLog,
        lookup: onLookup, forget: onForget, getattr: onGetattr, setattr: onSetattr, readlink: onReadlink,
        mknod: onMknod, mkdir: onMkdir, unlink: onUnlink, rmdir: onRmdir, symlink: onSymlink, rename: onRename,
        open: onOpen, create: onCreate, read: onRead, write: onWrite, flush: onFlush, fsync: onFsync,
        release: onRelease, opendir: onOpendir, readdir: onReaddir, releasedir: onReleasedir, statfs: onStatfs,
        access: onAccess, getxattr: onGetxattr)
}

private func onReady(_ context: Context) { Bridge.at(context).ready() }

private func onEnding(_ context: Context) { Bridge.at(context).requests.end() }

private func onInterrupted(_ context: Context, _ number: UInt64) {
    Bridge.at(context).requests.interrupted(number)
}

private func onLog(_ context: Context, _ level: Int32, _ message: UnsafePointer<CChar>) {
    Bridge.at(context).log(level: level, String(cString: message))
}
