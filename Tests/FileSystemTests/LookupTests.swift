import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct LookupTests {
    @Test func `one listing answers every stat in a directory, and what is not there`() throws {
        try Fixture.run { (f) throws in
            for index in 0..<100 { f.store.put("d/\(index)", "x") }
            let calls = try f.store.calls { () throws in
                for index in 0..<100 { #expect(try f.stat("d/\(index)").size == 1) }
                #expect(try !f.exists("d/none"))
                #expect(try f.names("d").count == 100)
            }
            #expect(calls == [.list(.root), .list(path("d"))])
        }
    }

    @Test func `a listing is asked for again when its time is over, and the kernel gets what remains`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            func ttl() throws -> (found: Duration?, absent: Duration?) {
                var result: (found: Duration?, absent: Duration?)
                if case .found(let entry) = try f.fileSystem.lookup(name("a"), in: .root, request()) {
                    result.found = entry.entryTimeToLive
                    #expect(entry.attributesTimeToLive == entry.entryTimeToLive)
                }
                if case .absent(let left) = try f.fileSystem.lookup(name("b"), in: .root, request()) {
                    result.absent = left
                }
                return result
            }
            #expect(try ttl() == (.seconds(10), .seconds(10)))
            f.pass(.seconds(7))
            #expect(try ttl() == (.seconds(3), .seconds(3)))
            #expect(f.store.calls.count == 1)
            f.pass(.seconds(3))
            #expect(try ttl() == (.seconds(10), .seconds(10)))
            #expect(f.store.calls.count == 2)
        }
    }

    @Test func `with a time to live of zero the server is asked each time`() throws {
        try Fixture.run(configure: { $0.dirTTL = .zero }) { (f) throws in
            f.store.put("a", "1")
            #expect(try f.exists("a"))
            #expect(try !f.exists("b"))
            #expect(try f.names() == ["a"])
            #expect(f.store.calls.count == 3)
        }
    }

    @Test func `what other clients do shows after the time to live`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            #expect(try f.names() == ["a"])
            f.store.put("b", "2")
            f.store.remove("a")
            #expect(try f.names() == ["a"])
            f.pass(.seconds(10))
            #expect(try f.names() == ["b"])
            #expect(try !f.exists("a"))
        }
    }

    @Test func `requests for one directory share one listing; a cancelled one leaves, the listing goes on`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .list = call { blocker.pass(cancellation) }
            }
            let impatient = Cancellation()
            let first = try Background { try f.fileSystem.lookup(name("a"), in: .root, request(impatient)) }
            #expect(blocker.waitForArrivals())
            let others = try (0..<4).map { _ in try Background { try f.exists("a") } }

            impatient.cancel()
            #expect(failure { _ = try first.value() } == .cancelled)
            blocker.open()

            for other in others { #expect(try other.value()) }
            #expect(f.store.calls == [.list(.root)])
        }
    }

    @Test func `a listing that nobody waits for is given up, and the next request starts another`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            let blocker = Blocker()
            let isFirst = Monitor(true)
            f.store.setHook { call, cancellation throws(StoreError) in
                let mustWait = isFirst.withLock { first in
                    defer { first = false }
                    return first
                }
                if mustWait { blocker.pass(cancellation) }
            }
            let cancellation = Cancellation()
            let only = try Background { try f.fileSystem.lookup(name("a"), in: .root, request(cancellation)) }
            #expect(blocker.waitForArrivals())

            cancellation.cancel()
            #expect(failure { _ = try only.value() } == .cancelled)

            #expect(try f.exists("a"))
            #expect(f.store.calls.count == 2)
        }
    }

    @Test func `a directory that cannot be listed is asked for single names`() throws {
        try Fixture.run { (f) throws in
            f.store.put("private/known", "1")
            f.store.setHook { call, _ throws(StoreError) in
                if call == .list(path("private")) { throw StoreError(.denied, "550") }
            }
            #expect(try f.stat("private/known").size == 1)
            #expect(try f.exists("private/known"))
            #expect(try !f.exists("private/unknown"))
            #expect(failure { _ = try f.names("private") } == .denied)
            let looks = f.store.calls.filter { if case .look = $0 { true } else { false } }
            #expect(looks == [.look(path("private/known")), .look(path("private/unknown"))])
        }
    }

    @Test func `the root is known without any listing`() throws {
        try Fixture.run { (f) throws in
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.unreachable, "down") }
            #expect(try f.stat("").kind == .directory)
            #expect(try f.stat("").inode == .root)
            #expect(f.store.calls.isEmpty)
        }
    }

    @Test func `a failed listing fails the request, and is tried again by the next`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            f.store.setHook { _, _ throws(StoreError) in throw StoreError(.timedOut, "slow") }
            #expect(failure { _ = try f.stat("a") } == .timedOut)
            f.store.setHook(nil)
            #expect(try f.stat("a").size == 1)
        }
    }

    @Test func `a change made while a listing is under way is not undone by it`() throws {
        try Fixture.run { (f) throws in
            f.store.put("removed", "1")
            f.store.put("changed", "1")
            let made = try f.create("made")
            try f.write(made, at: 0, "12345")
            let changed = try f.open("changed", [.write, .append])
            try f.write(changed, at: 0, "2345")
            f.pass(.seconds(10))
            // The server has composed its answer when the changes come.
            let onTheWay = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .list = call { onTheWay.pass(cancellation) }
            }
            let stale = try Background { try f.names() }
            #expect(onTheWay.waitForArrivals())
            try f.close(made)
            try f.close(changed)

            onTheWay.open()

            #expect(Set(try stale.value()) == ["removed", "changed", "made"])
            #expect(try f.stat("made").size == 5)
            #expect(try f.stat("changed").size == 5)
            #expect(onTheWay.arrivals == 1)
        }
    }

    @Test func `a stuck listing does not hold up another directory`() throws {
        try Fixture.run { (f) throws in
            f.store.put("stuck/a", "1")
            f.store.put("other/b", "1")
            #expect(try f.exists("stuck"))
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if call == .list(path("stuck")) { blocker.pass(cancellation) }
            }
            let stuck = try Background { try f.names("stuck") }
            #expect(blocker.waitForArrivals())

            #expect(try f.names("other") == ["b"])
            #expect(try f.names() == ["stuck", "other"])
            #expect(f.fileSystem.space().free > 0)

            blocker.open()
            #expect(try stuck.value() == ["a"])
        }
    }

    @Test func `a thing that became another kind is another inode`() throws {
        try Fixture.run { (f) throws in
            f.store.put("x", "file")
            let file = try f.stat("x")
            f.store.remove("x")
            f.store.putDirectory("x")
            f.pass(.seconds(10))
            #expect(failure { _ = try f.fileSystem.attributes(of: file.inode, handle: nil, request()) } == .notFound)
            let directory = try f.stat("x")
            #expect(directory.kind == .directory)
            #expect(directory.inode != file.inode)
        }
    }

    @Test func `forgotten inodes are gone, and looked up again have the same number`() throws {
        try Fixture.run { (f) throws in
            f.store.put("a", "1")
            let first = try f.inode("a")
            #expect(f.fileSystem.statistics.inodes == 1)
            f.fileSystem.forget(first, count: 1)
            #expect(f.fileSystem.statistics.inodes == 0)
            #expect(failure { _ = try f.fileSystem.attributes(of: first, handle: nil, request()) } == .changedRemotely)
            #expect(try f.inode("a") == first)
        }
    }

    @Test func `a directory that is gone is not found, and its parent is listed anew`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/a", "1")
            let directory = try f.inode("d")
            f.store.remove("d")
            #expect(failure { _ = try f.fileSystem.lookup(name("a"), in: directory, request()) } == .notFound)
            #expect(try !f.exists("d"))
        }
    }
}
