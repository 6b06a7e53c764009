import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// What is unsent, for those who ask, and sending it on demand.
@Suite(.serialized, .timeLimit(.minutes(1))) struct UnsentTests {
    @Test func `what is written and not sent is told with its place and its size`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/old", "1234567890")
            let old = try f.open("d/old", [.read, .write])
            let new = try f.create("new")
            #expect(f.fileSystem.unsentFiles.map(\.path.description) == ["/new"])
            try f.write(old, at: 2, "xyz")
            try f.write(new, at: 0, "hello")
            let files = f.fileSystem.unsentFiles
            #expect(files.map(\.path.description) == ["/d/old", "/new"])
            #expect(files.map(\.size) == [10, 5])
            #expect(files.map(\.unsent) == [3, 5])
            #expect(files.allSatisfy { !$0.isSending && $0.failure == nil && $0.target == $0.path })
            try f.close(old)
            try f.close(new)
            #expect(f.fileSystem.unsentFiles.isEmpty)
        }
    }

    @Test func `everything is sent on demand, and what cannot be stays and is told`() throws {
        try Fixture.run { (f) throws in
            let handles = try ["a", "b"].map { name in
                let handle = try f.create(name)
                try f.write(handle, at: 0, name)
                return handle
            }
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite(path("b"), _) = call { throw StoreError(.noSpace, "452 full") }
            }
            let failures = try #require(f.fileSystem.sendEverything(Cancellation()))
            #expect(failures.map(\.path) == [path("b")])
            #expect(failures.map(\.reason.kind) == [.noSpace])
            #expect(f.store.text("a") == "a" && f.store.text("b") == nil)
            #expect(f.fileSystem.unsentFiles.map(\.path) == [path("b")])
            #expect(f.fileSystem.unsentFiles.map(\.failure?.kind) == [.noSpace])
            f.store.setHook(nil)
            #expect(f.fileSystem.sendEverything(Cancellation())?.isEmpty == true)
            #expect(f.store.text("b") == "b")
            for handle in handles { try f.close(handle) }
        }
    }

    @Test func `nobody has to wait for it, and it goes on all the same`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("a")
            try f.write(handle, at: 0, "a")
            let blocker = Blocker()
            f.store.setHook { call, cancellation in
                if case .openWrite = call { blocker.pass(cancellation) }
            }
            let cancellation = Cancellation()
            let sending = try Background { f.fileSystem.sendEverything(cancellation) == nil }
            #expect(blocker.waitForArrivals())
            #expect(f.fileSystem.unsentFiles.map(\.isSending) == [true])
            cancellation.cancel()
            #expect(try sending.value())
            blocker.open()
            #expect(waitUntil { f.store.text("a") == "a" })
            try f.close(handle)
        }
    }
}
