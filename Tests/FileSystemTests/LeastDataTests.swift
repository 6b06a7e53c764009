import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// What is sent, and what is fetched for it.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LeastDataTests {
    private static let mega: Int64 = 1 << 20

    private func put(_ f: Fixture, _ file: String, megabytes: Int) -> [UInt8] {
        var content = (0..<251).map { UInt8($0) }
        while content.count < megabytes << 20 { content += content }
        content.removeLast(content.count - megabytes << 20)
        f.store.put(file, .bytes(content))
        return content
    }

    private func sent(_ calls: [MemoryStore.Call]) -> [Range<Int64>] {
        calls.compactMap { if case .send(_, let range) = $0 { range } else { nil } }
    }

    // MARK: - Appending

    @Test func `after an append of our own the next one needs no look, for a while`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "start\n")
            func append() throws -> [MemoryStore.Call] {
                try f.store.calls { () throws in
                    let handle = try f.open("log", [.write, .append])
                    try f.write(handle, at: 0, "line\n")
                    try f.close(handle)
                }
            }
            _ = try f.names()
            #expect(try append().first == .size(path("log")))
            let transfer: [MemoryStore.Call] = [
                .openWrite(path("log"), .append), .send(path("log"), 11..<16), .finish(path("log")),
            ]
            #expect(try append() == transfer)
            f.pass(.seconds(11))
            #expect(try append().contains(.size(path("log"))))
            #expect(f.store.text("log") == "start\n" + String(repeating: "line\n", count: 3))
        }
    }

    @Test(arguments: [true, false])
    func `a server without a command for it gets the bytes at their place only if it was seen to heed that`(
        keepsTail: Bool
    ) throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.keepsTail = keepsTail }
            // It says so only when asked.
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite(_, .append) = call { throw StoreError(.unsupported, "APPE") }
            }
            f.store.put("log", "start\n")
            _ = try f.names()
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(calls.contains(.openWrite(path("log"), .at(6))) == keepsTail)
            #expect(f.store.text("log") == "start\nline\n")
        }
    }

    @Test func `of a broken append only the rest is sent again`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "start\n")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            let left = Monitor(1)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .finish = call else { return }
                let fails = left.withLock { left in
                    left -= 1
                    return left >= 0
                }
                if fails {
                    f.store.put("log", "start\nli")
                    throw StoreError(.inputOutput, "the connection was lost")
                }
            }
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .inputOutput)
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(sent(calls) == [8..<11])
            #expect(f.store.text("log") == "start\nline\n")
        }
    }

    // MARK: - Patching

    @Test func `four bytes in a large file are four bytes`() throws {
        try Fixture.run { (f) throws in
            var content = put(f, "f", megabytes: 8)
            _ = try f.names()
            let handle = try f.open("f", [.read, .write])
            let calls = try f.store.calls { () throws in
                try f.write(handle, at: 3 * Self.mega, "ABCD")
                try f.fileSystem.fsync(handle, request())
                try f.write(handle, at: 5 * Self.mega, "EFGH")
                try f.close(handle)
            }
            content.replaceSubrange(3 << 20..<(3 << 20) + 4, with: Array("ABCD".utf8))
            content.replaceSubrange(5 << 20..<(5 << 20) + 4, with: Array("EFGH".utf8))
            #expect(f.store.content("f") == content)
            #expect(
                calls == [
                    .probe, .size(path("f")), .openWrite(path("f"), .at(3 * Self.mega)),
                    .send(path("f"), 3 * Self.mega..<3 * Self.mega + 4), .finish(path("f")), .size(path("f")),
                    // What the first one did to the rest has been seen.
                    .probe, .openWrite(path("f"), .at(5 * Self.mega)),
                    .send(path("f"), 5 * Self.mega..<5 * Self.mega + 4), .finish(path("f")),
                ])
            #expect(f.store.bytesRead == 0)
        }
    }

    @Test func `where the server cuts the rest off, the whole is sent to another name`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.keepsTail = false }
            var content = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 3 * Self.mega, "ABCD")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            content.replaceSubrange(3 << 20..<(3 << 20) + 4, with: Array("ABCD".utf8))
            #expect(f.store.content("f") == content)
            #expect(f.store.names() == ["f"])
            #expect(sent(calls) == [0..<8 * Self.mega])
        }
    }

    @Test func `a patch that breaks in the middle is finished by the next try`() throws {
        try Fixture.run { (f) throws in
            var content = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 2 * Self.mega, "ABCD")
            try f.write(handle, at: 6 * Self.mega, "EFGH")
            let left = Monitor(2)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .send = call else { return }
                let fails = left.withLock { left in
                    left -= 1
                    return left == 0
                }
                if fails { throw StoreError(.inputOutput, "the connection was lost") }
            }
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .inputOutput)
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(sent(calls) == [2 * Self.mega..<2 * Self.mega + 4, 6 * Self.mega..<6 * Self.mega + 4])
            content.replaceSubrange(2 << 20..<(2 << 20) + 4, with: Array("ABCD".utf8))
            content.replaceSubrange(6 << 20..<(6 << 20) + 4, with: Array("EFGH".utf8))
            #expect(f.store.content("f") == content)
        }
    }

    @Test func `a patch that cannot be finished is kept, with the ranges`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            _ = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 2 * Self.mega, "ABCD")
            f.store.setHook { call, _ throws(StoreError) in
                if case .send = call { throw StoreError(.inputOutput, "the connection was lost") }
            }
            #expect(failure { try f.close(handle) } == .inputOutput)
            let note = try #require(f.spooledNames.last)
            #expect(try f.spooled(note).contains("content: bytes 2097152 to 2097156 of 8388608"))
        }
    }

    @Test func `a file that somebody else has changed meanwhile is not patched`() throws {
        try Fixture.run { (f) throws in
            _ = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 2 * Self.mega, "ABCD")
            var theirs = [UInt8](repeating: 7, count: 4 << 20)
            f.store.put("f", .bytes(theirs))
            try f.close(handle)
            theirs.replaceSubrange(2 << 20..<(2 << 20) + 4, with: Array("ABCD".utf8))
            #expect(f.store.content("f") == theirs)
        }
    }

    // MARK: - Fetching

    @Test func `what is written over is not fetched`() throws {
        try Fixture.run { (f) throws in
            var content = put(f, "f", megabytes: 4)
            let handle = try f.open("f", [.read, .write])
            let part = [UInt8](repeating: 1, count: 3 << 20)
            try f.write(handle, at: 0, part)
            try f.close(handle)
            content.replaceSubrange(0..<part.count, with: part)
            #expect(f.store.content("f") == content)
            #expect(f.store.bytesRead == Self.mega)
        }
    }

    @Test func `a file being changed is read from both sides`() throws {
        try Fixture.run { (f) throws in
            var content = put(f, "f", megabytes: 4)
            let handle = try f.open("f", [.read, .write])
            for place in [100, 5000, 3 << 20] {
                try f.write(handle, at: Int64(place), "written")
                content.replaceSubrange(place..<place + 7, with: Array("written".utf8))
            }
            for range in [0..<10_000, 90..<110, 101..<104, (3 << 20) - 5..<(3 << 20) + 20, 0..<4 << 20] {
                #expect(try f.read(handle, at: Int64(range.lowerBound), range.count) == Array(content[range]))
            }
            try f.close(handle)
            #expect(f.store.content("f") == content)
        }
    }

    @Test func `growing is a hole here, and zeros there`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "x")
            let handle = try f.open("f", [.read, .write])
            _ = try f.fileSystem.setAttributes(
                of: f.inode("f"), to: AttributeChange(size: 3 * Self.mega), handle: handle, request())
            #expect(try f.read(handle, at: 2 * Self.mega, 5) == [0, 0, 0, 0, 0])
            try f.close(handle)
            #expect(f.store.content("f") == Array("x".utf8) + [UInt8](repeating: 0, count: 3 << 20).dropFirst())
        }
    }

    @Test func `a stream that reads the file ends before it is written, so that no lock of its own stops it`() throws {
        try Fixture.run { (f) throws in
            _ = put(f, "f", megabytes: 32)
            let handle = try f.open("f", [.read, .write])
            _ = try f.read(handle, at: 0, 100)
            // It pauses now, since nobody reads on.
            #expect(waitUntil { f.fileSystem.statistics.streams == 1 })
            try f.write(handle, at: 5 * Self.mega, "ABCD")
            try f.fileSystem.fsync(handle, request())
            #expect(waitUntil { f.fileSystem.statistics.streams == 0 })
            f.fileSystem.release(handle)
        }
    }

    // MARK: - Room

    @Test func `the spool takes no more than it may`() throws {
        try Fixture.run(configure: { $0.spoolSize = 1 << 20 }) { (f) throws in
            let handle = try f.create("f")
            let part = [UInt8](repeating: 1, count: 100 << 10)
            for index in 0..<10 { try f.write(handle, at: Int64(index * part.count), part) }
            #expect(failure { try f.write(handle, at: 10 * 100 << 10, part) } == .noSpace)
            try f.write(handle, at: 0, part[..<(20 << 10)].map { $0 + 1 })
            try f.close(handle)
            #expect(f.store.content("f")?.count == 1000 << 10)
        }
    }

    @Test func `a hole takes no room, a clean file makes room`() throws {
        try Fixture.run(configure: { $0.spoolSize = 1 << 20 }) { (f) throws in
            let part = [UInt8](repeating: 1, count: 600 << 10)
            f.store.put("large", .pattern(size: 1 << 40))
            let large = try f.open("large", [.read, .write])
            try f.write(large, at: 1 << 39, part)
            #expect(f.fileSystem.statistics.spoolBytes == 600 << 10)
            f.store.remove("large")
            f.store.put("large", .bytes([]))
            try f.unlink("large")
            f.fileSystem.release(large)

            let first = try f.create("first")
            try f.write(first, at: 0, part)
            try f.fileSystem.fsync(first, request())
            let second = try f.create("second")
            try f.write(second, at: 0, part)
            try f.close(second)
            #expect(try f.read(first, at: 0, part.count) == part)
            try f.close(first)
        }
    }
}
