import MemoryStore
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// What a mount leaves that ends, however it ends, and what the next one makes of it.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WriteBackCrashTests {
    @Test func `after a crash the next mount shows the files and sends them`() throws {
        try WriteBackTests.run { (f) throws in
            f.store.put("old", "0123456789")
            try f.mkdir("d")
            try f.save("small", "inline")
            let large = String(repeating: "large ", count: 20_000)
            try f.save("d/large", large)
            try f.change("small", AttributeChange(mode: 0o600))
            let handle = try f.open("old", .write)
            try f.write(handle, at: 3, "xx")
            try f.close(handle)

            try f.afterACrash(WriteBackTests.later) { (next) throws in
                #expect(try next.load("small") == "inline")
                #expect(try next.stat("small").mode == 0o600)
                #expect(try next.load("d/large") == large)
                #expect(try next.load("old") == "012xx56789")
                #expect(try next.names().sorted() == ["d", "old", "small"])
                #expect(next.fileSystem.waitForUploads(until: .after(.seconds(10))))
                #expect(f.store.text("small") == "inline")
                #expect(f.store.text("d/large") == large)
                #expect(f.store.text("old") == "012xx56789")
                #expect(try next.stat("small").mode == 0o600)
            }
            f.store.put("small", "inline")
        }
    }

    @Test func `after a crash in the middle of a transfer the file becomes whole, and is no conflict`() throws {
        let large = String(repeating: "0123456789", count: 10_000)
        try WriteBackTests.run { (f) throws in
            try f.save("f", large)
            try f.save("old", "1")
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            f.store.put("f", "")
            f.pass(.seconds(20))
            try f.save("g", large)
            f.store.put("g", String(large.prefix(5000)))
            try f.afterACrash { (next) throws in
                #expect(next.fileSystem.waitForUploads(until: .after(.seconds(10))))
                #expect(f.store.text("g") == large)
                #expect(f.store.names().sorted() == ["f", "g", "old"])
            }
        }
    }

    @Test func `what the server has got from an append is not appended again`() throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("log", "1\n")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 2, "2\n3\n")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish = call { blocker.pass(cancellation) }
            }
            try f.close(handle)
            let waiter = try Background { f.fileSystem.waitForUploads(until: .after(.seconds(10))) }
            #expect(blocker.waitForArrivals())
            #expect(f.store.text("log") == "1\n2\n3\n")
            f.store.put("log", "1\n2\n")
            f.store.setHook(nil)
            try f.afterACrash(keepsSpool: true) { (next) throws in
                let isSent = next.fileSystem.waitForUploads(until: .after(.seconds(10)))
                #expect(isSent, "\(next.fileSystem.pendingUploads) \(f.store.calls)")
                #expect(f.store.text("log") == "1\n2\n3\n")
            }
            blocker.open()
            #expect(try waiter.value())
        }
    }

    @Test func `a new file that was only appended to becomes whole, also if it had been begun`() throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            let handle = try f.create("log", [.write, .append])
            try f.write(handle, at: 0, "1\n")
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite = call { throw StoreError(.unreachable, "no route") }
            }
            try f.close(handle)
            #expect(!f.fileSystem.waitForUploads(until: .after(.milliseconds(100))))
            f.store.setHook(nil)
            try f.afterACrash { (next) throws in
                #expect(next.fileSystem.waitForUploads(until: .after(.seconds(10))))
                #expect(f.store.text("log") == "1\n")
            }
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.unreachable, "no route") }
            _ = f.fileSystem.drainUploads(until: .after(.milliseconds(100))) { _ in }
        }
    }

    @Test func `a rename is not undone by a crash`() throws {
        try WriteBackTests.run { (f) throws in
            f.store.put("f", "0")
            try f.mkdir("d")
            try f.save("f", "1")
            try f.save("d/f", "1")
            try f.rename("f", "g")
            try f.rename("d", "e")
            try f.afterACrash { (next) throws in
                #expect(next.fileSystem.pendingUploads.isEmpty)
                #expect(try next.names().sorted() == ["e", "g"])
            }
        }
    }

    @Test func `an unlink is not undone by a crash`() throws {
        try WriteBackTests.run { (f) throws in
            try f.save("f", "1")
            try f.unlink("f")
            try f.afterACrash { (next) throws in
                #expect(try !next.exists("f"))
                #expect(next.fileSystem.pendingUploads.isEmpty)
            }
        }
    }

    @Test func `a content that was being written anew at the crash is the old one`() throws {
        try WriteBackTests.run { (f) throws in
            let large = String(repeating: "x", count: 100_000)
            try f.save("f", large)
            let handle = try f.open("f", [.write, .truncate])
            try f.write(handle, at: 0, "new")
            try f.afterACrash(keepsSpool: true) { (next) throws in
                #expect(try next.load("f") == large)
                #expect(next.putAside.count == 1)
            }
            try f.close(handle)
        }
    }

    @Test func `an unmount in time sends everything and leaves nothing`() throws {
        try WriteBackTests.run { (f) throws in
            for index in 0..<20 { try f.save("f\(index)", "\(index)") }
            #expect(f.fileSystem.drainUploads(until: .after(.seconds(20))) { _ in } == 0)
            #expect(f.store.names().count == 20)
            #expect(f.spooledFiles == [])
        }
    }

    @Test func `an unmount without the server leaves everything to the next mount`() throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            try f.save("f", "1")
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.unreachable, "no route") }
            #expect(f.fileSystem.drainUploads(until: .after(.milliseconds(300))) { _ in } == 1)
            f.store.setHook(nil)
            #expect(f.store.names() == [])
            try f.afterACrash { (next) throws in
                #expect(next.fileSystem.waitForUploads(until: .after(.seconds(10))))
                #expect(f.store.text("f") == "1")
            }
        }
    }
}
