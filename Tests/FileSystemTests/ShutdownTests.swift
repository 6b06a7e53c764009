import FileSystem
import MemoryStore
import SystemPackage
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct ShutdownTests {
    @Test func `what is unsent is sent, several files at a time`() throws {
        try Fixture.run { (f) throws in
            for index in 0..<5 { try f.write(f.create("f\(index)"), at: 0, "data \(index)") }
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish = call { blocker.pass(cancellation) }
            }
            let shutdown = try Background { f.fileSystem.shutdown(deadline: .after(.seconds(20))) }
            #expect(blocker.waitForArrivals(5))
            blocker.open()
            #expect(try shutdown.value() == [])
            for index in 0..<5 { #expect(f.store.text("f\(index)") == "data \(index)") }
        }
    }

    @Test func `what cannot be sent in time is reported and kept`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            try f.write(f.create("fine"), at: 0, "x")
            try f.write(f.create("stuck"), at: 0, "precious")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .finish(path("stuck")) = call { blocker.pass(cancellation) }
            }
            let shutdown = try Background {
                f.fileSystem.shutdown(deadline: .after(.milliseconds(200)))
            }
            let unsent = try shutdown.value()

            #expect(unsent.map(\.path) == [path("stuck")])
            #expect(unsent.first?.reason.kind == .cancelled)
            let kept = try #require(unsent.first?.keptAt?.lastComponent?.string)
            #expect(try f.spooled(kept) == "precious")
            #expect(f.store.text("fine") == "x")
        }
    }

    @Test func `streams end, and those who wait are told`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 1 << 20))
            let handle = try f.open("f")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .read = call { blocker.pass(cancellation) }
            }
            let stuck = f.readLater(handle, at: 0, 10)
            #expect(blocker.waitForArrivals())
            #expect(f.fileSystem.shutdown(deadline: .after(.seconds(1))) == [])
            #expect(failure { _ = try stuck.value() } == .cancelled)
        }
    }

    @Test func `hidden files are removed`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            _ = try f.open("f")
            try f.unlink("f")
            #expect(f.store.names().count == 1)
            _ = f.fileSystem.shutdown(deadline: .after(.seconds(5)))
            #expect(f.store.names() == [])
        }
    }
}
