import Testing
import Vocabulary

@testable import FileSystem

private let parent = InodeNumber(100)

private func order(_ names: [String]) -> SiblingOrder { SiblingOrder(names.map { name($0) }, in: PathHash()) }

private func place(_ string: String, in directory: InodeNumber = parent) -> Place {
    Place(parent: directory, name: name(string))
}

@Suite struct SiblingOrderTests {
    private let names = ["delta", "alpha", "charlie", "bravo"]

    @Test(arguments: [
        ("delta", "alpha", SiblingOrder.Kind.listed), ("alpha", "bravo", .byName), ("charlie", "delta", .byName),
    ])
    func `neighbours tell the order`(first: String, second: String, kind: SiblingOrder.Kind) {
        #expect(order(names).kind(from: name(first), to: name(second)) == kind)
    }

    @Test(arguments: [("delta", "bravo"), ("bravo", "bravo"), ("alpha", "nobody"), ("nobody", "alpha")])
    func `others do not`(first: String, second: String) {
        let order = SiblingOrder(names.map { name($0) }, in: PathHash())
        // By number they might be neighbours by chance; these are not.
        #expect(order.kind(from: name(first), to: name(second)) ?? .byNumber == .byNumber)
    }

    @Test func `the order by number is that of the inode numbers`() {
        let hash = PathHash(path("some/where"))
        let sorted = names.map { name($0) }.sorted { hash.appending($0).number < hash.appending($1).number }
        #expect(SiblingOrder(names.map { name($0) }, in: hash).names(.byNumber) == sorted)
    }
}

/// A script: directories that are read and listings that come, and which listings are asked for.
@Suite struct WalkPlannerTests {
    private static let names = (0..<50).map { "d\($0 / 10)\($0 % 10)" }

    /// What a planner says when a directory is read.
    private func enter(
        _ planner: inout WalkPlanner, _ place: Place, number: InodeNumber = InodeNumber(999), isFresh: Bool = true,
        _ names: [String] = Self.names
    ) -> (outcome: WalkPlanner.Outcome, actions: [WalkPlanner.Action]) {
        planner.entered(place, number, isFresh: isFresh) { order(names) }
    }

    private func list(_ strings: [String]) -> [WalkPlanner.Action] { strings.map { .list(place($0)) } }

    @Test func `one directory starts nothing, nor do several in no order`() {
        var planner = WalkPlanner()
        for name in ["d05", "d40", "d13", "d28", "d28"] {
            #expect(enter(&planner, place(name)).actions == [])
        }
        #expect(enter(&planner, place("elsewhere", in: InodeNumber(7)), ["elsewhere"]).actions == [])
    }

    @Test func `two neighbours are a walk: the next few are listed`() {
        var planner = WalkPlanner()
        #expect(enter(&planner, place("d05")).actions == [])
        #expect(enter(&planner, place("d06")).actions == list(["d07", "d08", "d09", "d10"]))
        #expect(planner.underWay == 4)
    }

    @Test func `a directory and then the first below it are a walk, too; another one below it is not`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("tree", in: .root), number: parent, ["elsewhere", "tree"])
        #expect(enter(&planner, place("d00")).actions == list(["d01", "d02", "d03", "d04"]))

        var other = WalkPlanner()
        other.entered(parent)
        #expect(enter(&other, place("d07")).actions == [])
    }

    @Test func `what the walk uses is followed by the next`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        for (index, name) in Self.names[2..<6].enumerated() {
            #expect(planner.listed(place(name), InodeNumber(UInt64(200 + index)), children: nil) == [])
        }
        let used = enter(&planner, place("d02"))
        #expect(used.outcome == .used)
        #expect(used.actions == [.drop(place("d02"))] + list(["d06"]))
    }

    @Test func `a walk that meets a listing on its way gets a longer lead`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        let met = enter(&planner, place("d02"))
        #expect(met.outcome == .used)
        // No more than six at a time.
        #expect(met.actions == list(["d06", "d07", "d08"]))
        // Its own listing comes when nobody counts on it any more.
        #expect(planner.listed(place("d02"), InodeNumber(200), children: nil) == [.drop(place("d02"))])
        #expect(planner.underWay == 6)
    }

    @Test func `a listing that was too old has the lead shortened`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        for name in ["d02", "d03", "d04", "d05"] { _ = planner.listed(place(name), InodeNumber(9), children: nil) }
        let late = enter(&planner, place("d02"), isFresh: false)
        #expect(late.outcome == .outdated)
        #expect(late.actions == [.drop(place("d02"))])
    }

    @Test func `directories below come before the next beside`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("a"), ["a", "b", "c", "d"])
        #expect(enter(&planner, place("b"), ["a", "b", "c", "d"]).actions == list(["c", "d"]))
        // `b` is being read; it has two below it.
        #expect(planner.expectsChildren(of: place("b")))
        let below = planner.listed(place("b"), InodeNumber(200), children: order(["x", "y"]))
        #expect(
            below == [
                .drop(place("b")), .list(place("x", in: InodeNumber(200))), .list(place("y", in: InodeNumber(200))),
            ])
        #expect(!planner.expectsChildren(of: place("b")))
        // The one below `c` comes behind those below `b`, and before `d`.
        let deeper = planner.listed(place("c"), InodeNumber(201), children: order(["z"]))
        #expect(deeper == [])
        let next = enter(&planner, place("x", in: InodeNumber(200)), ["x", "y"])
        #expect(next.actions.last == .list(place("z", in: InodeNumber(201))))
    }

    @Test func `a directory that cannot be listed is skipped`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        #expect(planner.listed(place("d02"), nil, children: nil) == [.drop(place("d02"))] + list(["d06"]))
    }

    @Test func `what the walk passes by again and again is dropped`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        for name in ["d02", "d03", "d04", "d05"] { _ = planner.listed(place(name), InodeNumber(9), children: nil) }
        var dropped: [WalkPlanner.Action] = []
        for name in Self.names[10..<20] { dropped += enter(&planner, place(name)).actions }
        for name in ["d02", "d03", "d04", "d05"] { #expect(dropped.contains(.drop(place(name)))) }
    }

    @Test func `walks are followed separately, and not too many`() {
        var planner = WalkPlanner()
        var dropped = 0
        for walk in 0..<6 {
            let here = InodeNumber(UInt64(1000 + walk))
            _ = enter(&planner, place("d00", in: here))
            for case .drop in enter(&planner, place("d01", in: here)).actions { dropped += 1 }
        }
        #expect(planner.underWay <= WalkPlanner.atOnce)
        #expect(dropped > 0)
        #expect(planner.end().count == planner.underWay || planner.underWay == 0)
    }

    @Test func `the end drops everything`() {
        var planner = WalkPlanner()
        _ = enter(&planner, place("d00"))
        _ = enter(&planner, place("d01"))
        #expect(planner.end().count == 4)
        #expect(planner.underWay == 0)
    }
}
