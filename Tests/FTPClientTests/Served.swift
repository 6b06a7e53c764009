import EmbeddedFTPServer
import FTPProtocol
@preconcurrency import Glibc
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// An embedded server with a tree in memory, and a client for it.
final class Served: Sendable {
    let tree: MemoryTree
    let server: EmbeddedFTPServer
    let client: Client
    let cancellation = Cancellation()

    init(
        _ dialect: Dialect = .proftpd, connections: Int = 4, faults: FaultPlan = .none,
        maximumConnections: Int? = nil, base: ClientConfiguration.Base = .relativeToLogin([]),
        password: String = "", users: [String: String] = ["anonymous": ""],
        timeouts: ClientConfiguration.Timeouts = .init(), network: NetworkSettings = .init(),
        listingLimit: ClientConfiguration.ListingLimit = .init(), address: String = "127.0.0.1", host: String? = nil,
        fill: (MemoryTree) -> Void = { _ in }, configure: (inout ClientConfiguration) -> Void = { _ in }
    ) throws {
        tree = MemoryTree()
        fill(tree)
        server = try EmbeddedFTPServer(
            .init(
                storage: .memory(tree), users: users, dialect: dialect, faults: faults,
                address: address, maximumConnections: maximumConnections))
        try server.start()
        var configuration = ClientConfiguration(
            host: host ?? address, port: server.port, user: Array("anonymous".utf8), password: Secret(password),
            base: base, connections: connections, timeouts: timeouts)
        configuration.network = network
        configuration.listingLimit = listingLimit
        configure(&configuration)
        client = Client(configuration: configuration)
    }

    deinit {
        client.close()
        server.stop()
    }

    /// The names in a directory.
    func names(_ directory: RemotePath = .root) throws(FTPError) -> [String] {
        try client.list(directory, cancellation: cancellation).map(\.name.description)
    }

    /// Opens a file for reading; what is known of it is what the tree says.
    func reader(_ name: String, from offset: Int64 = 0) throws -> ReadStream {
        let attributes = tree.attributes(of: ServerPath(name.utf8))
        return try client.openRead(
            try remote(name), from: offset,
            expecting: FileVersion(size: attributes?.size, modified: attributes?.modified),
            cancellation: cancellation)
    }

    /// Reads to the end and checks every byte of a patterned file; how many there were.
    func readPattern(_ name: String, from offset: Int64 = 0, piece: Int = 64 * 1024) throws -> Int64 {
        let stream = try reader(name, from: offset)
        defer { stream.close() }
        return try drain(stream, from: offset, piece: piece)
    }

    func drain(_ stream: ReadStream, from offset: Int64, piece: Int = 64 * 1024) throws -> Int64 {
        var position = offset
        while case let count = try readSome(stream, at: position, piece), count > 0 { position += Int64(count) }
        return position - offset
    }

    /// One read, whose bytes are checked against the pattern.
    func readSome(_ stream: ReadStream, at position: Int64, _ piece: Int = 1000) throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 1)
        defer { buffer.deallocate() }
        let count = try stream.read(into: buffer, cancellation: cancellation)
        for index in 0..<count where buffer[index] != MemoryTree.patternByte(at: position + Int64(index)) {
            Issue.record("wrong byte at \(position + Int64(index))")
            return count
        }
        return count
    }

    /// Writes bytes to a file through a local one.
    func write(_ bytes: [UInt8], to name: String, _ mode: WriteMode = .replace) throws {
        let stream = try client.openWrite(try remote(name), mode, cancellation: cancellation)
        try withLocalFile(bytes) { file in
            try stream.send(from: file, range: 0..<Int64(bytes.count), cancellation: cancellation)
        }
        try stream.finish(cancellation: cancellation)
    }

    /// The commands since a mark, verbs and arguments.
    func lines(since mark: Transcript.Mark) -> [String] {
        server.transcript.since(mark).entries.map(\.line)
    }
}

extension ClientConfiguration.Timeouts {
    /// The defaults with a change.
    static func with(_ change: (inout Self) -> Void) -> Self {
        var timeouts = Self()
        change(&timeouts)
        return timeouts
    }
}

/// A path from text with slashes.
func remote(_ text: String) throws -> RemotePath {
    RemotePath(try text.split(separator: "/").map { try FileName(validating: String($0)) })
}

/// Runs `body` with an unnamed local file that holds the bytes.
func withLocalFile<Result>(_ bytes: [UInt8], _ body: (FileDescriptor) throws -> Result) throws -> Result {
    var template = Array("/tmp/ftpclient-test.XXXXXX".utf8CString)
    let raw = mkstemp(&template)
    try #require(raw >= 0)
    unlink(template)
    let file = FileDescriptor(rawValue: raw)
    defer { try? file.close() }
    _ = try bytes.withUnsafeBytes { try file.writeAll($0) }
    return try body(file)
}

/// Something that another thread is working on.
final class Pending<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)

    /// Starts a thread that runs `body`.
    init(_ body: @escaping @Sendable () throws -> Value) throws {
        try Thread.detached(named: "test") { [result] in
            let value = Result { try body() }
            result.withLockThenWake { $0 = value }
        }
    }

    /// Whether it is done already.
    var isDone: Bool { result.withLock { $0 != nil } }

    /// Waits for the outcome.
    func value() throws -> Value {
        let value = result.wait(until: .after(.seconds(30))) { $0 }
        return try #require(value, "not done in 30 s").get()
    }
}
