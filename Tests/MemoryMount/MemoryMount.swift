import FileSystem
import FuseBridge
import Logging
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Mounts a ``MemoryFileSystem`` for the tests: `MemoryMount DIRECTORY [OPTION…]`, in the foreground.
///
/// Options are `ro`, `nonempty`, `allow_other`, `default_permissions`, `threads=N`, `ttl=SECONDS`; what else comes is handed
/// to libfuse.
/// Writes `ready` to standard output when the mount answers, and one line to standard error, with exit code 1, when it
/// cannot. SIGTERM and SIGINT end it; SIGUSR1 changes the content of `hello` behind the kernel's back and tells it so.
@main
enum MemoryMount {
    static func main() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGUSR1] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        do {
            try serve(CommandLine.arguments, endingOn: signals)
        } catch {
            write("MemoryMount: \(error)\n", to: STDERR_FILENO)
            exit(1)
        }
    }

    private static func serve(_ arguments: [String], endingOn signals: sigset_t) throws {
        var configuration = FuseConfiguration(
            mountPoint: FilePath(arguments.count > 1 ? arguments[1] : ""), source: "memory, with a \\comma")
        configuration.subtype = "memory"
        var seconds: Int64 = 1
        for option in arguments.dropFirst(2) {
            switch option {
            case "ro": configuration.readOnly = true
            case "nonempty": configuration.allowNonEmpty = true
            case "allow_other": configuration.allowOther = true
            case "default_permissions": configuration.defaultPermissions = true
            case _ where option.hasPrefix("ttl="): seconds = Int64(option.dropFirst("ttl=".count)) ?? 1
            case _ where option.hasPrefix("threads="):
                configuration.maximumThreads = UInt32(option.dropFirst("threads=".count)) ?? 1
            default: configuration.kernelOptions.append(option)
            }
        }
        var logger = Logger(label: "memory") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .debug
        let fileSystem = try MemoryFileSystem(timeToLive: .seconds(seconds))
        let session = try FuseSession(configuration, serving: fileSystem, logger: logger)
        try session.mount()
        try Thread.detached(named: "signals") {
            var signals = signals
            var signal: Int32 = 0
            while sigwait(&signals, &signal) == 0, signal == SIGUSR1 {
                guard let (name, inode) = fileSystem.changeHello() else { return }
                session.invalidateInode(inode)
                session.invalidateEntry(name, in: .root)
            }
            session.exit()
        }
        try session.run { write("ready\n", to: STDOUT_FILENO) }
        session.unmount()
        write("ended\n", to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
