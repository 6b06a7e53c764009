import Testing
import Vocabulary

@testable import FileSystem

private let parent = InodeNumber(100)
private let names = (0..<40).map { "n\($0 / 10)\($0 % 10)" }

private func place(_ string: String) -> Place { Place(parent: parent, name: name(string)) }

private func order() -> SiblingOrder { SiblingOrder(names.map { name($0) }, in: PathHash()) }

/// Work ahead for which there is no connection now: it is asked for again as the program goes on, and the names are not put
/// in order again, which would cost a walk of many directories more than their listings.
@Suite struct PostponedTests {
    @Test func `a walk is not recognised anew for each directory`() {
        var planner = WalkPlanner()
        var orders = 0
        func enter(_ string: String) -> [WalkPlanner.Action] {
            planner.entered(place(string), InodeNumber(999), isFresh: true) {
                orders += 1
                return order()
            }.actions
        }
        for (index, string) in names.enumerated() {
            let actions = enter(string)
            let next = names[min(index + 1, names.count)..<min(index + 5, names.count)]
            #expect(actions == (index == 0 ? [] : next.map { .list(place($0)) }))
            for case .list(let place) in actions { planner.postponed(place) }
        }
        #expect(planner.underWay == 0)
        // At the second directory, and at the last, behind which nothing is left of the line.
        #expect(orders <= 2)
    }

    @Test func `a walk gets going when there is a connection`() {
        var planner = WalkPlanner()
        _ = planner.entered(place("n00"), InodeNumber(999), isFresh: true) { order() }
        let first = planner.entered(place("n01"), InodeNumber(999), isFresh: true, siblings: order).actions
        for case .list(let place) in first { planner.postponed(place) }
        let (outcome, actions) = planner.entered(place("n02"), InodeNumber(999), isFresh: true, siblings: order)
        #expect(outcome == .none)
        #expect(actions == ["n03", "n04", "n05", "n06"].map { .list(place($0)) })
        #expect(planner.expected == 37)
    }

    @Test func `a run of files gets going when there is a connection`() {
        var planner = FetchPlanner(limit: 1 << 20)
        func read(_ string: String) -> [FetchPlanner.Action] {
            planner.began(place(string)) {
                FetchPlanner.Files(
                    order: order(), sizes: Dictionary(uniqueKeysWithValues: names.map { (name($0), 4096) }))
            }
        }
        func fetches(_ strings: ArraySlice<String>) -> [FetchPlanner.Action] {
            strings.map { .fetch(place($0), size: 4096) }
        }
        #expect(read("n00") == [])
        for index in 1..<5 {
            // Behind the first two, what was read needs not be kept for anybody else.
            let actions = read(names[index]).filter { $0 != .drop(place(names[index])) }
            #expect(actions == fetches(names[index + 1..<index + 5]))
            for case .fetch(let place, _) in actions { planner.postponed(place) }
        }
        #expect(planner.expected == 35)
        #expect(read("n05").dropFirst() == fetches(names[6..<10])[...])
    }
}
