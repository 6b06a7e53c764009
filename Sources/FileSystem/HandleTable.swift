/// All open files and directories. Lives in the tree's monitor.
struct HandleTable {
    /// An open file.
    struct File: Sendable {
        let inode: InodeNumber
        let flags: OpenFlags
        let content: FileContent
    }

    /// An open directory: its names as they were when it was opened, or last read from the start, so that the offsets
    /// given out stay what they are.
    struct Directory: Sendable {
        let inode: InodeNumber
        /// The names it shows; `nil` until it is read.
        var snapshot: DirectorySnapshot?
    }

    private(set) var files: [HandleID: File] = [:]
    /// Open files that are others on the server by now: who has read a part of the old content must not get the rest of another
    /// one.
    private var outdated: Set<HandleID> = []
    private(set) var directories: [HandleID: Directory] = [:]
    private var lastID: UInt64 = 0

    /// How many are open.
    var count: Int { files.count + directories.count }

    /// Notes an open file.
    mutating func add(_ file: File) -> HandleID {
        let id = takeID()
        files[id] = file
        return id
    }

    /// Notes an open directory.
    mutating func add(_ directory: Directory) -> HandleID {
        let id = takeID()
        directories[id] = directory
        return id
    }

    /// Changes what is noted of an open directory.
    mutating func update(_ id: HandleID, _ directory: Directory) {
        if directories[id] != nil { directories[id] = directory }
    }

    /// Takes out an open file.
    mutating func removeFile(_ id: HandleID) -> File? {
        outdated.remove(id)
        return files.removeValue(forKey: id)
    }

    /// A file was found to be another one on the server: whoever reads it has to open it anew.
    mutating func outdate(_ inode: InodeNumber) {
        for (id, file) in files where file.inode == inode && file.flags.contains(.read) { outdated.insert(id) }
    }

    /// Whether what it reads is gone.
    func isOutdated(_ id: HandleID) -> Bool { outdated.contains(id) }

    /// Takes out an open directory.
    mutating func removeDirectory(_ id: HandleID) -> Directory? { directories.removeValue(forKey: id) }

    private mutating func takeID() -> HandleID {
        lastID += 1
        return HandleID(lastID)
    }
}
