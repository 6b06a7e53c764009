import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

@Suite(.serialized, .timeLimit(.minutes(1))) struct AttributeTests {
    @Test func `what the server says, and what the mount adds`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "12345")
            f.store.putDirectory("d")
            f.store.putLink("l", to: "f")
            let file = try f.stat("f")
            #expect(file.size == 5)
            #expect(file.mode == 0o644)
            #expect(file.linkCount == 1)
            #expect(file.userID == 1000)
            #expect(file.groupID == 100)
            #expect(file.modified == Timestamp(seconds: 1_000_000_000))
            #expect(try f.stat("d").linkCount == 1)
            #expect(try f.stat("l").mode == 0o777)
            #expect(try f.stat("l").size == 1)
        }
    }

    @Test func `where the server says nothing there are defaults`() throws {
        try Fixture.run { (f) throws in
            f.store.configure {
                $0.showsModes = false
                $0.showsTimes = false
            }
            f.store.put("f", "12345")
            f.store.putDirectory("d")
            #expect(try f.stat("f").mode == 0o644)
            #expect(try f.stat("d").mode == 0o755)
            #expect(try f.stat("f").modified == Timestamp(seconds: 0))
        }
    }

    @Test func `set-user-id bits of the server's are not shown`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            try f.store.setMode(path("f"), to: 0o6755, cancellation: .init())
            #expect(try f.stat("f").mode == 0o755)
        }
    }

    @Test(arguments: [
        (UInt32?(0o600), UInt32?(0o700), UInt32?.none, UInt32(0o600), UInt32(0o700)),
        (nil, nil, 0o022, 0o644, 0o755), (nil, nil, 0o077, 0o600, 0o700), (0o666, 0o777, 0o027, 0o640, 0o750),
    ])
    func `file_mode, dir_mode and umask`(
        file: UInt32?, directory: UInt32?, umask: UInt32?, fileShown: UInt32, directoryShown: UInt32
    ) throws {
        try Fixture.run(configure: {
            $0.fileMode = file
            $0.dirMode = directory
            $0.umask = umask
        }) { (f) throws in
            f.store.put("f", "1")
            f.store.putDirectory("d")
            #expect(try f.stat("f").mode == fileShown)
            #expect(try f.stat("d").mode == directoryShown)
            #expect(try f.stat("").mode == directoryShown)
        }
    }

    // MARK: - Mode

    @Test func `chmod is stored, and costs nothing when it changes nothing`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            #expect(try f.change("f", AttributeChange(mode: 0o600)).mode == 0o600)
            #expect(f.store.shown("f")?.mode == 0o600)
            let calls = try f.store.calls { () throws in try f.change("f", AttributeChange(mode: 0o600)) }
            #expect(calls == [])
        }
    }

    @Test(arguments: [true, false]) func `where chmod is not supported it stays in view here`(isAnnounced: Bool) throws
    {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            if isAnnounced {
                f.store.setHook { call, _ throws(StoreError) in
                    if case .setMode = call { throw StoreError(.unsupported, "504") }
                }
            } else {
                f.store.configure { $0.capabilities.setsMode = false }
            }
            #expect(try f.change("f", AttributeChange(mode: 0o755)).mode == 0o755)
            f.pass(.seconds(10))
            #expect(try f.stat("f").mode == 0o755)
        }
    }

    @Test func `a chmod that the server denies is an error`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            f.store.setHook { call, _ throws(StoreError) in
                if case .setMode = call { throw StoreError(.denied, "550") }
            }
            #expect(failure { try f.change("f", AttributeChange(mode: 0o755)) } == .denied)
            #expect(try f.stat("f").mode == 0o644)
        }
    }

    // MARK: - Owner

    @Test(arguments: [
        (UInt32(1000), AttributeChange(userID: 1000, groupID: 100), StoreError.Kind?.none),
        (1000, AttributeChange(userID: 5), .notPermitted),
        (1000, AttributeChange(groupID: 5), nil),
        (0, AttributeChange(userID: 5, groupID: 5), nil),
    ])
    func `owners cannot be changed; who asks as root, or for a group, is not bothered`(
        user: UInt32, change: AttributeChange, kind: StoreError.Kind?
    ) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            #expect(failure { try f.change("f", change, user: user) } == kind)
            #expect(try f.stat("f").userID == 1000)
        }
    }

    // MARK: - Time

    @Test func `a time is stored, and a coarse listing does not hide it`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.precision = .minute }
            f.store.put("f", "1")
            let time = Timestamp(seconds: 1_234_567_891, nanoseconds: 5)
            #expect(try f.change("f", AttributeChange(modified: .to(time))).modified == time)
            f.pass(.seconds(10))
            #expect(try f.stat("f").modified == time)

            f.store.put("f", "2")
            f.pass(.seconds(10))
            #expect(try f.stat("f").modified == Timestamp(seconds: 999_999_960))
        }
    }

    @Test func `where times cannot be set they stay in view here, until the file changes`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.setsModificationTime = false }
            f.store.put("f", "1")
            let time = Timestamp(seconds: 1_234_567_891)
            #expect(try f.change("f", AttributeChange(modified: .to(time))).modified == time)
            f.pass(.seconds(10))
            #expect(try f.stat("f").modified == time)

            f.store.configure { $0.time.seconds += 100 }
            f.store.put("f", "2")
            f.pass(.seconds(10))
            #expect(try f.stat("f").modified == Timestamp(seconds: 1_000_000_100))
        }
    }

    @Test func `a written file keeps the time that the server could not take`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.setsModificationTime = false }
            try f.save("f", "data")
            let time = Timestamp(seconds: 1_234_567_891)
            try f.change("f", AttributeChange(modified: .to(time)))
            for _ in 0..<3 {
                f.pass(.seconds(10))
                #expect(try f.stat("f").modified == time)
            }
        }
    }

    @Test func `a directory's time that the server refuses is kept; a file's is an error`() throws {
        try Fixture.run { (f) throws in
            f.store.putDirectory("d")
            f.store.put("f", "1")
            f.store.setHook { call, _ throws(StoreError) in
                if case .setModificationTime = call { throw StoreError(.denied, "550") }
            }
            let time = Timestamp(seconds: 1_234_567_891)
            #expect(try f.change("d", AttributeChange(modified: .to(time))).modified == time)
            #expect(failure { try f.change("f", AttributeChange(modified: .to(time))) } == .denied)
        }
    }

    @Test func `times of links and of the root are kept here: the commands would follow the link`() throws {
        try Fixture.run { (f) throws in
            f.store.putLink("l", to: "f")
            let change = AttributeChange(mode: 0o700, modified: .to(Timestamp(seconds: 77)))
            #expect(try f.change("l", change).modified == Timestamp(seconds: 77))
            #expect(try f.change("", change).modified == Timestamp(seconds: 77))
            #expect(f.store.calls == [.list(.root)])
        }
    }

    // MARK: - Access and space

    @Test(arguments: [(UInt32(0o644), StoreError.Kind?.some(.denied)), (0o755, nil), (0o100, nil)])
    func `a file without an execute bit cannot be run, by root neither`(mode: UInt32, kind: StoreError.Kind?) throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "1")
            try f.change("f", AttributeChange(mode: mode))
            #expect(failure { try f.fileSystem.access(f.inode("f"), mask: 1, request(user: 0)) } == kind)
            #expect(failure { try f.fileSystem.access(f.inode("f"), mask: 6, request()) } == nil)
            #expect(failure { try f.fileSystem.access(.root, mask: 7, request()) } == nil)
        }
    }

}
