import CLinux

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A POSIX thread that runs one closure.
///
/// Threads and not tasks: the callbacks of libfuse are blocking C threads, and Swift's cooperative pool has one thread
/// per core, so that blocking in it starves everybody. Signals are blocked in these threads, so that the main thread takes
/// them; but for the faults of a thread itself (SIGSEGV and its like), or a crash would end without a report.
package final class Thread: Sendable {
    private static let faults = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS]

    private let handle: pthread_t

    /// Why a thread was not started: `pthread_create`'s error number (EAGAIN: too many threads).
    package struct NotStarted: Error {
        /// The error number.
        package let code: Int32
    }

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// - Parameter name: shown by `ps -T` and debuggers; the kernel keeps its first 15 bytes.
    /// - Throws: ``NotStarted``; `body` is then not run.
    package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(NotStarted) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var blocked = sigset_t()
        var before = sigset_t()
        sigfillset(&blocked)
        for fault in Self.faults { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_SETMASK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                clinux_set_thread_name(start.name)
                start.body()
                return nil
            },
            start.toOpaque())
        guard code == 0 else {
            start.release()
            throw NotStarted(code: code)
        }
        self.handle = handle
    }

    /// Waits until the thread has ended. Call it once, or ``detach()`` once, and from another thread.
    package func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread free itself when it ends; nobody will join it.
    package func detach() {
        pthread_detach(handle)
    }

    /// Starts a thread that nobody waits for.
    package static func detached(named name: String, _ body: @escaping @Sendable () -> Void) throws(NotStarted) {
        try Thread(named: name, body).detach()
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
