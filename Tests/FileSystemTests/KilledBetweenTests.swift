import MemoryStore
import Testing
import Threading
import Vocabulary

@testable import FileSystem

/// A mount is killed between what the server has done and the record that says so. The next one looks: what was done is
/// not done again, nothing is lost, and nothing that is our own is taken for somebody else's.
@Suite(.serialized, .timeLimit(.minutes(2))) struct KilledBetweenTests {
    /// Whether the server had carried the command out when the mount was killed.
    enum Moment: CaseIterable, Sendable {
        case before
        case after
    }

    /// Runs `body` against a mount that is killed when a call comes that `isIt` is true for.
    ///
    /// - Parameter effect: what the server has done by then.
    /// - Parameter body: makes that call.
    /// - Parameter next: gets the mount that follows, with nothing left to be sent.
    private func kill(
        _ f: Fixture, at isIt: @escaping @Sendable (MemoryStore.Call) -> Bool, effect: () -> Void,
        during body: @escaping @Sendable () throws -> Void, next: (Fixture) throws -> Void
    ) throws {
        let blocker = Blocker()
        f.store.setHook { call, cancellation throws(StoreError) in
            guard isIt(call) else { return }
            blocker.pass(cancellation)
            throw StoreError(.denied, "too late")
        }
        let former = try Background { try? body() }
        #expect(blocker.waitForArrivals())
        f.store.setHook(nil)
        effect()
        f.pass(.seconds(20))
        // A file that was open at the end is kept, also if the server has it.
        try f.afterACrash(keepsSpool: true) { (mount) throws in
            let isSent = mount.fileSystem.waitForUploads(until: .after(.seconds(10)))
            #expect(isSent, "\(mount.fileSystem.pendingUploads)")
            try next(mount)
        }
        blocker.open()
        _ = try former.value()
    }

    @Test(arguments: Moment.allCases)
    func `a file that waits is replaced by a rename`(_ moment: Moment) throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "0")
            try f.save("f", "waits")
            try f.save("new", "newer")
            try kill(
                f, at: { if case .rename = $0 { true } else { false } },
                effect: {
                    guard moment == .after else { return }
                    f.store.put("f", "newer")
                    f.store.remove("new")
                },
                during: { try f.rename("new", "f") },
                next: { (mount) throws in
                    #expect(f.store.text("f") == (moment == .after ? "newer" : "waits"))
                    #expect(f.store.names().sorted() == (moment == .after ? ["f"] : ["f", "new"]))
                    #expect(try mount.names().sorted() == f.store.names().sorted())
                    #expect(try mount.load("f") == f.store.text("f"))
                })
        }
    }

    @Test(arguments: Moment.allCases)
    func `a file that waits is removed`(_ moment: Moment) throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "0")
            try f.save("f", "waits")
            try kill(
                f, at: { if case .removeFile = $0 { true } else { false } },
                effect: { if moment == .after { f.store.remove("f") } },
                during: { try f.unlink("f") },
                next: { (mount) throws in
                    #expect(f.store.names() == (moment == .after ? [] : ["f"]))
                    #expect(f.store.text("f") == (moment == .after ? nil : "waits"))
                    #expect(try mount.exists("f") == (moment == .before))
                })
        }
    }

    @Test func `a removal that the server has refused is none for the next mount either`() throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "0")
            try f.save("f", "waits")
            f.store.setHook { call, _ throws(StoreError) in
                if case .removeFile = call { throw StoreError(.denied, "no") }
            }
            #expect(failure { try f.unlink("f") } == .denied)
            f.store.setHook(nil)
            f.store.remove("f")
            try f.afterACrash { (next) throws in
                #expect(next.fileSystem.waitForUploads(until: .after(.seconds(10))))
                #expect(f.store.text("f") == "waits")
            }
        }
    }

    @Test(arguments: [10, 70_000, 300_000])
    func `a content that no program had closed was sent, the one before comes back`(_ length: Int) throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "0")
            try f.save("f", "closed")
            let handle = try f.open("f", [.write, .truncate])
            let open = String(repeating: "unclosed ", count: length / 9)
            try f.write(handle, at: 0, open)
            try kill(
                f, at: { if case .rename = $0 { true } else { false } },
                effect: { f.store.put("f", open) },
                during: { _ = f.fileSystem.waitForUploads(until: .after(.seconds(10))) },
                next: { (_) throws in
                    #expect(f.store.text("f") == "closed")
                    #expect(f.store.names().filter { !$0.hasPrefix(".ftpfs-") } == ["f"])
                })
        }
    }

    @Test func `what somebody else has written since is left alone, also when a transfer of ours had begun`() throws {
        try WriteBackTests.run(keepsSpool: true) { (f) throws in
            f.store.put("f", "0")
            try f.save("f", "ours")
            try kill(
                f, at: { if case .rename = $0 { true } else { false } },
                effect: { f.store.put("f", "theirs, longer") },
                during: { _ = f.fileSystem.waitForUploads(until: .after(.seconds(10))) },
                next: { (_) throws in
                    #expect(f.store.text("f") == "theirs, longer")
                    let ours = f.store.names().filter { $0.hasPrefix("f.conflict-") }
                    #expect(ours.map { f.store.text($0) } == ["ours"])
                })
        }
    }

    @Test func `a file that was sent has no record when somebody can rename it`() throws {
        try WriteBackTests.run(WriteBackTests.atOnce, keepsSpool: true) { (f) throws in
            for round in 0..<20 {
                try f.save("f", "\(round)")
                _ = waitUntil { f.store.text("f") == "\(round)" }
                // The worker may not have come back from sending it.
                try f.rename("f", "g")
                let notes = try f.putAside.map { try f.spooled("lost+found/\($0).txt") }
                #expect(notes == [])
                try f.afterACrash(keepsSpool: true) { (next) throws in
                    #expect(next.fileSystem.pendingUploads.isEmpty)
                    #expect(try next.names() == ["g"])
                }
            }
        }
    }
}

/// The target of a rename that is open, and whose last handle is closed before the rename fails.
@Suite(.timeLimit(.minutes(1))) struct ClosedTargetTests {
    @Test(arguments: [true, false])
    func `it has its name and its content again`(isForgotten: Bool) throws {
        try Fixture.run { (f) throws in
            f.store.put("target", "precious")
            f.store.put("source", "new")
            let handle = try f.open("target", .read)
            let (blocker, number) = (Blocker(), try f.inode("target"))
            f.store.setHook { call, cancellation throws(StoreError) in
                guard call == .rename(path("source"), to: path("target")) else { return }
                blocker.pass(cancellation)
                throw StoreError(.denied, "no")
            }
            let rename = try Background { failure { try f.rename("source", "target") } }
            #expect(blocker.waitForArrivals())
            try f.close(handle)
            if isForgotten { f.fileSystem.forget(number, count: 100) }
            blocker.open()

            #expect(try rename.value() == .denied)
            #expect(f.store.text("target") == "precious")
            #expect(f.store.names().sorted() == ["source", "target"])
            #expect(try f.load("target") == "precious")
            f.store.setHook(nil)
            try f.rename("source", "target")
            #expect(f.store.names() == ["target"])
        }
    }
}
