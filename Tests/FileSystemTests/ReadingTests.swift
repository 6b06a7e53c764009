import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

private let kib = 1 << 10
private let mib = 1 << 20

@Suite(.serialized, .timeLimit(.minutes(1))) struct ReadingTests {
    private func opens(_ f: Fixture) -> [Int64] {
        f.store.calls.compactMap { if case .openRead(_, let offset) = $0 { offset } else { nil } }
    }

    private func isPattern(_ bytes: [UInt8], from offset: Int64) -> Bool {
        bytes.indices.allSatisfy { bytes[$0] == Content.patternByte(at: offset + Int64($0)) }
    }

    @Test(arguments: [1, 4096, 128 << 10, (128 << 10) + 1, 3 << 20])
    func `a sequential read is one stream from 0`(size: Int) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(size)))
            let handle = try f.open("f")
            var bytes: [UInt8] = []
            while true {
                let part = try f.read(handle, at: Int64(bytes.count), 100 * kib)
                if part.isEmpty { break }
                bytes += part
            }
            f.fileSystem.release(handle)
            #expect(bytes.count == size)
            #expect(isPattern(bytes, from: 0))
            #expect(opens(f) == [0])
        }
    }

    @Test func `an empty file needs no stream`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "")
            #expect(try f.load("f") == "")
            #expect(opens(f) == [])
        }
    }

    @Test func `eight threads that overtake each other share one stream`() throws {
        try Fixture.run { (f) throws in
            let size = 16 * mib
            let step = 128 * kib
            f.store.put("f", .pattern(size: Int64(size)))
            let handle = try f.open("f")
            let next = Monitor(0)
            let workers = try (0..<8).map { _ in
                try Background { () -> Bool in
                    while let index = next.withLock({ next -> Int? in
                        defer { next += 1 }
                        return next < size / step ? next : nil
                    }) {
                        // Neighbours change places, as the kernel's read-ahead does.
                        let offset = Int64((index ^ 3) * step)
                        let bytes = try f.read(handle, at: offset, step)
                        guard bytes.count == step, bytes[0] == Content.patternByte(at: offset),
                            bytes[step - 1] == Content.patternByte(at: offset + Int64(step - 1))
                        else { return false }
                    }
                    return true
                }
            }
            for worker in workers { #expect(try worker.value()) }
            f.fileSystem.release(handle)
            #expect(opens(f) == [0])
            #expect(f.store.bytesRead == Int64(size))
        }
    }

    @Test func `the head of a huge file moves little`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            #expect(isPattern(try f.read(handle, at: 0, 4096), from: 0))
            f.fileSystem.release(handle)
            #expect(waitUntil { f.fileSystem.statistics.streams == 0 })
            #expect(f.store.bytesRead <= Int64(256 * kib))
        }
    }

    @Test func `a reader that stops stops the stream, and goes on where it was`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            for index in 0..<100 { _ = try f.read(handle, at: Int64(index * 128 * kib), 128 * kib) }
            let end = Int64(100 * 128 * kib)
            // The window is 8 MiB at most, and a chunk is taken as a whole. It is half used before the stream goes on.
            #expect(waitUntil { f.store.bytesRead >= end + Int64(mib) })
            #expect(f.store.bytesRead <= end + Int64(9 * mib))

            _ = try f.read(handle, at: Int64(100 * 128 * kib), 128 * kib)

            #expect(opens(f) == [0])
            f.fileSystem.release(handle)
        }
    }

    @Test func `random reads move little more than they ask for`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            let offsets = [900, 17, 450, 1000, 333].map { Int64($0) * Int64(mib) + 12345 }
            for offset in offsets { #expect(isPattern(try f.read(handle, at: offset, 4096), from: offset)) }
            f.fileSystem.release(handle)
            #expect(opens(f).count == offsets.count)
            #expect(f.store.bytesRead <= Int64(offsets.count * 256 * kib))
        }
    }

    @Test func `what has been read is in memory, also for the next open`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(mib)))
            let first = try f.bytes("f")
            #expect(first.count == mib)
            #expect(try f.bytes("f") == first)
            #expect(opens(f) == [0])
        }
    }

    @Test func `the memory is bounded, and what had to go is read again`() throws {
        try Fixture.run(configure: { $0.cacheSize = 1 << 20 }) { (f) throws in
            f.store.put("f", .pattern(size: Int64(8 * mib)))
            let handle = try f.open("f")
            for offset in stride(from: 0, to: 8 * mib, by: 128 * kib) {
                #expect(isPattern(try f.read(handle, at: Int64(offset), 128 * kib), from: Int64(offset)))
                #expect(f.fileSystem.statistics.cachedBytes <= mib)
            }
            #expect(isPattern(try f.read(handle, at: 0, 128 * kib), from: 0))
            f.fileSystem.release(handle)
            #expect(opens(f) == [0, 0])
        }
    }

    @Test func `a file shorter than its listing says ends where it ends`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .bytes(Array("short".utf8)), announcedSize: 1000)
            let handle = try f.open("f")
            #expect(try f.read(handle, at: 0, 1000) == Array("short".utf8))
            #expect(try f.read(handle, at: 5, 100) == [])
            #expect(try f.fileSystem.attributes(of: f.inode("f"), handle: handle, request()).attributes.size == 5)
            f.fileSystem.release(handle)
        }
    }

    @Test func `of a longer one nothing beyond the listed size is shown`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .bytes(Array("longer than told".utf8)), announcedSize: 6)
            #expect(try f.load("f") == "longer")
        }
    }

    @Test func `a file of unknown size is read to its end, past the kernel's pages`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.showsSizes = false }
            f.store.put("f", .pattern(size: Int64(300 * kib)))
            let answer = try f.fileSystem.open(f.inode("f"), flags: .read, request())
            #expect(answer.directIO)
            #expect(try f.stat("f").size == 0)
            #expect(try f.read(answer.handle, at: 0, mib).count == 300 * kib)
            #expect(try f.read(answer.handle, at: Int64(300 * kib), 10) == [])
            #expect(try f.read(answer.handle, at: .max - 10, 10) == [])
            f.fileSystem.release(answer.handle)
        }
    }

    @Test func `a failed stream fails those who wait; the next read opens another`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(mib)))
            let handle = try f.open("f")
            f.store.setHook { call, _ throws(StoreError) in
                if case .read = call { throw StoreError(.timedOut, "no byte came") }
            }
            #expect(failure { _ = try f.read(handle, at: 0, 4096) } == .timedOut)
            f.store.setHook(nil)
            #expect(try f.read(handle, at: 0, 4096).count == 4096)
            f.fileSystem.release(handle)
        }
    }

    @Test func `a cancelled read is answered at once; others of the file go on`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(mib)))
            let handle = try f.open("f")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .read = call { blocker.pass(cancellation) }
            }
            let cancellation = Cancellation()
            let impatient = f.readLater(handle, at: 0, 4096, cancellation)
            let patient = f.readLater(handle, at: 0, 4096)
            #expect(blocker.waitForArrivals())

            cancellation.cancel()
            #expect(failure { _ = try impatient.value() } == .cancelled)
            #expect(!patient.isDone)

            blocker.open()
            #expect(try patient.value().count == 4096)
            f.fileSystem.release(handle)
        }
    }

    @Test func `a read cancelled before it begins is answered too`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(mib)))
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .openRead = call { blocker.pass(cancellation) }
            }
            let handle = try f.open("f")
            let cancellation = Cancellation()
            cancellation.cancel()
            #expect(failure { _ = try f.readLater(handle, at: 0, 10, cancellation).value() } == .cancelled)
            blocker.open()
            f.fileSystem.release(handle)
        }
    }

    @Test func `the last close ends a stuck stream`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: Int64(mib)))
            let handle = try f.open("f")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if case .read = call { blocker.pass(cancellation) }
            }
            let stuck = f.readLater(handle, at: 0, 4096)
            #expect(blocker.waitForArrivals())
            f.fileSystem.release(handle)
            #expect(failure { _ = try stuck.value() } == .cancelled)
            #expect(waitUntil { f.fileSystem.statistics.streams == 0 })
        }
    }

    @Test func `more files than threads: paused streams give way, and nobody hangs`() throws {
        try Fixture.run { (f) throws in
            let count = 40
            for index in 0..<count { f.store.put("f\(index)", .pattern(size: Int64(8 * mib))) }
            let handles = try (0..<count).map { try f.open("f\($0)") }
            for round in 0..<3 {
                for handle in handles { #expect(try f.read(handle, at: Int64(round * 4096), 4096).count == 4096) }
            }
            #expect(f.fileSystem.statistics.streams <= 32)
            for handle in handles { f.fileSystem.release(handle) }
        }
    }

    @Test func `a file that grows on the server shows what was added after the time to live`() throws {
        try Fixture.run { (f) throws in
            f.store.put("log", "one\n")
            let handle = try f.open("log")
            #expect(try f.read(handle, at: 0, 100) == Array("one\n".utf8))
            f.store.configure { $0.time.seconds += 20 }
            f.store.put("log", "one\ntwo\n")
            f.pass(.seconds(10))
            #expect(try f.fileSystem.attributes(of: f.inode("log"), handle: handle, request()).attributes.size == 8)
            #expect(try f.read(handle, at: 4, 100) == Array("two\n".utf8))
            f.fileSystem.release(handle)
        }
    }

    @Test func `the kernel keeps its pages as long as size and time are the same`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            func keeps() throws -> Bool {
                let answer = try f.fileSystem.open(f.inode("f"), flags: .read, request())
                f.fileSystem.release(answer.handle)
                return answer.keepCache
            }
            #expect(try !keeps())
            #expect(try keeps())
            f.pass(.seconds(10))
            #expect(try keeps())
            f.store.configure { $0.time.seconds += 1 }
            f.store.put("f", "2")
            f.pass(.seconds(10))
            #expect(try !keeps())
            #expect(try keeps())
        }
    }

    @Test func `a time cut to the minute is no proof within that minute`() throws {
        try Fixture.run { (f) throws in
            f.store.configure {
                $0.precision = .minute
                $0.time = Timestamp(seconds: 2_000_000_000)
            }
            f.store.put("f", "1")
            func keeps() throws -> Bool {
                let answer = try f.fileSystem.open(f.inode("f"), flags: .read, request())
                f.fileSystem.release(answer.handle)
                return answer.keepCache
            }
            _ = try keeps()
            #expect(try !keeps())
            f.pass(.seconds(120))
            #expect(try keeps())
        }
    }

    @Test func `a stuck transfer does not hold up a cached directory or another file`() throws {
        try Fixture.run { (f) throws in
            f.store.put("stuck", .pattern(size: Int64(mib)))
            f.store.put("fine", "text")
            let handle = try f.open("stuck")
            let blocker = Blocker()
            f.store.setHook { call, cancellation throws(StoreError) in
                if call == .read(path("stuck")) { blocker.pass(cancellation) }
            }
            let stuck = f.readLater(handle, at: 0, 10)
            #expect(blocker.waitForArrivals())

            #expect(try f.names() == ["stuck", "fine"])
            #expect(try f.load("fine") == "text")
            #expect(try f.stat("stuck").size == Int64(mib))

            blocker.open()
            _ = try stuck.value()
            f.fileSystem.release(handle)
        }
    }
}
