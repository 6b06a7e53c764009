import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// What a close means, and what it costs.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CompletionTests {
    /// A request of a process that has another descriptor of the file, or none.
    private func asked(holdsOpen: Bool) -> Request {
        Request(userID: 1000, groupID: 100, cancellation: Cancellation(), holdsOpen: { _ in holdsOpen })
    }

    private func uploads(_ f: Fixture) -> Int {
        f.store.calls.count { if case .openWrite = $0 { true } else { false } }
    }

    @Test(arguments: [nil, "old"])
    func `a shell's redirection is one upload`(old: String?) throws {
        try Fixture.run { (f) throws in
            if let old { f.store.put("f", old) }
            let handle = try f.create("f", [.write, .truncate])
            // open, dup2, close of the first; then echo; then the shell restores its own standard output.
            try f.fileSystem.flush(handle, asked(holdsOpen: true))
            #expect(uploads(f) == 0)
            try f.write(handle, at: 0, "hello\n")
            try f.fileSystem.flush(handle, asked(holdsOpen: false))
            f.fileSystem.release(handle)
            #expect(f.store.text("f") == "hello\n")
            #expect(uploads(f) == 1)
        }
    }

    @Test func `touch makes the file with its last close, and says what went wrong`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write])
            try f.fileSystem.flush(handle, asked(holdsOpen: true))
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite = call { throw StoreError(.denied, "no") }
            }
            #expect(failure { try f.fileSystem.flush(handle, asked(holdsOpen: false)) } == .denied)
            f.store.setHook(nil)
            try f.fileSystem.fsync(handle, request())
            f.fileSystem.release(handle)
            #expect(f.store.text("f") == "")
        }
    }

    @Test func `a close that nobody follows is made good at the release`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write])
            try f.fileSystem.flush(handle, asked(holdsOpen: true))
            f.fileSystem.release(handle)
            #expect(f.store.text("f") == "")
        }
    }

    @Test func `who makes a file only to read it has made it with his close`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.read])
            try f.fileSystem.flush(handle, asked(holdsOpen: false))
            #expect(f.store.text("f") == "")
            f.fileSystem.release(handle)
        }
    }

    @Test func `a file is removed of which nobody knows whether the server has made it`() throws {
        try Fixture.run { (f) throws in
            for hasMade in [true, false] {
                let handle = try f.create("f", [.write])
                f.store.setHook { call, _ throws(StoreError) in
                    guard case .openWrite = call else { return }
                    if hasMade { f.store.put("f", "") }
                    throw StoreError(.cancelled, "nobody waits any more")
                }
                #expect(failure { try f.fileSystem.flush(handle, request()) } == .cancelled)
                f.store.setHook(nil)
                try f.unlink("f")
                #expect(f.store.names() == [])
                f.fileSystem.release(handle)
            }
        }
    }

    @Test func `with a second handle there is no telling whose descriptor is seen`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write])
            let other = try f.open("f")
            try f.fileSystem.flush(handle, asked(holdsOpen: true))
            #expect(f.store.text("f") == "")
            try f.close(handle)
            try f.close(other)
        }
    }

    @Test func `what has been written is sent by whichever close comes first`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write])
            try f.write(handle, at: 0, "first")
            try f.fileSystem.flush(handle, asked(holdsOpen: true))
            #expect(f.store.text("f") == "first")
            try f.write(handle, at: 5, " second")
            try f.close(handle)
            #expect(f.store.text("f") == "first second")
            #expect(f.store.calls.contains(.openWrite(path("f"), .append)))
        }
    }

    @Test func `fsync makes an untouched file whatever else is open`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f", [.write])
            try f.fileSystem.fsync(handle, asked(holdsOpen: true))
            #expect(f.store.text("f") == "")
            try f.close(handle)
            #expect(uploads(f) == 1)
        }
    }

    @Test func `several who write one file write one file`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", String(repeating: "-", count: 4000))
            let writers = try (0..<4).map { writer in
                try Background {
                    let handle = try f.open("f", [.read, .write])
                    for index in 0..<100 {
                        try f.write(handle, at: Int64(index * 40 + writer * 10), "\(writer)23456789\n")
                        if index % 30 == writer { try f.fileSystem.fsync(handle, request()) }
                    }
                    try f.close(handle)
                }
            }
            for writer in writers { try writer.value() }
            let expected = (0..<100).map { _ in (0..<4).map { "\($0)23456789\n" }.joined() }.joined()
            #expect(f.store.text("f") == expected)
        }
    }

    @Test func `a page of a mapping goes to its place, also by a handle that appends`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.read, .write, .append])
            try Array("AB".utf8).withUnsafeBytes {
                try f.fileSystem.write(handle, offset: 4, bytes: $0, isPage: true, request())
            }
            try f.close(handle)
            #expect(f.store.text("f") == "0123AB6789")
        }
    }

    @Test func `the size that is shown follows each truncation, also of what has no name or is clean again`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let number = try f.inode("f")
            let handle = try f.open("f", [.read, .write])
            func cut(to size: Int64) throws -> Int64 {
                try f.fileSystem.setAttributes(
                    of: number, to: AttributeChange(size: size), handle: handle, request()
                ).attributes.size
            }
            try f.write(handle, at: 10, "abc")
            #expect(try cut(to: 10) == 10)
            #expect(try f.stat("f").size == 10)
            #expect(f.fileSystem.statistics.dirtyFiles == 0)
            try f.unlink("f")
            try f.write(handle, at: 3, "xyz")
            #expect(try cut(to: 4) == 4)
            #expect(try f.fileSystem.attributes(of: number, handle: handle, request()).attributes.size == 4)
            #expect(try f.read(handle, at: 0, 10) == Array("012x".utf8))
            #expect(try cut(to: 0) == 0)
            f.fileSystem.release(handle)
        }
    }

    // MARK: - Small files

    @Test func `each of a thousand small files is one upload and its time`() throws {
        try Fixture.run { (f) throws in
            try f.mkdir("d")
            let directory = try f.inode("d")
            let time = Timestamp(seconds: 1_234_567_890)
            func extract(_ index: Int) throws {
                // As tar does: exclusively, for the owner alone; then the right mode and time; then the close.
                let made = try f.fileSystem.create(
                    name("f\(index)"), in: directory, mode: 0o600, flags: [.write, .exclusive], request())
                let handle = made.open.handle
                try f.write(handle, at: 0, "content \(index)")
                _ = try f.fileSystem.setAttributes(
                    of: made.entry.attributes.inode, to: AttributeChange(modified: .to(time)), handle: handle,
                    request())
                _ = try f.fileSystem.setAttributes(
                    of: made.entry.attributes.inode, to: AttributeChange(mode: 0o644), handle: handle, request())
                try f.close(handle)
                f.fileSystem.forget(made.entry.attributes.inode, count: 1)
            }
            try extract(0)
            let calls = try f.store.calls { () throws in for index in 1...1000 { try extract(index) } }
            #expect(calls.count == 4 * 1000)
            #expect(
                Array(calls.prefix(4)) == [
                    .openWrite(path("d/f1"), .replace), .send(path("d/f1"), 0..<9), .finish(path("d/f1")),
                    .setModificationTime(path("d/f1"), time),
                ])
            #expect(f.store.names("d").count == 1001)
            #expect(f.fileSystem.statistics.spoolBytes == 0)
            #expect(f.fileSystem.statistics.inodes <= 2)
        }
    }

    @Test func `after a close that failed, the kernel does not keep what was never sent`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "old content")
            #expect(try f.load("f") == "old content")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 0, "NEW")
            f.store.setHook { (call, _) throws(StoreError) in
                if case .openWrite = call { throw StoreError(.inputOutput, "the connection was lost") }
            }
            let kind = failure { try f.close(handle) }
            #expect(kind == .inputOutput)
            f.store.setHook(nil)
            // Size and time on the server are what they were: by them nothing has changed.
            let answer = try f.fileSystem.open(f.inode("f"), flags: .read, request())
            #expect(!answer.keepCache)
            #expect(try f.read(answer.handle, at: 0, 20) == Array("old content".utf8))
            f.fileSystem.release(answer.handle)
        }
    }

    @Test func `a file whose close failed while its directory was listed is still there`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "old content")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 0, "NEW")
            f.pass(.seconds(11))
            let gate = Gate()
            try gate.enter(Cancellation())
            f.store.setHook { (call, cancellation) throws(StoreError) in
                switch call {
                case .list:
                    try gate.enter(cancellation)
                    gate.leave()
                case .openWrite: throw StoreError(.inputOutput, "the connection was lost")
                default: break
                }
            }
            let lookup = try Background { try f.exists("g") }
            let isListing = waitUntil { f.store.calls.last == .list(.root) }
            #expect(isListing)
            let kind = failure { try f.close(handle) }
            #expect(kind == .inputOutput)
            gate.leave()
            let found = try lookup.value()
            #expect(!found)
            let isThere = try f.exists("f")
            #expect(isThere)
        }
    }
}
