import FileSystem
import MemoryStore
import Testing
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct DirectoryReadingTests {
    private func withDirectory(_ body: (Fixture, HandleID) throws -> Void) throws {
        try Fixture.run { (f) throws in
            for name in ["c", "a", "b"] { f.store.put("d/\(name)", name) }
            let handle = try f.fileSystem.openDirectory(f.inode("d"), request()).handle
            defer { f.fileSystem.releaseDirectory(handle) }
            try body(f, handle)
        }
    }

    private func text(_ items: [DirectoryItem]) -> [String] {
        items.map { String(decoding: $0.name, as: UTF8.self) }
    }

    @Test func `dot and dot-dot come first, then the names in the server's order`() throws {
        try withDirectory { (f, handle) throws in
            let items = try f.items(handle)
            #expect(text(items) == [".", "..", "c", "a", "b"])
            #expect(items[0].inode == (try f.inode("d")))
            #expect(items[1].inode == .root)
            #expect(items[2].inode == (try f.inode("d/c")))
            #expect(items.allSatisfy { $0.entry == nil })
        }
    }

    @Test func `an offset stays what it was while names come and go`() throws {
        try withDirectory { (f, handle) throws in
            let begin = try f.items(handle, room: 3)
            #expect(text(begin) == [".", "..", "c"])
            try f.unlink("d/c")
            try f.save("d/new", "x")

            let rest = try f.items(handle, from: begin[2].nextOffset)

            #expect(text(rest) == ["a", "b"])
        }
    }

    @Test func `rewinding shows what has changed`() throws {
        try withDirectory { (f, handle) throws in
            _ = try f.items(handle)
            try f.unlink("d/a")
            try f.save("d/new", "x")
            #expect(text(try f.items(handle)) == [".", "..", "c", "b", "new"])
        }
    }

    @Test func `readdirplus counts a lookup for what the reader took, and for nothing else`() throws {
        try withDirectory { (f, handle) throws in
            let before = f.fileSystem.statistics.inodes
            let items = try f.items(handle, withAttributes: true, room: 4)
            #expect(text(items) == [".", "..", "c", "a"])
            #expect(items[2].entry?.attributes.size == 1)
            #expect(items[2].entry?.entryTimeToLive == .seconds(10))
            #expect(items[0].entry == nil)
            #expect(f.fileSystem.statistics.inodes == before + 2)
            for item in items.dropFirst(2) { f.fileSystem.forget(item.inode, count: 1) }
            #expect(f.fileSystem.statistics.inodes == before)
        }
    }

    @Test func `readdirplus does not give a name that is gone`() throws {
        try withDirectory { (f, handle) throws in
            _ = try f.items(handle, room: 2)
            try f.unlink("d/c")
            #expect(text(try f.items(handle, from: 2, withAttributes: true)) == ["a", "b"])
        }
    }

    @Test func `the kernel keeps its list as long as the names are the same`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            // As the kernel does: what it does not keep, it reads.
            func keeps() throws -> Bool {
                let answer = try f.fileSystem.openDirectory(.root, request())
                defer { f.fileSystem.releaseDirectory(answer.handle) }
                if !answer.keepCache { _ = try f.items(answer.handle) }
                return answer.keepCache
            }
            #expect(try !keeps())
            #expect(try keeps())
            f.pass(.seconds(10))
            #expect(try !keeps())
            #expect(try keeps())
            #expect(f.store.calls.count == 2)
            f.store.put("b", "1")
            f.pass(.seconds(10))
            #expect(try !keeps())
            #expect(try keeps())
            try f.mkdir("c")
            #expect(try !keeps())
            #expect(try keeps())
        }
    }

    @Test func `opening a directory asks nobody, so that df does not wait for the server`() throws {
        try Fixture.run { (f) throws in
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.timedOut, "the server is silent") }
            let handle = try f.fileSystem.openDirectory(.root, request()).handle
            _ = f.fileSystem.space()
            // How much room there is is asked for behind it.
            #expect(f.store.calls.allSatisfy { $0 == .space })
            #expect(failure { _ = try f.items(handle) } == .timedOut)
            f.fileSystem.releaseDirectory(handle)
        }
    }

    @Test func `a large directory is one listing, and every name is there once`() throws {
        try Fixture.run { (f) throws in
            let count = 20_000
            f.store.setManyFiles("big", count: count)
            let handle = try f.fileSystem.openDirectory(f.inode("big"), request()).handle
            var offset: UInt64 = 0
            var seen: Set<[UInt8]> = []
            while true {
                let items = try f.items(handle, from: offset, withAttributes: true, room: 100)
                guard let last = items.last else { break }
                for item in items { seen.insert(item.name) }
                offset = last.nextOffset
            }
            f.fileSystem.releaseDirectory(handle)
            #expect(seen.count == count + 2)
            #expect(f.store.calls == [.list(.root), .list(path("big"))])
        }
    }

    @Test func `names are bytes`() throws {
        try Fixture.run { (f) throws in
            let composed = "caf\u{e9}"
            let decomposed = "cafe\u{301}"
            f.store.put(composed, "1")
            f.store.put(decomposed, "22")
            #expect(try f.names().count == 2)
            #expect(try f.stat(composed).size == 1)
            #expect(try f.stat(decomposed).size == 2)
        }
    }
}
