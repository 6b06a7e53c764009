import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Temporary files of mounts that were killed.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LeftOverTests {
    private static let old = "d/.ftpfs-0123456789abcdef-report.txt"
    private static let scratch = ".ftpfs-00000000000000ff"

    private func leftOvers(_ f: Fixture, _ age: Duration = .seconds(86_400)) -> [String] {
        f.fileSystem.leftOvers(olderThan: age).map { "\($0.path)" }
    }

    @Test func `they are in no listing, and are told of`() throws {
        try Fixture.run { (f) throws in
            f.store.put(Self.old, "half a rep")
            f.store.put(Self.scratch, "0123")
            f.store.put("f", "x")
            // Of what was not listed nothing is known.
            #expect(leftOvers(f) == [])
            #expect(try f.names() == ["d", "f"])
            #expect(leftOvers(f) == ["/.ftpfs-00000000000000ff"])
            #expect(try f.names("d") == [])
            let all = f.fileSystem.leftOvers(olderThan: .seconds(86_400))
            #expect(all.map(\.size) == [4, 10])
            #expect(all.map { $0.original.map { String(decoding: $0, as: UTF8.self) } } == [nil, "report.txt"])
        }
    }

    @Test func `those that are younger, or in use here, are not left over`() throws {
        try Fixture.run { (f) throws in
            f.store.put(Self.scratch, "0123")
            f.store.put("open", "content")
            f.store.put("g", "x")
            let handle = try f.open("open", [.read, .write])
            // Hidden, for the one who has it open.
            try f.unlink("open")
            f.pass(.seconds(20))
            _ = try f.names()
            #expect(leftOvers(f) == ["/" + Self.scratch])
            #expect(leftOvers(f, .seconds(2_000_000_000)) == [])
            try f.close(handle)
        }
    }

    @Test func `they are removed when somebody asks for that`() throws {
        try Fixture.run { (f) throws in
            f.store.put(Self.old, "1")
            f.store.put(Self.scratch, "2")
            _ = try f.names("d")
            _ = try f.names()
            f.store.setHook { (call, _) throws(StoreError) in
                if call == .removeFile(path(Self.scratch)) { throw StoreError(.denied, "550") }
            }
            let outcome = f.fileSystem.removeLeftOvers(olderThan: .seconds(3600), cancellation: Cancellation())
            #expect(outcome.map { $0.error?.kind } == [.denied, nil])
            #expect(f.store.text(Self.old) == nil)
            #expect(leftOvers(f) == ["/" + Self.scratch])
        }
    }

    @Test func `a read-only mount removes nothing`() throws {
        try Fixture.run(configure: { $0.readOnly = true }) { (f) throws in
            f.store.put(Self.scratch, "2")
            _ = try f.names()
            let outcome = f.fileSystem.removeLeftOvers(olderThan: .zero, cancellation: Cancellation())
            #expect(outcome.map { $0.error?.kind } == [.readOnly])
            #expect(f.store.text(Self.scratch) != nil)
        }
    }
}
