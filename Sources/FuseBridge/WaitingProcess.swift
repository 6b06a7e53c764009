#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What can be seen of the thread behind a request.
enum WaitingProcess: Equatable, Sendable {
    /// It does not exist any more.
    case gone
    /// It cannot be looked at: another namespace of processes, /proc mounted with hidepid, a kernel thread.
    case hidden
    case visible(ProcessSignals)

    /// Looks at a thread by its number, as in /proc. Reads one small file there; does not block.
    static func look(at thread: Int32) -> WaitingProcess {
        guard thread > 0 else { return .hidden }
        if let text = contents(of: "/proc/\(thread)/status"), let signals = ProcessSignals(status: text) {
            return .visible(signals)
        }
        // /proc may hide what exists; kill(2) with signal 0 does not.
        return kill(thread, 0) < 0 && errno == ESRCH ? .gone : .hidden
    }

    /// More than /proc/PID/status can hold: a user in 65,536 groups (NGROUPS_MAX), 11 bytes each, and the rest.
    private static let longestFile = 1 << 20

    private static func contents(of path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while text.count < longestFile {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return text }
            text += buffer[..<count]
        }
        return nil
    }
}
