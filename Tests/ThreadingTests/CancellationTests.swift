import Synchronization
import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A cancellation reaches everybody who asked for it, once, whenever they asked.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CancellationTests {
    /// Counts how often handlers ran.
    private final class Count: Sendable {
        let value = Atomic(0)
        func add() { value.add(1, ordering: .sequentiallyConsistent) }
        var total: Int { value.load(ordering: .sequentiallyConsistent) }
    }

    @Test func aHandlerRegisteredBeforeRunsOnce() {
        let cancellation = Cancellation()
        let count = Count()
        _ = cancellation.onCancel { count.add() }
        #expect(!cancellation.isCancelled)
        #expect(count.total == 0)

        cancellation.cancel()
        cancellation.cancel()
        #expect(cancellation.isCancelled)
        #expect(count.total == 1)
    }

    @Test func aHandlerRegisteredAfterRunsAtOnce() {
        let cancellation = Cancellation()
        cancellation.cancel()
        let count = Count()
        let token = cancellation.onCancel { count.add() }
        #expect(count.total == 1)
        // Its token stands for nothing, and removing it harms nobody.
        cancellation.removeHandler(token)
    }

    @Test func aRemovedHandlerDoesNotRunAndTheOthersDo() {
        let cancellation = Cancellation()
        let (kept, removed) = (Count(), Count())
        _ = cancellation.onCancel { kept.add() }
        let token = cancellation.onCancel { removed.add() }
        _ = cancellation.onCancel { kept.add() }
        cancellation.removeHandler(token)
        cancellation.cancel()
        #expect(kept.total == 2)
        #expect(removed.total == 0)
    }

    @Test func aHandlerMayUseTheCancellation() {
        let cancellation = Cancellation()
        let count = Count()
        _ = cancellation.onCancel { [unowned cancellation] in
            cancellation.cancel()
            cancellation.removeHandler(cancellation.onCancel { count.add() })
        }
        cancellation.cancel()
        #expect(count.total == 1)
    }

    @Test(arguments: [true, false])
    func theDescriptorBecomesReadableAndStaysSo(madeBefore: Bool) throws {
        let cancellation = Cancellation()
        try withExtendedLifetime(cancellation) {
            if madeBefore {
                let event = try #require(cancellation.descriptor())
                #expect(!isReadable(event, timeout: 0))
            }
            cancellation.cancel()
            let event = try #require(cancellation.descriptor())
            #expect(isReadable(event, timeout: 0))
            #expect(isReadable(event, timeout: 0))
            #expect(cancellation.descriptor() == event)
        }
    }

    @Test func aPollIsWokenByAnotherThread() throws {
        let cancellation = Cancellation()
        let event = try #require(cancellation.descriptor())
        let canceller = try Thread(named: "canceller") { cancellation.cancel() }
        #expect(isReadable(event, timeout: -1))
        canceller.join()
    }

    @Test func theDescriptorIsClosedWithItsOwner() throws {
        let before = try openDescriptors()
        for _ in 0..<100 { _ = Cancellation().descriptor() }
        // Other suites run beside this one: some descriptors may come and go, a hundred do not.
        #expect(try openDescriptors() < before + 50)
    }

    @Test func everyRegistrationInARaceRunsExactlyOnce() throws {
        for _ in 0..<200 {
            let cancellation = Cancellation()
            let count = Count()
            let threads = try (0..<3).map { index in
                try Thread(named: "registrar \(index)") { _ = cancellation.onCancel { count.add() } }
            }
            cancellation.cancel()
            for thread in threads { thread.join() }
            #expect(count.total == 3)
        }
    }

    private func isReadable(_ descriptor: FileDescriptor, timeout: Int32) -> Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, timeout) == 1 && entry.revents & Int16(POLLIN) != 0
    }

    private func openDescriptors() throws -> Int {
        let directory = try #require(opendir("/proc/self/fd"))
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}
