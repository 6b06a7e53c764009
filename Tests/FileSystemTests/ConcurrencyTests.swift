import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(3))) struct ConcurrencyTests {
    /// Writers, readers, and somebody who renames the directory above them all, at the same time.
    @Test func `files are what was written to them, while directories move and names are forgotten`() throws {
        try Fixture.run { (f) throws in
            f.store.putDirectory("home/work")
            let home = try f.inode("home")
            let work = try f.inode("home/work")
            let writers = try (0..<6).map { writer in
                try Background {
                    for round in 0..<25 {
                        let file = name("w\(writer)-\(round % 5)")
                        let created = try f.fileSystem.create(
                            file, in: work, mode: 0o644, flags: [.read, .write, .truncate], request())
                        let handle = created.open.handle
                        let bytes = [UInt8](repeating: UInt8(writer * 25 + round), count: 1000 + round * 7000)
                        try f.write(handle, at: 0, bytes)
                        try f.fileSystem.flush(handle, request())
                        try f.write(handle, at: Int64(bytes.count), "end")
                        guard try f.read(handle, at: 0, 1 << 20) == bytes + Array("end".utf8) else {
                            throw StoreError(.protocolViolation, "read something else than was written")
                        }
                        try f.close(handle)
                        f.fileSystem.forget(created.entry.attributes.inode, count: 1)
                        if round % 4 == 3 { try f.fileSystem.unlink(file, in: work, request()) }
                    }
                }
            }
            let isOver = Monitor(false)
            let mover = try Background {
                var names = (name("work"), name("moved"))
                while !isOver.withLock({ $0 }) {
                    try f.fileSystem.rename(names.0, in: home, to: names.1, in: home, options: [], request())
                    names = (names.1, names.0)
                }
                return "\(names.0)"
            }
            let lister = try Background {
                while !isOver.withLock({ $0 }) {
                    f.pass(.seconds(1))
                    let handle = try f.fileSystem.openDirectory(work, request()).handle
                    for item in try f.items(handle, withAttributes: true).dropFirst(2) {
                        f.fileSystem.forget(item.inode, count: 1)
                    }
                    f.fileSystem.releaseDirectory(handle)
                }
            }
            for writer in writers { try writer.value() }
            isOver.withLock { $0 = true }
            let place = "home/\(try mover.value())"
            try lister.value()

            // The last round that wrote each file; those of rounds 3, 7, … were removed again.
            let left = (0..<25).suffix(5).filter { $0 % 4 != 3 }
            let expected = (0..<6).flatMap { writer in left.map { "w\(writer)-\($0 % 5)" } }
            #expect(f.store.names(place).sorted() == expected.sorted())
            for writer in 0..<6 {
                for round in left {
                    let bytes = [UInt8](repeating: UInt8(writer * 25 + round), count: 1000 + round * 7000)
                    #expect(f.store.content("\(place)/w\(writer)-\(round % 5)") == bytes + Array("end".utf8))
                }
            }
        }
    }

    /// Everything fails now and then; nothing may hang, and nothing may be left over.
    @Test func `a server that fails at random leaves nothing behind`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            for index in 0..<8 { f.store.put("d/f\(index)", .pattern(size: Int64(index) * 300_000)) }
            let count = Monitor(UInt64(0))
            f.store.setHook { _, _ throws(StoreError) in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                if number % 7 == 0 { throw StoreError(number % 2 == 0 ? .inputOutput : .denied, "every seventh call") }
            }
            let workers = try (0..<6).map { worker in
                try Background {
                    for round in 0..<60 {
                        let file = "d/f\((worker + round) % 8)"
                        _ = try? f.names("d")
                        if let handle = try? f.open(file, round % 3 == 0 ? [.read, .write] : .read) {
                            _ = try? f.read(handle, at: Int64(round * 1000), 200_000)
                            if round % 3 == 0 { try? f.write(handle, at: Int64(round), "x") }
                            try? f.close(handle)
                        }
                        if round % 10 == worker { try? f.rename(file, "d/f\(round % 8)") }
                        if round % 10 == worker + 1 { try? f.unlink(file) }
                        f.pass(.seconds(1))
                    }
                }
            }
            for worker in workers { try worker.value() }
            #expect(f.fileSystem.statistics.handles == 0)
        }
    }
}
