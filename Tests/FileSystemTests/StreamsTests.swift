import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

private let kib = 1 << 10
private let mib = 1 << 20

/// Several readers of one file at distant places.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StreamsTests {
    private func opens(_ f: Fixture) -> [Int64] {
        f.store.calls.compactMap { if case .openRead(_, let offset) = $0 { offset } else { nil } }
    }

    /// Looks at some bytes, the first and the last among them; the pattern repeats at another distance.
    private func isPattern(_ bytes: [UInt8], from offset: Int64) -> Bool {
        (Array(stride(from: 0, to: bytes.count, by: 997)) + [bytes.count - 1]).allSatisfy {
            bytes[$0] == Content.patternByte(at: offset + Int64($0))
        }
    }

    @Test(arguments: [(spare: 3, most: 6), (spare: 0, most: 1000)])
    func `distant sequential readers keep a stream each, if connections can be spared`(spare: Int, most: Int) throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.spareStreams = spare }
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            func read(_ base: Int, _ step: Int) throws {
                let offset = Int64(base + step * 128 * kib)
                #expect(isPattern(try f.read(handle, at: offset, 128 * kib), from: offset))
            }
            let bases = [0, 300 * mib, 600 * mib]
            // Three in a row of each show that it goes on: else it is taken for a jump, and how many streams that costs depends on
            // how far one has come by then.
            for base in bases { for step in 0..<3 { try read(base, step) } }
            for step in 3..<40 { for base in bases { try read(base, step) } }
            #expect(f.fileSystem.statistics.streams <= spare + 1)
            #expect(opens(f).count <= most)
            f.fileSystem.release(handle)
        }
    }

    @Test func `many readers at random places at once all get their bytes`() throws {
        try Fixture.run(configure: { $0.cacheSize = 2 << 20 }) { (f) throws in
            f.store.configure { $0.spareStreams = 2 }
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            let readers = try (0..<8).map { reader in
                try Background { () -> Bool in
                    for round in 0..<60 {
                        // Some go on where they were, some jump, some read back.
                        let jump = (reader * 131 + (round / 7) * 17) % 1000
                        let offset = Int64(jump * mib + (round % 7) * (reader % 3 == 0 ? -90 : 150) * kib + mib)
                        let length = reader % 2 == 0 ? 200 * kib : 5000
                        let bytes = try f.read(handle, at: offset, length)
                        guard bytes.count == length, isPattern(bytes, from: offset) else { return false }
                    }
                    return true
                }
            }
            for reader in readers { #expect(try reader.value()) }
            f.fileSystem.release(handle)
        }
    }

    @Test func `a read that a stream left half done is taken up by the next`() throws {
        try Fixture.run { (f) throws in
            f.store.configure {
                $0.spareStreams = 0
                $0.readLimit = 10_000
            }
            f.store.put("f", .pattern(size: 1 << 30))
            let handle = try f.open("f")
            let reads = [0, 600 * mib, 100 * kib, 600 * mib + 50 * kib, 130 * kib, 5].map {
                ($0, f.readLater(handle, at: Int64($0), 128 * kib))
            }
            for (offset, read) in reads { #expect(isPattern(try read.value(), from: Int64(offset))) }
            f.fileSystem.release(handle)
        }
    }

    @Test func `the memory stays within its bound, whatever is read at once`() throws {
        try Fixture.run(configure: { $0.cacheSize = 8 << 20 }) { (f) throws in
            for file in 0..<20 { f.store.put("f\(file)", .pattern(size: Int64(6 * mib))) }
            let readers = try (0..<20).map { file in
                try Background { try f.bytes("f\(file)").count }
            }
            var most = 0
            while !readers.allSatisfy(\.isDone) { most = max(most, f.fileSystem.statistics.cachedBytes) }
            for reader in readers { #expect(try reader.value() == 6 * mib) }
            #expect(most <= 8 << 20)
        }
    }
}
