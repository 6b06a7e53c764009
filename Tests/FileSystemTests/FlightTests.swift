import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Writes for which the size is asked, and the rest is done, in the flight of the bytes.
@Suite(.serialized, .timeLimit(.minutes(1))) struct FlightTests {
    private func run(_ body: (Fixture) throws -> Void) throws {
        try Fixture.run { (f) throws in
            f.store.configure { $0.capabilities.looksInFlight = true }
            try body(f)
        }
    }

    private func append(_ f: Fixture, _ text: String) throws -> [MemoryStore.Call] {
        try f.store.calls { () throws in
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, text)
            try f.close(handle)
        }
    }

    private func appending(_ range: Range<Int64>) -> [MemoryStore.Call] {
        [.openWrite(path("log"), .append), .send(path("log"), range), .finish(path("log"))]
    }

    // MARK: - Appending

    @Test func `what is written with O_APPEND waits for no look`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            #expect(try append(f, "line\n") == appending(6..<11))
            #expect(f.store.text("log") == "start\nline\n")
            #expect(try f.stat("log").size == 11)
        }
    }

    @Test func `behind what somebody else has appended meanwhile it is as long as it is there`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.put("log", "start\nother\n")
            #expect(try append(f, "line\n") == appending(6..<11))
            #expect(f.store.text("log") == "start\nother\nline\n")
            #expect(try f.stat("log").size == 17)
            #expect(try f.load("log") == "start\nother\nline\n")
        }
    }

    @Test func `to a file that was moved away it makes a new one`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.remove("log")
            #expect(try append(f, "line\n") == appending(6..<11))
            #expect(f.store.text("log") == "line\n")
            #expect(try f.stat("log").size == 5)
        }
    }

    @Test func `bytes that belong to their offset are looked for a place first`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.put("log", "start\nother\n")
            let handle = try f.open("log", [.read, .write])
            try f.write(handle, at: 6, "line\n")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(calls.first == .size(path("log")))
            #expect(!calls.contains(.openWrite(path("log"), .append)))
            #expect(f.store.text("log") == "start\nline\n\n")
        }
    }

    /// The first bytes leave with the command, so a command of which nobody knows what became may have brought them.
    @Test func `an append is never sent twice when only the answer to its command was lost`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.setHook { call, _ throws(StoreError) in
                guard case .openWrite = call else { return }
                f.store.setHook(nil)
                f.store.put("log", "start\nline\n")
                throw StoreError(.inputOutput, "the connection was lost")
            }
            #expect(try append(f, "line\n") == [.openWrite(path("log"), .append), .size(path("log"))])
            #expect(f.store.text("log") == "start\nline\n")
        }
    }

    @Test func `and only the rest when a part has arrived`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.setHook { call, _ throws(StoreError) in
                guard case .openWrite = call else { return }
                f.store.setHook(nil)
                f.store.put("log", "start\nli")
                throw StoreError(.inputOutput, "the connection was lost")
            }
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .inputOutput)
            #expect(try f.store.calls { () throws in try f.close(handle) }.contains(.send(path("log"), 8..<11)))
            #expect(f.store.text("log") == "start\nline\n")
        }
    }

    @Test func `a refused append has changed nothing and can be made again`() throws {
        try run { f in
            f.store.put("log", "start\n")
            _ = try f.names()
            f.store.setHook { call, _ throws(StoreError) in
                guard case .openWrite = call else { return }
                f.store.setHook(nil)
                throw StoreError(.denied, "no")
            }
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .denied)
            let calls = try f.store.calls { () throws in try f.fileSystem.fsync(handle, request()) }
            #expect(calls == appending(6..<11))
            try f.close(handle)
            #expect(f.store.text("log") == "start\nline\n")
        }
    }

    // MARK: - Patching

    private func content(_ length: Int) -> [UInt8] { (0..<length).map { UInt8(truncatingIfNeeded: $0) } }

    @Test func `a patch asks for the size with its command and behind its last byte`() throws {
        try run { f in
            f.store.configure { $0.doesErrands = true }
            var expected = content(8 << 20)
            f.store.put("f", .bytes(expected))
            _ = try f.names()
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 3 << 20, "ABCD")
            let calls = try f.store.calls { () throws in try f.close(handle) }
            expected.replaceSubrange(3 << 20..<(3 << 20) + 4, with: Array("ABCD".utf8))
            #expect(f.store.content("f") == expected)
            #expect(
                calls == [
                    .probe, .openWrite(path("f"), .at(3 << 20)), .send(path("f"), 3 << 20..<(3 << 20) + 4),
                    .finish(path("f")),
                ])
        }
    }

    @Test func `a file that is not the one we knew is not patched`() throws {
        try run { f in
            f.store.put("f", .bytes(content(8 << 20)))
            _ = try f.names()
            let handle = try f.open("f", [.read, .write])
            try f.write(handle, at: 3 << 20, "ABCD")
            var other = [UInt8](repeating: 7, count: 9 << 20)
            f.store.put("f", .bytes(other))
            let calls = try f.store.calls { () throws in try f.close(handle) }
            other.replaceSubrange(3 << 20..<(3 << 20) + 4, with: Array("ABCD".utf8))
            #expect(f.store.content("f") == other)
            #expect(calls.contains(.size(path("f"))))
            #expect(!calls.contains(.send(path("f"), 3 << 20..<(3 << 20) + 4)))
        }
    }

    // MARK: - Times and modes

    @Test(arguments: [true, false])
    func `what is wished before the close is set once, with the last byte or behind it`(isInFlight: Bool) throws {
        try run { f in
            f.store.configure { $0.doesErrands = isInFlight }
            let time = Timestamp(seconds: 500_000_000)
            _ = try f.names()
            let handle = try f.create("new")
            try f.write(handle, at: 0, "text")
            _ = try f.change("new", AttributeChange(modified: .to(time)))
            let calls = try f.store.calls { () throws in try f.close(handle) }
            #expect(calls.contains(.setModificationTime(path("new"), time)) == !isInFlight)
            #expect(try f.stat("new").modified == time)
            f.pass(.seconds(60))
            #expect(try f.stat("new").modified == time)
        }
    }

    @Test func `a time that was set with a transfer that then failed is set again`() throws {
        try run { f in
            f.store.configure { settings in
                settings.doesErrands = true
                settings.capabilities.isProven = false
            }
            let time = Timestamp(seconds: 500_000_000)
            f.store.put("log", "start\n")
            _ = try f.names()
            let handle = try f.open("log", [.write, .append])
            try f.write(handle, at: 0, "line\n")
            _ = try f.change("log", AttributeChange(modified: .to(time)))
            // The look behind the first append, which makes sure that it is what it should be, fails.
            let sizes = Monitor(0)
            f.store.setHook { call, _ throws(StoreError) in
                guard case .size = call else { return }
                let count = sizes.withLock { sizes -> Int in
                    sizes += 1
                    return sizes
                }
                if count == 2 { throw StoreError(.timedOut, "no answer") }
            }
            #expect(failure { try f.fileSystem.fsync(handle, request()) } == .timedOut)
            try f.close(handle)
            #expect(f.store.text("log") == "start\nline\n")
            #expect(try f.stat("log").modified == time)
        }
    }
}
