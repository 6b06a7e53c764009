import MemoryStore
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// Uploads whose connection is lost while bytes of theirs are on their way to the server, which writes them later: whenever
/// that is, and whatever was done meanwhile, the file is what it should be in the end.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LateBytesTests {
    /// When the server comes to what is late.
    enum Moment: CaseIterable, Sendable {
        /// Before anybody looks again.
        case atOnce
        /// When the next transfer has been opened.
        case amidst
        /// When all is done.
        case inTheEnd
        case never
    }

    private static let meg = 1 << 20

    private static func bytes(_ count: Int, _ seed: Int = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 / 7 &* 31 &+ $0) &* seed) }
    }

    private static func count(_ counter: Monitor<Int>) -> Int {
        counter.withLock { count in
            count += 1
            return count
        }
    }

    /// Runs `body`, in whose first transfer the connection is lost behind so many bytes; the rest comes at that moment.
    private func run(
        _ f: Fixture, _ moment: Moment, losing count: Int, _ body: () throws -> Void
    ) throws {
        f.store.breakNextSend(after: count)
        let (store, sends) = (f.store, Monitor(0))
        f.store.setHook { call, _ throws(StoreError) in
            switch (call, moment) {
            case (.size, .atOnce): store.deliverLate()
            case (.send, .amidst):
                if sends.withLock({
                    $0 += 1
                    return $0
                }) > 1 {
                    store.deliverLate()
                }
            case (.finish, .amidst): store.deliverLate()
            default: break
            }
        }
        try body()
        f.store.setHook(nil)
        if moment == .never { f.store.dropLate() } else { f.store.deliverLate() }
    }

    /// A mount that tries again as often as it takes.
    private func mount(_ body: (Fixture) throws -> Void) throws {
        try Fixture.run(configure: { $0.retries = { { .zero } } }, body)
    }

    @Test(arguments: Moment.allCases)
    func `a large new file`(_ moment: Moment) throws {
        try mount { (f) throws in
            let all = Self.bytes(3 * Self.meg)
            try run(f, moment, losing: 2 * Self.meg) { () throws in
                let handle = try f.create("f", [.write])
                try f.write(handle, at: 0, all)
                try f.close(handle)
            }
            let isRight = f.store.content("f") == all
            #expect(isRight)
            #expect(f.store.names() == ["f"])
            // It goes on, and says where: what comes twice comes to the same place.
            if moment == .never {
                let writes = f.store.calls.compactMap { if case .openWrite(_, let mode) = $0 { mode } else { nil } }
                #expect(writes.contains { if case .at = $0 { true } else { false } })
                #expect(!writes.contains(.append))
            }
        }
    }

    @Test(arguments: Moment.allCases, [true, false])
    func `a large new content`(_ moment: Moment, keepsTail: Bool) throws {
        try mount { (f) throws in
            f.store.configure { $0.keepsTail = keepsTail }
            f.store.put("f", "old")
            let all = Self.bytes(3 * Self.meg)
            try run(f, moment, losing: 2 * Self.meg) { () throws in
                let handle = try f.open("f", [.write, .truncate])
                try f.write(handle, at: 0, all)
                try f.close(handle)
            }
            let isRight = f.store.content("f") == all
            #expect(isRight)
            #expect(f.store.names() == ["f"])
        }
    }

    @Test(arguments: Moment.allCases)
    func `bytes for the end of a file come there once`(_ moment: Moment) throws {
        try mount { (f) throws in
            f.store.put("f", "0123456789")
            try run(f, moment, losing: 3) { () throws in
                let handle = try f.open("f", [.write, .append])
                try f.write(handle, at: 0, "abcdefgh")
                try f.close(handle)
            }
            #expect(f.store.text("f") == "0123456789abcdefgh")
            #expect(f.store.names() == ["f"])
        }
    }

    @Test(arguments: Moment.allCases)
    func `a small new file that is written anew with another content`(_ moment: Moment) throws {
        try Fixture.run { (f) throws in
            try run(f, moment, losing: 3) { () throws in
                let handle = try f.create("f", [.write])
                try f.write(handle, at: 0, "abcdefgh")
                #expect(failure { try f.fileSystem.flush(handle, request()) } == .inputOutput)
                try f.write(handle, at: 0, "12345678")
                try f.close(handle)
            }
            #expect(f.store.text("f") == "12345678")
        }
    }

    @Test(arguments: Moment.allCases)
    func `a change in the middle that is changed again`(_ moment: Moment) throws {
        try Fixture.run { (f) throws in
            var all = Self.bytes(8 * Self.meg)
            f.store.put("f", .bytes(all))
            try run(f, moment, losing: 0) { () throws in
                let handle = try f.open("f", [.read, .write])
                try f.write(handle, at: 100_000, Array("abcdefgh".utf8))
                #expect(failure { try f.fileSystem.flush(handle, request()) } == .inputOutput)
                try f.write(handle, at: 100_000, Array("12345678".utf8))
                try f.close(handle)
            }
            all.replaceSubrange(100_000..<100_008, with: Array("12345678".utf8))
            let isRight = f.store.content("f") == all
            #expect(isRight)
        }
    }

    @Test func `a file that the server keeps for the broken transfer is left to it`() throws {
        try mount { (f) throws in
            let all = Self.bytes(3 * Self.meg)
            f.store.breakNextSend(after: 2 * Self.meg)
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite(path("f"), .at) = call {
                    throw StoreError(.timedOut, "it is locked", isInterruption: true)
                }
            }
            let handle = try f.create("f", [.write])
            try f.write(handle, at: 0, all)
            try f.close(handle)
            f.store.deliverLate()
            let isRight = f.store.content("f") == all
            #expect(isRight)
            #expect(f.store.names() == ["f"])
            let tries = f.store.calls.count { if case .openWrite(path("f"), .at) = $0 { true } else { false } }
            #expect(tries == 1)
        }
    }

    @Test func `what somebody else has appended meanwhile is not lost`() throws {
        try mount { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.write, .append])
            try f.write(handle, at: 0, "abcdefgh")
            f.store.breakNextSend(after: 0)
            let store = f.store
            f.store.setHook { call, _ throws(StoreError) in
                if case .size = call, store.text("f") == "0123456789" { store.put("f", "0123456789THEIRS") }
            }
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .inputOutput)
            f.store.setHook(nil)
            #expect(f.store.text("f") == "0123456789THEIRS")
            f.store.dropLate()
            // When nothing can come late any more, ours follow.
            f.pass(LateBytes.lifetime)
            try f.close(handle)
            #expect(f.store.text("f") == "0123456789THEIRSabcdefgh")
        }
    }

    @Test func `where files are written over in place, it is waited until nothing can come late`() throws {
        try Fixture.run(configure: { $0.replacesInPlace = true }) { (f) throws in
            f.store.put("f", "0123456789")
            let handle = try f.open("f", [.write, .append])
            f.store.breakNextSend(after: 0)
            try f.write(handle, at: 0, "abc")
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .inputOutput)
            #expect(failure { try f.fileSystem.flush(handle, request()) } == .inputOutput)
            f.store.dropLate()
            f.pass(LateBytes.lifetime)
            try f.close(handle)
            #expect(f.store.text("f") == "0123456789abc")
        }
    }

    @Test func `an upload that went on and did not come to its length is sent anew`() throws {
        try mount { (f) throws in
            let all = Self.bytes(3 * Self.meg)
            let (store, ends) = (f.store, Monitor(0))
            store.breakNextSend(after: 2 * Self.meg)
            store.setHook { call, _ throws(StoreError) in
                // The server loses bytes that it is about to confirm.
                guard case .finish = call, Self.count(ends) == 1 else { return }
                store.put("f", .bytes(Array(all.prefix(Self.meg))))
            }
            let handle = try f.create("f", [.write])
            try f.write(handle, at: 0, all)
            try f.close(handle)
            f.store.setHook(nil)
            f.store.dropLate()
            let isRight = f.store.content("f") == all
            #expect(isRight)
            #expect(ends.withLock { $0 } == 2)
        }
    }
}
