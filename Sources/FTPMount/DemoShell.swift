import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Shows command lines and runs them, each with `sh` in a process group of its own, so that it can be broken off with all that
/// it has started.
struct DemoShell {
    /// The directory that they are run in; `bin` in it is the first of their PATH.
    let place: String
    let output: CommandOutput
    /// Breaks off what runs.
    let ending: Cancellation

    /// How long what was broken off may take to end before it is killed.
    private static let patience = Duration.seconds(10)
    /// The signals that end a demo.
    private static let ending: Set<Int32> = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]
    /// How often is looked whether it has.
    private static let interval: Int32 = 20

    /// Prints the title and each command line, and runs them.
    ///
    /// - Throws: ``MountFailure`` when one fails, is broken off (``ExitCode/interrupted``), or when nobody reads any more.
    func show(_ part: DemoSteps.Part) throws(MountFailure) {
        let style = TerminalStyle.suiting(STDOUT_FILENO)
        try say("\n\(style.dim(part.title + ":"))\n")
        for command in part.commands {
            try say("\n\(style.bold("$ \(command)"))\n")
            try run(command)
        }
    }

    private func say(_ text: String) throws(MountFailure) {
        if !output.say(text) { throw MountFailure(.system, "nobody reads the output any more") }
    }

    private func run(_ command: String) throws(MountFailure) {
        let process = try start(command)
        let handle = FileDescriptor(rawValue: clinux_pidfd_open(process))
        defer { if handle.rawValue >= 0 { try? handle.close() } }
        withExtendedLifetime(ending) {
            var watched = [
                pollfd(fd: handle.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ending.descriptor()?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            // Without such a handle (before Linux 5.3) the command can only be waited for.
            while handle.rawValue >= 0, poll(&watched, 2, -1) < 0, errno == EINTR {}
        }
        if ending.isCancelled {
            breakOff(process)
            throw MountFailure(.interrupted, "interrupted")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        // What is sent to a whole group reaches the shell too, until it has a group of its own; and perhaps it is seen first.
        if Self.ending.contains(status & 0x7F) { throw MountFailure(.interrupted, "interrupted") }
        guard status == 0 else { throw MountFailure(.mountFailed, "the command failed: \(command)") }
    }

    /// Ends the group, and returns when it is gone: a mount that was about to be made is there by then, or will never be.
    private func breakOff(_ process: pid_t) {
        let deadline = Deadline.after(Self.patience)
        kill(-process, SIGTERM)
        while kill(-process, 0) == 0 {
            // The shell is in the group until it is waited for.
            waitpid(process, nil, WNOHANG)
            _ = poll(nil, 0, Self.interval)
            if deadline.hasPassed { kill(-process, SIGKILL) }
        }
    }

    private func start(_ command: String) throws(MountFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // Errors belong to what is shown.
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        // The line is an argument, and so needs no quoting; the other environment is as it is outside.
        let script =
            "cd \"$1\" && PATH=$1/bin:$PATH XDG_CACHE_HOME=$1/cache && export PATH XDG_CACHE_HOME && eval \"$2\""
        var process = pid_t()
        let code = withArgumentVector(["sh", "-c", script, "sh", place, command]) {
            posix_spawn(&process, "/bin/sh", &actions, &attributes, $0, environ)
        }
        guard code == 0 else { throw MountFailure(.system, "/bin/sh cannot be run: \(Errno(rawValue: code))") }
        return process
    }
}
