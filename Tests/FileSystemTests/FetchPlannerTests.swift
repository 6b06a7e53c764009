import Testing
import Vocabulary

@testable import FileSystem

private let parent = InodeNumber(100)
private let kib: Int64 = 1 << 10

private func place(_ string: String, in directory: InodeNumber = parent) -> Place {
    Place(parent: directory, name: name(string))
}

/// A script: files that are read and fetches that come, and which fetches are asked for.
@Suite struct FetchPlannerTests {
    private static let names = (0..<100).map { "f\($0 / 10)\($0 % 10)" }

    private func read(
        _ planner: inout FetchPlanner, _ place: Place, sizes: [String: Int64] = [:]
    ) -> [FetchPlanner.Action] {
        planner.began(place) {
            let pairs = Self.names.map { (name($0), sizes[$0] ?? 4 * kib) }
            return FetchPlanner.Files(
                order: SiblingOrder(Self.names.map { name($0) }, in: PathHash()),
                sizes: Dictionary(uniqueKeysWithValues: pairs))
        }
    }

    private func fetches(_ actions: [FetchPlanner.Action]) -> [String] {
        actions.compactMap { action in
            guard case .fetch(let place, _) = action else { return nil }
            return String(decoding: place.name.bytes, as: UTF8.self)
        }
    }

    @Test func `one file starts nothing, nor do several in no order`() {
        var planner = FetchPlanner(limit: 1 << 20)
        for name in ["f05", "f40", "f13", "f28", "f28"] { #expect(read(&planner, place(name)) == []) }
    }

    @Test func `two neighbours are a run: the next few are fetched`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f05"))
        #expect(fetches(read(&planner, place("f06"))) == ["f07", "f08", "f09", "f10"])
    }

    @Test func `each file used is followed by the next, and a reader that waits gets a longer lead`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        for name in ["f02", "f03", "f04", "f05"] { #expect(planner.fetched(place(name), true) == []) }
        #expect(fetches(read(&planner, place("f02"))) == ["f06"])
        #expect(fetches(read(&planner, place("f03"))) == ["f07"])
        // `f06` has not come yet.
        #expect(fetches(read(&planner, place("f04"))) == ["f08"])
        #expect(fetches(read(&planner, place("f05"))) == ["f09"])
        #expect(fetches(read(&planner, place("f06"))) == ["f10", "f11", "f12"])
    }

    @Test func `large, empty and unknown files are passed over`() {
        var planner = FetchPlanner(limit: 1 << 30)
        let sizes: [String: Int64] = ["f02": 2 << 20, "f04": 0, "f05": 1 << 20]
        _ = read(&planner, place("f00"), sizes: sizes)
        #expect(fetches(read(&planner, place("f01"), sizes: sizes)) == ["f03", "f05", "f06", "f07"])
    }

    @Test func `never more bytes than there is room for`() {
        var planner = FetchPlanner(limit: 10 * kib)
        _ = read(&planner, place("f00"))
        #expect(fetches(read(&planner, place("f01"))) == ["f02", "f03"])
        _ = planner.fetched(place("f02"), true)
        #expect(fetches(read(&planner, place("f02"))) == ["f04"])
    }

    @Test func `two reads out of the order end the run`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        #expect(read(&planner, place("f80")) == [])
        #expect(
            read(&planner, place("f50")) == ["f02", "f03", "f04", "f05"].map { .drop(place($0)) })
        // What still comes is of no use.
        #expect(planner.fetched(place("f02"), true) == [.drop(place("f02"))])
    }

    @Test func `one read out of the order is forgiven`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        _ = read(&planner, place("f80"))
        _ = planner.fetched(place("f02"), true)
        #expect(fetches(read(&planner, place("f02"))) == ["f06"])
    }

    @Test func `files that the reader leaves out are dropped`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        for name in ["f02", "f03", "f04", "f05"] { _ = planner.fetched(place(name), true) }
        let actions = read(&planner, place("f04"))
        #expect(actions.contains(.drop(place("f02"))))
        #expect(actions.contains(.drop(place("f03"))))
    }

    @Test func `behind a proven run the first file of another directory is enough`() {
        var planner = FetchPlanner(limit: 1 << 20)
        let other = InodeNumber(200)
        for name in Self.names[..<12] {
            for case .fetch(let place, _) in read(&planner, place(name)) { _ = planner.fetched(place, true) }
        }
        #expect(!fetches(read(&planner, place("f00", in: other))).isEmpty)
        #expect(fetches(read(&planner, place("f30", in: InodeNumber(300)))).isEmpty)
    }

    @Test func `a fetch that failed makes room`() {
        var planner = FetchPlanner(limit: 8 * kib)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        #expect(
            planner.fetched(place("f02"), false) == [.drop(place("f02")), .fetch(place("f04"), size: 4 * kib)])
    }

    @Test func `the end drops everything`() {
        var planner = FetchPlanner(limit: 1 << 20)
        _ = read(&planner, place("f00"))
        _ = read(&planner, place("f01"))
        #expect(planner.end().count == 4)
    }
}
