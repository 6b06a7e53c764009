import Testing
import Threading
import Vocabulary

@testable import FileSystem

private func item(_ string: String, _ kind: FileKind = .file) -> RemoteEntry {
    RemoteEntry(name: name(string), attributes: RemoteAttributes(kind: kind, size: 1))
}

private func table(_ names: [String], _ kind: FileKind = .file) -> EntryTable {
    EntryTable(of: names.map { item($0, kind) }, askedAt: Instant(nanoseconds: 0))
}

private func entry(_ kind: FileKind = .file) -> EntryTable.Entry {
    EntryTable.Entry(attributes: RemoteAttributes(kind: kind), origin: .own, seen: Instant(nanoseconds: 1))
}

@Suite struct EntryTableTests {
    @Test func `a place stays what it was while others come and go`() {
        var table = table(["z", "a", "m"])
        table[name("a")] = nil
        table[name("new")] = entry()
        table[name("z")] = entry(.directory)

        #expect(table.places.map { $0.map { "\($0.name)" } } == ["z", nil, "m", "new"])
        #expect(table.items.map { "\($0.name)" } == ["z", "m", "new"])
        #expect(table.count == 3)
        #expect(table[name("z")]?.attributes.kind == .directory)
        #expect(table[name("a")] == nil)
    }

    @Test(arguments: [0, 1, 2, 3, -1, 99])
    func `an entry is found by its name, wherever it is thought to be`(place: Int) {
        var table = table(["z", "a", "m", "n"])
        table[name("m")] = nil
        #expect(table.entry(of: name("a"), probablyAt: place) != nil)
        #expect(table.entry(of: name("m"), probablyAt: place) == nil)
    }

    @Test func `who holds the places sees none of the changes that follow`() {
        var table = table(["a", "b"])
        let before = table.places
        table[name("a")] = nil
        table[name("c")] = entry()
        #expect(before.map { $0.map { "\($0.name)" } } == ["a", "b"])
    }

    @Test func `empty places do not pile up`() {
        var table = table((0..<100).map { "\($0)" })
        for round in 0..<10_000 {
            table[name("new \(round)")] = entry()
            table[name("new \(round)")] = nil
        }
        #expect(table.places.count < 400)
        #expect(table.items.map { "\($0.name)" } == (0..<100).map { "\($0)" })
        for number in 0..<100 { #expect(table[name("\(number)")] != nil) }
    }

    @Test(arguments: [
        (["a", "b"], FileKind.file, true),
        (["b", "a"], .file, true),
        (["a"], .file, false),
        (["a", "c"], .file, false),
        (["a", "b"], .directory, false),
    ])
    func `two tables have the same names of the same kinds, in whatever order`(
        others: [String], kind: FileKind, isSame: Bool
    ) {
        #expect(table(["a", "b"]).hasSameKinds(as: table(others, kind)) == isSame)
    }
}

@Suite struct ListingLifeTests {
    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test(arguments: [
        // A listing that came quickly lasts as long as the mount says, from when it was asked for.
        (Duration.milliseconds(100), Duration.seconds(10), Int64(9), true),
        (.milliseconds(100), .seconds(10), 10, false),
        (.seconds(3), .seconds(10), 10, false),
        // One that took 8 s lasts 24, and not 2 s from when it came.
        (.seconds(8), .seconds(10), 23, true),
        (.seconds(8), .seconds(10), 24, false),
        // Who wants every look to be a new one gets that.
        (.seconds(8), .zero, 8, false),
    ])
    func `a listing lasts for the time to live, and longer if it took long`(
        took: Duration, timeToLive: Duration, now: Int64, isFresh: Bool
    ) {
        var record = DirectoryRecord(generation: 1)
        record.replace(
            with: table(["a"]), askedAt: Self.at(0), taking: took, changes: [:], generation: 2)
        #expect(record.isFresh(at: Self.at(now), timeToLive) == isFresh)
        if case .unknown = record.knowledge(of: name("a"), at: Self.at(now), timeToLive, acceptStale: false) {
            #expect(!isFresh)
        } else {
            #expect(isFresh)
        }
    }
}
