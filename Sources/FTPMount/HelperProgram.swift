import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Another program of this machine that is asked for one line.
enum HelperProgram {
    /// What came of it.
    enum Outcome: Equatable {
        /// It said something and succeeded. The bytes of the first line, without its end.
        case line([UInt8])
        /// There is no such program here.
        case missing
        /// It failed, said nothing, or took too long, and was then ended.
        case nothing
    }

    /// Runs a program, found through PATH, with its standard error left as ours, and waits for its end: at most for so long.
    static func ask(_ arguments: [String], within span: Duration) -> Outcome {
        guard let program = arguments.first, let answer = try? Pipe() else { return .nothing }
        defer { try? answer.readEnd.close() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, answer.writeEnd.rawValue, 1)
        var process = pid_t()
        let code = withArgumentVector(arguments) { posix_spawnp(&process, program, &actions, nil, $0, environ) }
        try? answer.writeEnd.close()
        guard code == 0 else { return code == ENOENT ? .missing : .nothing }
        let (bytes, isComplete) = answer.readEnd.readToEnd(until: .after(span))
        if !isComplete { kill(process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard isComplete, status == 0 else { return .nothing }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        return line.isEmpty ? .nothing : .line(Array(line))
    }
}
