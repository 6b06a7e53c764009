import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Threads run their closure, are named, and leave signals to the main thread.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ThreadTests {
    @Test func joinReturnsBehindTheBody() throws {
        let done = Monitor(false)
        let thread = try Thread(named: "worker") { done.withLock { $0 = true } }
        thread.join()
        #expect(done.withLock { $0 })
    }

    @Test func aDetachedThreadRunsToo() throws {
        let done = Monitor(false)
        try Thread.detached(named: "worker") { done.withLockThenWake { $0 = true } }
        #expect(done.wait(until: .after(.seconds(30))) { $0 ? true : nil } == true)
    }

    @Test(arguments: [("short", "short"), ("a name that is too long", "a name that is ")])
    func theKernelKnowsTheName(given: String, shown: String) throws {
        let name = Monitor("")
        try Thread(named: given) {
            guard let file = try? FileDescriptor.open("/proc/thread-self/comm", .readOnly) else { return }
            defer { try? file.close() }
            var buffer = [UInt8](repeating: 0, count: 32)
            let count = (try? buffer.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
            let text = String(decoding: buffer.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)
            name.withLock { $0 = text }
        }.join()
        #expect(name.withLock { $0 } == shown)
    }

    @Test func signalsAreBlockedButForFaults() throws {
        let blocked = Monitor<[Int32: Bool]>([:])
        try Thread(named: "worker") {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE, SIGSEGV, SIGILL, SIGTRAP] {
                let isBlocked = sigismember(&mask, signal) == 1
                blocked.withLock { $0[signal] = isBlocked }
            }
        }.join()
        #expect(
            blocked.withLock { $0 } == [
                SIGTERM: true, SIGINT: true, SIGHUP: true, SIGCHLD: true, SIGPIPE: true,
                SIGSEGV: false, SIGILL: false, SIGTRAP: false,
            ])
    }

    @Test func theStarterKeepsItsSignals() throws {
        var before = sigset_t()
        var after = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &before)
        try Thread(named: "worker") {}.join()
        pthread_sigmask(SIG_BLOCK, nil, &after)
        for signal in 1...31 { #expect(sigismember(&before, Int32(signal)) == sigismember(&after, Int32(signal))) }
    }
}
