import MemoryStore
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// Files that are sent after their close: what programs see, what the server gets and when, what a crash leaves.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WriteBackTests {
    /// Nothing is sent until somebody asks for it: the clock stands still.
    static let later: WriteBackSettings = {
        var settings = WriteBackSettings()
        settings.delay = .seconds(60)
        return settings
    }()

    static let atOnce: WriteBackSettings = {
        var settings = WriteBackSettings()
        settings.delay = .zero
        return settings
    }()

    static func run(
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

    @Test func `a content that took the place of another one, without an answer, is no conflict`() throws {
        try Self.run { (f) throws in
            f.store.put("f", "old")
            try f.save("f", "first")
            f.store.setHook { [store = f.store] call, _ throws(StoreError) in
                guard case .rename = call else { return }
                store.put("f", "first")
                throw StoreError(.inputOutput, "the connection was lost")
            }
            #expect(!f.fileSystem.waitForUploads(until: .after(.milliseconds(100))))
            f.store.setHook(nil)
            try f.save("f", "2nd")
            f.pass(.seconds(100))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "2nd")
            #expect(f.store.names() == ["f"])
        }
    }

    @Test func `a file whose name is about to go waits until that is done`() throws {
        try Self.run { (f) throws in
            try f.save("target", "precious")
            try f.save("source", "new")
            f.pass(.seconds(100))
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .openWrite(path("source"), _) = call {
                    blocker.pass(cancellation)
                    throw StoreError(.unreachable, "no route")
                }
            }
            let rename = try Background { try f.rename("source", "target") }
            #expect(blocker.waitForArrivals())
            // The workers find the target, of which nothing is to be sent at this moment.
            _ = f.fileSystem.waitForUploads(until: .after(.milliseconds(100)))
            blocker.open()
            #expect(failure { try rename.value() } == .unreachable)
            f.store.setHook(nil)
            f.pass(.seconds(100))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("target") == "precious")
            #expect(f.store.text("source") == "new")
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

    @Test func `an upload that nobody waits for gives its connection to others, and goes on behind what it has sent`()
        throws
    {
        try Self.run(Self.atOnce) { (f) throws in
            let large = String(repeating: "0123456789abcdef", count: 640 << 10)
            f.store.setHook { [store = f.store] call, _ throws(StoreError) in
                if case .send = call { store.wantConnections() }
            }
            try f.save("f", large)
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(20))))
            f.store.setHook(nil)
            #expect(f.store.text("f") == large)
            let transfers = f.store.calls.compactMap { call -> RemoteWriteMode? in
                if case .openWrite(_, let mode) = call { mode } else { nil }
            }
            #expect(transfers == [.replace, .append, .append])

            f.pass(.seconds(20))
            f.store.setHook { [store = f.store] call, _ throws(StoreError) in
                if case .send = call { store.wantConnections() }
            }
            try f.save("f", large + "!")
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(20))))
            #expect(f.store.text("f") == large + "!")
            #expect(f.store.names() == ["f"])
        }
    }

    @Test func `who writes more than the spool holds waits until something has been sent`() throws {
        try Fixture.run(writeBack: Self.later, configure: { $0.spoolSize = 100_000 }) { (f) throws in
            let content = String(repeating: "x", count: 40_000)
            for number in 0..<10 { try f.save("f\(number)", content) }
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(20))))
            for number in 0..<10 { #expect(f.store.text("f\(number)") == content) }
        }
        try Fixture.run(writeBack: Self.later, configure: { $0.spoolSize = 100_000 }) { (f) throws in
            let content = String(repeating: "x", count: 60_000)
            try f.save("f", content)
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.unreachable, "no route") }
            let handle = try f.create("g")
            #expect(failure { try f.write(handle, at: 0, content) } == .noSpace)
            f.store.setHook(nil)
            f.pass(.seconds(10))
            try f.write(handle, at: 0, content)
            try f.close(handle)
        }
    }

    @Test func `a file of which only a part is sent when another content comes is that one in the end`() throws {
        try Self.run(Self.atOnce) { (f) throws in
            f.store.put("f", "old")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .send = call { blocker.pass(cancellation) }
            }
            try f.save("f", "first")
            #expect(blocker.waitForArrivals())
            // It does not wait for the transfer, which would never end.
            let handle = try f.open("f", [.write, .truncate])
            blocker.open()
            try f.write(handle, at: 0, "second")
            try f.close(handle)
            f.pass(.seconds(5))
            #expect(f.fileSystem.waitForUploads(until: .after(.seconds(10))))
            #expect(f.store.text("f") == "second")
            #expect(f.store.names() == ["f"])
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
}
