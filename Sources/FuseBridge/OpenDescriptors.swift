#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The descriptors that a process has open, as far as /proc shows them.
///
/// A `close()` says that one descriptor goes, not whether it was the last one: a shell that redirects into a file moves
/// the descriptor to its place and closes the first. By the time the kernel passes the close on, the closed one is out
/// of the process's table, and the others are still in it.
enum OpenDescriptors {
    /// More descriptors than that are not looked through: reading one takes some ten microseconds, and the programs in
    /// question (shells, touch) have few.
    private static let maximumCount = 64

    /// Whether a thread's process has a descriptor of a file with this inode number.
    ///
    /// The number is in /proc/PID/fdinfo/N (proc_pid_fdinfo(5), Linux 5.14 and later), which is read without a call into
    /// the file system of the file, as `stat` would be. A file of another file system may have the same number; numbers of
    /// this one are hashes of 64 bits, so that it is no more than a theory.
    ///
    /// - Returns: false also where it cannot be seen: another user's process, another namespace, an old kernel.
    static func hold(_ inode: UInt64, process: Int32) -> Bool {
        guard process > 0, let directory = opendir("/proc/\(process)/fdinfo") else { return false }
        defer { closedir(directory) }
        let base = dirfd(directory)
        var seen = 0
        while let entry = readdir(directory) {
            let isNumber = (0x30...0x39).contains(UInt8(bitPattern: entry.pointee.d_name.0))
            guard isNumber else { continue }
            seen += 1
            if seen > maximumCount { return false }
            let number = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { inodeNumber(in: $0, of: base) }
            }
            if number == inode { return true }
        }
        return false
    }

    /// What the line `ino:` of such a file says.
    private static func inodeNumber(in name: UnsafePointer<CChar>, of directory: Int32) -> UInt64? {
        let file = openat(directory, name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // pos, flags, mnt_id and ino come first; what follows (locks, epoll's own) is of no interest.
        var text = [UInt8](repeating: 0, count: 512)
        let count = read(file, &text, text.count)
        guard count > 0 else { return nil }
        return inodeNumber(in: text[..<count])
    }

    /// The number in such a text.
    static func inodeNumber(in text: ArraySlice<UInt8>) -> UInt64? {
        let key = Array("ino:".utf8)
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: key) {
            let digits = line.dropFirst(key.count).drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
            return UInt64(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }
}
