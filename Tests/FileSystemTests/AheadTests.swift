import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Work ahead of programs, counted in calls to the store.
@Suite(.serialized, .timeLimit(.minutes(1))) struct AheadTests {
    private func run(prefetch: Bool = true, spare: Int = 3, _ body: (Fixture) throws -> Void) throws {
        try Fixture.run(configure: { $0.prefetch = prefetch }) { (f) throws in
            f.store.configure { $0.spareStreams = spare }
            try body(f)
        }
    }

    private func putTree(_ f: Fixture) {
        for directory in 0..<50 {
            for number in 0..<4 { f.store.put(file(directory, number), "\(directory)/\(number)") }
        }
    }

    private func file(_ directory: Int, _ file: Int) -> String { "tree/d\(format2(directory))/f\(file)" }

    private func format2(_ number: Int) -> String { "\(number / 10)\(number % 10)" }

    /// What find(1) does.
    private func walk(_ f: Fixture, _ directory: String = "tree") throws -> Int {
        let handle = try f.fileSystem.openDirectory(f.inode(directory), request()).handle
        defer { f.fileSystem.releaseDirectory(handle) }
        var count = 1
        for item in try f.items(handle).dropFirst(2) where item.kind == .directory {
            count += try walk(f, "\(directory)/\(String(decoding: item.name, as: UTF8.self))")
        }
        return count
    }

    private func listings(_ f: Fixture) -> [MemoryStore.Call] {
        f.store.calls.filter { if case .list = $0 { true } else { false } }
    }

    private func opens(_ f: Fixture) -> [MemoryStore.Call] {
        f.store.calls.filter { if case .openRead = $0 { true } else { false } }
    }

    @Test(arguments: [true, false])
    func `a walk of 51 directories is 51 listings`(prefetch: Bool) throws {
        try run(prefetch: prefetch) { (f) throws in
            putTree(f)
            _ = try f.inode("tree")
            let calls = f.store.calls.count

            #expect(try walk(f) == 51)

            #expect(f.store.calls.count - calls == 51)
            #expect(Set(listings(f)).count == listings(f).count)
            #expect(f.store.callsAhead.count == (prefetch ? 49 : 0))
            #expect(f.fileSystem.aheadStatistics.listedUsed == (prefetch ? 49 : 0))
            #expect(waitUntil { f.fileSystem.aheadStatistics.listed == (prefetch ? 49 : 0) })
        }
    }

    @Test func `a tree of several levels is one listing for each directory`() throws {
        try run { (f) throws in
            for a in 0..<4 { for b in 0..<4 { for c in 0..<4 { f.store.put("tree/\(a)/\(b)/\(c)/file", "") } } }
            _ = try f.inode("tree")

            #expect(try walk(f) == 1 + 4 + 16 + 64)

            #expect(listings(f).count == 1 + 1 + 4 + 16 + 64)
            #expect(f.fileSystem.aheadStatistics.listed > 40)
        }
    }

    @Test func `one directory, or several in no order, start nothing`() throws {
        try run { (f) throws in
            putTree(f)
            for directory in [7, 31, 12] { _ = try f.names("tree/d\(format2(directory))") }
            #expect(f.store.callsAhead == [])
        }
    }

    @Test func `with one connection nothing is done ahead`() throws {
        try run(spare: 0) { (f) throws in
            putTree(f)
            #expect(try walk(f) == 51)
            for file in 0..<4 { _ = try f.load("tree/d00/f\(file)") }
            #expect(f.store.callsAhead == [])
        }
    }

    @Test func `a walk that stops is left alone after a few listings`() throws {
        try run { (f) throws in
            putTree(f)
            for directory in 0..<3 { _ = try f.names("tree/d\(format2(directory))") }
            #expect(waitUntil { f.fileSystem.statistics.waitingForListings == 0 })
            // The third may have been listed ahead too, and its use doubles the distance of four.
            #expect(f.store.callsAhead.count <= 9)
        }
    }

    @Test func `a directory that is listed ahead and then wanted is listed once, and becomes wanted`() throws {
        try run { (f) throws in
            putTree(f)
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if call == .list(path("tree/d02")) { blocker.pass(cancellation) }
            }
            _ = try f.names("tree/d00")
            _ = try f.names("tree/d01")
            #expect(blocker.waitForArrivals())

            let wanted = try Background { try f.names("tree/d02") }
            #expect(waitUntil { f.fileSystem.statistics.waitingForListings >= 2 })
            blocker.open()

            #expect(try wanted.value() == ["f0", "f1", "f2", "f3"])
            #expect(listings(f).count { $0 == .list(path("tree/d02")) } == 1)
        }
    }

    @Test func `what fails ahead is asked for again by whoever wants it, who sees no error`() throws {
        try run { (f) throws in
            putTree(f)
            let failing = Monitor(true)
            f.store.setHook { call, _ throws(StoreError) in
                if case .list(let place) = call, place == path("tree/d02"), failing.withLock({ $0 }) {
                    throw StoreError(.unreachable, "down")
                }
            }
            _ = try f.names("tree/d00")
            _ = try f.names("tree/d01")
            #expect(waitUntil { f.store.callsAhead.contains(.list(path("tree/d02"))) })
            #expect(waitUntil { f.fileSystem.statistics.waitingForListings == 0 })
            failing.withLock { $0 = false }

            #expect(try f.names("tree/d02") == ["f0", "f1", "f2", "f3"])
        }
    }

    // MARK: - Files

    @Test func `files read in order are fetched ahead, each once`() throws {
        try run { (f) throws in
            f.store.putDirectory("small")
            for file in 0..<60 { f.store.put("small/\(format2(file))", "content \(file)") }

            for file in 0..<60 { #expect(try f.load("small/\(format2(file))") == "content \(file)") }

            #expect(opens(f).count == 60)
            #expect(Set(opens(f)).count == 60)
            #expect(f.fileSystem.aheadStatistics.fetched == 58)
            #expect(f.fileSystem.aheadStatistics.fetchedUsed >= 57)
        }
    }

    @Test func `a copy of a tree fetches ahead in each directory`() throws {
        try run { (f) throws in
            for directory in 0..<5 { for file in 0..<20 { f.store.put("tree/\(directory)/\(format2(file))", "x") } }
            for directory in 0..<5 {
                for item in try f.names("tree/\(directory)") { #expect(try f.load("tree/\(directory)/\(item)") == "x") }
            }
            #expect(opens(f).count == 100)
            #expect(f.fileSystem.aheadStatistics.fetched >= 90)
        }
    }

    @Test func `reading one file, or several in no order, fetches nothing`() throws {
        try run { (f) throws in
            putTree(f)
            for file in 0..<60 { f.store.put("small/\(format2(file))", "content \(file)") }
            for file in [7, 31, 12, 55] { _ = try f.load("small/\(format2(file))") }
            #expect(f.store.callsAhead == [])
            #expect(opens(f).count == 4)
        }
    }

    @Test func `a file that is being fetched and is then wanted is opened once`() throws {
        try run { (f) throws in
            for file in 0..<10 { f.store.put("small/\(file)", "content \(file)") }
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if call == .openRead(path("small/2"), from: 0) { blocker.pass(cancellation) }
            }
            _ = try f.load("small/0")
            _ = try f.load("small/1")
            #expect(blocker.waitForArrivals())
            let wanted = try Background { try f.load("small/2") }
            blocker.open()
            #expect(try wanted.value() == "content 2")
            #expect(opens(f).count { $0 == .openRead(path("small/2"), from: 0) } == 1)
        }
    }

    @Test func `when the run ends, what nobody wants is cancelled`() throws {
        try run { (f) throws in
            for file in 0..<20 { f.store.put("small/\(format2(file))", "content") }
            let blocker = Blocker()
            let cancelled = Monitor(0)
            f.store.setHook { call, cancellation throws(StoreError) in
                guard case .openRead(let place, _) = call, let last = place.name,
                    ["02", "03", "04", "05"].contains(text(last))
                else { return }
                blocker.pass(cancellation)
                if cancellation.isCancelled { cancelled.withLock { $0 += 1 } }
            }
            _ = try f.load("small/00")
            _ = try f.load("small/01")
            #expect(blocker.waitForArrivals(4))
            _ = try f.load("small/15")
            _ = try f.load("small/10")
            #expect(waitUntil { cancelled.withLock { $0 } == 4 })
        }
    }

    @Test func `a file changed on the server between the fetch and the open is read anew`() throws {
        try run { (f) throws in
            for file in 0..<10 { f.store.put("small/\(file)", "old \(file)") }
            _ = try f.load("small/0")
            _ = try f.load("small/1")
            #expect(waitUntil { f.fileSystem.aheadStatistics.fetched == 4 })
            f.store.configure { $0.time.seconds += 20 }
            f.store.put("small/2", "newer")
            f.pass(.seconds(10))
            #expect(try f.load("small/2") == "newer")
        }
    }

    @Test func `names that are renamed or removed meanwhile do no harm`() throws {
        try run { (f) throws in
            for file in 0..<10 { f.store.put("small/\(file)", "content \(file)") }
            _ = try f.load("small/0")
            _ = try f.load("small/1")
            #expect(waitUntil { f.fileSystem.aheadStatistics.fetched == 4 })
            try f.unlink("small/2")
            try f.rename("small/3", "small/other")
            try f.save("small/4", "mine")
            #expect(try !f.exists("small/2"))
            #expect(try f.load("small/other") == "content 3")
            #expect(try f.load("small/4") == "mine")
        }
    }
}

private func text(_ name: FileName) -> String { String(decoding: name.bytes, as: UTF8.self) }
