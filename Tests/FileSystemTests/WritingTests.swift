import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct WritingTests {
    /// Lets the hook fail calls that match, so many times.
    private func failing(
        _ f: Fixture, times: Int = .max, with kind: StoreError.Kind,
        _ matches: @escaping @Sendable (MemoryStore.Call) -> Bool
    ) {
        let left = Monitor(times)
        f.store.setHook { call, _ throws(StoreError) in
            guard matches(call) else { return }
            let fails = left.withLock { left in
                left -= 1
                return left >= 0
            }
            if fails { throw StoreError(kind, "told to fail") }
        }
    }

    private static let isFinish: @Sendable (MemoryStore.Call) -> Bool = { if case .finish = $0 { true } else { false } }

    // MARK: - Making

    @Test func `making, writing and closing a file is one upload`() throws {
        try Fixture.run { (f) throws in
            _ = try f.names()
            let calls = try f.store.calls { () throws in try f.save("f", "hello") }
            #expect(calls == [.openWrite(path("f"), .replace), .send(path("f"), 0..<5), .finish(path("f"))])
            #expect(f.store.text("f") == "hello")
            var size: Int64?
            let more = try f.store.calls { () throws in size = try f.stat("f").size }
            #expect(size == 5)
            #expect(more == [])
        }
    }

    @Test func `an empty file is made too`() throws {
        try Fixture.run { (f) throws in
            try f.save("f", "")
            #expect(f.store.text("f") == "")
            #expect(f.store.calls == [.list(.root), .openWrite(path("f"), .replace), .finish(path("f"))])
        }
    }

    @Test func `a new file exists here before the server knows of it`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "12345")
            #expect(try f.names() == ["f"])
            #expect(try f.stat("f").size == 5)
            #expect(try f.read(handle, at: 1, 3) == Array("234".utf8))
            f.pass(.seconds(100))
            #expect(try f.names() == ["f"])
            #expect(f.store.content("f") == nil)
            try f.close(handle)
            #expect(f.store.text("f") == "12345")
        }
    }

    @Test func `O_EXCL refuses what exists; without it the file is opened`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            #expect(failure { _ = try f.create("f", [.write, .exclusive]) } == .exists)
            let handle = try f.create("f", [.read, .write])
            #expect(try f.read(handle, at: 0, 10) == Array("old".utf8))
            try f.close(handle)
            let mine = try f.create("mine", [.write, .exclusive])
            #expect(failure { _ = try f.create("mine", [.write, .exclusive]) } == .exists)
            try f.close(mine)
        }
    }

    @Test func `of two who make a file exclusively at once, one does`() throws {
        try Fixture.run { (f) throws in
            for round in 0..<20 {
                let racers = try (0..<4).map { _ in try Background { try f.create("f\(round)", [.write, .exclusive]) } }
                let handles = racers.compactMap { try? $0.value() }
                #expect(handles.count == 1)
                for handle in handles { try f.close(handle) }
            }
        }
    }

    @Test(arguments: [(UInt32(0o644), UInt32?.none), (0o664, nil), (0o755, 0o755), (0o600, 0o600)])
    func `a mode is sent where it is not what servers give`(mode: UInt32, sent: UInt32?) throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write], mode: mode)
            try f.close(handle)
            #expect(f.store.calls.contains(.setMode(path("f"), mode)) == (sent != nil))
            #expect(f.store.shown("f")?.mode == sent ?? 0o644)
        }
    }

    // MARK: - Changing

    @Test func `replacing the content fetches nothing`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old content")
            let handle = try f.open("f", [.write, .truncate])
            #expect(try f.stat("f").size == 0)
            try f.write(handle, at: 0, "new")
            try f.close(handle)
            #expect(f.store.text("f") == "new")
            #expect(f.store.bytesRead == 0)
        }
    }

    @Test func `a change in the middle fetches the rest and sends the whole`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 3, "xyz")
            #expect(try f.read(handle, at: 0, 20) == Array("012xyz6789".utf8))
            #expect(f.store.text("f") == "0123456789")
            try f.close(handle)
            #expect(f.store.text("f") == "012xyz6789")
        }
    }

    @Test func `a hole reads as zeros`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 5, "x")
            try f.close(handle)
            #expect(f.store.content("f") == [0, 0, 0, 0, 0, 0x78])
        }
    }

    @Test func `a close with nothing to send sends nothing`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "text")
            let handle = try f.open("f", [.read, .write])
            _ = try f.read(handle, at: 0, 4)
            try f.write(handle, at: 4, "more")
            try f.fileSystem.fsync(handle, request())
            let calls = try f.store.calls { () throws in
                try f.fileSystem.fsync(handle, request())
                try f.fileSystem.flush(handle, request())
                try f.close(handle)
            }
            #expect(calls == [])
        }
    }

    @Test func `a reader's close does not send what somebody else is writing`() throws {
        try Fixture.run { (f) throws in
            let writer = try f.create("f", [.write])
            try f.write(writer, at: 0, "half")
            let reader = try f.open("f")
            try f.close(reader)
            #expect(f.store.content("f") == nil)
            try f.close(writer)
            #expect(f.store.text("f") == "half")
        }
    }

    @Test(arguments: [
        (OpenFlags.write, OpenFlags.read), (.read, .write),
    ]) func `a handle does what it was opened for`(flags: OpenFlags, missing: OpenFlags) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "text")
            let handle = try f.open("f", flags)
            let kind = failure {
                if missing == .read { _ = try f.read(handle, at: 0, 1) } else { try f.write(handle, at: 0, "x") }
            }
            #expect(kind == .badHandle)
            f.fileSystem.release(handle)
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .badHandle)
        }
    }

    // MARK: - Appending

    @Test func `appending sends the new bytes alone`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", .pattern(size: 1 << 20))
            f.store.put("log", .bytes(Array(repeating: 7, count: 1 << 20)))
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(
                calls == [
                    .size(path("log")), .openWrite(path("log"), .append), .send(path("log"), 1 << 20..<(1 << 20) + 5),
                    .finish(path("log")),
                ])
            #expect(f.store.content("log")?.suffix(6) == [7] + Array("line\n".utf8))
            #expect(f.store.bytesRead == 0)
            #expect(try f.stat("log").size == (1 << 20) + 5)
        }
    }

    @Test func `each fsync sends what was appended since the last`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "start\n")
            let handle = try f.open("log", [.write, .append])
            for index in 0..<3 {
                try f.write(handle, at: 0, "line \(index)\n")
                try f.fileSystem.fsync(handle, request())
            }
            try f.close(handle)
            #expect(f.store.text("log") == "start\nline 0\nline 1\nline 2\n")
            let sent = f.store.calls.compactMap { if case .send(_, let range) = $0 { range } else { nil } }
            #expect(sent == [6..<13, 13..<20, 20..<27])
        }
    }

    @Test func `a file that is appended to can be read across the seam`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "0123456789")
            let handle = try f.open("log", [.read, .write, .append])
            try f.write(handle, at: 0, "abcde")
            #expect(try f.read(handle, at: 0, 100) == Array("0123456789abcde".utf8))
            #expect(try f.read(handle, at: 8, 4) == Array("89ab".utf8))
            #expect(try f.read(handle, at: 12, 100) == Array("cde".utf8))
            #expect(try f.read(handle, at: 2, 3) == Array("234".utf8))
            try f.close(handle)
        }
    }

    @Test func `a write below what was appended brings the rest here`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 10, "abc")
            try f.write(handle, at: 0, "X")
            #expect(try f.read(handle, at: 0, 100) == Array("X123456789abc".utf8))
            try f.close(handle)
            #expect(f.store.text("f") == "X123456789abc")
        }
    }

    @Test func `two who append to one file do not overwrite each other`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "")
            let writers = try (0..<4).map { writer in
                try Background {
                    let handle = try f.open("log", [.write, .append])
                    for line in 0..<50 { try f.write(handle, at: 0, "\(writer):\(line)\n") }
                    try f.close(handle)
                }
            }
            for writer in writers { try writer.value() }
            let lines = try #require(f.store.text("log")).split(separator: "\n")
            #expect(lines.count == 200)
            for writer in 0..<4 {
                let own = lines.filter { $0.hasPrefix("\(writer):") }
                #expect(own == (0..<50).map { "\(writer):\($0)" })
            }
        }
    }

    @Test func `O_APPEND follows what another client has appended meanwhile`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "one\n")
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "mine\n")
            f.store.put("log", "one\ntheirs\n")
            try f.close(handle)
            #expect(f.store.text("log") == "one\ntheirs\nmine\n")
            #expect(try f.load("log") == "one\ntheirs\nmine\n")
        }
    }

    @Test func `bytes written at an offset stay there, whatever another client appended`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123")
            let handle = try f.open("f", .write)
            try f.write(handle, at: 4, "ab")
            f.store.put("f", "0123WXYZ")
            try f.close(handle)
            #expect(f.store.text("f") == "0123abYZ")
        }
    }

    @Test(arguments: ["one\n", ""])
    func `an append whose confirmation was lost is looked for, so that nothing is there twice`(before: String) throws {
        try Fixture.run(keepsSpool: false) { (f) throws in
            f.store.put("log", before)
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "two\n")
            failing(f, times: 1, with: .inputOutput, Self.isFinish)
            try f.fileSystem.fsync(handle, request())
            #expect(f.store.text("log") == before + "two\n")
            try f.fileSystem.fsync(handle, request())
            #expect(f.store.text("log") == before + "two\n")
            try f.close(handle)
        }
    }

    // MARK: - Size

    @Test(arguments: [(Int64(0), ""), (3, "012"), (10, "0123456789"), (12, "0123456789\0\0")])
    func `truncate by name is on the server when it returns`(size: Int64, text: String) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            #expect(try f.change("f", AttributeChange(size: size)).size == size)
            #expect(f.store.text("f") == text)
            #expect(try f.load("f") == text)
        }
    }

    @Test(arguments: [(Int64(0), ""), (3, "012"), (12, "012345678\0\0\0"), (9, "012345678")])
    func `ftruncate is sent with the close`(size: Int64, text: String) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 8, "8")
            _ = try f.fileSystem.setAttributes(
                of: f.inode("f"), to: AttributeChange(size: 9), handle: handle, request())
            let change = AttributeChange(size: size)
            let shown = try f.fileSystem.setAttributes(of: f.inode("f"), to: change, handle: handle, request())
            #expect(shown.attributes.size == size)
            #expect(f.store.text("f") == "0123456789")
            try f.close(handle)
            #expect(f.store.text("f") == text)
        }
    }

    @Test func `cutting off what was appended`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.read, .write, .append])
            try f.write(handle, at: 0, "abc")
            for size in [Int64(11), 4, 20] {
                _ = try f.fileSystem.setAttributes(
                    of: f.inode("f"), to: AttributeChange(size: size), handle: handle, request())
            }
            try f.write(handle, at: 0, "z")
            try f.close(handle)
            #expect(f.store.text("f") == "0123" + String(repeating: "\0", count: 16) + "z")
        }
    }

    @Test func `a negative size is refused, and an offset beyond the largest`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "x")
            #expect(failure { try f.change("f", AttributeChange(size: -1)) } == .invalidArgument)
            let handle = try f.open("f", [.read, .write])
            #expect(failure { try f.write(handle, at: .max, "xx") } == .tooLarge)
            #expect(failure { try f.write(handle, at: -1, "xx") } == .invalidArgument)
            #expect(failure { _ = try f.read(handle, at: .max, 10) } == .invalidArgument)
            try f.close(handle)
        }
    }

    // MARK: - Failing

    @Test func `the server's last word reaches close, and again until it is yes`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "data")
            failing(f, times: 3, with: .noSpace, Self.isFinish)
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .noSpace)
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .noSpace)
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .noSpace)
            try f.fileSystem.fsync(handle, request())
            #expect(f.store.text("f") == "data")
            try f.close(handle)
        }
    }

    @Test func `what could not be sent stays in the spool, with a note of what it is`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            let handle = try f.create("important file")
            try f.write(handle, at: 0, "precious")
            failing(f, with: .denied, Self.isFinish)
            #expect(failure { try f.close(handle) } == .denied)

            let kept = f.spooledFiles
            #expect(kept.count == 2)
            #expect(kept.allSatisfy { $0.hasPrefix("unsent-") && $0.contains("important%20file") })
            #expect(kept.last == kept.first.map { $0 + ".txt" })
            #expect(try f.spooled(try #require(kept.first)) == "precious")
            #expect(try f.spooled(try #require(kept.last)).contains("reason: denied"))
        }
    }

    @Test func `after that the names are what the server says`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            f.store.put("old", "old")
            let handle = try f.open("old", [.write, .truncate])
            try f.write(handle, at: 0, "new content")
            failing(f, with: .denied) { if case .openWrite = $0 { true } else { false } }
            #expect(failure { try f.close(handle) } == .denied)
            f.store.setHook(nil)
            #expect(try f.load("old") == "old")
        }
    }

    @Test func `a close that was interrupted is made good at the release`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "data")
            let cancellation = Cancellation()
            cancellation.cancel()
            #expect(failure { try f.fileSystem.flush(handle, request(cancellation)) } == .cancelled)
            f.fileSystem.release(handle)
            #expect(f.store.text("f") == "data")
        }
    }

    @Test func `what is written during an upload is sent by the next`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "first")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish = call { blocker.pass(cancellation) }
            }
            let flush = try Background { try f.fileSystem.flush(handle, request()) }
            #expect(blocker.waitForArrivals())
            try f.write(handle, at: 5, " second")
            #expect(try f.stat("f").size == 12)
            blocker.open()
            try flush.value()
            #expect(f.store.text("f") == "first")
            #expect(f.fileSystem.statistics.dirtyFiles == 1)
            #expect(try f.stat("f").size == 12)
            try f.close(handle)
            #expect(f.store.text("f") == "first second")
        }
    }

    @Test func `a stuck upload does not hold up writing to another file`() throws {
        try Fixture.run { (f) throws in
            let stuck = try f.create("stuck")
            try f.write(stuck, at: 0, "x")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish(path("stuck")) = call { blocker.pass(cancellation) }
            }
            let flush = try Background { try f.fileSystem.flush(stuck, request()) }
            #expect(blocker.waitForArrivals())

            try f.save("other", "written")
            #expect(f.store.text("other") == "written")
            #expect(try f.names() == ["stuck", "other"])

            blocker.open()
            try flush.value()
            f.fileSystem.release(stuck)
        }
    }

    // MARK: - Times

    @Test func `the server's own time for an upload is no change`() throws {
        try Fixture.run { (f) throws in
            try f.save("f", "data")
            func open() throws -> OpenAnswer {
                let answer = try f.fileSystem.open(f.inode("f"), flags: .read, request())
                f.fileSystem.release(answer.handle)
                return answer
            }
            #expect(try f.stat("f").modified == Timestamp(seconds: 2_000_000_000, nanoseconds: 500))
            #expect(try open().keepCache)
            f.pass(.seconds(10))
            #expect(try open().keepCache)
            #expect(try f.stat("f").modified == Timestamp(seconds: 1_000_000_000))
            f.store.configure { $0.time.seconds += 5 }
            f.store.put("f", "DATA")
            f.pass(.seconds(10))
            #expect(try !open().keepCache)
        }
    }

    @Test func `a time set while the content waits is set after the upload`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "data")
            let time = Timestamp(seconds: 1_234_567_890)
            _ = try f.fileSystem.setAttributes(
                of: f.inode("f"), to: AttributeChange(mode: 0o640, modified: .to(time)), handle: handle, request())
            #expect(try f.stat("f").modified == time)
            #expect(f.store.calls == [.list(.root)])
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(calls.suffix(2) == [.setMode(path("f"), 0o640), .setModificationTime(path("f"), time)])
            f.pass(.seconds(10))
            #expect(try f.stat("f").modified == time)
            #expect(try f.stat("f").mode == 0o640)
        }
    }

    @Test func `the present time costs no command where an upload follows anyway`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            _ = try f.fileSystem.setAttributes(
                of: f.inode("f"), to: AttributeChange(modified: .now), handle: handle, request())
            try f.close(handle)
            #expect(f.store.calls == [.list(.root), .openWrite(path("f"), .replace), .finish(path("f"))])
        }
    }
}
