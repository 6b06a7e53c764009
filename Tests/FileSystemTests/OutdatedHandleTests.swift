import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// A file that is found to be another one on the server, while it is being read.
///
/// The request that finds it out may be the kernel's read-ahead, whose error no program hears of.
@Suite(.serialized, .timeLimit(.minutes(1))) struct OutdatedHandleTests {
    @Test func `who has it open gets no byte more of it; who opens it again gets the new one`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 8 << 20))
            let (reader, other) = (try f.open("f"), try f.open("f"))
            _ = try f.read(reader, at: 0, 4096)
            // Whatever is read from now on.
            f.store.setHook { call, _ throws(StoreError) in
                if case .read = call { throw StoreError(.changedRemotely, "it is another one") }
            }
            #expect(failure { _ = try f.read(reader, at: 6 << 20, 4096) } == .changedRemotely)
            f.store.setHook(nil)
            f.store.put("f", "the new content")
            for handle in [reader, other] {
                for offset in [0, 4096, 6 << 20] as [Int64] {
                    #expect(failure { _ = try f.read(handle, at: offset, 4096) } == .changedRemotely)
                }
                f.fileSystem.release(handle)
            }
            #expect(try f.load("f") == "the new content")
        }
    }

    @Test func `a file that is renamed here while it is read is the same file`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", .pattern(size: 8 << 20))
            let reader = try f.open("f")
            _ = try f.read(reader, at: 0, 4096)
            // What was opened under the old name is not there any more.
            let isFirst = Monitor(true)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .read = call else { return }
                let fails = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if fails { throw StoreError(.changedRemotely, "it is not there") }
            }
            try f.rename("f", "g")
            #expect(try f.read(reader, at: 300 << 10, 4096).count == 4096)
            #expect(try f.read(reader, at: 6 << 20, 4096).count == 4096)
            f.fileSystem.release(reader)
        }
    }
}
