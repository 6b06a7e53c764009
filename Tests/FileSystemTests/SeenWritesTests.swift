import FileSystem
import MemoryStore
import Testing
import Threading

@testable import FileSystem

/// What a server does to a file of which a part is written is looked at once.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SeenWritesTests {
    private static let mega: Int64 = 1 << 20

    private func put(_ f: Fixture, _ file: String, megabytes: Int) -> [UInt8] {
        let content = [UInt8](repeating: 7, count: megabytes << 20)
        f.store.put(file, .bytes(content))
        return content
    }

    @Test(
        arguments: [(nil, .open, true), (10, .proven, false), (11, .open, true), (9, .broken, false)]
            as [(Int64?, SeenWrites.Finding, Bool)])
    func `the size tells`(size: Int64?, finding: SeenWrites.Finding, staysOpen: Bool) {
        var seen = SeenWrites()
        #expect(seen.note(.patch, size: size, expected: 10) == finding)
        #expect(seen.isOpen(.patch) == staysOpen)
        #expect(seen.isBroken(.patch) == (finding == .broken))
        #expect(seen.isOpen(.append))
    }

    @Test func `a server that is not known is looked at after the first append`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.isProven = false }
            f.store.put("log", "start\n")
            func append() throws -> Int {
                try f.store.calls { () throws in
                    let handle = try f.open("log", [.write, .append])
                    try f.write(handle, at: 0, "line\n")
                    try f.close(handle)
                }.count { $0 == .size(path("log")) }
            }
            // One before it, one behind it; the next one needs neither.
            #expect(try append() == 2)
            #expect(try append() == 0)
        }
    }

    @Test func `where a patch was seen to cut the file, the error says so, and the next one goes another way`() throws {
        try Fixture.run(keepsSpool: true) { (f) throws in
            let content = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 3 * Self.mega, "ABCD")
            // It was said to keep the rest, and does not.
            f.store.setHook { (call, _) throws(StoreError) in
                if case .openWrite(_, .at) = call { f.store.configure { $0.keepsTail = false } }
            }
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .inputOutput)
            f.store.put("f", .bytes(content))
            let calls = f.store.calls { () in _ = failure { try f.fileSystem.fsync(handle, request()) } }
            #expect(!calls.contains { if case .openWrite(_, .at) = $0 { true } else { false } })
            f.fileSystem.release(handle)
        }
    }

    @Test func `the first bytes alone are sent where the server can be told so`() throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.replacesStart = true }
            var content = put(f, "f", megabytes: 8)
            _ = try f.names()
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 0, "ABCD")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            content.replaceSubrange(0..<4, with: Array("ABCD".utf8))
            #expect(calls.contains(.openWrite(path("f"), .over(4))))
            #expect(f.store.content("f") == content)
            #expect(f.store.bytesRead == 0)
        }
    }

    @Test func `elsewhere all of it is sent`() throws {
        try Fixture.run { (f) throws in
            var content = put(f, "f", megabytes: 8)
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 0, "ABCD")
            try f.close(handle)
            content.replaceSubrange(0..<4, with: Array("ABCD".utf8))
            #expect(f.store.content("f") == content)
            #expect(f.store.bytesRead >= 8 * Self.mega - 4)
        }
    }
}
