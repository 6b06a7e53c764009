import Testing
import Threading

@testable import FileSystem

/// What is sent next, and what follows from how it went: scripts of events and answers.
@Suite struct WriteBackQueueTests {
    private static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private static let away = StoreError(.unreachable, "no route")
    private static let denied = StoreError(.denied, "550")

    @Test func `files are sent in the order in which they are due, and not before`() {
        var queue = WriteBackQueue(limit: 9)
        for (id, due) in [(3, 2.0), (1, 1.0), (2, 1.0)] {
            queue.committed(UInt64(id), sequence: UInt64(id), due: Self.at(due))
        }
        #expect(queue.next(at: Self.at(0.5), spare: 9) == nil)
        #expect(queue.nextDue == Self.at(1))
        #expect(queue.next(at: Self.at(1), spare: 9) == 1)
        #expect(queue.next(at: Self.at(1), spare: 9) == 2)
        #expect(queue.next(at: Self.at(1), spare: 9) == nil)
        #expect(queue.next(at: Self.at(2), spare: 9) == 3)
        #expect(queue.nextDue == nil)
    }

    @Test func `there are no more at a time than the limit, and beyond the first only on free connections`() {
        var queue = WriteBackQueue(limit: 2)
        for id in UInt64(1)...4 { queue.committed(id, sequence: id, due: Self.at(0)) }
        #expect(queue.next(at: Self.at(1), spare: 0) == 1)
        #expect(queue.next(at: Self.at(1), spare: 0) == nil)
        #expect(queue.next(at: Self.at(1), spare: 1) == 2)
        #expect(queue.next(at: Self.at(1), spare: 5) == nil)
        #expect(queue.ended(1, .sent(sequence: 1), at: Self.at(1)) == .settle)
        #expect(queue.next(at: Self.at(1), spare: 5) == 3)
    }

    @Test func `a file that was closed once more meanwhile is sent once more`() {
        var queue = WriteBackQueue(limit: 1)
        queue.committed(1, sequence: 1, due: Self.at(0))
        #expect(queue.next(at: Self.at(0), spare: 1) == 1)
        queue.committed(1, sequence: 2, due: Self.at(3))
        #expect(queue.next(at: Self.at(3), spare: 1) == nil)
        #expect(queue.ended(1, .sent(sequence: 1), at: Self.at(4)) == .wait)
        #expect(queue.next(at: Self.at(4), spare: 1) == 1)
        #expect(queue.ended(1, .sent(sequence: 2), at: Self.at(4)) == .settle)
        #expect(queue.count == 0)
    }

    @Test func `a file that is not wanted any more is forgotten, also while it is sent`() {
        var queue = WriteBackQueue(limit: 2)
        for id in UInt64(1)...2 { queue.committed(id, sequence: id, due: Self.at(0)) }
        #expect(queue.next(at: Self.at(0), spare: 2) == 1)
        queue.remove(1)
        queue.remove(2)
        #expect(queue.next(at: Self.at(9), spare: 2) == nil)
        #expect(queue.ended(1, .failed(Self.away), at: Self.at(9)) == .wait)
        #expect(queue.count == 0)
        #expect(queue.sendingCount == 0)
    }

    @Test func `a server that is away is asked after 1, 2, 4 seconds and so on, at last every five minutes, for ever`()
    {
        var queue = WriteBackQueue(limit: 1)
        queue.committed(1, sequence: 1, due: Self.at(0))
        var now = 0.0
        for pause in [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
            #expect(queue.next(at: Self.at(now), spare: 1) == 1)
            #expect(queue.ended(1, .failed(Self.away), at: Self.at(now)) == .wait)
            #expect(queue.nextDue == Self.at(now + pause))
            now += pause
        }
        #expect(queue.entries[1]?.attempts == 12)
        #expect(queue.entries[1]?.lastError == Self.away)
    }

    @Test func `who waits for a file makes it due at once`() {
        var queue = WriteBackQueue(limit: 1)
        for id in UInt64(1)...2 { queue.committed(id, sequence: id, due: Self.at(100)) }
        queue.urge([2], at: Self.at(1))
        #expect(queue.next(at: Self.at(1), spare: 1) == 2)
        #expect(queue.ended(2, .sent(sequence: 2), at: Self.at(1)) == .settle)
        #expect(queue.next(at: Self.at(1), spare: 1) == nil)
        queue.urge(nil, at: Self.at(2))
        #expect(queue.next(at: Self.at(2), spare: 1) == 1)
    }

    @Test(arguments: [
        (StoreError.Kind.nameTooLong, 1), (.tooLarge, 1), (.denied, 3), (.notFound, 3), (.noSpace, 12),
        (.quotaExceeded, 12),
    ])
    func `what the server refuses is put aside after so many attempts`(_ kind: StoreError.Kind, _ patience: Int) {
        var queue = WriteBackQueue(limit: 1)
        queue.committed(1, sequence: 1, due: Self.at(0))
        let error = StoreError(kind, "no")
        for attempt in 1...patience {
            let now = Self.at(Double(attempt) * 1000)
            #expect(queue.next(at: now, spare: 1) == 1)
            #expect(queue.ended(1, .failed(error), at: now) == (attempt == patience ? .putAside(error) : .wait))
        }
    }

    @Test func `a new content gets the whole patience again`() {
        var queue = WriteBackQueue(limit: 1)
        queue.committed(1, sequence: 1, due: Self.at(0))
        for now in 1...2 {
            #expect(queue.next(at: Self.at(Double(now) * 9), spare: 1) == 1)
            #expect(queue.ended(1, .failed(Self.denied), at: Self.at(Double(now) * 9)) == .wait)
        }
        queue.committed(1, sequence: 2, due: Self.at(30))
        #expect(queue.next(at: Self.at(30), spare: 1) == 1)
        #expect(queue.ended(1, .failed(Self.denied), at: Self.at(30)) == .wait)
    }

    @Test func `at the end everything is due, and is given up when nothing succeeds any more`() {
        var queue = WriteBackQueue(limit: 2)
        for id in UInt64(1)...5 { queue.committed(id, sequence: id, due: Self.at(1000)) }
        queue.drain(at: Self.at(0))
        var now = 0.0
        var attempts = 0
        while !queue.isDrained {
            while let id = queue.next(at: Self.at(now), spare: 9) {
                attempts += 1
                #expect(queue.ended(id, .failed(Self.away), at: Self.at(now)) == .wait)
                if queue.isDrained { break }
            }
            now += 2
        }
        #expect(attempts == 6)
        #expect(queue.count == 5)

        var other = WriteBackQueue(limit: 2)
        other.committed(1, sequence: 1, due: Self.at(1000))
        other.drain(at: Self.at(0))
        #expect(!other.isDrained)
        #expect(other.next(at: Self.at(0), spare: 0) == 1)
        #expect(other.ended(1, .sent(sequence: 1), at: Self.at(0)) == .settle)
        #expect(other.isDrained)
    }

    @Test func `ten thousand files are taken in order`() {
        var random = Seeded(3)
        var queue = WriteBackQueue(limit: 20_000)
        var due: [UInt64: Int] = [:]
        for id in UInt64(0)..<10_000 {
            due[id] = Int.random(in: 0..<1000, using: &random)
            queue.committed(id, sequence: id, due: Self.at(Double(due[id] ?? 0)))
        }
        var last = 0
        while let id = queue.next(at: Self.at(1000), spare: 1) {
            #expect(due[id] ?? 0 >= last)
            last = due[id] ?? 0
        }
        #expect(queue.sendingCount == 10_000)
    }
}
