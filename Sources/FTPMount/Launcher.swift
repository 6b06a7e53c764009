import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Starts the process that mounts, and waits for its one word.
///
/// The program executes itself anew instead of forking: a fork of a process with threads has locks that nobody will
/// ever release. The new process stays in this one's process group until its mount answers, because autofs lets only
/// the group of the mounter through; then it becomes a session of its own.
enum Launcher {
    /// The options by which the new process knows what it is; see ``MountingProcess``.
    static let settingsOption = "--settings-fd"
    static let statusOption = "--status-fd"

    /// Where the new process finds its ends of the two pipes.
    private static let settingsDescriptor: Int32 = 3
    private static let statusDescriptor: Int32 = 4

    /// What the mounting process may take over the connect time limit, which it keeps by itself: the mount and one
    /// `stat` of it. Only a process that hangs uses it up.
    private static let margin = Duration.seconds(5)

    /// Mounts in a new process. Blocks until the mount answers, or has failed; at most ``margin`` longer than
    /// `connect_timeout=`.
    ///
    /// - Throws: ``MountFailure``; no process and no mount is left then.
    static func launch(_ plan: MountPlan, credentials: Credentials) throws(MountFailure) {
        let deadline = Deadline.after(plan.options.connectTimeout + margin)
        let settings = try Pipe()
        let status = try Pipe()
        defer { try? status.readEnd.close() }
        let process: pid_t
        do throws(MountFailure) {
            defer {
                try? settings.readEnd.close()
                try? status.writeEnd.close()
            }
            process = try spawn(plan, settings: settings.readEnd, status: status.writeEnd)
        } catch {
            try? settings.writeEnd.close()
            throw error
        }
        // A process that is gone already is noticed below, by its silence.
        _ = try? settings.writeEnd.writeAll(SettingsRecord(plan: plan, credentials: credentials).encoded)
        try? settings.writeEnd.close()

        let (bytes, isComplete) = status.readEnd.readToEnd(until: deadline)
        switch isComplete ? StatusReport.decoded(bytes) : nil {
        case .ready:
            return
        case .failed(let failure):
            // It has nothing left to do but to end.
            _ = reap(process, until: deadline)
            throw failure
        case nil:
            let ending = isComplete ? reap(process, until: deadline) : nil
            if ending == nil { kill(process) }
            DeadMount.detach(plan.mountPoint)
            if isComplete {
                throw MountFailure(.internalFault, "the mounting process ended without a word")
            }
            throw MountFailure(.mountFailed, "the mount did not answer in time", remedy: "see the log")
        }
    }

    private static func spawn(
        _ plan: MountPlan, settings: FileDescriptor, status: FileDescriptor
    ) throws(MountFailure) -> pid_t {
        // Copies above the two numbers that they are to become, so that neither is overwritten by the other.
        let copies = [settings, status].map { fcntl($0.rawValue, F_DUPFD_CLOEXEC, 10) }
        defer { for copy in copies where copy >= 0 { close(copy) } }
        guard copies.allSatisfy({ $0 >= 0 }) else { throw failure(errno) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, copies[0], settingsDescriptor)
        posix_spawn_file_actions_adddup2(&actions, copies[1], statusDescriptor)
        // Whoever called this may wait for the end of a pipe that it inherited to us.
        clinux_spawn_close_from(&actions, statusDescriptor + 1)

        let arguments = [
            "ftpfs", plan.address.sourceName, plan.mountPoint, "-f", settingsOption, "\(settingsDescriptor)",
            statusOption, "\(statusDescriptor)",
        ]
        var process = pid_t()
        let code = withArgumentVector(arguments) { vector in
            posix_spawn(&process, "/proc/self/exe", &actions, nil, vector, environ)
        }
        guard code == 0 else { throw failure(code) }
        return process
    }

    private static func failure(_ code: Int32) -> MountFailure {
        MountFailure(.system, "the mounting process cannot be started: \(Errno(rawValue: code))")
    }

    /// Waits for the end of the process; `nil` when the deadline comes first.
    private static func reap(_ process: pid_t, until deadline: Deadline) -> Int32? {
        let handle = FileDescriptor(rawValue: clinux_pidfd_open(process))
        guard handle.rawValue >= 0 else { return nil }
        defer { try? handle.close() }
        var poller = pollfd(fd: handle.rawValue, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&poller, 1, deadline.pollTimeout)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            var status: Int32 = 0
            return waitpid(process, &status, 0) == process ? status : nil
        }
    }

    /// Ends a process that does not end by itself: by a polite signal, and after two seconds by the other one.
    private static func kill(_ process: pid_t) {
        Glibc.kill(process, SIGTERM)
        if reap(process, until: .after(.seconds(2))) != nil { return }
        Glibc.kill(process, SIGKILL)
        _ = reap(process, until: .after(.seconds(2)))
    }
}

/// Calls with the arguments as execve(2) takes them.
func withArgumentVector<Result>(
    _ arguments: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
    defer { vector.deallocate() }
    for (position, argument) in arguments.enumerated() { vector[position] = strdup(argument) }
    vector[arguments.count] = nil
    defer { for position in arguments.indices { free(vector[position]) } }
    return body(vector)
}
