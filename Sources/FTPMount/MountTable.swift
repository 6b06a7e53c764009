import SystemPackage

/// What is mounted where: /proc/self/mountinfo (proc_pid_mountinfo(5)).
struct MountTable {
    /// One mount.
    struct Entry: Hashable {
        let mountPoint: String
        /// `fuse.ftpfs`, `ext4`, …
        let type: String
        /// What is mounted.
        let source: String
        /// Another number for each file system; bind mounts of one have the same.
        let device: String
        /// The part of the file system that is mounted: `/`, but for bind mounts of a directory.
        let root: String
        /// The user who has mounted it, if it is a FUSE file system (mount.fuse(8)).
        let owner: UInt32?
        /// Nothing can be changed through it: it was mounted so, or remounted, or bound so.
        let isReadOnly: Bool
    }

    /// The type of our own mounts.
    static let ownType = "fuse.ftpfs"

    /// In the order in which they were mounted.
    private(set) var entries: [Entry] = []

    /// The table of this process, now. Empty when it cannot be read.
    static func current() -> MountTable {
        var content: [UInt8] = []
        if let file = try? FileDescriptor.open("/proc/self/mountinfo", .readOnly, options: [.closeOnExec]) {
            defer { try? file.close() }
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            while let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                content += buffer[..<count]
            }
        }
        return MountTable(content)
    }

    /// Reads the lines of the file.
    init(_ content: [UInt8]) {
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 6, let dash = fields.firstIndex(of: [UInt8(ascii: "-")][...]),
                dash + 1 < fields.count
            else { continue }
            func text(_ index: Int) -> String {
                index < fields.count ? String(decoding: Self.unescaped(fields[index]), as: UTF8.self) : ""
            }
            entries.append(
                Entry(
                    mountPoint: text(4), type: text(dash + 1), source: text(dash + 2), device: text(2), root: text(3),
                    owner: Self.owner(text(dash + 3)),
                    isReadOnly: [5, dash + 3].contains { text($0).split(separator: ",").contains("ro") }))
        }
    }

    /// The type of what is mounted at a path. Of mounts on top of each other the last one counts.
    func type(at path: String) -> String? { entries.last { $0.mountPoint == path }?.type }

    /// What an absolute path belongs to, going by its text: the mount with the longest name.
    func mount(containing path: String) -> Entry? {
        let longest = entries.filter { Self.isInside(path, $0.mountPoint) }.map(\.mountPoint.utf8.count).max()
        return entries.last { $0.mountPoint.utf8.count == longest && Self.isInside(path, $0.mountPoint) }
    }

    /// Our own mounts, each file system once.
    var own: [Entry] {
        var seen: Set<String> = []
        return entries.filter { $0.type == Self.ownType && $0.root == "/" && seen.insert($0.device).inserted }
    }

    /// Where else the file system of a mount can be seen as a whole.
    func mountPoints(of entry: Entry) -> [String] {
        entries.filter { $0.device == entry.device && $0.root == "/" }.map(\.mountPoint)
    }

    private static func isInside(_ path: String, _ directory: String) -> Bool {
        directory == "/" || path == directory || path.hasPrefix(directory + "/")
    }

    private static func owner(_ options: String) -> UInt32? {
        let prefix = "user_id="
        return options.split(separator: ",").first { $0.hasPrefix(prefix) }.flatMap {
            UInt32($0.dropFirst(prefix.count))
        }
    }

    /// Blank, tab, line end and backslash are written as a backslash and three octal digits.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3, let code = OptionValue.octal(Array(rest.prefix(3))),
                let escaped = UInt8(exactly: code)
            {
                bytes.append(escaped)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
