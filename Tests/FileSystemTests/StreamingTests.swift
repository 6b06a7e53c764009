import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Sending while a program writes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StreamingTests {
    private static let mega = 1 << 20

    /// Bytes that tell their offsets. Made once: in a debug build that takes longer than anything else here.
    private static let pattern: [UInt8] = {
        var pattern = (0..<251).map { UInt8($0) }
        while pattern.count < 40 << 20 { pattern += pattern }
        return pattern
    }()

    private func bytes(_ count: Int, from first: Int = 0) -> [UInt8] { Array(Self.pattern[first..<first + count]) }

    /// Writes by pieces as `cp` does.
    private func write(_ f: Fixture, _ handle: HandleID, _ bytes: [UInt8], at offset: Int = 0) throws {
        var position = 0
        while position < bytes.count {
            let end = min(position + 128 << 10, bytes.count)
            try f.write(handle, at: Int64(offset + position), Array(bytes[position..<end]))
            position = end
        }
    }

    private func opens(_ f: Fixture) -> [MemoryStore.Call] {
        f.store.calls.filter { if case .openWrite = $0 { true } else { false } }
    }

    /// Whether a transfer has ended properly.
    private func hasFinished(_ f: Fixture) -> Bool {
        f.store.calls.contains { if case .finish = $0 { true } else { false } }
    }

    /// How many bytes have been sent.
    private func sent(_ f: Fixture) -> Int {
        f.store.calls.reduce(0) { if case .send(_, let range) = $1 { $0 + range.count } else { $0 } }
    }

    @Test func `a large new file is sent while it is written, once`() throws {
        try Fixture.run { (f) throws in
            let content = bytes(3 * Self.mega)
            let handle = try f.create("f")
            try write(f, handle, content)
            #expect(waitUntil { f.store.content("f")?.count == content.count })
            #expect(f.fileSystem.statistics.dirtyFiles == 1)
            try f.close(handle)
            #expect(f.store.content("f") == content)
            #expect(opens(f) == [.openWrite(path("f"), .replace)])
            #expect(sent(f) == content.count)
            #expect(try f.stat("f").size == content.count)
        }
    }

    @Test func `a large file that replaces another one is seen complete or not at all`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "the old content")
            let content = bytes(3 * Self.mega)
            let handle = try f.open("f", [.write, .truncate])
            try write(f, handle, content)
            #expect(waitUntil { sent(f) == content.count })
            #expect(f.store.text("f") == "the old content")
            #expect(try f.names() == ["f"])
            try f.close(handle)
            #expect(f.store.content("f") == content)
            #expect(f.store.names() == ["f"])
            #expect(opens(f).count == 1)
        }
    }

    @Test func `the end is appended while it is written`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "start")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "!")
            try f.fileSystem.fsync(handle, request())
            let content = bytes(Self.mega)
            try write(f, handle, content)
            #expect(waitUntil { f.store.content("log")?.count == 6 + content.count })
            try f.close(handle)
            #expect(f.store.content("log") == Array("start!".utf8) + content)
            #expect(opens(f) == [.openWrite(path("log"), .append), .openWrite(path("log"), .append)])
        }
    }

    @Test(arguments: [true, false], [true, false])
    func `a header that is filled in at the end is right`(keepsTail: Bool, replaces: Bool) throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.keepsTail = keepsTail }
            if replaces { f.store.put("f", "old") }
            var content = bytes(3 * Self.mega)
            let handle = try f.create("f", [.write, .truncate])
            try write(f, handle, content)
            #expect(waitUntil { sent(f) == content.count })
            try f.write(handle, at: 100, "header")
            content.replaceSubrange(100..<106, with: Array("header".utf8))
            if replaces { #expect(f.store.text("f") == "old") }
            try f.close(handle)
            #expect(f.store.content("f") == content)
            #expect(f.store.names() == ["f"])
            #expect(sent(f) == content.count + (keepsTail ? 6 : content.count))
        }
    }

    @Test(arguments: [true, false])
    func `the connection is given up when others want it, and the rest follows`(replaces: Bool) throws {
        try Fixture.run { (f) throws in
            if replaces { f.store.put("f", "old") }
            let content = bytes(3 * Self.mega)
            let handle = try f.create("f", [.write, .truncate])
            try write(f, handle, Array(content[..<Self.mega]))
            #expect(waitUntil { sent(f) == Self.mega })
            f.store.wantConnections()
            #expect(waitUntil { hasFinished(f) })
            if replaces { #expect(f.store.text("f") == "old") }
            try write(f, handle, Array(content[Self.mega...]), at: Self.mega)
            try f.close(handle)
            #expect(f.store.content("f") == content)
            #expect(f.store.names() == ["f"])
            #expect(sent(f) == content.count)
        }
    }

    @Test func `a program that pauses keeps no connection`() throws {
        try Fixture.run(configure: { $0.streamPatience = .milliseconds(20) }) { (f) throws in
            let content = bytes(Self.mega)
            let handle = try f.create("f")
            try write(f, handle, content)
            #expect(waitUntil { f.store.calls.contains(.finish(path("f"))) })
            try f.write(handle, at: Int64(content.count), "and more")
            try f.close(handle)
            #expect(f.store.content("f") == content + Array("and more".utf8))
            #expect(opens(f) == [.openWrite(path("f"), .replace), .openWrite(path("f"), .append)])
        }
    }

    @Test func `a stream that broke is gone on with, where its bytes ended`() throws {
        try Fixture.run { (f) throws in
            let content = bytes(6 * Self.mega)
            let handle = try f.create("f")
            let hasBroken = Monitor(false)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .send = call, f.store.content("f")?.count ?? 0 >= Self.mega else { return }
                let isFirst = hasBroken.withLock { hasBroken in
                    defer { hasBroken = true }
                    return !hasBroken
                }
                if isFirst { throw StoreError(.inputOutput, "the connection was lost") }
            }
            try write(f, handle, Array(content[..<Self.mega]))
            #expect(waitUntil { f.store.content("f")?.count == Self.mega })
            try write(f, handle, Array(content[Self.mega...]), at: Self.mega)
            #expect(waitUntil { hasBroken.withLock { $0 } })
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(f.store.content("f") == content)
            #expect(calls.prefix(2) == [.size(path("f")), .openWrite(path("f"), .append)])
        }
    }

    @Test(arguments: [StoreError.Kind.noSpace, .quotaExceeded, .denied])
    func `what the server says meanwhile is what the close says, and is asked anew by the next`(
        kind: StoreError.Kind
    ) throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            let calls = Monitor(0)
            f.store.setHook { call, _ throws(StoreError) in
                if case .send = call {
                    calls.withLock { $0 += 1 }
                    throw StoreError(kind, "no")
                }
            }
            // Not a byte more: the next write would hear of it already.
            try write(f, handle, bytes(256 << 10))
            #expect(waitUntil { calls.withLock { $0 } == 1 })
            #expect(failure { try f.fileSystem.flush(handle, request()) } == kind)
            #expect(calls.withLock { $0 } == 1)
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == kind)
            #expect(calls.withLock { $0 } == 2)
            f.store.setHook(nil)
            try f.close(handle)
            #expect(f.store.content("f") == bytes(256 << 10))
        }
    }

    @Test func `a server that is full ends the writing too`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            let handle = try f.create("f")
            f.store.setHook { call, _ throws(StoreError) in
                if case .send = call { throw StoreError(.noSpace, "full") }
            }
            try write(f, handle, bytes(256 << 10))
            #expect(waitUntil { failure { try f.write(handle, at: 256 << 10, "x") } == .noSpace })
            #expect(failure { try f.close(handle) } == .noSpace)
        }
    }

    @Test func `truncating in the middle begins anew`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            let handle = try f.open("f", [.write, .truncate])
            try write(f, handle, bytes(Self.mega))
            #expect(waitUntil { sent(f) == Self.mega })
            _ = try f.fileSystem.setAttributes(
                of: f.inode("f"), to: AttributeChange(size: 0), handle: handle, request())
            #expect(f.store.text("f") == "old")
            try f.write(handle, at: 0, "new")
            try f.close(handle)
            #expect(f.store.text("f") == "new")
            #expect(f.store.names() == ["f"])
        }
    }

    @Test(arguments: [true, false])
    func `cutting what is being appended leaves what was asked for`(isBroken: Bool) throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "start")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "!")
            try f.fileSystem.fsync(handle, request())
            let content = bytes(Self.mega)
            try write(f, handle, content)
            #expect(waitUntil { f.store.content("log")?.count == 6 + content.count })
            if isBroken {
                f.store.setHook { call, _ throws(StoreError) in
                    if case .finish = call { throw StoreError(.inputOutput, "the connection was lost") }
                }
            }
            _ = try f.fileSystem.setAttributes(
                of: f.inode("log"), to: AttributeChange(size: 500_000), handle: handle, request())
            f.store.setHook(nil)
            try f.write(handle, at: 0, "end")
            try f.close(handle)
            let expected = Array("start!".utf8) + content
            #expect(f.store.content("log") == Array(expected[..<500_000]) + Array("end".utf8))
        }
    }

    @Test func `unlinking in the middle leaves nothing`() throws {
        try Fixture.run { (f) throws in
            f.store.put("old", "old")
            for file in ["new", "old"] {
                let handle = try f.create(file, [.write, .truncate])
                let before = sent(f)
                try write(f, handle, bytes(Self.mega))
                #expect(waitUntil { sent(f) == before + Self.mega })
                try f.unlink(file)
                #expect(f.store.names().allSatisfy { $0 != file && !$0.hasPrefix(".ftpfs-") })
                try f.write(handle, at: 0, "still there")
                try f.close(handle)
            }
            #expect(f.store.names() == [])
        }
    }

    @Test func `renaming in the middle takes it along`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "old")
            f.store.putDirectory("d")
            let content = bytes(2 * Self.mega)
            let handle = try f.open("a", [.write, .truncate])
            try write(f, handle, Array(content[..<Self.mega]))
            #expect(waitUntil { sent(f) == Self.mega })
            try f.rename("a", "d/b")
            try write(f, handle, Array(content[Self.mega...]), at: Self.mega)
            try f.close(handle)
            #expect(f.store.content("d/b") == content)
            #expect(f.store.names() == ["d"])
            #expect(f.store.names("d") == ["b"])
        }
    }

    @Test func `a directory is renamed in the middle`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/a", "old")
            let content = bytes(2 * Self.mega)
            let handle = try f.open("d/a", [.write, .truncate])
            try write(f, handle, Array(content[..<Self.mega]))
            #expect(waitUntil { sent(f) == Self.mega })
            try f.rename("d", "e")
            try write(f, handle, Array(content[Self.mega...]), at: Self.mega)
            try f.close(handle)
            #expect(f.store.content("e/a") == content)
            #expect(f.store.names("e") == ["a"])
        }
    }

    @Test func `a file of which a stuck transfer holds the connection can be written on`() throws {
        try Fixture.run(configure: { $0.streamPatience = .milliseconds(20) }) { (f) throws in
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .send = call { blocker.pass(cancellation) }
            }
            let handle = try f.create("f")
            let content = bytes(34 * Self.mega)
            try write(f, handle, content)
            #expect(try f.stat("f").size == content.count)
            blocker.open()
            try f.close(handle)
            #expect(f.store.content("f") == content)
        }
    }

    @Test func `what is written at random while it is sent is right in the end`() throws {
        for seed in [1, 2, UInt64.random(in: 0...UInt64.max)] {
            for (keepsTail, replaces) in [(true, false), (false, true), (true, true)] {
                try Fixture.run { (f) throws in
                    f.store.configure { $0.keepsTail = keepsTail }
                    var random = Seeded(seed)
                    var content: [UInt8] = []
                    if replaces { f.store.put("f", "old") }
                    let handle = try f.create("f", [.read, .write, .truncate])
                    for step in 0..<60 {
                        let isBehind = random.below(5) == 0
                        let offset = isBehind ? random.below(content.count + 1) : content.count
                        let part = bytes(random.below(isBehind ? 100 : 300 << 10), from: step)
                        content += [UInt8](repeating: 0, count: max(0, offset + part.count - content.count))
                        content.replaceSubrange(offset..<offset + part.count, with: part)
                        try f.write(handle, at: Int64(offset), part)
                        switch random.below(20) {
                        case 0: try f.fileSystem.fsync(handle, request())
                        case 1: f.store.wantConnections()
                        case 2:
                            let size = random.below(content.count + 1)
                            content.removeLast(content.count - size)
                            _ = try f.fileSystem.setAttributes(
                                of: f.inode("f"), to: AttributeChange(size: Int64(size)), handle: handle, request())
                        case 3:
                            let from = random.below(content.count + 1)
                            let read = try f.read(handle, at: Int64(from), 100_000)
                            #expect(read == Array(content[from...].prefix(100_000)), "seed \(seed)")
                        default: break
                        }
                    }
                    try f.close(handle)
                    #expect(f.store.content("f") == content, "seed \(seed)")
                    #expect(f.store.names() == ["f"])
                }
            }
        }
    }
}
