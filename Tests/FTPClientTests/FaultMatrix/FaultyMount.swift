import EmbeddedFTPServer
import FTPClient
import FTPMount
import FileSystem
@preconcurrency import Glibc
import Logging
import SystemPackage
import Threading
import Vocabulary

/// All of a mount but the kernel: the file system over the client over a server that does wrong when it is told to.
///
/// The calls are what a program does, in one line each; they look names up as the kernel does, and give nothing back
/// before the end.
final class FaultyMount: Sendable {
    let tree = MemoryTree()
    let server: EmbeddedFTPServer
    let client: Client
    let fileSystem: FileSystem
    let cancellation = Cancellation()
    private let spool: FilePath

    /// How a mount is set up.
    struct Setting: Sendable {
        var dialect = Dialect.proftpd
        var pipelining = ClientConfiguration.Pipelining.off
        /// `FTPFS_TEST_CONNECTIONS=1` in the environment: whatever holds with several has to hold with one.
        var connections = getenv("FTPFS_TEST_CONNECTIONS").flatMap { Int(String(cString: $0)) } ?? 4
        /// Whether each wait is to end soon: for what a test lets the server be silent about.
        var isImpatient = false
        var replacesInPlace = false
    }

    init(_ setting: Setting, fill: (MemoryTree) -> Void) throws {
        fill(tree)
        server = try EmbeddedFTPServer(.init(storage: .memory(tree), dialect: setting.dialect))
        try server.start()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var timeouts = ClientConfiguration.Timeouts()
        timeouts.establish = .seconds(5)
        if setting.isImpatient { timeouts.shorten(to: Self.impatience) }
        var configuration = ClientConfiguration(
            host: "127.0.0.1", port: server.port, user: Array("anonymous".utf8), password: Secret(""),
            connections: setting.connections, timeouts: timeouts)
        configuration.pipelining = setting.pipelining
        configuration.logger = logger
        client = Client(configuration: configuration)
        var template = Array("/tmp/ftpfs-faults-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkdtemp($0) != nil } ?? false }
        guard isMade else { throw StoreError(.noResources, "no spool") }
        spool = FilePath(platformString: template)
        var settings = FileSystemConfiguration(spoolDirectory: spool)
        settings.replacesInPlace = setting.replacesInPlace
        // What was cut off is made again, as a mount does it by default: an append is looked for first.
        settings.retries = {
            var perseverance = Perseverance(Endurance(repeats: 1, outage: .zero))
            return { perseverance.nextPause() }
        }
        fileSystem = FileSystem(
            store: FTPStore(client), configuration: settings,
            logger: logger)
    }

    /// How long an impatient mount waits for anything. Far above what an answer takes on a busy machine.
    static let impatience = Duration.milliseconds(1500)

    /// Ends everything, and removes what is local.
    ///
    /// - Returns: what was not given back by then; empty when all was.
    func end() -> String {
        server.setFaults(.none)
        _ = fileSystem.shutdown(deadline: .after(.seconds(20)))
        let deadline = Deadline.after(.seconds(10))
        while fileSystem.statistics != Statistics(), !deadline.hasPassed { usleep(1000) }
        let left = fileSystem.statistics
        client.close()
        server.stop()
        if let directory = opendir(spool.string) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                _ = Glibc.unlink(spool.appending(name).string)
            }
            closedir(directory)
        }
        _ = Glibc.rmdir(spool.string)
        return left == Statistics() ? "" : "\(left)"
    }

    // MARK: What a program does

    private var request: Request { Request(userID: 0, groupID: 0, cancellation: cancellation) }

    private func components(_ path: String) throws -> [FileName] {
        try path.split(separator: "/").map { try FileName(validating: String($0)) }
    }

    func inode(_ path: String) throws -> InodeNumber {
        var number = InodeNumber.root
        for name in try components(path) {
            guard case .found(let entry) = try fileSystem.lookup(name, in: number, request) else {
                throw StoreError(.notFound, path)
            }
            number = entry.attributes.inode
        }
        return number
    }

    private func place(_ path: String) throws -> (parent: InodeNumber, name: FileName) {
        let names = try components(path)
        guard let name = names.last else { throw StoreError(.invalidArgument, path) }
        let parent = names.dropLast().map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "/")
        return (try inode(parent), name)
    }

    func names(_ path: String) throws -> [String] {
        let handle = try fileSystem.openDirectory(inode(path), request).handle
        defer { fileSystem.releaseDirectory(handle) }
        var names: [String] = []
        try fileSystem.readDirectory(handle, from: 0, withAttributes: false, request) { item in
            names.append(String(decoding: item.name, as: UTF8.self))
            return true
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    func size(_ path: String) throws -> Int64 {
        try fileSystem.attributes(of: inode(path), handle: nil, request).attributes.size
    }

    func read(_ path: String, at offset: Int64 = 0, _ length: Int = .max) throws -> [UInt8] {
        let handle = try fileSystem.open(inode(path), flags: .read, request).handle
        defer { fileSystem.release(handle) }
        var bytes: [UInt8] = []
        while bytes.count < length {
            let part = try piece(of: handle, at: offset + Int64(bytes.count), min(128 << 10, length - bytes.count))
            if part.isEmpty { break }
            bytes += part
        }
        return bytes
    }

    private func piece(of handle: HandleID, at offset: Int64, _ length: Int) throws -> [UInt8] {
        let answer = Monitor<Result<[UInt8], StoreError>?>(nil)
        fileSystem.read(handle, offset: offset, length: length, request) { given in
            let result: Result<[UInt8], StoreError> =
                switch given {
                case .bytes(let pieces): .success(pieces.flatMap { Array($0) })
                case .failed(let error): .failure(error)
                }
            answer.withLockThenWake { $0 = result }
        }
        let result = answer.wait(until: .after(.seconds(30))) { $0 }
        guard let result else { throw StoreError(.badHandle, "a read was not answered") }
        return try result.get()
    }

    /// Makes a file of these bytes, or replaces its content, as `cp` does.
    func save(_ path: String, _ bytes: [UInt8], syncs: Bool = false) throws {
        let (parent, name) = try place(path)
        let handle = try fileSystem.create(
            name, in: parent, mode: 0o644, flags: [.write, .truncate], request
        ).open.handle
        try finish(handle, bytes, at: 0, syncs: syncs)
    }

    /// Writes into a file that is there.
    func write(_ path: String, _ bytes: [UInt8], at offset: Int64, _ flags: OpenFlags = [.read, .write]) throws {
        let handle = try fileSystem.open(inode(path), flags: flags, request).handle
        try finish(handle, bytes, at: offset)
    }

    private func finish(_ handle: HandleID, _ bytes: [UInt8], at offset: Int64, syncs: Bool = false) throws {
        defer { fileSystem.release(handle) }
        if !bytes.isEmpty {
            try bytes.withUnsafeBytes {
                try fileSystem.write(handle, offset: offset, bytes: $0, isPage: false, request)
            }
        }
        if syncs { try fileSystem.fsync(handle, request) }
        try fileSystem.flush(handle, request)
    }

    func append(_ path: String, _ bytes: [UInt8]) throws {
        let end = try size(path)
        try write(path, bytes, at: end, [.write, .append])
    }

    func change(_ path: String, _ change: AttributeChange) throws {
        _ = try fileSystem.setAttributes(of: inode(path), to: change, handle: nil, request)
    }

    func unlink(_ path: String) throws {
        let (parent, name) = try place(path)
        try fileSystem.unlink(name, in: parent, request)
    }

    func mkdir(_ path: String) throws {
        let (parent, name) = try place(path)
        _ = try fileSystem.makeDirectory(name, in: parent, mode: 0o755, request)
    }

    func rmdir(_ path: String) throws {
        let (parent, name) = try place(path)
        try fileSystem.removeDirectory(name, in: parent, request)
    }

    func rename(_ path: String, _ target: String) throws {
        let (parent, name) = try place(path)
        let (newParent, newName) = try place(target)
        try fileSystem.rename(name, in: parent, to: newName, in: newParent, options: [], request)
    }

    // MARK: What is on the server

    /// What one path on the server is.
    enum Thing: Hashable, Sendable {
        case directory
        case file(File)
    }

    struct File: Hashable, Sendable, CustomStringConvertible {
        var bytes: [UInt8]
        var mode: UInt32?
        var modified: Timestamp?

        var description: String {
            "\(bytes.count) bytes\(mode.map { ", mode " + String($0, radix: 8) } ?? "")\(modified.map { ", \($0.seconds)" } ?? "")"
        }
    }

    /// Everything on the server, by its path.
    func snapshot(_ directory: ServerPath = .root) -> [String: Thing] {
        var all: [String: Thing] = [:]
        for name in tree.names(in: directory) {
            let path = directory.appending(name)
            let text = String(decoding: path.joined, as: UTF8.self)
            if tree.kind(of: path) == .directory {
                all[text] = .directory
                all.merge(snapshot(path)) { $1 }
            } else {
                let attributes = tree.attributes(of: path)
                all[text] = .file(
                    File(
                        bytes: tree.contents(of: path) ?? [], mode: attributes?.mode, modified: attributes?.modified))
            }
        }
        return all
    }
}

extension ClientConfiguration.Timeouts {
    /// Lets no wait be longer.
    fileprivate mutating func shorten(to limit: Duration) {
        resolve = min(resolve, limit)
        connect = min(connect, limit)
        establish = min(establish, limit + limit)
        reply = min(reply, limit)
        firstDataConnect = min(firstDataConnect, limit)
        dataConnect = min(dataConnect, limit)
        dataIdle = min(dataIdle, limit)
        finalReply = min(finalReply, limit)
        downloadReply = min(downloadReply, limit)
    }
}
