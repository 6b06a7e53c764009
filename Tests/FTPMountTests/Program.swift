import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The built program, run as a process of its own.
enum Program {
    /// What came of a run.
    struct Outcome {
        /// The exit status; `nil` when it was ended by a signal, or by us because it took too long.
        let status: Int32?
        let standardOutput: String
        let standardError: String
        /// Whether a process that it started is still there.
        let leftProcesses: Bool
    }

    /// Where the program is: beside the test bundle, which is what runs this or one of its arguments.
    static let path: String = {
        let candidates = CommandLine.arguments.filter { $0.hasSuffix(".xctest") } + ["/proc/self/exe"]
        for candidate in candidates {
            guard let resolved = realpath(candidate, nil) else { continue }
            defer { free(resolved) }
            let program = FilePath(String(cString: resolved)).removingLastComponent().appending("ftpfs").string
            if access(program, X_OK) == 0 { return program }
        }
        return "ftpfs"
    }()

    /// How long what it has started may take to be gone once the program has ended: a sanitizer looks for leaks meanwhile.
    private static let leaving = Duration.seconds(5)

    /// Runs it to its end, with an empty environment but for what is given; after `limit` it is killed.
    ///
    /// - Parameters:
    ///   - name: what it is called as.
    ///   - input: what it reads on standard input.
    static func run(
        _ arguments: [String], as name: String = "ftpfs", environment: [String: String] = [:], input: String = "",
        limit: Duration = .seconds(60)
    ) throws -> Outcome {
        let process = try start(arguments, as: name, environment: environment, input: input)
        let deadline = Deadline.after(limit)
        let status = process.wait(until: deadline)
        if status == nil { process.kill() }
        let output = process.output(until: deadline)
        return Outcome(
            status: status, standardOutput: output.standard, standardError: output.error,
            leftProcesses: !waitUntil(.after(leaving)) { !process.groupExists })
    }

    /// Starts it in a process group of its own.
    static func start(
        _ arguments: [String], as name: String = "ftpfs", environment: [String: String] = [:], input: String = ""
    ) throws -> Running {
        var pipes: [[Int32]] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            for end in ends { try #require(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
            pipes.append(ends)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let argv: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) } + [nil]
        var variables: [String: String] = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"]
        for name in ["ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"] {
            variables[name] = getenv(name).map { String(cString: $0) }
        }
        let envp: [UnsafeMutablePointer<CChar>?] =
            variables.merging(environment) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, argv, envp)
        for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { close(end) }
        let stdin = FileDescriptor(rawValue: pipes[0][1])
        if code == 0 { _ = try? stdin.writeAll(input.utf8) }
        try? stdin.close()
        try #require(code == 0, "\(path) cannot be started: \(Errno(rawValue: code))")
        return Running(
            process: process, standardOutput: FileDescriptor(rawValue: pipes[1][0]),
            standardError: FileDescriptor(rawValue: pipes[2][0]))
    }

    /// A process that runs.
    final class Running {
        let process: pid_t
        private let standardOutput: FileDescriptor
        private let standardError: FileDescriptor
        private var status: Int32??
        private var said: [UInt8] = []

        fileprivate init(process: pid_t, standardOutput: FileDescriptor, standardError: FileDescriptor) {
            self.process = process
            self.standardOutput = standardOutput
            self.standardError = standardError
        }

        /// Waits for its end; `nil` when the deadline came first, or a signal ended it.
        func wait(until deadline: Deadline) -> Int32? {
            if let status { return status }
            var raw: Int32 = 0
            guard waitUntil(deadline, { waitpid(process, &raw, WNOHANG) == process }) else { return nil }
            status = .some(raw & 0x7F == 0 ? (raw >> 8) & 0xFF : nil)
            return status ?? nil
        }

        /// Whether a process of its group is there.
        var groupExists: Bool { Glibc.kill(-process, 0) == 0 }

        func signal(_ number: Int32) { Glibc.kill(process, number) }

        /// Ends it and what it started in its group.
        func kill() {
            Glibc.kill(-process, SIGKILL)
            _ = wait(until: .after(.seconds(10)))
        }

        /// The first line that it wrote on standard output; `nil` when the deadline came first.
        func firstLine(until deadline: Deadline) -> String? {
            var line: [UInt8] = []
            var byte: UInt8 = 0
            var poller = pollfd(fd: standardOutput.rawValue, events: Int16(POLLIN), revents: 0)
            while poll(&poller, 1, deadline.pollTimeout) > 0, read(standardOutput.rawValue, &byte, 1) == 1 {
                if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
                line.append(byte)
            }
            return nil
        }

        /// Waits until it has written a text on standard error; false when the deadline came first, or its end.
        func says(_ text: String, until deadline: Deadline) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !String(decoding: said, as: UTF8.self).contains(text) {
                var poller = pollfd(fd: standardError.rawValue, events: Int16(POLLIN), revents: 0)
                guard poll(&poller, 1, deadline.pollTimeout) > 0,
                    let count = try? buffer.withUnsafeMutableBytes({ try standardError.read(into: $0) }), count > 0
                else { return false }
                said += buffer[..<count]
            }
            return true
        }

        /// All that it wrote, up to the end or the deadline.
        func output(until deadline: Deadline) -> (standard: String, error: String) {
            defer {
                try? standardOutput.close()
                try? standardError.close()
            }
            let before = String(decoding: said, as: UTF8.self)
            return (text(standardOutput, deadline), before + text(standardError, deadline))
        }

        private func text(_ descriptor: FileDescriptor, _ deadline: Deadline) -> String {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                var poller = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
                guard poll(&poller, 1, deadline.pollTimeout) > 0,
                    let count = try? buffer.withUnsafeMutableBytes({ try descriptor.read(into: $0) }), count > 0
                else { return String(decoding: bytes, as: UTF8.self) }
                bytes += buffer[..<count]
            }
        }
    }
}

/// Looks again and again until something is true; false when the deadline comes first.
func waitUntil(_ deadline: Deadline, _ condition: () -> Bool) -> Bool {
    while !condition() {
        if deadline.hasPassed { return condition() }
        usleep(2000)
    }
    return true
}
