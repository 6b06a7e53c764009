import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A program started by a test, in a process group of its own, its output in a file.
///
/// The test process never forks (it has threads) and never touches a mount itself: all of that happens in here.
package final class ChildProcess: Sendable {
    /// How a program ended.
    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    package let pid: Int32
    private let exit = Monitor<Exit?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: the program, found through PATH, and its arguments.
    ///   - environment: variables on top of the test process's own.
    ///   - output: the file for standard output, and
    ///   - errors: for standard error; both are written from the start, or appended to when they are the same.
    package init(
        _ arguments: [String], environment: [String: String] = [:], output: String, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o600)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // Whoever runs the tests in the background, or with nohup(1), has them ignore the last three.
        for signal in [SIGPIPE, SIGINT, SIGQUIT, SIGHUP] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = Self.environment(with: environment).map { strdup($0) }
        let words = arguments.map { strdup($0) }
        defer { (variables + words).forEach { free($0) } }
        var pid = pid_t()
        let failure = posix_spawnp(&pid, arguments.first ?? "", &actions, &attributes, words + [nil], variables + [nil])
        guard failure == 0 else {
            throw TestFailure("cannot start \(arguments.first ?? ""): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
    }

    /// How it ended; `nil` while it runs.
    package func poll() -> Exit? {
        exit.withLock { exit in
            guard exit == nil else { return exit }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            exit = signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
            return exit
        }
    }

    /// Waits for its end. `nil`: it still runs after the span.
    package func wait(within span: Duration) -> Exit? {
        waitUntil(within: span) { poll() != nil } ? poll() : nil
    }

    /// Sends a signal to the process group, if the program has not been seen to end.
    package func signal(_ number: Int32) {
        exit.withLock { exit in
            if exit == nil { _ = Glibc.kill(-pid, number) }
        }
    }

    /// Kills the process group and collects the program. `nil`: it cannot even be killed, some system call holds it.
    @discardableResult
    package func kill() -> Exit? {
        signal(SIGKILL)
        return wait(within: .seconds(5))
    }

    private static func environment(with more: [String: String]) -> [String] {
        var all = more
        var next = environ
        while let variable = next.pointee {
            let parts = String(cString: variable).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if let name = parts.first.map(String.init), all[name] == nil {
                all[name] = parts.count > 1 ? String(parts[1]) : ""
            }
            next += 1
        }
        return all.map { "\($0.key)=\($0.value)" }
    }
}
