import EmbeddedFTPServer
import FTPClient
import FTPMount
import FileSystem
import SystemPackage
import Testing
import Threading
import Vocabulary

/// What a program gets when an FTP server refuses something: the same on every server, however it words a 550.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct FTPStoreTests {
    private let cancellation = Cancellation()

    private func served(_ dialect: Dialect, faults: FaultPlan = .none) throws -> (Served, FTPStore) {
        let served = try Served(dialect, faults: faults) { tree in
            tree.add("file", text: "hello")
            tree.add("full/inner", text: "x")
            tree.addDirectory("empty")
            tree.addDirectory("denied")
            tree.add("deniedfile", text: "x")
            tree.setDenied(true, of: "denied")
            tree.setDenied(true, of: "deniedfile")
        }
        return (served, FTPStore(served.client))
    }

    private typealias Operation = @Sendable (FTPStore, Cancellation) throws -> Void

    private static func write(_ store: FTPStore, _ path: String, _ cancellation: Cancellation) throws {
        let stream = try store.openWrite(try remote(path), mode: .replace, cancellation: cancellation)
        try stream.finish(cancellation: cancellation)
    }

    private static func read(_ store: FTPStore, _ path: String, _ cancellation: Cancellation) throws {
        let stream = try store.openRead(
            try remote(path), from: 0, expecting: RemoteAttributes(kind: .file), cancellation: cancellation)
        stream.close()
    }

    private static let refusals: [(name: String, kind: StoreError.Kind, run: Operation)] = [
        ("list what is not there", .notFound, { _ = try $0.list(try remote("none"), cancellation: $1) }),
        ("list a file", .notDirectory, { _ = try $0.list(try remote("file"), cancellation: $1) }),
        ("list what is denied", .denied, { _ = try $0.list(try remote("denied"), cancellation: $1) }),
        ("read what is not there", .notFound, { try read($0, "none", $1) }),
        ("read a directory", .isDirectory, { try read($0, "empty", $1) }),
        ("read what is denied", .denied, { try read($0, "deniedfile", $1) }),
        ("write into what is not there", .notFound, { try write($0, "none/x", $1) }),
        ("write over a directory", .isDirectory, { try write($0, "empty", $1) }),
        ("make what is there", .exists, { try $0.makeDirectory(try remote("empty"), cancellation: $1) }),
        ("make a directory over a file", .exists, { try $0.makeDirectory(try remote("file"), cancellation: $1) }),
        ("make in what is not there", .notFound, { try $0.makeDirectory(try remote("none/x"), cancellation: $1) }),
        (
            "make below a file", .notDirectory,
            { try $0.makeDirectory(try remote("file/x"), cancellation: $1) }
        ),
        ("remove a full directory", .notEmpty, { try $0.removeDirectory(try remote("full"), cancellation: $1) }),
        (
            "remove a directory that is not there", .notFound,
            { try $0.removeDirectory(try remote("none"), cancellation: $1) }
        ),
        (
            "remove a file as a directory", .notDirectory,
            { try $0.removeDirectory(try remote("file"), cancellation: $1) }
        ),
        ("remove a file that is not there", .notFound, { try $0.removeFile(try remote("none"), cancellation: $1) }),
        ("remove a directory as a file", .isDirectory, { try $0.removeFile(try remote("empty"), cancellation: $1) }),
        (
            "rename what is not there", .notFound,
            { try $0.rename(try remote("none"), to: try remote("x"), cancellation: $1) }
        ),
        (
            "rename to where nothing is", .notFound,
            { try $0.rename(try remote("file"), to: try remote("none/x"), cancellation: $1) }
        ),
        (
            "the time of what is not there", .notFound,
            { try $0.setModificationTime(try remote("none"), to: Timestamp(seconds: 0), cancellation: $1) }
        ),
    ]

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func whatARefusalMeans(_ dialect: Dialect) throws {
        let (served, store) = try served(dialect)
        defer { withExtendedLifetime(served) {} }
        for (name, kind, run) in Self.refusals {
            let error = #expect(throws: StoreError.self, "\(name)") { try run(store, cancellation) }
            #expect(error?.kind == kind, "\(dialect.name): \(name): \(error?.reason ?? "")")
        }
        #expect(served.tree.exists("full/inner"))
    }

    @Test(
        arguments: [
            (452, "Insufficient storage", .noSpace), (552, "Exceeded storage allocation", .noSpace),
            (552, "Disk quota exceeded", .quotaExceeded), (553, "Permission denied", .denied),
            (530, "Not logged in", .denied), (426, "Broken", .inputOutput), (551, "Page type unknown", .unsupported),
        ] as [(UInt16, String, StoreError.Kind)])
    func whatTheLastWordOfAnUploadMeans(_ code: UInt16, _ text: String, _ kind: StoreError.Kind) throws {
        let (served, store) = try served(.proftpd, faults: FaultPlan([.every("STOR", .finalReply(code, text))]))
        defer { withExtendedLifetime(served) {} }
        let error = #expect(throws: StoreError.self) { try Self.write(store, "new", cancellation) }
        #expect(error?.kind == kind)
    }

    @Test func aServerThatRemovesFullDirectoriesIsNotAskedTo() throws {
        let (served, store) = try served(.vsftpd)
        defer { withExtendedLifetime(served) {} }
        #expect(throws: StoreError.self) { try store.removeDirectory(try remote("full"), cancellation: cancellation) }
        #expect(served.server.transcript.count(of: "RMD") == 0)
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func aLookTellsWhatIsThereAndWhatIsNot(_ dialect: Dialect) throws {
        let (served, store) = try served(dialect)
        defer { withExtendedLifetime(served) {} }
        #expect(try store.look(at: .root, cancellation: cancellation)?.kind == .directory)
        #expect(try store.look(at: try remote("file"), cancellation: cancellation)?.size == 5)
        #expect(try store.look(at: try remote("full"), cancellation: cancellation)?.kind == .directory)
        #expect(try store.look(at: try remote("none"), cancellation: cancellation) == nil)
        #expect(try store.look(at: try remote("none/none"), cancellation: cancellation) == nil)
    }

    @Test(arguments: [Dialect.vsftpd, .proftpd, .pureftpd])
    func oddNamesAreListedAndReadWhereverTheyStand(_ dialect: Dialect) throws {
        let names: [[UInt8]] =
            [
                "a b", "[x]*", "-dash", "~tilde", "\\back", "{br}", "q?", ".hidden", "#%&;'\"", "\u{fc}ml", " lead",
            ].map { Array($0.utf8) } + [[0x62, 0xE9, 0x64], [0x62, 0xFF, 0x64]]
        let served = try Served(dialect) { tree in
            for name in names {
                tree.add(ServerPath(components: [name, name]), contents: Array(name))
            }
        }
        let store = FTPStore(served.client)
        for bytes in names {
            let name = try FileName(validating: bytes)
            let directory = RemotePath([name])
            #expect(try store.list(directory, cancellation: cancellation).map(\.name) == [name], "\(name)")
            let stream = try store.openRead(
                directory.appending(name), from: 0, expecting: RemoteAttributes(kind: .file),
                cancellation: cancellation)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { buffer.deallocate() }
            let count = try stream.read(into: buffer, cancellation: cancellation)
            #expect(Array(buffer[..<count]) == bytes)
            stream.close()
        }
    }
}
