package import SystemPackage
package import Vocabulary

/// What the server serves. Calls block for as long as the disk does; any thread may call anything.
///
/// Paths are from the root of what is served and free of `..`. What an implementation must guarantee is that nothing
/// outside of that root can be reached, whatever symbolic links say.
package protocol ServerStorage: Sendable {
    /// What is at a path. `following`: of the thing that a symbolic link at its end points to.
    func attributes(of path: ServerPath, following: Bool) throws(StorageError) -> StorageAttributes

    /// Everything in a directory but `.` and `..`; symbolic links as themselves.
    func list(_ directory: ServerPath) throws(StorageError) -> [StorageEntry]

    /// Opens a file for reading. - Throws: `isDirectory`, and what ``StorageError`` says.
    func openRead(_ path: ServerPath) throws(StorageError) -> any StorageReader

    /// Opens a file for writing, and makes it if there is none.
    func openWrite(_ path: ServerPath, mode: StorageWriteMode) throws(StorageError) -> any StorageWriter

    /// Makes a directory. - Throws: `exists` when the name is taken, by whatever.
    func makeDirectory(_ path: ServerPath) throws(StorageError)

    /// Removes an empty directory.
    func removeDirectory(_ path: ServerPath) throws(StorageError)

    /// Removes anything that is not a directory.
    func removeFile(_ path: ServerPath) throws(StorageError)

    /// Renames; without `replacing`, an existing target is `exists`.
    func rename(_ path: ServerPath, to target: ServerPath, replacing: Bool) throws(StorageError)

    /// Sets when the content was last changed; follows symbolic links.
    func setModificationTime(_ path: ServerPath, to time: Timestamp) throws(StorageError)

    /// Sets the permission bits (07777); follows symbolic links.
    func setMode(_ path: ServerPath, to mode: UInt32) throws(StorageError)

    /// Makes a symbolic link with a target of arbitrary bytes.
    func makeSymbolicLink(_ path: ServerPath, target: [UInt8]) throws(StorageError)
}

/// How a file is opened for writing.
package enum StorageWriteMode: Hashable, Sendable {
    /// Everything that was in it goes.
    case replace
    /// Behind what is in it.
    case append
    /// From a byte offset on. What was behind goes if `cuttingTail`.
    case at(Int64, cuttingTail: Bool)
}

/// A file that is open for reading. Used by one thread.
package protocol StorageReader {
    /// Its length as the server believes it. Reading may find more or less.
    var size: Int64 { get }

    /// The file behind it, for `sendfile(2)`; `nil` when there is none.
    var descriptor: FileDescriptor? { get }

    /// Reads at a byte offset. - Returns: how many bytes, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(StorageError) -> Int

    /// Gives the file back. Called exactly once.
    func close()
}

/// A file that is open for writing. Used by one thread.
package protocol StorageWriter {
    /// Writes all bytes behind those written before.
    func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError)

    /// Gives the file back. Called exactly once. - Throws: `noSpace` and what else the disk finds out late.
    func close() throws(StorageError)
}

/// What the server knows of one thing.
package struct StorageAttributes: Hashable, Sendable {
    /// What it is.
    package enum Kind: Hashable, Sendable {
        case file
        case directory
        case symbolicLink
        /// Devices, sockets and FIFOs: listed, never opened.
        case special
    }

    package var kind: Kind
    /// Bytes.
    package var size: Int64
    /// When the content was last changed.
    package var modified: Timestamp
    /// Permission bits (07777).
    package var mode: UInt32
    package var links: UInt64
    package var owner: UInt32
    package var group: UInt32

    package init(
        kind: Kind, size: Int64 = 0, modified: Timestamp = Timestamp(seconds: 0), mode: UInt32 = 0o644,
        links: UInt64 = 1, owner: UInt32 = 0, group: UInt32 = 0
    ) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.mode = mode
        self.links = links
        self.owner = owner
        self.group = group
    }
}

/// One thing in a directory.
package struct StorageEntry: Hashable, Sendable {
    package var name: [UInt8]
    package var attributes: StorageAttributes
    /// What a symbolic link points to.
    package var linkTarget: [UInt8]?

    package init(name: [UInt8], attributes: StorageAttributes, linkTarget: [UInt8]? = nil) {
        self.name = name
        self.attributes = attributes
        self.linkTarget = linkTarget
    }
}

/// Why the storage did not do something.
package enum StorageError: Error, Hashable, Sendable {
    case notFound
    case exists
    case notEmpty
    case notDirectory
    case isDirectory
    /// Permissions, or a symbolic link that leads out of what is served.
    case denied
    /// The name is too long, or holds a byte that the disk does not take.
    case invalidName
    case noSpace
    case unsupported
    /// Everything else the disk says.
    case failed(Errno)
}
