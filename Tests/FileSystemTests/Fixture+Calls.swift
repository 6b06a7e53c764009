import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// What a program does, in one line each: these walk paths as the kernel does, and give every lookup back.
extension Fixture {
    /// The number of what is at a path.
    func inode(_ string: String) throws -> InodeNumber {
        var number = InodeNumber.root
        for component in path(string).components {
            guard case .found(let entry) = try fileSystem.lookup(component, in: number, request()) else {
                throw StoreError(.notFound, string)
            }
            number = entry.attributes.inode
        }
        return number
    }

    /// The directory of a path, and the name in it.
    func place(_ string: String) throws -> (parent: InodeNumber, name: FileName) {
        let path = path(string)
        let name = try #require(path.name)
        return (try inode(String(decoding: path.parent.joined, as: UTF8.self)), name)
    }

    func stat(_ string: String) throws -> Attributes {
        try fileSystem.attributes(of: inode(string), handle: nil, request()).attributes
    }

    func exists(_ string: String) throws -> Bool {
        let (parent, name) = try place(string)
        if case .found = try fileSystem.lookup(name, in: parent, request()) { return true }
        return false
    }

    func open(_ string: String, _ flags: OpenFlags = .read) throws -> HandleID {
        try fileSystem.open(inode(string), flags: flags, request()).handle
    }

    func create(
        _ string: String, _ flags: OpenFlags = [.read, .write], mode: UInt32 = 0o644
    ) throws -> HandleID {
        let (parent, name) = try place(string)
        return try fileSystem.create(name, in: parent, mode: mode, flags: flags, request()).open.handle
    }

    func close(_ handle: HandleID) throws {
        defer { fileSystem.release(handle) }
        try fileSystem.flush(handle, request())
    }

    func write(_ handle: HandleID, at offset: Int64, _ text: String) throws {
        try write(handle, at: offset, Array(text.utf8))
    }

    func write(_ handle: HandleID, at offset: Int64, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes {
            try fileSystem.write(handle, offset: offset, bytes: $0, isPage: false, request())
        }
    }

    func read(_ handle: HandleID, at offset: Int64, _ length: Int) throws -> [UInt8] {
        try readLater(handle, at: offset, length).value()
    }

    /// Starts a read that may have to wait.
    func readLater(
        _ handle: HandleID, at offset: Int64, _ length: Int, _ cancellation: Cancellation = Cancellation()
    ) -> PendingRead {
        let pending = PendingRead()
        fileSystem.read(handle, offset: offset, length: length, request(cancellation)) { pending.complete($0) }
        return pending
    }

    /// Writes a whole file as `cp` does.
    func save(_ string: String, _ text: String) throws {
        let handle = try create(string, [.write, .truncate])
        try write(handle, at: 0, text)
        try close(handle)
    }

    /// Reads a whole file as `cat` does.
    func load(_ string: String) throws -> String { String(decoding: try bytes(string), as: UTF8.self) }

    /// Reads a whole file.
    func bytes(_ string: String) throws -> [UInt8] {
        let handle = try open(string)
        defer { fileSystem.release(handle) }
        var bytes: [UInt8] = []
        while true {
            let part = try read(handle, at: Int64(bytes.count), 128 << 10)
            if part.isEmpty { return bytes }
            bytes += part
        }
    }

    func unlink(_ string: String) throws {
        let (parent, name) = try place(string)
        try fileSystem.unlink(name, in: parent, request())
    }

    func mkdir(_ string: String, mode: UInt32 = 0o755) throws {
        let (parent, name) = try place(string)
        _ = try fileSystem.makeDirectory(name, in: parent, mode: mode, request())
    }

    func rmdir(_ string: String) throws {
        let (parent, name) = try place(string)
        try fileSystem.removeDirectory(name, in: parent, request())
    }

    func rename(_ string: String, _ target: String, _ options: RenameOptions = []) throws {
        let (parent, name) = try place(string)
        let (newParent, newName) = try place(target)
        try fileSystem.rename(name, in: parent, to: newName, in: newParent, options: options, request())
    }

    @discardableResult
    func change(_ string: String, _ change: AttributeChange, user: UInt32 = 1000) throws -> Attributes {
        try fileSystem.setAttributes(of: inode(string), to: change, handle: nil, request(user: user)).attributes
    }

    /// The names in a directory, without `.` and `..`.
    func names(_ string: String = "") throws -> [String] {
        let handle = try fileSystem.openDirectory(inode(string), request()).handle
        defer { fileSystem.releaseDirectory(handle) }
        return try items(handle).dropFirst(2).map { String(decoding: $0.name, as: UTF8.self) }
    }

    /// What a directory handle gives from an offset on.
    func items(
        _ handle: HandleID, from offset: UInt64 = 0, withAttributes: Bool = false, room: Int = .max
    ) throws -> [DirectoryItem] {
        var items: [DirectoryItem] = []
        try fileSystem.readDirectory(handle, from: offset, withAttributes: withAttributes, request()) { item in
            guard items.count < room else { return false }
            items.append(item)
            return true
        }
        return items
    }
}

/// A read that is answered some time; more than one answer is a failure of the test.
final class PendingRead: Sendable {
    private let state = Monitor<[Result<[UInt8], StoreError>]>([])

    func complete(_ answer: ReadAnswer) {
        let result: Result<[UInt8], StoreError> =
            switch answer {
            case .bytes(let pieces): .success(pieces.flatMap { Array($0) })
            case .failed(let error): .failure(error)
            }
        state.withLockThenWake { $0.append(result) }
    }

    var isDone: Bool { state.withLock { !$0.isEmpty } }

    func value() throws -> [UInt8] {
        let results = state.wait(until: .after(.seconds(20))) { $0.isEmpty ? nil : $0 }
        let all = try #require(results, "a read was not answered")
        #expect(all.count == 1, "a read was answered more than once")
        return try all[0].get()
    }
}
