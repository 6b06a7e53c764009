import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct NamespaceTests {
    private func refusing(
        _ f: Fixture, _ kind: StoreError.Kind, _ matches: @escaping @Sendable (MemoryStore.Call) -> Bool
    ) {
        f.store.setHook { call, _ throws(StoreError) in
            if matches(call) { throw StoreError(kind, "told to refuse") }
        }
    }

    private static let isRename: @Sendable (MemoryStore.Call) -> Bool = { if case .rename = $0 { true } else { false } }

    // MARK: - Directories

    @Test func `a new directory is known at once, and known to be empty`() throws {
        try Fixture.run { (f) throws in
            _ = try f.names()
            try f.mkdir("d")
            let calls = try f.store.calls { () throws in
                #expect(try f.names() == ["d"])
                #expect(try f.names("d") == [])
                #expect(try !f.exists("d/x"))
            }
            #expect(calls == [])
            #expect(f.store.names() == ["d"])
        }
    }

    @Test func `a new directory gets its mode if it is a particular one`() throws {
        try Fixture.run { (f) throws in
            try f.mkdir("plain", mode: 0o775)
            try f.mkdir("secret", mode: 0o700)
            #expect(f.store.shown("plain")?.mode == 0o755)
            #expect(f.store.shown("secret")?.mode == 0o700)
            #expect(try f.stat("secret").mode == 0o700)
        }
    }

    @Test func `what exists is not made again, and the server need not be asked`() throws {
        try Fixture.run { (f) throws in
            f.store.put("x", "1")
            #expect(failure { try f.mkdir("x") } == .exists)
            #expect(f.store.calls == [.list(.root)])
        }
    }

    @Test func `when the server contradicts what is known, the directory is listed anew`() throws {
        try Fixture.run { (f) throws in
            #expect(try f.names() == [])
            f.store.putDirectory("theirs")
            #expect(failure { try f.mkdir("theirs") } == .exists)
            #expect(try f.exists("theirs"))
            f.store.remove("theirs")
            #expect(failure { try f.rmdir("theirs") } == .notFound)
            #expect(try !f.exists("theirs"))
        }
    }

    @Test func `rmdir and unlink each want their kind, and rmdir an empty one`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/f", "1")
            #expect(failure { try f.rmdir("d") } == .notEmpty)
            #expect(failure { try f.rmdir("d/f") } == .notDirectory)
            #expect(failure { try f.unlink("d") } == .isDirectory)
            #expect(failure { try f.unlink("none") } == .notFound)
            try f.unlink("d/f")
            try f.rmdir("d")
            #expect(f.store.names() == [])
            #expect(try f.names() == [])
        }
    }

    @Test func `a directory with a file that is still being written is not empty`() throws {
        try Fixture.run { (f) throws in
            try f.mkdir("d")
            let handle = try f.create("d/new")
            #expect(failure { try f.rmdir("d") } == .notEmpty)
            try f.close(handle)
        }
    }

    @Test func `a change in a directory changes its time`() throws {
        try Fixture.run { (f) throws in
            f.store.putDirectory("d")
            let before = try f.stat("d").modified
            f.pass(.seconds(1))
            try f.mkdir("d/sub")
            #expect(try f.stat("d").modified > before)
        }
    }

    // MARK: - Links

    @Test func `a link is made and read without another question`() throws {
        try Fixture.run { (f) throws in
            let entry = try f.fileSystem.makeSymbolicLink(
                name("l"), in: .root, target: Array("../x y".utf8), request())
            #expect(entry.attributes.kind == .symbolicLink)
            #expect(entry.attributes.size == 6)
            let calls = try f.store.calls { () throws in
                #expect(try f.fileSystem.readLink(entry.attributes.inode, request()) == Array("../x y".utf8))
            }
            #expect(calls == [])
            f.fileSystem.forget(entry.attributes.inode, count: 1)
            #expect(f.store.shown("l")?.linkTarget == Array("../x y".utf8))
        }
    }

    @Test func `where the server cannot make links, it is not asked`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.makesSymbolicLinks = false }
            let kind = failure {
                _ = try f.fileSystem.makeSymbolicLink(name("l"), in: .root, target: [65], request())
            }
            #expect(kind == .unsupported)
            #expect(f.store.names() == [])
        }
    }

    @Test func `a file is no link`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            #expect(failure { _ = try f.fileSystem.readLink(f.inode("f"), request()) } == .invalidArgument)
        }
    }

    // MARK: - Unlinking what is open

    @Test func `a file that was only read is moved out of sight, and removed at the last close`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            let first = try f.open("f")
            let second = try f.open("f")
            try f.unlink("f")

            #expect(try f.names() == [])
            #expect(try !f.exists("f"))
            let hidden = try #require(f.store.names().first)
            #expect(hidden.hasPrefix(".ftpfs-"))
            #expect(try !f.exists(hidden))
            #expect(try f.read(first, at: 2, 3) == Array("234".utf8))
            f.pass(.seconds(10))
            #expect(try f.names() == [])

            f.fileSystem.release(first)
            #expect(try f.read(second, at: 5, 100) == Array("56789".utf8))
            f.fileSystem.release(second)
            #expect(f.store.names() == [])
        }
    }

    @Test func `a file whose last handle is closed while it is moved out of sight leaves nothing behind`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "0123456789")
            f.store.put("g", "other")
            for open in ["f", "g"] {
                let blocker = Blocker()
                f.store.setHook { call, cancellation throws(StoreError) in
                    if case .rename = call { blocker.pass(cancellation) }
                }
                let handle = try f.open(open)
                let going = try Background { open == "f" ? try f.unlink("f") : try f.rename("f", "g") }
                #expect(blocker.waitForArrivals())
                f.fileSystem.release(handle)
                blocker.open()
                try going.value()
                #expect(f.store.names() == ["g"])
                f.store.put("f", "again")
                f.pass(.seconds(20))
            }
        }
    }

    @Test func `what was never sent is never sent`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "temporary")
            let inode = try f.inode("f")
            try f.unlink("f")
            #expect(try f.read(handle, at: 0, 100) == Array("temporary".utf8))
            try f.write(handle, at: 9, " file")
            let shown = try f.fileSystem.attributes(of: inode, handle: handle, request()).attributes
            #expect(shown.size == 14)
            #expect(shown.linkCount == 0)
            try f.close(handle)
            #expect(f.store.calls == [.list(.root)])
            #expect(f.store.names() == [])
        }
    }

    @Test func `what is here in full is removed at once`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "data")
            try f.fileSystem.fsync(handle, request())
            try f.unlink("f")
            #expect(f.store.names() == [])
            try f.write(handle, at: 0, "DA")
            #expect(try f.read(handle, at: 0, 10) == Array("DAta".utf8))
            try f.close(handle)
            #expect(f.store.names() == [])
        }
    }

    @Test func `a name that was unlinked can be used again, for another file`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            let old = try f.open("f")
            let inode = try f.inode("f")
            try f.unlink("f")
            try f.save("f", "new file")
            #expect(try f.inode("f") != inode)
            #expect(try f.read(old, at: 0, 100) == Array("old".utf8))
            #expect(try f.load("f") == "new file")
            f.fileSystem.release(old)
            #expect(f.store.names() == ["f"])
        }
    }

    @Test func `when the server does not rename it, it is busy, and stays`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "data")
            let handle = try f.open("f")
            refusing(f, .denied, Self.isRename)
            #expect(failure { try f.unlink("f") } == .busy)
            f.store.setHook(nil)
            #expect(try f.load("f") == "data")
            try f.close(handle)
            #expect(f.store.text("f") == "data")
        }
    }

    @Test func `unlinking ends an upload that nobody will see`() throws {
        try Fixture.run { (f) throws in
            let handle = try f.create("f")
            try f.write(handle, at: 0, "data")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .send = call { blocker.pass(cancellation) }
            }
            let flush = try Background { try f.fileSystem.flush(handle, request()) }
            #expect(blocker.waitForArrivals())
            f.pass(.seconds(1))

            try f.unlink("f")

            try flush.value()
            f.fileSystem.release(handle)
        }
    }

    @Test func `a directory with hidden files in it can be removed, and they go on`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/f", "0123")
            let handle = try f.open("d/f")
            try f.unlink("d/f")
            try f.rmdir("d")
            #expect(try f.names() == [])
            #expect(try f.read(handle, at: 0, 10) == Array("0123".utf8))
            f.fileSystem.release(handle)
            #expect(f.store.names() == [])
        }
    }

    // MARK: - Renaming

    @Test func `a rename takes place here and there, and costs one command`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/a", "1")
            f.store.putDirectory("e")
            let inode = try f.inode("d/a")
            _ = try f.names("e")
            let calls = try f.store.calls { () throws in
                try f.rename("d/a", "e/b")
                #expect(try f.names("d") == [])
                #expect(try f.names("e") == ["b"])
                #expect(try f.inode("e/b") == inode)
                #expect(try f.stat("e/b").size == 1)
            }
            #expect(calls == [.rename(path("d/a"), to: path("e/b"))])
        }
    }

    @Test func `an open file goes on under its new name, and is written there`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "0123")
            let handle = try f.open("a", [.read, .write])
            try f.write(handle, at: 4, "45")
            try f.rename("a", "b")
            #expect(f.store.text("b") == "012345")
            try f.write(handle, at: 6, "67")
            #expect(try f.read(handle, at: 0, 100) == Array("01234567".utf8))
            try f.close(handle)
            #expect(f.store.text("b") == "01234567")
            #expect(f.store.names() == ["b"])
        }
    }

    @Test func `open files below a renamed directory go on`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/e/read", "0123456789")
            let reader = try f.open("d/e/read")
            let writer = try f.create("d/e/written", [.read, .write])
            try f.write(writer, at: 0, "data")
            try f.rename("d", "moved")
            #expect(try f.read(reader, at: 3, 3) == Array("345".utf8))
            try f.close(writer)
            f.fileSystem.release(reader)
            #expect(f.store.text("moved/e/written") == "data")
            #expect(try f.names("moved/e") == ["read", "written"])
        }
    }

    @Test func `a read that meets a rename of the directory finds the file at its new place`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/f", "data")
            let handle = try f.open("d/f")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .openRead(path("d/f"), _) = call { blocker.pass(cancellation) }
            }
            let read = f.readLater(handle, at: 0, 10)
            #expect(blocker.waitForArrivals())
            try f.rename("d", "e")
            blocker.open()
            #expect(try read.value() == Array("data".utf8))
            f.fileSystem.release(handle)
        }
    }

    @Test func `a new file is sent before it is renamed`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            let handle = try f.create("f.tmp")
            try f.write(handle, at: 0, "new")
            try f.rename("f.tmp", "f")
            #expect(f.store.text("f") == "new")
            #expect(f.store.names() == ["f"])
            try f.close(handle)
            #expect(try f.load("f") == "new")
        }
    }

    @Test func `a target that is open is replaced, and its handles keep the old content`() throws {
        try Fixture.run { (f) throws in
            f.store.put("new", "new")
            f.store.put("f", "old content")
            let old = try f.open("f")
            try f.rename("new", "f")
            #expect(try f.load("f") == "new")
            #expect(try f.read(old, at: 0, 100) == Array("old content".utf8))
            #expect(try f.names() == ["f"])
            f.fileSystem.release(old)
            #expect(f.store.names() == ["f"])
            #expect(f.store.text("f") == "new")
        }
    }

    @Test func `when a rename fails, an open target is where it was`() throws {
        try Fixture.run { (f) throws in
            f.store.put("new", "new")
            f.store.put("f", "old")
            let old = try f.open("f")
            refusing(f, .denied) { $0 == .rename(path("new"), to: path("f")) }
            #expect(failure { try f.rename("new", "f") } == .denied)
            #expect(try f.load("f") == "old")
            #expect(try f.load("new") == "new")
            try f.close(old)
            #expect(f.store.names().sorted() == ["f", "new"])
        }
    }

    @Test func `the store is told whether a file may be replaced`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.renameReplaces = false }
            f.store.put("new", "new")
            f.store.put("f", "old")
            try f.rename("new", "f")
            #expect(f.store.names() == ["f"])
            #expect(f.store.text("f") == "new")
            // Somebody else is faster than the look at the names.
            f.store.put("other", "other")
            #expect(failure { try f.rename("f", "other", .noReplace) } == .exists)
            #expect(f.store.text("other") == "other")
        }
    }

    @Test func `a directory replaces an empty one, and no other`() throws {
        try Fixture.run { (f) throws in
            f.store.put("full/x", "1")
            f.store.putDirectory("empty")
            f.store.put("d/y", "2")
            #expect(failure { try f.rename("d", "full") } == .notEmpty)
            try f.rename("d", "empty")
            #expect(f.store.text("empty/y") == "2")
            #expect(try f.names("empty") == ["y"])
            #expect(f.store.names().sorted() == ["empty", "full"])
        }
    }

    @Test(arguments: [
        ("f", "d", StoreError.Kind.isDirectory), ("d", "f", .notDirectory), ("d", "d/sub/x", .invalidArgument),
        ("d", "d/x", .invalidArgument), ("none", "x", .notFound),
    ])
    func `renames that cannot be`(from: String, to: String, kind: StoreError.Kind) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            f.store.putDirectory("d/sub")
            #expect(failure { try f.rename(from, to) } == kind)
            #expect(!f.store.calls.contains(where: Self.isRename))
        }
    }

    @Test func `onto itself is nothing; NOREPLACE and EXCHANGE`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            f.store.put("b", "2")
            try f.rename("a", "a")
            #expect(failure { try f.rename("a", "b", .noReplace) } == .exists)
            #expect(failure { try f.rename("a", "b", .exchange) } == .invalidArgument)
            #expect(f.store.calls == [.list(.root)])
            try f.rename("a", "c", .noReplace)
            #expect(f.store.names() == ["b", "c"])
        }
    }

    @Test func `a name can be taken again after a rename`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "first")
            try f.rename("a", "b")
            try f.save("a", "second")
            #expect(try f.load("a") == "second")
            #expect(try f.load("b") == "first")
            #expect(try f.inode("a") != f.inode("b"))
        }
    }

    // MARK: - Read-only

    @Test func `a read-only mount changes nothing, and reads`() throws {
        try Fixture.run(configure: { $0.readOnly = true }) { (f) throws in
            f.store.put("f", "text")
            f.store.putDirectory("d")
            let attempts: [() throws -> Void] = [
                { try f.mkdir("x") }, { try f.rmdir("d") }, { try f.unlink("f") }, { try f.rename("f", "g") },
                { _ = try f.create("x") }, { _ = try f.open("f", .write) },
                { _ = try f.open("f", [.read, .truncate]) },
                { try f.change("f", AttributeChange(mode: 0o600)) }, { try f.change("f", AttributeChange(size: 0)) },
                { try f.change("f", AttributeChange(modified: .now)) },
                { _ = try f.fileSystem.makeSymbolicLink(name("l"), in: .root, target: [65], request()) },
                { try f.fileSystem.access(f.inode("f"), mask: 2, request()) },
            ]
            for attempt in attempts { #expect(failure(attempt) == .readOnly) }
            #expect(try f.load("f") == "text")
            #expect(f.store.names() == ["f", "d"])
        }
    }
}
