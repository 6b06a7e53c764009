import MemoryStore
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// Files that are sent after their close: what programs see, what the server gets and when, what a crash leaves.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WriteBackTests {
    /// Nothing is sent until somebody asks for it: the clock stands still.
    private static let later: WriteBackSettings = {
        var settings = WriteBackSettings()
        settings.delay = .seconds(60)
        return settings
    }()

    private static let atOnce: WriteBackSettings = {
        var settings = WriteBackSettings()
        settings.delay = .zero
        return settings
    }()

    private static func run(
        _ settings: WriteBackSettings = later, keepsSpool: Bool = false, _ body: (Fixture) throws -> Void
    ) throws {
        try Fixture.run(keepsSpool: keepsSpool, writeBack: settings, body)
    }

    // MARK: - Close, fsync, and what is seen

    @Test func `close returns without a command, and everybody sees the file`() throws {
        try Self.run { (f) throws in
            _ = try f.names()
            let calls = try f.store.calls { () throws in try f.save("new", "content") }

            #expect(calls == [])
            #expect(f.store.names() == [])
            #expect(try f.load("new") == "content")
            #expect(try f.names() == ["new"])
            #expect(try f.stat("new").size == 7)
            #expect(f.fileSystem.pendingUploads.map(\.path) == [path("new")])
            #expect(f.fileSystem.pendingUploads.map(\.size) == [7])
        }
    }

    @Test func `it is sent some time after its close`() throws {
        try Self.run(Self.atOnce) { (f) throws in
            try f.save("new", "content")
            #expect(waitUntil { f.store.text("new") == "content" && f.fileSystem.pendingUploads.isEmpty })
            #expect(try f.load("new") == "content")
        }
    }

    @Test func `fsync waits for the server, and its close costs nothing then`() throws {
        try Self.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "safe")
            try f.fileSystem.fsync(handle, request())
            #expect(f.store.text("f") == "safe")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(calls == [])
            #expect(f.fileSystem.pendingUploads.isEmpty)
        }
    }

    @Test func `fsync of a file that waits sends it`() throws {
        try Self.run { (f) throws in
            try f.save("f", "1")
            let handle = try f.open("f", .write)
            try f.fileSystem.fsync(handle, request())
            #expect(f.store.text("f") == "1")
            try f.close(handle)
        }
    }

    @Test func `mode, time and size of a file that waits cost no command`() throws {
        try Self.run { (f) throws in
            _ = try f.names()
            let time = Timestamp(seconds: 1_500_000_000)
            let calls = try f.store.calls { () throws in
                try f.save("f", "content")
                try f.change("f", AttributeChange(mode: 0o600))
                try f.change("f", AttributeChange(modified: .to(time)))
                try f.change("f", AttributeChange(size: 4))
                try f.change("f", AttributeChange(modified: .to(time)))
            }
            #expect(calls == [])
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "cont")
            let now = try f.stat("f")
            #expect(now.mode == 0o600)
            #expect(now.modified == time)
            #expect(f.store.calls.contains(.setMode(path("f"), 0o600)))
            #expect(f.store.calls.contains(.setModificationTime(path("f"), time)))
        }
    }

    @Test func `a later content supersedes what waits: one upload`() throws {
        try Self.run { (f) throws in
            try f.save("f", "first")
            try f.save("f", "second")
            #expect(try f.load("f") == "second")
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "second")
            #expect(f.store.calls.count { if case .openWrite = $0 { true } else { false } } == 1)
        }
    }

    @Test func `several files are sent at once, as far as connections are free`() throws {
        try Self.run(Self.atOnce) { (f) throws in
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish = call { blocker.pass(cancellation) }
            }
            for index in 0..<5 { try f.save("f\(index)", "x") }
            #expect(blocker.waitForArrivals(3))
            blocker.open()
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.names().count == 5)
        }
        try Self.run(Self.atOnce) { (f) throws in
            f.store.configure { $0.spareStreams = 0 }
            let running = Monitor((now: 0, most: 0))
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite = call {
                    running.withLock {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                }
                if case .finish = call { running.withLock { $0.now -= 1 } }
            }
            for index in 0..<5 { try f.save("f\(index)", "x") }
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(20))))
            #expect(running.withLock { $0.most } == 1)
        }
    }

    // MARK: - Order

    @Test func `a new file that waits is unlinked without a command`() throws {
        try Self.run { (f) throws in
            _ = try f.names()
            let calls = try f.store.calls { () throws in
                try f.save("f", "1")
                try f.unlink("f")
            }
            #expect(calls == [])
            #expect(try !f.exists("f"))
            #expect(f.fileSystem.pendingUploads.isEmpty)
        }
    }

    @Test func `a changed file that waits is unlinked on the server`() throws {
        try Self.run { (f) throws in
            f.store.put("f", "old")
            try f.save("f", "new")
            try f.unlink("f")
            #expect(f.store.names() == [])
            #expect(f.fileSystem.pendingUploads.isEmpty)
        }
    }

    @Test func `a new file that waits is renamed without a command`() throws {
        try Self.run { (f) throws in
            try f.mkdir("d")
            _ = try f.names()
            _ = try f.names("d")
            let calls = try f.store.calls { () throws in
                try f.save("f", "1")
                try f.rename("f", "d/g")
            }
            #expect(calls == [])
            #expect(try !f.exists("f"))
            #expect(try f.load("d/g") == "1")
            try f.afterACrash(Self.later) { (next) throws in
                #expect(try next.names() == ["d"])
                #expect(try next.load("d/g") == "1")
                try next.unlink("d/g")
            }
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("d/g") == "1")
            #expect(f.store.names() == ["d"])
        }
    }

    @Test func `a rename comes after what was written`() throws {
        try Self.run { (f) throws in
            f.store.put("old", "1")
            try f.save("old", "22")
            try f.rename("old", "new")
            #expect(f.store.names() == ["new"])
            #expect(f.store.text("new") == "22")
        }
    }

    @Test func `the rename of a directory comes after what was written below it`() throws {
        try Self.run { (f) throws in
            try f.mkdir("d")
            for index in 0..<5 { try f.save("d/f\(index)", "\(index)") }
            try f.rename("d", "e")
            for index in 0..<5 { #expect(f.store.text("e/f\(index)") == "\(index)") }
            #expect(waitUntil { f.fileSystem.pendingUploads.isEmpty })
        }
    }

    @Test func `a directory in which files wait is not empty`() throws {
        try Self.run { (f) throws in
            try f.mkdir("d")
            try f.save("d/f", "1")
            #expect(failure { try f.rmdir("d") } == .notEmpty)
            try f.unlink("d/f")
            try f.rmdir("d")
            #expect(f.store.names() == [])
        }
    }

    @Test func `truncating a file on its way sends the later content`() throws {
        try Self.run(Self.atOnce) { (f) throws in
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish = call { blocker.pass(cancellation) }
            }
            try f.save("f", "first")
            #expect(blocker.waitForArrivals())
            let second = try Background { try f.save("f", "2nd") }
            blocker.open()
            try second.value()
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "2nd")
        }
    }

    // MARK: - What goes wrong

    @Test func `what failed is tried again, and says so`() throws {
        try Self.run(Self.atOnce) { (f) throws in
            let failures = Monitor(2)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .openWrite = call else { return }
                let fails = failures.withLock { left in
                    left -= 1
                    return left >= 0
                }
                if fails { throw StoreError(.unreachable, "no route") }
            }
            try f.save("f", "1")
            #expect(waitUntil { f.fileSystem.pendingUploads.first?.lastError?.kind == .unreachable })
            #expect(f.fileSystem.pendingUploads.first?.attempts == 1)
            #expect(f.store.names() == [])
            #expect(f.fileSystem.waitForUploads(until: .after(.milliseconds(50))) == false)
            f.pass(.seconds(10))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "1")
        }
    }

    @Test func `what the server refuses for good is kept in lost+found`() throws {
        try Self.run(Self.atOnce, keepsSpool: true) { (f) throws in
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite(path("bad"), _) = call { throw StoreError(.denied, "550 no") }
            }
            try f.save("bad", "precious")
            try f.save("good", "x")
            let isGone = waitUntil {
                f.pass(.seconds(5))
                _ = f.fileSystem.waitForUploads(until: .after(.zero))
                return f.fileSystem.pendingUploads.isEmpty && f.putAside.count == 1
            }
            #expect(isGone)
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            let name = try #require(f.putAside.first)
            #expect(try f.spooled("lost+found/\(name)") == "precious")
            let note = try f.spooled("lost+found/\(name).txt")
            #expect(note.contains("/bad") && note.contains("550 no"))
            #expect(f.store.text("good") == "x")
            #expect(try !f.exists("bad"))
        }
    }

    // MARK: - Somebody else

    @Test func `a change on the server is left alone, ours goes beside it`() throws {
        try Self.run { (f) throws in
            f.store.put("f", "old")
            try f.save("f", "ours")
            f.store.put("f", "somebody else's")
            f.pass(.seconds(60))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))

            #expect(f.store.text("f") == "somebody else's")
            let other = try #require(f.store.names().first { $0 != "f" })
            #expect(other == "f.conflict-20330518-033420")
            #expect(f.store.text(other) == "ours")
            #expect(try f.load(other) == "ours")
            #expect(try f.load("f") == "somebody else's")
        }
    }

    @Test func `a file that has come into being meanwhile is left alone`() throws {
        try Self.run { (f) throws in
            try f.save("f", "ours")
            f.store.put("f", "theirs")
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "theirs")
            #expect(f.store.names().count == 2)
        }
    }

    @Test func `what was appended follows what somebody else has appended`() throws {
        try Self.run { (f) throws in
            f.store.put("log", "1\n")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 2, "2\n")
            try f.close(handle)
            f.store.put("log", "1\nother\n")
            f.pass(.seconds(60))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("log") == "1\nother\n2\n")
            #expect(f.store.names() == ["log"])
        }
    }

    @Test func `our own upload is no conflict with the next content`() throws {
        try Self.run { (f) throws in
            for content in ["1", "22", "333"] {
                try f.save("f", content)
                #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
                f.pass(.seconds(20))
            }
            #expect(f.store.names() == ["f"])
            #expect(f.store.text("f") == "333")
        }
    }

    // MARK: - Crashes

    @Test func `after a crash the next mount shows the files and sends them`() throws {
        try Self.run { (f) throws in
            f.store.put("old", "0123456789")
            try f.mkdir("d")
            try f.save("small", "inline")
            let large = String(repeating: "large ", count: 20_000)
            try f.save("d/large", large)
            try f.change("small", AttributeChange(mode: 0o600))
            let handle = try f.open("old", .write)
            try f.write(handle, at: 3, "xx")
            try f.close(handle)

            try f.afterACrash(Self.later) { (next) throws in
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
        try Self.run { (f) throws in
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
        try Self.run(keepsSpool: true) { (f) throws in
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

    @Test func `an unlink is not undone by a crash`() throws {
        try Self.run { (f) throws in
            try f.save("f", "1")
            try f.unlink("f")
            try f.afterACrash { (next) throws in
                #expect(try !next.exists("f"))
                #expect(next.fileSystem.pendingUploads.isEmpty)
            }
        }
    }

    @Test func `a content that was being written anew at the crash is the old one`() throws {
        try Self.run { (f) throws in
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
        try Self.run { (f) throws in
            for index in 0..<20 { try f.save("f\(index)", "\(index)") }
            #expect(f.fileSystem.drainUploads(until: .after(.seconds(20))) { _ in } == 0)
            #expect(f.store.names().count == 20)
            #expect(f.spooledNames == [])
        }
    }

    @Test func `an unmount without the server leaves everything to the next mount`() throws {
        try Self.run(keepsSpool: true) { (f) throws in
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
