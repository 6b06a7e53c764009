import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Listings that do not show everything, and what symbolic links show.
@Suite(.timeLimit(.minutes(1)))
struct PartialListingTests {
    private static func fill(_ fixture: Fixture, limit: Int?) {
        for name in ["a", "b", "c", "d"] { fixture.store.put(name, name) }
        fixture.store.putDirectory("late")
        fixture.store.put("late/file", "inside")
        fixture.store.configure { $0.listingLimit = limit }
    }

    @Test(arguments: [Duration.seconds(10), .zero])
    func aNameThatIsMissingIsAskedForAndMayExist(_ timeToLive: Duration) throws {
        try Fixture.run(configure: { $0.dirTTL = timeToLive }) { (fixture) throws in
            Self.fill(fixture, limit: 2)
            #expect(try fixture.exists("a"))
            #expect(try fixture.exists("d"))
            #expect(try !fixture.exists("none"))
            #expect(try fixture.stat("late/file").size == 6)
            #expect(fixture.store.calls.contains(.look(path("d"))))
            #expect(fixture.store.calls.contains(.look(path("none"))))
        }
    }

    @Test func whatIsListedNeedsNoQuestion() throws {
        try Fixture.run { fixture in
            Self.fill(fixture, limit: 2)
            let calls = try fixture.store.calls { () throws(any Error) in
                for name in ["a", "b", "a"] { _ = try fixture.stat(name) }
            }
            #expect(calls == [.list(.root)])
        }
    }

    @Test func aNameThatIsMissingFromAPartialListingCannotBeMadeTwice() throws {
        try Fixture.run { fixture in
            Self.fill(fixture, limit: 2)
            #expect(failure { try fixture.mkdir("late") } == .exists)
            #expect(!fixture.store.calls.contains(.makeDirectory(path("late"))))
        }
    }

    @Test func aListingThatIsCompleteAgainAnswersForMissingNames() throws {
        try Fixture.run { fixture in
            Self.fill(fixture, limit: 2)
            #expect(try fixture.exists("d"))
            fixture.store.configure { $0.listingLimit = nil }
            fixture.pass(.seconds(11))
            let calls = try fixture.store.calls { () throws(any Error) in
                #expect(try fixture.exists("d"))
                #expect(try !fixture.exists("none"))
            }
            #expect(calls == [.list(.root)])
        }
    }

    @Test func theStoreHearsWhetherTheParentHasTheDirectory() throws {
        try Fixture.run { fixture in
            Self.fill(fixture, limit: nil)
            #expect(try fixture.exists("late/file"))
            #expect(fixture.store.knownListings == [false, true])
            let late = try fixture.inode("late")
            fixture.pass(.seconds(11))
            // Straight into a directory that the kernel still knows.
            _ = try fixture.fileSystem.lookup(name("file"), in: late, request())
            #expect(fixture.store.knownListings == [false, true, false])
        }
    }

    // MARK: Links

    private func target(_ fixture: Fixture, _ place: String) throws -> String {
        let bytes = try fixture.fileSystem.readLink(try fixture.inode(place), request())
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aLinkShowsWhatItsPlaceMakesOfTheTargetAlsoBehindARename() throws {
        try Fixture.run { fixture in
            fixture.store.configure { $0.movesLinks = true }
            fixture.store.putDirectory("x")
            fixture.store.putDirectory("y")
            fixture.store.putDirectory("y/z")
            fixture.store.putLink("x/link", to: "file")
            #expect(try target(fixture, "x/link") == "../file")
            #expect(try fixture.stat("x/link").size == 7)
            try fixture.rename("x", "y/z/x")
            #expect(try target(fixture, "y/z/x/link") == "../../../file")
            #expect(try fixture.stat("y/z/x/link").size == 13)
        }
    }

    @Test func aLinkThatLeadsOutShowsNothing() throws {
        try Fixture.run { fixture in
            fixture.store.configure { $0.movesLinks = true }
            fixture.store.putLink("link", to: "OUT")
            #expect(failure { _ = try target(fixture, "link") } == .notPermitted)
            #expect(try fixture.stat("link").size == 3)
            try fixture.unlink("link")
            #expect(fixture.store.names() == [])
        }
    }
}
