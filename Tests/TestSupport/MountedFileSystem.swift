#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A server mounted by the `ftpfs` that was built, in a process of its own, in the foreground, logging every command.
///
/// Whatever happens to the test, the mount and its process are gone when the value goes.
package final class MountedFileSystem: Sendable {
    /// The mounted directory.
    package let path: String
    private let directory: TemporaryDirectory
    private let process: ChildProcess

    /// A place in the log: what comes later is told by ``commands(since:)``.
    package struct Mark: Sendable {
        fileprivate let offset: Int
    }

    /// Mounts a directory of the server and returns when the mount is there.
    ///
    /// - Parameters:
    ///   - remotePath: the directory to mount, relative to the one that the user finds after the login.
    ///   - options: for `-o`, besides the credentials and the place for the spool.
    ///
    /// `FTPFS_TEST_CONNECTIONS=1` in the environment gives every mount so many connections, unless its test says another
    /// number: whatever works with several has to work with one.
    package convenience init(_ server: TestServer, _ remotePath: String = "", options: [String] = []) throws {
        try self.init(server.endpoint, remotePath, name: server.description, options: options)
    }

    /// The same for any server, under a name that tells a person which it is.
    package init(_ server: Endpoint, _ remotePath: String = "", name: String, options: [String] = []) throws {
        directory = try TemporaryDirectory("mount-\(name)")
        path = try directory.makeDirectory("mount")
        let credentials = directory.path("credentials")
        try Files.write("username=\(server.user)\npassword=\(server.password)\n", to: credentials)
        let authority = server.authority.map { ["tls_ca=\($0)"] } ?? []
        let hasNumber = options.contains { $0.hasPrefix("connections=") }
        let number =
            hasNumber ? [] : getenv("FTPFS_TEST_CONNECTIONS").map { ["connections=\(String(cString: $0))"] } ?? []
        let all = number + ["credentials=\(credentials)", "spool_dir=\(directory.path("spool"))"] + authority + options
        let log = directory.path("log")
        process = try ChildProcess(
            [Repository.program, server.url(remotePath), path, "-f", "-d", "-o", all.joined(separator: ",")],
            output: log, errors: log)
        let isThere = waitUntil(within: .seconds(20)) { isMounted || process.poll() != nil }
        guard isThere, isMounted else {
            let exit = process.poll()
            let text = Files.text(log)
            end()
            throw TestFailure("the mount did not come up (\(String(describing: exit)))\n\(text)")
        }
    }

    deinit {
        end()
    }

    /// The process that serves the mount.
    package var pid: Int32 { process.pid }

    /// Whether the kernel has the mount. Asks the mount table, never the mount: that could wait.
    package var isMounted: Bool {
        // mountinfo escapes blanks only (proc(5)); the path here has none.
        Files.text("/proc/self/mountinfo").contains(" \(path) ")
    }

    /// Whether the process still serves.
    package var isRunning: Bool { process.poll() == nil }

    /// The present end of the log.
    package func mark() -> Mark { Mark(offset: Files.size(directory.path("log"))) }

    /// The log from a mark on.
    package func log(since mark: Mark = Mark(offset: 0)) -> String {
        Files.text(directory.path("log"), from: mark.offset)
    }

    /// What went over the control connections since a mark.
    package func commands(since mark: Mark = Mark(offset: 0)) -> CommandTrace { CommandTrace(log: log(since: mark)) }

    /// Unmounts as a user does, and waits for the process.
    ///
    /// - Returns: how the process ended; `nil` when it did not end within the limit.
    package func unmount(within span: Duration = .seconds(30)) throws -> ChildProcess.Exit? {
        let command = geteuid() == 0 ? "umount" : "fusermount3 -u"
        let outcome = try Shell.run("\(command) \"$MOUNT\"", ["MOUNT": path], timeout: span)
        guard outcome.succeeded else { throw TestFailure("umount: \(outcome)") }
        return process.wait(within: span)
    }

    /// The processes of other mount namespaces that have the mount as well: a namespace made while it was there keeps it,
    /// and with it the process, after it is gone here. Empty on a machine where nothing else goes on.
    package func holders() -> String {
        let script = """
            here=$(readlink /proc/self/ns/mnt)
            for process in /proc/[0-9]*; do
                if grep -qs " $MOUNT " "$process/mountinfo" && [ "$(readlink "$process/ns/mnt")" != "$here" ]; then
                    echo "held by $process: $(tr '\\0' ' ' <"$process/cmdline")"
                fi
            done
            """
        return (try? Shell.run(script, ["MOUNT": path]).output) ?? ""
    }

    /// Asks the process to end by SIGTERM, which unmounts, and waits for it.
    package func terminate(within span: Duration = .seconds(30)) -> ChildProcess.Exit? {
        process.signal(SIGTERM)
        return process.wait(within: span)
    }

    /// Kills the process, as a crash does, and takes the dead mount away.
    package func kill() {
        process.kill()
        end()
    }

    /// The sure way: nothing is left, neither the process nor the mount. Does not wait for the server.
    package func end() {
        if isMounted {
            let command = geteuid() == 0 ? "umount --lazy" : "fusermount3 -u -z"
            _ = try? Shell.run("\(command) \"$MOUNT\"", ["MOUNT": path], timeout: .seconds(10))
        }
        if process.wait(within: .seconds(1)) == nil { process.kill() }
    }
}
