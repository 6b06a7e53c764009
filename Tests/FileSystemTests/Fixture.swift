import FileSystem
import Logging
import MemoryStore
import SystemPackage
import Testing
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A file system over a store in memory, with clocks that stand still and a spool that is removed with it.
final class Fixture: Sendable {
    let store: MemoryStore
    let fileSystem: FileSystem
    let spool: FilePath
    private let time: Monitor<Int64>

    /// Runs a test; afterwards everything has been given back: all gauges are zero, and the spool's files are as
    /// expected.
    ///
    /// - Parameter writeBack: how files are sent after their close; `nil`: every close sends.
    static func run(
        keepsSpool: Bool = false, writeBack: WriteBackSettings? = nil,
        configure: (inout FileSystemConfiguration) -> Void = { _ in }, _ body: (Fixture) throws -> Void
    ) throws {
        let fixture = try Fixture(writeBack, configure)
        try fixture.run(keepsSpool: keepsSpool, body)
    }

    private func run(keepsSpool: Bool, _ body: (Fixture) throws -> Void) throws {
        let fixture = self
        defer { fixture.removeSpool() }
        try body(fixture)
        fixture.store.setHook(nil)
        _ = fixture.fileSystem.shutdown(deadline: .after(.seconds(20)))
        let isIdle = waitUntil {
            fixture.fileSystem.statistics == Statistics()
        }
        #expect(isIdle, "left over: \(fixture.fileSystem.statistics)")
        if !keepsSpool { #expect(fixture.spooledNames.isEmpty) }
    }

    private init(
        _ writeBack: WriteBackSettings?, after former: Fixture? = nil,
        _ configure: (inout FileSystemConfiguration) -> Void
    ) throws {
        store = former?.store ?? MemoryStore()
        time = former?.time ?? Monitor(0)
        var template = Array("/tmp/ftpfs-spool-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        try #require(made)
        spool = FilePath(platformString: template)
        if let former { try former.copySpool(to: spool) }
        var configuration = FileSystemConfiguration(spoolDirectory: spool)
        configuration.uid = 1000
        configuration.gid = 100
        let time = time
        configuration.now = { Instant(nanoseconds: time.withLock { $0 }) }
        configuration.wallClock = {
            let now = time.withLock { $0 }
            return Timestamp(seconds: 2_000_000_000 + now / 1_000_000_000, nanoseconds: 500)
        }
        configure(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        if let writeBack {
            fileSystem = try FileSystem(
                store: store, configuration: configuration, writeBack: writeBack, logger: logger)
        } else {
            fileSystem = FileSystem(store: store, configuration: configuration, logger: logger)
        }
    }

    /// Runs `body` with another file system over the same store and with what the spool of this one holds now, as if this
    /// one had been killed at this moment.
    func afterACrash(
        _ writeBack: WriteBackSettings = WriteBackSettings(), keepsSpool: Bool = false,
        _ body: (Fixture) throws -> Void
    ) throws {
        let next = try Fixture(writeBack, after: self) { _ in }
        try next.run(keepsSpool: keepsSpool, body)
    }

    private func copySpool(to target: FilePath) throws {
        for name in spooledNames {
            // What has gone meanwhile would have gone at a crash, too.
            guard let file = try? FileDescriptor.open(spool.appending(name), .readOnly) else { continue }
            let copy = try FileDescriptor.open(
                target.appending(name), .writeOnly, options: .create, permissions: .ownerReadWrite)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { break }
                try copy.writeAll(buffer[..<count])
            }
            try file.close()
            try copy.close()
        }
    }

    /// Moves both clocks.
    func pass(_ span: Duration) {
        let (seconds, attoseconds) = span.components
        time.withLock { $0 += seconds * 1_000_000_000 + attoseconds / 1_000_000_000 }
    }

    /// What lies in the spool directory.
    var spooledNames: [String] { names(in: spool) }

    /// The same without the file of the small contents, which is there as long as the mount.
    var spooledFiles: [String] { spooledNames.filter { !$0.hasPrefix("open-slots-") } }

    /// What could not be sent and was put aside, without the notes.
    var putAside: [String] { names(in: spool.appending("lost+found")).filter { !$0.hasSuffix(".txt") } }

    private func names(in place: FilePath) -> [String] {
        guard let directory = opendir(place.string) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private func removeSpool() {
        for name in names(in: spool.appending("lost+found")) {
            _ = Glibc.unlink(spool.appending("lost+found").appending(name).string)
        }
        _ = Glibc.rmdir(spool.appending("lost+found").string)
        for name in spooledNames { _ = Glibc.unlink(spool.appending(name).string) }
        _ = Glibc.rmdir(spool.string)
    }
}

/// Waits for something that another thread does.
func waitUntil(_ limit: Duration = .seconds(20), _ condition: () -> Bool) -> Bool {
    let deadline = Deadline.after(limit)
    while !condition() {
        if deadline.hasPassed { return false }
        usleep(1000)
    }
    return true
}

func name(_ string: String) -> FileName {
    do {
        return try FileName(validating: string)
    } catch {
        Issue.record("\(string) is no name: \(error)")
        return placeholder
    }
}

private let placeholder: FileName = {
    guard let name = try? FileName(validating: "placeholder") else { preconditionFailure("a plain name is valid") }
    return name
}()

func path(_ string: String) -> RemotePath { MemoryStore.path(string) }

/// A request of an ordinary user that nobody cancels.
func request(user: UInt32 = 1000, _ cancellation: Cancellation = Cancellation()) -> Request {
    Request(userID: user, groupID: 100, cancellation: cancellation)
}

/// The error's kind, or `nil` if `body` throws none.
func failure(_ body: () throws -> Void) -> StoreError.Kind? {
    do {
        try body()
        return nil
    } catch {
        return (error as? StoreError)?.kind
    }
}

/// Runs `body` on a thread of its own; ``value()`` waits for the result.
final class Background<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)

    init(_ body: @escaping @Sendable () throws -> Value) throws {
        let result = result
        try Thread.detached(named: "test") {
            let value: Result<Value, any Error>
            do {
                value = .success(try body())
            } catch {
                value = .failure(error)
            }
            result.withLockThenWake { $0 = value }
        }
    }

    var isDone: Bool { result.withLock { $0 != nil } }

    func value() throws -> Value {
        let value = result.wait(until: .after(.seconds(20))) { $0 }
        return try #require(value, "a background call did not come back").get()
    }
}

extension Fixture {
    /// What a file in the spool holds, as text.
    func spooled(_ name: String) throws -> String {
        let file = try FileDescriptor.open(spool.appending(name), .readOnly)
        return try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
