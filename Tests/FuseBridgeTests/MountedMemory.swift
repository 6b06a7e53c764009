import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A running `MemoryMount` and the directory it is mounted on; both go with this object.
final class MountedMemory {
    let directory: FilePath
    let server: Program
    private var outputs = 0

    /// Where a mount is made: `work/mnt`, beside a writable `work`.
    var mountPoint: FilePath { directory.appending("mnt") }

    /// Mounts and waits until the mount answers.
    ///
    /// - Parameter user: an ordinary user who mounts, through fusermount3.
    init(_ options: [String] = [], user: String? = nil) throws {
        directory = try Scratch.make(owner: user)
        server = try Self.start(options, in: directory, user: user)
        let server = server
        guard waitUntil(.after(.seconds(30)), { server.text.contains("ready\n") || server.exitCode != nil }),
            server.exitCode == nil
        else {
            Issue.record("MemoryMount did not mount: \(server.text)")
            return
        }
    }

    /// Starts `MemoryMount` on `mnt` in a directory, without waiting.
    static func start(_ options: [String], in directory: FilePath, user: String?) throws -> Program {
        let program = try user == nil ? Scratch.program() : Scratch.publicProgram(in: directory)
        let arguments = [program, directory.appending("mnt").string] + options
        let command = user.map { ["setpriv", "--reuid", $0, "--regid", "nogroup", "--clear-groups", "--"] + arguments }
        return try Program(command ?? arguments, output: directory.appending("server"))
    }

    deinit {
        server.signal(SIGTERM)
        // Beyond the 5 s that the session gives late answers.
        if server.end(within: .seconds(20)) == nil { _ = server.end() }
        if let unmount = try? Program(["umount", "-l", mountPoint.string], output: directory.appending("umount")) {
            _ = unmount.end()
        }
        Scratch.remove(directory)
    }

    /// Starts a shell script in the mount. `$W` is a directory outside of it.
    func start(_ script: String) throws -> Program {
        outputs += 1
        return try Program(
            ["sh", "-euc", "cd \"$M\"\n" + script],
            environment: ["M": mountPoint.string, "W": directory.string],
            output: directory.appending("output\(outputs)"))
    }

    /// Runs a shell script in the mount. - Returns: its exit code (`nil` when it did not end) and what it wrote.
    func run(_ script: String) throws -> (code: Int32?, text: String) {
        let program = try start(script)
        let code = program.end()
        return (code, program.text)
    }

    /// Whether the kernel has the mount in its table.
    var isMounted: Bool {
        let table = try? Program(["cat", "/proc/self/mounts"], output: directory.appending("mounts\(outputs)"))
        outputs += 1
        _ = table?.end()
        return table?.text.contains(" \(mountPoint.string) ") ?? false
    }

    /// Waits until so many requests wait in the file system.
    func waitsFor(_ requests: Int) -> Bool {
        waitUntil(.after(.seconds(30))) {
            (try? run("cat status").text.hasSuffix("waiting \(requests)\n")) ?? false
        }
    }
}
