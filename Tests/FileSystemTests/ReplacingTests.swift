import FileSystem
import MemoryStore
import SystemPackage
import Testing
import Threading
import Vocabulary

/// A new content takes the place of an old one in one step.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ReplacingTests {
    /// The calls without the ones that only look, and with the temporary name called by one that a test can say.
    private func changes(_ calls: [MemoryStore.Call]) -> [String] {
        func shown(_ path: RemotePath) -> String {
            let name = path.name.map { TemporaryName.matches($0) ? "TEMPORARY" : "\($0)" } ?? ""
            return path.parent.isRoot ? name : "\(path.parent)/\(name)"
        }
        return calls.compactMap { call in
            switch call {
            case .openWrite(let path, .replace): "write \(shown(path))"
            case .openWrite(let path, .append): "append \(shown(path))"
            case .openWrite(let path, .at(let offset)): "write \(shown(path)) at \(offset)"
            case .rename(let path, let target): "rename \(shown(path)) to \(shown(target))"
            case .setMode(let path, let mode): "mode of \(shown(path)) \(String(mode, radix: 8))"
            case .setModificationTime(let path, _): "time of \(shown(path))"
            case .removeFile(let path): "remove \(shown(path))"
            default: nil
            }
        }
    }

    private func replace(_ f: Fixture, _ file: String = "f", with text: String = "new") throws -> [String] {
        _ = try f.stat(file)
        return changes(
            try f.store.calls { () throws in
                let handle = try f.open(file, [.write, .truncate])
                try f.write(handle, at: 0, text)
                try f.close(handle)
            })
    }

    @Test func `the old content is there until the new one is complete`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            f.store.setHook { call, _ throws(StoreError) in
                if case .rename = call { #expect(f.store.text("f") == "old") }
            }
            #expect(try replace(f) == ["write TEMPORARY", "rename TEMPORARY to f"])
            #expect(f.store.text("f") == "new")
            #expect(f.store.names() == ["f"])
        }
    }

    @Test func `whatever breaks before, the old content stays and nothing is left over`() throws {
        for broken in ["write", "send", "finish", "rename"] {
            try Fixture.run(keepsSpool: true) { (f) throws in
                f.store.put("f", "old")
                let handle = try f.open("f", [.write, .truncate])
                try f.write(handle, at: 0, "new")
                f.store.setHook { call, _ throws(StoreError) in
                    let isBroken =
                        switch call {
                        case .openWrite: broken == "write"
                        case .send: broken == "send"
                        case .finish: broken == "finish"
                        case .rename: broken == "rename"
                        default: false
                        }
                    if isBroken { throw StoreError(.inputOutput, "the connection was lost") }
                }
                #expect(failure { try f.close(handle) } == .inputOutput, "\(broken)")
                #expect(f.store.text("f") == "old", "\(broken)")
                #expect(f.store.names() == ["f"], "\(broken)")
                #expect(try f.load("f") == "old")
            }
        }
    }

    @Test func `a second try after a break is complete`() throws {
        for broken in ["send", "finish", "rename"] {
            try Fixture.run { (f) throws in
                f.store.put("f", "old")
                let handle = try f.open("f", [.write, .truncate])
                try f.write(handle, at: 0, "new")
                let left = Monitor(1)
                f.store.setHook { call, _ throws(StoreError) in
                    let isBroken =
                        switch call {
                        case .send: broken == "send"
                        case .finish: broken == "finish"
                        case .rename: broken == "rename"
                        default: false
                        }
                    guard isBroken else { return }
                    let fails = left.withLock { left in
                        left -= 1
                        return left >= 0
                    }
                    if fails { throw StoreError(.inputOutput, "the connection was lost") }
                }
                #expect(failure { try f.fileSystem.fsync(handle, request()) } == .inputOutput)
                try f.close(handle)
                #expect(f.store.text("f") == "new")
                #expect(f.store.names() == ["f"])
            }
        }
    }

    @Test func `the mode of the old file is kept`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            try f.change("f", AttributeChange(mode: 0o755))
            #expect(
                try replace(f) == ["write TEMPORARY", "mode of TEMPORARY 755", "rename TEMPORARY to f"])
            #expect(f.store.shown("f")?.mode == 0o755)
            #expect(try f.stat("f").mode == 0o755)
        }
    }

    @Test func `no mode is sent where the server gives the right one`() throws {
        try Fixture.run { (f) throws in
            for file in ["a", "b", "c"] { f.store.put(file, "old") }
            // One look, at the first one, tells what it gives.
            let first = try f.store.calls { () throws in _ = try replace(f, "a") }
            #expect(first.count { if case .look = $0 { true } else { false } } == 1)
            let second = try f.store.calls { () throws in _ = try replace(f, "b") }
            #expect(second.count { if case .look = $0 { true } else { false } } == 0)
            #expect(try replace(f, "c") == ["write TEMPORARY", "rename TEMPORARY to c"])
        }
    }

    @Test func `an empty file, or a new one, has nothing to lose`() throws {
        try Fixture.run { (f) throws in
            f.store.put("empty", "")
            #expect(try replace(f, "empty") == ["write empty"])
            #expect(changes(try f.store.calls { () throws in try f.save("other", "x") }) == ["write other"])
        }
    }

    @Test func `emptying a file is one command`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            _ = try f.names()
            let calls = try f.store.calls { () throws in try f.change("f", AttributeChange(size: 0)) }
            #expect(calls == [.openWrite(path("f"), .replace), .finish(path("f"))])
            f.store.put("g", "old")
            f.pass(.seconds(100))
            _ = try f.names()
            let opened = try f.store.calls { () throws in try f.close(f.open("g", [.write, .truncate])) }
            #expect(opened == [.openWrite(path("g"), .replace), .finish(path("g"))])
        }
    }

    @Test func `inplace writes over the old content`() throws {
        try Fixture.run(configure: { $0.replacesInPlace = true }) { (f) throws in
            f.store.put("f", "old")
            #expect(try replace(f) == ["write f"])
            #expect(f.store.text("f") == "new")
        }
    }

    @Test func `a directory that takes no other names is written in place, from then on at once`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/f", "old")
            f.store.put("e/f", "old")
            f.store.setHook { call, _ throws(StoreError) in
                if case .openWrite(let path, _) = call, path.name.map(TemporaryName.matches) == true,
                    path.parent == MemoryStore.path("d")
                {
                    throw StoreError(.denied, "no new files here")
                }
            }
            #expect(try replace(f, "d/f") == ["write /d/TEMPORARY", "write /d/f"])
            #expect(f.store.text("d/f") == "new")
            #expect(try replace(f, "d/f", with: "newer") == ["write /d/f"])
            #expect(try replace(f, "e/f").first == "write /e/TEMPORARY")
        }
    }

    @Test func `a server that takes no rename at all gets it in place`() throws {
        try Fixture.run { (f) throws in
            f.store.put("f", "old")
            f.store.setHook { call, _ throws(StoreError) in
                if case .rename = call { throw StoreError(.denied, "no") }
            }
            #expect(
                try replace(f) == ["write TEMPORARY", "rename TEMPORARY to f", "remove TEMPORARY", "write f"])
            #expect(f.store.text("f") == "new")
            #expect(f.store.names() == ["f"])
        }
    }

    // MARK: - What is left over

    @Test func `a name that was left over does not show, and does not keep its directory`() throws {
        try Fixture.run { (f) throws in
            f.store.put("d/.ftpfs-0123456789abcdef-report.txt", "half")
            f.store.put("d/.ftpfs-mine", "a name of somebody else's")
            #expect(try f.names("d") == [".ftpfs-mine"])
            #expect(try !f.exists("d/.ftpfs-0123456789abcdef-report.txt"))
            #expect(failure { try f.rmdir("d") } == .notEmpty)
            try f.unlink("d/.ftpfs-mine")
            try f.rmdir("d")
            #expect(f.store.names() == [])
        }
    }

    /// The next rename to the file is done, or not, and its answer lost.
    private func loseAnswer(_ f: Fixture, isDone: Bool) {
        let isFirst = Monitor(true)
        let store = f.store
        store.setHook { (call, cancellation) throws(StoreError) in
            guard case .rename(let source, let target) = call else { return }
            let strikes = isFirst.withLock { first in
                defer { first = false }
                return first
            }
            guard strikes else { return }
            if isDone { try store.rename(source, to: target, replacing: true, cancellation: cancellation) }
            throw StoreError(.timedOut, "no answer")
        }
    }

    @Test(arguments: [true, false])
    func `a rename whose answer was lost is not taken for one that the directory refuses`(isDone: Bool) throws {
        try Fixture.run { (f) throws in try replaceWithLostAnswer(f, isDone) }
    }

    private func replaceWithLostAnswer(_ f: Fixture, _ isDone: Bool) throws {
        f.store.put("f", "old")
        let handle = try f.open("f", [.write, .truncate])
        try f.write(handle, at: 0, "new content")
        loseAnswer(f, isDone: isDone)
        let kind = failure { try f.fileSystem.fsync(handle, request()) }
        #expect(kind == .timedOut)
        let between = f.store.text("f")
        #expect(between == (isDone ? "new content" : "old"))
        let again = changes(try f.store.calls { () throws in try f.fileSystem.fsync(handle, request()) })
        // What was done is seen, and what was not is repeated; nothing is sent again.
        #expect(again.count { $0.hasPrefix("write") } == 0)
        #expect(f.store.text("f") == "new content")
        // The next one goes beside the file, as before.
        try f.write(handle, at: 0, "NEW content")
        let next = changes(try f.store.calls { () throws in try f.close(handle) })
        #expect(next.first == "write TEMPORARY")
        #expect(f.store.text("f") == "NEW content")
    }
}
