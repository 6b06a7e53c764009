import Testing
import Threading
import Vocabulary

@testable import FileSystem

private let ttl = Duration.seconds(10)
private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
private func file(_ size: Int64) -> RemoteAttributes { RemoteAttributes(kind: .file, size: size) }
private func entry(_ size: Int64, _ origin: DirectoryRecord.Origin, seen: Int64) -> DirectoryRecord.Entry {
    DirectoryRecord.Entry(attributes: file(size), origin: origin, seen: at(seen))
}

@Suite struct DirectoryRecordTests {
    private func record(_ names: [String], listedAt: Int64 = 0) -> DirectoryRecord {
        var record = DirectoryRecord(generation: 1)
        replace(&record, names, askedAt: listedAt)
        return record
    }

    private func replace(
        _ record: inout DirectoryRecord, _ names: [String], askedAt: Int64,
        changes: DirectoryRecord.ListingChanges = [:], generation: UInt64 = 2
    ) {
        let listing = names.map { RemoteEntry(name: name($0), attributes: file(1)) }
        record.replace(
            with: EntryTable(of: listing, askedAt: at(askedAt)), askedAt: at(askedAt), changes: changes,
            generation: generation)
    }

    private func sizes(_ record: DirectoryRecord) -> [String: Int64?] {
        Dictionary(uniqueKeysWithValues: record.entries.items.map { ("\($0.name)", $0.entry.attributes.size) })
    }

    @Test(arguments: [(Int64(0), Int64(10)), (4, 6), (9, 1)])
    func `a listing answers for what is in it and what is not, for the rest of its time`(now: Int64, left: Int64) {
        let record = record(["a"])
        if case .present(_, let remaining) = record.knowledge(of: name("a"), at: at(now), ttl, acceptStale: false) {
            #expect(remaining == .seconds(left))
        } else {
            Issue.record("a is not known")
        }
        if case .absent(let remaining) = record.knowledge(of: name("b"), at: at(now), ttl, acceptStale: false) {
            #expect(remaining == .seconds(left))
        } else {
            Issue.record("b is not known to be absent")
        }
    }

    @Test(arguments: ["a", "b"])
    func `a stale listing answers nothing, unless it has just been asked for`(string: String) {
        let record = record(["a"])
        guard case .unknown = record.knowledge(of: name(string), at: at(10), ttl, acceptStale: false) else {
            Issue.record("taken from a stale listing")
            return
        }
        if case .unknown = record.knowledge(of: name(string), at: at(10), ttl, acceptStale: true) {
            Issue.record("the answer to a question of this moment was not taken")
        }
    }

    @Test func `our own change is younger than the listing`() {
        var record = record([])
        record.set(name("own"), entry(5, .own, seen: 8), generation: 3)
        guard case .present(_, let remaining) = record.knowledge(of: name("own"), at: at(12), ttl, acceptStale: false)
        else {
            Issue.record("the change is forgotten")
            return
        }
        #expect(remaining == .seconds(6))
    }

    @Test func `a listing asked for before a change does not undo it`() {
        var record = record(["kept", "removed"])
        record.set(name("made"), entry(7, .own, seen: 2), generation: 3)
        record.remove(name("removed"), generation: 4)

        replace(
            &record, ["kept", "removed", "theirs"], askedAt: 1,
            changes: [name("made"): entry(7, .own, seen: 2), name("removed"): nil])

        #expect(sizes(record) == ["kept": 1, "made": 7, "theirs": 1])
    }

    @Test func `what the server has not heard of survives every listing`() {
        var record = record([])
        record.set(name("new"), entry(3, .pending, seen: 1), generation: 3)

        replace(&record, ["other"], askedAt: 20)

        #expect(sizes(record) == ["new": 3, "other": 1])
        #expect(!record.isReplaceable)
        record.remove(name("new"), generation: 5)
        #expect(record.isReplaceable)
    }

    @Test func `hidden names are in no listing`() {
        var record = record([])
        record.hide(name(".ftpfs-1"), true)
        replace(&record, ["a", ".ftpfs-1"], askedAt: 5)
        #expect(sizes(record) == ["a": 1])
    }

    @Test func `the generation changes with the names, not with sizes`() {
        var record = record(["a", "b"])
        let before = record.generation
        replace(&record, ["b", "a"], askedAt: 20, generation: 10)
        #expect(record.generation == before)
        replace(&record, ["a", "c"], askedAt: 30, generation: 11)
        #expect(record.generation == 11)
    }

    @Test func `the order is the server's, then that of making`() {
        var record = record(["z", "a", "m"])
        record.set(name("new"), entry(1, .own, seen: 1), generation: 3)
        record.remove(name("a"), generation: 4)
        #expect(record.entries.items.map { "\($0.name)" } == ["z", "m", "new"])
    }

    @Test func `a name twice in a listing counts once`() {
        #expect(record(["a", "a", "b"]).entries.count == 2)
    }
}

@Suite struct OwnTimeTests {
    private static func time(_ seconds: Int64, _ nanoseconds: UInt32 = 0) -> Timestamp {
        Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }

    @Test(arguments: [
        // Our clock's guess: settled by the first listing, whatever that says.
        (
            OwnTime.guessed(time(125, 7)), Timestamp?(time(125)), TimePrecision.second,
            OwnTime.Verdict.holds(.stored(time(125, 7)))
        ),
        (.guessed(time(125)), time(60), .minute, .adopted),
        (.guessed(time(125)), time(120), .minute, .holds(.shown(time(125), as: time(120), .minute))),
        (.guessed(time(125)), time(131), .second, .adopted),
        (.guessed(time(125)), nil, .second, .holds(.guessed(time(125)))),
        // A guess that was confirmed to the minute, and what comes of it when the server is asked for the second.
        (
            .shown(time(125), as: time(120), .minute), time(120), .minute,
            .holds(.shown(time(125), as: time(120), .minute))
        ),
        (.shown(time(125), as: time(120), .minute), time(125), .second, .holds(.stored(time(125)))),
        (.shown(time(125), as: time(120), .minute), time(128), .second, .adopted),
        (.shown(time(125), as: time(120), .minute), time(119), .second, .contradicted),
        (.shown(time(125), as: time(120), .minute), time(180), .minute, .contradicted),
        // What the server has taken: a coarse listing does not hide it, another time does.
        (.stored(time(125, 9)), time(125), .second, .holds(.stored(time(125, 9)))),
        (.stored(time(125)), time(120), .minute, .holds(.stored(time(125)))),
        (.stored(time(125)), time(0), .day, .holds(.stored(time(125)))),
        (.stored(time(-5)), time(-60), .minute, .holds(.stored(time(-5)))),
        (.stored(time(125)), time(180), .minute, .contradicted),
        // What the server cannot take: in view while the listed time stays.
        (.kept(time(5), beside: nil), time(77), .second, .holds(.kept(time(5), beside: time(77)))),
        (.kept(time(5), beside: time(77)), time(77), .second, .holds(.kept(time(5), beside: time(77)))),
        (.kept(time(5), beside: time(77)), time(78), .second, .contradicted),
    ])
    func `a time of our own, and what a listing says`(
        own: OwnTime, listed: Timestamp?, precision: TimePrecision, verdict: OwnTime.Verdict
    ) {
        #expect(own.compared(with: listed, precision: precision) == verdict)
    }
}

@Suite struct BoundedCacheTests {
    @Test func `what was used longest ago goes, until an eighth is free`() {
        var cache = BoundedCache<Int, String>(limit: 8)
        for key in 0..<8 { cache.insert("\(key)", for: key, cost: 1) }
        _ = cache.use(0)
        cache.insert("8", for: 8, cost: 1)

        cache.trim { _ in true }

        #expect(cache.cost == 7)
        #expect(cache.peek(0) == "0")
        #expect(cache.peek(1) == nil)
        #expect(cache.peek(2) == nil)
    }

    @Test func `what must stay, stays, and so does what is in use`() {
        var cache = BoundedCache<Int, String>(limit: 2)
        cache.insert("pinned", for: 1, cost: 2)
        cache.insert("plain", for: 2, cost: 2)
        cache.insert("large", for: 3, cost: 50)

        cache.trim { $0 != "pinned" }

        #expect(cache.peek(1) == "pinned")
        #expect(cache.peek(2) == nil)
        #expect(cache.peek(3) == "large")
    }

    @Test func `changes in place are counted`() {
        var cache = BoundedCache<Int, [Int]>(limit: 10)
        cache.insert([], for: 1, cost: 0)
        cache.update(1, cost: \.count) { $0 += [1, 2, 3] }
        #expect(cache.cost == 3)
        cache.remove(1)
        #expect(cache.cost == 0)
    }
}

@Suite struct InodeTableTests {
    private let attributes = RemoteAttributes(kind: .file, size: 1)
    private func table() -> InodeTable { InodeTable(root: RemoteAttributes(kind: .directory)) }

    @Test func `numbers follow from paths, so that a remount has the same`() throws {
        var first = table()
        var second = table()
        let a = first.intern(name("a"), in: try #require(first[.root]), attributes).number
        let b = second.intern(name("a"), in: try #require(second[.root]), attributes).number
        #expect(a == b)
        #expect(PathHash(path("ab/c")).number != PathHash(path("a/bc")).number)
        // Written down: a change of the hash would renumber everybody's files.
        #expect(PathHash(path("dir/file")).number == PathHash().appending(name("dir")).appending(name("file")).number)
    }

    @Test func `a number in use is not given twice`() throws {
        var table = table()
        let root = try #require(table[.root])
        let old = table.intern(name("a"), in: root, attributes)
        old.lookups = 1
        table.detach(old)

        let new = table.intern(name("a"), in: root, attributes)

        #expect(new.number.rawValue == old.number.rawValue &+ 1)
        #expect(table.path(of: old) == nil)
        #expect(table.path(of: new) == path("a"))
    }

    @Test func `forgotten inodes go, with the parents that only they held`() throws {
        var table = table()
        let directory = table.intern(
            name("d"), in: try #require(table[.root]), RemoteAttributes(kind: .directory))
        directory.lookups = 1
        let file = table.intern(name("f"), in: directory, attributes)
        file.lookups = 3

        table.forget(directory.number, count: 1)
        #expect(table.count == 2)
        table.forget(file.number, count: 2)
        #expect(table.count == 2)
        table.forget(file.number, count: 1)
        #expect(table.count == 0)
        #expect(table.takeDropped().count == 2)
    }

    @Test func `too many forgets count as all there are, and are noted`() throws {
        var table = table()
        let file = table.intern(name("f"), in: try #require(table[.root]), attributes)
        file.lookups = 2
        table.forget(file.number, count: 5)
        #expect(table.count == 0)
        #expect(table.overForgotten == 3)
    }

    @Test func `a handle holds an inode that the kernel has forgotten`() throws {
        var table = table()
        let file = table.intern(name("f"), in: try #require(table[.root]), attributes)
        file.lookups = 1
        file.handles = 1
        table.forget(file.number, count: 1)
        #expect(table.path(of: file) == path("f"))
    }

    @Test func `moved directories take their children along`() throws {
        var table = table()
        let root = try #require(table[.root])
        let directory = table.intern(name("d"), in: root, RemoteAttributes(kind: .directory))
        let file = table.intern(name("f"), in: directory, attributes)
        let other = table.intern(name("o"), in: root, RemoteAttributes(kind: .directory))

        table.move(directory, to: other, name("moved"))

        #expect(table.path(of: file) == path("o/moved/f"))
        #expect(table.isInside(file, other.number))
        #expect(!table.isInside(other, directory.number))
    }
}
