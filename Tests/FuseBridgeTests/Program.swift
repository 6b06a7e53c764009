import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A program under test, in a process group of its own. The test process never touches a mount itself: a mount that does
/// not answer would hang it beyond the reach of any time limit.
final class Program: @unchecked Sendable {
    // `process` and `output` are immutable; `status` is touched by the one test that owns the program.
    let process: pid_t
    private let output: FilePath
    private var status: Int32?

    struct NotStarted: Error { let code: Int32 }

    /// Starts a program with what it writes, to either output, going to a file.
    init(_ arguments: [String], environment: [String: String] = [:], output: FilePath) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.string, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)

        var strings = arguments.map { strdup($0) }
        var variables = environment.map { strdup("\($0)=\($1)") }
        defer { for string in strings + variables { free(string) } }
        let own = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]
        variables += own.map { strdup("\($0)=\($1)") }
        strings.append(nil)
        variables.append(nil)
        var process = pid_t()
        let code = posix_spawnp(&process, arguments[0], &actions, &attributes, strings, variables)
        guard code == 0 else { throw NotStarted(code: code) }
        self.process = process
        self.output = output
    }

    /// What it has written so far.
    var text: String {
        guard let file = try? FileDescriptor.open(output, .readOnly) else { return "" }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The exit code (128 and the signal for one that was killed) once it has ended.
    var exitCode: Int32? {
        if status == nil {
            var now: Int32 = 0
            if waitpid(process, &now, WNOHANG) == process { status = now }
        }
        return status.map { $0 & 0x7F == 0 ? ($0 >> 8) & 0xFF : 128 + ($0 & 0x7F) }
    }

    /// Whether it sleeps, as `sh` or as the `cat` that it has become: both wait for nothing but files.
    var isWaiting: Bool {
        guard let file = try? FileDescriptor.open("/proc/\(process)/stat", .readOnly) else { return false }
        defer { try? file.close() }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = (try? buffer.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        return text.contains("(cat) S ") || text.contains("(sh) S ")
    }

    func signal(_ signal: Int32) {
        if exitCode == nil { kill(process, signal) }
    }

    /// Waits for the end, and kills the whole group when it does not come in time.
    func end(within span: Duration = .seconds(30)) -> Int32? {
        if waitUntil(.after(span), { exitCode != nil }) { return exitCode }
        kill(-process, SIGKILL)
        return nil
    }
}

/// Looks at a condition, often, until it holds or the deadline has passed.
func waitUntil(_ deadline: Deadline, _ condition: () -> Bool) -> Bool {
    while !condition() {
        if deadline.hasPassed { return condition() }
        usleep(5_000)
    }
    return true
}
