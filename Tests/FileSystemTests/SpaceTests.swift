import FileSystem
import MemoryStore
import Testing
import Threading

@testable import FileSystem

/// What `df` shows, and when the server is asked for it.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SpaceTests {
    private func asked(_ f: Fixture) -> Int { f.store.calls.count { $0 == .space } }

    @Test func `nobody waits for the answer, and it is shown from then on`() throws {
        try Fixture.run { (f) throws in
            let gate = Gate()
            try gate.enter(Cancellation())
            f.store.configure { $0.space = RemoteSpace(free: 5 << 30, total: 7 << 30) }
            f.store.setHook { (call, cancellation) throws(StoreError) in
                guard call == .space else { return }
                try gate.enter(cancellation)
                gate.leave()
            }
            // The server has not answered yet.
            #expect(f.fileSystem.space().free == 1 << 50)
            #expect(f.fileSystem.space().free == 1 << 50)
            gate.leave()
            #expect(waitUntil { f.fileSystem.space().free == 5 << 30 })
            #expect(f.fileSystem.space().total == 7 << 30)
            #expect(asked(f) == 1)
        }
    }

    @Test func `it is asked anew when the answer is old`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.space = RemoteSpace(free: 1 << 30, total: nil) }
            #expect(waitUntil { f.fileSystem.space().free == 1 << 30 })
            f.store.configure { $0.space = RemoteSpace(free: 1 << 20, total: nil) }
            f.pass(.seconds(29))
            #expect(f.fileSystem.space().free == 1 << 30)
            #expect(asked(f) == 1)
            f.pass(.seconds(2))
            // The old answer, and behind it the question.
            #expect(f.fileSystem.space().free == 1 << 30)
            #expect(waitUntil { f.fileSystem.space().free == 1 << 20 })
            #expect(f.fileSystem.space().total == 1 << 50)
            #expect(asked(f) == 2)
        }
    }

    @Test func `a store that does not say is asked once, and size= is shown`() throws {
        try Fixture.run(configure: { $0.reportedSize = 3 << 30 }) { (f) throws in
            #expect(f.fileSystem.space() == SpaceAnswer(total: 3 << 30, free: 3 << 30, blockSize: 4096))
            #expect(waitUntil { asked(f) == 1 })
            f.pass(.seconds(100))
            _ = f.fileSystem.space()
            #expect(f.fileSystem.space().free == 3 << 30)
            #expect(asked(f) == 1)
        }
    }

    @Test func `what failed is asked again later`() {
        var room = SpaceKnowledge()
        let start = Instant(nanoseconds: 0)
        var asks: [Bool] = []
        for seconds in [0, 0] { asks.append(room.wantsQuestion(at: start.advanced(by: .seconds(seconds)))) }
        room.answered(.failure(StoreError(.timedOut, "")), at: start)
        for seconds in [29, 30] { asks.append(room.wantsQuestion(at: start.advanced(by: .seconds(seconds)))) }
        #expect(asks == [true, false, false, true])
    }
}
