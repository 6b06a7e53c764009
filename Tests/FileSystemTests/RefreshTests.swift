import MemoryStore
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// Looking anew on demand, and what the kernel has to be told then.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RefreshTests {
    private func listings(_ f: Fixture) -> Int {
        f.store.calls.count { if case .list = $0 { true } else { false } }
    }

    @Test func `what other clients have done shows at once`() throws {
        try Fixture.run(configure: { $0.dirTTL = .seconds(3600) }) { (f) throws in
            f.store.put("d/a", "1")
            f.store.put("d/e/x", "1")
            #expect(try f.names("d") == ["a", "e"])
            #expect(try f.names("d/e") == ["x"])
            f.store.put("d/b", "2")
            f.store.remove("d/a")
            f.store.put("d/e/y", "2")
            #expect(try f.names("d") == ["a", "e"])

            let refreshed = f.fileSystem.refresh(path("d"))

            // The root too: whether `d` is still there is in its listing.
            #expect(refreshed.directories == 3)
            #expect(try f.names("d").sorted() == ["b", "e"])
            #expect(try f.names("d/e") == ["x", "y"])
            #expect(try f.exists("d/b") && !f.exists("d/a"))
        }
    }

    @Test func `the kernel is told of all names that it knows, also of those that do not exist`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/a", "1")
            f.store.put("other", "1")
            let (d, a, other) = try (f.inode("d"), f.inode("d/a"), f.inode("other"))
            #expect(try !f.exists("d/none") && !f.exists("nothing"))

            let refreshed = f.fileSystem.refresh(path("d"))

            let names = Set(
                refreshed.names.map { "\($0.parent.rawValue) \($0.name)\($0.isDirectory ? "/" : "")" })
            #expect(
                names == [
                    "\(d.rawValue) a", "\(d.rawValue) none", "1 d/",
                    // In the directory above, what does not exist may have come; what exists is asked for anew.
                    "1 nothing",
                ])
            #expect(Set(refreshed.inodes) == [d, a, .root])
            #expect(!refreshed.inodes.contains(other))
            // It has been told.
            #expect(f.fileSystem.refresh(path("d")).names.map(\.name).contains(name("none")) == false)
        }
    }

    @Test func `a name that is not known yet is looked for anew where it would be`() throws {
        try Fixture.run(configure: { $0.dirTTL = .seconds(3600) }) { (f) throws in
            f.store.put("d/a", "1")
            #expect(try f.names("d") == ["a"])
            f.store.put("d/new/x", "1")
            #expect(try !f.exists("d/new"))
            _ = f.fileSystem.refresh(path("d/new/x"))
            #expect(try f.names("d/new") == ["x"])
        }
    }

    @Test func `a file whose size and time are the same is read anew`() throws {
        try Fixture.run(configure: { $0.dirTTL = .seconds(3600) }) { (f) throws in
            f.store.put("f", "old")
            #expect(try f.load("f") == "old")
            f.store.put("f", "new")
            #expect(try f.load("f") == "old")
            _ = f.fileSystem.refresh(.root)
            #expect(try f.load("f") == "new")
        }
    }

    @Test func `what is written here and unsent stays`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "server")
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 0, "local!")
            let made = try f.create("made")
            try f.write(made, at: 0, "made")

            let refreshed = f.fileSystem.refresh(.root)

            #expect(try !refreshed.inodes.contains(f.inode("f")))
            #expect(try f.names() == ["f", "made"])
            #expect(try f.load("f") == "local!" && f.load("made") == "made")
            try f.close(handle)
            try f.close(made)
            #expect(f.store.text("f") == "local!" && f.store.text("made") == "made")
        }
    }

    @Test func `a listing that was asked for before does not count`() throws {
        try Fixture.run(configure: { $0.dirTTL = .seconds(3600) }) { (f) throws in
            f.store.put("d/a", "1")
            _ = try f.inode("d")
            let blocker = Blocker()
            f.store.setHook { call, cancellation in
                if call == .list(path("d")) { blocker.pass(cancellation) }
            }
            let before = listings(f)
            let names = try Background { try f.names("d") }
            #expect(blocker.waitForArrivals())
            _ = f.fileSystem.refresh(path("d"))
            blocker.open()
            #expect(try names.value() == ["a"])
            // Once before, and once because that was too old.
            #expect(listings(f) == before + 2, "\(f.store.calls)")
        }
    }

    @Test func `a directory that the server has just refused to list is asked for again`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/a", "1")
            f.store.setHook { call, _ throws(StoreError) in
                if call == .list(path("d")) { throw StoreError(.denied, "no") }
            }
            #expect(failure { _ = try f.names("d") } == .denied)
            f.store.setHook(nil)
            _ = f.fileSystem.refresh(path("d"))
            #expect(try f.names("d") == ["a"])
        }
    }

    @Test func `absent names are bounded`() {
        var names = AbsentNames()
        for number in 0...AbsentNames.maximumCount { names.note(name("n\(number)"), in: .root) }
        #expect(names.count == 1)
        #expect(names.take(.root) == [name("n\(AbsentNames.maximumCount)")])
        #expect(names.count == 0)
    }
}
